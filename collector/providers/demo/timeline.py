"""The demo market's sessions as numbers: an ordinal from a fixed first day, and how far a session has run.

Everything scripted goes by ordinal, so the ordinal of a date must never depend on the day the process started: it
counts from FIRST_DAY. The last minute of a session stands still (its closing auction): a quote then equals the
session's bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray

from collector.market.calendar import Session, continuous_sessions
from collector.providers.demo.draws import FloatArray, IntArray

FIRST_DAY = date(2006, 1, 3)
# Two years and more of events and of open interest lie behind the first moment, a year of expirations before the last.
WARM_UP = 700
RUN_OUT = 300
YEARS_AHEAD = 3
AUCTION_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Instants:
    """Moments, one an element: session ordinal, progress through it (0 at its open, 1 in its auction), POSIX time."""

    ordinal: IntArray
    progress: FloatArray
    seconds: FloatArray


class Timeline:
    """The sessions from FIRST_DAY on, with ``dates`` (datetime64[D]), ``opens`` and ``closes`` (POSIX seconds)."""

    def __init__(self, sessions: tuple[Session, ...]) -> None:
        self.sessions = sessions
        self.dates: NDArray[np.datetime64] = np.array([session.date for session in sessions], dtype="datetime64[D]")
        self.opens: FloatArray = np.array([session.open.timestamp() for session in sessions])
        self.closes: FloatArray = np.array([session.close.timestamp() for session in sessions])

    def __len__(self) -> int:
        """Return how many sessions it has."""
        return len(self.sessions)

    def ordinal_of(self, day: date) -> int:
        """Return the ordinal of the first session on or after ``day``."""
        return int(np.searchsorted(self.dates, np.datetime64(day, "D")))

    def ordinal_at(self, moment: datetime) -> int:
        """Return the ordinal of the session that ``moment`` (aware) lies in.

        Raises:
            ValueError: it is naive, or the market does not reach that far back or ahead.
        """
        if moment.tzinfo is None:
            raise ValueError(f"moment {moment.isoformat()} has no time zone: give an aware datetime")
        ordinal = int(np.searchsorted(self.opens, moment.timestamp(), side="right")) - 1
        if not WARM_UP <= ordinal < len(self) - RUN_OUT:
            first, last = self.sessions[WARM_UP].date, self.sessions[-RUN_OUT - 1].date
            raise ValueError(f"moment {moment.isoformat()} is outside the demo market: give one from {first} to {last}")
        return ordinal

    def instant(self, moment: datetime) -> Instants:
        """Return ``moment`` as Instants of one element."""
        ordinal = self.ordinal_at(moment)
        seconds = moment.timestamp()
        elapsed = (seconds - self.opens[ordinal]) / (self.closes[ordinal] - self.opens[ordinal] - AUCTION_SECONDS)
        return Instants(np.array([ordinal]), np.array([min(max(elapsed, 0.0), 1.0)]), np.array([seconds]))

    def at(self, ordinals: IntArray, progress: FloatArray) -> Instants:
        """Return the instants at ``progress`` through the sessions ``ordinals``."""
        opens = self.opens[ordinals]
        return Instants(ordinals, progress, opens + progress * (self.closes[ordinals] - opens - AUCTION_SECONDS))


@cache
def timeline() -> Timeline:
    """Return the one timeline of this process."""
    end = date(datetime.now(UTC).year + YEARS_AHEAD, 12, 31)
    return Timeline(continuous_sessions().between(FIRST_DAY, end))
