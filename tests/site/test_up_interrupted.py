"""Ctrl-C during the first start, where ``up`` waits for a scan: it ends at once, and the next start finishes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.site.processes import ROOT, all_gone, descendants, wait_for
from tests.site.running_up import SHORT, Up, free_port

pytestmark = pytest.mark.soak


def start_in_background(data_dir: Path) -> subprocess.Popen[str]:
    """As a script's ``up &``: the shell has such a job ignore Ctrl-C."""
    up = f"trap '' INT; exec {sys.executable} manage.py up --port {free_port()} {' '.join(SHORT)}"
    return subprocess.Popen(
        ["sh", "-c", up],
        cwd=ROOT,
        env={**os.environ, "OPTSITE_DATA_DIR": str(data_dir)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def sessions_joined(data_dir: Path) -> int:
    return len(list((data_dir / "demo" / "parquet").rglob("*.parquet")))


def test_an_interrupted_first_start_ends_with_130_and_the_next_one_fills_the_rest(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    first = start_in_background(data_dir)
    try:
        wait_for(lambda: sessions_joined(data_dir), 60, "a session of the past")
        family = [first.pid, *descendants(first.pid)]
        assert len(family) > 1, "the scan runs"
        first.send_signal(signal.SIGINT)
        told, _ = first.communicate(timeout=10)
    finally:
        first.kill()
    assert first.returncode == 130, told
    assert told.endswith("stopped\n")
    assert "Traceback" not in told
    wait_for(lambda: all_gone(family), 2, "all gone")

    up = Up(data_dir, *SHORT)
    try:
        up.ready()
        scans = up.get("/api/v1/scans/?limit=100")["results"]
        assert len([scan for scan in scans if scan["kind"] == "backfill"]) == 6
    finally:
        up.end()
