"""Publishes one generation or none: documents, then manifest, and only then links and retention.

Every file is written beside its name, forced to the disk and renamed; every folder is forced before the step that
relies on its names. Until manifest.json is renamed, nothing that a reader trusts has changed.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from exports.archive import Archive, readable
from exports.document_file import READ_ONLY, DocumentFile, Envelope, WrittenDocument, seal
from exports.documents import DOCUMENTS, SCHEMA_VERSION, Document
from exports.durable_files import explain, force_folder, temporary, write_durably
from exports.index import INDEX_VERSION
from exports.links import refresh_links
from exports.manifest import (
    MANIFEST,
    DocumentEntry,
    IndexEntry,
    Manifest,
    ManifestError,
    generation_counter,
    generation_time,
    next_generation,
    timestamp,
)
from exports.retention import retain
from exports.source import ExportSnapshot

logger = logging.getLogger(__name__)

LEAST_BYTES = 4_000_000
LONGEST_REVISION = 40


class PublicationError(Exception):
    """Nothing was published; the message is one line that says why and what would do."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A published generation. ``problems`` did not keep it from being published: one line each."""

    manifest: Manifest
    written: tuple[str, ...]
    problems: list[str] = field(default_factory=list)


def publish(
    export_dir: Path,
    snapshot: ExportSnapshot,
    *,
    now: datetime,
    archive_max_gb: float,
    wanted: Collection[str] | None = None,
) -> Publication:
    """Publish ``snapshot`` as the next generation; raise PublicationError where nothing was published.

    ``wanted`` None writes what moved and what is always written; else the named documents are written anew and the
    others carried by reference. Call it under the publish lock.
    """
    archive = Archive(export_dir)
    try:
        writer = Writer(archive, snapshot, now)
    except OSError as error:
        raise PublicationError(f"nothing published: {explain(error)}") from error
    publication = writer.publish(wanted)
    publication.problems.extend(refresh_links(export_dir, publication.manifest))
    publication.problems.extend(retain(archive, now, archive_max_gb))
    for problem in publication.problems:
        logger.warning("Export %s: %s", publication.manifest.generation, problem)
    return publication


