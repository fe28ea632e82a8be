"""Whether everything published is what the manifest says: sizes, hashes, indexes, counts, links, leftovers."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import orjson

from exports.archive import Archive
from exports.conformity import faults
from exports.documents import DOCUMENTS
from exports.folders import MarketFolder
from exports.links import link_path, same_content
from exports.locks import publish_lock
from exports.manifest import DocumentEntry, Manifest, ManifestError
from exports.reader import DocumentReader, ExportReadError

logger = logging.getLogger(__name__)

LOCK_SECONDS = 10.0
SHOWN_FAULTS = 20
CHUNK = 512


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified: the generation (None: nothing is published), its documents' counts, one line a finding."""

    generation: str | None
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


def verify(folder: MarketFolder, *, deep: bool = False) -> Report:
    """Verify what is published in ``folder``; with ``deep`` each record against documents.py too.

    Links, leftovers and the archive are looked at under the publish lock, so that an export that runs is no finding;
    raises LockHeld where one runs for longer than ten seconds.
    """
    archive = Archive(folder.export_dir)
    lock = publish_lock(folder, "verify_exports")
    # A folder that takes no lock (read-only) has no writer either.
    with suppress(OSError):
        if folder.export_dir.is_dir():
            lock.acquire(LOCK_SECONDS)
    try:
        manifest = archive.current()
        findings = [*_leftovers(archive), *_kept(archive)]
        if manifest is None:
            return Report(None, findings=findings)
        opened = {name: _open(archive, name, entry) for name, entry in manifest.documents.items()}
        findings += _manifest_findings(archive, manifest)
        findings += _links(archive, manifest)
    except (ManifestError, OSError) as error:
        return Report(None, findings=[str(error)])
    finally:
        if lock.held_here():
            lock.release()
    # The open documents stay whole whatever is published meanwhile: no need to keep exports waiting.
    for document in opened.values():
        findings += [document] if isinstance(document, str) else _document_findings(document, archive, deep)
    return Report(manifest.generation, {name: said.count for name, said in manifest.documents.items()}, findings)


def _open(archive: Archive, name: str, entry: DocumentEntry) -> DocumentReader | str:
    try:
        return DocumentReader(archive.export_dir, name, entry)
    except (ExportReadError, OSError) as error:
        return str(error)


def _leftovers(archive: Archive) -> Iterator[str]:
    for path in archive.temporary_files():
        yield f"{path.name}: left by an interrupted export; the next one removes it"


def _kept(archive: Archive) -> Iterator[str]:
    """Yield what kept generations name and the archive lacks."""
    sizes = archive.files()
    for generation in archive.generations():
        try:
            manifest = archive.load(generation)
        except (ManifestError, OSError) as error:
            yield str(error)
            continue
        said = {entry.path: entry.size for entry in manifest.documents.values()}
        said |= {entry.index.path: entry.index.size for entry in manifest.documents.values()}
        for path, size in said.items():
            if sizes.get(path) != size:
                found = f"has {sizes[path]} bytes" if path in sizes else "is missing"
                yield f"{path}: {found}, generation {generation} says {size} bytes"


def _manifest_findings(archive: Archive, manifest: Manifest) -> Iterator[str]:
    for name in DOCUMENTS:
        if name not in manifest.documents:
            yield f"manifest.json: names no {name} document"
    if manifest.generation not in archive.generations():
        yield f"{archive.manifest_path(manifest.generation)}: missing"
    elif archive.load(manifest.generation) != manifest:
        yield f"{archive.manifest_path(manifest.generation)}: differs from manifest.json"


def _links(archive: Archive, manifest: Manifest) -> Iterator[str]:
    for name, entry in manifest.documents.items():
        source, target = archive.export_dir / entry.path, link_path(archive.export_dir, name)
        if source.exists() and not same_content(source, target):
            yield f"{target.name}: {'shows another generation' if target.exists() else 'missing'}"


def _document_findings(document: DocumentReader, archive: Archive, deep: bool) -> list[str]:
    found = [*_content_findings(document, archive.export_dir), *_place_findings(document)]
    # Without right places there are no records to look at.
    if deep and not found:
        found = list(islice(_record_findings(document), SHOWN_FAULTS))
    return found


def _content_findings(document: DocumentReader, export_dir: Path) -> Iterator[str]:
    path = document.entry.path
    with open(export_dir / path, "rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != document.sha256:
            yield f"{path}: sha256 is not the manifest's"
    try:
        envelope = document.envelope()
    except (orjson.JSONDecodeError, KeyError):
        yield f"{path}: its envelope cannot be read"
        return
    count_key = DOCUMENTS[document.name].count_key
    said = {"generation": document.index.generation, count_key: document.count, "errors": document.errors}
    for key, value in said.items():
        if envelope.get(key) != value:
            yield f"{path}: {key} is {str(envelope.get(key))[:60]}, its index says {str(value)[:60]}"


def _place_findings(document: DocumentReader) -> Iterator[str]:
    """Yield where the index's places are not those of records: one after the other, two bytes between, then the end."""
    index, path = document.index, document.entry.index.path
    ends = [offset + length for offset, length in zip(index.offset, index.length, strict=True)]
    for place, (end, offset) in enumerate(zip(ends, index.offset[1:], strict=False)):
        if offset != end + len(",\n"):
            yield f"{path}: record {place + 1} does not follow record {place}"
            return
    if ends and ends[-1] + len("\n]}\n") != document.entry.size:
        yield f"{path}: the last record does not end the document"


def _record_findings(document: DocumentReader) -> Iterator[str]:
    fields, columns = DOCUMENTS[document.name].fields, document.index.names
    for start in range(0, document.count, CHUNK):
        places = range(start, min(start + CHUNK, document.count))
        for place, content in zip(places, document.records(places), strict=True):
            where = f"{document.entry.path}: record {place}"
            try:
                record = orjson.loads(content)
            except orjson.JSONDecodeError:
                yield f"{where} is no JSON object"
                continue
            for fault in faults(fields, record):
                yield f"{where}: {fault}"
            for name in columns:
                if not document.index.agrees(name, place, record):
                    yield f"{where}: {name} differs from the index"
