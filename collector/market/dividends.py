"""Cash dividends to come: declared ones, and those that a company's habit lets one expect.

A dividend is known by its ex-date. Declared: the source states one ahead. Projected: the regular dividends of the past
year and a half went ex a steady number of days apart; the next ones are expected at that distance with the last regular
amount, on sessions. Special dividends are not repeated. Where no past is known the stated yearly rate, in dollars a
share, is spread over the quarters from a quarter ahead.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from collector.market.calendar import CalendarError, Sessions, new_york_date
from collector.market.events import Event

# Days between regular dividends, and how many a year.
CADENCES = {30: 12, 91: 4, 182: 2, 365: 1}
# How far a gap may be from its cadence, as a share of it.
STEADY = 0.25
LOOK_BACK = timedelta(days=560)
SECONDS_A_YEAR = 365 * 86_400


@dataclass(frozen=True, slots=True)
class Dividend:
    """A cash dividend: years from now to its ex-date's open, and dollars a share."""

    time: float
    amount: float


@dataclass(frozen=True, slots=True)
class ExDividend:
    """Dollars a share that a buyer on ``date`` no longer gets."""

    date: date
    amount: float
    source: Literal["declared", "projected"]


def schedule(
    events: Sequence[Event],
    ticker: str,
    as_of: datetime,
    until: date,
    sessions: Sessions,
    dividend_rate: float | None = None,
) -> tuple[ExDividend, ...] | None:
    """Return the dividends that go ex after ``as_of`` and not after ``until``, by date.

    Args:
        events: what is known of the ticker; those stated after ``as_of`` are not looked at.
        ticker: canonical.
        as_of: from when.
        until: last ex-date of interest.
        sessions: the calendar that the ex-dates lie on.
        dividend_rate: dollars a share and year as stated with the quote (never a yield: its unit is a trap).

    Returns:
        () where the company is known to pay none (a stated rate of 0), None where nothing is known of dividends.
    """
    today = new_york_date(as_of)
    known = [
        event
        for event in events
        if event.ticker == ticker
        and event.kind in ("dividend", "special_dividend")
        and event.known_at <= as_of
        and event.amount is not None
        and event.amount > 0
    ]
    splits = [event for event in events if event.kind == "split" and event.ticker == ticker and event.amount]
    declared = {event.date: event.amount for event in known if event.date > today and event.amount}
    coming = [ExDividend(day, amount, "declared") for day, amount in sorted(declared.items()) if day <= until]
    regular = {
        event.date: (event.amount or 0.0) / _split_since(splits, event.date, today)
        for event in known
        if event.kind == "dividend" and event.date > today - LOOK_BACK
    }
    projected = _projected(sorted(regular.items()), today, until, sessions, dividend_rate)
    if projected is None:
        return tuple(coming) if coming or dividend_rate == 0 else None
    near = timedelta(days=10)
    return tuple(
        sorted(
            coming + [one for one in projected if all(abs(one.date - day) > near for day in declared)],
            key=lambda one: one.date,
        )
    )


def in_years(
    dividends: Sequence[ExDividend] | None, as_of: datetime, sessions: Sessions
) -> tuple[Dividend, ...] | None:
    """Return dividends by the years from ``as_of`` to the open of their ex-date; None stays None."""
    if dividends is None:
        return None
    found = []
    for one in dividends:
        try:
            session = sessions.session(one.date) or sessions.following(one.date)
        except CalendarError:
            continue
        seconds = (session.open - as_of).total_seconds()
        if seconds > 0:
            found.append(Dividend(seconds / SECONDS_A_YEAR, one.amount))
    return tuple(found)


def _split_since(splits: Sequence[Event], day: date, today: date) -> float:
    """Return the product of the split ratios whose first session lies after ``day`` and not after ``today``."""
    return math.prod(event.amount or 1.0 for event in splits if day < event.date <= today)


def _projected(
    regular: Sequence[tuple[date, float]], today: date, until: date, sessions: Sessions, dividend_rate: float | None
) -> list[ExDividend] | None:
    """Return the dividends that habit or the stated rate lets one expect; None where neither is there."""
    if len(regular) >= 2:
        gaps = [(later - earlier).days for (earlier, _), (later, _) in itertools.pairwise(regular)]
        gap = statistics.median(gaps)
        cadence = min(CADENCES, key=lambda days: abs(math.log(days / gap)))
        if abs(gap - cadence) <= STEADY * cadence:
            last, amount = regular[-1]
            return _repeated(last, amount, CADENCES[cadence], today, until, sessions)
    if dividend_rate is None:
        return None
    if dividend_rate <= 0:
        return []
    return _repeated(regular[-1][0] if regular else today, dividend_rate / 4, 4, today, until, sessions)


def _repeated(last: date, amount: float, a_year: int, today: date, until: date, sessions: Sessions) -> list[ExDividend]:
    """Return dividends at equal distances after ``last``, on the session of or before each such day."""
    found, number = [], 1
    while (day := last + timedelta(days=round(365.25 * number / a_year))) <= until:
        number += 1
        try:
            session = sessions.session(day) or sessions.previous(day)
        except CalendarError:
            break
        if session.date > today:
            found.append(ExDividend(session.date, amount, "projected"))
    return found
