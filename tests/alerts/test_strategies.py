"""Strategies of findings: a worked example, what each intention calls for, and what never gets in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from collector.alerts.strategies import strategies
from collector.detectors.base import Direction, Intention
from collector.market.contract import parse_occ
from exports.conformity import faults
from exports.documents import STRATEGY_FIELDS
from exports.reasons import FIELD_REASONS
from tests.alerts.option_frames import (
    CONDOR,
    EVERY,
    FAR,
    NEAR,
    STRIKES,
    Row,
    chain,
    legs,
    names,
    priced_rows,
    priced_view,
    view,
)

BETWEEN = date(2026, 4, 10)


def expirations(found: Sequence[dict[str, Any]]) -> set[date]:
    return {parse_occ(leg["contract_symbol"]).expiration for one in found for leg in one["legs"]}


def test_an_iron_condor_by_hand() -> None:
    """Credit 2.80 - 1.00 = 1.80 at the mids and 2.70 - 1.10 = 1.60 crossed; 5 wide, so 3.40 at risk.

    Delta 100 (-0.13 + 0.27 - 0.27 + 0.12); the tenor of 0.25 and 20 % make a deviation of 0.1, so that between 93.40
    and 106.60 lies N(0.6891) - N(-0.6328) = 0.7546 - 0.2634.
    """
    (found,) = strategies(view(CONDOR, [chain(tenor=0.25)]), "short_volatility", "neutral", "")
    symbols = [row.symbol for row in CONDOR]
    quotes = [{"bid": row.bid, "ask": row.ask, "mid": row.mid} for row in CONDOR]
    probability = found.pop("probability_of_profit")
    assert probability == pytest.approx(0.4912, abs=1e-4)
    assert found == {
        "name": "iron_condor",
        "legs": [
            {"contract_symbol": symbol, "side": side, "quantity": 1, **quoted}
            for symbol, side, quoted in zip(symbols, ("buy", "sell", "sell", "buy"), quotes, strict=True)
        ],
        "net_mid": -180.0,
        "net_crossing": -160.0,
        "max_profit": 160.0,
        "max_loss": 340.0,
        "break_evens": [93.4, 106.6],
        "payoff_model": "at_expiration",
        "delta": -1.0,
        "gamma": -2.0,
        "theta": 2.0,
        "vega": -10.0,
        "probability_model": "risk_neutral_lognormal",
        "reasons": {},
    }


CALLED_FOR = {
    ("long_volatility", "neutral"): ["long_straddle", "long_strangle", "reverse_iron_condor"],
    ("long_volatility", "bullish"): ["long_straddle", "long_strangle", "bull_call_spread"],
    ("long_volatility", "bearish"): ["long_straddle", "long_strangle", "bear_put_spread"],
    ("short_volatility", "neutral"): ["iron_condor", "iron_butterfly", "call_butterfly"],
    ("short_volatility", "bullish"): ["iron_condor", "iron_butterfly", "bull_put_spread"],
    ("short_volatility", "bearish"): ["iron_condor", "iron_butterfly", "bear_call_spread"],
    ("directional", "neutral"): [],
    ("directional", "bullish"): ["bull_call_spread", "bull_put_spread", "call_butterfly"],
    ("directional", "bearish"): ["bear_put_spread", "bear_call_spread", "put_butterfly"],
    ("skew", "neutral"): ["put_butterfly", "call_butterfly"],
    ("skew", "bullish"): ["bull_put_spread", "bullish_spread_risk_reversal", "bull_call_spread"],
    ("skew", "bearish"): ["bear_call_spread", "bearish_spread_risk_reversal", "bear_put_spread"],
}


@pytest.mark.parametrize(("intention", "direction"), CALLED_FOR)
def test_each_intention_has_its_structures(intention: Intention, direction: Direction) -> None:
    found = strategies(priced_view([chain()]), intention, direction, "")
    assert names(found) == CALLED_FOR[intention, direction]


def by_name(intention: Intention, direction: Direction, name: str, **more: Any) -> dict[str, Any]:
    found = strategies(priced_view([chain(**more)]), intention, direction, "")
    return next(one for one in found if one["name"] == name)


def test_legs_are_chosen_by_delta() -> None:
    """A deviation s of 6.37 %, and a call of delta D is struck at 100 exp(s²/2 - s z), z the normal quantile of D.

    27 delta: 96.4 and 104.2; 25: 104.6; 13: 93.3 and 107.6; strikes lie 1 apart.
    """
    condor = by_name("short_volatility", "neutral", "iron_condor")
    assert legs(condor) == [
        ("buy", "put", 93.0, 1),
        ("sell", "put", 96.0, 1),
        ("sell", "call", 104.0, 1),
        ("buy", "call", 108.0, 1),
    ]
    assert legs(by_name("long_volatility", "neutral", "long_straddle")) == [
        ("buy", "call", 100.0, 1),
        ("buy", "put", 100.0, 1),
    ]
    assert legs(by_name("directional", "bullish", "bull_call_spread")) == [
        ("buy", "call", 100.0, 1),
        ("sell", "call", 105.0, 1),
    ]
    assert legs(by_name("directional", "bearish", "bear_put_spread")) == [
        ("buy", "put", 100.0, 1),
        ("sell", "put", 96.0, 1),
    ]
    assert legs(by_name("directional", "bullish", "call_butterfly")) == [
        ("buy", "call", 100.0, 1),
        ("sell", "call", 104.0, 2),
        ("buy", "call", 108.0, 1),
    ]


def test_what_is_bought_without_a_bound_says_so() -> None:
    straddle = by_name("long_volatility", "neutral", "long_straddle")
    assert straddle["max_profit"] is None
    assert straddle["reasons"] == {"max_profit": "unlimited"}
    assert straddle["max_loss"] == straddle["net_crossing"] > straddle["net_mid"] > 0


@pytest.mark.parametrize(("intention", "direction"), EVERY)
def test_records_are_what_the_document_says(intention: Intention, direction: Direction) -> None:
    chains = [chain(), chain(BETWEEN, atm_iv=0.25), chain(FAR)]
    for one in strategies(priced_view(chains), intention, direction, ""):
        assert list(faults(STRATEGY_FIELDS, one)) == []
        assert set(one["reasons"].values()) <= set(FIELD_REASONS)
        nulls = {name for name, value in one.items() if value is None}
        assert nulls == set(one["reasons"])


def test_the_expiration_nearest_to_30_to_45_days_unless_one_is_the_subject() -> None:
    seen = priced_view([chain(date(2026, 3, 6)), chain(), chain(FAR)])
    assert expirations(strategies(seen, "short_volatility", "neutral", "")) == {NEAR}
    assert expirations(strategies(seen, "short_volatility", "neutral", f"{FAR}:QLMT")) == {FAR}
    symbol = Row("call", 105.0, expiration=FAR).symbol
    assert expirations(strategies(seen, "short_volatility", "neutral", symbol)) == {FAR}
    assert strategies(seen, "short_volatility", "neutral", f"{FAR}:OTHER") == []
    assert strategies(seen, "short_volatility", "neutral", "no subject at all|") == []


def test_too_near_and_too_far_expirations_are_for_subjects_only() -> None:
    seen = priced_view([chain(date(2026, 2, 23)), chain(date(2026, 12, 18))])
    assert strategies(seen, "short_volatility", "neutral", "") == []
    assert strategies(seen, "short_volatility", "neutral", "2026-12-18:QLMT") != []


def test_a_contract_that_is_the_subject_is_bought_itself() -> None:
    subject = Row("call", 102.0).symbol
    found = strategies(priced_view([chain()]), "directional", "bullish", subject)
    assert legs(found[0])[0] == ("buy", "call", 102.0, 1)
    # One of 4 delta is no leg to buy: the spread at the money is.
    far_out = Row("call", 112.0).symbol
    assert legs(strategies(priced_view([chain()]), "directional", "bullish", far_out)[0])[0][2] == 100.0


def test_the_next_best_expiration_serves_where_the_best_allows_nothing() -> None:
    thin = priced_rows(chain(), [100.0])
    whole = priced_rows(chain(FAR), STRIKES)
    found = strategies(view([*thin, *whole], [chain(), chain(FAR)]), "short_volatility", "neutral", "")
    assert expirations(found) == {FAR}


def test_a_rich_expiration_is_sold_against_the_next_and_a_cheap_one_bought_against_the_one_before() -> None:
    for sigma, sold, bought in ((0.21, BETWEEN, FAR), (0.19, NEAR, BETWEEN)):
        seen = priced_view([chain(), chain(BETWEEN, atm_iv=sigma), chain(FAR)])
        found = strategies(seen, "calendar", "neutral", f"{BETWEEN}:QLMT")
        assert found
        for one in found:
            sides = [(leg["side"], parse_occ(leg["contract_symbol"])) for leg in one["legs"]]
            assert [(side, occ.expiration) for side, occ in sides] == [("sell", sold), ("buy", bought)]
            assert len({(occ.option_type, occ.strike) for _, occ in sides}) == 1
            assert one["payoff_model"] == "black_76_far_volatility_held"
            assert one["max_loss"] == one["net_crossing"]
            assert len(one["break_evens"]) == 2


def test_the_last_expiration_is_never_sold_for_nothing_would_cover_it() -> None:
    seen = priced_view([chain(), chain(FAR, atm_iv=0.3)])
    assert strategies(seen, "calendar", "neutral", f"{FAR}:QLMT") == []


def test_calendars_of_an_index_are_of_puts() -> None:
    chains = [chain(root="SPXW", discount_factor=0.996), chain(FAR, root="SPXW", discount_factor=0.993)]
    # The calls are cheaper to trade.
    rows = [row for seen in chains for row in priced_rows(seen, STRIKES, spread=0.005) if row.option_type == "call"] + [
        row for seen in chains for row in priced_rows(seen, STRIKES) if row.option_type == "put"
    ]
    found = strategies(view(rows, chains, "^SPX"), "calendar", "neutral", f"{NEAR}:SPXW")
    assert found
    assert {leg[1] for one in found for leg in legs(one)} == {"put"}
    # 0.993 / 0.996 of the strike is what the far put is worth at the price of 0.
    first = found[0]
    strike = legs(first)[0][2]
    assert strike == 100.0
    assert first["max_loss"] == pytest.approx(first["net_crossing"] + 100 * strike * (1 - 0.993 / 0.996), abs=0.01)
