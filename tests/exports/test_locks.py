from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from exports.folders import MarketFolder
from exports.locks import KernelLock, LockHeld, publish_lock

HOLD = """
import sys, time
from pathlib import Path
from exports.locks import KernelLock
with KernelLock(Path(sys.argv[1]), "a test").acquire(0):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    path = tmp_path / "publish.lock"
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield path, process
    process.kill()
    process.wait()


def test_loser_is_told_who_holds_it_and_since_when(holder) -> None:
    path, process = holder
    with pytest.raises(LockHeld, match=rf"^publish.lock is held by PID {process.pid} \(a test\) since 20\S+Z$") as told:
        KernelLock(path, "another").acquire(0)
    assert told.value.holder is not None
    assert told.value.holder.pid == process.pid
    assert told.value.since is not None


def test_loser_waits_for_its_time_out(holder) -> None:
    path, _ = holder
    began = time.monotonic()
    with pytest.raises(LockHeld):
        KernelLock(path, "another").acquire(0.3)
    assert 0.3 <= time.monotonic() - began < 2


def test_kill_frees_the_lock_and_its_signature_means_nothing(holder) -> None:
    path, process = holder
    process.send_signal(signal.SIGKILL)
    process.wait()
    lock = KernelLock(path, "the next")
    assert lock.holder_path.exists()
    with lock.acquire(0):
        holder_now = lock.holder()
        assert holder_now is not None
        assert (holder_now.pid, holder_now.purpose) == (os.getpid(), "the next")


def test_release_lets_the_next_one_in_and_leaves_no_signature(tmp_path: Path) -> None:
    lock = KernelLock(tmp_path / "scan.lock", "first")
    with lock.acquire(0):
        assert KernelLock(tmp_path / "scan.lock", "second").held()
        assert lock.held_here()
    assert not lock.holder_path.exists()
    assert not KernelLock(tmp_path / "scan.lock", "second").held()
    with KernelLock(tmp_path / "scan.lock", "second") as second:
        assert second.held_here()


def test_two_locks_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    with (
        KernelLock(tmp_path / "scan.lock", "first").acquire(0),
        pytest.raises(LockHeld, match=rf"PID {os.getpid()} \(first\)"),
    ):
        KernelLock(tmp_path / "scan.lock", "second").acquire(0)


def test_unreadable_signature_still_gives_one_clear_line(tmp_path: Path) -> None:
    lock = KernelLock(tmp_path / "scan.lock", "first")
    with lock.acquire(0):
        lock.holder_path.write_text("{")
        with pytest.raises(LockHeld, match=r"^scan.lock is held by another process$"):
            KernelLock(tmp_path / "scan.lock", "second").acquire(0)


def test_publish_lock_is_in_the_markets_lock_folder(market_folder: MarketFolder) -> None:
    with publish_lock(market_folder, "test").acquire(0):
        assert (market_folder.lock_dir / "publish.lock").exists()
