"""The task cluster alone and the pages alone, each in a fresh data folder, over real processes."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.site.processes import lines_of, start_python, wait_for
from tests.site.running_up import free_port


@contextmanager
def started(data_dir: Path, *arguments: str) -> Iterator[list[str]]:
    """A command that runs, and the lines that it has printed."""
    process = start_python("manage.py", *arguments, OPTSITE_DATA_DIR=str(data_dir), OPTSITE_PROVIDER="demo")
    try:
        yield lines_of(process)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def schedules(data_dir: Path) -> list[str]:
    with closing(sqlite3.connect(data_dir / "db.sqlite3")) as database:
        return [name for (name,) in database.execute("SELECT name FROM django_q_schedule ORDER BY name")]


def test_the_cluster_alone_registers_its_schedules_and_says_whose_they_are(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with started(data_dir, "qcluster") as lines:
        wait_for(lambda: lines, 60, "a line")
        assert schedules(data_dir) == [
            f"optsite:demo:{name}" for name in ("close", "delivery", "export", "heartbeat", "scan")
        ]
    assert lines[0] == f"Task cluster of the demo market (OPTSITE_PROVIDER=demo) in {data_dir}."


def test_the_pages_alone_say_what_they_show_and_that_nobody_can_sign_in_yet(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    shown = f"Pages and API of the demo market (OPTSITE_PROVIDER=demo) in {data_dir}."
    with started(data_dir, "runserver", str(free_port())) as lines:
        wait_for(lambda: any("Starting development server" in line for line in lines), 60, f"it serves: {lines}")
    assert lines[:2] == [shown, "Nobody can sign in yet: manage.py createsuperuser makes the first one who can."]
    assert lines.count(shown) == 1

    made = start_python(
        "manage.py",
        "createsuperuser",
        "--noinput",
        "--username=mia",
        "--email=",
        OPTSITE_DATA_DIR=str(data_dir),
        DJANGO_SUPERUSER_PASSWORD="a long enough one",
    )
    assert made.wait(timeout=60) == 0
    with started(data_dir, "runserver", str(free_port())) as lines:
        wait_for(lambda: any("Starting development server" in line for line in lines), 60, f"it serves: {lines}")
    assert not [line for line in lines if "sign in" in line]
