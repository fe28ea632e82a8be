"""Strategies of findings: a worked example, what each intention calls for, and what never gets in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import pairwise, product
from math import inf
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.strategies import found_strategies, strategies
from collector.detectors.base import ChainView, Direction, Intention, TickerView
from collector.market.contract import parse_occ
from exports.conformity import faults
from exports.documents import STRATEGY_FIELDS
from exports.reasons import FIELD_REASONS
from tests.alerts.option_frames import FAR, NAN, NEAR, STRIKES, Row, chain, priced_rows, priced_view, view

INTENTIONS: tuple[Intention, ...] = get_args(Intention)
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
EVERY = tuple(product(INTENTIONS, DIRECTIONS))
BETWEEN = date(2026, 4, 10)


def names(found: Sequence[dict[str, Any]]) -> list[str]:
    return [one["name"] for one in found]


def legs(found: dict[str, Any]) -> list[tuple[str, str, float, int]]:
    parsed = [(leg["side"], parse_occ(leg["contract_symbol"]), leg["quantity"]) for leg in found["legs"]]
    return [(side, occ.option_type, occ.strike, quantity) for side, occ, quantity in parsed]


def expirations(found: Sequence[dict[str, Any]]) -> set[date]:
    return {parse_occ(leg["contract_symbol"]).expiration for one in found for leg in one["legs"]}


CONDOR = [
    Row("put", 90.0, 0.50, 0.60, delta=-0.13, gamma=0.01, theta=-0.01, vega=0.05),
    Row("put", 95.0, 1.40, 1.50, delta=-0.27, gamma=0.02, theta=-0.02, vega=0.10),
    Row("call", 105.0, 1.30, 1.40, delta=0.27, gamma=0.02, theta=-0.02, vega=0.10),
    Row("call", 110.0, 0.40, 0.50, delta=0.12, gamma=0.01, theta=-0.01, vega=0.05),
]


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
    found = strategies(priced_view(chains, ticker="^SPX"), "calendar", "neutral", f"{NEAR}:SPXW")
    assert found
    assert {leg[1] for one in found for leg in legs(one)} == {"put"}
    # 0.993 / 0.996 of the strike is what the far put is worth at the price of 0.
    first = found[0]
    strike = legs(first)[0][2]
    assert first["max_loss"] == pytest.approx(first["net_crossing"] + 100 * strike * (1 - 0.993 / 0.996), abs=0.01)


def test_chains_below_grade_c_and_settled_ones_bring_nothing() -> None:
    for seen in (chain(grade="D"), chain(grade="F"), chain(settlement_time=chain().settlement_time.replace(year=2025))):
        for intention, direction in EVERY:
            assert strategies(priced_view([seen, replace(seen, expiration=FAR)]), intention, direction, "") == []
    assert strategies(priced_view([chain(grade="C")]), "short_volatility", "neutral", "") != []


def spoilt(row: Row, **change: Any) -> Row:
    return replace(row, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"adjusted": True},
        {"bid": 0.0},
        {"bid": NAN, "ask": NAN},
        {"ask": NAN},
        {"ask": 0.01, "bid": 0.02},
        {"delta": NAN},
        {"multiplier": 10.0},
    ],
    ids=["adjusted", "no bid", "no quote", "no ask", "crossed", "no delta", "another multiplier"],
)
def test_a_contract_that_cannot_be_traded_is_no_leg(change: dict[str, Any]) -> None:
    """The 96 put and the 104 call are what the condor sells, unless they are spoilt."""
    rows = [spoilt(row, **change) if row.strike in (96.0, 104.0) else row for row in priced_rows(chain(), STRIKES)]
    spoiled = {row.symbol for row in rows if row.strike in (96.0, 104.0)}
    for intention, direction in EVERY:
        for one in strategies(view(rows, [chain()]), intention, direction, ""):
            assert spoiled.isdisjoint({leg["contract_symbol"] for leg in one["legs"]})


def test_wings_without_bids_leave_no_condor() -> None:
    rows = [spoilt(row, bid=0.0) if abs(row.strike - 100) > 4.5 else row for row in priced_rows(chain(), STRIKES)]
    assert strategies(view(rows, [chain()]), "short_volatility", "bullish", "") == []
    assert names(strategies(view(rows, [chain()]), "long_volatility", "neutral", "")) == [
        "long_straddle",
        "long_strangle",
    ]


def test_a_credit_that_crossing_eats_is_left_out() -> None:
    """At a width of 40 % of the mids the condor's credit is gone, and the straddle costs a fifth more."""
    wide = priced_view([chain()], spread=0.4)
    assert "iron_condor" not in names(strategies(wide, "short_volatility", "neutral", ""))


