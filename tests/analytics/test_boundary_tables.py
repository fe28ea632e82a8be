"""Boundaries read between the volatilities at which they were solved, and their slopes, against boundaries solved."""

from __future__ import annotations

import numpy as np
import pytest

from collector.analytics.boundary_tables import POINTS, Tables
from collector.analytics.terms import Terms

TENOR = np.array([0.05, 0.5, 2.0])
RATE = np.array([0.05, 0.04, 0.03])
CARRY_YIELD = np.array([0.0, 0.02, 0.06])
WIDTHS = [1.5, 3.5, 7.0, 15.0]


def tables(low: np.ndarray, high: np.ndarray, bump: float = 0.0) -> Tables:
    rate = RATE + bump
    spot = np.full(3, 100.0)
    forward = spot * np.exp((rate - CARRY_YIELD) * TENOR)
    return Tables(Terms(TENOR, rate, forward, spot, np.ones(3, dtype=bool), ((),) * 3), low, high)


def keys() -> np.ndarray:
    """Return puts and calls of the three chains that are ever exercised: no calls without a yield."""
    return np.array([0, 2, 3, 4, 5])


@pytest.mark.parametrize(("width", "allowed"), list(zip(WIDTHS, (2e-4, 1e-3, 3e-3, 1e-2), strict=True)))
def test_a_boundary_between_the_nodes_is_the_one_solved_there(width: float, allowed: float) -> None:
    """A premium moves by far less than the boundary; over the widest range that is off where its equation changes."""
    low = np.full(3, 0.12)
    wide = tables(low, low * width)
    for share in (0.07, 0.31, 0.58, 0.93):
        sigma = 0.12 * width**share
        own = tables(np.full(3, sigma / 1.1), np.full(3, sigma * 1.1))
        key, tenor = keys(), TENOR[keys() >> 1]
        read, solved = (one.grid(key, np.full(5, sigma), tenor).log_boundary for one in (wide, own))
        assert read == pytest.approx(solved, abs=allowed)


@pytest.mark.parametrize("width", WIDTHS)
def test_slopes_are_those_of_the_boundary_bumped(width: float) -> None:
    low = np.full(3, 0.12)
    wide, dearer = tables(low, low * width), tables(low, low * width, 1e-4)
    key, tenor = keys(), TENOR[keys() >> 1]
    sigma = np.full(5, 0.12 * width**0.4)
    grid = wide.sloped_grid(key, sigma, tenor, rates=True)
    assert grid.by_sigma is not None
    assert grid.by_rate is not None
    assert grid.by_sigma.shape == grid.by_rate.shape == (5, POINTS)
    assert grid.log_boundary == pytest.approx(wide.grid(key, sigma, tenor).log_boundary, abs=1e-14)
    up, down = (wide.grid(key, sigma + bump, tenor).log_boundary for bump in (1e-5, -1e-5))
    assert grid.by_sigma == pytest.approx((up - down) / 2e-5, abs=1e-6)
    moved = (dearer.grid(key, sigma, tenor).log_boundary - grid.log_boundary) / 1e-4
    assert grid.by_rate == pytest.approx(moved, abs=0.03 * np.abs(moved).max())


def test_beyond_the_range_the_boundary_of_its_end_stays() -> None:
    low, high = np.full(3, 0.2), np.full(3, 0.4)
    one, key, tenor = tables(low, high), keys(), TENOR[keys() >> 1]
    far, end = (one.sloped_grid(key, np.full(5, sigma), tenor) for sigma in (0.9, 0.4 * 1.02))
    assert far.log_boundary == pytest.approx(end.log_boundary, abs=1e-9)
    assert far.by_sigma is not None
    assert (far.by_sigma == 0).all()
    assert not one.covers(key >> 1, np.full(5, 0.9)).any()
    assert one.covers(key >> 1, np.full(5, 0.4)).all()
