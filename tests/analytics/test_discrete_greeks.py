"""Greeks of American options around cash dividends against QuantLib's finite differences.

What a grid gets wrong is nearly all in the European option too, so its Greeks are compared by what early exercise adds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from collector.analytics import american, greeks
from collector.analytics.terms import Dividend, Terms
from tests.analytics import quantlib_options as quantlib

SPOT = 100.0
SIZE = 120
STEPS = (400, 300)
BUMPED = 48
VOL_BUMP, RATE_BUMP = 0.01, 0.002


@dataclass(frozen=True)
class Row:
    tenor: float
    rate: float
    paid: tuple[tuple[float, float], ...]
    strike: float
    sigma: float
    sign: float


@dataclass(frozen=True)
class Added:
    """What early exercise adds to price, delta, gamma and theta (a year, spot less the dividends fixed)."""

    price: float
    delta: float
    gamma: float
    theta: float


def added(row: Row, *, vol: float = 0.0, rate: float = 0.0) -> Added:
    """Return what QuantLib's grid says, volatility and rate moved."""
    own = (SPOT, row.strike, row.rate + rate, row.sigma + vol, row.tenor, row.sign, row.paid)
    early, late = (
        quantlib.option_with_dividends(*own, exercise=style, steps=STEPS) for style in ("american", "european")
    )
    stretch = row.tenor * 365 / quantlib.DAYS
    return Added(
        early.NPV() - late.NPV(),
        early.delta() - late.delta(),
        early.gamma() - late.gamma(),
        (early.theta() - late.theta()) / stretch,
    )


def make_rows() -> list[Row]:
    """Return contracts from a little in the money to 1.5 deviations out of it, dividends quarterly or closer."""
    random = np.random.default_rng(31)
    rows = []
    for number in range(SIZE):
        tenor, rate = float(np.exp(random.uniform(np.log(0.05), np.log(1.8)))), float(random.choice([0.01, 0.03, 0.05]))
        gap = float(min(random.choice([0.25, 0.25, 1 / 12]), tenor / 1.2))
        first, amount = float(random.uniform(0.05, 0.95)) * gap, float(random.choice([0.1, 0.3, 0.6, 1.2, 2.0]))
        times = {quantlib.on_the_calendar(time, tenor) for time in np.arange(first, 0.995 * tenor, gap)[:8]}
        paid = tuple((time, amount) for time in sorted(times))
        sigma, sign = float(random.uniform(0.15, 0.6)), 1.0 if number % 2 else -1.0
        strike = float(SPOT * np.exp(sign * random.uniform(-0.3, 1.5) * sigma * np.sqrt(tenor)))
        rows.append(Row(tenor, rate, paid, strike, sigma, sign))
    return rows


def together(rows: list[Row]) -> Terms:
    escrowed = np.array([SPOT - sum(amount * np.exp(-row.rate * time) for time, amount in row.paid) for row in rows])
    tenor, rate = np.array([row.tenor for row in rows]), np.array([row.rate for row in rows])
    return Terms(
        tenor=tenor,
        rate=rate,
        forward=escrowed * np.exp(rate * tenor),
        spot=np.full(len(rows), SPOT),
        american=np.ones(len(rows), dtype=bool),
        dividends=tuple(tuple(Dividend(*one) for one in row.paid) for row in rows),
    )


@dataclass(frozen=True)
class Ours:
    """Contracts, and what our Greeks are above those of the European option."""

    rows: list[Row]
    terms: Terms
    found: greeks.Greeks
    late: greeks.Greeks

    def column(self, name: str) -> np.ndarray:
        return np.array([getattr(row, name) for row in self.rows])

    def above(self, name: str) -> np.ndarray:
        return np.asarray(getattr(self.found, name) - getattr(self.late, name))


@pytest.fixture(scope="module")
def ours() -> Ours:
    rows = make_rows()
    terms = together(rows)
    strike, sigma, sign = (np.array([getattr(row, name) for row in rows]) for name in ("strike", "sigma", "sign"))
    own = (terms, np.arange(SIZE), sign, strike, sigma)
    return Ours(rows, terms, american.greeks(*own), greeks.european(*own))


def held(
    tell: Callable[[str], None], name: str, error: np.ndarray, sign: np.ndarray, calls: float, puts: float
) -> None:
    """Hold the 95th percentile of each side's error, and tell it."""
    for side, own, allowed in (("calls", sign > 0, calls), ("puts", sign < 0, puts)):
        told = np.percentile(error[own], [50, 95, 100])
        tell(
            f"Greeks around cash dividends, {name} of {own.sum()} {side}: "
            f"p50 {told[0]:.1e}, p95 {told[1]:.1e}, max {told[2]:.1e}"
        )
        assert told[1] <= allowed, (name, side)


