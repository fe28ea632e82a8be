"""The dated events that a scan knew of a ticker: each set is kept once, and named by the rows of features."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import orjson

from collector.store.records import append


def events_digest(events: Sequence[Mapping[str, Any]]) -> str:
    """Return what tells a set of dated events from others."""
    return hashlib.sha256(orjson.dumps(list(events))).hexdigest()[:16]


def known_events(connection: duckdb.DuckDBPyConnection, digest: str | None, ticker: str) -> list[dict[str, Any]] | None:
    """Return the dated events that a scan knew of a ticker, None where that was not kept."""
    if digest is None:
        return None
    rows = connection.execute(
        "SELECT events FROM event_sets WHERE digest = ? AND ticker = ? LIMIT 1", [digest, ticker]
    ).fetchall()
    return orjson.loads(rows[0][0]) if rows else None


def append_event_sets(
    connection: duckdb.DuckDBPyConnection, sets: Sequence[Mapping[str, Any]], shared: Mapping[str, Any]
) -> None:
    """Append the sets of events (ticker, digest, events, recorded_at) that the store does not hold."""
    digests = [one["digest"] for one in sets]
    rows = connection.execute(
        "SELECT ticker, digest FROM event_sets WHERE list_contains(?, digest)", [digests]
    ).fetchall()
    held = set(rows)
    fresh = [dict(one) for one in sets if (one["ticker"], one["digest"]) not in held]
    append(connection, "event_sets", fresh, {name: value for name, value in shared.items() if name != "feed"})
