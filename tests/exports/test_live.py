from __future__ import annotations

import errno
import json
import logging
import os

import pytest

from exports.folders import MarketFolder
from exports.live import read_live, record_export_error, write_live


def test_live_comes_back_as_it_was_written(market_folder: MarketFolder) -> None:
    write_live(market_folder.export_dir, {"provider": "demo", "jobs": []})
    assert read_live(market_folder.export_dir) == {"provider": "demo", "jobs": []}
    assert json.loads((market_folder.export_dir / "live.json").read_bytes()) == {"provider": "demo", "jobs": []}
    assert [path.name for path in market_folder.export_dir.iterdir()] == ["live.json"]


def test_live_that_is_not_there_is_empty(market_folder: MarketFolder) -> None:
    assert read_live(market_folder.export_dir) == {}


@pytest.mark.parametrize("content", [b'{"jobs": [', b"[1, 2]", b""])
def test_live_that_cannot_be_read_is_empty(market_folder: MarketFolder, content: bytes) -> None:
    (market_folder.export_dir / "live.json").write_bytes(content)
    assert read_live(market_folder.export_dir) == {}


def test_export_error_is_kept_beside_what_was_there(market_folder: MarketFolder) -> None:
    write_live(market_folder.export_dir, {"provider": "demo"})
    record_export_error(market_folder.export_dir, "the disk is full")
    assert read_live(market_folder.export_dir) == {"provider": "demo", "last_export_error": "the disk is full"}
    record_export_error(market_folder.export_dir, None)
    assert read_live(market_folder.export_dir) == {"provider": "demo", "last_export_error": None}


def test_export_error_that_cannot_be_kept_is_logged(
    market_folder: MarketFolder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write_live(market_folder.export_dir, {"provider": "demo"})
    monkeypatch.setattr(os, "rename", refuse)
    with caplog.at_level(logging.ERROR):
        record_export_error(market_folder.export_dir, "nothing published")
    assert "nothing published" in caplog.text
    assert read_live(market_folder.export_dir) == {"provider": "demo"}