def test_a_condor_whose_one_side_is_narrower_than_its_credit_is_none() -> None:
    """A credit of 1.60 as by hand; a call wing at 106 would leave nothing to lose above."""
    wing = replace(CONDOR[3], strike=106.0)
    assert strategies(view([*CONDOR[:3], wing], [chain()]), "short_volatility", "neutral", "") == []


def test_a_structure_that_cannot_lose_has_a_wrong_quote_and_is_left_out() -> None:
    """The 105 call bid above the 100 call's ask: free money is no strategy."""
    rows = [
        spoilt(row, bid=4.0, ask=4.1) if (row.option_type, row.strike) == ("call", 105.0) else row
        for row in priced_rows(chain(), STRIKES)
    ]
    found = strategies(view(rows, [chain()]), "directional", "bullish", "")
    assert "bull_call_spread" not in names(found)


def test_without_a_forward_probabilities_are_null_with_the_reason() -> None:
    (condor,) = strategies(view(CONDOR, [chain(forward=None)]), "short_volatility", "neutral", "")
    assert (condor["probability_of_profit"], condor["probability_model"]) == (None, None)
    assert condor["reasons"] == {"probability_of_profit": "no_forward", "probability_model": "no_forward"}
    (condor,) = strategies(view(CONDOR, [chain(atm_iv=None)]), "short_volatility", "neutral", "")
    assert condor["reasons"]["probability_of_profit"] == "no_implied_volatility"


def test_greeks_that_a_leg_lacks_are_null_with_the_reason() -> None:
    rows = [replace(CONDOR[0], vega=NAN), *CONDOR[1:]]
    (condor,) = strategies(view(rows, [chain()]), "short_volatility", "neutral", "")
    assert condor["vega"] is None
    assert condor["delta"] is not None
    assert condor["reasons"] == {"vega": "no_implied_volatility"}


def test_the_probability_falls_as_the_price_rises() -> None:
    """The same legs under wider quotes cost more to cross."""
    probabilities = []
    for spread in (0.01, 0.03, 0.05):
        found = strategies(priced_view([chain()], spread=spread), "short_volatility", "neutral", "")
        probabilities.append(found[0]["probability_of_profit"])
        assert found[0]["name"] == "iron_condor"
    assert probabilities == sorted(probabilities, reverse=True)
    assert probabilities[0] > probabilities[-1]


@cache
def thin_views() -> dict[str, TickerView]:
    null = dict.fromkeys(("bid", "ask", "delta", "implied_volatility", "gamma", "theta", "vega"), NAN)
    rows = priced_rows(chain(), STRIKES)
    bare = priced_view([chain()])
    gone = ["implied_volatility", "delta", "gamma", "theta", "vega"]
    return {
        "no rows": view([], [chain()]),
        "no chains": view(rows, []),
        "one contract": view(rows[8:9], [chain()]),
        "one strike": view([row for row in rows if row.strike == 100.0], [chain(forward=None)]),
        "nulls": view([spoilt(row, **null) for row in rows], [chain()]),
        "nothing known": view(
            [spoilt(row, **null) for row in rows],
            [chain(tenor=None, forward=None, discount_factor=None, atm_iv=None, reference_price=None, analytics={})],
        ),
        "grade F": view(rows, [chain(grade="F")]),
        "no two-sided quotes": view([spoilt(row, bid=0.0) for row in rows], [chain()]),
        "no computed columns": replace(bare, contracts=bare.contracts.drop(columns=gone)),
        "all adjusted": view([spoilt(row, adjusted=True) for row in rows], [chain()]),
    }


