"""Dated facts: of one company, or of the whole market.

The market's own are listed here as their source stated them, and reach as far as it had by the end of September 2026:
statements of the Federal Open Market Committee from 2025 to 26 January 2028, releases of the consumer price index from
2025 to 10 December 2026. Nothing is extrapolated; what lies beyond, a user adds (collector/user_events.py).

- FOMC: 14:00 New York on the second day of a scheduled meeting, by the Committee's announcements of its schedule (Board
  of Governors, press releases of 9 August 2024 and 5 September 2025). Meetings out of turn are not listed.
- CPI: 08:30 New York, by the schedule of releases of the Bureau of Labor Statistics. OMB's Statistical Policy Directive
  3 has the last release of a year state the dates of the next: that is when they are known here. Three releases were
  moved by lapses of appropriations and are known from the announcement of their new date; the release on October 2025
  was cancelled. The dates that were given up are not listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Literal

from collector.market.calendar import NEW_YORK, new_york_date

EventKind = Literal["earnings", "dividend", "special_dividend", "split", "fomc", "cpi"]

RELEASE_TIMES: dict[EventKind, time] = {"fomc": time(14), "cpi": time(8, 30)}


@dataclass(frozen=True, slots=True)
class Event:
    """A dated fact: of one ticker, or of the whole market where ``ticker`` is None.

    ``amount`` is a dividend in dollars per share or a split's ratio. ``time`` is the moment where one is stated.
    ``known_at`` is when the source stated it; ``source`` names it where it is another than the provider.
    """

    kind: EventKind
    date: date
    known_at: datetime
    ticker: str | None = None
    time: datetime | None = None
    confirmed: bool | None = None
    amount: float | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """Dates that one source stated at one moment."""

    kind: EventKind
    known_at: datetime
    source: str
    days: tuple[date, ...]

    def events(self) -> tuple[Event, ...]:
        """Return an event of the whole market for each date, at the hour at which its kind is released."""
        hour = RELEASE_TIMES[self.kind]
        return tuple(
            Event(
                kind=self.kind,
                date=day,
                known_at=self.known_at,
                time=datetime.combine(day, hour, NEW_YORK).astimezone(UTC),
                source=self.source,
            )
            for day in self.days
        )


def _stated(year: int, month: int, day: int, hour: int = 23, minute: int = 59) -> datetime:
    """Return a moment of New York in UTC; the end of the day where the source gives the date alone."""
    return datetime(year, month, day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


def _days(year: int, *days: tuple[int, int]) -> tuple[date, ...]:
    return tuple(date(year, month, day) for month, day in days)


ANNOUNCEMENTS = (
    Announcement(
        kind="fomc",
        known_at=_stated(2024, 8, 9, 13, 30),
        source="Board of Governors of the Federal Reserve System, press release of 9 August 2024",
        days=(
            *_days(2025, (1, 29), (3, 19), (5, 7), (6, 18), (7, 30), (9, 17), (10, 29), (12, 10)),
            *_days(2026, (1, 28), (3, 18), (4, 29), (6, 17), (7, 29), (9, 16), (10, 28), (12, 9)),
            *_days(2027, (1, 27)),
        ),
    ),
    Announcement(
        kind="fomc",
        known_at=_stated(2025, 9, 5, 13, 30),
        source="Board of Governors of the Federal Reserve System, press release of 5 September 2025",
        days=(
            *_days(2027, (3, 17), (4, 28), (6, 9), (7, 28), (9, 15), (10, 27), (12, 8)),
            *_days(2028, (1, 26)),
        ),
    ),
    Announcement(
        kind="cpi",
        known_at=_stated(2024, 12, 11, 8, 30),
        source="Bureau of Labor Statistics, schedule of releases for 2025",
        days=_days(2025, (1, 15), (2, 12), (3, 12), (4, 10), (5, 13), (6, 11), (7, 15), (8, 12), (9, 11)),
    ),
    Announcement(
        kind="cpi",
        known_at=_stated(2025, 10, 10),
        source="Bureau of Labor Statistics, notice of 10 October 2025 on the release for September 2025",
        days=_days(2025, (10, 24)),
    ),
    Announcement(
        kind="cpi",
        known_at=_stated(2025, 11, 21),
        source="Bureau of Labor Statistics, revised release dates of 21 November 2025",
        days=_days(2025, (12, 18)),
    ),
    Announcement(
        kind="cpi",
        known_at=_stated(2025, 12, 18, 8, 30),
        source="Bureau of Labor Statistics, schedule of releases for 2026",
        days=_days(
            2026, (1, 13), (3, 11), (4, 10), (5, 12), (6, 10), (7, 14), (8, 12), (9, 11), (10, 14), (11, 10), (12, 10)
        ),
    ),
    Announcement(
        kind="cpi",
        known_at=_stated(2026, 2, 4),
        source="Bureau of Labor Statistics, revised release dates of 4 February 2026",
        days=_days(2026, (2, 13)),
    ),
)


def market_events(start: date, end: date) -> tuple[Event, ...]:
    """Return the listed FOMC statements and CPI releases from ``start`` to ``end``, New York dates, by date."""
    listed = [event for announced in ANNOUNCEMENTS for event in announced.events() if start <= event.date <= end]
    return tuple(sorted(listed, key=lambda event: (event.date, event.kind)))


def known(
    ticker: str, provider_events: Sequence[Event], user_events: Sequence[Event], as_of: datetime
) -> tuple[Event, ...]:
    """Return what is known at ``as_of`` of a ticker and of the whole market, by date.

    Args:
        ticker: canonical.
        provider_events: what the provider states: it answers for its moment itself, minutes after the quotes' time, so
            all its statements stay.
        user_events: what the user's file states, of any ticker: of one kind and date it replaces the provider's.
        as_of: what the file and this list say was stated later is not returned.

    This file's own facts join them from the New York date of ``as_of`` on, where neither states that kind and date.
    """
    by_user = [event for event in _of(ticker, user_events) if event.known_at <= as_of]
    stated = {_key(event) for event in by_user}
    by_provider = [event for event in _of(ticker, provider_events) if _key(event) not in stated]
    stated |= {_key(event) for event in by_provider}
    listed = market_events(new_york_date(as_of), date.max)
    own = [event for event in listed if event.known_at <= as_of and _key(event) not in stated]
    return tuple(sorted([*by_user, *by_provider, *own], key=lambda event: (event.date, event.kind, event.known_at)))


def _of(ticker: str, events: Sequence[Event]) -> list[Event]:
    """Return the events of the ticker and of the whole market."""
    return [event for event in events if event.ticker in (None, ticker)]


def _key(event: Event) -> tuple[EventKind, str | None, date]:
    return event.kind, event.ticker, event.date
