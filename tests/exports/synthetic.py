"""A source of made-up records that need no store: every field of documents.py filled, a marker in each record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from exports.documents import DOCUMENTS, Document, Field, FieldType
from exports.exporter import JSONExporter
from exports.folders import MarketFolder
from exports.reader import Generation

NOW = datetime(2026, 1, 27, 12, 0, tzinfo=UTC)
SAMPLES: dict[FieldType, Any] = {
    "string": "text",
    "number": 1.25,
    "integer": 7,
    "boolean": True,
    "date": "2026-01-27",
    "datetime": "2026-01-27T12:00:00Z",
    "object": {},
    "array": [],
}
# A text field of each document that carries the marker, and the fields that make each record its own.
MARKED = {
    "alerts": "summary",
    "chains": "scan_id",
    "scans": "config_hash",
    "features": "scan_id",
    "history": "provider",
}
MARKED["meta"] = "help"
OWN = {"alerts": "id", "chains": "root", "scans": "id", "features": "ticker", "history": "ticker", "meta": "name"}


def sample(field: Field) -> Any:
    """Return a value that fits ``field``."""
    if field.fields:
        members = {member.name: sample(member) for member in field.fields}
        return [members] if field.type == "array" else members
    if field.items is not None:
        return [SAMPLES[field.items]]
    return SAMPLES[field.type]


def make_record(document: Document, **values: Any) -> dict[str, Any]:
    """Return a record of ``document`` with every field, ``values`` in place of the samples."""
    return {field.name: sample(field) for field in document.fields} | values


def record_count(name: str, marker: int) -> int:
    """Return how many records a marked snapshot's document holds: told apart by document and marker."""
    return (marker * 7 + len(name)) % 11


class MarkedSnapshot:
    """A snapshot whose every record carries ``marker``; all documents move with it."""

    provider = "demo"

    def __init__(self, marker: int) -> None:
        self.marker = marker
        self.store_revision = marker
        self.next_scan_expected_at: datetime | None = NOW + timedelta(minutes=10)
        self.next_export_expected_at: datetime | None = NOW + timedelta(minutes=5)
        self.revisions: dict[str, str] = {}
        self.given: dict[str, list[dict[str, Any]]] = {}
        self.said: dict[str, list[dict[str, Any]]] = {}

    def document_revision(self, document: str) -> str:
        return self.revisions.get(document, f"revision {self.marker}")

    def records(self, document: str) -> Iterator[dict[str, Any]]:
        if document in self.given:
            yield from self.given[document]
            return
        for number in range(record_count(document, self.marker)):
            own = {OWN[document]: f"{OWN[document].upper()}{number}", MARKED[document]: f"marker {self.marker}"}
            yield make_record(DOCUMENTS[document], **own)

    def errors(self, document: str) -> list[dict[str, Any]]:
        return self.said.get(document, [])


class EmptySnapshot(MarkedSnapshot):
    """A store that holds nothing yet."""

    def __init__(self) -> None:
        super().__init__(0)
        self.next_scan_expected_at = self.next_export_expected_at = None

    def records(self, document: str) -> Iterator[dict[str, Any]]:
        return iter(())


class SyntheticSource:
    """A source that gives whatever snapshot it was last handed."""

    def __init__(self, snapshot: MarkedSnapshot) -> None:
        self.held = snapshot

    @contextmanager
    def snapshot(self) -> Iterator[MarkedSnapshot]:
        yield self.held


class Clock:
    """A wall clock that stands until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def exporter(
    folder: MarketFolder, snapshot: MarkedSnapshot, clock: Clock | None = None, gb: float = 20
) -> JSONExporter:
    """Return an exporter of ``snapshot``."""
    return JSONExporter(folder, SyntheticSource(snapshot), archive_max_gb=gb, clock=clock or Clock())


def markers(generation: Generation) -> set[str]:
    """Return the markers of all records of all documents, read by position; check the counts against the marker."""
    found, counts = set(), {}
    for name in DOCUMENTS:
        document = generation.document(name)
        assert document is not None
        counts[name] = document.count
        found |= {document.record(position)[MARKED[name]] for position in range(document.count)}
    if len(found) == 1:
        marker = int(next(iter(found)).split()[1])
        assert counts == {name: record_count(name, marker) for name in DOCUMENTS}
    return found


def wide_chains(count: int, contracts: int) -> Iterator[dict[str, Any]]:
    """Yield ``count`` chains of ``contracts`` contracts with figures of full width, as large as real ones."""
    document = DOCUMENTS["chains"]
    fields = document.field("calls").fields
    chain = make_record(document)
    half = [
        {field.name: sample(field) for field in fields}
        | {
            "contract_symbol": f"QQZX260220C{strike * 1000:08d}",
            "strike": float(strike),
            "implied_volatility": 0.234567,
        }
        for strike in range(100, 100 + contracts // 2)
    ]
    for number in range(count):
        yield chain | {"ticker": f"T{number // 10}", "root": f"R{number}", "calls": half, "puts": half}


class FolderSource(SyntheticSource):
    """What EXPORT_SOURCE may name: made with the market's folder, as the store's source is."""

    def __init__(self, folder: MarketFolder) -> None:
        super().__init__(MarkedSnapshot(2))
        self.folder = folder
