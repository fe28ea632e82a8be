"""A scan that is killed anywhere: readers keep a whole generation, and the next start goes on where it stopped.

Twenty moments: twelve at a point of the code, which name the phase that they hit beforehand, three inside the commit,
and five spread evenly over the run as measured, which tell it by what is left. Every run is a process of its own (see
command_child.py). The demo market is asked as of a fixed moment, so that what undisturbed runs find is the oracle of
what a killed one and its successor have to have found.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from exports.folders import MarketFolder
from tests.pipeline import remains
from tests.pipeline.commands import CommandServer, Ran, finish, manage, start

pytestmark = pytest.mark.soak

TICKERS = ("ALDREN", "CINDRA", "DOVREK")
BEFORE, KILLED = "2026-03-10T18:00:00+00:00", "2026-03-11T18:00:00+00:00"
# In time to go on with the killed scan, and after its deadline of nine minutes.
SOON, LATE = "2026-03-11T18:01:00+00:00", "2026-03-11T18:12:00+00:00"
# Low levels, so that the two sessions begin and end many alerts.
LEVELS = """
[detectors.unusual_activity]
min_volume = 1
min_premium = 1000.0
rearm_premium = 500.0
min_volume_to_open_interest = 0.3
day_one_volume_to_open_interest = 0.3
rearm_volume_to_open_interest = 0.2
min_volume_to_usual = 1.2
rearm_volume_to_usual = 1.0
max_armed = 50
"""
DEMO = "collector.providers.demo.DemoProvider"
UNIFORM = 5
UNIFORM_IN_FULL = 60


News = dict[str, set[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of the code to be killed at, the phase that this is, and the time of the next start."""

    name: str
    phase: str
    kill: dict[str, Any]
    next_start: str = SOON