@pytest.mark.accuracy
def test_delta_gamma_and_theta_are_those_of_the_grid(ours: Ours, tell: Callable[[str], None]) -> None:
    grid = [added(row) for row in ours.rows]
    sign, sigma, root = ours.column("sign"), ours.column("sigma"), np.sqrt(ours.terms.tenor)
    held(tell, "delta", np.abs(ours.above("delta") - [one.delta for one in grid]), sign, 1e-4, 3e-4)
    at_the_money = 0.4 / (SPOT * sigma * root)
    gamma = np.abs(ours.above("gamma") - [one.gamma for one in grid]) / at_the_money
    held(tell, "gamma in that at the money", gamma, sign, 3e-4, 2e-3)
    # QuantLib's theta holds the spot less the dividends, ours the spot, our European one the forward.
    rate, terms = ours.column("rate"), ours.terms
    early = ours.found.theta * 365 + rate * terms.present_dividends * ours.found.delta
    late = ours.late.theta * 365 - rate * terms.escrowed_spot * ours.late.delta
    theta = np.abs(early - late - [one.theta for one in grid]) / (0.2 * SPOT * sigma / root)
    held(tell, "theta in that at the money", theta, sign, 3e-4, 2e-3)


@pytest.mark.accuracy
def test_vega_vanna_and_rho_are_the_bumps_of_the_grid(ours: Ours, tell: Callable[[str], None]) -> None:
    some = slice(0, BUMPED)
    sign, sigma, root = ours.column("sign")[some], ours.column("sigma")[some], np.sqrt(ours.terms.tenor[some])
    up, down = ([added(row, vol=side * VOL_BUMP) for row in ours.rows[some]] for side in (1.0, -1.0))
    vega, vanna = (
        np.array([getattr(high, name) - getattr(low, name) for high, low in zip(up, down, strict=True)])
        / (2 * VOL_BUMP * 100)
        for name in ("price", "delta")
    )
    held(tell, "vega over S sqrt(T)", 100 * np.abs(ours.above("vega")[some] - vega) / (SPOT * root), sign, 1e-4, 5e-4)
    held(tell, "vanna in 1 / sigma", 100 * np.abs(ours.above("vanna")[some] - vanna) * sigma, sign, 3e-4, 1e-3)
    up, down = ([added(row, rate=side * RATE_BUMP) for row in ours.rows[some]] for side in (1.0, -1.0))
    rho = np.array([high.price - low.price for high, low in zip(up, down, strict=True)]) / (2 * RATE_BUMP * 100)
    scale = ours.column("strike")[some] * ours.terms.tenor[some]
    held(tell, "rho over K T", 100 * np.abs(ours.above("rho")[some] - rho) / scale, sign, 5e-4, 1e-3)


def test_bounds_hold(ours: Ours) -> None:
    """Also far in the money, and the evening before an ex-date, when exercise of a call is all but certain."""
    sign = ours.column("sign")
    for moneyness in (0.5, 0.8, 1.0, 1.25, 2.0):
        found = american.greeks(
            ours.terms, np.arange(SIZE), sign, np.full(SIZE, SPOT * moneyness), ours.column("sigma")
        )
        assert (found.gamma >= 0).all()
        assert (found.vega >= 0).all()
        assert (np.abs(found.delta) <= 1).all()
        assert (sign * found.delta >= 0).all()


@pytest.mark.parametrize("hours", [0.5, 4.0, 17.0])
def test_a_call_whose_share_goes_ex_within_hours_moves_with_the_share(hours: float) -> None:
    """Deep in the money it is worth what exercise pays just before: S - K e^(-r t)."""
    time, rate, strike = hours / 24 / 365, 0.045, 70.0
    terms = together([Row(0.25, rate, ((time, 1.5),), strike, 0.25, 1.0)])
    one = (terms, np.array([0]), np.array([1.0]), np.array([strike]), np.array([0.25]))
    assert american.price(*one)[0] == pytest.approx(SPOT - strike * np.exp(-rate * time), abs=2e-3)
    found = american.greeks(*one)
    assert found.delta[0] == pytest.approx(1.0, abs=2e-3)
    assert found.gamma[0] == pytest.approx(0.0, abs=1e-3)
    # Waiting for the ex-date earns the interest on the strike, day by day.
    assert found.theta[0] == pytest.approx(-rate * strike / 365, abs=2e-3)


def test_a_put_waits_for_the_ex_date_that_a_put_without_dividends_does_not() -> None:
    """HO-06 and a neighbour: S 100, K 110, 14 days, rate .05; exercised at once, but for a dividend on the way."""
    strike, sigma = np.array([110.0]), np.array([0.10])
    at_once = together([Row(14 / 365, 0.05, (), 110.0, 0.10, -1.0)])
    found = american.greeks(at_once, np.array([0]), np.array([-1.0]), strike, sigma)
    assert (found.delta[0], found.gamma[0], found.vega[0], found.theta[0]) == (-1.0, 0.0, 0.0, 0.0)
    time = quantlib.on_the_calendar(7 / 365, 14 / 365)
    waits = together([Row(14 / 365, 0.05, ((time, 1.0),), 110.0, 0.10, -1.0)])
    own = (waits, np.array([0]), np.array([-1.0]), strike, sigma)
    expected = quantlib.with_dividends(SPOT, 110.0, 0.05, 0.10, 14 / 365, -1.0, [(time, 1.0)])
    assert expected > 10.8
    assert american.price(*own)[0] == pytest.approx(expected, abs=2e-3)
    assert american.greeks(*own).theta[0] != 0


def test_missing_volatilities_give_missing_greeks(ours: Ours) -> None:
    sigma = ours.column("sigma").copy()
    sigma[::3] = np.nan
    found = american.greeks(ours.terms, np.arange(SIZE), ours.column("sign"), ours.column("strike"), sigma)
    for name in greeks.GREEK_NAMES:
        assert (np.isnan(getattr(found, name)) == np.isnan(sigma)).all(), name
