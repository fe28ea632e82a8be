from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from exports import exporter as exporter_module
from exports.documents import DOCUMENTS
from exports.exporter import ExportSourceError, JSONExporter
from exports.folders import MarketFolder
from exports.live import read_live, write_live
from exports.locks import LockHeld, publish_lock
from exports.reader import ExportReader
from tests.exports.synthetic import NOW, Clock, FolderSource, MarkedSnapshot, SyntheticSource, exporter, markers


class StoreHeld(ExportSourceError):
    """What a store says that somebody else holds."""


class HeldSource(SyntheticSource):
    @contextmanager
    def snapshot(self) -> Iterator[MarkedSnapshot]:
        raise StoreHeld("options.duckdb is held by PID 4711 (duckdb)")
        yield self.held


class BreakingSnapshot(MarkedSnapshot):
    def records(self, document: str) -> Iterator[dict[str, Any]]:
        yield from super().records(document)
        if document == "features":
            raise StoreHeld("options.duckdb: the connection was lost")


def test_defaults_are_the_settings(market_folder: MarketFolder, settings: Any) -> None:
    settings.MARKET_FOLDER = market_folder
    settings.EXPORT_SOURCE = "tests.exports.synthetic.FolderSource"
    made = JSONExporter()
    answer = made.export_all()
    assert made.folder is market_folder
    assert answer["success"] is True
    assert answer["documents"]["alerts"] == 9


def test_source_is_made_with_the_folder(market_folder: MarketFolder, settings: Any) -> None:
    settings.EXPORT_SOURCE = "tests.exports.synthetic.FolderSource"
    made = JSONExporter(market_folder)
    assert isinstance(made._source, FolderSource)
    assert made._source.folder is market_folder


def test_answer_has_the_names_of_the_contract(market_folder: MarketFolder) -> None:
    answer = exporter(market_folder, MarkedSnapshot(2)).export_all()
    assert list(answer) == ["success", "errors", "generation", "documents"]
    assert set(answer["documents"]) == set(DOCUMENTS)


def test_folder_that_is_not_there_is_made(tmp_path) -> None:
    folder = MarketFolder(tmp_path / "new" / "data", "demo")
    assert exporter(folder, MarkedSnapshot(2)).export_all()["success"] is True


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (HeldSource(MarkedSnapshot(4)), "options.duckdb is held by PID 4711 (duckdb)"),
        (SyntheticSource(BreakingSnapshot(4)), "options.duckdb: the connection was lost"),
    ],
)
def test_store_that_fails_publishes_nothing_and_is_said(
    market_folder: MarketFolder, source: SyntheticSource, said: str
) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    before = sorted(path.name for path in market_folder.export_dir.rglob("*"))
    later = Clock(NOW + timedelta(minutes=5))
    answer = JSONExporter(market_folder, source, archive_max_gb=1, clock=later).export_all()
    assert answer == {"success": False, "errors": [said], "generation": None, "documents": {}}
    assert read_live(market_folder.export_dir)["last_export_error"] == said
    assert sorted(path.name for path in market_folder.export_dir.rglob("*")) == before
    generation = ExportReader(market_folder.export_dir).current()
    assert generation is not None
    assert markers(generation) == {"marker 2"}


def test_export_that_works_again_clears_the_error(market_folder: MarketFolder) -> None:
    write_live(market_folder.export_dir, {"provider": "demo", "last_export_error": "the disk is full"})
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    assert read_live(market_folder.export_dir) == {"provider": "demo", "last_export_error": None}


def test_held_lock_is_said_with_its_holder(market_folder: MarketFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter_module, "LOCK_SECONDS", 0.2)
    write_live(market_folder.export_dir, {"provider": "demo"})
    with publish_lock(market_folder, "another export").acquire():
        answer = exporter(market_folder, MarkedSnapshot(2)).export_all()
        with pytest.raises(LockHeld):
            exporter(market_folder, MarkedSnapshot(2)).publish()
    assert answer["success"] is False
    assert "publish.lock is held by PID" in answer["errors"][0]
    assert "(another export) since" in answer["errors"][0]
    assert read_live(market_folder.export_dir) == {"provider": "demo"}


def test_lock_is_free_after_every_outcome(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    JSONExporter(market_folder, HeldSource(MarkedSnapshot(4)), archive_max_gb=1).export_all()
    assert not publish_lock(market_folder, "test").held()


def test_fault_of_the_program_is_raised_and_kept(market_folder: MarketFolder) -> None:
    class Faulty(MarkedSnapshot):
        def document_revision(self, document: str) -> str:
            raise ZeroDivisionError("a fault")

    exporter(market_folder, MarkedSnapshot(1)).export_all()
    with pytest.raises(ZeroDivisionError):
        exporter(market_folder, Faulty(2)).export_all()
    assert read_live(market_folder.export_dir)["last_export_error"] == "a fault"


def test_log_lines_match_what_people_grep_for(market_folder: MarketFolder, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        exporter(market_folder, MarkedSnapshot(2)).export_all()
    assert "Exporting all documents to JSON in" in caplog.text
    assert "JSON export 20260127T120000Z-000001 published: 9 alerts" in caplog.text
