"""Figures by delta of a chain priced by another library, and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
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
