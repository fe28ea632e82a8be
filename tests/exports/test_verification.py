from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import call_command

from exports import verification
from exports.documents import DOCUMENTS
from exports.folders import MarketFolder
from exports.locks import publish_lock
from exports.manifest import MANIFEST
from exports.verification import verify
from tests.exports.synthetic import NOW, Clock, EmptySnapshot, MarkedSnapshot, exporter, make_record

FIRST = "20260127T120000Z-000001"
SECOND = "20260127T120500Z-000002"


@pytest.fixture
def published(market_folder: MarketFolder) -> MarketFolder:
    """Return a folder with two generations; the second carries chains, history and meta of the first."""
    exporter(market_folder, MarkedSnapshot(2)).export_all()
    snapshot = MarkedSnapshot(3)
    snapshot.revisions = dict.fromkeys(("chains", "history", "meta"), "revision 2")
    exporter(market_folder, snapshot, Clock(NOW + timedelta(minutes=5))).export_all()
    return market_folder


def command(folder: MarketFolder, settings: Any, *arguments: str) -> tuple[int, str]:
    """Run verify_exports; return its exit code and what it printed."""
    settings.MARKET_FOLDER = folder
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_exports", *arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue() + err.getvalue()
    return 0, out.getvalue() + err.getvalue()


def rewrite(path: Path, content: bytes) -> None:
    """Change a published file in place; plain names are links and change with it."""
    path.chmod(0o644)
    path.write_bytes(content)


def archived(folder: MarketFolder, name: str) -> Path:
    return folder.export_dir / "archive" / name


@pytest.mark.parametrize("arguments", [(), ("--deep",)])
def test_whole_generation_exits_0_with_a_line(published: MarketFolder, settings: Any, arguments: tuple) -> None:
    code, told = command(published, settings, *arguments)
    assert code == 0
    assert told.startswith(f"Generation {SECOND} is whole: 5 alerts, 9 chains, ")
    assert told.count("\n") == 1


def test_nothing_published_exits_0_and_says_so(market_folder: MarketFolder, settings: Any) -> None:
    assert command(market_folder, settings) == (0, f"Nothing is published in {market_folder.export_dir} yet.\n")


def test_folder_that_is_not_there_exits_0_and_is_not_made(tmp_path: Path, settings: Any) -> None:
    assert command(MarketFolder(tmp_path / "none", "demo"), settings)[0] == 0
    assert not (tmp_path / "none").exists()


def test_empty_documents_are_whole(market_folder: MarketFolder) -> None:
    exporter(market_folder, EmptySnapshot()).export_all()
    assert verify(market_folder, deep=True).findings == []


def spoil_bytes(path: Path) -> None:
    rewrite(path, path.read_bytes().replace(b"marker 3", b"marker 4"))


def spoil_manifest(folder: MarketFolder, change: Callable[[dict[str, Any]], None]) -> None:
    """Change manifest.json and its kept copy alike."""
    told = json.loads((folder.export_dir / MANIFEST).read_bytes())
    change(told)
    for path in (folder.export_dir / MANIFEST, archived(folder, f"manifest_{SECOND}.json")):
        rewrite(path, orjson.dumps(told))


