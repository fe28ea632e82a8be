"""The risk-neutral distribution, against QuantLib's digital options and the prices of vollib that it has to explain."""

from __future__ import annotations

from math import exp, inf, log, sqrt
from typing import Any

import pytest
import QuantLib as ql
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from vollib.black import undiscounted_black

from collector.alerts.terminal_price import LOGNORMAL, SMILE, TerminalPrice, terminal_price

FORWARD, TENOR, ATM_IV = 100.0, 0.1, 0.25
# A smile with a put wing as an index has it; at the forward its volatility is 25 %.
FIT: dict[str, Any] = {
    "model": "svi",
    "a": 0.00157,
    "b": 0.055,
    "rho": -0.45,
    "m": 0.01,
    "sigma": 0.08,
    "residual_rms": 0.001,
    "residual_max": 0.003,
    "points": 40,
    "arbitrage_free": True,
}


def smile_volatility(strike: float) -> float:
    shifted = log(strike / FORWARD) - FIT["m"]
    bend = sqrt(shifted**2 + FIT["sigma"] ** 2)
    return sqrt((FIT["a"] + FIT["b"] * (FIT["rho"] * shifted + bend)) / TENOR)


def call(strike: float) -> float:
    return float(undiscounted_black(FORWARD, strike, smile_volatility(strike), TENOR, "c"))


@given(st.floats(40.0, 250.0), st.floats(0.05, 1.5), st.floats(0.003, 2.0))
def test_lognormal_is_what_quantlib_pays_for_a_digital(price: float, sigma: float, tenor: float) -> None:
    found = terminal_price(FORWARD, sigma, tenor, None)
    assert found.model == LOGNORMAL
    digital = ql.BlackCalculator(
        ql.CashOrNothingPayoff(ql.Option.Call, price, 1.0), FORWARD, sigma * sqrt(tenor), 1.0
    ).value()
    assert found.below(price) == pytest.approx(1.0 - digital, abs=1e-10)


def test_lognormal_by_the_table_of_the_normal_distribution() -> None:
    """With a deviation of 0.1: (ln 0.934 + 0.005) / 0.1 = -0.6328, (ln 1.066 + 0.005) / 0.1 = 0.6891."""
    found = terminal_price(100.0, 0.2, 0.25, None)
    assert found.below(93.4) == pytest.approx(0.2634, abs=1e-4)
    assert found.below(106.6) == pytest.approx(0.7546, abs=1e-4)
    assert found.within([(93.4, 106.6)]) == pytest.approx(0.4912, abs=1e-4)
    assert found.within([(0.0, 93.4), (106.6, inf)]) == pytest.approx(0.5088, abs=1e-4)
    assert (found.below(0.0), found.below(inf)) == (0.0, 1.0)


def test_the_smile_s_probabilities_integrate_to_the_prices_of_calls() -> None:
    """A call spread is worth the integral over its strikes of the probability to end above them."""
    found = terminal_price(FORWARD, ATM_IV, TENOR, FIT)
    assert found.model == SMILE
    assert smile_volatility(FORWARD) == pytest.approx(ATM_IV, abs=0.005)
    for low, high in ((80.0, 90.0), (90.0, 100.0), (95.0, 105.0), (100.0, 115.0)):
        integral, _ = quad(lambda strike: 1.0 - found.below(strike), low, high, epsabs=1e-10)
        assert call(low) - call(high) == pytest.approx(integral, abs=1e-7)


def test_the_smile_puts_more_below_than_the_lognormal() -> None:
    smile, plain = terminal_price(FORWARD, ATM_IV, TENOR, FIT), terminal_price(FORWARD, ATM_IV, TENOR, None)
    assert smile.below(82.0) > 1.3 * plain.below(82.0)
    assert smile.below(98.0) < plain.below(98.0)


@pytest.mark.parametrize(
    ("change", "model"),
    [
        ({}, SMILE),
        ({"residual_rms": 0.0124}, SMILE),
        ({"residual_rms": 0.013}, LOGNORMAL),
        # A bend so sharp that the density beside it is negative.
        ({"sigma": 0.001, "a": 0.0001, "b": 0.3, "rho": -0.9}, LOGNORMAL),
        # Variance below 0 at the forward.
        ({"a": -0.01}, LOGNORMAL),
        ({"b": None}, LOGNORMAL),
    ],
    ids=["good", "five per cent off", "farther off", "arbitrage", "negative", "null"],
)
def test_a_fit_is_used_only_where_it_is_close_and_its_density_positive(change: dict[str, Any], model: str) -> None:
    assert terminal_price(FORWARD, ATM_IV, TENOR, FIT | change).model == model


DISTRIBUTIONS = st.sampled_from([None, FIT]).map(lambda fit: terminal_price(FORWARD, ATM_IV, TENOR, fit))


@given(DISTRIBUTIONS, st.floats(0.0, 1000.0), st.floats(0.0, 1000.0))
def test_more_is_below_a_higher_price(found: TerminalPrice, first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert 0.0 <= found.below(low) <= found.below(high) + 1e-12 <= 1.0 + 1e-12


@given(DISTRIBUTIONS, st.floats(50.0, 200.0))
def test_ranges_that_share_an_end_hold_what_both_hold(found: TerminalPrice, cut: float) -> None:
    assert found.within([(0.0, cut)]) + found.within([(cut, inf)]) == pytest.approx(1.0)


def test_the_mean_is_the_forward() -> None:
    found = terminal_price(FORWARD, ATM_IV, TENOR, None)
    top = FORWARD * exp(10 * ATM_IV * sqrt(TENOR))
    mean, _ = quad(lambda price: 1.0 - found.below(price), 0.0, top, points=[50.0, 100.0, 150.0], epsabs=1e-9)
    assert mean == pytest.approx(FORWARD, abs=1e-6)
