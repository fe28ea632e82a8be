"""What can't be joined is moved aside, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collector.pipeline.recovery import set_aside_unreadable
from collector.store.staging import Staging, open_stagings
from exports.folders import MarketFolder
from tests.pipeline.test_join import stage
from tests.quotes import live_chain


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def of_another_version(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"config_hash"', b'"configuration_digest"'))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("ZZTA.parquet", truncate),
        ("ZZTA.json", truncate),
        ("outcome.json", truncate),
        ("plan.json", truncate),
        ("plan.json", of_another_version),
    ],
)
def test_a_staging_that_cannot_be_read_is_moved_aside_whole_and_named(
    data_dir: Any, name: str, damage: Callable[[Path], None]
) -> None:
    folder = MarketFolder(data_dir, "yahoo")
    folder.create()
    stage(folder, "scan-1", {"ZZTA": [live_chain()]})
    stage(folder, "scan-2", {"ZZTA": [live_chain()]})
    kept = sorted(path.name for path in (folder.staging_dir / "scan-1").iterdir())
    damage(folder.staging_dir / "scan-1" / name)
    (line,) = set_aside_unreadable(folder)
    aside = folder.root / "unreadable" / "scan-1"
    assert "scan-1" in line
    assert name in line
    assert str(aside) in line
    assert sorted(path.name for path in aside.iterdir()) == kept
    assert open_stagings(folder) == ["scan-2"]
    assert Staging(folder, "scan-2").outcome() is not None


def test_what_can_be_read_stays_where_it_is(data_dir: Any) -> None:
    folder = MarketFolder(data_dir, "yahoo")
    folder.create()
    stage(folder, "scan-1", {"ZZTA": [live_chain()]}, ended=False)
    (folder.staging_dir / "scan-0").mkdir()
    assert set_aside_unreadable(folder) == []
    assert open_stagings(folder) == ["scan-0", "scan-1"]
