"""American options with continuous carry against QuantLib's QdFp, high precision; bounds and round trips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.analytics import american, black76
from collector.analytics.iv_status import IvStatus
from collector.analytics.terms import Terms
from tests.analytics import quantlib_options as quantlib

SPOT = 100.0
CONTRACTS = 2_200
TICK = 0.01


@dataclass(frozen=True)
class Grid:
    """Contracts of terms of their own, with QuantLib's prices and vegas."""

    strike: np.ndarray
    tenor: np.ndarray
    sigma: np.ndarray
    rate: np.ndarray
    carry_yield: np.ndarray
    sign: np.ndarray
    price: np.ndarray
    vega: np.ndarray

    @property
    def terms(self) -> Terms:
        return terms(self.tenor, self.rate, self.carry_yield)

    @property
    def chain(self) -> np.ndarray:
        return np.arange(len(self.strike))

    @property
    def judged(self) -> np.ndarray:
        """Where the table's precision applies: a tick of time value, and 5 % of the vega at the money."""
        time_value = self.price - np.maximum(self.sign * (SPOT - self.strike), 0.0)
        at_the_money = 0.3989 * SPOT * np.sqrt(self.tenor) * np.exp(-self.carry_yield * self.tenor)
        return (time_value >= TICK) & (self.vega >= 0.05 * at_the_money)


def terms(tenor: np.ndarray, rate: np.ndarray, carry_yield: np.ndarray) -> Terms:
    size = len(tenor)
    return Terms(
        tenor=tenor,
        rate=rate,
        forward=SPOT * np.exp((rate - carry_yield) * tenor),
        spot=np.full(size, SPOT),
        american=np.ones(size, dtype=bool),
        dividends=((),) * size,
    )


def each(price: object, *columns: np.ndarray) -> np.ndarray:
    return np.array([price(SPOT, *row) for row in zip(*columns, strict=True)])  # type: ignore[operator]


@pytest.fixture(scope="module")
def grid() -> Grid:
    random = np.random.default_rng(20)
    strike = random.uniform(50, 200, CONTRACTS)
    tenor = np.exp(random.uniform(np.log(1 / 365), np.log(2.5), CONTRACTS))
    sigma = random.uniform(0.08, 1.5, CONTRACTS)
    rate = random.choice([0.0, 0.01, 0.03, 0.045, 0.06, -0.01], CONTRACTS)
    carry_yield = random.choice([0.0, 0.01, 0.03, 0.05, 0.08], CONTRACTS)
    sign = random.choice([1.0, -1.0], CONTRACTS)
    terms = (strike, rate, carry_yield)
    price = each(quantlib.american, *terms, sigma, tenor, sign)
    up, down = (each(quantlib.american, *terms, sigma * bump, tenor, sign) for bump in (1.01, 0.99))
    return Grid(strike, tenor, sigma, rate, carry_yield, sign, price, (up - down) / (0.02 * sigma))


def test_prices_are_those_of_quantlib(grid: Grid) -> None:
    ours = american.price(grid.terms, grid.chain, grid.sign, grid.strike, grid.sigma)
    judged = grid.judged
    error = np.abs(ours[judged] / grid.price[judged] - 1)
    print(f"{judged.sum()} of {CONTRACTS} contracts: price p50 {np.median(error):.1e}, max {error.max():.1e} relative")
    assert judged.sum() > 1_000
    assert error.max() <= 1e-3


def test_implied_volatilities_are_those_that_made_the_price(grid: Grid) -> None:
    found = american.implied_volatility(grid.terms, grid.chain, grid.sign, grid.strike, grid.price)
    judged = grid.judged
    error = np.abs(found.sigma - grid.sigma)[judged]
    told = np.percentile(error, [50, 99, 99.9, 100])
    names = ("p50", "p99", "p99.9", "max")
    print(f"{judged.sum()} of {CONTRACTS}: IV", *(f"{name} {one:.1e}" for name, one in zip(names, told, strict=True)))
    assert (found.status[judged] == IvStatus.SOLVED).all()
    assert (error <= 1e-4).mean() >= 0.999
    assert error.max() <= 2e-4
    # Elsewhere it is a figure or null with its status, never a NaN that calls itself solved.
    assert ((found.status == IvStatus.SOLVED) == np.isfinite(found.sigma)).all()


def test_a_start_near_it_finds_the_same(grid: Grid) -> None:
    judged = np.flatnonzero(grid.judged)[:400]
    one = grid.terms.of(judged)
    chain = np.arange(len(judged))
    args = (one, chain, grid.sign[judged], grid.strike[judged], grid.price[judged])
    cold = american.implied_volatility(*args)
    warm = american.implied_volatility(*args, start=grid.sigma[judged] * 1.03)
    assert warm.sigma == pytest.approx(cold.sigma, abs=2e-6)


