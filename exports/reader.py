"""Reads published generations without parsing documents: the cost of an answer grows with the answer.

Safe in a web process with threads. A generation is loaded whole (manifest, indexes, one open file a document) before
it is served, so that no answer mixes two: what was opened stays readable after retention removed its name.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from exports.index import Index, IndexReadError, load_index
from exports.live import read_live
from exports.manifest import (
    MANIFEST,
    DocumentEntry,
    Manifest,
    ManifestError,
    generation_counter,
    load_manifest,
    parse_timestamp,
)

logger = logging.getLogger(__name__)

# A scan may run for its time-out of ten minutes before it publishes, and the cluster starts it up to 31 s late.
SCAN_GRACE = timedelta(minutes=15)
# One missed export is made up for by the next, five minutes later.
EXPORT_GRACE = timedelta(minutes=5)
KEPT_GENERATIONS = 4
# A folder that is being copied back, or a disk that failed once, is whole a moment later.
RETRY_SECONDS = 5.0


class ExportReadError(Exception):
    """A published file is missing, or is not what its manifest says."""


class DocumentReader:
    """One document of one generation: its index in memory, its records on the disk.

    ``sha256`` is the document's, ``count`` its records, ``errors`` what makes it incomplete. The file stays open until
    the last user of this object is gone.
    """

    def __init__(self, export_dir: Path, name: str, entry: DocumentEntry) -> None:
        """Open the document; raise FileNotFoundError where a file is gone, ExportReadError where one differs."""
        self.name = name
        self.entry = entry
        self.sha256 = entry.sha256
        self.count = entry.count
        self.index = _verified_index(export_dir, name, entry)
        self.errors = self.index.errors
        self._descriptor = os.open(export_dir / entry.path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)
        size = os.fstat(self._descriptor).st_size
        if size != entry.size:
            raise ExportReadError(f"{entry.path}: {size} bytes, the manifest says {entry.size}")

    def records(self, positions: Iterable[int]) -> list[bytes]:
        """Return the records at ``positions``, each the bytes that the document holds (one JSON object)."""
        offset, length, descriptor = self.index.offset, self.index.length, self._descriptor
        found = []
        for position in positions:
            record = os.pread(descriptor, length[position], offset[position])
            if len(record) != length[position]:
                raise ExportReadError(f"{self.entry.path}: record {position} ends early")
            found.append(record)
        return found

    def envelope(self) -> dict[str, Any]:
        """Return what stands before the records in the document."""
        head = os.pread(self._descriptor, min([*self.index.offset[:1], self.entry.size]), 0)
        told: dict[str, Any] = orjson.loads(head.rstrip().removesuffix(b"]}") + b"]}")
        del told[self.name]
        return told

    def record(self, position: int) -> dict[str, Any]:
        """Return the record at ``position``."""
        told: dict[str, Any] = orjson.loads(self.records((position,))[0])
        return told


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Generation:
    """One published set of documents, whole."""

    manifest: Manifest
    documents: dict[str, DocumentReader]

    @property
    def name(self) -> str:
        """Return the generation's name, such as 20260127T120000Z-000042."""
        return self.manifest.generation

    @property
    def export_timestamp(self) -> str:
        """Return when it was published: RFC 3339 in UTC."""
        return self.manifest.export_timestamp

    @property
    def provider(self) -> str:
        """Return the provider whose market this is."""
        return self.manifest.provider

    def document(self, name: str) -> DocumentReader | None:
        """Return the document called ``name``, None where the generation holds none."""
        return self.documents.get(name)

    def stale_at(self) -> datetime | None:
        """Return the moment from which it is stale: the earlier expectation plus its grace; None for never."""
        expected = (
            (self.manifest.next_scan_expected_at, SCAN_GRACE),
            (self.manifest.next_export_expected_at, EXPORT_GRACE),
        )
        return min((parse_timestamp(at) + grace for at, grace in expected if at is not None), default=None)

    def stale(self, now: datetime) -> bool:
        """Return whether ``now`` is past what was expected, grace included."""
        moment = self.stale_at()
        return moment is not None and now > moment


