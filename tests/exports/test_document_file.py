from __future__ import annotations

import hashlib
import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

from exports.document_file import DocumentFile, Envelope, WrittenDocument, seal
from exports.documents import DOCUMENTS
from exports.index import load_index
from tests.exports.synthetic import NOW, make_record

GENERATION = "20260127T120000Z-000042"


def alert(number: int, **values: Any) -> dict[str, Any]:
    return make_record(DOCUMENTS["alerts"], id=f"a{number}", ticker="QQZX", **values)


def write(folder: Path, records: list[dict[str, Any]], errors: list[dict[str, Any]]) -> tuple[bytes, WrittenDocument]:
    envelope = Envelope(DOCUMENTS["alerts"], "2026-01-27T12:00:00Z", GENERATION, "yahoo")
    written = DocumentFile(folder / "alerts.json", envelope).write(records, errors)
    return (folder / "alerts.json.tmp").read_bytes(), written


def test_envelope_is_the_designs_with_one_record_a_line(tmp_path: Path) -> None:
    content, _ = write(tmp_path, [alert(1), alert(2)], [])
    lines = content.decode().splitlines()
    assert lines[0] == (
        '{"export_timestamp": "2026-01-27T12:00:00Z", "generation": "20260127T120000Z-000042", '
        '"schema_version": 1, "provider": "yahoo",'
    )
    assert lines[1].rstrip() == ' "alert_count": 2, "errors": [], "alerts": ['
    assert lines[2].endswith("},")
    assert [json.loads(lines[2][:-1]), json.loads(lines[3])] == [alert(1), alert(2)]
    assert lines[4:] == ["]}"]
    assert list(json.loads(content)) == [
        "export_timestamp",
        "generation",
        "schema_version",
        "provider",
        "alert_count",
        "errors",
        "alerts",
    ]


def test_document_without_records_is_valid(tmp_path: Path) -> None:
    content, written = write(tmp_path, [], [])
    told = json.loads(content)
    assert (told["alert_count"], told["alerts"], told["errors"]) == (0, [], [])
    assert written.count == 0


def test_size_sha256_and_places_are_those_of_the_file(tmp_path: Path) -> None:
    content, written = write(tmp_path, [alert(n, summary="é" * n) for n in range(50)], [])
    assert seal(tmp_path / "alerts.json") == (len(content), hashlib.sha256(content).hexdigest())
    index = load_index(written.index)
    for place in range(50):
        part = content[index.offset[place] : index.offset[place] + index.length[place]]
        assert json.loads(part) == json.loads(content)["alerts"][place]


def test_a_sealed_file_is_read_only(tmp_path: Path) -> None:
    write(tmp_path, [alert(1)], [])
    seal(tmp_path / "alerts.json")
    assert os.stat(tmp_path / "alerts.json.tmp").st_mode & 0o777 == 0o444


def test_errors_of_the_source_stand_before_the_records(tmp_path: Path) -> None:
    errors = [{"ticker": f"T{n}", "reason": "budget", "detail": "é"} for n in range(300)]
    content, written = write(tmp_path, [alert(1)], errors)
    assert json.loads(content)["errors"] == errors
    assert load_index(written.index).errors == errors


UNFIT = {
    "missing": ({key: value for key, value in alert(9).items() if key != "score"}, "missing field score"),
    "unknown": (alert(9, colour="red"), "unknown field colour"),
    "null": (alert(9, summary=None), "field summary is null"),
    "nan": (alert(9, score=math.nan), "field score is not finite"),
    "infinite": (alert(9, confidence=math.inf), "field confidence is not finite"),
    "object": (alert(9, metrics={"x": object()}), "cannot be written as JSON"),
    "datetime": (alert(9, metrics={"x": NOW}), "cannot be written as JSON"),
    "surrogate": (alert(9, summary="\ud800"), "cannot be written as JSON"),
    "key": (alert(9, metrics={1: 2}), "cannot be written as JSON"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_record_that_does_not_fit_is_left_out_and_named(tmp_path: Path, name: str) -> None:
    record, fault = UNFIT[name]
    content, written = write(tmp_path, [alert(1), record, alert(2)], [{"reason": "budget", "detail": None}])
    told = json.loads(content)
    assert [found["id"] for found in told["alerts"]] == ["a1", "a2"]
    assert told["alert_count"] == written.count == 2
    assert told["errors"][0] == {"reason": "budget", "detail": None}
    assert told["errors"][1]["reason"] == "unfit_record"
    assert told["errors"][1]["ticker"] == "QQZX"
    assert told["errors"][1]["detail"].startswith(f"alerts record a9: {fault}")
    index = load_index(written.index)
    assert index.errors == told["errors"]
    places = zip(index.offset, index.length, strict=True)
    assert [json.loads(content[start : start + length])["id"] for start, length in places] == ["a1", "a2"]
    assert seal(tmp_path / "alerts.json") == (len(content), hashlib.sha256(content).hexdigest())
    assert [path.name for path in tmp_path.iterdir()] == ["alerts.json.tmp"]


def test_record_that_repeats_anothers_identity_is_left_out(tmp_path: Path) -> None:
    content, written = write(tmp_path, [alert(1, score=50.0), alert(1, score=60.0)], [])
    assert [found["score"] for found in json.loads(content)["alerts"]] == [50.0]
    assert written.left_out == ["alerts record a1: repeats an earlier record"]


def test_many_unfit_records_are_named_in_part_and_counted(tmp_path: Path) -> None:
    content, written = write(tmp_path, [alert(n, score=math.nan) for n in range(1000)] + [alert(1)], [])
    errors = json.loads(content)["errors"]
    assert len(errors) == 21
    assert errors[-1]["detail"] == "and 980 more records"
    assert len(written.left_out) == 1000


def test_nan_deep_inside_a_record_is_never_written(tmp_path: Path) -> None:
    content, _ = write(tmp_path, [alert(1, metrics={"ratio": math.nan, "limit": -math.inf})], [])

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    told = json.loads(content, parse_constant=refuse)
    assert told["alerts"][0]["metrics"] == {"ratio": None, "limit": None}


def test_file_that_was_there_is_replaced_whole(tmp_path: Path) -> None:
    write(tmp_path, [alert(n) for n in range(100)], [])
    (tmp_path / "alerts.json.tmp").chmod(0o644)
    content, _ = write(tmp_path, [alert(1)], [])
    assert json.loads(content)["alert_count"] == 1
