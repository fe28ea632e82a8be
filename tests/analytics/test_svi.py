"""Raw SVI: its density by differences of prices from another library, and fits of what it made itself."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.analytics.svi import Svi, fit

VOGT = Svi(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)
SOUND = Svi(0.01, 0.08, -0.5, 0.0, 0.15)


def density(smile: Svi, k: float, step: float = 2e-3) -> float:
    """Return the second difference in strike of QuantLib's call prices on the smile, forward 1, one year."""
    strikes = np.exp(k) + step * np.array([-1.0, 0.0, 1.0])
    deviation = np.sqrt(smile.total_variance(np.log(strikes)))
    prices = [
        ql.blackFormula(ql.Option.Call, float(one), 1.0, float(dev))
        for one, dev in zip(strikes, deviation, strict=True)
    ]
    return float(prices[0] - 2 * prices[1] + prices[2]) / step**2


@pytest.mark.parametrize(
    "smile",
    [VOGT, SOUND, Svi(0.04, 0.0, 0.0, 0.0, 0.1), Svi(0.001, 0.4, -0.9, 0.02, 0.02), Svi(0.01, 0.9, 0.2, 0, 0.3)],
)
def test_the_sign_of_the_density_is_that_of_butterflies_of_prices(smile: Svi) -> None:
    smallest = min(density(smile, k) for k in np.linspace(-1.0, 1.0, 101))
    assert smile.density_is_positive(-1.0, 1.0) == (smallest > -1e-9)


def test_a_smile_that_fails_in_one_place_is_sound_elsewhere() -> None:
    assert not VOGT.density_is_positive(-1.5, 1.5)
    assert VOGT.density_is_positive(-0.5, 0.4)


def test_variance_below_zero_is_no_density() -> None:
    assert not Svi(-0.02, 0.05, 0.0, 0.0, 0.1).density_is_positive(-0.3, 0.3)


@settings(max_examples=60, deadline=None)
@given(
    level=st.floats(0.1, 0.8),
    tenor=st.floats(0.02, 2.0),
    rho=st.floats(-0.9, 0.6),
    curve=st.floats(0.2, 1.5),
    bend=st.floats(0.3, 2.0),
    shift=st.floats(-0.5, 0.5),
)
def test_what_it_made_is_found_again(
    level: float, tenor: float, rho: float, curve: float, bend: float, shift: float
) -> None:
    deviation = level * tenor**0.5
    true = Svi(0.5 * deviation**2, 0.5 * curve * deviation, rho, shift * deviation, bend * deviation)
    k = np.linspace(-3 * deviation, 3 * deviation, 45)
    (found,) = fit(k[None], true.total_variance(k)[None], np.ones((1, 45)))
    fitted, made = np.sqrt(found.total_variance(k) / tenor), np.sqrt(true.total_variance(k) / tenor)
    assert np.abs(fitted - made).max() < 1e-3 * level
    assert found.b >= 0
    assert abs(found.rho) <= 1
    assert found.sigma > 0