def test_greeks_are_those_of_quantlib_bumped() -> None:
    random = np.random.default_rng(5)
    size = 160
    strike, tenor = random.uniform(70, 140, size), np.exp(random.uniform(np.log(7 / 365), np.log(2.5), size))
    sigma, rate = random.uniform(0.12, 0.9, size), random.choice([0.01, 0.03, 0.06], size)
    carry_yield, sign = random.choice([0.0, 0.01, 0.03, 0.05], size), random.choice([1.0, -1.0], size)
    found = american.greeks(terms(tenor, rate, carry_yield), np.arange(size), sign, strike, sigma)

    def priced(moved: float = 0.0, vol: float = 1.0, later: float = 0.0) -> np.ndarray:
        rows = zip(SPOT + moved * step, strike, rate, carry_yield, sigma * vol, tenor + later, sign, strict=True)
        return np.array([quantlib.american(*row) for row in rows])

    # A step of the spot small against its deviation, and differences of fourth order, so that they are the derivatives.
    step, day = 0.03 * SPOT * sigma * np.sqrt(tenor), tenor.min() * 0.02
    up, middle, down, far_up, far_down = (priced(moved) for moved in (1.0, 0.0, -1.0, 2.0, -2.0))
    delta = (8 * (up - down) - (far_up - far_down)) / (12 * step)
    gamma = (16 * (up + down) - (far_up + far_down) - 30 * middle) / (12 * step**2)
    error = {
        "delta": np.abs(found.delta - delta),
        "gamma": np.abs(found.gamma - gamma),
        "vega": np.abs(found.vega * 100 - (priced(vol=1.005) - priced(vol=0.995)) / (0.01 * sigma))
        / (SPOT * np.sqrt(tenor)),
        "theta": np.abs(found.theta - (priced(later=-day) - priced(later=day)) / (2 * day * 365)) / middle,
    }
    worth = middle > 0.05
    told = {name: np.percentile(figures[worth], 95) for name, figures in error.items()}
    print(f"{worth.sum()} contracts, p95: " + ", ".join(f"{name} {value:.1e}" for name, value in told.items()))
    assert told["delta"] <= 2e-5
    assert told["gamma"] <= 2e-6
    assert told["vega"] <= 1e-5
    assert told["theta"] <= 1e-4


def test_second_order_greeks_and_rho_are_those_of_the_price_bumped() -> None:
    random = np.random.default_rng(6)
    size = 300
    strike, tenor = random.uniform(75, 130, size), random.uniform(0.05, 2.0, size)
    sigma, rate = random.uniform(0.15, 0.8, size), random.uniform(0.005, 0.06, size)
    carry_yield, sign = random.uniform(0.0, 0.05, size), random.choice([1.0, -1.0], size)
    chain = np.arange(size)

    def found(rates: np.ndarray, vol: np.ndarray, years: np.ndarray) -> object:
        return american.greeks(terms(years, rates, carry_yield), chain, sign, strike, vol)

    def price(rates: np.ndarray) -> np.ndarray:
        return american.price(terms(tenor, rates, carry_yield), chain, sign, strike, sigma)

    base = found(rate, sigma, tenor)
    held = (np.abs(base.delta) < 0.98) & (base.gamma > 0)  # type: ignore[attr-defined]
    rho = (price(rate + 2e-4) - price(rate - 2e-4)) / 4e-4 / 100
    vanna = (found(rate, sigma + 0.004, tenor).delta - found(rate, sigma - 0.004, tenor).delta) / 0.008 / 100  # type: ignore[attr-defined]
    charm = (found(rate, sigma, tenor - 1e-3).delta - found(rate, sigma, tenor + 1e-3).delta) / 2e-3 / 365  # type: ignore[attr-defined]
    for name, expected, allowed in (("rho", rho, 3e-3), ("vanna", vanna, 2e-4), ("charm", charm, 2e-5)):
        assert np.percentile(np.abs(getattr(base, name) - expected)[held], 95) <= allowed, name


