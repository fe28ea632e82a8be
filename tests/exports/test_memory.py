"""An export's memory does not grow with what it exports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent
MEBIBYTE = 1024  # /proc counts KiB

EXPORT = """
import json, sys
from pathlib import Path
from exports.folders import MarketFolder
from tests.exports.process_memory import memory_kib
from tests.exports.synthetic import EmptySnapshot, exporter, wide_chains

class Wide(EmptySnapshot):
    def records(self, document):
        return wide_chains(int(sys.argv[2]), 200) if document == "chains" else iter(())

folder = MarketFolder(Path(sys.argv[1]), "demo")
exporter(folder, EmptySnapshot()).export_all()
next(wide_chains(1, 200))
base = memory_kib("VmRSS")
answer = exporter(folder, Wide()).export_chains()
peak = memory_kib("VmHWM")
size = (folder.export_dir / "chains.json").stat().st_size
print(json.dumps({"over": peak - base, "size": size, "answer": answer}))
"""


@pytest.mark.parametrize(("chains", "least_bytes"), [(1000, 66e6), (4000, 264e6)])
def test_peak_memory_over_base_is_at_most_100_mib(tmp_path: Path, chains: int, least_bytes: float) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", EXPORT, str(tmp_path / "data"), str(chains)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(ran.stdout)
    assert told["answer"]["errors"] == []
    assert told["answer"]["documents"]["chains"] == chains
    assert told["size"] >= least_bytes
    assert 0 <= told["over"] <= 100 * MEBIBYTE
