"""The contracts of one ticker in one scan, as its detectors saw them: from the store, the Parquet, or the archive."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

import duckdb
import orjson
import pandas as pd

from collector.store.database import Connection
from collector.store.records import column_types
from collector.store.staging import VIEWED, history_partition, staged_rows, view_of, viewed
from exports.archive import Archive
from exports.folders import MarketFolder
from exports.manifest import Manifest, ManifestError
from exports.reader import DocumentReader, ExportReadError

logger = logging.getLogger(__name__)

# Usual volumes look back no further: 20 sessions.
LOOKED_BACK = timedelta(days=60)

Source = Literal["store", "parquet", "archive"]


@dataclass(frozen=True, slots=True)
class RecordedContracts:
    """The contracts as the detectors' view holds them (``staging.VIEWED``), and where they come from.

    ``missing`` are the chains, as ``expiration root``, that the archive holds no contracts of; ``damaged`` says what is
    wrong with the history's Parquet, in whose place the archive serves.
    """

    rows: pd.DataFrame
    source: Source
    missing: tuple[str, ...] = ()
    damaged: str | None = None


class NoContracts(Exception):
    """Nothing holds the contracts any more; the message is one line."""


class DamagedParquet(Exception):
    """A file of the history can't be read; the message is one line and names it."""


def parquet_of(folder: MarketFolder, provider: str, scan_id: str, ticker: str, market_date: date) -> Path:
    """Return the file of the history that holds a ticker's contracts of a scan."""
    return history_partition(folder, provider, market_date.isoformat()) / f"{scan_id}_{ticker}.parquet"


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def pruned_scans(
    connection: Connection, provider: str, ticker: str, market_date: date, revision: int
) -> dict[str, date]:
    """Return the scans before a revision whose contracts usual volumes are made of and the store holds no more."""
    rows = connection.execute(
        """
        SELECT c.scan_id, max(c.market_date)
        FROM store.main.chains c JOIN store.main.scans s USING (scan_id)
        WHERE c.provider = $provider AND c.ticker = $ticker AND c.market_date < $day AND c.market_date >= $oldest
          AND s.store_revision < $revision
          AND c.scan_id NOT IN (SELECT DISTINCT scan_id FROM store.main.contracts
              WHERE ticker = $ticker AND market_date >= $oldest)
        GROUP BY c.scan_id HAVING sum(c.received) > 0 ORDER BY c.scan_id
        """,
        {
            "provider": provider,
            "ticker": ticker,
            "day": market_date,
            "oldest": market_date - LOOKED_BACK,
            "revision": revision,
        },
    ).fetchall()
    return dict(rows)


def recorded_contracts(
    connection: Connection,
    folder: MarketFolder,
    provider: str,
    scan_id: str,
    ticker: str,
    market_date: date,
    chains: Sequence[Mapping[str, Any]],
) -> RecordedContracts:
    """Return a ticker's contracts of a scan.

    Args:
        connection: the open store.
        folder: whose history and archive.
        provider: whose scan.
        scan_id: the scan.
        ticker: canonical.
        market_date: the ticker's session in the scan.
        chains: its chains, as staged.

    Raises:
        NoContracts: nothing holds them any more, or nothing that can be read.
    """
    rows = _of_store(connection, scan_id, ticker)
    if len(rows):
        return RecordedContracts(rows, "store")
    file = parquet_of(folder, provider, scan_id, ticker, market_date)
    damaged = None
    if file.exists():
        try:
            return RecordedContracts(_of_parquet(file, ticker), "parquet")
        except DamagedParquet as error:
            damaged = str(error)
    found = _of_archive(folder, scan_id, ticker, chains)
    if found is not None:
        return replace(found, damaged=damaged)
    if damaged is not None:
        raise NoContracts(f"{damaged}, and neither the store nor the archive holds its contracts of {ticker}")
    raise NoContracts(
        f"its contracts of {ticker} are neither in the store nor in the Parquet history nor in the archive"
    )


def _of_parquet(file: Path, ticker: str) -> pd.DataFrame:
    """Return the ticker's contracts of a file of the history; raise DamagedParquet where it does not give them."""
    try:
        rows = staged_rows([file]).get(ticker)
    except duckdb.Error as error:
        raise DamagedParquet(f"{file.name} of the Parquet history can't be read ({first_line(error)})") from error
    if rows is None:
        raise DamagedParquet(
            f"{file.name} of the Parquet history can't be read as one of {ticker}: it holds none of it"
        )
    return rows


