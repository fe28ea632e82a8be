"""The tables that a user may put beside recordings: daily bars, dated events, and yields of government paper.

bars:   ticker, date, close; open, high, low, volume and split_factor where they are there. Prices as printed that day.
events: kind, date, known_at; ticker (none: the whole market), time, confirmed and amount where they are there.
        known_at and time carry their zone; a bare HH:MM in time is New York's.
rates:  date, days to maturity, and either rate (decimal) or rate_percent; basis where it is there: discount (a bill's
        bank discount), bond_equivalent (a yield compounded twice a year) or continuous, which is meant without it.

All are known by their columns, whatever the file is called.
"""

from __future__ import annotations

from collections.abc import Iterable

from collector.market.calendar import CalendarError, Sessions
from collector.market.rates import RateBasis, RateError, TreasuryYield, continuous
from collector.providers.base import Bar, Event, EventKind
from collector.providers.recorded.cells import Row, Table

BAR_COLUMNS = frozenset({"ticker", "date", "close"})
EVENT_COLUMNS = frozenset({"kind", "date", "knownat"})
RATE_COLUMNS = frozenset({"date", "days"})
RATE_VALUES = frozenset({"rate", "ratepercent"})
RATE_BASES: dict[str, RateBasis] = {
    "discount": "discount",
    "bond_equivalent": "bond_equivalent",
    "continuous": "continuous",
}
MAX_DAYS = 36_525
PER_CENT = 100.0
EVENT_KINDS: dict[str, EventKind] = {
    "earnings": "earnings",
    "dividend": "dividend",
    "special_dividend": "special_dividend",
    "split": "split",
    "fomc": "fomc",
    "cpi": "cpi",
}
NEEDS_AMOUNT = frozenset({"dividend", "special_dividend", "split"})


def is_bars(columns: Iterable[str]) -> bool:
    """Say whether compared header names are those of daily bars."""
    return set(columns) >= BAR_COLUMNS


def is_events(columns: Iterable[str]) -> bool:
    """Say whether compared header names are those of events."""
    return set(columns) >= EVENT_COLUMNS


def is_rates(columns: Iterable[str]) -> bool:
    """Say whether compared header names are those of yields."""
    return set(columns) >= RATE_COLUMNS and not RATE_VALUES.isdisjoint(columns)


def read_rates(table: Table, sessions: Sessions) -> tuple[TreasuryYield, ...]:
    """Return the yields in the file's order; raise BadAnswer naming the line that cannot be read."""
    return tuple(_yield(row, sessions) for row in table.rows())


def _yield(row: Row, sessions: Sessions) -> TreasuryYield:
    day, days = row.day("date"), row.count("days")
    if not days or days > MAX_DAYS:
        raise row.fault("days", f"a number of days from 1 to {MAX_DAYS:,}")
    rate, percent = row.number("rate"), row.number("ratepercent")
    column = "ratepercent" if rate is None and "ratepercent" in row.columns else "rate"
    if (rate is None) == (percent is None):
        raise row.fault(column, "the one rate of its line, under rate or under rate_percent")
    value = rate if rate is not None else (percent or 0.0) / PER_CENT
    basis = RATE_BASES.get((row.text("basis") or "continuous").lower().replace(" ", "_"))
    if basis is None:
        raise row.fault("basis", f"one of {', '.join(RATE_BASES)}")
    try:
        session = sessions.session(day) or sessions.previous(day)
    except CalendarError:
        raise row.fault("date", "a date that the exchange's calendar knows") from None
    stated = TreasuryYield(day, days, value, basis, "recorded", session.close)
    try:
        continuous(stated)
    except RateError:
        raise row.fault(column, "a rate; 4.5 per cent is 0.045 under rate, 4.5 under rate_percent") from None
    return stated


def read_bars(table: Table) -> dict[str, list[Bar]]:
    """Return each ticker's bars in the file's order; raise BadAnswer naming the line that cannot be read."""
    bars: dict[str, list[Bar]] = {}
    for row in table.rows():
        bars.setdefault(row.ticker("ticker"), []).append(_bar(row))
    return bars


def _bar(row: Row) -> Bar:
    prices = {name: row.number(name) for name in ("open", "high", "low", "close")}
    for name, price in prices.items():
        if price is not None and price < 0:
            raise row.fault(name, "a price of 0 or more")
    split_factor = row.number("splitfactor")
    if split_factor is not None and split_factor <= 0:
        raise row.fault("splitfactor", "a ratio above 0")
    return Bar(
        date=row.day("date"),
        volume=row.count("volume"),
        split_factor=1.0 if split_factor is None else split_factor,
        **prices,
    )


def read_events(table: Table) -> tuple[Event, ...]:
    """Return the events in the file's order; raise BadAnswer naming the line that cannot be read."""
    return tuple(_event(row) for row in table.rows())


def _event(row: Row) -> Event:
    kind = EVENT_KINDS.get((row.text("kind") or "").lower().replace(" ", "_"))
    if kind is None:
        raise row.fault("kind", f"one of {', '.join(EVENT_KINDS)}")
    day = row.day("date")
    known_at = row.moment("knownat")
    if known_at is None:
        raise row.fault("knownat", "the time it became known, such as 2026-03-24T13:00-04:00")
    amount = row.number("amount")
    if kind in NEEDS_AMOUNT and (amount is None or amount <= 0):
        raise row.fault("amount", f"a number above 0, which a {kind} needs")
    return Event(
        kind=kind,
        date=day,
        known_at=known_at,
        ticker=row.ticker("ticker") if row.text("ticker") else None,
        time=row.moment_on("time", day),
        confirmed=row.flag("confirmed"),
        amount=amount,
    )
