"""Events that a user states in the configuration file, one table each:

    [[events]]
    kind = "earnings"            # dividend, special_dividend and split too; fomc and cpi are of the whole market
    ticker = "AAPL"              # a company's events need one, the market's have none
    date = 2026-10-29            # New York
    time = 16:30:00              # New York; or a moment with its zone
    known_at = 2026-10-01T09:00:00-04:00   # when it was stated; left out, it is known at all times
    confirmed = true
    source = "the company's press release of 1 October"

``amount`` is dollars a share of a dividend, the ratio of a split (10.0 for ten for one).
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, date, datetime, time
from typing import Any

from collector.detectors.base import ConfigError
from collector.detectors.levels import GREATEST
from collector.market.calendar import NEW_YORK, new_york_date
from collector.market.events import Event, EventKind
from collector.toml_file import shown
from exports.tickers import TickerError, canonical

KEYS = tuple(field.name for field in fields(Event))
OF_A_COMPANY: dict[str, EventKind] = {
    "earnings": "earnings",
    "dividend": "dividend",
    "special_dividend": "special_dividend",
    "split": "split",
}
OF_THE_MARKET: dict[str, EventKind] = {"fomc": "fomc", "cpi": "cpi"}
WITH_AMOUNT = frozenset({"dividend", "special_dividend", "split"})
ALWAYS_KNOWN = datetime(1970, 1, 1, tzinfo=UTC)
YEARS = range(2000, 2100)


def read_events(content: Any) -> tuple[Event, ...]:
    """Return the events of the file's ``events`` in its order.

    Raises:
        ConfigError: what can't be an event; the message names the table by its number, and the key.
    """
    if not isinstance(content, list) or not all(isinstance(table, dict) for table in content):
        raise ConfigError("events: each is a table [[events]] with kind, date and source")
    found: dict[tuple[EventKind, str | None, date], str] = {}
    events = []
    for number, table in enumerate(content, start=1):
        place = f"events[{number}]"
        event = _Table(place, table).event()
        key = (event.kind, event.ticker, event.date)
        if key in found:
            raise ConfigError(f"{place}: states the {event.kind} of {event.date} that {found[key]} states")
        found[key] = place
        events.append(event)
    return tuple(events)


def to_json(event: Event) -> dict[str, Any]:
    """Return an event for the effective configuration."""
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in asdict(event).items()
        if value is not None
    }


def from_json(content: Mapping[str, Any]) -> Event:
    """Return the event that to_json wrote, or that a staged record holds."""
    moments = {name: datetime.fromisoformat(content[name]) for name in ("known_at", "time") if content.get(name)}
    return Event(**{**content, **moments, "date": date.fromisoformat(content["date"])})


class _Table:
    """One table, read key by key."""

    def __init__(self, place: str, content: Mapping[str, Any]) -> None:
        self._place = place
        self._content = content

    def event(self) -> Event:
        for key in self._content:
            if key not in KEYS:
                raise self._fault(key, f"no such key; there are {', '.join(KEYS)}")
        kind, day = self._kind(), self._date()
        return Event(
            kind=kind,
            date=day,
            known_at=self._moment("known_at") or ALWAYS_KNOWN,
            ticker=self._ticker(kind),
            time=self._time(day),
            confirmed=self._confirmed(),
            amount=self._amount(kind),
            source=self._source(),
        )

    def _kind(self) -> EventKind:
        kinds = OF_A_COMPANY | OF_THE_MARKET
        kind = self._content.get("kind")
        if not isinstance(kind, str) or kind not in kinds:
            raise self._fault("kind", f"{_shown(kind)} is not one of {', '.join(kinds)}")
        return kinds[kind]

    def _date(self) -> date:
        stated = self._content.get("date")
        if isinstance(stated, str):
            try:
                stated = date.fromisoformat(stated)
            except ValueError:
                raise self._fault("date", f"{_shown(stated)} is not a date such as 2026-10-29") from None
        if not isinstance(stated, date) or isinstance(stated, datetime) or stated.year not in YEARS:
            raise self._fault("date", f"{_shown(stated)} is not a date such as 2026-10-29")
        return stated

    def _ticker(self, kind: EventKind) -> str | None:
        stated = self._content.get("ticker")
        if kind in OF_THE_MARKET:
            if stated is not None:
                raise self._fault("ticker", f"a {kind} is of the whole market: leave the ticker out")
            return None
        try:
            return canonical(stated if isinstance(stated, str) else "")
        except TickerError:
            raise self._fault("ticker", f"{_shown(stated)} is not a ticker such as AAPL, BRK-B or ^SPX") from None

    def _time(self, day: date) -> datetime | None:
        stated = self._content.get("time")
        if isinstance(stated, str):
            with contextlib.suppress(ValueError):  # it may be a moment
                stated = time.fromisoformat(stated)
        if isinstance(stated, time):
            if stated.tzinfo is not None:
                raise self._fault("time", f"{_shown(stated)} has a zone without a date: write New York's time alone")
            return datetime.combine(day, stated, NEW_YORK).astimezone(UTC)
        moment = self._moment("time")
        if moment is not None and new_york_date(moment) != day:
            raise self._fault("time", f"{_shown(stated)} is on another date in New York than {day}")
        return moment

    def _moment(self, key: str) -> datetime | None:
        stated = self._content.get(key)
        if stated is None:
            return None
        if isinstance(stated, str):
            with contextlib.suppress(ValueError):  # refused below
                stated = datetime.fromisoformat(stated)
        if not isinstance(stated, datetime) or stated.tzinfo is None or stated.year not in YEARS:
            raise self._fault(key, f"{_shown(stated)} is not a moment with its zone, such as 2026-10-01T09:00:00-04:00")
        return stated.astimezone(UTC)

    def _confirmed(self) -> bool | None:
        stated = self._content.get("confirmed")
        if stated is not None and not isinstance(stated, bool):
            raise self._fault("confirmed", f"{_shown(stated)} is not true or false")
        return stated

    def _amount(self, kind: EventKind) -> float | None:
        stated = self._content.get("amount")
        if kind not in WITH_AMOUNT:
            if stated is not None:
                raise self._fault("amount", f"{_article(kind)} {kind} has none")
            return None
        if isinstance(stated, bool) or not isinstance(stated, int | float) or not 0 < stated <= GREATEST:
            what = f"is not a number above 0 ({GREATEST:g} at most), which a {kind} needs"
            raise self._fault("amount", f"{_shown(stated)} {what}")
        return float(stated)

    def _source(self) -> str:
        stated = self._content.get("source")
        if not isinstance(stated, str) or not stated.strip():
            raise self._fault("source", f"{_shown(stated)} is not a text that says who stated it")
        return stated.strip()

    def _fault(self, key: str, what: str) -> ConfigError:
        return ConfigError(f"{self._place}.{key}: {what}")


def _article(kind: str) -> str:
    return "an" if kind == "earnings" else "a"


def _shown(value: Any) -> str:
    """Return a stated value for a message of one line."""
    if value is None:
        return "nothing"
    return value.isoformat() if isinstance(value, date | time) else shown(value)
