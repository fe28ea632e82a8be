"""live.json from the rows, the heartbeat that renews it, and jobs whose process is gone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from collector.heartbeat import beat, market_state, next_scan
from collector.live import compose_live, renew_live
from collector.market.calendar import exchange_sessions
from collector.models import Heartbeat, ScanJob
from collector.scan_jobs import close_dead_jobs
from exports.folders import MarketFolder
from exports.live import read_live, write_live
from exports.locks import KernelLock

NOON = datetime(2026, 1, 27, 12, tzinfo=UTC)


def job(market: str, number: int, state: str, **columns: object) -> ScanJob:
    moment = NOON + timedelta(minutes=number)
    return ScanJob.objects.create(
        market=market, scan_id=f"scan-{number}", kind="manual", state=state, requested_at=moment, **columns
    )


@pytest.mark.django_db
def test_live_shows_all_that_waits_or_runs_and_the_last_five_that_ended(market_folder: MarketFolder) -> None:
    for number in range(7):
        job("demo", number, "done", finished_at=NOON, status="ok")
    job("demo", 7, "running", phase="collect", done=3, total=9, current_ticker="AAPL", started_at=NOON)
    job("demo", 8, "queued")
    job("live", 9, "queued")
    shown = compose_live(market_folder)["jobs"]
    assert [one["scan_id"] for one in shown] == ["scan-8", "scan-7", "scan-6", "scan-5", "scan-4", "scan-3", "scan-2"]
    assert shown[1] == {
        "scan_id": "scan-7",
        "kind": "manual",
        "state": "running",
        "tickers": [],
        "requested_at": "2026-01-27T12:07:00Z",
        "started_at": "2026-01-27T12:00:00Z",
        "finished_at": None,
        "phase": "collect",
        "done": 3,
        "total": 9,
        "current_ticker": "AAPL",
        "status": "",
        "detail": "",
    }


@pytest.mark.django_db
def test_live_tells_of_the_heartbeat_the_disk_and_who_holds_which_lock(market_folder: MarketFolder) -> None:
    Heartbeat.objects.create(market="demo", host="a", at=NOON)
    Heartbeat.objects.create(market="demo", host="b", at=NOON + timedelta(minutes=1))
    Heartbeat.objects.create(market="live", host="a", at=NOON + timedelta(minutes=9))
    ended = subprocess.Popen(["true"])
    ended.wait()
    (market_folder.lock_dir / "store.lock.holder").write_text(
        f'{{"pid": {ended.pid}, "purpose": "died", "since": "2026-01-27T12:00:00Z"}}'
    )
    with KernelLock(market_folder.lock_dir / "scan.lock", "manual scan").acquire():
        health = renew_live(market_folder)["health"]
    assert health["heartbeat_at"] == "2026-01-27T12:01:00Z"
    assert abs(health["disk_free_bytes"] - shutil.disk_usage(market_folder.data_dir).free) < 1e9
    assert [(lock["name"], lock["pid"], lock["purpose"]) for lock in health["locks"]] == [
        ("scan.lock", os.getpid(), "manual scan")
    ]


@pytest.mark.django_db
def test_what_is_not_given_stays_as_the_old_file_has_it(market_folder: MarketFolder) -> None:
    budget = {"hour": {"used": 41, "limit": 250}}
    state = {"state": "open"}
    renew_live(market_folder, state, NOON, budget=budget, breaker={"until": "2026-01-27T13:00:00Z"})
    write_live(market_folder.export_dir, {**read_live(market_folder.export_dir), "last_export_error": "disk full"})
    renew_live(market_folder)
    live = read_live(market_folder.export_dir)
    assert live["market_state"] == state
    assert live["next_scan_at"] == "2026-01-27T12:00:00Z"
    assert live["budget"] == budget
    assert live["health"]["breaker"] == {"until": "2026-01-27T13:00:00Z"}
    assert live["last_export_error"] == "disk full"


@pytest.mark.django_db
def test_a_beat_is_one_row_a_host_and_a_new_live_json(market_folder: MarketFolder) -> None:
    before = datetime.now(UTC)
    beat(market_folder)
    beat(market_folder)
    row = Heartbeat.objects.get()
    assert (row.market, row.host) == ("demo", socket.gethostname())
    assert before <= row.at <= datetime.now(UTC)
    live = read_live(market_folder.export_dir)
    assert live["market_state"]["state"] == "open", "some session of the demo is always on"
    upcoming = datetime.fromisoformat(live["next_scan_at"])
    assert before < upcoming <= datetime.now(UTC) + timedelta(minutes=10)
    assert upcoming.minute % 10 == 0


@pytest.mark.django_db
def test_a_beat_proves_life_even_where_live_json_cannot_be_written(market_folder: MarketFolder) -> None:
    market_folder.export_dir.rmdir()
    market_folder.export_dir.write_text("a file where the folder should be")
    beat(market_folder)
    assert Heartbeat.objects.count() == 1


@pytest.mark.parametrize(
    ("now", "state"),
    [
        # A Tuesday in winter, inside; before the open; a Saturday.
        ("2026-01-27T15:00", ("open", "2026-01-27", "2026-01-27T14:30:00Z", "2026-01-27T21:00:00Z")),
        ("2026-01-27T14:00", ("closed", "2026-01-27", "2026-01-27T14:30:00Z", "2026-01-27T21:00:00Z")),
        ("2026-01-24T15:00", ("closed", "2026-01-26", "2026-01-26T14:30:00Z", "2026-01-26T21:00:00Z")),
    ],
)
def test_market_state(now: str, state: tuple[str, str, str, str]) -> None:
    found = market_state(exchange_sessions(), datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert tuple(found.values()) == state
    assert list(found) == ["state", "session", "opens_at", "closes_at"]


def test_no_clock_scans_recordings(market_folder: MarketFolder) -> None:
    recorded = MarketFolder(market_folder.data_dir, "recorded")
    assert next_scan(recorded, exchange_sessions(), NOON) is None


@pytest.mark.django_db
def test_a_running_job_whose_process_died_is_closed_and_a_living_one_is_not() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    dead = job("demo", 1, "running", pid=ended.pid)
    living = job("demo", 2, "running", pid=os.getpid())
    waiting = job("demo", 3, "queued")
    other = job("live", 4, "running", pid=ended.pid)
    assert close_dead_jobs("demo", NOON + timedelta(minutes=30)) == 1
    for row in (dead, living, waiting, other):
        row.refresh_from_db()
    assert [row.state for row in (dead, living, waiting, other)] == ["failed", "running", "queued", "running"]
    assert dead.finished_at == NOON + timedelta(minutes=30)
