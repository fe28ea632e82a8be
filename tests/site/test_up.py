"""``manage.py up`` on the demo market, end to end over real processes: start, serve, schedule, refuse, end, die."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.site.processes import all_gone, descendants, start_python, wait_for

pytestmark = pytest.mark.soak


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Up:
    """One run of ``manage.py up`` and what it printed."""

    def __init__(self, data_dir: Path, *arguments: str, **environment: str) -> None:
        self.port = free_port()
        self.process = start_python(
            "manage.py", "up", "--port", str(self.port), *arguments, OPTSITE_DATA_DIR=str(data_dir), **environment
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def ready(self, seconds: float = 170) -> None:
        wait_for(lambda: any("Pages and API: http://" in line for line in self.lines), seconds, "\n".join(self.lines))

    def get(self, address: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{address}", timeout=10) as answer:
            return json.load(answer)

    def family(self) -> list[int]:
        return [self.process.pid, *descendants(self.process.pid)]

    def end(self) -> None:
        family = self.family()
        self.process.kill()
        self.process.wait()
        wait_for(lambda: all_gone(family), 5, "all gone")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose demo market has a past, filled by the first start itself."""
    return tmp_path_factory.mktemp("up") / "data"


@pytest.fixture
def up(filled: Path) -> Iterator[Up]:
    running = Up(filled, "--provider", "demo")
    yield running
    running.end()


def test_the_first_start_ends_with_pages_full_and_prints_the_address_last(up: Up, filled: Path) -> None:
    begun = time.monotonic()
    up.ready()
    assert time.monotonic() - begun < 180
    assert re.fullmatch(r"staff user admin, password \S{20} \(shown this once\)", up.lines[0])
    assert up.lines[-1] == f"Ctrl-C ends it. Pages and API: http://127.0.0.1:{up.port}/"
    assert f"    export OPTSITE_DATA_DIR={filled}" in up.lines
    assert "    export OPTSITE_PROVIDER=demo" in up.lines
    assert up.get("/api/v1/chains/")["count"] > 0
    assert up.get("/api/v1/features/")["count"] > 0
    assert up.get("/api/v1/alerts/")["count"] > 0
    assert up.get("/api/v1/status/")["demo"] is True
    assert (filled / "secret_key").stat().st_mode & 0o777 == 0o600
    assert filled.stat().st_mode & 0o777 == 0o700


def test_a_second_up_on_the_folder_is_refused_in_one_line(up: Up, filled: Path) -> None:
    up.ready()
    second = Up(filled, "--provider", "demo")
    assert second.process.wait(timeout=30) == 4
    wait_for(lambda: second.lines, 5, "a line")
    assert len(second.lines) == 1
    assert f"up.lock is held by PID {up.process.pid} (manage.py up)" in second.lines[0]


def test_a_taken_port_is_refused_in_one_line(filled: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = start_python(
            "manage.py", "up", "--port", str(port), "--provider", "demo", OPTSITE_DATA_DIR=str(filled)
        )
        told, _ = refused.communicate(timeout=30)
    assert refused.returncode == 1
    assert f"port {port} can't be used" in told
    assert "Traceback" not in told


def test_recordings_without_their_folder_are_bad_usage(filled: Path) -> None:
    refused = start_python("manage.py", "up", "--provider", "recorded", OPTSITE_DATA_DIR=str(filled))
    told, _ = refused.communicate(timeout=30)
    assert refused.returncode == 2
    assert told == "CommandError: The provider recorded needs its folder: --recordings DIR or OPTSITE_RECORDINGS.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_all_within_ten_seconds(up: Up, number: signal.Signals) -> None:
    up.ready()
    family = up.family()
    assert len(family) >= 9, "up, gunicorn and its two, the cluster's main and its five"
    up.process.send_signal(number)
    assert up.process.wait(timeout=10) == 0
    wait_for(lambda: all_gone(family), 1, "all gone")


def test_nothing_lives_two_seconds_after_a_kill_9_of_up(up: Up) -> None:
    up.ready()
    family = up.family()
    up.process.kill()
    wait_for(lambda: all_gone(family), 2, "all gone")


def test_a_killed_web_server_and_a_killed_cluster_come_back(up: Up) -> None:
    up.ready()
    first = descendants(up.process.pid)
    mains = [pid for pid in first if os.getpgid(pid) == pid]
    assert len(mains) == 2
    for pid in mains:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: all_gone(first), 2, "the old ones are gone")
    wait_for(lambda: len(descendants(up.process.pid)) >= 8, 30, "new ones run")

    def answers() -> bool:
        try:
            return bool(up.get("/api/v1/status/"))
        except (urllib.error.URLError, ConnectionError):
            return False

    wait_for(answers, 20, "the web server answers")


def test_the_cluster_beats_exports_and_scans_by_itself(filled: Path) -> None:
    up = Up(filled, "--provider", "demo", OPTSITE_SCAN_CRON="* * * * *", OPTSITE_EXPORT_MINUTES="1")
    try:
        up.ready()
        before = up.get("/api/v1/status/")

        def moved() -> bool:
            now = up.get("/api/v1/status/")
            return (
                now["ages"]["heartbeat"] is not None
                and now["last_scan"]["kind"] == "scheduled"
                and now["last_scan"]["id"] != before["last_scan"]["id"]
                and now["generation"] > before["generation"]
            )

        wait_for(moved, 150, "a heartbeat, a scheduled scan and an export")
    finally:
        up.end()


def test_the_password_is_printed_once(filled: Path) -> None:
    up = Up(filled, "--provider", "demo")
    try:
        up.ready()
        assert not [line for line in up.lines if "password" in line]
    finally:
        up.end()