ALERTS = f"alerts_{SECOND}.json"
INDEX = f"alerts_{SECOND}.index.json"
DAMAGE: dict[str, tuple[Callable[[MarketFolder], Any], str]] = {
    "byte changed": (lambda f: spoil_bytes(archived(f, ALERTS)), f"archive/{ALERTS}: sha256 is not the manifest's"),
    "cut short": (
        lambda f: rewrite(archived(f, ALERTS), archived(f, ALERTS).read_bytes()[:-5]),
        f"archive/{ALERTS}: has ",
    ),
    "gone": (lambda f: archived(f, ALERTS).unlink(), f"archive/{ALERTS}: is missing, generation {SECOND} says"),
    "carried one gone": (
        lambda f: archived(f, f"chains_{FIRST}.json").unlink(),
        f"archive/chains_{FIRST}.json: is missing, generation {SECOND} says",
    ),
    "index changed": (lambda f: spoil_bytes(archived(f, INDEX)), f"archive/{INDEX}: sha256 is not the manifest's"),
    "index gone": (lambda f: archived(f, INDEX).unlink(), f"archive/{INDEX}: is missing"),
    "manifest damaged": (lambda f: rewrite(f.export_dir / MANIFEST, b"{"), "manifest.json: not a manifest"),
    "copy of the manifest gone": (
        lambda f: archived(f, f"manifest_{SECOND}.json").unlink(),
        f"archive/manifest_{SECOND}.json: missing",
    ),
    "copy of the manifest differs": (
        lambda f: rewrite(
            archived(f, f"manifest_{SECOND}.json"),
            archived(f, f"manifest_{SECOND}.json").read_bytes().replace(b'"demo"', b'"cboe"'),
        ),
        f"archive/manifest_{SECOND}.json: differs from manifest.json",
    ),
    "kept generation damaged": (
        lambda f: archived(f, f"scans_{FIRST}.json").unlink(),
        f"archive/scans_{FIRST}.json: is missing, generation {FIRST} says",
    ),
    "document not named": (
        lambda f: spoil_manifest(f, lambda told: told["documents"].pop("meta")),
        "manifest.json: names no meta document",
    ),
    "link gone": (lambda f: (f.export_dir / "alerts.json").unlink(), "alerts.json: missing"),
    "link to another": (
        lambda f: archived(f, f"alerts_{FIRST}.json").rename(f.export_dir / "alerts.json"),
        "alerts.json: shows another generation",
    ),
    "leftover": (
        lambda f: archived(f, f"{ALERTS}.tmp").write_bytes(b""),
        f"{ALERTS}.tmp: left by an interrupted export; the next one removes it",
    ),
    "leftover of live.json": (
        lambda f: (f.export_dir / "live.json.tmp").write_bytes(b""),
        "live.json.tmp: left by an interrupted export; the next one removes it",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_exits_1_with_a_line_that_names_it(published: MarketFolder, settings: Any, damage: str) -> None:
    spoil, expected = DAMAGE[damage]
    spoil(published)
    code, told = command(published, settings)
    assert code == 1
    assert any(line.startswith(expected) for line in told.splitlines()), told


def spoil_index(folder: MarketFolder, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the alerts' index, and make manifest and copy agree with it: only its places or columns are wrong."""
    told = orjson.loads(archived(folder, INDEX).read_bytes())
    change(told)
    rewrite(archived(folder, INDEX), orjson.dumps(told))
    agree(folder)


def spoil_document(folder: MarketFolder, old: bytes, new: bytes) -> None:
    """Change the alerts, bytes for bytes, and make manifest and copy agree."""
    assert len(old) == len(new)
    content = archived(folder, ALERTS).read_bytes()
    assert old in content
    rewrite(archived(folder, ALERTS), content.replace(old, new))
    agree(folder)


def agree(folder: MarketFolder) -> None:
    def change(told: dict[str, Any]) -> None:
        entry = told["documents"]["alerts"]
        for said, path in ((entry, ALERTS), (entry["index"], INDEX)):
            content = archived(folder, path).read_bytes()
            said.update(size=len(content), sha256=hashlib.sha256(content).hexdigest())

    spoil_manifest(folder, change)


def shift_second(told: dict[str, Any]) -> None:
    told["offset"][1] += 1


def shorten_last(told: dict[str, Any]) -> None:
    told["length"][-1] -= 1


def another_score(told: dict[str, Any]) -> None:
    told["columns"]["score"][2] = 99.0


def no_score(told: dict[str, Any]) -> None:
    told["columns"]["score"][2] = None


def another_text(told: dict[str, Any]) -> None:
    told["columns"]["state"][0] = "ended"


SHALLOW: dict[str, tuple[Callable[[MarketFolder], Any], str]] = {
    "place": (lambda f: spoil_index(f, shift_second), f"archive/alerts_{SECOND}.index.json: record 1 does not follow"),
    "end": (lambda f: spoil_index(f, shorten_last), f"archive/alerts_{SECOND}.index.json: the last record does not"),
    "count": (
        lambda f: spoil_document(f, b'"alert_count": 5', b'"alert_count": 6'),
        f"archive/{ALERTS}: alert_count is 6, its index says 5",
    ),
    "generation": (
        lambda f: spoil_document(f, SECOND.encode(), SECOND.replace("2", "3").encode()),
        f"archive/{ALERTS}: generation is 3",
    ),
    "head": (lambda f: spoil_document(f, b'"errors": []', b'"errors": [}'), f"archive/{ALERTS}: its envelope cannot"),
}
DEEP: dict[str, tuple[Callable[[MarketFolder], Any], str]] = {
    "number": (lambda f: spoil_index(f, another_score), f"archive/{ALERTS}: record 2: score differs from the index"),
    "null": (lambda f: spoil_index(f, no_score), f"archive/{ALERTS}: record 2: score differs from the index"),
    "text": (lambda f: spoil_index(f, another_text), f"archive/{ALERTS}: record 0: state differs from the index"),
    "no object": (lambda f: spoil_document(f, b'{"id":"ID1"', b'{"id":"ID1 '), f"archive/{ALERTS}: record 1 is no"),
    "field": (
        lambda f: spoil_document(f, b'"id":"ID3"', b'"iq":"ID3"'),
        f"archive/{ALERTS}: record 3: iq is in no list of fields",
    ),
    "value": (
        lambda f: spoil_document(f, b'"session":"2026-01-27"', b'"session":"2026/01/27"'),
        f"archive/{ALERTS}: record 0: session is no date: '2026/01/27'",
    ),
}


@pytest.mark.parametrize("damage", SHALLOW)
def test_index_or_envelope_that_is_wrong_is_found(published: MarketFolder, damage: str) -> None:
    spoil, expected = SHALLOW[damage]
    spoil(published)
    findings = verify(published).findings
    assert any(finding.startswith(expected) for finding in findings), findings


@pytest.mark.parametrize("damage", DEEP)
def test_records_that_are_wrong_are_found_by_deep_alone(published: MarketFolder, damage: str) -> None:
    spoil, expected = DEEP[damage]
    spoil(published)
    assert verify(published).findings == []
    findings = verify(published, deep=True).findings
    assert any(finding.startswith(expected) for finding in findings), findings


def test_many_faults_of_one_document_are_shown_in_part(market_folder: MarketFolder) -> None:
    snapshot = MarkedSnapshot(2)
    wrong = [make_record(DOCUMENTS["scans"], id=f"s{number}", tickers={}) for number in range(100)]
    snapshot.given["scans"] = wrong
    exporter(market_folder, snapshot).export_all()
    findings = verify(market_folder, deep=True).findings
    assert len(findings) == 20
    assert findings[0].endswith("record 0: tickers.requested is missing")


def test_running_export_is_waited_for_and_then_said(
    published: MarketFolder, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "LOCK_SECONDS", 0.2)
    with publish_lock(published, "an export").acquire():
        code, told = command(published, settings)
    assert code == 4
    assert "publish.lock is held by PID" in told
    assert command(published, settings)[0] == 0
