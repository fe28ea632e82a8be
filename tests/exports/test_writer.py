from __future__ import annotations

import json
import os
import shutil
from collections import namedtuple
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exports import writer
from exports.documents import DOCUMENTS
from exports.folders import MarketFolder
from exports.reader import ExportReader
from exports.verification import verify
from tests.exports.steps import steps_in
from tests.exports.synthetic import NOW, Clock, EmptySnapshot, MarkedSnapshot, exporter, markers

FIRST = "20260127T120000Z-000001"
SECOND = "20260127T120500Z-000002"
LATER = Clock(NOW + timedelta(minutes=5))


def manifest(folder: MarketFolder) -> dict:
    return json.loads((folder.export_dir / "manifest.json").read_bytes())


def test_export_publishes_every_document_with_its_index_and_manifest(market_folder: MarketFolder) -> None:
    answer = exporter(market_folder, MarkedSnapshot(3)).export_all()
    assert answer["success"] is True
    assert answer["errors"] == []
    assert answer["generation"] == FIRST
    expected = {f"{name}_{FIRST}{suffix}" for name in DOCUMENTS for suffix in (".json", ".index.json")}
    assert {path.name for path in (market_folder.export_dir / "archive").iterdir()} == {
        *expected,
        f"manifest_{FIRST}.json",
    }
    assert verify(market_folder, deep=True).findings == []


def test_archived_files_are_immutable(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(3)).export_all()
    modes = {path.stat().st_mode & 0o777 for path in (market_folder.export_dir / "archive").iterdir()}
    assert modes == {0o444}


def test_empty_store_publishes_documents_without_records(market_folder: MarketFolder) -> None:
    answer = exporter(market_folder, EmptySnapshot()).export_all()
    assert answer["success"] is True
    assert answer["documents"] == dict.fromkeys(DOCUMENTS, 0)
    assert manifest(market_folder)["next_scan_expected_at"] is None
    assert json.loads((market_folder.export_dir / "chains.json").read_bytes())["chains"] == []


def test_document_that_did_not_move_is_carried_by_reference(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(3)).export_all()
    snapshot = MarkedSnapshot(4)
    snapshot.revisions = dict.fromkeys(("chains", "history", "meta", "alerts"), "revision 3")
    exporter(market_folder, snapshot, LATER).export_all()
    told = manifest(market_folder)
    assert (told["generation"], told["store_revision"]) == (SECOND, 4)
    carried = {name for name, entry in told["documents"].items() if FIRST in entry["path"]}
    assert carried == {"chains", "history", "meta"}
    assert {name: told["documents"][name]["store_revision"] for name in ("chains", "alerts")} == {
        "chains": 3,
        "alerts": 4,
    }


def test_unmoved_store_still_renews_alerts_scans_and_features(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(3)).export_all()
    exporter(market_folder, MarkedSnapshot(3), LATER).export_all()
    told = manifest(market_folder)["documents"]
    assert {name for name, entry in told.items() if SECOND in entry["path"]} == {"alerts", "scans", "features"}
    newest = json.loads((market_folder.export_dir / "alerts.json").read_bytes())
    assert newest["export_timestamp"] == "2026-01-27T12:05:00Z"


@pytest.mark.parametrize("name", ["alerts", "chains", "scans", "features"])
def test_export_of_one_document_carries_the_others(market_folder: MarketFolder, name: str) -> None:
    exporter(market_folder, MarkedSnapshot(3)).export_all()
    one = exporter(market_folder, MarkedSnapshot(4), LATER)
    answer = getattr(one, f"export_{name}")()
    assert answer["success"] is True
    told = manifest(market_folder)
    assert {found for found, entry in told["documents"].items() if SECOND in entry["path"]} == {name}
    assert told["documents"][name]["store_revision"] == 4
    assert told["store_revision"] == 3
    assert verify(market_folder, deep=True).findings == []


def test_export_of_one_document_into_an_empty_folder_publishes_all(market_folder: MarketFolder) -> None:
    answer = exporter(market_folder, MarkedSnapshot(3)).export_alerts()
    assert set(answer["documents"]) == set(DOCUMENTS)
    assert manifest(market_folder)["store_revision"] == 3


def test_carried_document_whose_file_is_gone_is_written_anew(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(3)).export_all()
    (market_folder.export_dir / "archive" / f"chains_{FIRST}.json").unlink()
    exporter(market_folder, MarkedSnapshot(3), LATER).export_alerts()
    assert SECOND in manifest(market_folder)["documents"]["chains"]["path"]


