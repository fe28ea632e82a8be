"""A scan that is killed anywhere: readers keep a whole generation, and the next start goes on where it stopped.

Twenty moments: twelve at a point of the code, which name the phase that they hit beforehand, three inside the commit,
and five spread evenly over the run as measured, which tell it by what is left. Every run is a process of its own (see
command_child.py). The demo market is asked as of a fixed moment, so that what undisturbed runs find is the oracle of
what a killed one and its successor have to have found.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

import pytest

from tests.pipeline.stage import DEMO, KILLED, LATE, SOON, Stage, survived

pytestmark = pytest.mark.soak

UNIFORM = 5
UNIFORM_IN_FULL = 60


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


def test_the_undisturbed_runs_begin_and_end_alerts(stage: Stage) -> None:
    for found in (*stage.both.values(), *stage.alone.values(), stage.once):
        kinds = [kind for news in found.values() for _, kind in news]
        assert kinds.count("new") > 20
        assert kinds.count("ended") > 0


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
