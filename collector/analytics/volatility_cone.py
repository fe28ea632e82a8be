"""The volatility cone: how realised volatility of several windows was spread over the last year.

Source: G. Burghardt and M. Lane, "How to tell if options are cheap", Journal of Portfolio Management 16 (1990) 72-78.
Windows overlap, so the quartiles of the long ones rest on few independent observations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.analytics.realised_volatility import TRADING_DAYS, rolling_realised_volatility
from collector.analytics.terms import Floats

# Sessions, and the calendar days of the implied volatility that stands beside them.
WINDOWS = {5: 7, 10: 14, 20: 30, 40: 60, 60: 90, 120: 180}
LOOK_BACK = TRADING_DAYS
LEAST_OBSERVATIONS = 20


@dataclass(frozen=True, slots=True)
class ConeRow:
    """One window's spread, decimal per year: None where fewer than 20 observations are there."""

    sessions: int
    minimum: float | None
    lower: float | None
    median: float | None
    upper: float | None
    maximum: float | None
    current: float | None


def volatility_cone(closes: Floats, split_factors: Floats) -> tuple[ConeRow, ...]:
    """Return one row a window of WINDOWS.

    Args:
        closes: shape (n,), as printed, oldest first, NaN where missing; the last is the newest closed session.
        split_factors: shape (n,), the ratio of a split at its first session, else 1.
    """
    rows = []
    for window in WINDOWS:
        rolled = rolling_realised_volatility(closes, split_factors, window)[-LOOK_BACK:]
        seen = rolled[np.isfinite(rolled)]
        current = float(rolled[-1]) if rolled.size and np.isfinite(rolled[-1]) else None
        if seen.size < LEAST_OBSERVATIONS:
            rows.append(ConeRow(window, None, None, None, None, None, current))
            continue
        minimum, lower, median, upper, maximum = np.quantile(seen, [0.0, 0.25, 0.5, 0.75, 1.0]).tolist()
        rows.append(ConeRow(window, minimum, lower, median, upper, maximum, current))
    return tuple(rows)
