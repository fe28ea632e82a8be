from __future__ import annotations

import errno
import json
import os
from datetime import timedelta

import pytest

from exports.documents import DOCUMENTS
from exports.folders import MarketFolder
from exports.verification import verify
from tests.exports.synthetic import NOW, Clock, MarkedSnapshot, exporter

LATER = Clock(NOW + timedelta(minutes=5))


def newest(folder: MarketFolder) -> set[str]:
    return {json.loads((folder.export_dir / f"{name}.json").read_bytes())["export_timestamp"] for name in DOCUMENTS}


def no_links(*_: object, **__: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_plain_names_are_hard_links_of_the_newest(market_folder: MarketFolder) -> None:
    for number, clock in ((1, Clock()), (2, LATER)):
        exporter(market_folder, MarkedSnapshot(number), clock).export_all()
    assert newest(market_folder) == {"2026-01-27T12:05:00Z"}
    for name in DOCUMENTS:
        archived = market_folder.export_dir / "archive" / f"{name}_20260127T120500Z-000002.json"
        assert os.path.samefile(market_folder.export_dir / f"{name}.json", archived)


def test_plain_names_are_copies_where_links_cannot_be(
    market_folder: MarketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_links)
    for number, clock in ((1, Clock()), (2, LATER)):
        answer = exporter(market_folder, MarkedSnapshot(number), clock).export_all()
        assert answer["errors"] == []
    assert newest(market_folder) == {"2026-01-27T12:05:00Z"}
    assert (market_folder.export_dir / "alerts.json").stat().st_nlink == 1
    assert verify(market_folder, deep=True).findings == []


def test_copy_of_a_document_that_did_not_move_is_left(
    market_folder: MarketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_links)
    exporter(market_folder, MarkedSnapshot(1)).export_all()
    before = (market_folder.export_dir / "chains.json").stat().st_ino
    exporter(market_folder, MarkedSnapshot(1), LATER).export_all()
    assert (market_folder.export_dir / "chains.json").stat().st_ino == before


def test_plain_name_that_was_removed_comes_back(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(1)).export_all()
    (market_folder.export_dir / "chains.json").unlink()
    exporter(market_folder, MarkedSnapshot(1), LATER).export_all()
    assert (market_folder.export_dir / "chains.json").exists()


def test_folder_in_the_place_of_a_plain_name_is_said(market_folder: MarketFolder) -> None:
    (market_folder.export_dir / "chains.json").mkdir()
    answer = exporter(market_folder, MarkedSnapshot(1)).export_all()
    assert answer["success"] is True
    assert answer["errors"][0].startswith("chains.json still shows an older generation: ")
