"""Writes one document: records stream through to the file, whatever its size, while the index collects columns."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import Any

import orjson

from exports.conformity import RecordCheck
from exports.documents import SCHEMA_VERSION, Document
from exports.durable_files import temporary
from exports.index import IndexBuilder, value_at

READ_ONLY = 0o444
COPY_BYTES = 1 << 20
# Times must be text already: orjson's own spelling of a datetime is not the documents'.
RECORD_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
MOST_RECORDS = 10**10 - 1
NAMED_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands before the records. ``export_timestamp`` is RFC 3339 in UTC."""

    document: Document
    export_timestamp: str
    generation: str
    provider: str

    def head(self, count: int, errors: Sequence[dict[str, Any]]) -> bytes:
        """Return the text up to the first record, its line end left out."""
        first = {
            "export_timestamp": self.export_timestamp,
            "generation": self.generation,
            "schema_version": SCHEMA_VERSION,
            "provider": self.provider,
        }
        told = orjson.dumps(list(errors)).decode()
        second = f' "{self.document.count_key}": {count}, "errors": {told}, "{self.document.name}": ['
        return f"{json.dumps(first)[:-1]},\n{second}".encode()


TAIL = b"\n]}\n"


@dataclass(frozen=True, slots=True)
class WrittenDocument:
    """A document that stands under its temporary name and is to be sealed: records, index, faults."""

    count: int
    index: bytes
    left_out: list[str]


class DocumentFile:
    """One document on its way into the archive.

    The count and the errors stand before the records and are known after them, so the head's place is kept free and
    filled last; where records were left out and their errors need more room, the records are copied once.
    """

    def __init__(self, path: Path, envelope: Envelope) -> None:
        self.path = path
        self._envelope = envelope
        self._document = envelope.document
        self._index = IndexBuilder(envelope.document, envelope.generation)
        self._check = RecordCheck(envelope.document)
        self._identity = [name.split(".") for name in envelope.document.identity]
        self._seen: set[tuple[str, ...]] = set()
        self._left_out: list[tuple[Any, str]] = []

    def write(self, records: Iterable[dict[str, Any]], errors: Sequence[dict[str, Any]]) -> WrittenDocument:
        """Write the document beside ``path``; raise OSError."""
        beside = temporary(self.path)
        room = len(self._envelope.head(MOST_RECORDS, errors))
        with open(beside, "w+b") as stream:
            self._write_records(stream, records, room)
            head = self._envelope.head(self._index.count, [*errors, *self._errors()])
            if len(head) <= room:
                _fill_head(stream, head, room)
            else:
                self._copy_behind(stream, head, room)
        index = self._index.dump([*errors, *self._errors()])
        return WrittenDocument(self._index.count, index, [fault for _, fault in self._left_out])

    def _write_records(self, stream: BufferedRandom, records: Iterable[dict[str, Any]], room: int) -> None:
        stream.write(b" " * room)
        offset, separator = room, b"\n"
        for record in records:
            content = self._content(record)
            if content is not None:
                stream.write(separator)
                stream.write(content)
                self._index.add(record, offset + len(separator), len(content))
                offset += len(separator) + len(content)
                separator = b",\n"
        stream.write(TAIL)

    def _content(self, record: dict[str, Any]) -> bytes | None:
        """Return the record's bytes, None (and remember why) where it does not fit its document."""
        identity = tuple(str(value_at(record, path)) for path in self._identity)
        fault = self._check.fault(record)
        if fault is None and identity in self._seen:
            fault = "repeats an earlier record"
        if fault is None:
            try:
                content = orjson.dumps(record, option=RECORD_OPTIONS)
            except TypeError as error:
                fault = f"cannot be written as JSON: {error}"
            else:
                self._seen.add(identity)
                return content
        self._left_out.append((record.get("ticker"), f"{self._document.name} record {' '.join(identity)}: {fault}"))
        return None

    def _errors(self) -> list[dict[str, Any]]:
        """Return the records left out as the envelope's errors: the first by name, the rest as a number."""
        named = [
            {"ticker": ticker if isinstance(ticker, str) else None, "reason": "unfit_record", "detail": fault}
            for ticker, fault in self._left_out[:NAMED_FAULTS]
        ]
        unnamed = len(self._left_out) - len(named)
        if unnamed:
            named.append({"ticker": None, "reason": "unfit_record", "detail": f"and {unnamed} more records"})
        return named

    def _copy_behind(self, stream: BufferedRandom, head: bytes, room: int) -> None:
        """Move the records back to make room for a longer head, through a second temporary file."""
        beside = temporary(self.path)
        longer = beside.with_name(f"copy_{beside.name}")
        with open(longer, "w+b") as copy:
            copy.write(head)
            stream.seek(room)
            shutil.copyfileobj(stream, copy, COPY_BYTES)
            copy.seek(0)
            stream.seek(0)
            shutil.copyfileobj(copy, stream, COPY_BYTES)
        longer.unlink()
        self._index.shift(len(head) - room)


def _fill_head(stream: BufferedRandom, head: bytes, room: int) -> None:
    stream.seek(0)
    stream.write(head.ljust(room))


def seal(path: Path) -> tuple[int, str]:
    """Force the document written beside ``path`` to the disk, read-only from now on; return bytes and sha256 in hex."""
    with open(temporary(path), "rb") as stream:
        os.fchmod(stream.fileno(), READ_ONLY)
        os.fsync(stream.fileno())
        return os.fstat(stream.fileno()).st_size, hashlib.file_digest(stream, "sha256").hexdigest()
