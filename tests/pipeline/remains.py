"""What a killed command left in a data folder, and what has to hold of any data folder."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from exports.folders import MarketFolder
from exports.reader import ExportReader
from exports.verification import verify

ONCE = {
    "scans": "scan_id",
    "revisions": "store_revision",
    "contracts": "scan_id, contract_symbol",
    "chains": "scan_id, ticker, expiration, root",
    "features": "scan_id, ticker",
    "alert_events": "event_id",
}


@contextmanager
def store_of(folder: MarketFolder, scratch: Path) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """Open a copy of the store, log included, as the next start would find it; None where there is none."""
    if not folder.store_path.exists():
        yield None
        return
    scratch.mkdir(parents=True, exist_ok=True)
    for path in folder.root.glob(folder.store_path.name + "*"):
        if path.is_file():
            shutil.copy(path, scratch / path.name)
    try:
        with duckdb.connect(scratch / folder.store_path.name) as connection:
            yield connection
    finally:
        shutil.rmtree(scratch)


def rows(folder: MarketFolder, query: str) -> list[tuple[Any, ...]]:
    """Return rows of Django's database."""
    with closing(sqlite3.connect(folder.data_dir / "db.sqlite3")) as connection:
        return connection.execute(query).fetchall()


def scans_in(store: duckdb.DuckDBPyConnection | None) -> dict[str, str]:
    """Return the status of every scan of the store."""
    return dict(store.execute("SELECT scan_id, status FROM scans").fetchall()) if store else {}


def revision_in(store: duckdb.DuckDBPyConnection | None) -> int:
    """Return the store's revision."""
    return store.execute("SELECT coalesce(max(store_revision), 0) FROM revisions").fetchone()[0] if store else 0  # type: ignore[index]


def published_revision(folder: MarketFolder) -> int:
    """Return the store revision that the published generation shows."""
    current = ExportReader(folder.export_dir).current()
    return current.manifest.store_revision if current else 0


def mark(folder: MarketFolder) -> int:
    """Return the store revision up to which the outbox was filled."""
    return max((revision for (revision,) in rows(folder, "SELECT store_revision FROM collector_outboxmark")), default=0)


def stagings(folder: MarketFolder) -> list[Path]:
    return sorted(path for path in folder.staging_dir.iterdir() if path.is_dir())


def phase_of(folder: MarketFolder, store: duckdb.DuckDBPyConnection | None) -> str:
    """Return where on the path the scan that began last was killed, told by what it left."""
    left = stagings(folder)
    revision = revision_in(store)
    if left and left[-1].name in scans_in(store):
        return "after the commit"
    if left and (left[-1] / "outcome.json").exists():
        return "join"
    if left and (left[-1] / "plan.json").exists():
        return "collect"
    if revision > published_revision(folder):
        return "publish"
    if revision > mark(folder):
        return "outbox"
    return "at rest"


def collected(folder: MarketFolder) -> dict[str, set[str]]:
    """Return the tickers that each staging holds whole."""
    return {
        staging.name: {path.stem for path in staging.glob("*.parquet") if path.with_suffix(".json").exists()}
        for staging in stagings(folder)
    }


def temporary_files(folder: MarketFolder) -> list[str]:
    return [str(path.relative_to(folder.root)) for path in folder.root.rglob("*.tmp*")]


def readers_see_a_whole_generation(folder: MarketFolder) -> str | None:
    """Assert that what is published is whole, and return its name; None where nothing is published."""
    current = ExportReader(folder.export_dir).current()
    if current is None:
        return None
    for name in current.manifest.documents:
        document = current.document(name)
        assert document is not None
        for position in range(document.count):
            document.record(position)
    return current.name


def nothing_is_twice(store: duckdb.DuckDBPyConnection) -> None:
    """Assert that no row is in the store twice, and no episode has two beginnings."""
    for table, key in ONCE.items():
        twice = store.execute(f"SELECT {key}, count(*) FROM {table} GROUP BY {key} HAVING count(*) > 1").fetchall()
        assert not twice, f"{table} has rows twice: {twice[:3]}"
    begun = [alert for (alert,) in store.execute("SELECT alert_id FROM alert_events WHERE kind = 'new'").fetchall()]
    assert not [alert for alert, times in Counter(begun).items() if times > 1]
    ids = {alert for (alert,) in store.execute("SELECT alert_id FROM alert_events WHERE kind <> 'digest'").fetchall()}
    assert ids == set(begun), "an episode without a beginning"


def history_is_the_store(folder: MarketFolder, store: duckdb.DuckDBPyConnection) -> None:
    """Assert that the Parquet history holds just the store's contracts, scan by scan and ticker by ticker."""
    files = [str(path) for path in folder.parquet_dir.rglob("*.parquet")]
    query = "SELECT scan_id, ticker, count(*), sum(strike), sum(open_interest) FROM {} GROUP BY ALL ORDER BY ALL"
    in_store = store.execute(query.format("contracts")).fetchall()
    in_history = store.execute(query.format("read_parquet(?)"), [files]).fetchall() if files else []
    assert in_history == in_store


def outbox(folder: MarketFolder) -> list[tuple[str, str, str]]:
    """Return event, alert and kind of every message, sorted."""
    return sorted(rows(folder, "SELECT event_id, alert_id, kind FROM collector_outboxmessage"))


@dataclass(frozen=True, slots=True)
class AtRest:
    """A data folder that nobody works on: the status of its scans, and of each ticker what began and ended."""

    scans: dict[str, str]
    news: dict[str, set[tuple[str, str]]]


def all_is_well(folder: MarketFolder, scratch: Path) -> AtRest:
    """Assert all that holds of a data folder at rest."""
    assert temporary_files(folder) == []
    assert stagings(folder) == []
    report = verify(folder, deep=True)
    assert report.findings == []
    assert report.generation is not None
    open_rows = rows(folder, "SELECT scan_id, state FROM collector_scanjob WHERE state NOT IN ('done', 'failed')")
    assert open_rows == []
    assert rows(folder, "SELECT scan_id FROM collector_scanjob WHERE finished_at IS NULL") == []
    with store_of(folder, scratch) as store:
        assert store is not None
        nothing_is_twice(store)
        history_is_the_store(folder, store)
        assert published_revision(folder) == revision_in(store)
        told = store.execute(
            "SELECT event_id, alert_id, alert_events.kind, ticker FROM alert_events JOIN scans USING (scan_id) "
            "WHERE alert_events.kind IN ('new', 'ended', 'digest', 'verdict') AND scans.kind <> 'backfill'"
        ).fetchall()
        assert outbox(folder) == sorted(row[:3] for row in told)
        news: dict[str, set[tuple[str, str]]] = {}
        for _, alert, kind, ticker in told:
            news.setdefault(ticker, set()).add((alert, kind))
        return AtRest(scans_in(store), news)
