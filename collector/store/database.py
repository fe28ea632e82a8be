"""The only door to the DuckDB file.

DuckDB lets one process write, or several read, never both. So every opening goes through one kernel lock, is short,
and is closed before anything slow happens. Somebody else may still hold the file (a quant with a CLI): then the
opening backs off until its time-out and says who it is.
"""

from __future__ import annotations

import logging
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from exports.exporter import ExportSourceError
from exports.folders import MARKET_OF_PROVIDER, MarketFolder
from exports.locks import KernelLock, LockHeld

logger = logging.getLogger(__name__)

# An open store, for those who may not import duckdb.
Connection = duckdb.DuckDBPyConnection

MIGRATIONS = Path(__file__).parent / "migrations"
STORAGE_VERSION = "v1.5.0"
MEMORY_LIMIT = "1GB"
EXPORT_MEMORY_LIMIT = "150MB"
SPILL = "spill"
OPEN_TIMEOUT_SECONDS = 60.0
# A commit that finds no room for the log is a TransactionException.
DISK_AND_MEMORY = (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.FatalException, duckdb.TransactionException)
FIRST_BACK_OFF_SECONDS = 0.1
LONGEST_BACK_OFF_SECONDS = 2.0


class StoreError(ExportSourceError):
    """The store can't be used; the message says why and what would help."""


class StoreBusy(StoreError):
    """Another process holds the store; the message says which and since when."""


class StoreTooNew(StoreError):
    """The store was written by a newer version of this program."""


class StoreOfAnotherMarket(StoreError):
    """The store holds scans of another market: live, demo and recorded history never meet."""


def configure(connection: duckdb.DuckDBPyConnection, threads: int = 2) -> None:
    """Set what every connection of ours needs: UTC, no downloads, bounded memory."""
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
    connection.execute(f"SET threads = {threads}")


@contextmanager
def open_store(
    folder: MarketFolder, purpose: str, *, read_only: bool = False, timeout: float = OPEN_TIMEOUT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the store of a market, migrated, and close it again.

    Args:
        folder: whose store.
        purpose: what for, in words, shown to those who wait.
        read_only: refuse writes; the file must exist.
        timeout: seconds to wait for another holder.

    Raises:
        StoreBusy: another process holds it until the time-out.
        StoreTooNew: the file was written by a newer version.
        StoreOfAnotherMarket: its scans are of another market than the folder's.
        StoreError: the file can't be opened.
    """
    deadline = time.monotonic() + timeout
    lock = KernelLock(folder.lock_dir / "store.lock", purpose)
    try:
        lock.acquire(timeout)
    except LockHeld as held:
        raise StoreBusy(f"The store {folder.store_path} is busy: {held}") from held
    try:
        connection = _connect(folder.store_path, read_only, deadline)
        try:
            _spill_into(connection, folder.root / SPILL)
            if not read_only:
                migrate(connection)
            else:
                _refuse_newer(connection)
            _refuse_another_market(connection, folder)
            with faults_told(folder.store_path):
                yield connection
        finally:
            connection.close()
    finally:
        lock.release()


@contextmanager
def faults_told(path: Path) -> Iterator[None]:
    """Tell what DuckDB says of the disk and of memory as a StoreError, and of Ctrl-C as KeyboardInterrupt."""
    try:
        yield
    except DISK_AND_MEMORY as error:
        raise StoreError(f"{path} can't be used: {_first_line(error)}") from error
    except (RuntimeError, duckdb.Error) as error:
        # A Ctrl-C inside a query comes as a bare RuntimeError; while DuckDB reads a frame of ours, as a bare Error.
        interrupted = isinstance(error, RuntimeError | duckdb.InterruptException) and "interrupt" in str(error).lower()
        if not interrupted and "KeyboardInterrupt" not in str(error):
            raise
        raise KeyboardInterrupt from error


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what is done inside, or nothing of it."""
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A commit that failed has ended the transaction itself.
        with suppress(duckdb.Error):
            connection.execute("ROLLBACK")
        raise


def _connect(path: Path, read_only: bool, deadline: float) -> duckdb.DuckDBPyConnection:
    """Attach the file as the default database, waiting for a foreign holder until the deadline."""
    pause = FIRST_BACK_OFF_SECONDS
    while True:
        connection = duckdb.connect(":memory:")
        try:
            configure(connection)
            mode = "READ_ONLY" if read_only else f"STORAGE_VERSION '{STORAGE_VERSION}'"
            connection.execute(f"ATTACH '{_quoted(path)}' AS store ({mode})")
            connection.execute("USE store")
            return connection
        except duckdb.IOException as error:
            connection.close()
            if "lock" not in str(error).lower():
                raise StoreError(f"The store {path} can't be opened: {_first_line(error)}") from error
            if time.monotonic() + pause > deadline:
                raise StoreBusy(
                    f"The store {path} is held by {_holder(error)}; close it there and try again."
                ) from error
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_BACK_OFF_SECONDS)
        except duckdb.Error as error:
            connection.close()
            if read_only or not _set_wal_aside(path, error):
                raise StoreError(f"The store {path} can't be opened: {_first_line(error)}") from error


