"""Calls before several ex-dates that all pay, as where rates are low, against QuantLib's finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from collector.analytics import american, black76
from collector.analytics.iv_status import IvStatus
from collector.analytics.terms import Dividend, Terms
from tests.analytics import quantlib_options as quantlib

SPOT = 100.0
TENOR = 1.5


def terms(rate: float, paid: tuple[tuple[float, float], ...]) -> Terms:
    escrowed = SPOT - sum(amount * np.exp(-rate * time) for time, amount in paid)
    return Terms(
        tenor=np.array([TENOR]),
        rate=np.array([rate]),
        forward=np.array([escrowed * np.exp(rate * TENOR)]),
        spot=np.array([SPOT]),
        american=np.array([True]),
        dividends=(tuple(Dividend(time, amount) for time, amount in paid),),
    )


def european(of: Terms, strike: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    same = np.ones(len(strike))
    return black76.price(of.forward * same, strike, of.tenor * same, sigma, of.discount * same, same)


@pytest.mark.parametrize("rate", [0.0, 0.005])
@pytest.mark.parametrize(
    "dates",
    [
        pytest.param((0.7 / 365, 0.252, 0.502, 0.752, 1.002, 1.252), id="the first the next morning"),
        pytest.param((0.2, 0.45, 0.7, 0.95, 1.2, TENOR - 1 / 365), id="the last the day before expiry"),
        pytest.param(tuple(0.1 + place / 12 for place in range(16)), id="every month"),
        pytest.param((0.5, 0.55), id="two near each other"),
    ],
)
def test_the_best_of_several_dates_is_worth_what_finite_differences_say(rate: float, dates: tuple[float, ...]) -> None:
    amount = 6.0 / len(dates)
    paid = tuple((quantlib.on_the_calendar(time, TENOR), amount) for time in dates)
    of, strike = terms(rate, paid), np.array([75.0, 95.0, 120.0])
    sigma = np.array([0.3, 0.2, 0.35])
    found = american.price(of, np.zeros(3, dtype=int), np.ones(3), strike, sigma) - european(of, strike, sigma)
    for place in range(3):
        row = (SPOT, strike[place], rate, sigma[place], TENOR, 1.0, paid)
        early, late = (
            quantlib.with_dividends(*row, exercise=style, steps=(600, 600)) for style in ("american", "european")
        )
        assert early - late > 0.015
        assert found[place] == pytest.approx(early - late, abs=3e-3)


def test_any_of_several_dates_is_worth_more_than_one_alone() -> None:
    """Where exercise at each pays, taking the dividends of all but one off the spot leaves the right to that one."""
    paid = tuple((0.2 + place / 4, 1.0) for place in range(5))
    of, strike, sigma = terms(0.0, paid), np.array([100.0]), np.array([0.25])
    found = american.price(of, np.array([0]), np.ones(1), strike, sigma)[0]
    for time, _ in paid:
        spot = SPOT - sum(amount for other, amount in paid if other < time)
        # Just before this date the later dividends are still in the share: one dividend of them all.
        ahead = sum(amount for other, amount in paid if other >= time)
        alone = Terms(of.tenor, of.rate, of.forward, np.array([spot]), of.american, ((Dividend(time, ahead),),))
        assert found > american.price(alone, np.array([0]), np.ones(1), strike, sigma)[0] + 0.01


def test_a_price_below_what_exercise_before_an_ex_date_is_worth_is_below_its_bound() -> None:
    """At 4 per cent, to pay 80 in half a year only is worth 1.58: 100 - 80 e^(-.02) = 21.58, over 20 now."""
    of, one = terms(0.04, ((0.5, 3.0),)), np.array([0])
    for price, expected in ((21.5, IvStatus.BELOW_BOUND), (20.5, IvStatus.BELOW_BOUND), (22.5, IvStatus.SOLVED)):
        found = american.implied_volatility(of, one, np.ones(1), np.array([80.0]), np.array([price]))
        assert found.status[0] == expected
    # A put just after it, likewise: 120 e^(-.02) - 97.06 = 20.57.
    for price, expected in ((20.5, IvStatus.BELOW_BOUND), (21.5, IvStatus.SOLVED)):
        found = american.implied_volatility(of, one, -np.ones(1), np.array([120.0]), np.array([price]))
        assert found.status[0] == expected
