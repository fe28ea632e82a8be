"""What the exports read of the store: one snapshot, records in their final order, rounded, JSON-ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from collector.alerts.marks import marks_of
from collector.market.calendar import sessions_of
from collector.models import WatchedTicker
from collector.store import chain_records, history_records, record_sql
from collector.store.database import EXPORT_MEMORY_LIMIT, Connection, open_store, store_revision
from collector.store.expectations import Expectations, expectations
from collector.store.meta_records import meta_records, meta_revision
from collector.store.moment import StoreMoment
from collector.store.track_records import track_records
from exports.documents import ALERT_FIELDS, ALERT_MARKS, FEATURE_FIELDS
from exports.folders import MarketFolder

ALERT_NAMES = tuple(field.name for field in ALERT_FIELDS if field not in ALERT_MARKS)
FEATURE_TABLES = tuple(field for field in FEATURE_FIELDS if field.fields)
SCANS_KEPT = 500
ALERTS_KEPT = 10_000
ALERT_DAYS = 30


class StoreExportSource:
    """The store of one market as the source of its exports (exports/source.py)."""

    def __init__(self, folder: MarketFolder) -> None:
        self.folder = folder

    @contextmanager
    def snapshot(self) -> Iterator[StoreSnapshot]:
        """Open the store for one export; raise StoreError."""
        # Years of sessions take a quarter of a second to be made: before the store is held.
        sessions_of(self.folder.market)
        with open_store(self.folder, "export") as connection:
            connection.execute(f"SET memory_limit = '{EXPORT_MEMORY_LIMIT}'")
            connection.execute("SET threads = 1")
            connection.execute("BEGIN")
            try:
                yield StoreSnapshot(connection, self.folder, datetime.now(UTC))
            finally:
                connection.execute("ROLLBACK")


class StoreSnapshot:
    """One moment of the store, as exports/source.py asks for it."""

    def __init__(self, connection: Connection, folder: MarketFolder, now: datetime) -> None:
        watched = WatchedTicker.objects.filter(market=folder.market, state=WatchedTicker.State.ACTIVE)
        self.moment = StoreMoment(
            connection, folder.provider, folder.market, now, tuple(watched.values_list("ticker", flat=True))
        )
        self.provider = folder.provider
        self.store_revision = store_revision(connection)
        self._expected: Expectations = expectations(connection, folder, now)
        self._errors = _scan_errors(connection)
        self._track_records = track_records(connection, folder.provider)

    @property
    def next_scan_expected_at(self) -> datetime | None:
        """Return when the next scan is expected; None for recordings."""
        return self._expected.next_scan_at

    @property
    def next_export_expected_at(self) -> datetime | None:
        """Return when the next export is expected; None for recordings."""
        return self._expected.next_export_at

    def document_revision(self, document: str) -> str:
        """Return a text that moves exactly when what the document holds may have moved."""
        if document == "meta":
            return meta_revision(self.moment.market, self._track_records)
        if document in ("alerts", "scans", "features"):
            return str(self.store_revision)
        clock = history_records.clock(self.moment) if document == "history" else chain_records.clock(self.moment)
        return f"{self.store_revision}.{record_sql.digest(self.moment.watched)}.{clock}"

    def records(self, document: str) -> Iterator[dict[str, Any]]:
        """Yield the document's records in final order."""
        readers: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
            "alerts": self._alerts,
            "chains": lambda: chain_records.chains(self.moment),
            "scans": self._scans,
            "features": self._features,
            "history": lambda: history_records.history(self.moment),
            "meta": self._meta,
        }
        yield from readers[document]()

    def errors(self, document: str) -> list[dict[str, Any]]:
        """Return what makes the document incomplete: the newest scan's failed and skipped tickers."""
        return self._errors if document in ("alerts", "chains", "features") else []

    def _alerts(self) -> Iterator[dict[str, Any]]:
        """Yield the alerts of 30 days, newest first, at most 10,000."""
        rows = self.moment.connection.execute(
            f"""
            WITH clock AS ({record_sql.ticker_clock(self.moment.market)}), newest AS (
                SELECT e.ticker, e.alert_id, arg_max(e.alert::VARCHAR, (e.happened_at, e.store_revision)) AS alert,
                       min(e.happened_at) AS first_seen, max(e.happened_at) AS last_seen
                FROM alert_events e WHERE e.kind <> 'digest' GROUP BY e.ticker, e.alert_id
            )
            SELECT n.alert FROM newest n JOIN clock c USING (ticker)
            WHERE n.last_seen >= c.now - INTERVAL {ALERT_DAYS} DAY
            ORDER BY n.first_seen DESC, n.alert_id LIMIT {ALERTS_KEPT}
            """,
            {"now": self.moment.now},
        )
        overlay = marks_of(self.moment.market, self.moment.now)
        for record in record_sql.json_objects(rows):
            # One that began before a field was there has none.
            yield overlay({name: record.get(name) for name in ALERT_NAMES})

    def _meta(self) -> Iterator[dict[str, Any]]:
        """Yield what detectors, providers, fields and reason codes mean."""
        return meta_records(self.moment.market, self._track_records)

    def _scans(self) -> Iterator[dict[str, Any]]:
        """Yield the last 500 scans, newest first."""
        columns = record_sql.select("scans", {"id": "scan_id"})
        rows = self.moment.connection.execute(
            # Qualified: the bare name would be the select list's text, which knows whole seconds only.
            f"SELECT {columns} FROM scans ORDER BY scans.started_at DESC, scans.scan_id DESC LIMIT {SCANS_KEPT}"
        )
        yield from record_sql.objects(rows)

    def _features(self) -> Iterator[dict[str, Any]]:
        """Yield of each watched ticker the newest usable figures, else the newest."""
        columns = record_sql.select("features", {})
        rows = self.moment.connection.execute(
            f"""
            SELECT {columns} FROM features
            WHERE list_contains($watched, ticker)
            QUALIFY row_number() OVER (PARTITION BY features.ticker ORDER BY
                (features.grade IS NOT NULL AND features.grade <= 'D') DESC,
                features.as_of DESC, features.quote_time DESC, features.scan_id DESC) = 1
            ORDER BY features.ticker
            """,
            {"watched": list(self.moment.watched)},
        )
        for record in record_sql.objects(rows):
            for field in FEATURE_TABLES:
                # A row that was recorded before these were computed holds none.
                record[field.name] = [record_sql.rounded(field.fields, row) for row in record[field.name] or ()]
            yield record


def _scan_errors(connection: Connection) -> list[dict[str, Any]]:
    """Return the failed and skipped tickers of the newest scan."""
    rows = connection.execute(
        "SELECT tickers FROM scans WHERE status <> 'skipped' ORDER BY started_at DESC, scan_id DESC LIMIT 1"
    )
    found: list[dict[str, Any]] = []
    for tickers in record_sql.json_objects(rows):
        for group in ("failed", "skipped", "not_recorded"):
            found += [
                {"ticker": row["ticker"], "reason": row["reason"], "detail": row["detail"] or group}
                for row in tickers[group]
            ]
    return found
