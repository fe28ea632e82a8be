"""American options around cash dividends against QuantLib's finite differences and Roll, Geske and Whaley's formula."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from collector.analytics import american, black76
from collector.analytics.greeks import GREEK_NAMES
from collector.analytics.iv_status import IvStatus
from collector.analytics.terms import Dividend, Terms
from tests.analytics import quantlib_options as quantlib

SPOT = 100.0
CALL, PUT = 1.0, -1.0
CONTRACTS = 240
# Years from now to the first ex-date, and from the last one to expiry.
NEXT_MORNING, LAST_DAY = 0.7 / 365, 1 / 365


def terms(
    tenor: float,
    rate: float,
    paid: tuple[tuple[float, float], ...],
    *,
    spot: float = SPOT,
    carry_yield: float = 0.0,
) -> Terms:
    """Return the terms of one chain with cash dividends (years, dollars)."""
    escrowed = spot - sum(amount * np.exp(-rate * time) for time, amount in paid)
    return Terms(
        tenor=np.array([tenor]),
        rate=np.array([rate]),
        forward=np.array([escrowed * np.exp((rate - carry_yield) * tenor)]),
        spot=np.array([spot]),
        american=np.array([True]),
        dividends=(tuple(Dividend(time, amount) for time, amount in paid),),
    )


def together(chains: list[Terms]) -> Terms:
    """Return the terms of many chains."""
    columns = (np.concatenate([getattr(one, name) for one in chains]) for name in ("tenor", "rate", "forward", "spot"))
    return Terms(*columns, np.ones(len(chains), dtype=bool), tuple(one.dividends[0] for one in chains))


def price(of: Terms, strike: float, sigma: float, sign: float) -> float:
    return float(american.price(of, np.array([0]), np.array([sign]), np.array([strike]), np.array([sigma]))[0])


@dataclass(frozen=True)
class Contracts:
    """Contracts in chains of their own, out of the money, and what early exercise adds by finite differences."""

    terms: Terms
    strike: np.ndarray
    sigma: np.ndarray
    sign: np.ndarray
    premium: np.ndarray

    @property
    def european(self) -> np.ndarray:
        of = self.terms
        return black76.price(of.forward, self.strike, of.tenor, self.sigma, of.discount, self.sign)

    @property
    def vega(self) -> np.ndarray:
        of = self.terms
        total = self.sigma * np.sqrt(of.tenor)
        d1 = np.log(of.forward / self.strike) / total + total / 2
        return of.discount * of.forward * norm.pdf(d1) * np.sqrt(of.tenor)


def ex_dates(random: np.random.Generator, tenor: float) -> tuple[float, ...]:
    """Return one to eight ex-dates: quarterly or closer, the first the next morning, the last the day before expiry,
    or anywhere.
    """
    count = int(random.integers(1, 1 + min(8, max(1, round(tenor * 8)))))
    gap = min(0.25, tenor / count)
    begin = random.choice([NEXT_MORNING, tenor - LAST_DAY - gap * (count - 1), random.uniform(0.02, 0.98) * gap])
    times = (begin + gap * place for place in range(count))
    kept = {quantlib.on_the_calendar(time, tenor) for time in times if 0 < time < 0.9999 * tenor}
    return tuple(sorted(kept)) or (quantlib.on_the_calendar(tenor / 2, tenor),)


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    random = np.random.default_rng(12)
    chains, strikes, sigmas, signs, premiums = [], [], [], [], []
    for _ in range(CONTRACTS):
        tenor = float(np.exp(random.uniform(np.log(2 / 365), np.log(2.0))))
        rate, sigma = float(random.choice([0.0, 0.01, 0.03, 0.045, 0.06])), float(random.uniform(0.1, 0.6))
        sign, amount = float(random.choice([CALL, PUT])), SPOT * float(random.choice([0.002, 0.005, 0.01, 0.02]))
        paid = tuple((time, amount) for time in ex_dates(random, tenor))
        of = terms(tenor, rate, paid)
        strike = float(of.forward[0] * np.exp(sign * random.uniform(0.0, 1.8) * sigma * np.sqrt(tenor)))
        row = (SPOT, strike, rate, sigma, tenor, sign, paid)
        early, late = (
            quantlib.with_dividends(*row, exercise=style, steps=(400, 400)) for style in ("american", "european")
        )
        chains.append(of)
        strikes.append(strike)
        sigmas.append(sigma)
        signs.append(sign)
        premiums.append(early - late)
    return Contracts(together(chains), *(np.array(column) for column in (strikes, sigmas, signs, premiums)))


def test_volatilities_out_of_the_money_are_those_of_finite_differences(contracts: Contracts) -> None:
    of, chain = contracts.terms, np.arange(CONTRACTS)
    quoted = contracts.european + contracts.premium
    found = american.implied_volatility(of, chain, contracts.sign, contracts.strike, quoted)
    solved = found.status == IvStatus.SOLVED
    error = np.abs(found.sigma - contracts.sigma)
    for name, side, allowed in (("calls", contracts.sign > 0, 5e-5), ("puts", contracts.sign < 0, 2e-4)):
        told = np.percentile(error[solved & side], [50, 95, 99, 100])
        names = ("p50", "p95", "p99", "max")
        figures = ", ".join(f"{label} {figure:.1e}" for label, figure in zip(names, told, strict=True))
        print(f"{name}: {(solved & side).sum()} of {side.sum()} solved, IV {figures}")
        assert (solved & side).sum() >= 0.99 * side.sum()
        assert told[1] <= allowed
    bare = np.abs(contracts.premium / contracts.vega)
    print(f"without early exercise p95 {np.percentile(bare, 95):.1e}, max {bare.max():.1e}")


def test_prices_are_those_of_finite_differences(contracts: Contracts) -> None:
    ours = american.price(contracts.terms, np.arange(CONTRACTS), contracts.sign, contracts.strike, contracts.sigma)
    error = np.abs(ours - contracts.european - contracts.premium) / contracts.vega
    print(f"{CONTRACTS} prices, error over vega: p95 {np.percentile(error, 95):.1e}, max {error.max():.1e}")
    assert np.percentile(error, 95) <= 2e-4


def roll_geske_whaley(strike: float, rate: float, sigma: float, tenor: float, time: float, amount: float) -> float:
    """Return an American call's price with one cash dividend.

    Source: J. Hull, "Options, Futures, and Other Derivatives", note on the exact valuation of American calls on a
    stock that pays a single dividend (Roll 1977, Geske 1979, Whaley 1981).
    """
    escrowed, after = SPOT - amount * np.exp(-rate * time), tenor - time

    def call(spot: float, years: float) -> float:
        d1 = (np.log(spot / strike) + (rate + sigma**2 / 2) * years) / (sigma * np.sqrt(years))
        return float(spot * norm.cdf(d1) - strike * np.exp(-rate * years) * norm.cdf(d1 - sigma * np.sqrt(years)))

    if amount <= strike * (1.0 - np.exp(-rate * after)):
        return call(escrowed, tenor)
    critical = brentq(lambda spot: call(spot, after) - (spot + amount - strike), 1e-3, 1e6, xtol=1e-12, rtol=1e-14)
    a1 = (np.log(escrowed / strike) + (rate + sigma**2 / 2) * tenor) / (sigma * np.sqrt(tenor))
    b1 = (np.log(escrowed / critical) + (rate + sigma**2 / 2) * time) / (sigma * np.sqrt(time))
    a2, b2 = a1 - sigma * np.sqrt(tenor), b1 - sigma * np.sqrt(time)
    correlation = -np.sqrt(time / tenor)

    def both(first: float, second: float) -> float:
        """Return the bivariate normal probability."""
        spread = np.sqrt(1.0 - correlation**2)

        def density(x: float) -> float:
            return float(norm.pdf(x) * norm.cdf((first - correlation * x) / spread))

        return float(quad(density, -12.0, second, epsabs=1e-13, epsrel=1e-12, limit=400)[0])

    return float(
        escrowed * norm.cdf(b1)
        + escrowed * both(a1, -b1)
        - strike * np.exp(-rate * tenor) * both(a2, -b2)
        - (strike - amount) * np.exp(-rate * time) * norm.cdf(b2)
    )


def test_the_formula_itself_agrees_with_finite_differences() -> None:
    """A call of 95 with a dividend of 3 in a third of a year."""
    time = quantlib.on_the_calendar(1 / 3, 0.5)
    expected = quantlib.with_dividends(SPOT, 95.0, 0.05, 0.3, 0.5, CALL, [(time, 3.0)])
    assert roll_geske_whaley(95.0, 0.05, 0.3, 0.5, time, 3.0) == pytest.approx(expected, abs=2e-4)


def test_calls_with_one_dividend_are_those_of_roll_geske_and_whaley() -> None:
    random = np.random.default_rng(3)
    size, errors, premiums = 120, [], []
    for _ in range(size):
        tenor = float(np.exp(random.uniform(np.log(3 / 365), np.log(2.0))))
        time = float(random.choice([min(NEXT_MORNING, tenor / 3), tenor * random.uniform(0.1, 0.9), tenor - LAST_DAY]))
        rate, sigma, amount = random.uniform(0.0, 0.06), random.uniform(0.1, 0.6), random.uniform(0.1, 4.0)
        strike = float(SPOT * np.exp(random.uniform(-2.0, 2.0) * sigma * np.sqrt(tenor)))
        of = terms(tenor, rate, ((time, amount),))
        expected = roll_geske_whaley(strike, rate, sigma, tenor, time, amount)
        errors.append(abs(price(of, strike, sigma, CALL) - expected))
        premiums.append(
            expected - black76.price(of.forward, np.array([strike]), of.tenor, np.array([sigma]), of.discount, CALL)[0]
        )
    print(f"{size} calls: largest error {max(errors):.1e} dollars, premiums up to {max(premiums):.2f}")
    assert max(premiums) > 1.0
    assert max(errors) <= 2e-5


def test_a_dividend_too_small_to_exercise_for_adds_nothing() -> None:
    """Interest on the strike for half a year is 2.5 dollars; the dividend is 2."""
    of = terms(0.75, 0.05, ((0.25, 2.0),))
    european = black76.price(of.forward, np.array([100.0]), of.tenor, np.array([0.3]), of.discount, np.array([CALL]))
    assert price(of, 100.0, 0.3, CALL) == european[0]
    # A neighbour: the same dividend a month before expiry is worth exercising for.
    late = terms(0.75, 0.05, ((0.67, 2.0),))
    row = (late.forward, np.array([100.0]), late.tenor, np.array([0.3]), late.discount, np.array([CALL]))
    assert price(late, 100.0, 0.3, CALL) > black76.price(*row)[0] + 0.1


@pytest.mark.parametrize("sign", [CALL, PUT])
def test_dividends_of_nothing_are_no_dividends(sign: float) -> None:
    """Calls without a yield are European then, puts those of continuous carry, though summed in other stretches."""
    for strike in (85.0, 100.0, 115.0):
        without = price(terms(0.8, 0.045, ()), strike, 0.25, sign)
        with_nothing = price(terms(0.8, 0.045, ((0.1, 0.0), (0.35, 0.0), (0.6, 0.0))), strike, 0.25, sign)
        assert with_nothing == pytest.approx(without, abs=5e-4)
    assert price(terms(0.8, 0.045, ((0.3, 1e-4),)), 100.0, 0.25, sign) == pytest.approx(
        price(terms(0.8, 0.045, ()), 100.0, 0.25, sign), abs=2e-2
    )


class TestGreeks:
    """Of chains with cash dividends against bumps of our own price, which the tests above hold."""

    SIZE = 120

    @pytest.fixture
    def rows(self) -> list[tuple[float, float, tuple[tuple[float, float], ...], float, float, float]]:
        random = np.random.default_rng(8)
        rows = []
        for place in range(self.SIZE):
            tenor, rate = float(random.uniform(0.1, 1.5)), float(random.uniform(0.01, 0.06))
            gap, amount = tenor / (1 + place % 4), float(random.uniform(0.2, 1.5))
            paid = tuple((gap * (step + 0.6), amount) for step in range(1 + place % 4) if gap * (step + 0.6) < tenor)
            sigma, sign = float(random.uniform(0.15, 0.5)), float(random.choice([CALL, PUT]))
            strike = float(SPOT * np.exp(random.uniform(-0.5, 1.2) * sign * sigma * np.sqrt(tenor)))
            rows.append((tenor, rate, paid, strike, sigma, sign))
        return rows

    @staticmethod
    def prices(
        rows: list[tuple[float, float, tuple[tuple[float, float], ...], float, float, float]],
        *,
        spot: float = SPOT,
        rates: float = 0.0,
        vol: float = 0.0,
        later: float = 0.0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return prices and deltas with what is given moved; dividends come nearer as time passes."""
        chains = [
            terms(tenor - later, rate + rates, tuple((time - later, amount) for time, amount in paid), spot=spot)
            for tenor, rate, paid, *_ in rows
        ]
        strike, sigma, sign = (np.array([row[place] for row in rows]) for place in (3, 4, 5))
        own = (together(chains), np.arange(len(rows)), sign, strike, sigma + vol)
        return american.price(*own), american.greeks(*own).delta

    def test_greeks_are_the_bumps_of_the_price(
        self, rows: list[tuple[float, float, tuple[tuple[float, float], ...], float, float, float]]
    ) -> None:
        strike, sigma, sign = (np.array([row[place] for row in rows]) for place in (3, 4, 5))
        of = together([terms(*row[:3]) for row in rows])
        found = american.greeks(of, np.arange(len(rows)), sign, strike, sigma)

        def slope(width: float, place: int = 0, **bump: float) -> np.ndarray:
            name, step = next(iter(bump.items()))
            up, down = (self.prices(rows, **{name: centre})[place] for centre in (step + width, step - width))
            return (up - down) / (2 * width)

        middle, _ = self.prices(rows)
        up, down = (self.prices(rows, spot=SPOT + step)[0] for step in (0.4, -0.4))
        expected = {
            "delta": slope(0.05, spot=SPOT),
            "gamma": (up - 2 * middle + down) / 0.4**2,
            "theta": slope(2e-4, later=0.0) / 365,
            "vega": slope(2e-3, vol=0.0) / 100,
            "rho": slope(2e-4, rates=0.0) / 100,
            "vanna": slope(2e-3, 1, vol=0.0) / 100,
            "charm": slope(2e-4, 1, later=0.0) / 365,
        }
        root = np.sqrt(of.tenor)
        scale = {
            "delta": 1.0,
            "gamma": 0.4 / (SPOT * sigma * root),
            "theta": 0.2 * SPOT * sigma / root / 365,
            "vega": 0.4 * SPOT * root / 100,
            "rho": SPOT * of.tenor / 100,
            "vanna": 0.4 / sigma / 100,
            "charm": 0.4 / of.tenor / 365,
        }
        held = (found.gamma > 0) & (np.abs(found.delta) < 0.98)
        assert held.sum() > 0.8 * self.SIZE
        told = {
            name: np.percentile((np.abs(getattr(found, name) - expected[name]) / scale[name])[held], 95)
            for name in GREEK_NAMES
        }
        print(
            f"{held.sum()} contracts, p95 in the size at the money:", {n: f"{error:.1e}" for n, error in told.items()}
        )
        allowed = {"delta": 1e-3, "gamma": 1e-2, "theta": 1e-2, "vega": 2e-3, "rho": 5e-3, "vanna": 1e-2, "charm": 2e-2}
        for name, error in told.items():
            assert error <= allowed[name], name


