"""Figures by delta of a chain priced by another library, and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vollib.black.greeks.analytical import delta as vollib_delta

from collector.analytics.skew import DeltaVolatilities, delta_volatilities, skew_figures

FORWARD, TENOR = 100.0, 0.25


def chain(step: float = 1.0) -> tuple[np.ndarray, ...]:
    """Return a chain without interest whose volatility is .25 - .4 ln(K/F) + 1.5 ln(K/F)², deltas by vollib."""
    strikes = np.arange(60.0, 150.0, step)
    k = np.log(strikes / FORWARD)
    smile = 0.25 - 0.4 * k + 1.5 * k * k
    strike, sigma = np.tile(strikes, 2), np.tile(smile, 2)
    is_call = np.repeat([True, False], len(strikes))
    delta = np.array(
        [
            vollib_delta("c" if call else "p", FORWARD, one, TENOR, 0.0, vol)
            for one, call, vol in zip(strike, is_call, sigma, strict=True)
        ]
    )
    return strike, is_call, sigma, delta


def volatility_at(target: float, flag: str) -> float:
    """Return by bisection the smile's own volatility at a delta."""
    low, high = (100.0, 160.0) if flag == "c" else (50.0, 100.0)
    for _ in range(80):
        middle = (low + high) / 2
        k = math.log(middle / FORWARD)
        vol = 0.25 - 0.4 * k + 1.5 * k * k
        found = abs(vollib_delta(flag, FORWARD, middle, TENOR, 0.0, vol))
        beyond = found > target
        if (flag == "c") == beyond:
            low = middle
        else:
            high = middle
    return vol


def test_volatilities_by_delta_are_the_smiles_own() -> None:
    found = delta_volatilities(*chain(), FORWARD)
    assert found.put_iv_25d == pytest.approx(volatility_at(0.25, "p"), abs=2e-4)
    assert found.call_iv_25d == pytest.approx(volatility_at(0.25, "c"), abs=2e-4)
    assert found.put_iv_10d == pytest.approx(volatility_at(0.10, "p"), abs=4e-4)
    assert found.call_iv_10d == pytest.approx(volatility_at(0.10, "c"), abs=4e-4)


def test_the_figures_by_hand() -> None:
    figures = skew_figures(DeltaVolatilities(0.25, 0.30, 0.22, 0.38, 0.21), 0.24)
    assert figures["skew_25d"] == pytest.approx(0.32)
    assert figures["risk_reversal_25d"] == pytest.approx(-0.08)
    assert figures["butterfly_25d"] == pytest.approx(0.02)
    assert figures["skew_10d"] == pytest.approx(0.68)
    assert figures["risk_reversal_10d"] == pytest.approx(-0.17)
    assert figures["butterfly_10d"] == pytest.approx(0.055)


def test_a_delta_beyond_the_quotes_has_no_volatility_and_the_others_stay() -> None:
    strike, is_call, sigma, delta = chain()
    near = (strike > 90) & (strike < 130)
    found = delta_volatilities(strike[near], is_call[near], sigma[near], delta[near], FORWARD)
    assert np.isnan(found.put_iv_10d)
    figures = skew_figures(found, 0.25)
    assert (figures["skew_10d"], figures["butterfly_10d"]) == (None, None)
    assert figures["skew_25d"] is not None


def test_rows_without_volatility_are_passed_over() -> None:
    strike, is_call, sigma, delta = chain()
    whole = delta_volatilities(strike, is_call, sigma, delta, FORWARD)
    holes = sigma.copy()
    holes[::7] = np.nan
    found = delta_volatilities(strike, is_call, holes, delta, FORWARD)
    assert found.put_iv_25d == pytest.approx(whole.put_iv_25d, abs=1e-3)
    nothing = delta_volatilities(strike, is_call, np.full(sigma.shape, np.nan), delta, FORWARD)
    assert all(value is None for value in skew_figures(nothing, None).values())


def test_between_two_quoted_deltas_volatility_is_linear_in_delta() -> None:
    # Calls of 35 and 15 delta at .20 and .24: at 25 half way. Puts of 30 and 5 delta at .26 and .36: at 25 a fifth.
    strike = np.array([100.0, 105.0, 110.0, 95.0, 80.0])
    is_call = np.array([True, True, True, False, False])
    sigma = np.array([0.21, 0.20, 0.24, 0.26, 0.36])
    delta = np.array([0.52, 0.35, 0.15, -0.30, -0.05])
    found = delta_volatilities(strike, is_call, sigma, delta, FORWARD)
    assert found.call_iv_25d == pytest.approx(0.22)
    assert found.put_iv_25d == pytest.approx(0.28)
    assert found.put_iv_10d == pytest.approx(0.34)
    assert np.isnan(found.call_iv_10d)
    # 50 delta lies between .52 and .35: .21 - .01 · 2 / 17.
    assert found.iv_50d == pytest.approx(0.21 - 0.01 * 0.02 / 0.17)


def test_in_the_money_quotes_take_no_part_in_the_wings() -> None:
    strike, is_call, sigma, delta = chain()
    wild = np.where(is_call == (strike < FORWARD), 5.0, sigma)
    sound, found = (delta_volatilities(strike, is_call, one, delta, FORWARD) for one in (sigma, wild))
    for name in ("put_iv_25d", "call_iv_25d", "put_iv_10d", "call_iv_10d"):
        assert getattr(found, name) == getattr(sound, name)


@given(level=st.floats(0.05, 0.9), days=st.floats(1.0, 365.0))
def test_a_flat_smile_has_no_skew(level: float, days: float) -> None:
    deviation = level * math.sqrt(days / 365)
    strikes = FORWARD * np.exp(np.linspace(-3.5, 3.5, 41) * deviation)
    strike, is_call = np.tile(strikes, 2), np.repeat([True, False], 41)
    delta = [
        vollib_delta("c" if call else "p", FORWARD, one, days / 365, 0.0, level)
        for one, call in zip(strike, is_call, strict=True)
    ]
    found = delta_volatilities(strike, is_call, np.full(82, level), np.array(delta), FORWARD)
    figures = skew_figures(found, level)
    assert all(value == pytest.approx(0.0, abs=1e-12) for value in figures.values())
