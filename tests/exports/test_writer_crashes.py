"""A writer that dies, or is refused, at any step: readers keep a whole generation, and the next export cleans up."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exports.documents import DOCUMENTS
from exports.folders import MarketFolder
from exports.live import read_live, write_live
from exports.reader import ExportReader
from exports.verification import verify
from tests.exports.steps import steps_in
from tests.exports.synthetic import NOW, Clock, MarkedSnapshot, exporter, markers

DIED = 9


def at(minutes: int) -> Clock:
    return Clock(NOW + timedelta(minutes=minutes))


def publish_a_fourth(folder: MarketFolder, before: Callable[[int, str, str], None]) -> list[tuple[str, str]]:
    """Publish, watched, a fourth generation so late that retention has one to remove; a refusal is the last entry."""
    with steps_in(folder.export_dir, before) as taken:
        answer = exporter(folder, MarkedSnapshot(4), at(60), gb=0).export_all()
    if answer["success"] is False or answer["errors"]:
        taken.append(("refused", answer["errors"][0]))
    return taken


@pytest.fixture(scope="module")
def three(memory_dir: Path) -> MarketFolder:
    """Return a market folder that holds three generations."""
    folder = MarketFolder(memory_dir / "three", "demo")
    for number in (1, 2, 3):
        exporter(folder, MarkedSnapshot(number), at(number)).export_all()
    write_live(folder.export_dir, {"provider": "demo", "last_export_error": "an old one"})
    return folder


@pytest.fixture
def folders(three: MarketFolder, memory_dir: Path) -> Callable[[], MarketFolder]:
    """Return a maker of copies of ``three``, each removed before the next is made."""

    def fresh() -> MarketFolder:
        shutil.rmtree(memory_dir / "data", ignore_errors=True)
        shutil.copytree(three.data_dir, memory_dir / "data")
        return MarketFolder(memory_dir / "data", "demo")

    return fresh


@pytest.fixture
def taken(folders: Callable[[], MarketFolder]) -> list[tuple[str, str]]:
    """Return the steps of the fourth export where nothing goes wrong."""
    return publish_a_fourth(folders(), lambda *_: None)


def seen(folder: MarketFolder) -> set[str]:
    generation = ExportReader(folder.export_dir).current()
    assert generation is not None
    assert set(generation.documents) == set(DOCUMENTS)
    return markers(generation)


def leftovers(folder: MarketFolder) -> list[str]:
    return [str(path) for path in folder.root.rglob("*") if ".tmp" in path.name]


def published_before(taken: list[tuple[str, str]], number: int) -> bool:
    return number > taken.index(("rename", "manifest.json"))


def test_the_steps_cover_documents_manifest_links_and_retention(taken: list[tuple[str, str]]) -> None:
    assert len(taken) > 80
    assert {step for step, _ in taken} == {"open", "fchmod", "fsync", "rename", "link", "replace", "unlink"}
    assert any(step == "unlink" and "manifest_" in path for step, path in taken)


def test_kill_at_every_step_leaves_a_whole_generation(
    taken: list[tuple[str, str]], folders: Callable[[], MarketFolder]
) -> None:
    for number in range(len(taken)):
        folder = folders()

        def die(step: int, *_: str, moment: int = number) -> None:
            if step == moment:
                os._exit(DIED)

        child = os.fork()
        if child == 0:
            publish_a_fourth(folder, die)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DIED
        where = f"killed before {taken[number]}"
        assert seen(folder) == {f"marker {4 if published_before(taken, number) else 3}"}, where
        answer = exporter(folder, MarkedSnapshot(5), at(61), gb=0).export_all()
        assert answer["success"] is True, where
        assert answer["errors"] == [], where
        assert seen(folder) == {"marker 5"}, where
        assert verify(folder, deep=True).findings == [], where
        assert leftovers(folder) == [], where


def test_kill_in_the_middle_of_the_records_leaves_a_whole_generation(folders: Callable[[], MarketFolder]) -> None:
    class Dying(MarkedSnapshot):
        def records(self, document: str) -> Iterator[dict[str, Any]]:
            for number, record in enumerate(super().records(document)):
                if document == "scans" and number == 2:
                    os._exit(DIED)
                yield record

    folder = folders()
    child = os.fork()
    if child == 0:
        exporter(folder, Dying(5), at(4)).export_all()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DIED
    assert seen(folder) == {"marker 3"}
    assert leftovers(folder) != []
    assert any("left by an interrupted export" in finding for finding in verify(folder).findings)
    assert exporter(folder, MarkedSnapshot(6), at(5)).export_all()["success"] is True
    assert seen(folder) == {"marker 6"}
    assert verify(folder, deep=True).findings == []


REMEDY = {errno.ENOSPC: "the disk is full; free space", errno.EROFS: "read-only; mount it", errno.EACCES: "permission"}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES], ids=errno.errorcode.get)
def test_disk_that_refuses_a_step_keeps_the_generation_before(
    taken: list[tuple[str, str]], folders: Callable[[], MarketFolder], code: int
) -> None:
    # A full disk at every step; the others at every third: the code that handles them is the same.
    for number in range(0, len(taken), 1 if code == errno.ENOSPC else 3):
        folder = folders()

        def refuse(step: int, _: str, path: str, moment: int = number) -> None:
            if step == moment:
                raise OSError(code, os.strerror(code), path)

        said = publish_a_fourth(folder, refuse)[-1]
        where = f"{errno.errorcode[code]} at {taken[number]}"
        published = published_before(taken, number)
        assert seen(folder) == {f"marker {4 if published else 3}"}, where
        if not published:
            assert said[0] == "refused", where
            assert said[1].startswith("nothing published: "), where
            assert REMEDY[code] in said[1], where
            assert "\n" not in said[1], where
            assert read_live(folder.export_dir)["last_export_error"] == said[1], where
            assert leftovers(folder) == [], where
            assert verify(folder, deep=True).findings == [], where
        assert exporter(folder, MarkedSnapshot(5), at(61)).export_all()["errors"] == [], where
        assert seen(folder) == {"marker 5"}, where
        assert verify(folder, deep=True).findings == [], where


def test_disk_that_refuses_everything_is_said_and_keeps_the_generation_before(
    folders: Callable[[], MarketFolder],
) -> None:
    folder = folders()

    def refuse(_: int, step: str, path: str) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    with steps_in(folder.export_dir, refuse):
        answer = exporter(folder, MarkedSnapshot(4), at(4)).export_all()
    assert answer["success"] is False
    assert "read-only; mount it writable or set OPTSITE_DATA_DIR" in answer["errors"][0]
    assert answer["generation"] is None
    assert seen(folder) == {"marker 3"}


def test_links_and_retention_that_fail_do_not_undo_a_publication(folders: Callable[[], MarketFolder]) -> None:
    def refuse(_: int, step: str, path: str) -> None:
        if step == "replace" or (step == "unlink" and "manifest_" in path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    folder = folders()
    said = publish_a_fourth(folder, refuse)[-1]
    assert said[0] == "refused"
    assert seen(folder) == {"marker 4"}
    problems = read_live(folder.export_dir)["last_export_error"]
    assert "alerts.json still shows an older generation" in problems
    assert "not removed from the archive: archive/manifest_" in problems
