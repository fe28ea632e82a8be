"""What never gets into a strategy, and what holds of whatever does: thin data, bad quotes, any quotes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import pairwise
from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.strategies import found_strategies, strategies
from collector.detectors.base import ChainView, Direction, Intention, TickerView
from collector.market.contract import parse_occ
from tests.alerts.option_frames import (
    CONDOR,
    EVERY,
    FAR,
    NAN,
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


@pytest.mark.parametrize("bid", [5.0, 4.1], ids=["gains at any price", "costs nothing"])
def test_a_structure_that_cannot_lose_has_a_wrong_quote_and_is_left_out(bid: float) -> None:
    """The 105 call bid at the 100 call's ask or above: free money is no strategy."""
    rows = [
        Row("call", 100.0, 4.1, 4.1, delta=0.5),
        Row("call", 105.0, bid, bid, delta=0.25),
        Row("put", 100.0, 4.0, 4.0, delta=-0.5),
    ]
    assert strategies(view(rows, [chain()]), "directional", "bullish", "") == []


def test_a_credit_too_small_for_what_it_risks_is_left_out() -> None:
    """4.9 dollars for each 100 at risk are too few: 0.23 of 5; 0.25 of 5 is 5.3."""
    for credit, expected in ((0.23, []), (0.25, ["bull_put_spread"])):
        rows = [Row("put", 95.0, 1 + credit, 1 + credit, delta=-0.27), Row("put", 90.0, 1.0, 1.0, delta=-0.13)]
        assert names(strategies(view(rows, [chain()]), "directional", "bullish", "")) == expected


def test_a_mid_that_a_feed_states_makes_no_quote_two_sided() -> None:
    wings = (90.0, 110.0)
    seen = view([replace(row, bid=0.0, ask=0.06) if row.strike in wings else row for row in CONDOR], [chain()])
    stated = replace(seen, contracts=seen.contracts.assign(mid=(seen.contracts["bid"] + seen.contracts["ask"]) / 2))
    assert strategies(stated, "short_volatility", "neutral", "") == []


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


def test_a_thousand_contracts_hold_no_join_up() -> None:
    strikes = np.arange(68.5, 131.0, 0.5).tolist()
    chains = [chain(), chain(BETWEEN), chain(FAR), chain(date(2026, 6, 18))]
    seen = priced_view(chains, strikes)
    assert len(seen.contracts) == 1_000

    def once(intention: Intention) -> float:
        start = time.perf_counter()
        found_strategies(seen, intention, "neutral", "")
        return time.perf_counter() - start

    for intention in ("short_volatility", "long_volatility", "calendar"):
        assert min(once(intention) for _ in range(10)) < 0.1  # type: ignore[arg-type]
