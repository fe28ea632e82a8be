"""Fill the demo market's past: its last sessions, each scanned as it was just before its close."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta

from collector.market.calendar import sessions_of
from collector.pipeline.collect import Progress
from collector.pipeline.daily_bars import LONG_DAYS, SHORT_DAYS
from collector.pipeline.join import join
from collector.pipeline.plan import Scan, ScanPlan, plan_scan
from collector.pipeline.run import collect
from collector.pipeline.workers import Workers, processes
from collector.providers.base import Provider
from collector.store.database import open_store
from collector.store.history import sessions_seen
from collector.store.staging import Staging
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
    if not moments:
        return 0

    def collected(scan_id: str, moment: datetime, days: int) -> None:
        """Collect one session, in a process of its own."""
        staging = Staging(folder, scan_id)
        plan = ScanPlan.from_json(staging.plan() or {})
        collect(folder, make(moment), plan, staging, Silent(), days)
        staging.close()

    count = processes(max(len(moments), 2))
    # Sessions are collected while those before them are joined.
    with Workers(collected, count) as workers:
        ahead = [
            _begin(workers, folder, make, moment, first=not place) for place, moment in enumerate(moments[: count + 1])
        ]
        with open_store(folder, "backfill") as connection:
            for number, moment in enumerate(moments):
                bar.step(f"{moment:%Y-%m-%d}")
                staging, collecting = ahead.pop(0)
                collecting.result()
                if number + count + 1 < len(moments):
                    ahead.append(_begin(workers, folder, make, moments[number + count + 1], first=False))
                join(connection, folder, staging, sessions_of(folder.market))
                bar.done()
    return len(moments)


def _begin(
    workers: Workers,
    folder: MarketFolder,
    make: Callable[[datetime], Provider],
    moment: datetime,
    *,
    first: bool,
) -> tuple[Staging, Future[None]]:
    """Plan a session and let a process collect it; the first one brings the long run of bars."""
    provider = make(moment)
    days = LONG_DAYS if first else SHORT_DAYS
    plan = plan_scan(folder, provider, Scan(kind="backfill", moment=moment), None)
    staging = Staging(folder, plan.scan_id)
    staging.write_plan(plan.to_json())
    return staging, workers.submit(plan.scan_id, moment, days)


class Silent:
    """Progress that nobody watches: the backfill's bar counts sessions, not tickers."""

    def begin(self, phase: str, total: int) -> None:
        """Say nothing."""

    def step(self, ticker: str) -> None:
        """Say nothing."""

    def done(self) -> None:
        """Say nothing."""


def pending(folder: MarketFolder, sessions: int, now: datetime) -> list[datetime]:
    """Return the moments, oldest first, of the last sessions that are not in the store, by a backfill or by a scan."""
    calendar = sessions_of(folder.market)
    last = calendar.last_closed(now)
    first = calendar.offset(last.date, 1 - sessions)
    with open_store(folder, "look at the backfill") as connection:
        seen = sessions_seen(connection)
    past = calendar.between(first.date, last.date)
    return [session.close - BEFORE_CLOSE for session in past if session.date not in seen]
