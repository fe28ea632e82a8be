"""The moment of the store that one export reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from collector.store.database import Connection


@dataclass(frozen=True, slots=True)
class StoreMoment:
    """An open transaction on the store, and what its records are chosen by.

    ``now`` is the wall clock: what is unexpired, 30 days and 5 sessions old is judged by it for live providers and the
    demo, and for recordings ticker by ticker by its newest as_of. ``watched`` are the active tickers.
    """

    connection: Connection
    provider: str
    market: str
    now: datetime
    watched: tuple[str, ...]
