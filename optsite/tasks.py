"""What the task cluster runs. Each scan and export is a child process, and ends with the task that started it."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO, cast

from django.conf import settings
from django.db import transaction
from django_q.tasks import async_task

from collector.live import renew_live, timestamp
from collector.models import ScanJob
from collector.scan_ids import new_scan_id
from collector.scan_jobs import close_dead_jobs
from exports.folders import MarketFolder
from exports.locks import LockHeld
from optsite.parent_death import child_setup

logger = logging.getLogger(__name__)

MANAGE = Path(settings.BASE_DIR) / "manage.py"
# Below the cluster's own time-out of a task, which would leave no word of what happened.
SCAN_SECONDS = cast("int", settings.Q_CLUSTER["timeout"]) - 20
EXPORT_SECONDS = 300
SUCCESS = (0, 5)


class ChildFailed(Exception):
    """A command ended badly; the message is its name, how it ended, and the last line that it printed."""


def run_command(arguments: Sequence[str], seconds: float) -> str:
    """Run ``manage.py`` with the arguments as a child; return the last line it printed.

    Its output goes to the log. Exit codes 0 and 5 (partial) are success; ChildFailed for every other, and where the
    child is not done after ``seconds``, when it is killed. Whatever ends this task ends the child too.
    """
    name = arguments[0]
    child = subprocess.Popen(
        [sys.executable, str(MANAGE), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=child_setup(),
    )
    lines: deque[str] = deque(maxlen=1)
    reader = threading.Thread(target=_log_lines, args=(name, child.stdout, lines), daemon=True)
    reader.start()
    try:
        code = child.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise ChildFailed(f"{name} was not done after {seconds:.0f} s and was killed") from None
    finally:
        # The task's own time-out arrives here as a SystemExit.
        if child.poll() is None:
            child.kill()
            child.wait()
        reader.join(timeout=5)
    last = lines[-1] if lines else ""
    if code not in SUCCESS:
        raise ChildFailed(f"{name} ended with exit code {code}: {last}")
    return last


def _log_lines(name: str, output: TextIO, lines: deque[str]) -> None:
    with output:
        for line in output:
            if text := line.rstrip():
                lines.append(text)
                logger.info("%s: %s", name, text)


def run_scheduled_scan(kind: str) -> str:
    """Run the scan of the slot that is due: ``kind`` is "scheduled" or "close"."""
    return run_command(["scan", "--scheduled", kind], SCAN_SECONDS)


def run_requested_scan(scan_id: str) -> str:
    """Run the scan that somebody asked for; its job says failed where the command did not come to say so itself."""
    try:
        return run_command(["scan", "--request", scan_id], SCAN_SECONDS)
    except ChildFailed as error:
        folder: MarketFolder = settings.MARKET_FOLDER
        ScanJob.objects.filter(
            market=folder.market, scan_id=scan_id, state__in=(ScanJob.State.QUEUED, ScanJob.State.RUNNING)
        ).update(state=ScanJob.State.FAILED, finished_at=datetime.now(UTC), detail=str(error)[:300])
        raise


def run_export() -> str:
    """Publish the documents anew."""
    return run_command(["export"], EXPORT_SECONDS)


def launch_scan(tickers: list[str], requested_by: str) -> dict[str, Any]:
    """Queue a scan of the tickers (none: the whole watchlist); return its job, as live.json shows it at once.

    One scan waits at a time: where one is queued already, that one is answered with ``created`` False, and nothing is
    added.
    """
    folder: MarketFolder = settings.MARKET_FOLDER
    now = datetime.now(UTC)
    close_dead_jobs(folder.market, now)
    with transaction.atomic():
        waiting = ScanJob.objects.select_for_update().filter(market=folder.market, state=ScanJob.State.QUEUED).first()
        job = waiting or ScanJob.objects.create(
            market=folder.market,
            scan_id=new_scan_id(now),
            kind="request",
            tickers=tickers,
            requested_by=requested_by,
            requested_at=now,
        )
        if waiting is None:
            async_task("optsite.tasks.run_requested_scan", job.scan_id, group="optsite:request")
    try:
        renew_live(folder)
    except (LockHeld, OSError) as error:
        logger.warning("live.json does not show %s yet: %s", job.scan_id, error)
    return {
        "id": job.scan_id,
        "state": job.state,
        "kind": job.kind,
        "tickers": job.tickers,
        "requested_at": timestamp(job.requested_at),
        "created": waiting is None,
    }
