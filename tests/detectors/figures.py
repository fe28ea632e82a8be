"""Views of one ticker made figure by figure, for tests of detectors that look at no contract."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from collector.detectors.base import TickerView
from collector.detectors.past import FIGURES, EarningsMove, PastSessions
from collector.market.events import Event
from tests.detectors.views import MARKET_DATE, NOON, chain, view


def weekdays_before(day: date, count: int) -> tuple[date, ...]:
    """Return ``count`` weekdays before a date, oldest first."""
    days: list[date] = []
    while len(days) < count:
        day -= timedelta(days=1)
        if day.weekday() < 5:
            days.append(day)
    return tuple(reversed(days))


def past(earnings: Sequence[EarningsMove] = (), **figures: Sequence[float]) -> PastSessions:
    """The sessions before MARKET_DATE, one an element of each figure; those that are not given are not known."""
    count = max((len(values) for values in figures.values()), default=0)
    columns = {name: np.full(count, math.nan) for name in FIGURES}
    columns |= {name: np.array(values, dtype=np.float64) for name, values in figures.items()}
    return PastSessions(weekdays_before(MARKET_DATE, count), columns, tuple(earnings))


def figures_view(
    features: Mapping[str, Any],
    before: PastSessions | None = None,
    *,
    events: Sequence[Event] = (),
    grade: str | None = "A",
    as_of: datetime = NOON,
) -> TickerView:
    """The ticker's figures of this scan, null where they are not given, and of the sessions before."""
    return replace(
        view([], [chain()], as_of=as_of),
        features={"grade": grade, "median_relative_spread": 0.05, "reasons": {}, **features},
        past=before or past(),
        events=tuple(events),
    )
