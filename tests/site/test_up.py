"""``manage.py up`` on the demo market, end to end over real processes: start, serve, refuse, come back, end, die."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.site.processes import all_gone, descendants, start_python, wait_for
from tests.site.running_up import SHORT, Up, fill

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_dir = tmp_path_factory.mktemp("up") / "data"
    fill(data_dir)
    return data_dir


@pytest.fixture
def up(filled: Path) -> Iterator[Up]:
    running = Up(filled, *SHORT)
    yield running
    running.end()


def test_a_start_serves_refuses_a_second_one_brings_back_what_is_killed_and_ends_whole(up: Up, filled: Path) -> None:
    up.ready()
    assert re.fullmatch(r"staff user admin, password \S{20} \(shown this once\)", up.lines[0])
    assert up.lines[-1] == f"Ctrl-C ends it. Pages and API: http://127.0.0.1:{up.port}/"
    assert f"    export OPTSITE_DATA_DIR={filled}" in up.lines
    assert "    export OPTSITE_PROVIDER=demo" in up.lines
    assert (filled / "secret_key").stat().st_mode & 0o777 == 0o600
    assert filled.stat().st_mode & 0o777 == 0o700
    for name in ("chains", "features", "scans"):
        assert up.get(f"/api/v1/{name}/")["count"] > 0, name
    status = up.get("/api/v1/status/")
    assert status["demo"] is True
    assert status["ages"]["heartbeat"] < 60, "there from the start, half a minute before the cluster's own"

    second = Up(filled, *SHORT)
    assert second.process.wait(timeout=30) == 4
    wait_for(lambda: second.lines, 5, "a line")
    assert len(second.lines) == 1
    assert f"up.lock is held by PID {up.process.pid} (manage.py up)" in second.lines[0]

    first = descendants(up.process.pid)
    mains = [pid for pid in first if os.getpgid(pid) == pid]
    assert len(mains) == 2
    for pid in mains:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: all_gone(first), 2, "the killed ones and all below them are gone")
    wait_for(lambda: len(descendants(up.process.pid)) >= 8, 30, "new ones run")
    wait_for(lambda: answers(up), 20, "the web server answers")

    family = up.family()
    assert len(family) >= 9, "up, gunicorn and its two, the cluster's main and its five"
    up.process.kill()
    wait_for(lambda: all_gone(family), 2, "nothing lives two seconds after a kill -9 of up")


def answers(up: Up) -> bool:
    try:
        return bool(up.get("/api/v1/status/"))
    except (urllib.error.URLError, ConnectionError):
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_all_within_ten_seconds(up: Up, number: signal.Signals) -> None:
    up.ready()
    family = up.family()
    up.process.send_signal(number)
    assert up.process.wait(timeout=10) == 0
    wait_for(lambda: all_gone(family), 1, "all gone")
    assert not [line for line in up.lines if "password" in line], "printed by the first start alone"


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


@pytest.mark.soak
def test_the_very_first_start_fills_ninety_sessions_within_three_minutes(tmp_path: Path) -> None:
    begun = time.monotonic()
    up = Up(tmp_path / "data", "--provider", "demo")
    try:
        up.ready(180)
        assert up.lines[1] == "filling 90 sessions of the demo's past, about a second each; the next start is quick"
        assert time.monotonic() - begun < 180
        assert up.get("/api/v1/alerts/")["count"] > 0
        assert up.get("/api/v1/scans/")["count"] >= 90
    finally:
        up.end()
