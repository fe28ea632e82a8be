from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from exports.conformity import faults
from exports.documents import DOCUMENTS, Field
from exports.folders import MarketFolder
from exports.schema import document_schema, record_schema
from tests.exports.synthetic import EmptySnapshot, MarkedSnapshot, exporter, make_record

GOLDEN = Path(__file__).resolve().parent.parent / "golden"


def golden_path(name: str) -> Path:
    return GOLDEN / f"schema-{name}.json"


def schema_text(name: str) -> str:
    return json.dumps(document_schema(DOCUMENTS[name]), indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_schema_is_the_golden_one(name: str) -> None:
    """``python -m tests.exports.test_schema`` rewrites the golden files, so that a change is seen in the diff."""
    assert schema_text(name) == golden_path(name).read_text()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_schema_is_one_of_2020_12(name: str) -> None:
    schema = document_schema(DOCUMENTS[name])
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("snapshot", [MarkedSnapshot(2), EmptySnapshot()], ids=["records", "empty"])
def test_published_documents_are_valid(market_folder: MarketFolder, snapshot: MarkedSnapshot) -> None:
    snapshot.said["alerts"] = [{"ticker": "QQZX", "reason": "budget", "detail": None}]
    snapshot.said["scans"] = [{"reason": "budget", "detail": "the whole"}]
    exporter(market_folder, snapshot).export_all()
    for name, document in DOCUMENTS.items():
        told = json.loads((market_folder.export_dir / f"{name}.json").read_bytes())
        Draft202012Validator(document_schema(document)).validate(told)


def test_units_stand_in_the_schema() -> None:
    contract = document_schema(DOCUMENTS["chains"])["$defs"]["record"]["properties"]["calls"]["items"]["properties"]
    assert contract["theta"]["x-unit"] == "price/day"
    assert contract["vega"]["x-unit"] == "price/point"
    assert contract["implied_volatility"]["x-significant-digits"] == 6
    assert contract["strike"]["type"] == "number"
    assert contract["bid"]["type"] == ["number", "null"]


def change(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda record: record.update(values)


def drop(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda record: record.pop(name)


def deep(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda record: record["calls"][0].update(values)


WRONG = {
    "missing": drop("ticker"),
    "unknown": change(colour="red"),
    "null": change(ticker=None),
    "text for a number": change(atm_iv="0.25"),
    "number for a text": change(ticker=1),
    "fraction for a count": change(dte=1.5),
    "truth for a number": change(atm_iv=True),
    "date with a time": change(expiration="2026-02-20T00:00:00Z"),
    "time in another zone": change(as_of="2026-01-27T12:00:00+00:00"),
    "list for an object": change(reasons=[]),
    "object for a list": change(calls={}),
    "unknown deep inside": deep(colour="red"),
    "null deep inside": deep(strike=None),
    "number among texts": deep(flags=[1]),
    "null among texts": deep(flags=[None]),
}
RIGHT = {
    "as it is": change(),
    "nulls": change(atm_iv=None, newest_attempt=None),
    "whole number for a number": change(atm_iv=1),
    "fractions of a second": change(as_of="2026-01-27T12:00:00.123456Z"),
    "no calls": change(calls=[]),
}


@pytest.mark.parametrize("name", [*WRONG, *RIGHT])
def test_own_check_and_schema_agree(name: str) -> None:
    """verify_exports checks by documents.py itself; jsonschema is the oracle."""
    record = make_record(DOCUMENTS["chains"])
    (WRONG | RIGHT)[name](record)
    valid = Draft202012Validator(record_schema(DOCUMENTS["chains"])).is_valid(record)
    assert valid is (name in RIGHT)
    assert (list(faults(DOCUMENTS["chains"].fields, record)) == []) is valid


def test_own_check_and_schema_agree_on_series_with_gaps() -> None:
    record = make_record(DOCUMENTS["history"], close=[101.5, None], dates=["2026-01-26", "2026-01-27"])
    validator = Draft202012Validator(record_schema(DOCUMENTS["history"]))
    assert validator.is_valid(record)
    assert list(faults(DOCUMENTS["history"].fields, record)) == []
    record["dates"] = ["2026-01-26", None]
    assert not validator.is_valid(record)
    assert list(faults(DOCUMENTS["history"].fields, record)) == ["dates[1] is no date: 'None'"]


def all_fields(fields: tuple[Field, ...]) -> list[Field]:
    return [found for field in fields for found in (field, *all_fields(field.fields))]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_field_is_described(name: str) -> None:
    assert all(field.help.strip().endswith(".") for field in all_fields(DOCUMENTS[name].fields))


if __name__ == "__main__":
    for document in DOCUMENTS:
        golden_path(document).write_text(schema_text(document))
