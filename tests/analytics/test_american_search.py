"""The search for American volatilities: where it may begin, how near it comes, and what it says where there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from collector.analytics import american
from collector.analytics.early_exercise import EarlyExercise
from collector.analytics.iv_status import IvStatus
from collector.analytics.terms import Terms

SPOT = 100.0
CALL, PUT = 1.0, -1.0


def terms(tenor: float, rate: float, carry_yield: float) -> Terms:
    """Return the terms of one chain."""
    forward = SPOT * np.exp((rate - carry_yield) * tenor)
    return Terms(np.array([tenor]), np.array([rate]), np.array([forward]), np.array([SPOT]), np.array([True]), ((),))


@dataclass(frozen=True)
class Chain:
    """The contracts of one chain with their true volatilities and prices."""

    terms: Terms
    sign: np.ndarray
    strike: np.ndarray
    sigma: np.ndarray

    @property
    def own(self) -> tuple[Terms, np.ndarray, np.ndarray, np.ndarray]:
        return self.terms, np.zeros(len(self.strike), dtype=np.intp), self.sign, self.strike

    @property
    def tables(self) -> EarlyExercise:
        return EarlyExercise(self.terms, np.array([self.sigma.min() / 1.5]), np.array([self.sigma.max() * 1.5]))


@pytest.fixture(scope="module", params=[(0.05, 0.0), (0.04, 0.03), (0.01, 0.05), (0.06, -0.01)])
def chain(request: pytest.FixtureRequest) -> Chain:
    rate, carry_yield = request.param
    of = terms(0.75, rate, carry_yield)
    strike = np.tile(np.linspace(75.0, 130.0, 45), 2)
    sign = np.repeat([CALL, PUT], 45)
    return Chain(of, sign, strike, 0.3 - 0.1 * np.log(strike / SPOT) + 0.2 * np.log(strike / SPOT) ** 2)


@pytest.mark.parametrize("share", [0.2, 0.6, 0.97, 1.1, 1.8, 5.0])
def test_it_finds_the_same_from_wherever_it_begins(chain: Chain, share: float) -> None:
    tables = chain.tables
    price = american.price(*chain.own, chain.sigma, tables=tables)
    greeks = american.greeks(*chain.own, chain.sigma, tables=tables)
    found = american.implied_volatility(*chain.own, price, tables=tables, start=chain.sigma * share, widenings=0)
    # In the exercise region nothing can be found.
    told = (greeks.vega > 0.01) & (price - np.maximum(chain.sign * (SPOT - chain.strike), 0.0) > 0.01)
    assert told.sum() > 60
    assert (found.status[told] == IvStatus.SOLVED).all()
    assert found.sigma[told] == pytest.approx(chain.sigma[told], rel=2e-6)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5, 1e-8])
def test_it_is_off_by_no_more_than_allowed(chain: Chain, tolerance: float) -> None:
    tables = chain.tables
    price = american.price(*chain.own, chain.sigma, tables=tables)
    vega = american.greeks(*chain.own, chain.sigma, tables=tables).vega
    found = american.implied_volatility(*chain.own, price, tables=tables, tolerance=tolerance)
    told = vega > 0.05
    assert (np.abs(found.sigma / chain.sigma - 1)[told] <= max(tolerance, 1e-7)).all()


def test_a_wide_band_is_found_from_its_middle(chain: Chain) -> None:
    tables = chain.tables
    price = american.price(*chain.own, chain.sigma, tables=tables)
    for share in (0.8, 1.25):
        quoted = price * share
        found = american.implied_volatility(*chain.own, quoted, tables=tables, start=chain.sigma, widenings=0)
        # Beyond the tables a boundary stands still: what is found there is looked for anew, with others.
        solved = (found.status == IvStatus.SOLVED) & tables.tables.covers(chain.own[1], found.sigma)
        assert solved.sum() > 40
        again = american.price(*chain.own, np.where(solved, found.sigma, 0.3), tables=tables)
        assert again[solved] == pytest.approx(quoted[solved], rel=1e-6, abs=1e-6)


def invert(of: Terms, sign: float, strike: float, price: float) -> tuple[float, IvStatus]:
    found = american.implied_volatility(of, np.array([0]), np.array([sign]), np.array([strike]), np.array([price]))
    return float(found.sigma[0]), IvStatus(found.status[0])


@pytest.mark.parametrize(
    ("sign", "strike", "price", "expected"),
    [
        # Exercise pays 20; a put is never worth more than its strike, a call than the share.
        (PUT, 120.0, 19.0, IvStatus.BELOW_BOUND),
        (PUT, 120.0, 20.0, IvStatus.EXERCISE_REGION),
        (PUT, 120.0, 20.00001, IvStatus.EXERCISE_REGION),
        (PUT, 120.0, 120.5, IvStatus.ABOVE_BOUND),
        (CALL, 80.0, 19.0, IvStatus.BELOW_BOUND),
        (CALL, 80.0, 20.0, IvStatus.EXERCISE_REGION),
        (CALL, 80.0, 100.5, IvStatus.ABOVE_BOUND),
        (PUT, 100.0, 0.0, IvStatus.NO_PRICE),
        (PUT, 100.0, -1.0, IvStatus.NO_PRICE),
    ],
)
def test_what_it_says_of_prices_that_have_no_volatility(
    sign: float, strike: float, price: float, expected: IvStatus
) -> None:
    rate, carry_yield = (0.06, 0.04) if sign < 0 else (0.04, 0.06)
    sigma, status = invert(terms(0.5, rate, carry_yield), sign, strike, price)
    assert (status, np.isnan(sigma)) == (expected, True)


def test_a_call_that_is_never_exercised_is_below_its_bound_at_what_exercise_pays() -> None:
    """Without a yield the least is the spot less the discounted strike: 21.58 where exercise pays 20."""
    of = terms(0.5, 0.04, 0.0)
    assert invert(of, CALL, 80.0, 20.0)[1] == IvStatus.BELOW_BOUND
    assert invert(of, CALL, 80.0, 21.6)[1] == IvStatus.SOLVED


def test_prices_beyond_what_a_european_option_can_be_worth_are_solved() -> None:
    """A share with a high yield: a European call of 2.5 years is worth less than 82, an American one is not."""
    of = terms(2.5, 0.02, 0.08)
    strike, sigma = np.array([17.0]), np.array([1.6])
    one = (of, np.array([0]), np.array([CALL]), strike)
    price = american.price(*one, sigma)
    assert price[0] > SPOT * np.exp(-0.08 * 2.5)
    found = american.implied_volatility(*one, price)
    assert (found.status[0], found.sigma[0]) == (IvStatus.SOLVED, pytest.approx(1.6, rel=1e-4))


def test_nothing_is_found_at_the_edge_of_what_a_step_may_take() -> None:
    """An in-the-money price that holds no volatility ends with a status, not where the search was stopped."""
    of = terms(0.75, 0.03125, 0.0)
    european = SPOT - 60.0 * np.exp(-0.03125 * 0.75)
    sigma, status = invert(of, CALL, 60.0, european * (1 + 1e-14))
    assert (status, np.isnan(sigma)) == (IvStatus.UNDETERMINED, True)
