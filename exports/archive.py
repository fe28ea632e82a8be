"""The archive folder: every kept generation's files, named by document and generation."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

from exports.documents import DOCUMENT_NAMES
from exports.durable_files import TEMPORARY, temporary
from exports.live import LIVE
from exports.manifest import GENERATION, MANIFEST, Manifest, ManifestError, generation_counter, load_manifest

logger = logging.getLogger(__name__)

ARCHIVE = "archive"
OURS = re.compile(rf"(?:manifest|{'|'.join(DOCUMENT_NAMES)})_(?P<generation>{GENERATION.pattern})(?:\.index)?\.json")


class Archive:
    """The archive of one export folder. Its changes happen under the publish lock."""

    def __init__(self, export_dir: Path) -> None:
        self.export_dir = export_dir
        self.folder = export_dir / ARCHIVE

    def document_path(self, document: str, generation: str) -> str:
        """Return a document's path below the export folder."""
        return f"{ARCHIVE}/{document}_{generation}.json"

    def index_path(self, document: str, generation: str) -> str:
        """Return an index's path below the export folder."""
        return f"{ARCHIVE}/{document}_{generation}.index.json"

    def manifest_path(self, generation: str) -> str:
        """Return a kept manifest's path below the export folder."""
        return f"{ARCHIVE}/manifest_{generation}.json"

    def current(self) -> Manifest | None:
        """Return the published manifest, None where nothing was published; raise ManifestError, OSError."""
        try:
            content = (self.export_dir / MANIFEST).read_bytes()
        except FileNotFoundError:
            return None
        return load_manifest(content)

    def generations(self) -> list[str]:
        """Return the kept generations, oldest first."""
        found = {of for path in self._files() if is_manifest(path.name) and (of := generation_of(path.name))}
        return sorted(found, key=generation_counter)

    def load(self, generation: str) -> Manifest:
        """Return a kept generation's manifest; raise ManifestError, OSError."""
        path = self.manifest_path(generation)
        return load_manifest((self.export_dir / path).read_bytes(), path)

    def files(self) -> dict[str, int]:
        """Return the bytes of every file of ours, by its path below the export folder."""
        return {f"{ARCHIVE}/{path.name}": path.stat().st_size for path in self._files() if generation_of(path.name)}

    def temporary_files(self) -> list[Path]:
        """Return what a writer that died left half written."""
        names = [MANIFEST, LIVE, *(f"{document}.json" for document in DOCUMENT_NAMES)]
        beside = [temporary(self.export_dir / name) for name in names]
        return [path for path in beside if path.exists()] + [
            path for path in self._files() if path.name.endswith(TEMPORARY)
        ]

    def clean(self, current: Manifest | None) -> list[str]:
        """Remove what a writer that died left: temporary files, and files of generations never published."""
        leftovers = self.temporary_files()
        if current is not None:
            published = generation_counter(current.generation)
            leftovers += [
                path
                for path in self._files()
                if (of := generation_of(path.name)) and generation_counter(of) > published
            ]
        for path in leftovers:
            path.unlink(missing_ok=True)
        if leftovers:
            logger.warning("Removed %d files that an interrupted export left", len(leftovers))
        return [path.name for path in leftovers]

    def discard(self, generation: str) -> None:
        """Remove every file of a generation that was not published; what cannot be removed is logged."""
        for path in self._files():
            if f"_{generation}." in path.name:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    logger.warning("%s stays until the next export: %s", path.name, error)

    def _files(self) -> Iterator[Path]:
        return iter(sorted(self.folder.iterdir())) if self.folder.is_dir() else iter(())


def generation_of(name: str) -> str | None:
    """Return the generation in an archived file's name, None where the file is not ours."""
    match = OURS.fullmatch(name)
    return match["generation"] if match else None


def is_manifest(path: str) -> bool:
    """Return whether an archived file is a generation's manifest."""
    return path.rpartition("/")[2].startswith("manifest_")


def readable(archive: Archive) -> tuple[Manifest | None, str | None]:
    """Return the published manifest and, where it cannot be read, one line that says why."""
    try:
        return archive.current(), None
    except (ManifestError, OSError) as error:
        return None, str(error)