@settings(deadline=None, max_examples=60)
@given(
    st.floats(60.0, 160.0),
    st.floats(0.02, 2.0),
    st.floats(0.1, 0.8),
    st.floats(0.0, 0.06),
    st.floats(0.0, 3.0),
    st.integers(1, 8),
    st.floats(0.05, 0.95),
    st.sampled_from([CALL, PUT]),
)
def test_bounds_scale_and_round_trip(
    strike: float, tenor: float, sigma: float, rate: float, amount: float, count: int, place: float, sign: float
) -> None:
    paid = tuple((tenor * (step + place) / count, amount) for step in range(count))
    of = terms(tenor, rate, paid)
    worth = price(of, strike, sigma, sign)
    row = (of.forward, np.array([strike]), of.tenor, np.array([sigma]), of.discount, np.array([sign]))
    assert worth >= black76.price(*row)[0] - 1e-9
    assert worth >= max(sign * (SPOT - strike), 0.0) - 1e-9
    assert worth <= (SPOT if sign > 0 else strike) + 1e-9
    tenfold = terms(tenor, rate, tuple((time, 10 * each) for time, each in paid), spot=10 * SPOT)
    assert price(tenfold, 10 * strike, sigma, sign) == pytest.approx(10 * worth, rel=1e-9)
    one = (of, np.array([0]), np.array([sign]), np.array([strike]))
    found = american.implied_volatility(*one, np.array([worth]))
    assert (found.status[0] == IvStatus.SOLVED) == bool(np.isfinite(found.sigma[0]))
    if found.status[0] == IvStatus.SOLVED:
        assert price(of, strike, float(found.sigma[0]), sign) == pytest.approx(worth, abs=1e-4 + 1e-5 * worth)
    greeks = american.greeks(*one, np.array([sigma]))
    assert greeks.gamma[0] >= 0
    assert greeks.vega[0] >= 0
    assert abs(greeks.delta[0]) <= 1
