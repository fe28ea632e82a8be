"""live.json from the rows of Django's database: what is queued, running and due now.

Imported by the web process too, so nothing here may pull in a frame, the store or a calendar.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from typing import Any

from collector.models import Heartbeat, ScanJob
from collector.scan_jobs import process_lives
from exports.folders import MarketFolder
from exports.live import read_live, write_live
from exports.locks import PUBLISH_LOCK, KernelLock, publish_lock

FINISHED_SHOWN = 5
PUBLISH_WAIT_SECONDS = 15.0
JOB_FIELDS = (
    "scan_id",
    "kind",
    "state",
    "tickers",
    "requested_at",
    "started_at",
    "finished_at",
    "phase",
    "done",
    "total",
    "current_ticker",
    "status",
    "detail",
)


def timestamp(moment: datetime | None) -> str | None:
    """Return the moment as RFC 3339 in UTC, to the second."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def compose_live(
    folder: MarketFolder,
    market_state: dict[str, Any] | None = None,
    next_scan_at: datetime | None = None,
    *,
    budget: dict[str, Any] | None = None,
    breaker: dict[str, Any] | None = None,
    last_export_error: str | None = None,
) -> dict[str, Any]:
    """Return live.json's content: jobs and health from the database and the disk, the rest as given."""
    heartbeat = Heartbeat.objects.filter(market=folder.market).order_by("-at").values_list("at", flat=True).first()
    return {
        "written_at": timestamp(datetime.now(UTC)),
        "provider": folder.provider,
        "market": folder.market,
        "jobs": _jobs(folder.market),
        "next_scan_at": timestamp(next_scan_at),
        "budget": budget,
        "market_state": market_state,
        "health": {
            "disk_free_bytes": shutil.disk_usage(folder.data_dir).free,
            "heartbeat_at": timestamp(heartbeat),
            "locks": _locks_held(folder),
            "breaker": breaker,
        },
        "last_export_error": last_export_error,
    }


def renew_live(
    folder: MarketFolder,
    market_state: dict[str, Any] | None = None,
    next_scan_at: datetime | None = None,
    *,
    budget: dict[str, Any] | None = None,
    breaker: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write live.json anew under the publish lock and return it; what is not given stays as the old file has it.

    Raises LockHeld where somebody publishes for longer than 15 seconds, OSError where the folder takes no file.
    """
    folder.create()
    with publish_lock(folder, "live.json").acquire(timeout=PUBLISH_WAIT_SECONDS):
        old = read_live(folder.export_dir)
        live = compose_live(
            folder,
            market_state if market_state is not None else old.get("market_state"),
            next_scan_at,
            budget=budget if budget is not None else old.get("budget"),
            breaker=breaker if breaker is not None else old.get("health", {}).get("breaker"),
            last_export_error=old.get("last_export_error"),
        )
        if next_scan_at is None:
            live["next_scan_at"] = old.get("next_scan_at")
        write_live(folder.export_dir, live)
    return live


def _jobs(market: str) -> list[dict[str, Any]]:
    jobs = ScanJob.objects.filter(market=market)
    ahead = jobs.filter(state__in=(ScanJob.State.QUEUED, ScanJob.State.RUNNING))
    ended = jobs.filter(state__in=(ScanJob.State.DONE, ScanJob.State.FAILED))[:FINISHED_SHOWN]
    return [
        {name: timestamp(value) if name.endswith("_at") else value for name, value in row.items()}
        for rows in (ahead, ended)
        for row in rows.values(*JOB_FIELDS)
    ]


def _locks_held(folder: MarketFolder) -> list[dict[str, Any]]:
    """Return who holds which lock, by the holders' own word: taking the lock to see would refuse an innocent."""
    held = []
    for path in sorted(folder.lock_dir.glob("*.holder")):
        name = path.name.removesuffix(".holder")
        holder = KernelLock(folder.lock_dir / name, "").holder()
        # The publish lock is this process's own while it writes live.json.
        ours = name == PUBLISH_LOCK and holder is not None and holder.pid == os.getpid()
        if holder is not None and not ours and process_lives(holder.pid):
            held.append({"name": name, "pid": holder.pid, "purpose": holder.purpose, "since": holder.since})
    return held