class ExportReader:
    """The export folder as a reader sees it: the current generation, kept ones, and live.json."""

    def __init__(self, export_dir: Path) -> None:
        self.export_dir = export_dir
        self._signature: tuple[int, int, int] | None = None
        self._generation: Generation | None = None
        self._retry_at = math.inf
        self._loading = threading.Lock()
        self._kept: OrderedDict[str, Generation] = OrderedDict()
        self._keeping = threading.Lock()

    def current(self) -> Generation | None:
        """Return the newest generation, None where nothing can be read yet.

        One stat where nothing moved. While one thread loads a new generation the others are given the old one. A
        generation that cannot be loaded is logged, the one before it stays, and it is tried again some seconds later.
        """
        signature = self._stat()
        if signature is None or self._is_settled(signature):
            return self._generation
        if not self._loading.acquire(blocking=self._generation is None):
            return self._generation
        try:
            if not self._is_settled(signature):
                self._renew()
            return self._generation
        finally:
            self._loading.release()

    def at(self, name: str) -> Generation | None:
        """Return the generation called ``name`` while it is kept, else None."""
        current = self.current()
        if current is None or current.name == name:
            return current
        try:
            # A writer that died before it published may have left a manifest above the current one.
            if generation_counter(name) > generation_counter(current.name):
                return None
        except ValueError:
            return None
        with self._keeping:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
        return self._load_kept(name, current)

    def live(self) -> dict[str, Any]:
        """Return what live.json says, {} where there is none."""
        return read_live(self.export_dir)

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            return _signature(os.stat(self.export_dir / MANIFEST))
        except OSError:
            return None

    def _is_settled(self, signature: tuple[int, int, int]) -> bool:
        """Say whether what the manifest of ``signature`` names was loaded, or has failed only just now."""
        return signature == self._signature and time.monotonic() < self._retry_at

    def _renew(self) -> None:
        """Load what the manifest names now; once more where a file vanished between the manifest and its opening."""
        signature = self._signature
        retry_at = time.monotonic() + RETRY_SECONDS
        for last in (False, True):
            try:
                with open(self.export_dir / MANIFEST, "rb") as stream:
                    signature = _signature(os.fstat(stream.fileno()))
                    manifest = load_manifest(stream.read())
                self._generation = load_generation(self.export_dir, manifest, self._generation)
                retry_at = math.inf
                break
            except FileNotFoundError as error:
                if last:
                    logger.error("the newest generation is incomplete: %s", error)
            except (ManifestError, ExportReadError, OSError) as error:
                logger.error("the newest generation cannot be read: %s", error)
                break
        self._retry_at = retry_at
        # Set last: until then other threads are given the old generation, or wait where there is none.
        self._signature = signature

    def _load_kept(self, name: str, current: Generation) -> Generation | None:
        path = self.export_dir / "archive" / f"manifest_{name}.json"
        try:
            generation = load_generation(self.export_dir, load_manifest(path.read_bytes(), path.name), current)
        except FileNotFoundError:
            return None
        except (ManifestError, ExportReadError, OSError) as error:
            logger.error("generation %s cannot be read: %s", name, error)
            return None
        with self._keeping:
            self._kept[name] = generation
            while len(self._kept) > KEPT_GENERATIONS:
                self._kept.popitem(last=False)
        return generation


def load_generation(export_dir: Path, manifest: Manifest, known: Generation | None = None) -> Generation:
    """Open every document of ``manifest``, those of ``known`` that are the same file as they are.

    Raises FileNotFoundError where a file is gone, ExportReadError where one is not what the manifest says.
    """
    documents = {}
    for name, entry in manifest.documents.items():
        reader = known.document(name) if known else None
        same = reader is not None and reader.entry == entry
        documents[name] = reader if reader is not None and same else DocumentReader(export_dir, name, entry)
    return Generation(manifest, documents)


def _verified_index(export_dir: Path, name: str, entry: DocumentEntry) -> Index:
    content = (export_dir / entry.index.path).read_bytes()
    if hashlib.sha256(content).hexdigest() != entry.index.sha256:
        raise ExportReadError(f"{entry.index.path}: sha256 is not the manifest's")
    try:
        index = load_index(content)
    except IndexReadError as error:
        raise ExportReadError(f"{entry.index.path}: {error}") from None
    if index.document != name or index.count != entry.count:
        raise ExportReadError(f"{entry.index.path}: holds {index.count} {index.document}, not {entry.count} {name}")
    return index


def _signature(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_mtime_ns, status.st_size
