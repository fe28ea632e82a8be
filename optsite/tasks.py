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
from collector.parent_death import child_setup
from collector.scan_ids import new_scan_id
from collector.scan_jobs import close_dead_jobs
from exports.folders import MarketFolder
from exports.locks import LockHeld

logger = logging.getLogger(__name__)

MANAGE = Path(settings.BASE_DIR) / "manage.py"
# Below the cluster's own time-out of a task, which would leave no word of what happened.
SCAN_SECONDS = cast("int", settings.Q_CLUSTER["timeout"]) - 20
EXPORT_SECONDS = 300
SUCCESS = (0, 5)
LINES_KEPT = 100
# How Django begins a command's error, and the commands what they published.
ERROR, PUBLISHED = "CommandError: ", "Published generation "


class ChildFailed(Exception):
    """A command ended badly; the message is its name, how it ended, and ``line``: the line of its that says why."""

    def __init__(self, message: str, line: str = "") -> None:
        super().__init__(f"{message}: {line}" if line else message)
        self.line = line or message


def telling(lines: Sequence[str]) -> str:
    """Return the line that says what came of a command: its error, else its last but for what was published."""
    for line in reversed(lines):
        if line.startswith(ERROR):
            return line.removeprefix(ERROR)
    news = [line for line in lines if not line.startswith(PUBLISHED)]
    return (news or list(lines) or [""])[-1]


def run_command(arguments: Sequence[str], seconds: float) -> str:
    """Run ``manage.py`` with the arguments as a child; return the line that says what came of it.

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
    lines: deque[str] = deque(maxlen=LINES_KEPT)
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
    line = telling(list(lines))
    if code not in SUCCESS:
        raise ChildFailed(f"{name} ended with exit code {code}", line)
    return line


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
    """Run the scan that somebody asked for; return what came of it, such as "AAPL: not_found".

    A scan that failed is an outcome, which its job tells. ChildFailed where the command did not come to close the job,
    which is closed here then.
    """
    try:
        return run_command(["scan", "--request", scan_id], SCAN_SECONDS)
    except ChildFailed as error:
        folder: MarketFolder = settings.MARKET_FOLDER
        jobs = ScanJob.objects.filter(market=folder.market, scan_id=scan_id)
        if not jobs.filter(state__in=(ScanJob.State.QUEUED, ScanJob.State.RUNNING)).update(
            state=ScanJob.State.FAILED, finished_at=datetime.now(UTC), detail=str(error)[:300]
        ):
            jobs.update(detail=error.line[:300])
            logger.warning("scan %s failed: %s", scan_id, error.line)
            _show(scan_id)
            return error.line
        _show(scan_id)
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
    _show(job.scan_id)
    return {
        "id": job.scan_id,
        "state": job.state,
        "kind": job.kind,
        "tickers": job.tickers,
        "requested_at": timestamp(job.requested_at),
        "created": waiting is None,
    }


def _show(scan_id: str) -> None:
    """Let live.json show the job as it stands now; where it can't be written, the next heartbeat does."""
    try:
        renew_live(settings.MARKET_FOLDER)
    except (LockHeld, OSError) as error:
        logger.warning("live.json does not show %s yet: %s", scan_id, error)
