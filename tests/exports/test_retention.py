from __future__ import annotations

import errno
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from exports.documents import DOCUMENTS
from exports.folders import MarketFolder
from exports.reader import ExportReader
from exports.verification import verify
from tests.exports.steps import steps_in
from tests.exports.synthetic import NOW, Clock, MarkedSnapshot, exporter, make_record

MEGABYTE_IN_GB = 0.001


def publish(folder: MarketFolder, minutes: float, marker: int, gb: float = 20, **given: list) -> dict:
    snapshot = MarkedSnapshot(marker)
    snapshot.given = given
    return exporter(folder, snapshot, Clock(NOW + timedelta(minutes=minutes)), gb).export_all()


def kept(folder: MarketFolder) -> list[int]:
    """Return the counters of the kept generations."""
    names = (folder.export_dir / "archive").glob("manifest_*.json")
    return sorted(int(path.stem.rpartition("-")[2]) for path in names)


def archive_bytes(folder: MarketFolder) -> int:
    return sum(path.stat().st_size for path in (folder.export_dir / "archive").iterdir())


def heavy(number: int) -> list[dict]:
    """Return scans of half a megabyte."""
    return [make_record(DOCUMENTS["scans"], id=f"s{number}", config_hash="x" * 500_000)]


def test_of_several_generations_with_one_revision_only_the_last_stays(market_folder: MarketFolder) -> None:
    for minutes, marker in ((0, 1), (5, 1), (10, 1), (60, 2), (65, 2), (70, 2), (75, 2)):
        publish(market_folder, minutes, marker)
    assert kept(market_folder) == [3, 5, 6, 7]
    assert verify(market_folder, deep=True).findings == []


def test_generations_of_the_last_15_minutes_stay(market_folder: MarketFolder) -> None:
    for minutes in (0, 2, 4, 6, 8, 10, 14.9):
        publish(market_folder, minutes, 1)
    assert kept(market_folder) == [1, 2, 3, 4, 5, 6, 7]
    publish(market_folder, 17.5, 1)
    assert kept(market_folder) == [3, 4, 5, 6, 7, 8]


def test_newest_three_stay_however_old(market_folder: MarketFolder) -> None:
    for day in range(4):
        publish(market_folder, day * 1440, 1)
    assert kept(market_folder) == [2, 3, 4]


def test_oldest_go_first_above_the_cap(market_folder: MarketFolder) -> None:
    for number in range(8):
        publish(market_folder, number * 60, number, gb=2.9 * MEGABYTE_IN_GB, scans=heavy(number))
    assert kept(market_folder) == [4, 5, 6, 7, 8]
    assert archive_bytes(market_folder) <= 2_900_000
    assert verify(market_folder, deep=True).findings == []


def test_cap_below_the_newest_keeps_them_and_says_so(
    market_folder: MarketFolder, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(5):
        publish(market_folder, number * 60, number, gb=0, scans=heavy(number))
    assert kept(market_folder) == [3, 4, 5]
    assert "more than its cap" in caplog.text


def test_file_that_a_kept_generation_names_is_never_removed(market_folder: MarketFolder) -> None:
    for number in range(6):
        snapshot = MarkedSnapshot(number)
        snapshot.revisions = {"chains": "did not move"}
        exporter(market_folder, snapshot, Clock(NOW + timedelta(hours=number)), gb=0).export_all()
    assert kept(market_folder) == [4, 5, 6]
    told = json.loads((market_folder.export_dir / "manifest.json").read_bytes())
    assert told["documents"]["chains"]["path"] == "archive/chains_20260127T120000Z-000001.json"
    assert (market_folder.export_dir / told["documents"]["chains"]["path"]).exists()
    assert verify(market_folder, deep=True).findings == []


def test_files_that_no_generation_names_are_removed_and_foreign_ones_left(market_folder: MarketFolder) -> None:
    publish(market_folder, 0, 1)
    archive = market_folder.export_dir / "archive"
    (archive / "alerts_20260101T000000Z-000000.json").write_text("{}")
    (archive / "notes.txt").write_text("mine")
    publish(market_folder, 5, 2)
    assert not (archive / "alerts_20260101T000000Z-000000.json").exists()
    assert (archive / "notes.txt").read_text() == "mine"


def test_manifest_removed_by_hand_does_not_take_the_current_generations_files(market_folder: MarketFolder) -> None:
    publish(market_folder, 0, 1)
    publish(market_folder, 5, 1)
    for path in (market_folder.export_dir / "archive").glob("manifest_*"):
        path.unlink()
    publish(market_folder, 10, 1)
    assert verify(market_folder, deep=True).findings == []


def test_kept_manifest_that_cannot_be_read_stops_every_removal(market_folder: MarketFolder) -> None:
    for number in range(4):
        publish(market_folder, number * 60, number)
    damaged = market_folder.export_dir / "archive" / "manifest_20260127T120000Z-000001.json"
    damaged.chmod(0o644)
    damaged.write_text("{")
    answer = publish(market_folder, 300, 9, gb=0)
    assert answer["success"] is True
    assert answer["errors"] == [f"nothing was removed from the archive: archive/{damaged.name}: " + said(damaged)]
    assert kept(market_folder) == [1, 2, 3, 4, 5]


def said(path: Path) -> str:
    """Return what reading the damaged manifest says after its name."""
    try:
        json.loads(path.read_text())
    except json.JSONDecodeError:
        return "not a manifest (unexpected end of data: line 1 column 2 (char 1))"
    raise AssertionError("the file is not damaged")


def test_manifest_that_cannot_be_removed_keeps_its_files(market_folder: MarketFolder) -> None:
    for number in range(3):
        publish(market_folder, number * 60, number)

    def refuse(_: int, step: str, path: str) -> None:
        if step == "unlink" and "manifest_" in path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    with steps_in(market_folder.export_dir, refuse):
        answer = publish(market_folder, 300, 9, gb=0)
    assert answer["errors"][0].startswith(
        "not removed from the archive: archive/manifest_20260127T120000Z-000001.json: perm"
    )
    assert ExportReader(market_folder.export_dir).at("20260127T120000Z-000001") is not None
    assert verify(market_folder, deep=True).findings == []
