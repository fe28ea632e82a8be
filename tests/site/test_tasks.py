"""What the cluster's tasks do: commands as children that end with the task, and the scan that somebody asks for."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from django_q.models import OrmQ

from collector.models import ScanJob
from exports.folders import MarketFolder
from exports.live import read_live
from optsite.tasks import ChildFailed, launch_scan, run_command, run_requested_scan, telling
from tests.site.processes import all_gone, descendants, start_python


@pytest.fixture
def served_folder(market_folder: MarketFolder) -> Iterator[MarketFolder]:
    with override_settings(MARKET_FOLDER=market_folder):
        yield market_folder


def test_a_command_that_ends_well_gives_its_last_line() -> None:
    assert run_command(["check"], 60) == "System check identified no issues (0 silenced)."


def test_a_partial_scan_is_a_success_and_every_other_code_is_not() -> None:
    assert run_command(["shell", "-v", "0", "-c", "import sys; print('half'); sys.exit(5)"], 60) == "half"
    with pytest.raises(ChildFailed, match="shell ended with exit code 4: held by PID 7"):
        run_command(["shell", "-v", "0", "-c", "import sys; print('held by PID 7'); sys.exit(4)"], 60)


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        (
            ["Scan x failed: 0 of 1", "AAPL: not_found (no such ticker)", "Published generation g."],
            "AAPL: not_found (no such ticker)",
        ),
        (["Scan x ok: 6 of 6", "Published generation g."], "Scan x ok: 6 of 6"),
        (["CommandError: scan.lock is held by PID 7", "a warning that came late"], "scan.lock is held by PID 7"),
        (["Published generation g: 3 alerts, 9 chains."], "Published generation g: 3 alerts, 9 chains."),
        ([], ""),
    ],
)
def test_of_what_a_command_prints_the_line_that_tells_is_quoted(lines: list[str], line: str) -> None:
    assert telling(lines) == line


def test_a_child_past_its_time_is_killed(tmp_path: Path) -> None:
    begun = time.monotonic()
    note = tmp_path / "pid"
    sleeper = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    with pytest.raises(ChildFailed, match="shell was not done after 6 s and was killed"):
        run_command(["shell", "-v", "0", "-c", sleeper], 6)
    assert time.monotonic() - begun < 12
    assert all_gone([int(note.read_text())])


def test_what_ends_the_task_ends_its_child(monkeypatch: pytest.MonkeyPatch) -> None:
    class TimedOut(SystemExit):
        """As the cluster ends a task that takes too long."""

    def alarm(number: int, frame: object) -> None:
        raise TimedOut

    before = signal.signal(signal.SIGALRM, alarm)
    signal.alarm(3)
    try:
        with pytest.raises(TimedOut):
            run_command(["shell", "-v", "0", "-c", "import time; time.sleep(60)"], 60)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert not [pid for pid in descendants(os.getpid()) if not all_gone([pid])]


@pytest.mark.django_db(transaction=True)
def test_a_requested_scan_is_queued_and_shown_at_once(served_folder: MarketFolder) -> None:
    job = launch_scan(["AAPL"], "mia")
    assert (job["state"], job["created"]) == ("queued", True)
    row = ScanJob.objects.get(scan_id=job["id"])
    assert (row.market, row.kind, row.tickers, row.requested_by) == ("demo", "request", ["AAPL"], "mia")
    queued = OrmQ.objects.get()
    assert queued.key == settings.Q_CLUSTER["name"] == "optsite-demo"
    assert queued.task["func"] == "optsite.tasks.run_requested_scan"
    assert queued.task["args"] == (job["id"],)
    shown = read_live(served_folder.export_dir)["jobs"]
    assert [(one["scan_id"], one["state"]) for one in shown] == [(job["id"], "queued")]


@pytest.mark.django_db(transaction=True)
def test_one_scan_waits_at_a_time_and_one_that_nobody_took_for_an_hour_does_not_block(
    served_folder: MarketFolder,
) -> None:
    first = launch_scan([], "mia")
    second = launch_scan(["AMD"], "noah")
    assert (second["id"], second["tickers"], second["created"]) == (first["id"], [], False)
    assert OrmQ.objects.count() == 1
    ScanJob.objects.update(requested_at=datetime.now(UTC) - timedelta(hours=2))
    assert launch_scan(["AMD"], "noah")["id"] != first["id"]
    lost = ScanJob.objects.get(scan_id=first["id"])
    assert (lost.state, lost.detail) == ("failed", "No task cluster took it within an hour.")


@pytest.mark.django_db(transaction=True)
def test_a_requested_scan_that_cannot_run_says_so_in_its_job(served_folder: MarketFolder) -> None:
    # The command runs over another database, which knows no such job.
    job = launch_scan([], "mia")
    with pytest.raises(ChildFailed, match="scan ended with exit code 2"):
        run_requested_scan(job["id"])
    row = ScanJob.objects.get(scan_id=job["id"])
    assert row.state == "failed"
    assert row.detail.startswith("scan ended with exit code 2")
    assert row.finished_at is not None


ASK_FOR_AN_UNKNOWN_TICKER = """
from collector.models import ScanJob
from optsite.tasks import launch_scan, run_requested_scan
job = launch_scan(["NOSUCH"], "mia")
print("outcome", run_requested_scan(job["id"]))
row = ScanJob.objects.get(scan_id=job["id"])
print("row", row.state, row.detail)
"""


def test_a_ticker_that_the_market_lacks_is_the_jobs_outcome_and_no_failed_task(data_dir: Path) -> None:
    folder = {"OPTSITE_DATA_DIR": str(data_dir), "OPTSITE_PROVIDER": "demo"}
    assert start_python("manage.py", "schedules", **folder).wait(timeout=60) == 0
    asked = start_python("manage.py", "shell", "-v", "0", "-c", ASK_FOR_AN_UNKNOWN_TICKER, **folder)
    told, _ = asked.communicate(timeout=120)
    assert asked.returncode == 0, told
    lines = told.splitlines()
    outcome = next(line.removeprefix("outcome ") for line in lines if line.startswith("outcome "))
    assert outcome.startswith("NOSUCH: not_found")
    assert lines[-1] == f"row failed {outcome}"
    warned = [line for line in lines if " WARNING " in line]
    assert len(warned) == 1
    assert warned[0].endswith(f" failed: {outcome}")