def first_line(error: Exception) -> str:
    """Return what DuckDB says of a fault, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def readable(files: Sequence[Path]) -> list[Path]:
    """Return those of the files that are Parquet by their footer."""
    found = []
    with duckdb.connect(":memory:") as connection:
        for file in files:
            try:
                connection.execute("SELECT 1 FROM parquet_file_metadata(?)", [str(file)]).fetchall()
            except duckdb.Error as error:
                logger.warning("%s can't be read: %s", file, first_line(error))
            else:
                found.append(file)
    return found


def _of_store(connection: Connection, scan_id: str, ticker: str) -> pd.DataFrame:
    held = column_types(connection, "contracts")
    tables = {name: "c" if name in held else "h" for name in VIEWED}
    frame: pd.DataFrame = connection.execute(
        f"""
        SELECT {viewed(VIEWED, tables)}
        FROM store.main.contracts c JOIN store.main.chains h
          ON h.scan_id = c.scan_id AND h.ticker = c.ticker AND h.expiration = c.expiration AND h.root = c.root
        WHERE c.scan_id = ? AND c.ticker = ?
        ORDER BY c.ticker, c.expiration, c.root, c.option_type, c.strike, c.contract_symbol
        """,
        [scan_id, ticker],
    ).df()
    return view_of(frame)


def _of_archive(
    folder: MarketFolder, scan_id: str, ticker: str, chains: Sequence[Mapping[str, Any]]
) -> RecordedContracts | None:
    """Return the contracts from published chains, None where no chain of the scan was published and kept."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    wanted = {(chain["expiration"], chain["root"]) for chain in chains}
    archive, seen = Archive(folder.export_dir), set[str]()
    for generation in archive.generations():
        manifest = _manifest(archive, generation)
        entry = manifest.documents.get("chains") if manifest else None
        if entry is None or entry.path in seen:
            continue
        seen.add(entry.path)
        for record in _published(folder, entry, ticker):
            key = (record["expiration"], record["root"])
            if record["scan_id"] == scan_id and key in wanted and key not in found:
                found[key] = [_row(ticker, record, side, one) for side in ("call", "put") for one in record[f"{side}s"]]
        if found.keys() == wanted:
            break
    if not found:
        return None
    missing = tuple(f"{expiration} {root}" for expiration, root in sorted(wanted - found.keys()))
    return RecordedContracts(_view(found), "archive", missing)


def _view(found: Mapping[tuple[str, str], list[dict[str, Any]]]) -> pd.DataFrame:
    """Return published contracts as the detectors' view has them."""
    rows = [row for key in sorted(found) for row in found[key]]
    frame = pd.DataFrame({name: [row.get(name) for row in rows] for name in VIEWED})
    frame = frame.sort_values(["expiration", "root", "option_type", "strike", "contract_symbol"], kind="stable")
    for name in frame.columns:
        if name not in ("ticker", "contract_symbol", "root", "expiration", "option_type", "grade", "flags"):
            frame[name] = frame[name].astype("bool" if name in FLAGS else "float64")
    frame["multiplier"] = frame["multiplier"].astype("int32")
    return frame.reset_index(drop=True)


FLAGS = frozenset({"adjusted", "volume_known", "untraded"})


def _manifest(archive: Archive, generation: str) -> Manifest | None:
    try:
        return archive.load(generation)
    except (ManifestError, OSError):
        return None


def _published(folder: MarketFolder, entry: Any, ticker: str) -> list[dict[str, Any]]:
    """Return a ticker's published chains of one document; [] where it can't be read any more."""
    try:
        document = DocumentReader(folder.export_dir, "chains", entry)
        tickers = document.index.columns["ticker"]
        places = [place for place in range(document.count) if tickers[place] == ticker]
        return [orjson.loads(record) for record in document.records(places)]
    except (ExportReadError, OSError):
        return []


def _row(ticker: str, chain: Mapping[str, Any], side: str, contract: Mapping[str, Any]) -> dict[str, Any]:
    """Return a published contract as a row of the view.

    Whether it traded in its session follows from its flags; where the feed states the change alone, not.
    """
    carried, stale = "volume_carried" in contract["flags"], "stale_last_trade" in contract["flags"]
    known = contract["volume"] is not None and not carried
    return {
        **contract,
        "ticker": ticker,
        "expiration": date.fromisoformat(chain["expiration"]),
        "option_type": side,
        "grade": chain["quality"]["grade"],
        "volume_known": known,
        "untraded": stale and not known,
    }
