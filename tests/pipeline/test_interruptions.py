"""What comes after an interrupted scan: the same order goes on with it, any other joins it; Ctrl-C is one line."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline import remains
from tests.pipeline.commands import finish, manage, start
from tests.pipeline.stage import DEMO, KILLED, LATE, SOON, TICKERS, Stage, survived

pytestmark = pytest.mark.soak


def chains_fetched(calls: Path) -> list[str]:
    """Return the tickers of the chains that were asked for, with repetition."""
    return [line.split()[1] for line in calls.read_text().splitlines()] if calls.exists() else []


def counted(calls: Path) -> dict[str, Any]:
    return {"calls": [f"{DEMO}.chain"], "file": str(calls)}


def test_the_same_order_goes_on_with_a_killed_scan(stage: Stage, tmp_path: Path) -> None:
    stage.reset()
    kill = {"call": "os.rename", "path": "*CINDRA.json"}
    assert stage.scan(at=KILLED, kill=kill).code == -signal.SIGKILL
    (begun,) = remains.stagings(stage.folder)
    assert remains.collected(stage.folder) == {begun.name: {"ALDREN"}}
    calls = tmp_path / "calls"
    then = stage.scan("--json", at=SOON, count=counted(calls))
    assert then.code == 0, then.told
    assert set(chains_fetched(calls)) == {"CINDRA", "DOVREK"}
    assert remains.all_is_well(stage.folder, stage.scratch).scans == {stage.first_scan: "ok", begun.name: "ok"}
    ((state, status, started),) = remains.rows(
        stage.folder, f"SELECT state, status, started_at FROM collector_scanjob WHERE scan_id = '{begun.name}'"
    )
    assert (state, status) == ("done", "ok")
    assert started.startswith("2026-03-11 18:00:0")


@pytest.mark.parametrize(
    ("arguments", "at"),
    [(("--tickers", "DOVREK"), SOON), ((), LATE)],
    ids=["another order", "after its deadline"],
)
def test_else_it_is_joined_as_interrupted(arguments: tuple[str, ...], at: str, stage: Stage, tmp_path: Path) -> None:
    stage.reset()
    kill = {"call": "os.rename", "path": "*CINDRA.json"}
    assert stage.scan(at=KILLED, kill=kill).code == -signal.SIGKILL
    (begun,) = remains.stagings(stage.folder)
    calls = tmp_path / "calls"
    then = stage.scan(*arguments, at=at, count=counted(calls))
    assert then.code == 0, then.told
    assert f"Scan {begun.name} was interrupted; what it had is joined (interrupted)." in then.output
    assert set(chains_fetched(calls)) == set(arguments[1:] or TICKERS)
    statuses = remains.all_is_well(stage.folder, stage.scratch).scans
    assert statuses.pop(begun.name) == "interrupted"
    assert sorted(statuses.values()) == ["ok", "ok"]
    ((state,),) = remains.rows(stage.folder, f"SELECT state FROM collector_scanjob WHERE scan_id = '{begun.name}'")
    assert state == "failed"


def test_a_scan_of_one_ticker_does_not_become_the_next_scan_of_all(stage: Stage) -> None:
    stage.reset()
    kill = {"call": f"{DEMO}.chain", "number": 2}
    assert stage.scan("--tickers", "DOVREK", at=KILLED, kill=kill).code == -signal.SIGKILL
    then = stage.scan(at=SOON)
    assert then.code == 0, then.told
    assert "3 of 3 tickers" in then.output


@pytest.mark.parametrize(
    "kill",
    [
        {"call": "collector.pipeline.recovery.Staging.drop"},
        {"call": "shutil.rmtree", "path": "*/staging/*"},
        {"call": "collector.store.records.append_revision", "when": "after"},
    ],
    ids=["before its staging is gone", "while its staging goes", "before its commit"],
)
def test_a_start_that_is_killed_while_it_joins_what_a_killed_scan_left(kill: dict[str, Any], stage: Stage) -> None:
    stage.reset()
    assert stage.scan(at=KILLED, kill={"call": "os.rename", "path": "*CINDRA.json"}).code == -signal.SIGKILL
    assert stage.scan("--tickers", "DOVREK", at=SOON, kill=kill).code == -signal.SIGKILL
    survived(stage, SOON)


def backfilled(stage: Stage) -> list[tuple[str, str, int]]:
    """Return time, status and chains of each session that was backfilled."""
    with remains.store_of(stage.folder, stage.scratch) as store:
        assert store is not None
        query = "SELECT as_of::VARCHAR, status, chains FROM scans WHERE kind = 'backfill' ORDER BY as_of"
        return store.execute(query).fetchall()


def test_a_backfill_that_is_killed_has_every_session_whole(stage: Stage) -> None:
    backfill = ("--backfill", "4")
    stage.reset()
    assert stage.scan(*backfill, at=KILLED).code == 0
    undisturbed = backfilled(stage)
    assert {status for _, status, _ in undisturbed} == {"ok"}
    stage.reset()
    # Amid the second ticker of the second session.
    kill = {"call": f"{DEMO}.chain", "number": 45}
    assert stage.scan(*backfill, at=KILLED, kill=kill).code == -signal.SIGKILL
    then = stage.scan(*backfill, at=SOON)
    assert then.code == 0, then.told
    remains.all_is_well(stage.folder, stage.scratch)
    assert backfilled(stage) == undisturbed


@pytest.mark.parametrize(
    "kill",
    [
        {"call": f"{DEMO}.chain", "number": 14},
        {"call": "collector.store.staging.Staging._write_parquet", "number": 2},
        {"call": "collector.pipeline.join.known_before", "when": "during", "delay": 0.02},
        {"call": "exports.exporter.publish", "when": "during", "delay": 0.01},
    ],
    ids=["fetch", "staging", "join", "publish"],
)
def test_ctrl_c_is_one_line_and_the_next_scan_goes_on(kill: dict[str, Any], stage: Stage) -> None:
    stage.reset()
    ended = stage.scan(at=KILLED, kill={**kill, "sign": int(signal.SIGINT)})
    assert ended.code == 130, ended.told
    *joined, last = ended.told.strip().splitlines()
    assert last == "CommandError: Interrupted; what was collected is kept, and the next scan goes on from it."
    # A scan that is in the store already says so before the line that tells of its publication's end.
    assert len(joined) == (kill["call"] == "exports.exporter.publish")
    survived(stage, SOON)


def test_kill_9_and_ctrl_c_of_the_command_as_users_start_it(stage: Stage) -> None:
    stage.reset()
    settings = {"OPTSITE_WATCHLIST": ",".join(TICKERS)}
    for sign, code in ((signal.SIGKILL, -9), (signal.SIGINT, 130)):
        process = start(stage.folder.data_dir, "scan", **settings)
        until = time.monotonic() + 60
        running = f"SELECT scan_id FROM collector_scanjob WHERE state = 'running' AND pid = {process.pid}"
        while not remains.rows(stage.folder, running):
            assert time.monotonic() < until
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(sign)
        ended = finish(process)
        assert ended.code == code, ended.told
        assert "Traceback" not in ended.told
    then = manage(stage.folder.data_dir, "scan", **settings)
    assert then.code == 0, then.told
    remains.all_is_well(stage.folder, stage.scratch)
