"""Rows into the store: each function appends one kind of row inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import orjson
import pandas as pd
from numpy.typing import NDArray

JSON_COLUMNS = frozenset(
    {
        "tickers",
        "coverage",
        "grades",
        "rejections",
        "seconds",
        "configuration",
        "libraries",
        "watchlist",
        "rate_curve",
        "totals",
        "analytics",
        "dividends",
        "term_structure",
        "volatility_cone",
        "grade_reasons",
        "facts",
        "reasons",
        "detectors",
        "near_misses",
        "alert",
        "events",
    }
)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What every row of one scan shares. ``inserted_at`` is the wall clock of the join."""

    scan_id: str
    provider: str
    feed: str
    inserted_at: datetime

    @property
    def columns(self) -> dict[str, Any]:
        """Return the shared columns; the source of a scan's rows is its feed."""
        return {
            "scan_id": self.scan_id,
            "provider": self.provider,
            "feed": self.feed,
            "source": self.feed,
            "inserted_at": self.inserted_at,
        }


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows as columns that DuckDB reads fast: made before the store is opened, so that it is held for less."""

    frame: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return [str(name) for name in self.frame.columns]

    def at(self, positions: Sequence[int]) -> Batch:
        """Return some of the rows."""
        return Batch(self.frame.iloc[list(positions)].reset_index(drop=True))

    def with_column(self, name: str, values: Sequence[Any]) -> Batch:
        """Return the rows with one more column, a value a row."""
        return Batch(self.frame.assign(**{name: _column(name, list(values))})) if values else self

    def selected(self, kinds: dict[str, str], names: Sequence[str]) -> list[str]:
        """Return the SQL of columns in the types of their table; NaN stands for null."""
        return [
            f'CASE WHEN isnan("{name}") THEN NULL ELSE CAST("{name}" AS {kinds[name]}) END'
            if self.frame[name].dtype == np.float64
            else f'CAST("{name}" AS {kinds[name]})'
            for name in names
        ]


def batch(rows: Sequence[dict[str, Any]]) -> Batch:
    """Return rows as columns; one that a row lacks is null there. Lists and objects become JSON text."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return batch_of({name: [row.get(name) for row in rows] for name in names})


def batch_of(columns: Mapping[str, list[Any] | NDArray[Any]]) -> Batch:
    """Return columns of one length; arrays are taken as they are, lists as those of rows."""
    return Batch(pd.DataFrame({name: _column(name, values) for name, values in columns.items()}))


def _column(name: str, values: list[Any] | NDArray[Any]) -> pd.Series[Any]:
    """Return a column: numbers as float64 with NaN for null, dates as midnights, anything else as it is."""
    if isinstance(values, np.ndarray):
        return pd.Series(values, dtype=values.dtype)
    kinds = set(map(type, values))
    if kinds <= {float, int, type(None)} and float in kinds:
        return pd.Series(np.array(values, dtype=np.float64))
    if kinds == {date}:
        return pd.Series(np.array(values, dtype="datetime64[s]"))
    return pd.Series([_cell(name, value) for value in values], dtype="object")


def append(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    rows: Sequence[dict[str, Any]] | Batch,
    shared: dict[str, Any] | None = None,
) -> None:
    """Append rows to a table, columns by name; a column that no row has is null.

    Lists and objects become JSON text; times and dates may be ISO text. ``shared`` are columns whose value all rows
    share; they go before the rows' own.
    """
    staged = rows if isinstance(rows, Batch) else batch(rows)
    if staged.frame.empty:
        return
    shared = shared or {}
    names = [name for name in staged.names if name not in shared]
    kinds = column_types(connection, table)
    unknown = [name for name in [*names, *shared] if name not in kinds]
    if unknown:
        raise ValueError(f"table {table} has no column {', '.join(unknown)}")
    connection.register("staged_rows", staged.frame)
    casts = [*staged.selected(kinds, names), *(f"CAST(? AS {kinds[name]})" for name in shared)]
    listed = ", ".join(f'"{name}"' for name in [*names, *shared])
    connection.execute(
        f"INSERT INTO {table} ({listed}) SELECT {', '.join(casts)} FROM staged_rows",
        [_cell(name, value) for name, value in shared.items()],
    )
    connection.unregister("staged_rows")


