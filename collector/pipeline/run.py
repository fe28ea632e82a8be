"""One scan from plan to join. Its caller holds the scan lock, and publishes."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from collector import watchlist
from collector.pipeline.collect import Collector, Progress
from collector.pipeline.daily_bars import LONG_DAYS, RECORDED_DAYS
from collector.pipeline.join import Joined, join, prepare
from collector.pipeline.plan import Scan, ScanPlan, plan_scan
from collector.pipeline.progress import JobProgress
from collector.providers.base import Provider
from collector.providers.call_budget import CallBudget
from collector.store.database import open_store
from collector.store.staging import Staging
from exports.folders import MarketFolder


def run_scan(
    folder: MarketFolder,
    provider: Provider,
    scan: Scan,
    *,
    budget: CallBudget | None = None,
    bar: Progress | None = None,
    resumed: ScanPlan | None = None,
) -> Joined:
    """Plan, collect and join one scan; the caller holds the scan lock and publishes.

    Args:
        folder: whose scan.
        provider: who is asked.
        scan: what is asked.
        budget: the calls that are left, None where they are free.
        bar: who watches.
        resumed: the plan of a killed scan that goes on.

    Raises EmptyWatchlist, StoreError (the staging stays, and the next scan joins it).
    """
    plan = resumed or plan_scan(folder, provider, scan, budget)
    staging = Staging(folder, plan.scan_id)
    staging.clean()
    staging.write_plan(plan.to_json())
    progress = JobProgress(folder, plan, bar)
    try:
        collect(folder, provider, plan, staging, progress, forks=True)
        progress.begin("join", 1)
        prepared = prepare(staging)
        with open_store(folder, f"join of scan {plan.scan_id}") as connection:
            joined = join(connection, folder, staging, provider.sessions(), prepared)
    except BaseException as error:
        staging.close()
        progress.end("interrupted" if isinstance(error, KeyboardInterrupt) else "failed", str(error))
        raise
    _note_tickers(folder, joined)
    progress.end(joined.scan["status"], joined.scan["reason"] or "")
    return joined


def _note_tickers(folder: MarketFolder, joined: Joined) -> None:
    """Note in the watchlist who was served, and who never will be.

    A live provider that serves nobody is believed nothing about single tickers.
    """
    results = joined.scan["tickers"]
    watchlist.note_served(folder.market, results["ok"], datetime.now(UTC))
    if folder.market == "live" and results["ok"]:
        refusals = {
            row["ticker"]: (row["reason"], row["detail"] or "")
            for row in results["failed"] + results["skipped"]
            if row["reason"] in watchlist.REFUSED
        }
        watchlist.note_refused(folder.market, refusals)


def collect(
    folder: MarketFolder,
    provider: Provider,
    plan: ScanPlan,
    staging: Staging,
    progress: Progress,
    bar_days: int = LONG_DAYS,
    *,
    forks: bool = False,
) -> None:
    """Collect a plan's tickers into its staging and write how that went.

    ``forks``: whether processes may be forked here: not from a thread, nor with a database open.
    """
    started = time.perf_counter()
    days = RECORDED_DAYS if folder.market == "recorded" else bar_days
    collector = Collector(folder, provider, plan, staging, progress, bar_days=days, forks=forks)
    collection = collector.collect()
    staging.write_outcome(
        {
            "finished_at": datetime.now(UTC).isoformat(),
            "stopped": collection.stopped,
            "skipped": collection.skipped,
            "calls": collector.calls(),
            "seconds": round(time.perf_counter() - started, 3),
        }
    )


def record_skipped(folder: MarketFolder, provider: Provider, scan: Scan, reason: str) -> Joined:
    """Record a scheduled scan that asks nobody anything: the market is closed, or this is not today's close."""
    plan = plan_scan(folder, provider, scan, None)
    staging = Staging(folder, plan.scan_id)
    staging.write_plan({**plan.to_json(), "tickers": [], "skipped": dict.fromkeys(plan.tickers, reason)})
    staging.write_outcome(
        {
            "finished_at": datetime.now(UTC).isoformat(),
            "stopped": reason,
            "skipped": {},
            "calls": 0,
            "seconds": 0.0,
        }
    )
    with open_store(folder, f"join of scan {plan.scan_id}") as connection:
        return join(connection, folder, staging, provider.sessions())
