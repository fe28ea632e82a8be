"""The cone of a path whose volatility is known, and what it says of too little history."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from collector.analytics.volatility_cone import WINDOWS, volatility_cone


def closes(count: int, sigma: float = 0.25, seed: int = 3) -> np.ndarray:
    returns = np.random.default_rng(seed).normal(0.0, sigma / np.sqrt(252), count)
    return 100.0 * np.exp(np.cumsum(returns))


def test_each_window_is_spread_as_its_rolling_volatilities_are() -> None:
    prices = closes(373)
    for row in volatility_cone(prices, np.ones(373)):
        logs = np.diff(np.log(prices))
        rolled = [
            statistics.stdev(logs[end - row.sessions : end]) * 252**0.5 for end in range(row.sessions, len(logs) + 1)
        ][-252:]
        assert row.minimum == pytest.approx(min(rolled))
        assert row.maximum == pytest.approx(max(rolled))
        assert row.median == pytest.approx(statistics.median(rolled))
        assert row.current == pytest.approx(rolled[-1])
        assert row.minimum <= row.lower <= row.median <= row.upper <= row.maximum  # type: ignore[operator]


def test_it_narrows_as_the_window_grows_around_the_true_volatility() -> None:
    rows = volatility_cone(closes(373), np.ones(373))
    widths = [row.maximum - row.minimum for row in rows]  # type: ignore[operator]
    assert widths == sorted(widths, reverse=True)
    assert rows[3].median == pytest.approx(0.25, rel=0.2)


def test_windows_with_too_few_observations_have_no_spread() -> None:
    rows = {row.sessions: row for row in volatility_cone(closes(58), np.ones(58))}
    assert rows[5].median is not None
    assert (rows[40].median, rows[40].current is None) == (None, False)
    assert (rows[120].median, rows[120].current) == (None, None)
    assert tuple(rows) == tuple(WINDOWS)


def test_a_split_moves_nothing() -> None:
    prices, factor = closes(200), np.ones(200)
    factor[150] = 10.0
    split = prices / np.where(np.arange(200) >= 150, 10.0, 1.0)
    plain = volatility_cone(prices, np.ones(200))
    assert [row.median for row in volatility_cone(split, factor)] == pytest.approx([row.median for row in plain])


def test_a_missing_close_leaves_out_the_windows_over_it_alone() -> None:
    prices = closes(373)
    prices[-30] = np.nan
    rows = {row.sessions: row for row in volatility_cone(prices, np.ones(373))}
    assert rows[20].current is not None
    assert rows[40].current is None
    assert rows[40].median is not None
