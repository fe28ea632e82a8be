"""Scales that detectors share when they say what a finding stands on."""

from __future__ import annotations

import math
from datetime import date

import numpy as np

from collector.detectors.base import TickerView
from collector.detectors.past import Floats

# (ask - bid) / mid near the money at which nothing can be traded sensibly.
WIDEST_SPREAD = 0.25


def liquidity(relative_spread: float | None) -> float:
    """Return 0-1 from a relative spread: 1 at none, 0 from WIDEST_SPREAD on or where it is not known."""
    if relative_spread is None or not math.isfinite(relative_spread):
        return 0.0
    return min(max(1.0 - relative_spread / WIDEST_SPREAD, 0.0), 1.0)


def ramp(value: float, level: float, full: float) -> float:
    """Return 0-1: 0 at the level, 1 at ``full`` and beyond, linear between; ``full`` may lie on either side."""
    if full == level:
        return 1.0
    return min(max((value - level) / (full - level), 0.0), 1.0)


def share(*says: bool) -> float:
    """Return the share of inputs that say the same; what is not known says nothing."""
    return sum(says) / len(says)


def days_to_event(view: TickerView, until: date | None = None) -> float | None:
    """Return the calendar days to the ticker's next earnings or the market's next event, at most ``until``."""
    coming = [
        event.date
        for event in view.events
        if event.date >= view.market_date
        and (until is None or event.date <= until)
        and event.kind in ("earnings", "fomc", "cpi")
        and event.ticker in (None, view.ticker)
    ]
    return float((min(coming) - view.market_date).days) if coming else None


def deviations(value: float, past: Floats) -> float | None:
    """Return how many standard deviations ``value`` lies from the mean of its past; None where that has none."""
    if past.size < 2:
        return None
    spread = float(np.std(past, ddof=1))
    return (value - float(np.mean(past))) / spread if spread > 1e-12 else None
