"""What a scan had before it, rebuilt from the store: rows as they were recorded, of scans that had been joined then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson

from collector.store.alert_records import AlertRecordFault, alert_record
from collector.store.database import Connection
from collector.store.event_sets import known_events
from collector.store.json_rows import PROVENANCE, json_rows, moment
from collector.store.replay_contracts import first_line, parquet_of, pruned_scans, quoted, readable
from exports.folders import MarketFolder

OF_OWN = "t.scan_id = $scan_id AND t.ticker = $ticker"
# Of the scan's own bars, what is looked at.
BARS = ("date", "split_factor")
# What the join puts into a feature after its detectors have seen it, or beside it.
ADDED_LATER = frozenset({"detectors", "events_digest"})


class UnreadablePast(Exception):
    """What was known before a scan can't be read; the message is one line."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """What one scan made of an alert, as it was recorded; ``fault`` says why the record can't be used, {} then."""

    scan_id: str
    kind: str
    at: datetime
    alert: Mapping[str, Any]
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedScan:
    """What a scan row says of how the scan was made; ``known_at`` is when the last of its tickers was recorded."""

    scan_id: str
    store_revision: int
    provider: str
    feed: str
    kind: str
    started_at: datetime
    configuration: Any
    config_hash: str
    code_version: str
    libraries: Mapping[str, str]
    known_at: datetime


def recorded_events(connection: Connection, alert_id: str) -> list[RecordedEvent]:
    """Return the events of an alert, oldest first; [] where there is no such alert."""
    rows = connection.execute(
        "SELECT scan_id, kind, epoch_us(happened_at), alert FROM alert_events "
        "WHERE alert_id = ? ORDER BY store_revision, kind",
        [alert_id],
    ).fetchall()
    return [_event(scan, kind, moment(at), alert, alert_id) for scan, kind, at, alert in rows]


def _event(scan_id: str, kind: str, at: datetime, text: str, alert_id: str) -> RecordedEvent:
    try:
        alert_record(text, alert_id)
    except AlertRecordFault as fault:
        return RecordedEvent(scan_id, kind, at, {}, str(fault))
    # As it is in the store: what it lacks is told.
    return RecordedEvent(scan_id, kind, at, orjson.loads(text))


def recorded_scan(connection: Connection, scan_id: str) -> RecordedScan | None:
    """Return a scan as its row has it, None where the store does not hold it."""
    rows = connection.execute(
        """
        SELECT s.scan_id, s.store_revision, s.provider, s.feed, s.kind, epoch_us(s.started_at),
               s.configuration, s.config_hash, s.code_version, s.libraries,
               (SELECT epoch_us(max(c.recorded_at)) FROM chains c WHERE c.scan_id = s.scan_id)
        FROM scans s WHERE s.scan_id = ?
        """,
        [scan_id],
    ).fetchall()
    if not rows or rows[0][10] is None:
        return None
    scan, revision, provider, feed, kind, started, configuration, digest, version, libraries, known = rows[0]
    return RecordedScan(
        scan_id=scan,
        store_revision=revision,
        provider=provider,
        feed=feed,
        kind=kind,
        started_at=moment(started),
        configuration=orjson.loads(configuration),
        config_hash=digest,
        code_version=version,
        libraries=_versions(orjson.loads(libraries)),
        known_at=moment(known),
    )


def _versions(content: Any) -> dict[str, str]:
    return {name: str(version) for name, version in content.items()} if isinstance(content, dict) else {}


@contextmanager
def before_scan(
    connection: Connection, folder: MarketFolder, scan: RecordedScan, ticker: str, market_date: date
) -> Iterator[list[str]]:
    """Show inside only what scans joined before this one had brought, under the tables' own names.

    Contracts of the ticker that were pruned from the store are those of the Parquet history, where it holds them.
    Yields what of that can't be read.

    Raises:
        UnreadablePast: a read inside failed.
    """
    joined = f"scan_id IN (SELECT scan_id FROM store.main.scans WHERE store_revision < {scan.store_revision})"
    pruned = pruned_scans(connection, scan.provider, ticker, market_date, scan.store_revision)
    files = [parquet_of(folder, scan.provider, before, ticker, day) for before, day in pruned.items()]
    there = [file for file in files if file.exists()]
    usable = readable(there)
    damaged = len(there) - len(usable)
    tables = [
        str(name)
        for (name,) in connection.execute(
            "SELECT table_name FROM duckdb_columns() WHERE database_name = 'store' AND column_name = 'scan_id'"
        ).fetchall()
    ]
    unread = f"earlier files of the Parquet history that can't be read, which usual volumes lack: {damaged}"
    try:
        for table in tables:
            rows = f"SELECT * FROM store.main.{table} WHERE {joined}"
            if table == "contracts":
                rows += _from_history(connection, scan.provider, usable)
            connection.execute(f"CREATE TEMP VIEW {table} AS {rows}")
        yield [unread] if damaged else []
    except duckdb.Error as error:
        raise UnreadablePast(f"what it knew of {ticker} can't be read: {first_line(error)}") from error
    finally:
        for table in tables:
            connection.execute(f"DROP VIEW IF EXISTS temp.{table}")


def _from_history(connection: Connection, provider: str, files: Sequence[Path]) -> str:
    """Return the SQL that adds a ticker's pruned contracts from their Parquet; empty where there is none."""
    listed = ", ".join(quoted(str(file)) for file in files)
    if not listed:
        return ""
    have = {row[0] for row in connection.execute("DESCRIBE SELECT * FROM store.main.contracts").fetchall()}
    held = [
        row[0]
        for row in connection.execute(
            f"DESCRIBE SELECT * FROM read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
        ).fetchall()
        if row[0] in have
    ]
    columns = ", ".join(f'"{name}"' for name in held)
    return (
        f" UNION ALL BY NAME SELECT {columns}, {quoted(provider)} AS provider "
        f"FROM read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
    )


