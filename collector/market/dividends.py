"""Cash dividends to come: declared ones, and those that a company's habit lets one expect.

A dividend is known by its ex-date. Declared: the source states one ahead. Projected: the last regular dividends went ex
a steady number of days apart; the next ones are expected at that distance with the last regular amount, on sessions.
A habit that missed its turn by half a distance is over. Special dividends are not repeated, nor is one that stands out
among the regular ones: many feeds call both by one name. Where no habit shows, the stated yearly rate, in dollars a
share, is spread over the quarters after the last dividend, or after today.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from collector.market.calendar import CalendarError, Sessions, new_york_date
from collector.market.events import Event

# Days between regular dividends, and how many a year.
CADENCES = {30: 12, 91: 4, 182: 2, 365: 1}
# How far a gap may be from its cadence, as a share of it.
STEADY = 0.25
# How long after its turn, in distances, a dividend may be late before the habit is taken for over.
OVERDUE = 0.5
# The dividends that show a habit, and how far back: two of a yearly one.
HABIT = 5
LOOK_BACK = timedelta(days=800)
# A dividend declared so near an expected one, whatever its amount, is that one.
SAME_TURN = timedelta(days=10)
# Times the median of the others beyond which a dividend is a special one.
STANDS_OUT = 3.0
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
        events: what is stated of the ticker. One ahead counts if it was stated by ``as_of``, one that went ex by then
            in any case: sources state those when they are asked, minutes after the quotes' time.
        ticker: canonical.
        as_of: from when.
        until: last ex-date of interest.
        sessions: the calendar that the ex-dates lie on.
        dividend_rate: dollars a share and year as stated with the quote (never a yield: its unit is a trap).

    Returns:
        () where the company is known to pay none (a stated rate of 0), None where nothing is known of dividends.
    """
    today = new_york_date(as_of)
    # Of several statements on one date the last one counts below, so the newest.
    known = [
        event
        for event in sorted(events, key=lambda event: event.known_at)
        if event.ticker == ticker
        and event.kind in ("dividend", "special_dividend")
        and (event.known_at <= as_of or event.date <= today)
        and event.amount is not None
        and event.amount > 0
    ]
    ahead: dict[date, dict[str, float]] = {}
    for event in known:
        if event.date > today:
            ahead.setdefault(event.date, {})[event.kind] = event.amount or 0.0
    coming = [ExDividend(day, sum(by_kind.values()), "declared") for day, by_kind in ahead.items() if day <= until]
    splits = {event.date: event.amount for event in events if event.kind == "split" and event.ticker == ticker}
    regular = {
        event.date: (event.amount or 0.0) / _split_since(splits, event.date, today)
        for event in known
        if event.kind == "dividend" and event.date > today - LOOK_BACK
    }
    projected = _projected(_without_specials(sorted(regular.items())), today, until, sessions, dividend_rate)
    if projected is None and not coming:
        return None
    turns = [day for day, by_kind in ahead.items() if "dividend" in by_kind]
    expected = [one for one in projected or () if all(abs(one.date - day) > SAME_TURN for day in turns)]
    return tuple(sorted([*coming, *expected], key=lambda one: one.date))


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


def _split_since(splits: Mapping[date, float | None], day: date, today: date) -> float:
    """Return the product of the split ratios whose first session lies after ``day`` and not after ``today``."""
    return math.prod(ratio or 1.0 for first, ratio in splits.items() if day < first <= today)


def _without_specials(regular: Sequence[tuple[date, float]]) -> list[tuple[date, float]]:
    """Leave out what stands out among the last dividends, where there are enough to tell."""
    last = list(regular[-HABIT:])
    if len(last) < 3:
        return last
    usual = statistics.median(amount for _, amount in last)
    return [(day, amount) for day, amount in last if amount <= STANDS_OUT * usual]


def _projected(
    regular: Sequence[tuple[date, float]], today: date, until: date, sessions: Sessions, dividend_rate: float | None
) -> list[ExDividend] | None:
    """Return the dividends that habit or the stated rate lets one expect; None where neither is there."""
    cadence = _cadence([day for day, _ in regular])
    if cadence is not None:
        last, amount = regular[-1]
        if (today - last).days <= (1.0 + OVERDUE) * cadence:
            return _repeated(last, amount, CADENCES[cadence], today, until, sessions)
    if dividend_rate is None:
        return None
    if dividend_rate <= 0:
        return []
    return _repeated(regular[-1][0] if regular else today, dividend_rate / 4, 4, today, until, sessions)


def _cadence(days: Sequence[date]) -> int | None:
    """Return the key of CADENCES by which ex-dates follow each other; None where they follow none."""
    if len(days) < 2:
        return None
    gap = statistics.median((later - earlier).days for earlier, later in itertools.pairwise(days))
    nearest = min(CADENCES, key=lambda cadence: abs(math.log(cadence / gap)))
    return nearest if abs(gap - nearest) <= STEADY * nearest else None


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
