"""What early exercise adds to the demo's options, against QuantLib's finite differences and its QdFp."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime

import numpy as np
import pytest
from scipy.stats import norm

from collector.providers.base import OptionType
from collector.providers.demo import DemoProvider
from collector.providers.demo.early_exercise import Options, premium
from collector.providers.demo.pricing import black_76
from collector.providers.demo.truth import truth
from tests.analytics import quantlib_options as quantlib

pytestmark = pytest.mark.accuracy

CALL, PUT = 1.0, -1.0
# No dividend; one soon, one in the middle, one just before settlement; several, the last one far from it and near.
CALENDARS = [
    (0.02, ()),
    (0.25, ()),
    (1.0, ()),
    (0.08, (0.03,)),
    (0.25, (0.1,)),
    (0.25, (0.24,)),
    (0.25, (0.003,)),
    (0.55, (0.1, 0.35)),
    (1.0, (0.05, 0.3, 0.55, 0.8)),
    (1.0, (0.2, 0.45, 0.7, 0.99)),
]


def black(escrowed: float, strike: float, tenor: float, rate: float, sigma: float, sign: float) -> float:
    row = (escrowed * math.exp(rate * tenor), strike, tenor, sigma, math.exp(-rate * tenor), sign)
    return float(black_76(*(np.array([one]) for one in row))[0])


def errors(
    tenor: float, times: tuple[float, ...], rate: float, sigma: float, amount: float, sign: float
) -> list[tuple[float, float]]:
    """Deviations from the money, and how far the premium is from QuantLib's in volatility (that at the money's)."""
    paid = [(quantlib.on_the_calendar(time, tenor), amount) for time in times]
    escrowed = 100.0 - sum(one * math.exp(-rate * time) for time, one in paid)
    found = []
    for deviations in (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0):
        strike = 100.0 * math.exp(deviations * sigma * math.sqrt(tenor))
        if paid:
            row = (100.0, strike, rate, sigma, tenor, sign, paid)
            whole, european = (
                quantlib.with_dividends(*row, exercise=style, steps=(1200, 1000)) for style in ("american", "european")
            )
            expected = whole - european
        else:
            whole = quantlib.american(100.0, strike, rate, 0.0, sigma, tenor, sign)
            expected = whole - black(100.0, strike, tenor, rate, sigma, sign)
        own = premium(Options(escrowed, tenor, rate, np.array([strike]), np.array([sigma]), sign, paid))[0]
        found.append((sign * deviations, float(own - expected) / (100.0 * math.sqrt(tenor) * norm.pdf(0.0))))
    return found


def test_premiums_are_quantlibs(tell: Callable[[str], None]) -> None:
    away: dict[str, list[float]] = {"calls": [], "puts": [], "out of the money": []}
    for tenor, times in CALENDARS:
        for rate, sigma in ((0.02, 0.2), (0.05, 0.2), (0.02, 0.45), (0.05, 0.45)):
            for sign in (CALL, PUT):
                for deviations, error in errors(tenor, times, rate, sigma, 0.5, sign):
                    away["calls" if sign > 0 else "puts"].append(abs(error))
                    if deviations >= 0:
                        away["out of the money"].append(abs(error))
    for name, found in away.items():
        told = np.quantile(found, [0.5, 0.95, 1.0])
        tell(f"demo prices, {name}: within {told[2]:.1e} of volatility at the money, p95 {told[1]:.1e} of {len(found)}")
    assert max(away["out of the money"]) <= 5e-5
    assert np.quantile(away["calls"], 0.95) <= 2e-5
    assert np.quantile(away["puts"], 0.95) <= 5e-5
    # The worst are puts about to be exercised, which have little volatility of their own.
    assert max(max(found) for found in away.values()) <= 3e-4


@pytest.mark.parametrize("ticker", ["ALDREN", "CINDRA", "ESKALO", "GALTHO"])
def test_true_prices_are_quantlibs_with_the_true_dividends(ticker: str) -> None:
    moment = datetime(2026, 2, 11, 17, 0, tzinfo=UTC)
    provider = DemoProvider(moment)
    spot = provider.quote(ticker).price
    assert spot is not None
    for expiration in provider.expirations(ticker)[-3:]:
        sides: tuple[tuple[float, OptionType], ...] = ((0.9, "put"), (1.0, "put"), (1.0, "call"), (0.8, "call"))
        for moneyness, side in sides:
            strike = moneyness * spot
            true = truth(ticker, expiration, strike, side, moment)
            assert len(true.dividends) >= 1
            paid = [(quantlib.on_the_calendar(time, true.tenor), amount) for time, amount in true.dividends]
            row = (true.spot, strike, true.rate, true.implied_volatility, true.tenor, CALL if side == "call" else PUT)
            whole, european = (
                quantlib.with_dividends(*row, paid, exercise=style, steps=(600, 500))
                for style in ("american", "european")
            )
            assert true.price - true.european_price == pytest.approx(
                whole - european, abs=1e-4 * true.spot * math.sqrt(true.tenor) * 0.4
            )


def test_exercise_that_never_pays_adds_exactly_nothing() -> None:
    strike, sigma = np.array([80.0, 100.0, 120.0]), np.full(3, 0.3)
    assert premium(Options(100.0, 0.5, 0.04, strike, sigma, CALL, [])).tolist() == [0.0, 0.0, 0.0]
    # Interest on 80 dollars over three months is .80.
    due = [(0.25, 0.75)]
    assert premium(Options(99.3, 0.5, 0.04, strike, sigma, CALL, due)).tolist() == [0.0, 0.0, 0.0]


def test_all_contracts_at_once_are_what_they_are_one_by_one() -> None:
    strike = np.linspace(60.0, 150.0, 19)
    sigma = 0.35 - 0.1 * np.log(strike / 100.0)
    due = [(0.1, 0.9), (0.35, 0.9), (0.6, 0.9)]
    for sign in (CALL, PUT):
        whole = premium(Options(97.4, 0.75, 0.04, strike, sigma, sign, due))
        single = [
            premium(Options(97.4, 0.75, 0.04, strike[[row]], sigma[[row]], sign, due))[0] for row in range(len(strike))
        ]
        # Where the dates of exercise lie depends on the highest strike.
        assert whole == pytest.approx(single, abs=1e-4 * 97.4 * math.sqrt(0.75) * 0.4)


def test_a_put_in_the_exercise_region_is_worth_its_exercise() -> None:
    moment = datetime(2026, 2, 11, 17, 0, tzinfo=UTC)
    expiration = DemoProvider(moment).expirations("BRAMLO")[-1]
    assert expiration > date(2026, 9, 1)
    true = truth("BRAMLO", expiration, 1e4, "put", moment)
    assert true.price == pytest.approx(1e4 - true.spot, rel=1e-12)
