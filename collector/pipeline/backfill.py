"""Fill the demo market's past: its last sessions, each scanned as it was just before its close."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from collector.market.calendar import sessions_of
from collector.pipeline.collect import Progress
from collector.pipeline.daily_bars import LONG_DAYS, SHORT_DAYS
from collector.pipeline.planning import Scan
from collector.pipeline.run import run_scan
from collector.providers.base import Provider
from collector.store.database import open_store
from collector.store.history import backfilled
from exports.folders import MarketFolder

# At the close itself the demo's next session has begun.
BEFORE_CLOSE = timedelta(seconds=1)


def backfill(
    folder: MarketFolder,
    make: Callable[[datetime], Provider],
    sessions: int,
    now: datetime,
    bar: Progress,
) -> int:
    """Scan and join each of the last ``sessions`` sessions that is not in the store; return how many were added.

    It can be interrupted and goes on where it stopped.

    Args:
        folder: the demo's.
        make: gives the provider as of a moment.
        sessions: how many sessions back.
        now: the wall clock.
        bar: who watches, a step a session.
    """
    moments = pending(folder, sessions, now)
    bar.begin("backfill", len(moments))
    for number, moment in enumerate(moments):
        bar.step(f"{moment:%Y-%m-%d}")
        days = SHORT_DAYS if number else LONG_DAYS
        run_scan(folder, make(moment), Scan(kind="backfill", moment=moment, bar_days=days))
        bar.done()
    return len(moments)


def pending(folder: MarketFolder, sessions: int, now: datetime) -> list[datetime]:
    """Return the moments, oldest first, of the last sessions that no backfill has put into the store."""
    calendar = sessions_of(folder.market)
    last = calendar.last_closed(now)
    first = calendar.offset(last.date, 1 - sessions)
    with open_store(folder, "look at the backfill") as connection:
        done = backfilled(connection)
    moments = [session.close - BEFORE_CLOSE for session in calendar.between(first.date, last.date)]
    return [moment for moment in moments if moment not in done]
