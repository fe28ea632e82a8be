"""Scans, exports, the task cluster and the web server at once on one data folder: nobody is in anybody's way."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from exports.archive import Archive
from exports.folders import MarketFolder
from tests.pipeline import remains
from tests.pipeline.commands import CommandServer, Ran, environment, manage
from tests.site.processes import ROOT, wait_for
from tests.site.running_up import free_port

pytestmark = pytest.mark.soak

TICKERS = "ALDREN,DOVREK,HEXUMA"
SECONDS, SECONDS_IN_FULL = 20, 300
DOCUMENTS = ("alerts", "chains", "features", "scans")
READERS = 2
TROUBLE = re.compile(r"database is locked|Could not set lock|is held by|is busy|LockHeld|Traceback|ERROR|CRITICAL")
BEAT, EXPORT = "collector.heartbeat.beat", "optsite.tasks.run_export"


@contextmanager
def running(log: Path, data_dir: Path, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of the site for as long as the block lasts; its output goes to ``log``."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment(data_dir, **settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
            assert process.poll() is None, log.read_text()
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Reader(threading.Thread):
    """Asks the API for one list after another and keeps the answers."""

    def __init__(self, url: str, until: threading.Event) -> None:
        super().__init__()
        self.url, self.until = url, until
        self.answers: list[tuple[str, dict[str, Any]]] = []
        self.faults: list[str] = []

    def run(self) -> None:
        while not self.until.is_set():
            for document in DOCUMENTS:
                self._ask(document)
            time.sleep(0.05)

    def _ask(self, document: str) -> None:
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{document}/?limit=500", timeout=20) as answer:
                self.answers.append((document, json.load(answer)))
        except (urllib.error.URLError, OSError, ValueError) as error:
            self.faults.append(f"{document}: {error}")


class Loop(threading.Thread):
    """Runs a command again and again."""

    def __init__(self, server: CommandServer, command: str, until: threading.Event) -> None:
        super().__init__()
        self.server, self.command, self.until = server, command, until
        self.ran: list[Ran] = []

    def run(self) -> None:
        while not self.until.is_set():
            self.ran.append(self.server.run([self.command]))


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz/live", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def tasks_done(folder: MarketFolder) -> set[str]:
    """Return what the cluster has run."""
    return {function for (function,) in remains.rows(folder, "SELECT DISTINCT func FROM django_q_task")}


def is_of_one_generation(folder: MarketFolder, document: str, answer: dict[str, Any]) -> bool:
    """Say whether an answer holds just what the generation that it names holds."""
    archive = Archive(folder.export_dir)
    manifest = archive.load(answer["generation"])
    records = json.loads((folder.export_dir / manifest.documents[document].path).read_bytes())[document]
    told = {json.dumps(_identity(document, record), sort_keys=True) for record in answer["results"]}
    kept = {json.dumps(_identity(document, record), sort_keys=True) for record in records}
    return answer["count"] == len(records) and told == kept


def _identity(document: str, record: dict[str, Any]) -> list[Any]:
    names = {
        "alerts": ("id", "state", "last_scan_id", "score"),
        "chains": ("ticker", "expiration", "root", "scan_id", "as_of"),
        "features": ("ticker", "scan_id", "price"),
        "scans": ("id", "status"),
    }[document]
    return [record[name] for name in names]


def test_scan_export_cluster_and_web_at_once(tmp_path: Path, soak_full: bool) -> None:
    data_dir = tmp_path / "data"
    settings = {"OPTSITE_WATCHLIST": TICKERS, "OPTSITE_SCAN_CRON": "* * * * *", "OPTSITE_EXPORT_MINUTES": "1"}
    for command in ("scan", "schedules"):
        ran = manage(data_dir, command, **settings)
        assert ran.code == 0, ran.told
    folder = MarketFolder(data_dir, "demo")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    web = ("-m", "gunicorn", "-c", "python:optsite.web_server", "--bind", f"127.0.0.1:{port}")
    until = threading.Event()
    with (
        running(tmp_path / "web.log", data_dir, *web, **settings),
        running(tmp_path / "cluster.log", data_dir, "manage.py", "qcluster", **settings),
        CommandServer(data_dir, **settings) as scanning,
        CommandServer(data_dir, **settings) as exporting,
    ):
        wait_for(lambda: answers(url), 60, "the web server")
        readers = [Reader(url, until) for _ in range(READERS)]
        loops = [Loop(scanning, "scan", until), Loop(exporting, "export", until)]
        for thread in (*readers, *loops):
            thread.start()
        time.sleep(SECONDS_IN_FULL if soak_full else SECONDS)
        wait_for(lambda: tasks_done(folder) >= {BEAT, EXPORT}, 120, "the cluster's heartbeat and export")
        until.set()
        for thread in (*readers, *loops):
            thread.join(120)
    for loop in loops:
        assert [ran.told for ran in loop.ran if ran.code] == []
        assert len(loop.ran) >= 3, f"only {len(loop.ran)} times {loop.command}"
    asked = [answer for reader in readers for answer in reader.answers]
    assert [fault for reader in readers for fault in reader.faults] == []
    assert len({answer["generation"] for _, answer in asked}) >= 3
    distinct = {json.dumps((document, answer), sort_keys=True) for document, answer in asked}
    for document, answer in map(json.loads, distinct):
        assert is_of_one_generation(folder, document, answer), f"{document} of {answer['generation']} is mixed"
    logs = {path.name: path.read_text() for path in (*tmp_path.glob("*.log"), *(data_dir / "logs").glob("*.log"))}
    assert {name: [line for line in text.splitlines() if TROUBLE.search(line)] for name, text in logs.items()} == {
        name: [] for name in logs
    }
    assert remains.rows(folder, "SELECT func FROM django_q_task WHERE NOT success") == []
    assert remains.readers_see_a_whole_generation(folder)
