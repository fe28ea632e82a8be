"""What a scan has collected and not yet joined: a folder a scan, a Parquet and a JSON file a ticker.

    staging/<scan id>/plan.json          what was planned
    staging/<scan id>/<ticker>.parquet   its contracts
    staging/<scan id>/<ticker>.json      its outcome, chains, features, bars, events; written last: it says 'done'
    staging/<scan id>/outcome.json       written when the collecting has ended

Every file is written beside its name, synced and renamed, so a killed scan leaves whole files. A ticker that is done
is not fetched again. The Parquet is written through an in-memory DuckDB: no database file is opened here. After the
join it moves to the history that anyone may read:

    parquet/provider=<provider>/date=<market date>/<scan id>_<ticker>.parquet
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb
import numpy as np
import orjson
import pandas as pd

from collector.store.contract_columns import CONTRACT_COLUMNS, TickerContracts
from collector.store.database import configure, faults_told
from exports.durable_files import write_durably
from exports.folders import MarketFolder

PLAN = "plan.json"
OUTCOME = "outcome.json"
UNREADABLE = "unreadable"


class UnreadableStaging(Exception):
    """A staging that can't be joined: damaged, or of another version; the message names the file."""


class Staging:
    """The staging folder of one scan."""

    def __init__(self, folder: MarketFolder, scan_id: str) -> None:
        """Open the folder, creating it."""
        self.scan_id = scan_id
        self.path = folder.staging_dir / scan_id
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._lock = Lock()

    def clean(self) -> int:
        """Remove what a killed writer left half-written; return how many."""
        leftovers = list(self.path.glob("*.tmp"))
        for leftover in leftovers:
            if leftover.is_dir():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()
        return len(leftovers)

    def write_plan(self, plan: dict[str, Any]) -> None:
        """Keep what was planned."""
        _write_json(self.path / PLAN, plan)

    def plan(self) -> dict[str, Any] | None:
        """Return what was planned, None where the scan died before it was written."""
        return _read_json(self.path / PLAN)

    def write_outcome(self, outcome: dict[str, Any]) -> None:
        """Say that the collecting has ended, and how."""
        _write_json(self.path / OUTCOME, outcome)

    def outcome(self) -> dict[str, Any] | None:
        """Return how the collecting ended, None where it did not."""
        return _read_json(self.path / OUTCOME)

    def write_contracts(self, tickers: Sequence[TickerContracts]) -> None:
        """Keep the contracts of at least one ticker, a file each; they count once their records are written."""
        self._write_parquet(tickers)

    def write_record(self, ticker: str, record: dict[str, Any]) -> None:
        """Keep everything else of a ticker, JSON-ready, and so say that it is done."""
        _write_json(self.path / f"{ticker}.json", record)

    def is_done(self, ticker: str) -> bool:
        """Say whether the ticker was collected."""
        return (self.path / f"{ticker}.json").exists()

    def records(self) -> Iterator[dict[str, Any]]:
        """Give the collected tickers' records in the tickers' order."""
        for path in sorted(self.path.glob("*.json")):
            if path.name not in (PLAN, OUTCOME):
                yield orjson.loads(path.read_bytes())

    def parquet_files(self) -> list[Path]:
        """Return the contracts' files of the tickers that are done."""
        return [path for path in sorted(self.path.glob("*.parquet")) if path.with_suffix(".json").exists()]

    def move_to_history(self, folder: MarketFolder, provider: str, market_dates: dict[str, str]) -> None:
        """Move the Parquet files to the history, by provider and date, and drop the rest.

        Args:
            folder: whose history.
            provider: the scan's provider.
            market_dates: the market date of each ticker, ISO.
        """
        for path in self.parquet_files():
            target = history_partition(folder, provider, market_dates[path.stem])
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.replace(path, target / f"{self.scan_id}_{path.name}")
        self.drop()

    def check(self) -> None:
        """Raise UnreadableStaging where a file of what was collected can't be read."""
        for path in [*sorted(self.path.glob("*.json")), *self.parquet_files()]:
            try:
                if path.suffix == ".json":
                    orjson.loads(path.read_bytes())
                else:
                    with duckdb.connect(":memory:") as connection:
                        columns = ", ".join(f'"{name}"' for name in CONTRACT_COLUMNS)
                        connection.execute(f"SELECT {columns} FROM read_parquet(?)", [str(path)]).fetchall()
            except (ValueError, duckdb.Error) as error:
                raise UnreadableStaging(f"{path.name}: {str(error).splitlines()[0]}") from error

    def set_aside(self, folder: MarketFolder) -> Path:
        """Move the folder out of the way, to be looked at; return where it is."""
        self.close()
        target = folder.root / UNREADABLE / self.scan_id
        target.parent.mkdir(mode=0o700, exist_ok=True)
        os.replace(self.path, target)
        return target

    def drop(self) -> None:
        """Remove the folder."""
        self.close()
        # The plan goes first: a folder that a kill leaves here must not look like a scan to resume.
        (self.path / PLAN).unlink(missing_ok=True)
        shutil.rmtree(self.path)

    def close(self) -> None:
        """Close the in-memory database."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _write_parquet(self, tickers: Sequence[TickerContracts]) -> None:
        """Write rows as Parquet, a file a ticker, beside the names, synced and renamed.

        One statement writes all the files: what a statement costs by itself is as much as the rows of a ticker.
        """
        shared = list(tickers[0].shared)
        place = np.repeat(np.arange(1, len(tickers) + 1), [len(one.columns["strike"]) for one in tickers])
        rows = {name: np.concatenate([one.columns[name] for one in tickers]) for name in tickers[0].columns}
        temporary = self.path / f"{tickers[0].ticker}.parquet.tmp"
        with self._lock, faults_told(temporary.with_suffix("")):
            if self._connection is None:
                self._connection = duckdb.connect(":memory:")
                configure(self._connection, threads=1)
            self._connection.register("rows", {**rows, "place": place})
            self._connection.execute(
                _copy(temporary, shared, apart=len(tickers) > 1),
                [[one.shared[name] for one in tickers] for name in shared],
            )
            self._connection.unregister("rows")
        for number, one in enumerate(tickers, start=1):
            written = temporary / f"place={number}" / "data_0.parquet" if len(tickers) > 1 else temporary
            with written.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(written, self.path / f"{one.ticker}.parquet")
        if temporary.is_dir():
            shutil.rmtree(temporary)


def _copy(path: Path, shared: Sequence[str], *, apart: bool) -> str:
    """Return the statement that writes ``rows`` to a file, or ``apart`` to a file for each place in a folder.

    ``shared`` are columns whose values are the statement's arguments, in this order: a list by place each.
    """
    values = {name: f'"{name}"' for name in CONTRACT_COLUMNS}
    values |= {name: f"CAST(${number} AS VARCHAR[])[place]" for number, name in enumerate(shared, start=1)}
    values["flags"] = "CASE WHEN flags = '' THEN [] ELSE string_split(flags, ',') END"
    columns = [f'CAST({values[name]} AS {kind}) AS "{name}"' for name, kind in CONTRACT_COLUMNS.items()]
    quoted = str(path).replace("'", "''")
    selected, partition = ([*columns, "place"], ", PARTITION_BY (place)") if apart else (columns, "")
    return f"COPY (SELECT {', '.join(selected)} FROM rows) TO '{quoted}' (FORMAT parquet, COMPRESSION zstd{partition})"


# What the detectors look at.
VIEWED = (
    "ticker",
    "contract_symbol",
    "root",
    "expiration",
    "option_type",
    "strike",
    "multiplier",
    "adjusted",
    "bid",
    "ask",
    "mid",
    "last_price",
    "volume",
    "volume_known",
    "untraded",
    "open_interest",
    "implied_volatility",
    "delta",
    "gamma",
    "theta",
    "vega",
    "grade",
)
# Numbers of contracts, null or not: one type whatever else lies in the same files.
COUNTS = frozenset({"volume", "open_interest", "bid_size", "ask_size"})
FILES_AT_ONCE = 50


def viewed(columns: Sequence[str], tables: Mapping[str, str] | None = None) -> str:
    """Return the select list of a view's columns; ``tables`` names the alias of each one's table."""
    places = {name: f'{tables[name]}."{name}"' if tables else f'"{name}"' for name in columns}
    return ", ".join(
        f'CAST({place} AS DOUBLE) AS "{name}"' if name in COUNTS else f'{place} AS "{name}"'
        for name, place in places.items()
    )


def view_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows as detectors see them: expirations as dates."""
    frame["expiration"] = frame["expiration"].dt.date
    return frame


