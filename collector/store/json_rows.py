"""Rows of the store as the JSON values that a scan staged: times and dates as ISO text, JSON columns parsed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb
import orjson

from collector.store.records import column_types

# What the join adds to the rows that a scan staged.
PROVENANCE = frozenset({"scan_id", "ticker", "provider", "feed", "source", "recorded_at", "inserted_at"})


def json_rows(
    connection: duckdb.DuckDBPyConnection, table: str, query: str, parameters: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the rows of a query, which has the columns of ``table`` under their own names.

    Args:
        connection: the open store.
        table: whose columns these are; others are left out.
        query: SQL; its text may hold ``{columns}``, the select list, where the table has the alias ``t``.
        parameters: of the query.
    """
    kinds = column_types(connection, table)
    columns = ", ".join(_selected(name, kind) for name, kind in kinds.items())
    rows = connection.execute(query.format(columns=columns), dict(parameters)).fetchall()
    return [{name: _value(value, kind) for value, (name, kind) in zip(row, kinds.items(), strict=True)} for row in rows]


def _selected(name: str, kind: str) -> str:
    # Microseconds: a TIMESTAMPTZ would be fetched in a zone of its own.
    return f't."{name}"' if kind != "TIMESTAMP WITH TIME ZONE" else f'epoch_us(t."{name}") AS "{name}"'


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "TIMESTAMP WITH TIME ZONE":
        return moment(value).isoformat()
    if kind == "DATE":
        return value.isoformat()
    return orjson.loads(value) if kind == "JSON" else value


def moment(microseconds: int) -> datetime:
    """Return the UTC moment of so many microseconds since the epoch, exactly."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
