"""Which generations stay: the newest three and those of 15 minutes always, the rest up to a size.

Of several generations with the same content only the last stays; above the cap the oldest goes first. A file that a
kept generation names is never removed.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from exports.archive import Archive, is_manifest
from exports.durable_files import explain
from exports.manifest import Manifest, ManifestError, generation_time

logger = logging.getLogger(__name__)

ALWAYS_KEPT = timedelta(minutes=15)
NEWEST_KEPT = 3
GIGABYTE = 10**9


@dataclass(frozen=True, slots=True)
class Kept:
    """A generation in the archive: its manifest, and whether its age or place protects it."""

    manifest: Manifest
    protected: bool


def retain(archive: Archive, now: datetime, max_gb: float) -> list[str]:
    """Remove what need not stay; return one line for each thing that did not work.

    Where a manifest cannot be read nothing is removed: what it names is not known.
    """
    try:
        kept = _kept(archive, now)
        sizes = archive.files()
    except (ManifestError, OSError) as error:
        return [f"nothing was removed from the archive: {error}"]
    removed = {entry.manifest.generation for entry in _repeated(kept)}
    kept = [entry for entry in kept if entry.manifest.generation not in removed]
    kept = _below_cap(archive, kept, sizes, max_gb * GIGABYTE)
    return _sweep(archive, kept, sizes)


def _kept(archive: Archive, now: datetime) -> list[Kept]:
    """Return every generation, oldest first."""
    names = archive.generations()
    newest = set(names[-NEWEST_KEPT:])
    kept = [Kept(archive.load(name), name in newest or now - generation_time(name) < ALWAYS_KEPT) for name in names]
    current = archive.current()
    # Its copy in the archive may have been removed by hand; its files are what readers rely on.
    return kept if current is None or current.generation in names else [*kept, Kept(current, protected=True)]


def _repeated(kept: list[Kept]) -> list[Kept]:
    """Return the unprotected generations whose content a later one repeats."""
    found, later = [], set()
    for entry in reversed(kept):
        content = tuple(sorted((name, said.store_revision) for name, said in entry.manifest.documents.items()))
        if content in later and not entry.protected:
            found.append(entry)
        later.add(content)
    return found


def _needs(archive: Archive, manifest: Manifest) -> set[str]:
    return {*manifest.files(), archive.manifest_path(manifest.generation)}


def _below_cap(archive: Archive, kept: list[Kept], sizes: dict[str, int], max_bytes: float) -> list[Kept]:
    """Leave out the oldest unprotected generations until the files of the others fit."""
    users = Counter(path for entry in kept for path in _needs(archive, entry.manifest))
    total = sum(sizes.get(path, 0) for path in users)
    staying = []
    for entry in kept:
        if total <= max_bytes or entry.protected:
            staying.append(entry)
            continue
        for path in _needs(archive, entry.manifest):
            users[path] -= 1
            total -= sizes.get(path, 0) if users[path] == 0 else 0
    if total > max_bytes:
        logger.warning("The archive's newest generations take %.2f GB, more than its cap", total / GIGABYTE)
    return staying


def _sweep(archive: Archive, kept: list[Kept], sizes: dict[str, int]) -> list[str]:
    """Remove every file of ours that no kept generation needs: manifests first, so that none names what is gone."""
    needed = {path for entry in kept for path in _needs(archive, entry.manifest)}
    unneeded = sorted(sizes.keys() - needed)
    manifests = [path for path in unneeded if is_manifest(path)]
    problems = _remove(archive, manifests)
    return problems or _remove(archive, [path for path in unneeded if not is_manifest(path)])


def _remove(archive: Archive, paths: list[str]) -> list[str]:
    problems = []
    for path in paths:
        try:
            (archive.export_dir / path).unlink(missing_ok=True)
        except OSError as error:
            problems.append(f"not removed from the archive: {explain(error)}")
    return problems
