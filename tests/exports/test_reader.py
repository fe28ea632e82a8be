from __future__ import annotations

import gc
import json
import logging
import os
import threading
import time
from datetime import timedelta

import numpy as np
import pytest

from exports import reader as reader_module
from exports.documents import DOCUMENTS
from exports.folders import MarketFolder
from exports.live import write_live
from exports.manifest import Manifest
from exports.reader import ExportReader, Generation, load_generation
from tests.exports.synthetic import NOW, Clock, MarkedSnapshot, exporter, markers

FIRST = "20260127T120000Z-000001"
LATER = Clock(NOW + timedelta(minutes=5))


def current(reader: ExportReader) -> Generation:
    generation = reader.current()
    assert generation is not None
    return generation


def open_files(folder: MarketFolder) -> set[str]:
    """Return the archived files of the folder that this process holds open."""
    found = set()
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink(f"/proc/self/fd/{descriptor}"))
        except OSError:
            continue
    return {path for path in found if path.startswith(f"{folder.export_dir}/archive/")}


def test_nothing_published_is_none(market_folder: MarketFolder) -> None:
    reader = ExportReader(market_folder.export_dir)
    assert reader.current() is None
    assert reader.at(FIRST) is None
    assert reader.live() == {}


def test_folder_that_is_not_there_is_none(market_folder: MarketFolder) -> None:
    assert ExportReader(market_folder.export_dir / "elsewhere").current() is None


