"""The newest documents under their plain names, for people and jq: hard links, copies where links cannot be."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from exports.durable_files import explain, temporary
from exports.manifest import Manifest

logger = logging.getLogger(__name__)

# A document's head names its generation, which is content enough to tell two of one size apart.
HEAD_BYTES = 512


def link_path(export_dir: Path, document: str) -> Path:
    """Return where the newest of a document is found."""
    return export_dir / f"{document}.json"


def refresh_links(export_dir: Path, manifest: Manifest) -> list[str]:
    """Put every document of ``manifest`` under its plain name; return one line for each that could not be."""
    problems = []
    for document, entry in manifest.documents.items():
        target = link_path(export_dir, document)
        try:
            _refresh(export_dir / entry.path, target)
        except OSError as error:
            problems.append(f"{target.name} still shows an older generation: {explain(error)}")
    return problems


def _refresh(source: Path, target: Path) -> None:
    if target.exists() and os.path.samefile(source, target):
        return
    beside = temporary(target)
    beside.unlink(missing_ok=True)
    try:
        os.link(source, beside)
    except OSError as error:
        if same_content(source, target):
            return
        logger.debug("%s is copied, a link cannot be made: %s", target.name, error)
        _copy(source, beside)
    os.replace(beside, target)


def _copy(source: Path, beside: Path) -> None:
    with open(source, "rb") as original, open(beside, "wb") as copy:
        shutil.copyfileobj(original, copy, 1 << 20)
        copy.flush()
        os.fchmod(copy.fileno(), 0o444)
        os.fsync(copy.fileno())


def same_content(source: Path, target: Path) -> bool:
    """Return whether ``target`` is ``source`` or a copy of it, judged by size and head."""
    if not target.exists():
        return False
    if os.path.samefile(source, target):
        return True
    if source.stat().st_size != target.stat().st_size:
        return False
    with open(source, "rb") as one, open(target, "rb") as other:
        return one.read(HEAD_BYTES) == other.read(HEAD_BYTES)
