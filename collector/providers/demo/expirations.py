"""Which expirations the demo lists at a moment.

The next four weeklies (Fridays), the next three monthlies (third Fridays) and the next four quarterlies (third Fridays
of March, June, September and December, the last of them LEAPS of up to a year). Where the Friday is no session the
contract expires on the session before. An expiration is listed from the first session after the one that it follows
in its row has expired, and is gone at its settlement.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice

from collector.market.calendar import continuous_sessions
from collector.market.contract import default_root
from collector.market.settlement import settlement
from collector.providers.demo.timeline import timeline
from collector.providers.demo.universe import DemoTicker

_FRIDAY = 4
_WEEKLIES, _MONTHLIES, _QUARTERLIES = 4, 3, 4
_QUARTER_MONTHS = (3, 6, 9, 12)


@dataclass(frozen=True, slots=True)
class ListedExpiration:
    """One listed expiration: its date, the ordinal of its first session, when it settles, if it is a third Friday's."""

    date: date
    listed: int
    settles: datetime
    monthly: bool


def third_friday(year: int, month: int) -> date:
    """Return the third Friday of a month."""
    fifteenth = date(year, month, 15)
    return fifteenth + timedelta(days=(_FRIDAY - fifteenth.weekday()) % 7)


def listed_expirations(ticker: DemoTicker, ordinal: int) -> tuple[ListedExpiration, ...]:
    """Return the expirations that ``ticker`` lists in the session ``ordinal``, ascending by date."""
    return _listed(ticker.name, ticker.weeklies, ordinal)


@lru_cache(maxsize=4096)
def _listed(name: str, weeklies: bool, ordinal: int) -> tuple[ListedExpiration, ...]:
    calendar = timeline()
    day, opens = calendar.sessions[ordinal].date, calendar.sessions[ordinal].open
    predecessors: dict[date, date] = {}
    for friday in islice(_third_fridays(day, _QUARTER_MONTHS), _QUARTERLIES):
        predecessors[friday] = third_friday(friday.year - 1, friday.month)
    for friday in islice(_third_fridays(day, range(1, 13)), _MONTHLIES):
        quarter_before = friday.replace(day=1) - timedelta(days=80)
        predecessors.setdefault(friday, third_friday(quarter_before.year, quarter_before.month))
    if weeklies:
        for friday in islice(_fridays(day), _WEEKLIES):
            predecessors.setdefault(friday, friday - timedelta(weeks=_WEEKLIES))
    listed = (_expiration(name, friday, after) for friday, after in sorted(predecessors.items()))
    return tuple(expiration for expiration in listed if expiration.settles > opens)


@lru_cache(maxsize=4096)
def _expiration(name: str, friday: date, after: date) -> ListedExpiration:
    sessions = continuous_sessions()
    day = friday if sessions.session(friday) else sessions.previous(friday).date
    settles = settlement(default_root(name), name, day, sessions).time
    listed = timeline().ordinal_of(after + timedelta(days=1))
    return ListedExpiration(day, listed, settles, monthly=friday == third_friday(friday.year, friday.month))


def _fridays(day: date) -> Iterator[date]:
    friday = day + timedelta(days=(_FRIDAY - day.weekday()) % 7)
    while True:
        yield friday
        friday += timedelta(weeks=1)


def _third_fridays(day: date, months: range | tuple[int, ...]) -> Iterator[date]:
    year = day.year
    while True:
        for month in months:
            friday = third_friday(year, month)
            if friday >= day:
                yield friday
        year += 1
