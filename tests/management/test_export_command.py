"""manage.py export: what it publishes, and what keeps it from publishing; a clear line and the right exit code."""

from __future__ import annotations

import errno
import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from exports.documents import DOCUMENT_NAMES
from exports.folders import MarketFolder
from exports.live import read_live
from exports.reader import ExportReader
from tests.management.conftest import Desk, mounted
from tests.management.holders import held
from tests.management.test_scan_command import one_line, wait_for_lock
from tests.pipeline import remains
from tests.pipeline.commands import finish, manage, start


def generation(folder: MarketFolder) -> str:
    current = ExportReader(folder.export_dir).current()
    assert current is not None
    return current.name


def test_it_publishes_a_generation_and_says_what_is_in_it(desk: Desk) -> None:
    before = generation(desk.folder)
    ran = desk.run("export")
    assert ran.code == 0
    after = generation(desk.folder)
    assert after > before
    assert re.fullmatch(rf"Published generation {after}: \d+ alerts, \d+ chains, 1 scans, .*\.", one_line(ran.told))
    desk.at_rest()


def test_json_is_json_and_nothing_else(desk: Desk) -> None:
    ran = desk.run("export", "--json")
    told: dict[str, Any] = json.loads(ran.output)
    assert told["generation"] == generation(desk.folder)
    assert told["documents"].keys() == set(DOCUMENT_NAMES)
    assert told["problems"] == []


def test_a_folder_without_a_scan_gets_empty_documents(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    ran = manage(data_dir, "export")
    assert ran.code == 0, ran.told
    assert ": 0 alerts, 0 chains, 0 scans, 0 features, 0 history" in ran.output
    assert remains.readers_see_a_whole_generation(MarketFolder(data_dir, "demo"))


def test_a_second_export_says_who_publishes_and_exits_4_or_waits(desk: Desk) -> None:
    slow = {"call": "exports.writer.refresh_links", "seconds": 3}
    first = start(desk.folder.data_dir, "export", faults={"slow": slow})
    pid = wait_for_lock(desk.folder, "publish.lock")
    assert pid == first.pid
    refused = desk.run("export", waits=0.3)
    assert refused.code == 4
    assert re.search(rf"publish\.lock is held by PID {pid} \(export\) since \S+Z$", one_line(refused.told))
    assert desk.run("export").code == 0
    assert finish(first).code == 0
    desk.at_rest()


def test_a_foreign_holder_of_the_store_is_named(desk: Desk) -> None:
    before = generation(desk.folder)
    with held(desk.folder.store_path) as pid:
        ran = desk.run("export", waits=0.3)
    assert ran.code == 4
    assert f"is held by PID {pid}" in one_line(ran.told)
    assert generation(desk.folder) == before
    assert f"PID {pid}" in read_live(desk.folder.export_dir)["last_export_error"]
    assert desk.run("export").code == 0
    assert read_live(desk.folder.export_dir)["last_export_error"] is None


@pytest.mark.parametrize(
    ("path", "number", "says"),
    [
        ("*/archive/scans_*", errno.ENOSPC, "the disk is full; free space or lower OPTSITE_ARCHIVE_MAX_GB"),
        ("*/archive/scans_*", errno.EROFS, "the file system is read-only; mount it writable or set OPTSITE_DATA_DIR"),
        ("*/archive/scans_*", errno.EIO, "input/output error"),
    ],
    ids=["ENOSPC", "EROFS", "EIO"],
)
def test_a_disk_that_fails_leaves_the_generation_before(path: str, number: int, says: str, desk: Desk) -> None:
    before = generation(desk.folder)
    ran = desk.run("export", fail={"call": "os.rename", "errno": number, "path": path})
    assert ran.code == 1
    line = one_line(ran.told)
    assert line.startswith("CommandError: nothing published: ")
    assert says in line
    assert generation(desk.folder) == before
    assert says in read_live(desk.folder.export_dir)["last_export_error"]
    desk.at_rest()
    assert desk.run("export").code == 0
    assert read_live(desk.folder.export_dir)["last_export_error"] is None


def test_a_read_only_export_folder(desk: Desk) -> None:
    before = generation(desk.folder)
    with mounted(desk.folder.export_dir, "--bind", "-o", "ro", str(desk.folder.export_dir)):
        ran = desk.run("export")
        assert ran.code == 1
        last = ran.told.strip().splitlines()[-1]
        assert re.search(r"^CommandError: nothing published: .*the file system is read-only", last)
        assert remains.readers_see_a_whole_generation(desk.folder) == before
    assert desk.run("export").code == 0
    desk.at_rest()


def test_ctrl_c_is_one_line_and_leaves_the_generation_before(desk: Desk) -> None:
    before = generation(desk.folder)
    kill = {"call": "os.rename", "path": "*/archive/*", "number": 3, "sign": int(signal.SIGINT)}
    ran = desk.run("export", kill=kill)
    assert ran.code == 130
    assert one_line(ran.told).startswith("CommandError: Interrupted")
    assert generation(desk.folder) == before
    desk.at_rest()
