"""The edge of the exercise region before an ex-date against a random walk that solves the same problem."""

from __future__ import annotations

import numpy as np
import pytest

from collector.analytics.waiting_boundary import fall

STEP = 0.02


@pytest.fixture(scope="module")
def edge() -> dict[float, float]:
    """Return the edge at some waits before the ex-date, of a put held along a walk of equal steps up and down."""
    x = np.arange(-6.0, 10.0, STEP)
    value = 1.0 + np.maximum(x, 0.0) ** 2
    found = {}
    for step in range(1, round(4.0 / STEP**2) + 1):
        value[1:-1] = np.maximum((value[2:] + value[:-2]) / 2 - STEP**2, 0.0)
        value[0], value[-1] = max(value[0] - STEP**2, 0.0), 1.0 + x[-1] ** 2
        waits = step * STEP**2
        exercised = np.flatnonzero(value <= 0)
        if exercised.size:
            # A little way in, the time value is the parabola from the edge.
            within = exercised[-1] + 4
            found[round(waits, 6)] = float(x[within] - np.sqrt(value[within]))
    return found


@pytest.mark.parametrize("waits", [1.01, 1.03, 1.1, 1.3, 1.6, 2.0, 3.0, 4.0])
def test_the_boundary_falls_as_the_walk_says(edge: dict[float, float], waits: float) -> None:
    nearest = min(edge, key=lambda moment: abs(moment - waits))
    assert fall(np.array([nearest]))[0] == pytest.approx(-edge[nearest], rel=0.03, abs=0.004)


def test_no_exercise_pays_within_the_wait(edge: dict[float, float]) -> None:
    assert min(edge) > 1.0


def test_long_before_the_wait_it_falls_like_the_diffusion_of_one_dividend() -> None:
    """By the heat equation with the edge held: one dividend of value leaves 1 / sqrt(2 pi t)."""
    for waits in (80.0, 500.0, 1e5):
        assert fall(np.array([waits]))[0] * np.sqrt(2 * np.pi * waits) == pytest.approx(1.0, abs=0.02)


def test_the_boundary_falls_more_the_nearer_the_wait() -> None:
    falls = fall(np.linspace(0.5, 60.0, 2_000))
    assert (np.diff(falls) <= 1e-12).all()
    assert np.isfinite(falls).all()
