"""Outcomes and detectors' records: appended by a join, read as they were known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import duckdb

from collector.alerts.outcomes import Case, Horizon, Outcome
from collector.alerts.track_record import Judged, TrackRecord
from collector.store.records import append


def judged_outcomes(
    connection: duckdb.DuckDBPyConnection, provider: str, known_at: datetime
) -> dict[tuple[str, Horizon], list[Judged]]:
    """Return the outcomes that are known, by detector and horizon."""
    rows = connection.execute(
        """
        SELECT detector, horizon, ticker, session, claim, metric, favour, hit, gain FROM outcomes
        WHERE provider = ? AND recorded_at <= ? AND hit IS NOT NULL ORDER BY detector, horizon, session, alert_id
        """,
        [provider, known_at],
    ).fetchall()
    found: dict[tuple[str, Horizon], list[Judged]] = {}
    for detector, horizon, *told in rows:
        found.setdefault((detector, horizon), []).append(Judged(*told))
    return found


def track_records(
    connection: duckdb.DuckDBPyConnection, provider: str, known_at: datetime | None = None
) -> list[dict[str, Any]]:
    """Return the newest record of each detector at each horizon, those recorded by ``known_at`` where it is given."""
    rows = connection.execute(
        """
        SELECT detector, horizon, n, hits, hit_rate, low, high, median, base_rate, base_n, text FROM track_records
        WHERE provider = $provider AND ($known_at IS NULL OR recorded_at <= $known_at)
        QUALIFY row_number() OVER (PARTITION BY detector, horizon ORDER BY recorded_at DESC, inserted_at DESC) = 1
        ORDER BY detector, horizon
        """,
        {"provider": provider, "known_at": known_at},
    ).fetchall()
    names = list(TrackRecord.__dataclass_fields__)
    return [dict(zip(names, row, strict=True)) for row in rows]


def append_outcomes(
    connection: duckdb.DuckDBPyConnection,
    outcomes: Sequence[tuple[Case, Outcome]],
    records: Sequence[TrackRecord],
    recorded_at: Mapping[str, str],
    shared: Mapping[str, Any],
) -> None:
    """Append what a scan made of outcomes, and the records that follow.

    Args:
        connection: the open store.
        outcomes: each with its case.
        records: of the detectors concerned.
        recorded_at: of each ticker scanned.
        shared: the columns of the scan.
    """
    rows = [
        {
            "alert_id": case.alert["id"],
            "ticker": case.alert["ticker"],
            "detector": case.alert["detector"],
            "direction": case.alert["direction"],
            "claim": case.claim,
            "favour": told.favour,
            "session": case.alert["session"],
            "horizon": told.horizon,
            "market_date": told.market_date,
            "metric": told.metric,
            "value_then": told.value_then,
            "value_now": told.value_now,
            "change": told.change,
            "gain": told.gain,
            "hit": told.hit,
            "net": told.net,
            "reason": told.reason,
            "recorded_at": recorded_at[case.alert["ticker"]],
        }
        for case, told in outcomes
    ]
    columns = {name: value for name, value in shared.items() if name != "feed"}
    append(connection, "outcomes", rows, columns)
    newest = max(recorded_at.values(), default=None)
    append(connection, "track_records", [{**one.to_json(), "recorded_at": newest} for one in records], columns)