def test_another_provider_of_the_market_writes_everything_anew(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(3)).export_all()
    snapshot = MarkedSnapshot(3)
    snapshot.provider = "cboe"
    exporter(market_folder, snapshot, LATER).export_all()
    assert all(SECOND in entry["path"] for entry in manifest(market_folder)["documents"].values())


def test_clock_that_went_back_gives_a_later_generation(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(3)).export_all()
    answer = exporter(market_folder, MarkedSnapshot(4), Clock(NOW - timedelta(hours=1))).export_all()
    assert answer["generation"] == "20260127T120000Z-000002"


def test_lost_manifest_does_not_bring_a_generation_name_back(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(3)).export_all()
    (market_folder.export_dir / "manifest.json").unlink()
    assert exporter(market_folder, MarkedSnapshot(4), LATER).export_all()["generation"] == SECOND


def test_damaged_manifest_is_replaced_and_said(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(3)).export_all()
    (market_folder.export_dir / "manifest.json").write_text("{")
    answer = exporter(market_folder, MarkedSnapshot(4), LATER).export_all()
    assert answer["success"] is True
    assert "manifest.json: not a manifest" in answer["errors"][0]
    generation = ExportReader(market_folder.export_dir).current()
    assert generation is not None
    assert markers(generation) == {"marker 4"}


def test_steps_are_those_of_the_protocol_in_its_order(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(3)).export_all()
    with steps_in(market_folder.export_dir, lambda *_: None) as taken:
        exporter(market_folder, MarkedSnapshot(4), LATER).export_all()
    steps = [(step, path) for step, path in taken if step in ("fsync", "rename", "link", "replace")]
    expected: list[tuple[str, str]] = []
    for name in DOCUMENTS:
        for path in (f"archive/{name}_{SECOND}.json", f"archive/{name}_{SECOND}.index.json"):
            expected += [("fsync", f"{path}.tmp"), ("rename", path)]
    kept = f"archive/manifest_{SECOND}.json"
    expected += [("fsync", "archive"), ("fsync", f"{kept}.tmp"), ("rename", kept), ("fsync", "archive")]
    expected += [("fsync", "manifest.json.tmp"), ("rename", "manifest.json"), ("fsync", ".")]
    for name in DOCUMENTS:
        expected += [("link", f"{name}.json.tmp"), ("replace", f"{name}.json")]
    assert steps == expected


def test_refuses_below_twice_the_space_that_it_needs(
    market_folder: MarketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter(market_folder, MarkedSnapshot(3)).export_all()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 7_000_000))
    answer = exporter(market_folder, MarkedSnapshot(4), LATER).export_all()
    assert answer["success"] is False
    assert "7 MB free and an export wants 8 MB; free space or lower OPTSITE_ARCHIVE_MAX_GB" in answer["errors"][0]
    generation = ExportReader(market_folder.export_dir).current()
    assert generation is not None
    assert markers(generation) == {"marker 3"}
    assert verify(market_folder).findings == []


def test_records_left_out_are_said_and_the_rest_published(market_folder: MarketFolder) -> None:
    snapshot = MarkedSnapshot(3)
    snapshot.given["scans"] = [{"id": "s1"}]
    answer = exporter(market_folder, snapshot).export_all()
    assert answer["success"] is True
    assert answer["documents"]["scans"] == 0
    assert answer["errors"][0].startswith("left out: scans record s1: missing field")
    assert verify(market_folder, deep=True).findings == []


def test_a_source_that_breaks_off_leaves_no_file(market_folder: MarketFolder) -> None:
    class Breaking(MarkedSnapshot):
        def records(self, document: str):
            yield from super().records(document)
            if document == "features":
                raise KeyboardInterrupt

    exporter(market_folder, MarkedSnapshot(3)).export_all()
    before = sorted(os.listdir(market_folder.export_dir / "archive"))
    with pytest.raises(KeyboardInterrupt):
        exporter(market_folder, Breaking(4), LATER).export_all()
    assert sorted(os.listdir(market_folder.export_dir / "archive")) == before


def test_interrupt_right_after_the_last_rename_leaves_what_is_published(
    market_folder: MarketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task's time-out raises SystemExit wherever the program is."""
    exporter(market_folder, MarkedSnapshot(3)).export_all()
    true = writer.write_durably

    def interrupted(path: Path, *arguments: Any) -> None:
        true(path, *arguments)
        if path.name == "manifest.json":
            raise SystemExit

    monkeypatch.setattr(writer, "write_durably", interrupted)
    with pytest.raises(SystemExit):
        exporter(market_folder, MarkedSnapshot(4), LATER).export_all()
    generation = ExportReader(market_folder.export_dir).current()
    assert generation is not None
    assert markers(generation) == {"marker 4"}
