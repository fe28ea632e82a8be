"""A child dies with its parent, even one whose parent died before it could ask the kernel for that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.site.processes import all_gone, wait_for

ROOT = Path(__file__).resolve().parents[2]

FORKS = """
import os, sys, time
from collector.parent_death import signal_forks
os.register_at_fork(after_in_child=lambda: time.sleep(float(sys.argv[1])))
signal_forks()
child = os.fork()
if child:
    print(child, flush=True)
    time.sleep(float(sys.argv[2]))
    os._exit(0)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("slow", "parent_lives"), [(0.5, 0.0), (0.0, 0.5)], ids=["dead before the request", "dead after it"]
)
def test_a_forked_child_ends_with_its_parent(slow: float, parent_lives: float) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", FORKS, str(slow), str(parent_lives)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.wait(timeout=10)
    wait_for(lambda: all_gone([child]), 3, "the child is gone")
