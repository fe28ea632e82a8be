"""When a recording was made, by its own statement: the clock of everything read from it.

A frame file states its time in its name, with the offset (2026-03-24T1300-0400.csv). A body of Yahoo's options API
states no time of its own, but times of things that had happened: the quote's pre-market, regular and post-market times
and the contracts' last trades. The newest of these is the earliest moment that the body can have been made. The market
state can move it on: a body that says PRE after Friday's close, with no pre-market trade yet, was made on Monday from
04:00 New York. So the moment taken is the earliest that fits everything the body says; it is never later than the true
one, and it is never the wall clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.market.calendar import Sessions
from collector.providers.yahoo_bodies import QUOTE_TIMES
from collector.providers.yahoo_values import moment

NAME_TIME = re.compile(
    r"(?<!\d)(\d{4}-\d{2}-\d{2})[T_ ](\d{2})[:.h-]?(\d{2})(?:[:.-]?(\d{2}))?(Z|[+-]\d{2}:?\d{2})(?!\d)", re.IGNORECASE
)
NEW_YORK_NAME = "America/New_York"
PRE_MARKET = timedelta(hours=5, minutes=30)
POST_MARKET = timedelta(hours=4)
AFTER_HOURS_STATES = frozenset({"CLOSED", "POSTPOST", "PREPRE"})


def name_stamp(name: str) -> datetime | None:
    """Return the time with offset that a file's name holds, in UTC, or None where it holds none."""
    found = NAME_TIME.search(name)
    if found is None:
        return None
    day, hour, minute, second, offset = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{hour}:{minute}:{second or '00'}{offset.upper()}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def newest_epoch(values: Iterable[object]) -> datetime | None:
    """Return the newest of seconds since 1970 as a time in UTC, or None where none is a time."""
    return max((found for found in map(moment, values) if found is not None), default=None)


def body_stamp(result: Mapping[str, Any], sessions: Sessions) -> datetime | None:
    """Return the earliest moment that an options body can have been made, or None where it states no time.

    ``result`` is the body's ``optionChain.result[0]``. Raises CalendarError where the time lies outside the calendar.
    """
    quote = result.get("quote")
    quote = quote if isinstance(quote, Mapping) else {}
    newest = newest_epoch(_stated_times(quote, result))
    if newest is None:
        return None
    if quote.get("exchangeTimezoneName") != NEW_YORK_NAME:
        return newest
    return max(newest, _state_begins(str(quote.get("marketState", "")), newest, sessions))


def _stated_times(quote: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[object]:
    for name in QUOTE_TIMES:
        yield quote.get(name)
    options = result.get("options")
    for option in options if isinstance(options, list) else []:
        for side in ("calls", "puts"):
            contracts = option.get(side) if isinstance(option, Mapping) else None
            for contract in contracts if isinstance(contracts, list) else []:
                yield contract.get("lastTradeDate") if isinstance(contract, Mapping) else None


def _state_begins(state: str, newest: datetime, sessions: Sessions) -> datetime:
    """Return when the market state named in a body can first have held, given the newest time stated in it."""
    if state == "PRE":
        return sessions.next_open(newest).open - PRE_MARKET
    running = sessions.session_at(newest)
    if state == "POST":
        return running.close if running else newest
    if state in AFTER_HOURS_STATES:
        return (running or sessions.last_closed(newest)).close + POST_MARKET
    return newest