@pytest.mark.parametrize("case", thin_views())
@pytest.mark.parametrize("subject", ["", f"{NEAR}:QLMT", Row().symbol, "nonsense"])
def test_thin_data_brings_nothing_and_raises_nothing(case: str, subject: str) -> None:
    for intention, direction in EVERY:
        assert strategies(thin_views()[case], intention, direction, subject) == []


def profit(found: dict[str, Any], price: float) -> float:
    """Dollars at expiration by the record alone: what its legs cost crossed, and what they are worth then."""
    total = 0.0
    for leg in found["legs"]:
        occ = parse_occ(leg["contract_symbol"])
        worth = max(price - occ.strike, 0.0) if occ.option_type == "call" else max(occ.strike - price, 0.0)
        size = 100.0 * leg["quantity"] * (1 if leg["side"] == "buy" else -1)
        total += size * (worth - (leg["ask"] if leg["side"] == "buy" else leg["bid"]))
    return total


COARSE = tuple(np.arange(80.0, 121.0, 2.5).tolist())
QUOTES = st.tuples(st.floats(0.5, 1.5), st.floats(0.0, 0.1), st.sampled_from([False] * 9 + [True]))


def noisy(seen: ChainView, noise: Sequence[tuple[float, float, bool]]) -> list[Row]:
    """Contracts whose mids stand off their model's, some without a bid."""
    rows = []
    for row, (factor, width, dead) in zip(priced_rows(seen, COARSE), noise, strict=False):
        mid = max((row.bid + row.ask) / 2 * factor, 0.02)
        rows.append(
            replace(row, bid=0.0 if dead else round(mid * (1 - width), 2), ask=round(mid * (1 + width) + 0.01, 2))
        )
    return rows


@given(st.lists(QUOTES, min_size=34, max_size=34), st.sampled_from(EVERY), st.floats(0.1, 0.6))
def test_any_structure_is_defined_and_tells_the_truth_about_itself(
    noise: list[tuple[float, float, bool]], asked: tuple[Intention, Direction], sigma: float
) -> None:
    seen = chain(atm_iv=sigma)
    rows = noisy(seen, noise)
    by_symbol = {row.symbol: row for row in rows}
    found = strategies(view(rows, [seen]), *asked, "")
    assert len(found) <= 3
    for one in found:
        for leg in one["legs"]:
            assert 0 < by_symbol[leg["contract_symbol"]].bid <= by_symbol[leg["contract_symbol"]].ask
        strikes = [strike for _, _, strike, _ in legs(one)]
        prices = [0.0, *strikes, *one["break_evens"], *np.linspace(1.0, 300.0, 150).tolist()]
        values = [profit(one, price) for price in prices]
        assert min(values) == pytest.approx(-one["max_loss"], abs=0.01)
        assert max(values) <= (inf if one["max_profit"] is None else one["max_profit"]) + 0.01
        assert one["max_loss"] > 0
        cuts = [0.0, *one["break_evens"], inf]
        for low, high in pairwise(cuts):
            between = {
                value > 0
                for price, value in zip(prices, values, strict=True)
                if low < price < high and abs(value) > 0.02
            }
            assert len(between) <= 1
        for price in one["break_evens"]:
            assert profit(one, price) == pytest.approx(0.0, abs=0.02)
        assert 0 <= one["probability_of_profit"] <= 1


def test_a_thousand_contracts_take_less_than_five_milliseconds_a_finding() -> None:
    strikes = np.arange(68.5, 131.0, 0.5).tolist()
    chains = [chain(), chain(BETWEEN), chain(FAR), chain(date(2026, 6, 18))]
    seen = priced_view(chains, strikes)
    assert len(seen.contracts) == 1_000

    def once(intention: Intention) -> float:
        start = time.perf_counter()
        found_strategies(seen, intention, "neutral", "")
        return time.perf_counter() - start

    for intention in ("short_volatility", "long_volatility", "calendar"):
        assert min(once(intention) for _ in range(10)) < 0.005  # type: ignore[arg-type]
