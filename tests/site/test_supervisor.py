"""The supervisor over real processes: what is killed, what is started again, what is left behind (nothing)."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.site.processes import ROOT, all_gone, lives, pids_in, start_python, wait_for

Supervise = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


@pytest.fixture
def supervise(notes: Path) -> Iterator[Supervise]:
    started: list[subprocess.Popen[str]] = []

    def start(*kinds: str) -> subprocess.Popen[str]:
        process = start_python("tests/site/supervised.py", "supervisor", str(notes), *kinds, PYTHONPATH=str(ROOT))
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    for pid in pids_in(notes):
        if lives(pid):
            os.kill(pid, signal.SIGKILL)


def test_nothing_lives_two_seconds_after_a_kill_9_of_the_supervisor(supervise: Supervise, notes: Path) -> None:
    supervisor = supervise("family")
    # The main process, two children, and one of each of theirs.
    wait_for(lambda: len(pids_in(notes)) == 5, 20, "all run")
    supervisor.kill()
    wait_for(lambda: all_gone(pids_in(notes)), 2, "all gone")


def test_sigterm_ends_all_even_what_ignores_it(supervise: Supervise, notes: Path) -> None:
    supervisor = supervise("family", "stubborn")
    wait_for(lambda: len(pids_in(notes)) == 7, 20, "all programs run")
    begun = time.monotonic()
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(timeout=10) == 0
    assert time.monotonic() - begun < 10
    wait_for(lambda: all_gone(pids_in(notes)), 1, "all gone")


def test_ctrl_c_ends_all(supervise: Supervise, notes: Path) -> None:
    supervisor = supervise("family")
    wait_for(lambda: len(pids_in(notes)) == 5, 20, "all programs run")
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(timeout=10) == 0
    wait_for(lambda: all_gone(pids_in(notes)), 1, "all gone")


def test_a_program_that_keeps_failing_starts_again_after_1_2_and_4_seconds(supervise: Supervise, notes: Path) -> None:
    supervise("failing")
    wait_for(lambda: len(pids_in(notes)) == 4, 25, "four starts")
    starts = sorted(float(path.read_text()) for path in notes.iterdir())
    for gap, expected in zip((later - earlier for earlier, later in pairwise(starts)), (1, 2, 4), strict=True):
        # Interpreter start and the supervisor's own step of 0.2 s come on top.
        assert expected <= gap < expected + 1.5


def test_what_a_killed_program_leaves_behind_is_cleared_before_it_starts_again(
    supervise: Supervise, notes: Path
) -> None:
    supervise("stubborn")
    wait_for(lambda: len(pids_in(notes)) == 2, 20, "program and child run")
    first = pids_in(notes)
    main = next(pid for pid in first if os.getpgid(pid) == pid)
    os.kill(main, signal.SIGKILL)
    wait_for(lambda: all_gone(first), 2, "the old ones are gone")
    wait_for(lambda: len(pids_in(notes)) == 4, 20, "it runs again")


def test_a_program_that_hangs_is_killed_with_its_group_and_started_again(supervise: Supervise, notes: Path) -> None:
    supervisor = supervise("hanging")
    wait_for(lambda: len(pids_in(notes)) >= 2, 20, "a second start")
    first = min(notes.iterdir(), key=lambda path: float(path.read_text()))
    assert not lives(int(first.name))
    supervisor.terminate()
    told, _ = supervisor.communicate(timeout=10)
    assert "hanging hangs, starts again in 1 s" in told


def test_output_carries_the_name_of_its_program(supervise: Supervise) -> None:
    supervisor = supervise("talking", "failing")
    assert supervisor.stdout is not None
    lines = [supervisor.stdout.readline().rstrip() for _ in range(4)]
    assert "talking | one line" in lines
    assert "failing | no luck" in lines
    assert "up      | failing ended (exit code 3), starts again in 1 s" in lines
    assert "all ready" in lines
