"""Django's database in a fresh data folder, made by whichever command comes first."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.site.processes import start_python


@pytest.mark.soak
def test_commands_that_come_first_at_once_make_it_once(data_dir: Path) -> None:
    def sync(_: int) -> tuple[int, str]:
        process = start_python("manage.py", "schedules", OPTSITE_DATA_DIR=str(data_dir), OPTSITE_PROVIDER="demo")
        told, _ = process.communicate(timeout=120)
        return process.returncode, told

    with ThreadPoolExecutor(6) as pool:
        ended = list(pool.map(sync, range(6)))
    assert [code for code, _ in ended] == [0] * 6, ended
    with sqlite3.connect(data_dir / "db.sqlite3") as database:
        names = [row[0] for row in database.execute("SELECT name FROM django_q_schedule ORDER BY name")]
    assert names == [f"optsite:demo:{name}" for name in ("close", "delivery", "export", "heartbeat", "scan")]


def test_a_command_that_needs_no_database_makes_none(data_dir: Path) -> None:
    process = start_python("manage.py", "check", OPTSITE_DATA_DIR=str(data_dir))
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert not (data_dir / "db.sqlite3").exists()
