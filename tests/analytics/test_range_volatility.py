"""Range estimators against a worked session, a simulated path of known volatility, and their own definitions' edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from collector.analytics.range_volatility import NAMES, Sessions, range_volatilities

SIGMA = 0.30


def simulated(sessions: int, steps: int, drift: float = 0.0, gap: float = 0.0, seed: int = 5) -> Sessions:
    """Return sessions of geometric Brownian motion of volatility SIGMA, ``gap`` of the variance between them."""
    random = np.random.default_rng(seed)
    daily = SIGMA**2 / 252
    inside = random.normal(drift / steps, math.sqrt(daily * (1 - gap) / steps), (sessions, steps))
    before = random.normal(0.0, math.sqrt(daily * gap), sessions) if gap else np.zeros(sessions)
    opens, level = np.empty(sessions), math.log(100.0)
    paths = np.empty((sessions, steps + 1))
    for day in range(sessions):
        opens[day] = level + before[day]
        paths[day] = opens[day] + np.concatenate([[0.0], np.cumsum(inside[day])])
        level = paths[day, -1]
    return Sessions(
        np.exp(opens), np.exp(paths.max(axis=1)), np.exp(paths.min(axis=1)), np.exp(paths[:, -1]), np.ones(sessions)
    )


def figures(bars: Sessions, window: int) -> dict[str, float]:
    return {name: value for name, (value, _) in range_volatilities(bars, window).items()}  # type: ignore[misc]


def test_one_session_by_hand() -> None:
    # Two sessions 100 / 110 / 95 / 105 after a close of 100: ln(110/95) = .146603, ln(105/100) = .048790.
    bars = Sessions(
        np.array([100.0, 100.0, 105.0]),
        np.array([100.0, 110.0, 115.5]),
        np.array([100.0, 95.0, 99.75]),
        np.array([100.0, 105.0, 110.25]),
        np.ones(3),
    )
    found = figures(bars, 2)
    assert found["parkinson"] == pytest.approx(math.sqrt(0.1466034742**2 / (4 * math.log(2)) * 252), rel=1e-8)
    klass = 0.1466034742**2 / 2 - 0.3862943611 * 0.0487901642**2
    assert found["garman_klass"] == pytest.approx(math.sqrt(klass * 252), rel=1e-8)
    satchell = 0.0465200156 * 0.0953101798 + 0.1000834586 * 0.0512932944
    assert found["rogers_satchell"] == pytest.approx(math.sqrt(satchell * 252), rel=1e-8)
    # Gaps are 0 and 0, bodies equal: both sample variances vanish; k = .34 / (1.34 + 3 / 1).
    assert found["yang_zhang"] == pytest.approx(math.sqrt((1 - 0.34 / 4.34) * satchell * 252), rel=1e-8)


def test_a_path_of_known_volatility() -> None:
    found = figures(simulated(1_200, 4_000), 1_199)
    for name in NAMES:
        # A path seen 4,000 times a session shows a little less than its whole range.
        assert found[name] == pytest.approx(SIGMA, rel=0.04), name


def test_gaps_between_sessions_are_seen_by_yang_and_zhang_alone() -> None:
    found = figures(simulated(1_200, 4_000, gap=0.4), 1_199)
    assert found["yang_zhang"] == pytest.approx(SIGMA, rel=0.04)
    for name in ("parkinson", "garman_klass", "rogers_satchell"):
        assert found[name] == pytest.approx(SIGMA * math.sqrt(0.6), rel=0.04), name


def test_drift_does_not_move_rogers_satchell_and_yang_zhang() -> None:
    found = figures(simulated(1_200, 4_000, drift=0.02), 1_199)
    assert found["rogers_satchell"] == pytest.approx(SIGMA, rel=0.04)
    assert found["yang_zhang"] == pytest.approx(SIGMA, rel=0.04)
    assert found["parkinson"] > SIGMA * 1.08


def test_a_split_between_two_sessions_is_no_gap() -> None:
    bars = simulated(40, 100, gap=0.3)
    factor = np.ones(40)
    factor[25] = 4.0
    after = np.where(np.arange(40) >= 25, 4.0, 1.0)
    split = Sessions(bars.open / after, bars.high / after, bars.low / after, bars.close / after, factor)
    assert figures(split, 30) == pytest.approx(figures(bars, 30), rel=1e-9)


@pytest.mark.parametrize("name", ["open", "high", "low", "close"])
@pytest.mark.parametrize("value", [np.nan, 0.0, -1.0])
def test_a_missing_price_in_the_window_is_short_history(name: str, value: float) -> None:
    bars = simulated(30, 50)
    getattr(bars, name)[-3] = value
    assert set(range_volatilities(bars, 20).values()) == {(None, "short_history")}
    assert set(range_volatilities(simulated(20, 50), 20).values()) == {(None, "short_history")}


def test_a_missing_price_before_the_window_is_none_of_its_business() -> None:
    bars = simulated(30, 50)
    bars.high[3] = np.nan
    assert all(value is not None for value, _ in range_volatilities(bars, 20).values())


def test_a_high_below_the_close_is_refused() -> None:
    bars = simulated(30, 50)
    bars.high[-4] = bars.close[-4] * 0.99
    assert set(range_volatilities(bars, 20).values()) == {(None, "inconsistent_bars")}
