"""The last scan of the whole watchlist: what a scan of a few tickers found says nothing of the others."""

from __future__ import annotations

from typing import Any

from api.selection import select
from api.source import Export

SCHEDULED = ("scheduled", "close")


def watchlist_scan(export: Export) -> dict[str, Any] | None:
    """Return the record of the newest scan that ran over the watchlist; None where none was exported.

    Scheduled scans do. A scan by hand does where it asked for as many tickers as have figures. Slots skipped because
    of the hour say nothing of the data.
    """
    scans, features = export.document("scans"), export.document("features")
    if scans is None:
        return None
    whole = features.count if features is not None else 0
    for position in select(scans, ("-started_at",), scans.index.column("status") != "skipped"):
        record = scans.record(int(position))
        if record["kind"] in SCHEDULED or len(record["tickers"]["requested"]) >= max(1, whole):
            return record
    return None