class Writer:
    """One publication under way. Making it cleans up what an interrupted one left."""

    def __init__(self, archive: Archive, snapshot: ExportSnapshot, now: datetime) -> None:
        self._archive = archive
        self._snapshot = snapshot
        self._previous, problem = readable(archive)
        self._problems = [f"the manifest before was replaced: {problem}"] if problem else []
        names = [*archive.generations(), *([self._previous.generation] if self._previous else [])]
        self.generation = next_generation(max(names, key=generation_counter, default=None), now)
        self._export_timestamp = timestamp(generation_time(self.generation))
        archive.clean(self._previous)
        if not archive.folder.is_dir():
            archive.folder.mkdir(mode=0o700, parents=True)
            force_folder(archive.export_dir)

    def publish(self, wanted: Collection[str] | None) -> Publication:
        """Write the documents and the manifest; on any failure before that leave no trace."""
        try:
            anew = [name for name in DOCUMENTS if self._is_written(DOCUMENTS[name], wanted)]
            self._check_space(anew)
            manifest = self._manifest(self._entries(anew), anew, wanted)
            self._write_manifest(manifest)
        except (OSError, ManifestError) as error:
            self._undo()
            told = explain(error) if isinstance(error, OSError) else str(error)
            raise PublicationError(f"nothing published: {told}") from error
        except BaseException:
            self._undo()
            raise
        try:
            force_folder(self._archive.export_dir)
        except OSError as error:
            self._problems.append(f"published, but a power cut now may bring the one before back: {explain(error)}")
        return Publication(manifest, tuple(anew), self._problems)

    def _is_written(self, document: Document, wanted: Collection[str] | None) -> bool:
        """Return whether the document is written anew, or carried by reference from the generation before."""
        entry = self._carried(document.name)
        if entry is None:
            return True
        if wanted is not None:
            return document.name in wanted
        return document.always or entry.revision != self._revision(document.name)

    def _carried(self, name: str) -> DocumentEntry | None:
        """Return the document's entry in the generation before, None where it cannot be carried on."""
        before = self._previous
        if before is None or before.schema_version != SCHEMA_VERSION or before.provider != self._snapshot.provider:
            return None
        entry = before.documents.get(name)
        if entry is None or entry.index.version != INDEX_VERSION:
            return None
        whole = self._has(entry.path, entry.size) and self._has(entry.index.path, entry.index.size)
        return entry if whole else None

    def _has(self, path: str, size: int) -> bool:
        try:
            return (self._archive.export_dir / path).stat().st_size == size
        except FileNotFoundError:
            return False

    def _revision(self, name: str) -> str:
        revision = self._snapshot.document_revision(name)
        if len(revision) <= LONGEST_REVISION:
            return revision
        return hashlib.sha256(revision.encode()).hexdigest()[:LONGEST_REVISION]

    def _check_space(self, anew: list[str]) -> None:
        """Refuse below twice what the documents took last time: a full disk hurts more than a missing export."""
        entries = [entry for name in anew if (entry := self._carried(name)) is not None]
        needed = max(LEAST_BYTES, sum(entry.size + entry.index.size for entry in entries))
        free = shutil.disk_usage(self._archive.export_dir).free
        if free < 2 * needed:
            raise PublicationError(
                f"nothing published: {self._archive.export_dir} has {free / 1e6:.0f} MB free and an export wants "
                f"{2 * needed / 1e6:.0f} MB; free space or lower OPTSITE_ARCHIVE_MAX_GB"
            )

    def _entries(self, anew: list[str]) -> dict[str, DocumentEntry]:
        """Return the documents' entries; one is sealed while the next is read, so that the source is held for less."""
        entries: dict[str, DocumentEntry | Future[DocumentEntry]] = {}
        with ThreadPoolExecutor(1, thread_name_prefix="seal") as sealing:
            for name in DOCUMENTS:
                carried = self._carried(name)
                if carried is not None and name not in anew:
                    entries[name] = carried
                    continue
                written, revision = self._write(name), self._revision(name)
                entries[name] = sealing.submit(self._seal, name, written, revision)
        return {name: entry.result() if isinstance(entry, Future) else entry for name, entry in entries.items()}

    def _write(self, name: str) -> WrittenDocument:
        target = self._archive.export_dir / self._archive.document_path(name, self.generation)
        envelope = Envelope(DOCUMENTS[name], self._export_timestamp, self.generation, self._snapshot.provider)
        written = DocumentFile(target, envelope).write(self._snapshot.records(name), self._snapshot.errors(name))
        self._problems.extend(f"left out: {fault}" for fault in written.left_out)
        return written

    def _seal(self, name: str, written: WrittenDocument, revision: str) -> DocumentEntry:
        """Force a written document and its index to the disk, under their names."""
        path = self._archive.document_path(name, self.generation)
        index_path = self._archive.index_path(name, self.generation)
        target = self._archive.export_dir / path
        size, sha256 = seal(target)
        os.rename(temporary(target), target)
        write_durably(self._archive.export_dir / index_path, written.index, READ_ONLY)
        index = IndexEntry(index_path, len(written.index), hashlib.sha256(written.index).hexdigest(), INDEX_VERSION)
        return DocumentEntry(path, size, sha256, written.count, revision, self._snapshot.store_revision, index)

    def _manifest(
        self, documents: dict[str, DocumentEntry], anew: list[str], wanted: Collection[str] | None
    ) -> Manifest:
        expected = (self._snapshot.next_scan_expected_at, self._snapshot.next_export_expected_at)
        scan, export = (None if moment is None else timestamp(moment) for moment in expected)
        # Documents that were not asked for may lag behind the store: then the whole is as old as it was.
        reflected = self._snapshot.store_revision
        if wanted is not None and self._previous is not None and len(anew) < len(documents):
            reflected = self._previous.store_revision
        return Manifest(
            self.generation,
            self._export_timestamp,
            scan,
            export,
            self._snapshot.provider,
            SCHEMA_VERSION,
            reflected,
            documents,
        )

    def _write_manifest(self, manifest: Manifest) -> None:
        content = manifest.dump()
        force_folder(self._archive.folder)
        write_durably(self._archive.export_dir / self._archive.manifest_path(self.generation), content, READ_ONLY)
        force_folder(self._archive.folder)
        write_durably(self._archive.export_dir / MANIFEST, content)

    def _undo(self) -> None:
        """Remove this generation's files: they would fill the disk until the next export cleans up."""
        current, problem = readable(self._archive)
        if problem or (current is not None and current.generation == self.generation):
            # Interrupted after the rename: it is published, and readers rely on its files.
            return
        self._archive.discard(self.generation)
        with suppress(OSError):
            temporary(self._archive.export_dir / MANIFEST).unlink(missing_ok=True)