def test_records_are_the_documents_own_bytes(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    content = (market_folder.export_dir / "alerts.json").read_bytes()
    document = current(ExportReader(market_folder.export_dir)).document("alerts")
    assert document is not None
    told = json.loads(content)["alerts"]
    assert document.count == len(told) == 9
    assert [json.loads(record) for record in document.records([7, 0, 3])] == [told[7], told[0], told[3]]
    assert all(record in content for record in document.records(range(9)))
    assert document.record(5) == told[5]


def test_positions_from_numpy_read_records(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    document = current(ExportReader(market_folder.export_dir)).document("alerts")
    assert document is not None
    positions = np.flatnonzero(document.index.column("id") == "ID3")
    assert [json.loads(record)["id"] for record in document.records(positions)] == ["ID3"]


def test_position_that_is_not_there_is_an_error(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    document = current(ExportReader(market_folder.export_dir)).document("alerts")
    assert document is not None
    with pytest.raises(IndexError):
        document.records([9])


def test_envelope_is_what_stands_before_the_records(market_folder: MarketFolder) -> None:
    snapshot = MarkedSnapshot(2)
    snapshot.said["alerts"] = [{"ticker": None, "reason": "budget", "detail": None}]
    snapshot.given["scans"] = []
    exporter(market_folder, snapshot).export_all()
    generation = current(ExportReader(market_folder.export_dir))
    for name in ("alerts", "scans"):
        document = generation.document(name)
        assert document is not None
        told = json.loads((market_folder.export_dir / f"{name}.json").read_bytes())
        told.pop(name)
        assert document.envelope() == told
    assert generation.document("alerts").errors == snapshot.said["alerts"]


def test_generation_says_what_the_manifest_says(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    generation = current(ExportReader(market_folder.export_dir))
    assert (generation.name, generation.export_timestamp) == (FIRST, "2026-01-27T12:00:00Z")
    assert generation.provider == "demo"
    assert generation.document("orders") is None
    document = generation.document("chains")
    assert document is not None
    assert document.sha256 == generation.manifest.documents["chains"].sha256


def test_same_generation_is_served_until_the_manifest_moves(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    reader = ExportReader(market_folder.export_dir)
    first = current(reader)
    assert reader.current() is first
    exporter(market_folder, MarkedSnapshot(3), LATER).export_all()
    assert markers(current(reader)) == {"marker 3"}
    assert markers(first) == {"marker 2"}


def test_carried_document_is_not_loaded_again(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    reader = ExportReader(market_folder.export_dir)
    first = current(reader)
    exporter(market_folder, MarkedSnapshot(2), LATER).export_all()
    assert current(reader).document("chains") is first.document("chains")
    assert current(reader).document("alerts") is not first.document("alerts")


def test_generation_in_use_outlives_its_files(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    generation = current(ExportReader(market_folder.export_dir))
    for path in (market_folder.export_dir / "archive").iterdir():
        path.unlink()
    assert markers(generation) == {"marker 2"}


def test_files_are_closed_with_their_last_user(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    reader = ExportReader(market_folder.export_dir)
    used = current(reader)
    assert len(open_files(market_folder)) == len(DOCUMENTS)
    exporter(market_folder, MarkedSnapshot(3), LATER).export_all()
    current(reader)
    assert len(open_files(market_folder)) == 2 * len(DOCUMENTS)
    del used
    gc.collect()
    assert len(open_files(market_folder)) == len(DOCUMENTS)


def test_others_are_given_the_old_generation_while_one_loads(
    market_folder: MarketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    reader = ExportReader(market_folder.export_dir)
    first = current(reader)
    exporter(market_folder, MarkedSnapshot(3), LATER).export_all()
    loading, go_on = threading.Event(), threading.Event()

    def slow(*arguments: object) -> Generation:
        loading.set()
        assert go_on.wait(10)
        return load_generation(*arguments)

    monkeypatch.setattr(reader_module, "load_generation", slow)
    thread = threading.Thread(target=reader.current)
    thread.start()
    assert loading.wait(10)
    assert reader.current() is first
    go_on.set()
    thread.join()
    assert markers(current(reader)) == {"marker 3"}


def test_file_that_vanished_after_the_manifest_was_read_is_looked_for_once_more(
    market_folder: MarketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    calls = []

    def vanish_once(folder: object, manifest: Manifest, known: Generation | None) -> Generation:
        calls.append(manifest.generation)
        if len(calls) == 1:
            exporter(market_folder, MarkedSnapshot(3), LATER).export_all()
            (market_folder.export_dir / manifest.documents["alerts"].path).unlink()
        return load_generation(market_folder.export_dir, manifest, known)

    monkeypatch.setattr(reader_module, "load_generation", vanish_once)
    assert markers(current(ExportReader(market_folder.export_dir))) == {"marker 3"}
    assert calls == [FIRST, "20260127T120500Z-000002"]


@pytest.mark.parametrize("damage", ["manifest", "index", "size", "gone"])
def test_generation_that_cannot_be_loaded_leaves_the_one_before_and_is_logged_once(
    market_folder: MarketFolder, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    reader = ExportReader(market_folder.export_dir)
    current(reader)
    exporter(market_folder, MarkedSnapshot(3), LATER).export_all()
    archive = market_folder.export_dir / "archive"
    alerts, index = (next(archive.glob(f"alerts_*-000002{end}")) for end in (".json", ".index.json"))
    for path in (alerts, index):
        path.chmod(0o644)
    if damage == "manifest":
        (market_folder.export_dir / "manifest.json").write_text("{}")
    elif damage == "index":
        index.write_bytes(index.read_bytes().replace(b"ID1", b"ID9"))
    elif damage == "size":
        alerts.write_bytes(alerts.read_bytes()[:-1])
    else:
        alerts.unlink()
    with caplog.at_level(logging.ERROR):
        assert markers(current(reader)) == {"marker 2"}
        assert markers(current(reader)) == {"marker 2"}
    assert len([record for record in caplog.records if record.name == "exports.reader"]) == 1
    exporter(market_folder, MarkedSnapshot(4), Clock(NOW + timedelta(minutes=10))).export_all()
    assert markers(current(reader)) == {"marker 4"}


def test_folder_that_is_copied_back_is_served_without_a_new_manifest(
    market_folder: MarketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    archive = market_folder.export_dir / "archive"
    archive.rename(market_folder.export_dir / "away")
    reader = ExportReader(market_folder.export_dir)
    assert reader.current() is None
    (market_folder.export_dir / "away").rename(archive)
    assert reader.current() is None
    later = time.monotonic() + 5
    monkeypatch.setattr("exports.reader.time.monotonic", lambda: later)
    assert markers(current(reader)) == {"marker 2"}


def test_kept_generation_is_read_whole(market_folder: MarketFolder) -> None:
    for number, clock in ((2, Clock()), (3, LATER)):
        exporter(market_folder, MarkedSnapshot(number), clock).export_all()
    reader = ExportReader(market_folder.export_dir)
    kept = reader.at(FIRST)
    assert kept is not None
    assert (kept.name, markers(kept)) == (FIRST, {"marker 2"})
    assert reader.at(FIRST) is kept
    assert reader.at(current(reader).name) is current(reader)


@pytest.mark.parametrize(
    "name",
    ["20260127T110000Z-000000", "20260127T130000Z-000009", "latest", "", "../manifest", "20260127T120000Z-000001/../x"],
)
def test_generation_that_is_not_kept_is_none(market_folder: MarketFolder, name: str) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    assert ExportReader(market_folder.export_dir).at(name) is None


def test_generation_that_was_never_published_is_not_read(market_folder: MarketFolder) -> None:
    """A writer that died before the last rename leaves a whole manifest in the archive."""
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    before = (market_folder.export_dir / "manifest.json").read_bytes()
    exporter(market_folder, MarkedSnapshot(3), LATER).export_all()
    (market_folder.export_dir / "manifest.json").write_bytes(before)
    assert ExportReader(market_folder.export_dir).at("20260127T120500Z-000002") is None


def test_at_most_four_kept_generations_stay_open(market_folder: MarketFolder) -> None:
    for number in range(7):
        snapshot = MarkedSnapshot(number)
        exporter(market_folder, snapshot, Clock(NOW + timedelta(minutes=number))).export_all()
    reader = ExportReader(market_folder.export_dir)
    for number in range(6):
        assert reader.at(f"20260127T120{number}00Z-00000{number + 1}") is not None
    gc.collect()
    assert len(open_files(market_folder)) == 5 * len(DOCUMENTS)


@pytest.mark.parametrize(
    ("scan", "export", "minutes", "stale"),
    [
        (None, None, 10**6, False),
        (10, 5, 9, False),
        (10, 5, 10.1, True),
        (10, None, 24.9, False),
        (10, None, 25.1, True),
        (None, 5, 10.1, True),
    ],
)
def test_stale_is_past_what_was_expected_and_its_grace(
    market_folder: MarketFolder, scan: int | None, export: int | None, minutes: float, stale: bool
) -> None:
    snapshot = MarkedSnapshot(2)
    snapshot.next_scan_expected_at = None if scan is None else NOW + timedelta(minutes=scan)
    snapshot.next_export_expected_at = None if export is None else NOW + timedelta(minutes=export)
    exporter(market_folder, snapshot).export_all()
    generation = current(ExportReader(market_folder.export_dir))
    assert generation.stale(NOW + timedelta(minutes=minutes)) is stale


def test_moment_of_staleness_is_the_earlier_one(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    assert current(ExportReader(market_folder.export_dir)).stale_at() == NOW + timedelta(minutes=10)


def test_live_is_read_anew_each_time(market_folder: MarketFolder) -> None:
    reader = ExportReader(market_folder.export_dir)
    write_live(market_folder.export_dir, {"jobs": [{"scan_id": "one"}]})
    assert reader.live() == {"jobs": [{"scan_id": "one"}]}
    write_live(market_folder.export_dir, {"jobs": []})
    assert reader.live() == {"jobs": []}