def staged_rows(files: Sequence[Path], columns: Sequence[str] = VIEWED) -> dict[str, pd.DataFrame]:
    """Return columns of the contracts of staged files, by ticker; expirations as dates."""
    found: dict[str, pd.DataFrame] = {}
    with duckdb.connect(":memory:") as connection:
        configure(connection)
        for start in range(0, len(files), FILES_AT_ONCE):
            frame: pd.DataFrame = connection.execute(
                f"SELECT {viewed(columns)} FROM read_parquet(?) "
                "ORDER BY ticker, expiration, root, option_type, strike, contract_symbol",
                [[str(file) for file in files[start : start + FILES_AT_ONCE]]],
            ).df()
            for ticker, rows in view_of(frame).groupby("ticker", sort=False):
                found[str(ticker)] = rows.reset_index(drop=True)
    return found


def open_stagings(folder: MarketFolder) -> list[str]:
    """Return the ids of the scans that were collected, or begun, and never joined, oldest first."""
    if not folder.staging_dir.exists():
        return []
    return sorted(path.name for path in folder.staging_dir.iterdir() if path.is_dir())


def history_partition(folder: MarketFolder, provider: str, market_date: str) -> Path:
    """Return the history's folder of a provider and date."""
    return folder.parquet_dir / f"provider={provider}" / f"date={market_date}"


def last_session_rows(folder: MarketFolder, provider: str, ticker: str, before: date) -> pd.DataFrame | None:
    """Return the ticker's newest rows of an earlier session, from the history; None where there are none.

    Columns contract_symbol, volume, last_price: what tells carried volume where the feed states neither the last
    trade's time nor the change.
    """
    base = folder.parquet_dir / f"provider={provider}"
    dates = sorted((path.name.removeprefix("date=") for path in base.glob("date=*")), reverse=True)
    for day in dates:
        if day >= before.isoformat():
            continue
        files = sorted((base / f"date={day}").glob(f"*_{ticker}.parquet"))
        if files:
            return _read_parquet(files)
    return None


def _read_parquet(files: list[Path]) -> pd.DataFrame:
    """Return the newest row of each contract among the files."""
    with duckdb.connect(":memory:") as connection:
        configure(connection, threads=1)
        frame: pd.DataFrame = connection.execute(
            "SELECT contract_symbol, arg_max(volume, (as_of, scan_id))::DOUBLE AS volume, "
            "arg_max(last_price, (as_of, scan_id)) AS last_price "
            "FROM read_parquet(?) GROUP BY contract_symbol",
            [[str(file) for file in files]],
        ).df()
    return frame


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file beside its name, synced and renamed."""
    write_durably(path, orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY))


def _read_json(path: Path) -> dict[str, Any] | None:
    """Return a JSON file's content, None where it is not there."""
    try:
        content: dict[str, Any] = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return content
