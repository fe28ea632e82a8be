"""One run of ``manage.py up`` over real processes, and a demo folder that has a past to start on."""

from __future__ import annotations

import json
import socket
import urllib.request
from pathlib import Path
from typing import Any

from tests.site.processes import all_gone, descendants, lines_of, start_python, wait_for

# The whole past of a quick start.
SHORT = ("--provider", "demo", "--backfill", "6")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def fill(data_dir: Path) -> None:
    """Give the demo market of a fresh data folder a few sessions of past; ``up`` itself would fill 90."""
    scan = start_python("manage.py", "scan", "--provider", "demo", "--backfill", "6", OPTSITE_DATA_DIR=str(data_dir))
    told, _ = scan.communicate(timeout=120)
    assert scan.returncode == 0, told


class Up:
    """One run of ``manage.py up`` and what it printed."""

    def __init__(self, data_dir: Path, *arguments: str, **environment: str) -> None:
        self.port = free_port()
        self.process = start_python(
            "manage.py", "up", "--port", str(self.port), *arguments, OPTSITE_DATA_DIR=str(data_dir), **environment
        )
        self.lines = lines_of(self.process)

    def ready(self, seconds: float = 170) -> None:
        wait_for(lambda: any("Pages and API: http://" in line for line in self.lines), seconds, f"ready: {self.lines}")

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
