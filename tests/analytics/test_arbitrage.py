"""No-arbitrage checks: a sound chain breaks nothing, one bad row is the one that is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given
from hypothesis import strategies as st

from collector.analytics.arbitrage import Breaches, breaches, calendar_breaches

FORWARD, DISCOUNT, TENOR = 101.0, 0.99, 0.25
STRIKES = np.arange(80.0, 125.0, 2.5)


def worth(strike: float, call: bool, sigma: float) -> float:
    kind = ql.Option.Call if call else ql.Option.Put
    return float(ql.blackFormula(kind, strike, FORWARD, sigma * TENOR**0.5, DISCOUNT))


def quotes(spread: float = 0.04) -> dict[str, np.ndarray]:
    """Return a chain priced by QuantLib with a smile, calls then puts, quoted ``spread`` wide."""
    strike, is_call = np.tile(STRIKES, 2), np.repeat([True, False], len(STRIKES))
    sigma = 0.25 - 0.3 * np.log(strike / FORWARD)
    price = np.array([worth(k, c, s) for k, c, s in zip(strike, is_call, sigma, strict=True)])
    return {
        "strike": strike,
        "is_call": is_call,
        "bid": np.maximum(price - spread / 2, 0.0),
        "ask": price + spread / 2,
    }


def found(chain: dict[str, np.ndarray], **more: Any) -> Breaches:
    terms = {"forward": FORWARD, "spot": FORWARD * DISCOUNT, "discount": DISCOUNT, "american": False}
    return breaches(**chain, **(terms | more))  # type: ignore[arg-type]


def row(chain: dict[str, np.ndarray], strike: float, call: bool) -> int:
    return int(np.flatnonzero((chain["strike"] == strike) & (chain["is_call"] == call))[0])


@pytest.mark.parametrize("american", [False, True])
def test_a_sound_chain_breaks_nothing(american: bool) -> None:
    chain = quotes()
    if american:
        # What exercise pays now is the least that any contract is worth.
        sign = np.where(chain["is_call"], 1.0, -1.0)
        short = np.maximum(sign * (FORWARD * DISCOUNT - chain["strike"]) - chain["bid"] - 0.02, 0.0)
        chain["bid"] += short
        chain["ask"] += short
    result = found(chain, american=american)
    assert (result.bounds, result.vertical, result.butterfly, result.parity) == (0, 0, 0, 0)
    assert not result.at_fault.any()


@pytest.mark.parametrize("call", [True, False])
@pytest.mark.parametrize("strike", [90.0, 100.0, 107.5])
@pytest.mark.parametrize("factor", [0.6, 1.5])
def test_one_mistyped_row_is_the_one_left_out(strike: float, call: bool, factor: float) -> None:
    chain = quotes()
    bad = row(chain, strike, call)
    chain["bid"][bad] *= factor
    chain["ask"][bad] *= factor
    result = found(chain)
    assert list(np.flatnonzero(result.at_fault)) == [bad]
    assert result.bounds + result.vertical + result.butterfly == 1
    assert result.parity == 0


def test_a_breach_within_the_spreads_is_none() -> None:
    # The mids break convexity by 3 cents; nothing could be earned across spreads of 10.
    chain = quotes(spread=0.10)
    bad = row(chain, 100.0, True)
    for name in ("bid", "ask"):
        chain[name][bad] += 0.03
    assert not found(chain).at_fault.any()


def test_a_price_under_what_it_is_worth_without_volatility_breaks_its_bound() -> None:
    chain = quotes()
    bad = row(chain, 82.5, True)
    chain["bid"][bad], chain["ask"][bad] = 17.9, 18.0
    result = found(chain)
    assert result.bounds == 1
    assert list(np.flatnonzero(result.at_fault)) == [bad]


def test_exercise_now_bounds_an_american_put_from_below() -> None:
    chain = quotes()
    bad = row(chain, 122.5, False)
    # Worth D (K - F) = 21.29 to a European holder, K - S = 22.51 to an American one.
    chain["bid"][bad], chain["ask"][bad] = 21.6, 21.7
    assert found(chain).bounds == 0
    assert found(chain, american=True).bounds >= 1
    assert found(chain, american=True).at_fault[bad]


def test_parity_across_the_spreads_is_counted_by_strike() -> None:
    chain = quotes()
    calls = chain["is_call"]
    # All calls a dollar dearer: each type is sound by itself.
    chain["bid"][calls] += 1.0
    chain["ask"][calls] += 1.0
    result = found(chain)
    assert not result.at_fault.any()
    assert result.parity == len(STRIKES)
    # Early exercise leaves parity a band of S - K to S - D K: a dollar is beyond it near the money.
    assert found(chain, american=True).parity > 0


def test_rows_without_a_two_sided_quote_are_passed_over() -> None:
    chain = quotes()
    for strike, bid, ask in ((95.0, 0.0, 0.5), (97.5, 5.0, 4.0), (100.0, np.nan, np.nan)):
        place = row(chain, strike, True)
        chain["bid"][place], chain["ask"][place] = bid, ask
    assert not found(chain).at_fault.any()


def test_total_variance_that_falls_with_tenor_is_marked() -> None:
    tenor, sigma = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.30, 0.20, np.nan, 0.25])
    # .009, .008, -, .025
    assert list(calendar_breaches(tenor, sigma)) == [False, True, False, False]


@given(st.integers(3, len(STRIKES) - 4), st.booleans(), st.floats(0.0, 3.0))
def test_whatever_one_row_says_no_more_than_one_row_is_left_out(place: int, call: bool, factor: float) -> None:
    # Not at the ends of a chain, where nothing tells which of two quotes is wrong. A small fault may be taken for its
    # neighbour's: three quotes that are not convex do not say which of them is wrong.
    chain = quotes()
    place += 0 if call else len(STRIKES)
    chain["bid"][place] *= factor
    chain["ask"][place] *= factor
    left_out = np.flatnonzero(found(chain).at_fault)
    assert len(left_out) <= 1
    assert all(abs(one - place) <= 1 for one in left_out)
