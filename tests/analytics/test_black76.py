"""Prices on the forward against vollib and QuantLib; the riskless limit, and what no arbitrage demands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given
from hypothesis import strategies as st
from vollib.black import black

from collector.analytics import black76

pytestmark = pytest.mark.filterwarnings("error")

CALL, PUT = 1.0, -1.0
strikes, tenors, sigmas = st.floats(20.0, 500.0), st.floats(1e-4, 5.0), st.floats(0.001, 4.0)
rates, sides = st.floats(-0.1, 0.1), st.sampled_from([CALL, PUT])


def price(forward: float, strike: float, tenor: float, sigma: float, discount: float, sign: float) -> float:
    columns = (np.array([figure]) for figure in (forward, strike, tenor, sigma, discount, sign))
    return float(black76.price(*columns)[0])


@pytest.mark.accuracy
def test_prices_are_those_of_vollib(tell: Callable[[str], None]) -> None:
    random = np.random.default_rng(76)
    size = 2_000
    forward, strike = random.uniform(20, 200, size), random.uniform(20, 200, size)
    tenor, sigma = np.exp(random.uniform(np.log(1e-3), np.log(5.0), size)), random.uniform(0.02, 2.0, size)
    rate, sign = random.uniform(-0.02, 0.1, size), random.choice([CALL, PUT], size)
    found = black76.price(forward, strike, tenor, sigma, np.exp(-rate * tenor), sign)
    rows = zip(sign, forward, strike, tenor, rate, sigma, strict=True)
    expected = np.array([black("c" if side > 0 else "p", *row) for side, *row in rows])
    tell(f"European prices, {size} contracts: largest difference {np.abs(found - expected).max():.1e} dollars")
    assert found == pytest.approx(expected, abs=1e-12 * 200, rel=1e-11)


@pytest.mark.parametrize("days", [1.0, 0.5, 1 / 24])
def test_hardly_any_volatility_on_the_last_day_is_worth_the_payoff(days: float) -> None:
    """HO-05: 111.205 against a strike of 111; half a day is not no time. The neighbour is the put of 111.41."""
    assert price(111.205, 111.0, days / 365, 1e-5, 1.0, CALL) == pytest.approx(0.205, abs=1e-12)
    assert price(111.205, 111.41, days / 365, 1e-5, 1.0, PUT) == pytest.approx(0.205, abs=1e-12)
    assert price(111.205, 111.41, days / 365, 1e-5, 1.0, CALL) == 0.0


@pytest.mark.parametrize(("tenor", "sigma"), [(0.0, 0.2), (0.5, 0.0), (0.0, 0.0)])
def test_without_time_or_volatility_it_is_the_discounted_payoff(tenor: float, sigma: float) -> None:
    assert price(105.0, 100.0, tenor, sigma, 0.98, CALL) == pytest.approx(4.9, rel=1e-15)
    assert price(105.0, 100.0, tenor, sigma, 0.98, PUT) == 0.0
    assert price(100.0, 100.0, tenor, sigma, 0.98, CALL) == 0.0


def test_the_case_of_a_price_on_a_future() -> None:
    """HO-04: F 49, K 50, T .3846, r .05, sigma .2; its neighbour F 50, K 49 by QuantLib's formula."""
    discount = float(np.exp(-0.05 * 0.3846))
    assert price(49.0, 50.0, 0.3846, 0.2, discount, CALL) == pytest.approx(1.942418, abs=5e-7)
    assert price(49.0, 50.0, 0.3846, 0.2, discount, PUT) == pytest.approx(2.923371, abs=5e-7)
    for side, sign in ((ql.Option.Call, CALL), (ql.Option.Put, PUT)):
        expected = ql.blackFormula(side, 49.0, 50.0, 0.2 * 0.3846**0.5, discount)
        assert price(50.0, 49.0, 0.3846, 0.2, discount, sign) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("place", range(5))
def test_what_is_missing_leaves_no_price_and_its_neighbour_one(place: int) -> None:
    columns = [np.array([figure, figure]) for figure in (105.0, 100.0, 0.25, 0.2, 0.99)]
    columns[place][0] = np.nan
    found = black76.price(*columns, np.array([CALL, CALL]))
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(black("c", 105.0, 100.0, 0.25, -np.log(0.99) / 0.25, 0.2), rel=1e-12)


@given(strikes, strikes, tenors, sigmas, rates)
def test_parity_and_bounds(forward: float, strike: float, tenor: float, sigma: float, rate: float) -> None:
    discount = float(np.exp(-rate * tenor))
    call, put = (price(forward, strike, tenor, sigma, discount, sign) for sign in (CALL, PUT))
    largest = discount * max(forward, strike)
    assert call - put == pytest.approx(discount * (forward - strike), abs=1e-13 * largest)
    assert discount * max(forward - strike, 0.0) <= call <= discount * forward * (1 + 1e-15)
    assert discount * max(strike - forward, 0.0) <= put <= discount * strike * (1 + 1e-15)


@given(strikes, strikes, tenors, sigmas, sides)
def test_more_volatility_or_time_is_never_worth_less(
    forward: float, strike: float, tenor: float, sigma: float, sign: float
) -> None:
    worth = price(forward, strike, tenor, sigma, 1.0, sign)
    rounding = 1e-13 * max(forward, strike)
    assert price(forward, strike, tenor, sigma * 1.01, 1.0, sign) >= worth - rounding
    assert price(forward, strike, tenor * 1.01, sigma, 1.0, sign) >= worth - rounding


@given(strikes, strikes, tenors, sigmas, sides, st.floats(0.01, 100.0))
def test_a_price_scales_with_forward_and_strike(
    forward: float, strike: float, tenor: float, sigma: float, sign: float, scale: float
) -> None:
    worth = price(forward, strike, tenor, sigma, 1.0, sign)
    rounding = 1e-13 * scale * max(forward, strike)
    assert price(forward * scale, strike * scale, tenor, sigma, 1.0, sign) == pytest.approx(
        scale * worth, rel=1e-10, abs=rounding
    )
