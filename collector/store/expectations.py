"""When the next scan and the next export are expected: what a reader judges staleness by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
from django.conf import settings

from collector.market.calendar import sessions_of
from collector.schedules import cron_of, next_slot
from exports.folders import MarketFolder


@dataclass(frozen=True, slots=True)
class Expectations:
    """Expected times, None where nothing is expected (recordings)."""

    next_scan_at: datetime | None
    next_export_at: datetime | None


def expectations(connection: duckdb.DuckDBPyConnection, folder: MarketFolder, now: datetime) -> Expectations:
    """Return what the manifest says is expected.

    The next scan is the first slot after the newest finished scan, so that exports that go on do not hide that scans
    stopped.
    """
    if folder.market == "recorded":
        return Expectations(None, None)
    row = connection.execute("SELECT epoch_us(max(finished_at)) FROM scans WHERE kind <> 'backfill'").fetchone()
    since = datetime.fromtimestamp(row[0] / 1_000_000, tz=now.tzinfo) if row and row[0] else now
    return Expectations(
        next_slot(since, cron_of("scheduled", folder.provider), sessions_of(folder.market)),
        now + timedelta(minutes=settings.OPTSITE.export_minutes),
    )
