"""What can't be joined is moved aside, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from collector.pipeline.recovery import recover, set_aside_unreadable
from collector.store.database import open_store
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


@pytest.mark.django_db
def test_a_staging_that_no_join_takes_is_moved_aside_and_the_others_are_joined(data_dir: Any) -> None:
    folder = MarketFolder(data_dir, "yahoo")
    folder.create()
    for scan_id in ("scan-1", "scan-2"):
        stage(folder, scan_id, {"ZZTA": [live_chain()]})
    record = folder.staging_dir / "scan-1" / "ZZTA.json"
    content = orjson.loads(record.read_bytes())
    record.write_bytes(orjson.dumps({**content, "market_date": None, "chains": [3]}))
    assert set_aside_unreadable(folder) == []
    aside, joined = recover(folder)
    assert "scan-1 collected can't be joined" in aside
    assert str(folder.root / "unreadable" / "scan-1") in aside
    assert joined == "Scan scan-2 was interrupted; what it had is joined (ok)."
    assert open_stagings(folder) == []
    with open_store(folder, "test") as store:
        assert store.execute("SELECT scan_id FROM scans").fetchall() == [("scan-2",)]


def test_what_can_be_read_stays_where_it_is(data_dir: Any) -> None:
    folder = MarketFolder(data_dir, "yahoo")
    folder.create()
    stage(folder, "scan-1", {"ZZTA": [live_chain()]}, ended=False)
    (folder.staging_dir / "scan-0").mkdir()
    assert set_aside_unreadable(folder) == []
    assert open_stagings(folder) == ["scan-0", "scan-1"]
