"""An export out of the real store holds one bound of memory, however many chains there are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.soak
@pytest.mark.parametrize(("chains", "contracts", "strikes"), [(1000, 200, 100), (4000, 200, 100), (10000, 74, 140)])
def test_peak_memory_stays_within_100_mib_over_base(chains: int, contracts: int, strikes: int) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.bench_store_export", "--rounds", "1"]
    command += ["--chains", str(chains), "--contracts", str(contracts), "--strikes", str(strikes)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300).stdout
    assert f"{chains:,} chains x {contracts} contracts" in told
    peak = re.search(r"peak \+(\d+) MiB over base", told)
    assert peak is not None, told
    assert int(peak.group(1)) <= 100, told
