"""manifest.json: the only file that a reader trusts first. It names every file of one generation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import orjson

MANIFEST = "manifest.json"
MAX_BYTES = 4096
GENERATION = re.compile(r"(\d{8}T\d{6}Z)-(\d{6,})")
GENERATION_TIME = "%Y%m%dT%H%M%SZ"
TIMESTAMP = "%Y-%m-%dT%H:%M:%SZ"


class ManifestError(Exception):
    """A manifest that cannot be read or does not say what it must."""


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """The index of a document: path below the export folder, bytes, sha256 in hex, version."""

    path: str
    size: int
    sha256: str
    version: int


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """One document of a generation.

    ``path`` is below the export folder, ``size`` in bytes, ``sha256`` in hex, ``count`` its records. ``revision``
    moves when what the document holds may have moved; ``store_revision`` is the store's when it was written.
    """

    path: str
    size: int
    sha256: str
    count: int
    revision: str
    store_revision: int
    index: IndexEntry


@dataclass(frozen=True, slots=True)
class Manifest:
    """One generation. Times are RFC 3339 in UTC; an expected time is None where nothing is expected.

    ``store_revision`` is the newest one that every document reflects.
    """

    generation: str
    export_timestamp: str
    next_scan_expected_at: str | None
    next_export_expected_at: str | None
    provider: str
    schema_version: int
    store_revision: int
    documents: Mapping[str, DocumentEntry]

    def dump(self) -> bytes:
        """Return the manifest as JSON; raise ManifestError where it reaches 4 kB."""
        content = orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        if len(content) >= MAX_BYTES:
            raise ManifestError(f"{MANIFEST}: {len(content)} bytes, at most {MAX_BYTES - 1}: shorten the revisions")
        return content

    def files(self) -> set[str]:
        """Return the paths of every file that this generation needs, below the export folder."""
        return {path for entry in self.documents.values() for path in (entry.path, entry.index.path)}


def load_manifest(content: bytes, name: str = MANIFEST) -> Manifest:
    """Read a manifest; raise ManifestError, which says what is wrong with the file called ``name``."""
    try:
        told: dict[str, Any] = orjson.loads(content)
        documents = {document: _document(entry) for document, entry in told.pop("documents").items()}
        manifest = Manifest(documents=documents, **told)
        generation_time(manifest.generation)
        parse_timestamp(manifest.export_timestamp)
        for expected in (manifest.next_scan_expected_at, manifest.next_export_expected_at):
            if expected is not None:
                parse_timestamp(expected)
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{name}: not a manifest ({error})") from None
    return manifest


def _document(told: dict[str, Any]) -> DocumentEntry:
    index = IndexEntry(**told.pop("index"))
    entry = DocumentEntry(index=index, **told)
    for path in (entry.path, index.path):
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise ValueError(f"path {path!r} leaves the export folder")
    return entry


def generation_time(generation: str) -> datetime:
    """Return the moment in a generation's name; ValueError where it is no such name."""
    match = GENERATION.fullmatch(generation)
    if match is None:
        raise ValueError(f"generation {generation!r} is not like 20260127T120000Z-000042")
    return datetime.strptime(match[1], GENERATION_TIME).replace(tzinfo=UTC)


def generation_counter(generation: str) -> int:
    """Return the counter in a generation's name; ValueError where it is no such name."""
    generation_time(generation)
    return int(generation.rpartition("-")[2])


def next_generation(previous: str | None, now: datetime) -> str:
    """Return the name after ``previous``: never an earlier time, always the next counter."""
    moment = now.astimezone(UTC)
    if previous is None:
        return f"{moment.strftime(GENERATION_TIME)}-{1:06d}"
    moment = max(moment, generation_time(previous))
    return f"{moment.strftime(GENERATION_TIME)}-{generation_counter(previous) + 1:06d}"


def timestamp(moment: datetime) -> str:
    """Return ``moment`` as documents write it: RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).strftime(TIMESTAMP)


def parse_timestamp(text: str) -> datetime:
    """Return the moment that ``timestamp`` wrote."""
    return datetime.strptime(text, TIMESTAMP).replace(tzinfo=UTC)
