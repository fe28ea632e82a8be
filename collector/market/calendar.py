"""New York and the exchange calendar: sessions, the moment that a quote stands for, days to expiration.

The only place that knows the zone and XNYS. Moments go in and out as aware datetimes (out: UTC), dates are New York
dates; the machine's own zone plays no part. pandas timestamps stay inside.
"""

from __future__ import annotations

import threading
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

import exchange_calendars
from pandas.errors import Pandas4Warning

NEW_YORK = ZoneInfo("America/New_York")

_FIRST_DAY = date(2005, 1, 1)
_YEARS_AHEAD = 4
_REGULAR_CLOSE = time(16)
_HALF_DAY_CLOSE = time(13)
_INVENTED_HALF_DAY_EVERY = 63
_NANOSECONDS = 1_000_000_000


class CalendarError(ValueError):
    """A day, moment or epoch that the calendar cannot place; the message is one line."""


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day: its New York date, its open and close in UTC, whether it closes early."""

    date: date
    open: datetime
    close: datetime
    half_day: bool


class Sessions(Protocol):
    """A calendar of sessions.

    Every method raises CalendarError for a day or moment outside what the calendar knows, and for a moment without a
    time zone.
    """

    name: str

    def session(self, day: date) -> Session | None:
        """Return the session of that date, None on a day without one."""
        ...

    def session_at(self, t: datetime) -> Session | None:
        """Return the session with open <= t < close, None outside."""
        ...

    def last_closed(self, t: datetime) -> Session:
        """Return the newest session with close <= t."""
        ...

    def next_open(self, t: datetime) -> Session:
        """Return the first session with open > t."""
        ...

    def previous(self, day: date) -> Session:
        """Return the last session strictly before the date."""
        ...

    def following(self, day: date) -> Session:
        """Return the first session strictly after the date."""
        ...

    def between(self, start: date, end: date) -> tuple[Session, ...]:
        """Return the sessions from start to end, both included; none where start is after end."""
        ...

    def offset(self, day: date, count: int) -> Session:
        """Return the session ``count`` sessions after (negative: before) the session on or before the date."""
        ...


class _SessionTable:
    """Sessions from a ready list, by bisection. ``last_day`` is the last date that the list covers."""

    def __init__(self, name: str, sessions: Sequence[Session], last_day: date) -> None:
        self.name = name
        self._sessions = tuple(sessions)
        self._dates = [session.date for session in sessions]
        self._opens = [session.open for session in sessions]
        self._closes = [session.close for session in sessions]
        self._by_date = {session.date: session for session in sessions}
        self._first_day = self._dates[0]
        self._last_day = last_day
        self._end = datetime.combine(last_day + timedelta(days=1), time(), NEW_YORK).astimezone(UTC)

    def session(self, day: date) -> Session | None:
        return self._by_date.get(self._known_day(day))

    def session_at(self, t: datetime) -> Session | None:
        moment = self._known_moment(t)
        index = bisect_right(self._opens, moment) - 1
        return self._sessions[index] if moment < self._closes[index] else None

    def last_closed(self, t: datetime) -> Session:
        return self._at(bisect_right(self._closes, self._known_moment(t)) - 1, t)

    def next_open(self, t: datetime) -> Session:
        return self._at(bisect_right(self._opens, self._known_moment(t)), t)

    def previous(self, day: date) -> Session:
        return self._at(bisect_left(self._dates, self._known_day(day)) - 1, day)

    def following(self, day: date) -> Session:
        return self._at(bisect_right(self._dates, self._known_day(day)), day)

    def between(self, start: date, end: date) -> tuple[Session, ...]:
        first = bisect_left(self._dates, self._known_day(start))
        return self._sessions[first : bisect_right(self._dates, self._known_day(end))]

    def offset(self, day: date, count: int) -> Session:
        return self._at(bisect_right(self._dates, self._known_day(day)) - 1 + count, day)

    def _at(self, index: int, asked: date | datetime) -> Session:
        # A negative index would answer from the far end of the tuple.
        if 0 <= index < len(self._sessions):
            return self._sessions[index]
        raise self._outside(asked)

    def _known_day(self, day: date) -> date:
        # A datetime is a date to Python, of whatever zone it carries: it must not pass for a New York date.
        if isinstance(day, datetime):
            raise CalendarError(f"{day.isoformat()} is a moment where a New York date is asked for")
        if self._first_day <= day <= self._last_day:
            return day
        raise self._outside(day)

    def _known_moment(self, t: datetime) -> datetime:
        moment = _utc(t)
        if self._opens[0] <= moment < self._end:
            return moment
        raise self._outside(t)

    def _outside(self, asked: date | datetime) -> CalendarError:
        return CalendarError(
            f"the calendar {self.name} knows {self._first_day} to {self._last_day}: {asked.isoformat()} leads outside"
        )


@dataclass(frozen=True, slots=True)
class QuoteMoment:
    """The times of one quote.

    Attributes:
        stamp: when the provider answered.
        quote_time: when the quote was made.
        as_of: the moment that it stands for: its own inside a session, else the close of the last ended session.
        market_date: the session that it belongs to.
        open_interest_date: the session at whose end the open interest beside it was counted.
        in_session: whether quote_time lies inside a session.
    """

    stamp: datetime
    quote_time: datetime
    as_of: datetime
    market_date: date
    open_interest_date: date
    in_session: bool


def exchange_sessions() -> Sessions:
    """Return the sessions of the New York Stock Exchange (XNYS) from 2005 to four years ahead of today."""
    return _tables()[0]


def continuous_sessions() -> Sessions:
    """Return the demo market's sessions: of XNYS's dates and closes, without a gap between them.

    The session of a date opens when the session before it closed and closes with XNYS, so that one is always on. Every
    63rd session of XNYS, counted from the first of 2005, is made a half day (close at 13:00 New York), so that any 90
    sessions hold one; the next session then opens there.
    """
    return _tables()[1]


def sessions_of(market: str) -> Sessions:
    """Return the calendar that a market (live, demo, recorded) trades by."""
    return continuous_sessions() if market == "demo" else exchange_sessions()


def quote_moment(sessions: Sessions, stamp: datetime, delay: timedelta, stated: datetime | None) -> QuoteMoment:
    """Place one quote in time.

    Args:
        sessions: the calendar that the quote's market trades by.
        stamp: when the provider answered.
        delay: how old the feed's quotes are where they state no time.
        stated: the quote's own time where the feed states it.

    Raises:
        CalendarError: a moment without a time zone or outside the calendar, a negative delay.
    """
    if delay < timedelta(0):
        raise CalendarError(f"the delay of a feed is {delay}: it must be zero or more")
    quote_time = _utc(stamp) - delay if stated is None else _utc(stated)
    session = sessions.session_at(quote_time)
    last = session or sessions.last_closed(quote_time)
    return QuoteMoment(
        stamp=_utc(stamp),
        quote_time=quote_time,
        as_of=quote_time if session else last.close,
        market_date=last.date,
        open_interest_date=sessions.previous(new_york_date(stamp)).date,
        in_session=session is not None,
    )


def new_york_date(t: datetime) -> date:
    """Return the date that it is in New York at the moment ``t``."""
    return _aware(t).astimezone(NEW_YORK).date()


def dte(expiration: date, as_of: datetime) -> int:
    """Return the calendar days from as_of's New York date to expiration; negative after it."""
    return (expiration - new_york_date(as_of)).days