def test_a_put_deep_in_the_money_is_worth_its_exercise_and_moves_with_the_spot_alone() -> None:
    # HO-06 and a neighbour: S 100, K 110, sigma .10, 14 days.
    for rate, strike in ((0.02, 110.0), (0.05, 110.0), (0.05, 125.0)):
        of = terms(np.array([14 / 365]), np.array([rate]), np.array([0.0]))
        one, put, sigma = np.array([0]), np.array([-1.0]), np.array([0.10])
        assert american.price(of, one, put, np.array([strike]), sigma)[0] == pytest.approx(strike - 100.0, abs=1e-9)
        greeks = american.greeks(of, one, put, np.array([strike]), sigma)
        assert (greeks.delta[0], greeks.gamma[0], greeks.vega[0], greeks.theta[0]) == (-1.0, 0.0, 0.0, 0.0)
        implied = american.implied_volatility(of, one, put, np.array([strike]), np.array([strike - 100.0]))
        assert np.isnan(implied.sigma[0])
        assert implied.status[0] == IvStatus.EXERCISE_REGION


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_where_exercise_is_optimal_now_a_price_is_just_that(sign: float) -> None:
    """Long and far in the money, where the integral's own error would show."""
    rate, carry_yield = (0.045, 0.0) if sign < 0 else (0.0, 0.045)
    of = terms(np.array([1.75]), np.array([rate]), np.array([carry_yield]))
    strike = np.array([173.0 if sign < 0 else 57.8])
    for sigma in (0.1, 0.2, 0.3):
        price = american.price(of, np.array([0]), np.array([sign]), strike, np.array([sigma]))
        assert price[0] == abs(SPOT - strike[0])
        assert quantlib.american(SPOT, strike[0], rate, carry_yield, sigma, 1.75, sign) == pytest.approx(price[0])


def test_a_price_below_what_exercise_pays_has_no_volatility() -> None:
    of = terms(np.array([0.25]), np.array([0.04]), np.array([0.0]))
    found = american.implied_volatility(of, np.array([0]), np.array([-1.0]), np.array([120.0]), np.array([19.5]))
    assert found.status[0] == IvStatus.BELOW_BOUND


def test_a_second_boundary_is_not_computed_and_says_so() -> None:
    # A put with a rate below 0 and a yield below that: exercise pays between two spots.
    of = terms(np.array([1.0]), np.array([-0.01]), np.array([-0.04]))
    assert np.isnan(american.price(of, np.array([0]), np.array([-1.0]), np.array([100.0]), np.array([0.3]))[0])
    found = american.implied_volatility(of, np.array([0]), np.array([-1.0]), np.array([100.0]), np.array([10.0]))
    assert found.status[0] == IvStatus.UNDETERMINED


@pytest.mark.parametrize("missing", ["price", "forward"])
def test_null_in_gives_null_with_its_status(missing: str) -> None:
    of = terms(np.array([0.25, 0.5]), np.array([0.04, 0.04]), np.array([0.0, 0.0]))
    price = np.array([5.0, 6.0])
    if missing == "price":
        price[0] = np.nan
    else:
        of = Terms(of.tenor, of.rate, np.array([np.nan, of.forward[1]]), of.spot, of.american, of.dividends)
    found = american.implied_volatility(of, np.array([0, 1]), np.array([1.0, 1.0]), np.full(2, 100.0), price)
    expected = IvStatus.NO_PRICE if missing == "price" else IvStatus.NO_FORWARD
    assert (found.status[0], np.isnan(found.sigma[0])) == (expected, True)
    assert found.status[1] == IvStatus.SOLVED
    greeks = american.greeks(of, np.array([0, 1]), np.array([1.0, 1.0]), np.full(2, 100.0), found.sigma)
    assert np.isnan(greeks.delta[0])
    assert np.isfinite(greeks.delta[1])


@settings(deadline=None, max_examples=60)
@given(
    st.floats(60, 160),
    st.floats(2 / 365, 2.0),
    st.floats(0.1, 1.2),
    st.floats(0.0, 0.06),
    st.floats(0.0, 0.06),
    st.sampled_from([1.0, -1.0]),
)
def test_bounds_monotony_scale_and_round_trip(
    strike: float, tenor: float, sigma: float, rate: float, carry_yield: float, sign: float
) -> None:
    of = terms(np.array([tenor]), np.array([rate]), np.array([carry_yield]))
    one, side, at = np.array([0]), np.array([sign]), np.array([strike])
    price = american.price(of, one, side, at, np.array([sigma]))[0]
    european = black76.price(of.forward, at, of.tenor, np.array([sigma]), of.discount, side)[0]
    assert price >= european - 1e-9
    assert price >= max(sign * (SPOT - strike), 0.0) - 1e-9
    assert american.price(of, one, side, at, np.array([sigma * 1.05]))[0] >= price - 2e-4
    tenfold = Terms(of.tenor, of.rate, of.forward * 10, of.spot * 10, of.american, of.dividends)
    assert american.price(tenfold, one, side, at * 10, np.array([sigma]))[0] == pytest.approx(10 * price, rel=1e-9)
    found = american.implied_volatility(of, one, side, at, np.array([price]))
    if found.status[0] == IvStatus.SOLVED:
        again = american.price(of, one, side, at, found.sigma)[0]
        assert again == pytest.approx(price, abs=1e-4 + 1e-5 * price)
    greeks = american.greeks(of, one, side, at, np.array([sigma]))
    assert greeks.gamma[0] >= 0
    assert greeks.vega[0] >= 0
    assert abs(greeks.delta[0]) <= 1
