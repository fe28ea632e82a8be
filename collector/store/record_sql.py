"""SQL that turns the store's columns into the documents' fields: generated from exports/documents.py.

Times become RFC 3339 text in UTC, dates ISO text, numbers with ``significant`` are rounded to so many digits, what is
not finite becomes null, JSON columns are parsed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import duckdb
import orjson

from exports.documents import DOCUMENTS, Field

BATCH = 2048
RFC_3339 = "%Y-%m-%dT%H:%M:%SZ"


def expression(field: Field, column: str) -> str:
    """Return the SQL that gives a field's JSON value from its column."""
    if field.type == "datetime":
        return f"strftime({column}, '{RFC_3339}')"
    if field.type == "date":
        return f"strftime({column}, '%Y-%m-%d')"
    if field.type == "number" and field.significant:
        digits = field.significant - 1
        return (
            f"CASE WHEN isfinite({column}) THEN CASE WHEN {column} = 0 THEN 0.0 ELSE "
            f"round({column}, {digits} - CAST(floor(log10(abs({column}))) AS INTEGER)) END END"
        )
    if field.type == "number":
        return f"CASE WHEN isfinite({column}) THEN {column} END"
    return column


def select(document: str, renamed: Mapping[str, str]) -> str:
    """Return the select list of a document's fields; ``renamed`` names the column of a field where it differs."""
    return ", ".join(
        f'{expression(field, renamed.get(field.name, field.name))} AS "{field.name}"'
        for field in DOCUMENTS[document].fields
    )


def objects(rows: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
    """Yield rows as objects, their JSON columns parsed."""
    names = [column[0] for column in rows.description or ()]
    parsed = [index for index, column in enumerate(rows.description or ()) if str(column[1]) == "JSON"]
    while batch := rows.fetchmany(BATCH):
        for row in batch:
            record = dict(zip(names, row, strict=True))
            for index in parsed:
                text = row[index]
                record[names[index]] = None if text is None else orjson.loads(text)
            yield record


def json_objects(rows: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
    """Yield the objects of a query whose one column is JSON text."""
    while batch := rows.fetchmany(BATCH):
        for (text,) in batch:
            yield orjson.loads(text)


def ticker_clock(market: str) -> str:
    """Return the query of each ticker's 'now': the parameter $now, or for recordings its newest as_of scanned."""
    if market == "recorded":
        return "SELECT ticker, max(as_of) AS now FROM chains WHERE $now IS NOT NULL GROUP BY ticker"
    return "SELECT DISTINCT ticker, CAST($now AS TIMESTAMPTZ) AS now FROM chains"


def ticker_clocks(
    connection: duckdb.DuckDBPyConnection, market: str, now: datetime, tickers: Sequence[str]
) -> dict[str, datetime]:
    """Return 'now' of each of the tickers that has chains."""
    rows = connection.execute(
        f"WITH clock AS ({ticker_clock(market)}) "
        "SELECT ticker, epoch_us(now) FROM clock WHERE list_contains($tickers, ticker)",
        {"now": now, "tickers": list(tickers)},
    ).fetchall()
    return {ticker: datetime.fromtimestamp(micros / 1_000_000, tz=now.tzinfo) for ticker, micros in rows}


def rounded(fields: Sequence[Field], content: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object from a JSON column with its numbers in the digits that their fields say.

    Members come in the order of ``fields``; one that the content lacks, as an older version wrote it, is null.
    """
    return {field.name: _rounded(field, content.get(field.name)) for field in fields}


def _rounded(field: Field, value: Any) -> Any:
    """Return a member's value in the digits that its field says, objects and arrays of them included."""
    if value is None:
        return None
    if field.type == "object" and field.fields:
        return rounded(field.fields, value)
    if field.type == "array" and field.fields:
        return [rounded(field.fields, item) for item in value]
    if field.significant and isinstance(value, float):
        return float(f"{value:.{field.significant - 1}e}")
    return value


def digest(values: Sequence[str]) -> str:
    """Return a short hash of a list of names."""
    return hashlib.sha256("\n".join(values).encode()).hexdigest()[:8]
