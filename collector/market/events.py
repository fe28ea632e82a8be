"""Dated facts: of one company, or of the whole market."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

EventKind = Literal["earnings", "dividend", "special_dividend", "split", "fomc", "cpi"]


@dataclass(frozen=True, slots=True)
class Event:
    """A dated fact: of one ticker, or of the whole market where ``ticker`` is None.

    ``amount`` is a dividend in dollars per share or a split's ratio. ``time`` is the moment where one is stated.
    ``known_at`` is when the source stated it.
    """

    kind: EventKind
    date: date
    known_at: datetime
    ticker: str | None = None
    time: datetime | None = None
    confirmed: bool | None = None
    amount: float | None = None