def expiration_of_epoch(seconds: int) -> date:
    """Return the expiration that a feed names by an epoch at midnight UTC: the UTC date, in no zone of the machine.

    Raises:
        CalendarError: no second of a year that dates can name (milliseconds, say).
    """
    try:
        return datetime.fromtimestamp(seconds, UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        raise CalendarError(f"{seconds} is no epoch in seconds of an expiration") from error


def _aware(t: datetime) -> datetime:
    if t.tzinfo is None:
        raise CalendarError(f"{t.isoformat()} has no time zone: moments must be aware")
    return t


def _utc(t: datetime) -> datetime:
    return _aware(t).astimezone(UTC)


def _horizon() -> date:
    today = new_york_date(datetime.now(UTC))
    # The 28th, because 29 February has no counterpart in most years.
    return today.replace(year=today.year + _YEARS_AHEAD, day=min(today.day, 28) if today.month == 2 else today.day)


_building = threading.Lock()


def _tables() -> tuple[_SessionTable, _SessionTable]:
    with _building:
        return _build_tables(_horizon())


@lru_cache(maxsize=1)
def _build_tables(last_day: date) -> tuple[_SessionTable, _SessionTable]:
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Series.values returning an ndarray that drops timezone", category=Pandas4Warning
        )
        calendar = exchange_calendars.get_calendar("XNYS", start=_FIRST_DAY.isoformat(), end=last_day.isoformat())
        opens, closes = calendar.opens_nanos.tolist(), calendar.closes_nanos.tolist()
    exchange = [_session(_moment(opened), _moment(closed)) for opened, closed in zip(opens, closes, strict=True)]
    return (
        _SessionTable("XNYS", exchange, last_day),
        _SessionTable("XNYS continuous", _without_gaps(exchange), last_day),
    )


def _without_gaps(exchange: Sequence[Session]) -> list[Session]:
    closes = [
        session.close
        if ordinal % _INVENTED_HALF_DAY_EVERY
        else datetime.combine(session.date, _HALF_DAY_CLOSE, NEW_YORK).astimezone(UTC)
        for ordinal, session in enumerate(exchange)
    ]
    return [_session(opened, closed) for opened, closed in pairwise(closes)]


def _session(opened: datetime, closed: datetime) -> Session:
    local_close = closed.astimezone(NEW_YORK)
    return Session(local_close.date(), opened, closed, half_day=local_close.time() < _REGULAR_CLOSE)


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds // _NANOSECONDS, UTC)
