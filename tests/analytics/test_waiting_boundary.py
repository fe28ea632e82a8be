"""The edge of the exercise region before an ex-date against a random walk that solves the same problem."""

from __future__ import annotations

import numpy as np
import pytest

from collector.analytics.waiting_boundary import STILL, fall

STEP = 0.02


def walked(speed: float, until: float) -> dict[float, float]:
    """Return the edge at some waits before the ex-date, of a put held along a walk of steps up and down, measured from
    a boundary that moves down by ``speed`` deviations a wait.
    """
    x = np.arange(-6.0, 10.0, STEP)
    inside = np.maximum(x, 0.0)
    # What a boundary that has always moved so leaves of the time value: v'' / 2 - speed v' = 1.
    settled = inside**2 if not speed else np.expm1(2 * speed * inside) / (2 * speed**2) - inside / speed
    value = 1.0 + settled
    up = (1.0 - speed * STEP) / 2
    found = {}
    for step in range(1, round(until / STEP**2) + 1):
        value[1:-1] = np.maximum(up * value[2:] + (1.0 - up) * value[:-2] - STEP**2, 0.0)
        value[0], value[-1] = max(value[0] - STEP**2, 0.0), 1.0 + settled[-1]
        waits = step * STEP**2
        exercised = np.flatnonzero(value <= 0)
        if exercised.size:
            # A little way in, the time value is the parabola from the edge.
            within = exercised[-1] + 4
            found[round(waits, 6)] = float(x[within] - np.sqrt(value[within]))
    return found


@pytest.fixture(scope="module")
def edge() -> dict[float, float]:
    """Return the edge before a boundary that does not move."""
    return walked(0.0, 4.0)


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


def test_a_boundary_that_moves_stands_still_for_a_share_of_the_wait(edge: dict[float, float]) -> None:
    """The share is .69 close to the wait and half of it long before: one figure between them stands for all."""
    speed = 0.1
    moving = walked(speed, 2.2)
    shares = []
    for waits in (1.1, 1.3, 1.6, 2.0):
        nearest = min(moving.keys() & edge.keys(), key=lambda moment: abs(moment - waits))
        shares.append((moving[nearest] - edge[nearest]) / speed)
    assert shares == sorted(shares, reverse=True)
    assert shares == pytest.approx([STILL] * 4, abs=0.08)
    assert np.mean(shares) == pytest.approx(STILL, abs=0.03)