def _spill_into(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Let a query that outgrows its memory spill into the market's own folder, cleared of what a killed one left."""
    shutil.rmtree(path, ignore_errors=True)
    connection.execute(f"SET temp_directory = '{_quoted(path)}'")


def _set_wal_aside(path: Path, error: duckdb.Error) -> bool:
    """Move a garbled write-ahead log out of the way, loudly; say whether that was the trouble."""
    wal = path.with_name(path.name + ".wal")
    if not wal.exists() or not re.search(r"\bWAL\b|write-ahead|replay", str(error), re.IGNORECASE):
        return False
    aside = wal.with_name(f"{wal.name}.unreadable-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    wal.rename(aside)
    logger.error(
        "The write-ahead log of %s can't be replayed (%s). It was moved to %s; the store opens at its last checkpoint, "
        "and scans joined after it are missing from the store (their rows are in the Parquet history).",
        path,
        _first_line(error),
        aside,
    )
    return True


def _quoted(path: Path) -> str:
    """Return the path for a single-quoted SQL string."""
    return str(path).replace("'", "''")


def _first_line(error: BaseException) -> str:
    """Return the first line of an error's message."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _holder(error: duckdb.IOException) -> str:
    """Return who holds the file, as DuckDB's message names it."""
    found = re.search(r"held in (.+?) \(PID (\d+)\)", str(error))
    return f"PID {found.group(2)} ({found.group(1)})" if found else "another process"


def migrations() -> list[tuple[int, Path]]:
    """Return the numbered migrations in order."""
    return sorted((int(path.name.split("_", 1)[0]), path) for path in MIGRATIONS.glob("[0-9]*_*.sql"))


def version(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the newest migration that the store has, 0 for an empty file."""
    exists = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'store' AND table_name = 'schema_migrations'"
    ).fetchone()
    if not exists or not exists[0]:
        return 0
    row = connection.execute("SELECT coalesce(max(number), 0) FROM schema_migrations").fetchone()
    return int(row[0]) if row else 0


def migrate(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Apply the migrations that the store lacks, each in a transaction; return their names."""
    _refuse_newer(connection)
    applied: list[str] = []
    have = version(connection)
    for number, path in migrations():
        if number <= have:
            continue
        with transaction(connection):
            connection.execute(
                "CREATE TABLE IF NOT EXISTS schema_migrations "
                "(number INTEGER NOT NULL, name VARCHAR NOT NULL, applied_at TIMESTAMPTZ NOT NULL)"
            )
            connection.execute(path.read_text(encoding="utf-8"))
            connection.execute("INSERT INTO schema_migrations VALUES (?, ?, ?)", [number, path.stem, datetime.now(UTC)])
        applied.append(path.stem)
    return applied


def _refuse_newer(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise StoreTooNew where the file has migrations that this code does not know."""
    have, known = version(connection), migrations()[-1][0]
    if have > known:
        raise StoreTooNew(
            f"The store has schema {have}, this version knows up to {known}: it was written by a newer version. "
            "Upgrade the program, or point OPTSITE_DATA_DIR at another folder."
        )


def _refuse_another_market(connection: duckdb.DuckDBPyConnection, folder: MarketFolder) -> None:
    """Raise StoreOfAnotherMarket where a scan in the store is of another market than the folder's."""
    if not version(connection):
        return
    providers = connection.execute("SELECT DISTINCT provider FROM scans ORDER BY provider").fetchall()
    others = [name for (name,) in providers if MARKET_OF_PROVIDER.get(name) != folder.market]
    if others:
        raise StoreOfAnotherMarket(
            f"The store {folder.store_path} holds scans of {', '.join(others)}, and {folder.provider} is of another "
            "market. Point OPTSITE_DATA_DIR at another folder."
        )


def store_revision(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many scans have been joined."""
    # All of it is fetched: a frame can't be registered beside an unfinished result.
    ((revision,),) = connection.execute("SELECT coalesce(max(store_revision), 0) FROM revisions").fetchall()
    return int(revision)