def column_types(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return the columns of a table of the store with their types."""
    rows = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = 'store' AND table_name = ? ORDER BY column_index",
        [table],
    ).fetchall()
    return {str(name): str(kind) for name, kind in rows}


def append_contracts(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], provenance: Provenance) -> int:
    """Append the contracts of staged Parquet files; return how many."""
    if not files:
        return 0
    have = column_types(connection, "contracts")
    paths = [str(file) for file in files]
    staged = {
        str(row[0])
        for row in connection.execute(
            "DESCRIBE SELECT * FROM read_parquet(?, union_by_name = true)", [paths]
        ).fetchall()
    }
    shared = {"provider": provenance.provider, "inserted_at": provenance.inserted_at}
    names = [name for name in have if name in staged and name not in shared]
    listed = ", ".join(f'"{name}"' for name in [*names, *shared])
    selected = ", ".join(f'"{name}"' for name in names)
    # Who reads contracts sorts them: so that both threads may insert, each the rows of whole files.
    connection.execute("SET preserve_insertion_order = false")
    try:
        row = connection.execute(
            f"INSERT INTO contracts ({listed}) SELECT {selected}, ?, ? FROM read_parquet(?, union_by_name = true)",
            [*shared.values(), paths],
        ).fetchone()
    finally:
        connection.execute("SET preserve_insertion_order = true")
    return int(row[0]) if row else 0


def append_bars(
    connection: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]] | Batch, provenance: Provenance
) -> None:
    """Append the bars that the store does not have just so; a bar that was restated is a new row."""
    _append_news(connection, "bars", rows, ("ticker", "date"), provenance)


def append_events(
    connection: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]], provenance: Provenance
) -> None:
    """Append the events that the store does not have just so."""
    _append_news(connection, "events", rows, ("ticker", "kind", "date"), provenance)


def append_rates(connection: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]], provenance: Provenance) -> None:
    """Append the yields that the store does not have just so."""
    _append_news(connection, "rates", rows, ("date", "days"), provenance)


def _append_news(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    rows: Sequence[dict[str, Any]] | Batch,
    keys: Sequence[str],
    provenance: Provenance,
) -> None:
    """Append those rows that differ from the newest row of their key, each once; a row may name its own source."""
    staged = rows if isinstance(rows, Batch) else batch(rows)
    if staged.frame.empty:
        return
    ignored = {"scan_id", "source", "recorded_at", "inserted_at", "known_at"}
    names = [name for name in staged.names if name not in ignored]
    kinds = column_types(connection, table)
    connection.register("staged_rows", staged.frame.assign(position=range(len(staged.frame))))
    casts = ", ".join(f'{text} AS "{name}"' for name, text in zip(names, staged.selected(kinds, names), strict=True))
    same = " AND ".join(f'n."{name}" IS NOT DISTINCT FROM s."{name}"' for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    partition = ", ".join(f'"{key}"' for key in keys)
    fresh = connection.execute(
        f"""
        WITH newest AS (
            SELECT {listed} FROM {table}
            WHERE provider = ?
            QUALIFY row_number() OVER (PARTITION BY {partition} ORDER BY recorded_at DESC, inserted_at DESC) = 1
        ), s AS (
            SELECT {casts}, position FROM staged_rows
            QUALIFY row_number() OVER (PARTITION BY {listed} ORDER BY position) = 1
        )
        SELECT s.position FROM s ANTI JOIN newest n ON {same} ORDER BY s.position
        """,
        [provenance.provider],
    ).fetchall()
    connection.unregister("staged_rows")
    own_source = "source" in staged.names
    shared = {name: value for name, value in provenance.columns.items() if name != "source" or not own_source}
    append(connection, table, staged.at([position for (position,) in fresh]), shared)


def append_revision(connection: duckdb.DuckDBPyConnection, revision: int, provenance: Provenance) -> None:
    """Append the revision that a join makes."""
    row = {"store_revision": revision, "scan_id": provenance.scan_id, "inserted_at": provenance.inserted_at}
    append(connection, "revisions", [row])


def _cell(name: str, value: Any) -> Any:
    """Return what DuckDB reads from a frame's cell."""
    if name in JSON_COLUMNS and value is not None:
        return json_text(value)
    return value


def json_text(value: Any) -> str:
    """Return the text that a JSON column keeps."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY).decode()
