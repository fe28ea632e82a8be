"""Jobs whose process is gone: closed, so that no page shows a dead scan at work and none blocks the next."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from collector.models import ScanJob

QUEUED_AT_MOST = timedelta(hours=1)


def process_lives(pid: int) -> bool:
    """Return whether a process of that id runs on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def close_dead_jobs(market: str, now: datetime) -> int:
    """Mark as failed the running jobs whose process died and the queued ones that nobody took for an hour."""
    closed = 0
    running = ScanJob.objects.filter(market=market, state=ScanJob.State.RUNNING, pid__isnull=False)
    for job in running:
        if job.pid is not None and not process_lives(job.pid):
            closed += ScanJob.objects.filter(pk=job.pk, state=ScanJob.State.RUNNING).update(
                state=ScanJob.State.FAILED, finished_at=now, detail="Its process ended before it was done."
            )
    closed += ScanJob.objects.filter(
        market=market, state=ScanJob.State.QUEUED, requested_at__lt=now - QUEUED_AT_MOST
    ).update(state=ScanJob.State.FAILED, finished_at=now, detail="No task cluster took it within an hour.")
    return closed