def staged_record(connection: Connection, scan: RecordedScan, ticker: str) -> tuple[dict[str, Any], list[str]] | None:
    """Return a ticker's record as the scan staged it, as far as detectors look at it, and what is not as it was.

    None where the store does not hold the scan's figures of the ticker.
    """
    whose = {"scan_id": scan.scan_id, "ticker": ticker}
    features = json_rows(connection, "features", f"SELECT {{columns}} FROM store.main.features t WHERE {OF_OWN}", whose)
    if not features:
        return None
    chains = json_rows(
        connection,
        "chains",
        f"SELECT {{columns}} FROM store.main.chains t WHERE {OF_OWN} ORDER BY t.expiration, t.root",
        whose,
    )
    bars = json_rows(
        connection, "bars", f"SELECT {{columns}} FROM store.main.bars t WHERE {OF_OWN} ORDER BY t.date", whose
    )
    feature, notes = features[0], []
    events = known_events(connection, feature["events_digest"], ticker)
    if events is None:
        events = _events_by(connection, scan, ticker)
        notes.append("which dated events it knew was not kept: those that the store knew by then stand in")
    record = {
        "ticker": ticker,
        "feed": feature["feed"],
        "recorded_at": feature["recorded_at"],
        "as_of": feature["as_of"],
        "market_date": feature["market_date"],
        "chains": [_without(chain, PROVENANCE) for chain in chains],
        "feature": _without(feature, PROVENANCE | ADDED_LATER),
        "bars": {name: [bar[name] for bar in bars] for name in BARS},
        "events": events,
    }
    return record, notes


def _without(row: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _events_by(connection: duckdb.DuckDBPyConnection, scan: RecordedScan, ticker: str) -> list[dict[str, Any]]:
    """Return the newest row of each dated event of the ticker and the market that the store held after the scan."""
    rows = json_rows(
        connection,
        "events",
        """
        SELECT {columns} FROM store.main.events t JOIN store.main.scans s USING (scan_id)
        WHERE t.provider = $provider AND coalesce(t.ticker, $ticker) = $ticker
          AND t.recorded_at <= $known_at AND s.store_revision <= $revision
        QUALIFY row_number() OVER (PARTITION BY t.ticker, t.kind, t.date ORDER BY t.recorded_at DESC,
            t.inserted_at DESC) = 1
        ORDER BY t.date, t.kind, t.known_at
        """,
        {
            "provider": scan.provider,
            "ticker": ticker,
            "known_at": scan.known_at,
            "revision": scan.store_revision,
        },
    )
    names = ("kind", "date", "known_at", "ticker", "time", "confirmed", "amount", "source")
    return [{name: row[name] for name in names} for row in rows]
