"""No-arbitrage checks: a sound chain breaks nothing, one bad row is the one that is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given
from hypothesis import strategies as st

from collector.analytics.arbitrage import Breaches, Value, breaches, calendar_breaches

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


def value(**more: Any) -> Value:
    """Return what bounds the worth of one chain's contracts."""
    terms: dict[str, Any] = {
        "forward": FORWARD,
        "discount": DISCOUNT,
        "spot": FORWARD * DISCOUNT,
        "present_dividends": 0.0,
        "american": False,
        "forward_error": 0.0,
        "discount_error": 0.0,
    }
    return Value(**{name: np.array([one]) for name, one in (terms | more).items()})


def found(chain: dict[str, np.ndarray], **more: Any) -> Breaches:
    (one,) = breaches(**chain, chain=np.zeros(len(chain["strike"]), dtype=np.intp), value=value(**more))
    return one


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


def american_quotes(rate: float, dividend: float, days: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return an American chain of 91 days by QuantLib's finite differences, spot 100, quoted 2 cents wide."""
    today = ql.Date(24, 3, 2026)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()
    exercise = ql.AmericanExercise(today, today + 91)
    chain = quotes()
    price = []
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, rate, count))
    none = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, count))
    volatility = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.25, count))
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(100.0)), none, flat, volatility)
    paid = [ql.FixedDividend(dividend, today + days)] if dividend else []
    engine = ql.FdBlackScholesVanillaEngine(process, ql.DividendSchedule(paid), 200, 200)
    for strike, call in zip(chain["strike"], chain["is_call"], strict=True):
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if call else ql.Option.Put, float(strike))
        option = ql.VanillaOption(payoff, exercise)
        option.setPricingEngine(engine)
        price.append(option.NPV())
    chain["bid"], chain["ask"] = np.maximum(np.array(price) - 0.01, 0.0), np.array(price) + 0.01
    present = dividend * np.exp(-rate * days / 365)
    discount = float(np.exp(-rate * 91 / 365))
    terms = {"spot": 100.0, "present_dividends": present, "discount": discount, "american": True}
    return chain, terms | {"forward": (100.0 - present) / discount}


@pytest.mark.parametrize(
    ("rate", "dividend", "days"),
    [(0.05, 0.0, 0), (0.05, 2.0, 2), (0.05, 2.0, 80), (-0.03, 0.0, 0), (0.08, 6.0, 45)],
)
def test_what_dividends_and_rates_make_of_american_contracts_breaks_nothing(
    rate: float, dividend: float, days: int
) -> None:
    chain, terms = american_quotes(rate, dividend, days)
    result = found(chain, **terms)
    assert (result.bounds, result.vertical, result.butterfly, result.parity) == (0, 0, 0, 0)
    # The bounds are as narrow as they can be: the deepest contract by exercise now, two cents below it, breaks its own.
    deep = row(chain, 80.0, True) if rate < 0 or dividend else row(chain, 122.5, False)
    now = abs(100.0 - chain["strike"][deep])
    chain["bid"][deep], chain["ask"][deep] = now - 0.04, now - 0.02
    assert list(np.flatnonzero(found(chain, **terms).at_fault)) == [deep]


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


def test_faults_far_apart_are_all_found_and_their_neighbours_stay() -> None:
    chain = quotes()
    bad = [row(chain, 85.0, True), row(chain, 112.5, True), row(chain, 87.5, False), row(chain, 110.0, False)]
    for name in ("bid", "ask"):
        chain[name][bad] *= 1.6
    assert sorted(np.flatnonzero(found(chain).at_fault)) == sorted(bad)


def test_a_chain_of_rubbish_is_seen_as_one_however_many_rows_it_has() -> None:
    random = np.random.default_rng(8)
    strike = np.tile(np.arange(50.0, 150.0, 0.5), 2)
    bid = random.uniform(0.5, 40.0, len(strike))
    rubbish = {"strike": strike, "is_call": np.repeat([True, False], 200), "bid": bid, "ask": bid + 0.05}
    assert found(rubbish).at_fault.mean() > 0.8


def test_chains_looked_at_together_are_what_they_are_alone() -> None:
    sound, wrong, wild = quotes(), quotes(), quotes()
    bad = row(wrong, 100.0, True)
    for name in ("bid", "ask"):
        wrong[name][bad] *= 1.5
        wild[name] = wild[name] * np.where(np.arange(len(wild["bid"])) % 3 == 0, 1.5, 1.0)
    chains = (sound, wrong, wild)
    shuffled = np.random.default_rng(5).permutation(3 * len(sound["strike"]))
    together = {name: np.concatenate([one[name] for one in chains])[shuffled] for name in sound}
    number = np.repeat(np.arange(3), len(sound["strike"]))[shuffled]
    level = Value(*(np.repeat(column, 3) for column in (getattr(value(), name) for name in Value.__slots__)))
    results = breaches(**together, chain=number, value=level)
    for place, (one, chain) in enumerate(zip(results, chains, strict=True)):
        alone = found(chain)
        assert (one.bounds, one.vertical, one.butterfly, one.parity) == (
            alone.bounds,
            alone.vertical,
            alone.butterfly,
            alone.parity,
        )
        # Back in the order of the chain.
        order = np.argsort(shuffled[number == place])
        assert list(one.at_fault[order]) == list(alone.at_fault)


def test_a_bound_is_held_no_closer_than_forward_and_discount_are_known() -> None:
    chain = quotes()
    low = row(chain, 82.5, True)
    # D (F - K) = 18.315; asked 10 cents below it.
    chain["bid"][low], chain["ask"][low] = 18.20, 18.215
    assert found(chain).bounds == 1
    assert found(chain, forward_error=0.12).bounds == 0
    assert found(chain, forward_error=0.08).bounds == 1
    # 18.5 from the forward, .006 of discount are 11.1 cents, .004 are 7.4.
    assert found(chain, discount_error=0.006).bounds == 0
    assert found(chain, discount_error=0.004).bounds == 1
    # Its neighbours know better than the bound: 80 less 82.5 pays 2.5 D at most.
    assert found(chain, forward_error=0.12).vertical == 1


def test_without_a_forward_quotes_are_checked_against_each_other_alone() -> None:
    chain = quotes()
    bad = row(chain, 100.0, True)
    for name in ("bid", "ask"):
        chain[name][bad] += 3.0
    result = found(chain, forward=np.nan, spot=np.nan)
    assert list(np.flatnonzero(result.at_fault)) == [bad]
    assert (result.bounds, result.parity) == (0, 0)


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


def test_total_variance_falls_only_where_it_does_across_the_spreads() -> None:
    # Sold at .295² · .1 = .0087025, bought back at .205² · .2 = .008405: a breach; at .21² · .2 = .00882 none.
    tenor, sigma = np.array([0.1, 0.2]), np.array([0.30, 0.20])
    assert list(calendar_breaches(tenor, sigma, np.array([0.01, 0.01]))) == [False, True]
    assert list(calendar_breaches(tenor, sigma, np.array([0.01, 0.02]))) == [False, False]
    assert list(calendar_breaches(tenor, sigma, np.array([np.nan, 0.01]))) == [False, True]


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
