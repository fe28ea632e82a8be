"""Rank and percentile against the worked series, at the edges of their history, beyond their window."""

from __future__ import annotations

import numpy as np
import pytest

from collector.analytics.volatility_rank import volatility_rank

SERIES = np.round(0.200 + 0.001 * np.arange(252), 3)


def test_the_worked_series() -> None:
    # .200, .201 … .451, now .300: 100 x .100 / .251 and 100 of 252 sessions below.
    found = volatility_rank(SERIES, 0.300)
    assert found.rank == pytest.approx(39.84, abs=0.005)
    assert found.percentile == pytest.approx(39.68, abs=0.005)
    assert (found.sessions, found.status) == (252, "normal")


def test_only_the_last_252_sessions_count() -> None:
    found = volatility_rank(np.concatenate([[5.0, 0.01], SERIES]), 0.300)
    assert found.rank == pytest.approx(39.84, abs=0.005)
    assert found.sessions == 252


@pytest.mark.parametrize(("count", "status"), [(19, None), (20, "short"), (59, "short"), (60, "normal")])
def test_how_much_history_says_how_much_a_rank_is_worth(count: int, status: str | None) -> None:
    found = volatility_rank(SERIES[:count], 0.205)
    assert (found.sessions, found.status) == (count, status)
    assert (found.rank is None) == (status is None)
    assert (found.reason, found.percentile_reason) == (
        ("short_history", "short_history") if status is None else (None, None)
    )


def test_a_window_that_never_moved_has_no_rank_and_a_percentile() -> None:
    found = volatility_rank(np.full(100, 0.25), 0.30)
    assert (found.rank, found.reason) == (None, "flat_history")
    assert (found.percentile, found.percentile_reason) == (100.0, None)


def test_equal_sessions_are_not_below() -> None:
    assert volatility_rank(np.full(100, 0.25), 0.25).percentile == 0.0


def test_sessions_without_a_volatility_are_no_sessions() -> None:
    holes = np.insert(SERIES, [10, 20, 200], np.nan)
    assert volatility_rank(holes, 0.300).sessions == 249
    assert volatility_rank(np.full(100, np.nan), 0.3).sessions == 0


def test_today_beyond_the_window_is_beyond_its_ends() -> None:
    assert volatility_rank(SERIES, 0.702).rank == pytest.approx(200.0)
    assert volatility_rank(SERIES, 0.1498).rank == pytest.approx(-20.0)


def test_no_volatility_today_says_why() -> None:
    found = volatility_rank(SERIES, None, "extrapolation")
    assert (found.rank, found.percentile, found.reason, found.percentile_reason) == (
        None,
        None,
        "extrapolation",
        "extrapolation",
    )
    assert (found.sessions, found.status) == (252, "normal")
