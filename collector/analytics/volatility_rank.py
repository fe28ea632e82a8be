"""Where a volatility stands in its own past: rank and percentile over 252 sessions, today not in the window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.analytics.terms import Floats

WINDOW = 252
SHORT_FROM = 20
NORMAL_FROM = 60


@dataclass(frozen=True, slots=True)
class VolatilityRank:
    """Rank and percentile, 0-100, with what they stand on.

    Attributes:
        rank: 100 (today - min) / (max - min); None where ``reason`` says why. Above 100 or below 0 where today is
            beyond the window's range.
        percentile: per cent of the window's sessions strictly below today.
        sessions: how many sessions the window holds.
        status: normal from 60 sessions, short from 20, None below.
        reason: code of why rank is None (short_history, flat_history, or the reason that today has none).
        percentile_reason: likewise of the percentile.
    """

    rank: float | None
    percentile: float | None
    sessions: int
    status: str | None
    reason: str | None
    percentile_reason: str | None


def volatility_rank(past: Floats, today: float | None, missing: str = "no_usable_chain") -> VolatilityRank:
    """Return where ``today`` stands among the sessions before.

    Args:
        past: shape (k,), the volatilities of sessions before today, oldest first; NaN counts as no session. Only the
            last 252 are looked at.
        today: today's volatility, None where it has none.
        missing: the reason code of that.
    """
    window = np.asarray(past, dtype=np.float64)[-WINDOW:]
    window = window[np.isfinite(window)]
    count = int(window.size)
    status = "normal" if count >= NORMAL_FROM else "short" if count >= SHORT_FROM else None
    if status is None:
        return VolatilityRank(None, None, count, None, "short_history", "short_history")
    if today is None:
        return VolatilityRank(None, None, count, status, missing, missing)
    percentile = 100.0 * float((window < today).mean())
    low, high = float(window.min()), float(window.max())
    if high <= low:
        return VolatilityRank(None, percentile, count, status, "flat_history", None)
    return VolatilityRank(100.0 * (today - low) / (high - low), percentile, count, status, None, None)
