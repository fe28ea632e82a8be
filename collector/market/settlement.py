"""When a contract dies and how it may be exercised, by its root.

Source: Cboe's and Nasdaq's contract specifications of SPX, SPXW, XSP, VIX, VIXW, RUT, RUTW, NDX and NDXP.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from collector.market.calendar import Sessions
from exports.tickers import INDEX_ROOTS

_INDEX_ROOTS = frozenset(root for family in INDEX_ROOTS.values() for root in family)
_MORNING_ROOTS = frozenset({"SPX", "NDX", "RUT", "VIX", "VIXW"})


@dataclass(frozen=True, slots=True)
class Settlement:
    """The end of a contract.

    Attributes:
        kind: AM (by the opening prices) or PM (by the closing prices).
        time: the moment, in UTC; the end of the tenor.
        style: american or european exercise.
    """

    kind: Literal["AM", "PM"]
    time: datetime
    style: Literal["american", "european"]


def settlement(root: str, ticker: str, expiration: date, sessions: Sessions) -> Settlement:
    """Return when and how contracts of the root on the canonical ticker settle.

    The roots SPX, NDX, RUT, VIX and VIXW settle at the open of the expiration's session on whatever date; all others at
    its close, 16:00 New York and 13:00 on half days. An expiration without a session of its own (a holiday, the
    Saturdays of old) settles by the session before it. Options on the indices are European, all others American.

    Raises:
        CalendarError: the expiration lies outside the calendar.
    """
    session = sessions.session(expiration) or sessions.previous(expiration)
    in_the_morning = root in _MORNING_ROOTS
    return Settlement(
        kind="AM" if in_the_morning else "PM",
        time=session.open if in_the_morning else session.close,
        style=exercise_style(root, ticker),
    )


def exercise_style(root: str, ticker: str) -> Literal["american", "european"]:
    """Return how contracts of the root on the canonical ticker may be exercised."""
    return "european" if root in _INDEX_ROOTS or ticker in INDEX_ROOTS else "american"
