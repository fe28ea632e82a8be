"""What a join asks of the past: alerts that stand, the last scan's coverage, as they were known then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import orjson
import pandas as pd

from collector.alerts.verdicts import Seen
from collector.store.alert_records import usable_record

ALERT_DAYS = 30


def standing_alerts(
    connection: duckdb.DuckDBPyConnection, provider: str, tickers: Sequence[str], now: datetime
) -> dict[str, list[dict[str, Any]]]:
    """Return each ticker's alerts, the newest state of each: all that stand, and those that ended in the last 30 days.

    A scan that is joined late sees what later scans made of an alert, so that it begins no episode twice. A record that
    can't be used is left out, with a warning.
    """
    rows = connection.execute(
        """
        SELECT ticker, alert_id, arg_max(alert::VARCHAR, (happened_at, store_revision)) AS alert
        FROM alert_events
        WHERE provider = ? AND list_contains(?, ticker) AND kind <> 'digest'
        GROUP BY ticker, alert_id
        HAVING arg_max(alert->>'state', (happened_at, store_revision)) <> 'ended' OR max(happened_at) >= ?
        ORDER BY ticker, alert_id
        """,
        [provider, list(tickers), now - timedelta(days=ALERT_DAYS)],
    ).fetchall()
    found: dict[str, list[dict[str, Any]]] = {ticker: [] for ticker in tickers}
    for ticker, alert_id, alert in rows:
        record = usable_record(alert, alert_id)
        if record is not None:
            found[ticker].append(record)
    return found


def seen_at_first(connection: duckdb.DuckDBPyConnection, alert_ids: Sequence[str]) -> dict[str, Seen]:
    """Return what activity alerts saw in the session in which they began, by id; without one that the store lacks."""
    if not alert_ids:
        return {}
    rows = connection.execute(
        """
        WITH told AS (
            SELECT alert_id, (happened_at, store_revision) AS moment, alert->>'session' AS session,
                   TRY_CAST(alert->>'$.metrics.volume' AS BIGINT) AS volume,
                   TRY_CAST(alert->>'$.metrics.open_interest' AS BIGINT) AS open_interest,
                   alert->>'$.metrics.open_interest_date' AS counted
            FROM alert_events
            WHERE list_contains(?, alert_id) AND market_date = TRY_CAST(alert->>'session' AS DATE)
        )
        SELECT alert_id, coalesce(max(volume), 0), arg_max(open_interest, moment) FILTER (counted < session),
               arg_max(TRY_CAST(counted AS DATE), moment) FILTER (counted < session)
        FROM told GROUP BY alert_id
        """,
        [list(alert_ids)],
    ).fetchall()
    return {alert_id: Seen(volume, open_interest, counted) for alert_id, volume, open_interest, counted in rows}


def last_coverages(
    connection: duckdb.DuckDBPyConnection, provider: str, known_at: Mapping[str, datetime]
) -> dict[str, dict[tuple[date, str], int]]:
    """Return for each ticker expiration and root of each chain in its newest earlier scan, with its contracts.

    Newest by as_of, then scan id, of what was recorded by the ticker's moment; {} where there is none.
    """
    limits = pd.DataFrame({"ticker": pd.Series(list(known_at), dtype="object")})
    limits["known_at"] = pd.to_datetime(pd.Series(list(known_at.values())), utc=True)
    connection.register("limits", limits)
    rows = connection.execute(
        """
        WITH newest AS (
            SELECT c.ticker, arg_max(c.scan_id, (c.as_of, c.quote_time, c.scan_id)) AS scan_id
            FROM chains c JOIN limits l ON l.ticker = c.ticker AND c.recorded_at <= l.known_at
            WHERE c.provider = ?
            GROUP BY c.ticker
        )
        SELECT c.ticker, c.expiration, c.root, c.received FROM chains c JOIN newest n USING (ticker, scan_id)
        """,
        [provider],
    ).fetchall()
    connection.unregister("limits")
    found: dict[str, dict[tuple[date, str], int]] = {ticker: {} for ticker in known_at}
    for ticker, expiration, root, received in rows:
        found[ticker][expiration, root] = received
    return found


def is_joined(connection: duckdb.DuckDBPyConnection, scan_id: str) -> bool:
    """Say whether the scan is in the store."""
    return scan_status(connection, scan_id) is not None


def scan_status(connection: duckdb.DuckDBPyConnection, scan_id: str) -> str | None:
    """Return the status of a scan that is in the store, None where it is not."""
    row = connection.execute("SELECT status FROM scans WHERE scan_id = ?", [scan_id]).fetchone()
    return str(row[0]) if row else None


def alert_events_after(connection: duckdb.DuckDBPyConnection, revision: int) -> list[dict[str, Any]]:
    """Return what is news of the scans joined after a revision, oldest first: what begins, ends, or is judged.

    What a backfill found is none, nor is that an alert goes on.

    Keys event_id, alert_id, kind, scan_id, at and inserted_at (UTC) and alert, the record.
    """
    rows = connection.execute(
        """
        SELECT e.event_id, e.alert_id, e.kind, e.scan_id, epoch_us(e.happened_at), epoch_us(e.inserted_at), e.alert
        FROM alert_events e JOIN scans s USING (scan_id)
        WHERE e.store_revision > ? AND s.kind <> 'backfill' AND e.kind IN ('new', 'ended', 'digest', 'verdict')
        ORDER BY e.store_revision, e.happened_at, e.event_id
        """,
        [revision],
    ).fetchall()
    return [
        {
            "event_id": event_id,
            "alert_id": alert_id,
            "kind": kind,
            "scan_id": scan_id,
            "at": datetime.fromtimestamp(happened / 1_000_000, tz=UTC),
            "inserted_at": datetime.fromtimestamp(inserted / 1_000_000, tz=UTC),
            "alert": orjson.loads(alert),
        }
        for event_id, alert_id, kind, scan_id, happened, inserted, alert in rows
    ]


def sessions_seen(connection: duckdb.DuckDBPyConnection) -> set[date]:
    """Return the sessions of which any chain was recorded."""
    rows = connection.execute("SELECT DISTINCT market_date FROM chains").fetchall()
    return {day for (day,) in rows}
