"""Readers in processes of their own against a writer that never rests: no answer mixes two generations."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from exports.folders import MarketFolder
from exports.verification import verify
from tests.exports.synthetic import NOW, Clock, MarkedSnapshot, exporter

REPOSITORY = Path(__file__).resolve().parent.parent.parent
GENERATIONS = 210
READS = 2000

# Answers as the API gives them: every document of one generation, filtered by the index, records by position, the
# plain names as people read them. Page two comes from the kept generation that page one named.
READ = """
import json, sys, time
from pathlib import Path
from exports.documents import DOCUMENTS
from exports.reader import ExportReader
from tests.exports.synthetic import MARKED, OWN, record_count

def lists(generation):
    found, counts = set(), {}
    for name in DOCUMENTS:
        document = generation.document(name)
        records = [json.loads(record) for record in document.records(range(document.count))]
        assert [record[OWN[name]] for record in records] == document.index.column(OWN[name]).tolist()
        found |= {record[MARKED[name]] for record in records}
        counts[name] = len(records)
    marker = int(next(iter(found)).split()[1])
    whole = len(found) == 1 and counts == {name: record_count(name, marker) for name in DOCUMENTS}
    return whole, marker

folder, stop = Path(sys.argv[1]), Path(sys.argv[2])
reader, reads, mixed, unreadable, seen, last = ExportReader(folder), 0, 0, 0, set(), 0
while reads < 1000 or not stop.exists():
    generation = reader.current()
    whole, marker = lists(generation)
    again = reader.at(generation.name)
    # The writer's clock runs so fast that a generation may be gone for good within a second.
    mixed += not whole or marker < last or (again is not None and lists(again) != (True, marker))
    try:
        plain = json.loads((folder / "alerts.json").read_bytes())
        unreadable += len(plain["alerts"]) != plain["alert_count"]
    except ValueError:
        unreadable += 1
    reads, last = reads + len(DOCUMENTS) * (1 if again is None else 2), marker
    seen.add(marker)
print(json.dumps({"reads": reads, "mixed": mixed, "unreadable": unreadable, "generations": len(seen)}))
"""


@pytest.mark.soak
def test_two_reader_processes_never_see_a_mixed_generation(memory_dir: Path, soak_full: bool) -> None:
    folder, stop = MarketFolder(memory_dir / "data", "demo"), memory_dir / "stop"
    generations = GENERATIONS * (20 if soak_full else 1)
    exporter(folder, MarkedSnapshot(1)).export_all()
    command = [sys.executable, "-c", READ, str(folder.export_dir), str(stop)]
    readers = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for number in range(2, generations + 2):
            # Ten minutes apart by its own clock: retention removes files under the readers all the time.
            snapshot, clock = MarkedSnapshot(number), Clock(NOW + timedelta(minutes=10 * number))
            assert exporter(folder, snapshot, clock, gb=0).export_all()["errors"] == []
            time.sleep(0.02)
    finally:
        stop.touch()
        answers = [reader.communicate(timeout=60)[0] for reader in readers]
    told = [json.loads(answer) for answer in answers]
    assert [reader.returncode for reader in readers] == [0, 0]
    assert [answer["mixed"] for answer in told] == [0, 0]
    assert [answer["unreadable"] for answer in told] == [0, 0]
    assert sum(answer["reads"] for answer in told) >= READS
    assert min(answer["generations"] for answer in told) >= 20
    assert verify(folder, deep=True).findings == []
