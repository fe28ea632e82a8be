"""The door to the DuckDB file: migrations, foreign holders, a garbled log, settings."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from collector.store import database
from collector.store.database import (
    StoreBusy,
    StoreError,
    StoreOfAnotherMarket,
    StoreTooNew,
    faults_told,
    migrate,
    open_store,
    store_revision,
    version,
)
from exports.folders import MarketFolder
from exports.locks import KernelLock

HOLDER = """
import duckdb, sys, time
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.readline()
"""


@contextmanager
def foreign_holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold the file in another process until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        let_go(process)


def let_go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    if not process.stdin.closed:
        process.stdin.close()
    process.wait(10)


def made(folder: MarketFolder) -> MarketFolder:
    with open_store(folder, "test") as connection:
        connection.execute("INSERT INTO revisions VALUES (1, 'one', now())")
    return folder


def test_a_new_store_has_every_migration_and_says_so(market_folder: MarketFolder) -> None:
    with open_store(market_folder, "test") as connection:
        rows = connection.execute("SELECT number, name FROM schema_migrations ORDER BY number").fetchall()
        newest = max(int(path.name[:4]) for path in database.MIGRATIONS.glob("*.sql"))
        assert [number for number, _ in rows] == list(range(1, newest + 1))
        assert rows[0][1].startswith("0001_")
        assert version(connection) == newest
        assert migrate(connection) == []
        assert store_revision(connection) == 0


def test_what_was_written_is_there_at_the_next_opening(market_folder: MarketFolder) -> None:
    made(market_folder)
    with open_store(market_folder, "test") as connection:
        assert store_revision(connection) == 1


def test_a_migration_that_fails_leaves_nothing(
    market_folder: MarketFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(market_folder)
    folder = tmp_path / "migrations"
    folder.mkdir()
    for path in database.MIGRATIONS.glob("*.sql"):
        (folder / path.name).write_text(path.read_text())
    known = database.migrations()[-1][0]
    broken = folder / f"{known + 1:04d}_broken.sql"
    broken.write_text(
        "CREATE TABLE half (x INTEGER); ALTER TABLE scans ADD COLUMN half INTEGER; SELECT no_such_column;"
    )
    monkeypatch.setattr(database, "MIGRATIONS", folder)
    with pytest.raises(duckdb.BinderException), open_store(market_folder, "test"):
        pass
    broken.unlink()
    with open_store(market_folder, "test") as connection:
        assert version(connection) == known
        assert store_revision(connection) == 1
        tables = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        columns = {row[0] for row in connection.execute("DESCRIBE scans").fetchall()}
        assert "half" not in tables | columns
    (folder / f"{known + 1:04d}_whole.sql").write_text("CREATE TABLE whole (x INTEGER);")
    with open_store(market_folder, "test") as connection:
        assert version(connection) == known + 1
        assert connection.execute("SELECT count(*) FROM whole").fetchone() == (0,)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_store_of_a_newer_version_is_refused_and_left_alone(market_folder: MarketFolder, read_only: bool) -> None:
    with open_store(made(market_folder), "test") as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (999, '0999_later', now())")
    with (
        pytest.raises(StoreTooNew, match=r"schema 999.*newer version.*OPTSITE_DATA_DIR"),
        open_store(market_folder, "test", read_only=read_only),
    ):
        pass


@pytest.mark.parametrize("read_only", [False, True])
def test_a_store_of_another_market_is_refused(market_folder: MarketFolder, read_only: bool) -> None:
    with open_store(market_folder, "test") as connection:
        connection.execute("CREATE OR REPLACE TABLE scans AS SELECT 'demo' AS provider")
    with open_store(market_folder, "test", read_only=read_only):
        pass
    # The demo's own folder, named as the data folder of a live provider.
    live = MarketFolder(market_folder.root, "yahoo")
    with (
        pytest.raises(StoreOfAnotherMarket, match=r"holds scans of demo, and yahoo is of another market.*OPTSITE_DATA"),
        open_store(live, "test", read_only=read_only),
    ):
        pass


def test_a_foreign_holder_is_named(market_folder: MarketFolder) -> None:
    made(market_folder)
    with foreign_holder(market_folder.store_path) as process:
        begun = time.monotonic()
        with (
            pytest.raises(StoreBusy, match=rf"held by PID {process.pid} ") as busy,
            open_store(market_folder, "test", timeout=0.5),
        ):
            pass
        assert time.monotonic() - begun < 5
        assert "\n" not in str(busy.value)
        assert str(market_folder.store_path) in str(busy.value)
    with open_store(market_folder, "test") as connection:
        assert store_revision(connection) == 1


def test_the_opening_waits_until_a_foreign_holder_lets_go(market_folder: MarketFolder) -> None:
    made(market_folder)
    with foreign_holder(market_folder.store_path) as process:
        freed = threading.Timer(0.6, let_go, [process])
        freed.start()
        with open_store(market_folder, "test", timeout=20) as connection:
            assert store_revision(connection) == 1
            assert process.returncode == 0
        freed.join()


def test_our_own_holder_is_named_with_its_purpose(market_folder: MarketFolder) -> None:
    with (
        KernelLock(market_folder.lock_dir / "store.lock", "join of scan 7").acquire(),
        pytest.raises(StoreBusy, match=rf"held by PID {os.getpid()} \(join of scan 7\) since 20"),
        open_store(market_folder, "test", timeout=0.1),
    ):
        pass


def test_an_error_inside_closes_the_store(market_folder: MarketFolder) -> None:
    with pytest.raises(RuntimeError), open_store(market_folder, "test"):
        raise RuntimeError
    with open_store(market_folder, "test", timeout=0.1) as connection:
        assert store_revision(connection) == 0


def test_read_only_reads_and_refuses_to_write(market_folder: MarketFolder) -> None:
    made(market_folder)
    with open_store(market_folder, "test", read_only=True) as connection:
        assert store_revision(connection) == 1
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            connection.execute("INSERT INTO revisions VALUES (2, 'two', now())")


def test_read_only_of_a_store_that_is_not_there_is_refused(market_folder: MarketFolder) -> None:
    with pytest.raises(StoreError, match="can't be opened"), open_store(market_folder, "test", read_only=True):
        pass
    assert not market_folder.store_path.exists()


def test_a_file_that_is_no_store_is_refused_in_one_line(market_folder: MarketFolder) -> None:
    market_folder.store_path.write_bytes(b"no database " * 4096)
    with pytest.raises(StoreError, match="can't be opened") as refused, open_store(market_folder, "test"):
        pass
    assert "\n" not in str(refused.value)
    assert market_folder.store_path.read_bytes().startswith(b"no database")


def garble_log(folder: MarketFolder) -> Path:
    """Leave a write-ahead log as a killed writer does, then overwrite its middle."""
    script = (
        "import duckdb, os, sys\n"
        "connection = duckdb.connect(':memory:')\n"
        f"connection.execute(\"ATTACH '{folder.store_path}' AS store (STORAGE_VERSION 'v1.5.0')\")\n"
        "connection.execute('USE store')\n"
        "connection.execute(\"INSERT INTO revisions SELECT range + 2, 'scan', now() FROM range(500)\")\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    log = folder.store_path.with_name(folder.store_path.name + ".wal")
    content = bytearray(log.read_bytes())
    content[len(content) // 3 : len(content) // 3 + 64] = b"\xff" * 64
    log.write_bytes(content)
    return log


def test_a_garbled_log_is_set_aside_loudly_and_the_last_checkpoint_opens(
    market_folder: MarketFolder, caplog: pytest.LogCaptureFixture
) -> None:
    made(market_folder)
    garbled = garble_log(market_folder).read_bytes()
    with caplog.at_level(logging.ERROR), open_store(market_folder, "test") as connection:
        assert store_revision(connection) == 1
    (aside,) = market_folder.root.glob("options.duckdb.wal.unreadable-*")
    assert aside.read_bytes() == garbled
    assert aside.name in caplog.text
    assert "write-ahead log" in caplog.text


def test_a_truncated_log_opens_without_being_set_aside(market_folder: MarketFolder) -> None:
    made(market_folder)
    script = (
        "import duckdb, os\n"
        "connection = duckdb.connect(':memory:')\n"
        f"connection.execute(\"ATTACH '{market_folder.store_path}' AS store (STORAGE_VERSION 'v1.5.0')\")\n"
        "connection.execute('USE store')\n"
        "for number in (2, 3):\n"
        "    connection.execute(\"INSERT INTO revisions VALUES (?, 'scan', now())\", [number])\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    log = market_folder.store_path.with_name(market_folder.store_path.name + ".wal")
    log.write_bytes(log.read_bytes()[:-3])
    with open_store(market_folder, "test") as connection:
        assert store_revision(connection) == 2
    assert list(market_folder.root.glob("*.unreadable-*")) == []


def test_a_data_folder_with_a_quote_in_its_name_opens(tmp_path: Path) -> None:
    folder = MarketFolder(tmp_path / "trader's data", "demo")
    folder.create()
    with open_store(made(folder), "test") as connection:
        assert store_revision(connection) == 1


def test_the_file_has_the_storage_version_that_older_readers_know(market_folder: MarketFolder) -> None:
    made(market_folder)
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"ATTACH '{market_folder.store_path}' AS store (READ_ONLY)")
        tags = connection.execute("SELECT tags FROM duckdb_databases() WHERE database_name = 'store'").fetchone()
    assert tags is not None
    assert "1.5.0" in tags[0]["storage_version"]


@pytest.mark.clock
def test_every_connection_is_in_utc_and_downloads_nothing(market_folder: MarketFolder) -> None:
    with open_store(market_folder, "test") as connection:
        settings = dict(
            connection.execute(
                "SELECT name, value FROM duckdb_settings() WHERE name IN "
                "('TimeZone', 'autoinstall_known_extensions', 'autoload_known_extensions', 'threads', 'memory_limit')"
            ).fetchall()
        )
        connection.execute("INSERT INTO revisions VALUES (1, 'one', ?)", [datetime(2026, 1, 27, 12, tzinfo=UTC)])
        text = connection.execute("SELECT strftime(inserted_at, '%Y-%m-%dT%H:%M:%SZ') FROM revisions").fetchone()
    assert settings.pop("memory_limit").replace(" ", "") in ("953.6MiB", "1.0GB", "1GB")
    assert settings == {
        "TimeZone": "UTC",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "threads": "2",
    }
    assert text == ("2026-01-27T12:00:00Z",)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Query interrupted"),
        duckdb.InterruptException("INTERRUPT Error: Interrupted!"),
        duckdb.Error(
            'Traceback (most recent call last):\n  File "base.py", line 987, in __iter__\nKeyboardInterrupt: \n'
        ),
    ],
    ids=["inside a query", "of a connection", "while a frame of ours is read"],
)
def test_ctrl_c_inside_duckdb_is_ctrl_c(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), faults_told(tmp_path):
        raise error


def test_what_is_no_ctrl_c_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(duckdb.CatalogException), faults_told(tmp_path):
        raise duckdb.CatalogException("Table interrupts does not exist")
