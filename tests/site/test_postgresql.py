"""Django's tables on PostgreSQL: migrations, schedules and slots hold there as on SQLite."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.site.processes import start_python
from tests.site.running_up import free_port

CLAIM = """
import threading
from datetime import UTC, datetime, timedelta
from django.db import connection
from collector.models import ScanSlot
from collector.schedules import claim_slot
slots = [datetime(2026, 1, 27, 15, tzinfo=UTC) + timedelta(minutes=10 * n) for n in range(40)]
claimed = []
barrier = threading.Barrier(6)
def claim(name):
    barrier.wait()
    claimed.extend(slot for slot in slots if claim_slot("live", "scheduled", slot, name, timedelta(hours=1)))
    connection.close()
threads = [threading.Thread(target=claim, args=(str(n),)) for n in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert sorted(claimed) == slots, claimed
assert {row.fence for row in ScanSlot.objects.all()} == {1}
print(connection.vendor, len(claimed))
"""


def binaries() -> Path | None:
    """The folder of PostgreSQL's server programs, the newest where there are several."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    """A PostgreSQL of its own on a free loopback port."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="optsite-postgresql-"))
    port = free_port()
    # The server refuses root.
    become = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        become = ["runuser", "-u", "postgres", "--"]

    def run(*command: str) -> None:
        subprocess.run([*become, *command], cwd=folder, check=True, capture_output=True, timeout=60)

    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    try:
        run(str(programs / "initdb"), "-D", str(folder / "db"), "-U", "optsite", "-A", "trust", "-E", "UTF8")
        control = (str(programs / "pg_ctl"), "-D", str(folder / "db"))
        run(*control, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgres://optsite@127.0.0.1:{port}/postgres"
        finally:
            run(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def manage(data_dir: Path, url: str, *arguments: str) -> str:
    process = start_python(
        "manage.py", *arguments, OPTSITE_DATA_DIR=str(data_dir), OPTSITE_PROVIDER="demo", DATABASE_URL=url
    )
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 0, told
    return told


@pytest.mark.soak
def test_syncs_at_once_make_each_schedule_once_and_a_slot_is_claimed_once(database_url: str, data_dir: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: manage(data_dir, database_url, "schedules"), range(4)))
    count = "from django_q.models import Schedule; print(Schedule.objects.count())"
    assert manage(data_dir, database_url, "shell", "-v", "0", "-c", count) == "5\n"
    assert manage(data_dir, database_url, "shell", "-v", "0", "-c", CLAIM) == "postgresql 40\n"
    assert not (data_dir / "db.sqlite3").exists()