MOMENTS = (
    Moment("fetch of the first chain", "collect", {"call": f"{DEMO}.chain"}),
    Moment("fetch amid the second ticker", "collect", {"call": f"{DEMO}.chain", "number": 14}, LATE),
    Moment("staging: half a Parquet file", "collect", {"call": "os.replace", "path": "*CINDRA.parquet"}),
    Moment("staging: Parquet without its record", "collect", {"call": "os.rename", "path": "*CINDRA.json"}, LATE),
    Moment("staging: the collecting's end", "collect", {"call": "os.rename", "path": "*outcome.json"}),
    Moment("join: contracts are in", "join", {"call": "collector.store.records.append_contracts", "when": "after"}),
    Moment("join: before its commit", "join", {"call": "collector.store.records.append_revision", "when": "after"}),
    Moment("join: move to the history", "after the commit", {"call": "os.replace", "path": "*_CINDRA.parquet"}),
    Moment("publish: first document", "publish", {"call": "os.rename", "path": "*/exports/archive/*"}, LATE),
    Moment(
        "publish: between two renames", "publish", {"call": "os.rename", "path": "*/exports/archive/*", "number": 6}
    ),
    Moment("publish: the manifest", "publish", {"call": "os.rename", "path": "*/exports/manifest.json"}),
    Moment("publish: before the outbox", "outbox", {"call": "collector.pipeline.publish.copy_events"}),
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A data folder that can be set back to after its first scan, and what undisturbed scans make of it."""

    server: CommandServer
    folder: MarketFolder
    template: Path
    scratch: Path
    seconds: float
    first_scan: str
    both: dict[str, News]
    alone: dict[str, News]

    def reset(self) -> None:
        """Set the folder back."""
        set_back(self.folder, self.template)

    def scan(self, *arguments: str, at: str, **order: Any) -> Ran:
        """Run a scan."""
        return self.server.run(["scan", *arguments], at=at, **order)


def set_back(folder: MarketFolder, template: Path) -> None:
    shutil.rmtree(folder.data_dir)
    shutil.copytree(template, folder.data_dir)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("kills")
    levels = home / "levels.toml"
    levels.write_text(LEVELS)
    data_dir, template, second = home / "data", home / "template", home / "second"
    data_dir.mkdir(mode=0o700)
    folder = MarketFolder(data_dir, "demo")
    with CommandServer(data_dir, OPTSITE_CONFIG=str(levels), OPTSITE_WATCHLIST=",".join(TICKERS)) as server:
        first = server.run(["scan"], at=BEFORE)
        assert first.code == 0, first.told
        shutil.copytree(data_dir, template)
        measured = [server.run(["scan"], at=KILLED)]
        shutil.copytree(data_dir, second)
        found: dict[Path, dict[str, News]] = {template: {}, second: {}}
        for start_from, then in product(found, (SOON, LATE)):
            set_back(folder, start_from)
            measured.append(server.run(["scan"], at=then))
            found[start_from][then] = remains.all_is_well(folder, home / "scratch").news
        (scan,) = remains.rows(folder, "SELECT min(scan_id) FROM collector_scanjob")
        assert {ran.code for ran in measured} == {0}
        seconds = min(ran.seconds for ran in measured)
        yield Stage(server, folder, template, home / "scratch", seconds, scan[0], found[second], found[template])


def test_the_undisturbed_runs_begin_and_end_alerts(stage: Stage) -> None:
    for found in (*stage.both.values(), *stage.alone.values()):
        kinds = [kind for news in found.values() for _, kind in news]
        assert kinds.count("new") > 20
        assert kinds.count("ended") > 0


def survived(stage: Stage, next_start: str) -> str:
    """Hold a folder whose scan was killed against all that has to be true, then and after the next start.

    Return the phase that the kill hit.
    """
    folder = stage.folder
    remains.readers_see_a_whole_generation(folder)
    with remains.store_of(folder, stage.scratch) as store:
        acknowledged = remains.scans_in(store)
        phase = remains.phase_of(folder, store)
    assert stage.first_scan in acknowledged
    staged = remains.collected(folder)
    was_joined = len(acknowledged) > 1
    then = stage.scan(at=next_start)
    assert then.code == 0, then.told
    assert "Traceback" not in then.told
    rest = remains.all_is_well(folder, stage.scratch)
    assert acknowledged.items() <= rest.scans.items()
    for scan_id, tickers in staged.items():
        assert not tickers or scan_id in rest.scans, f"what {scan_id} had collected is lost"
    whole = set(TICKERS) if was_joined else {ticker for tickers in staged.values() for ticker in tickers}
    for ticker in TICKERS:
        seen_by = stage.both if ticker in whole else stage.alone
        assert rest.news[ticker] == seen_by[next_start][ticker]
    return phase


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.name)
def test_killed_inside(moment: Moment, stage: Stage) -> None:
    stage.reset()
    killed = stage.scan(at=KILLED, kill=moment.kill)
    assert killed.code == -signal.SIGKILL, f"{moment.name} was not reached: {killed.told}"
    assert survived(stage, moment.next_start) == moment.phase


def test_killed_evenly_over_the_run(stage: Stage, soak_full: bool, capsys: pytest.CaptureFixture[str]) -> None:
    count = UNIFORM_IN_FULL if soak_full else UNIFORM
    hit = []
    for number in range(count):
        stage.reset()
        moment = stage.seconds * (number + 1) / (count + 1)
        killed = stage.scan(at=KILLED, kill_after=moment)
        assert killed.code in (0, -signal.SIGKILL), killed.told
        phase = survived(stage, LATE if number % 2 else SOON)
        hit.append(f"{moment:.2f} s: {phase if killed.code else 'was over'}")
    with capsys.disabled():
        print(f"\nkilled evenly over {stage.seconds:.2f} s: {'; '.join(hit)}")
    assert sum("was over" not in one for one in hit) > count / 2


def test_killed_inside_the_commit_itself(stage: Stage, soak_full: bool) -> None:
    """DuckDB writes its log while the signal comes: either all of the scan is there afterwards, or nothing."""
    delays = [0.0002 * step for step in range(1, 61 if soak_full else 4)]
    for delay in delays:
        stage.reset()
        kill = {"call": "collector.store.records.append_revision", "when": "after", "delay": delay}
        killed = stage.scan(at=KILLED, kill=kill)
        assert killed.code == -signal.SIGKILL, killed.told
        assert survived(stage, SOON) in ("join", "after the commit", "publish")


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


def test_a_backfill_that_is_killed_has_every_session_whole(stage: Stage, tmp_path: Path) -> None:
    stage.reset()
    kill = {"call": f"{DEMO}.chain", "number": 60}
    assert stage.scan("--backfill", "3", at=KILLED, kill=kill).code == -signal.SIGKILL
    then = stage.scan("--backfill", "3", at=SOON)
    assert then.code == 0, then.told
    remains.all_is_well(stage.folder, stage.scratch)
    with remains.store_of(stage.folder, stage.scratch) as store:
        assert store is not None
        sessions = store.execute("SELECT status, chains > 20 FROM scans WHERE kind = 'backfill'").fetchall()
    assert sessions == [("ok", True)] * 3


@pytest.mark.parametrize(
    "kill",
    [
        {"call": f"{DEMO}.chain", "number": 14},
        {"call": "collector.store.staging.Staging._write_parquet", "number": 2},
        {"call": "collector.pipeline.join._detect", "when": "during", "delay": 0.02},
        {"call": "exports.exporter.publish", "when": "during", "delay": 0.01},
    ],
    ids=["fetch", "staging", "join", "publish"],
)
def test_ctrl_c_is_one_line_and_the_next_scan_goes_on(kill: dict[str, Any], stage: Stage) -> None:
    stage.reset()
    ended = stage.scan(at=KILLED, kill={**kill, "sign": int(signal.SIGINT)})
    assert ended.code == 1, ended.told
    assert ended.told.strip().splitlines() == [
        "CommandError: Interrupted; what was collected is kept, and the next scan goes on from it."
    ]
    survived(stage, SOON)


def test_kill_9_and_ctrl_c_of_the_command_as_users_start_it(stage: Stage) -> None:
    stage.reset()
    settings = {"OPTSITE_WATCHLIST": ",".join(TICKERS)}
    for sign, code in ((signal.SIGKILL, -9), (signal.SIGINT, 1)):
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
