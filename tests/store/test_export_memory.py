"""An export out of the real store holds one bound of memory, however many chains there are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.soak
@pytest.mark.parametrize("chains", [1000, 4000])
def test_peak_memory_stays_within_100_mib_over_base(chains: int) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.bench_store_export", "--chains", str(chains), "--rounds", "1"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300).stdout
    assert f"{chains:,} chains x 200 contracts" in told
    peak = re.search(r"peak \+(\d+) MiB over base", told)
    assert peak is not None, told
    assert int(peak.group(1)) <= 100, told
