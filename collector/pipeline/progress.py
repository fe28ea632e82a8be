"""How a scan gets on: its row in Django's database and live.json, and a bar where somebody watches."""

from __future__ import annotations

import logging
import os
import threading
import time
from datetime import UTC, datetime

from django.db import connection

from collector.live import renew_live
from collector.models import ScanJob
from collector.pipeline.collect import Progress
from collector.pipeline.plan import ScanPlan
from exports.folders import MarketFolder
from exports.locks import LockHeld

logger = logging.getLogger(__name__)

RENEW_EVERY_SECONDS = 1.0


class JobProgress:
    """Keeps a scan's row up to date, and live.json at most once a second; passes each step on to ``bar``.

    Several threads may report.
    """

    def __init__(self, folder: MarketFolder, plan: ScanPlan, bar: Progress | None = None) -> None:
        self.folder = folder
        self.bar = bar
        self._renewed = 0.0
        self._lock = threading.Lock()
        self._made_in = threading.get_ident()
        self.job, _ = ScanJob.objects.update_or_create(
            market=folder.market,
            scan_id=plan.scan_id,
            defaults={
                "kind": plan.kind,
                "state": ScanJob.State.RUNNING,
                "tickers": list(plan.tickers),
                "started_at": plan.started_at,
                "finished_at": None,
                "status": "",
                "detail": "",
                "pid": os.getpid(),
            },
            create_defaults={
                "kind": plan.kind,
                "state": ScanJob.State.RUNNING,
                "tickers": list(plan.tickers),
                "started_at": plan.started_at,
                "requested_at": plan.started_at,
                "pid": os.getpid(),
            },
        )

    def begin(self, phase: str, total: int) -> None:
        """Begin a phase."""
        with self._lock:
            self.job.phase, self.job.total, self.job.done, self.job.current_ticker = phase, total, 0, ""
            self._save(at_once=True)
        if self.bar:
            self.bar.begin(phase, total)

    def step(self, ticker: str) -> None:
        """Name the ticker that is worked on."""
        with self._lock:
            self.job.current_ticker = ticker
            self._save()
        if self.bar:
            self.bar.step(ticker)

    def done(self) -> None:
        """Count a step."""
        with self._lock:
            self.job.done += 1
            self._save()
        if self.bar:
            self.bar.done()

    def end(self, status: str, detail: str) -> None:
        """Close the row."""
        failed = status in ("failed", "interrupted")
        with self._lock:
            self.job.state = ScanJob.State.FAILED if failed else ScanJob.State.DONE
            self.job.status, self.job.detail, self.job.phase = status, detail[:300], ""
            self.job.finished_at, self.job.current_ticker = datetime.now(UTC), ""
            if not failed:
                self.job.done = self.job.total = len(self.job.tickers)
            self._save(at_once=True)

    def _save(self, *, at_once: bool = False) -> None:
        """Save the row and, now and then, live.json. A live.json that can't be written stops no scan."""
        if not at_once and time.monotonic() - self._renewed < RENEW_EVERY_SECONDS:
            return
        self._renewed = time.monotonic()
        self.job.save()
        try:
            renew_live(self.folder)
        except (LockHeld, OSError) as error:
            logger.warning("live.json was not renewed: %s", error)
        finally:
            if threading.get_ident() != self._made_in:
                # A connection is its thread's own, and nobody else would close it.
                connection.close()
