"""JSONExporter: publishes what the store holds as one generation of JSON documents."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from exports.durable_files import explain
from exports.folders import MarketFolder
from exports.live import record_export_error
from exports.locks import LockHeld, publish_lock
from exports.source import ExportSnapshot, ExportSource, ExportSourceError
from exports.writer import Publication, PublicationError, publish

__all__ = ["ExportSnapshot", "ExportSource", "ExportSourceError", "JSONExporter"]

logger = logging.getLogger(__name__)

# Longer than any export takes; a minute's heartbeat waits for it too.
LOCK_SECONDS = 30.0


class JSONExporter:
    """Publishes the documents of one market.

    By default the folder, the source and the archive's cap are the settings' (MARKET_FOLDER, EXPORT_SOURCE,
    OPTSITE.archive_max_gb). The ``export_`` methods answer ``{"success", "errors", "generation", "documents"}`` and
    raise for no disk, lock or store; ``success`` says that a generation was published, ``errors`` holds one line for
    everything that went wrong, before or after; ``documents`` maps names to counts of records.
    """

    def __init__(
        self,
        folder: MarketFolder | None = None,
        source: ExportSource | None = None,
        *,
        archive_max_gb: float | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.folder: MarketFolder = settings.MARKET_FOLDER if folder is None else folder
        self._source: ExportSource = import_string(settings.EXPORT_SOURCE)(self.folder) if source is None else source
        self._archive_max_gb: float = settings.OPTSITE.archive_max_gb if archive_max_gb is None else archive_max_gb
        self._clock = clock

    def export_all(self) -> dict[str, Any]:
        """Publish one snapshot of the store: what is always written, and what moved."""
        return self._answer(None)

    def export_alerts(self) -> dict[str, Any]:
        """Publish alerts.json anew, the others by reference."""
        return self._answer(("alerts",))

    def export_chains(self) -> dict[str, Any]:
        """Publish chains.json anew, the others by reference."""
        return self._answer(("chains",))

    def export_scans(self) -> dict[str, Any]:
        """Publish scans.json anew, the others by reference."""
        return self._answer(("scans",))

    def export_features(self) -> dict[str, Any]:
        """Publish features.json anew, the others by reference."""
        return self._answer(("features",))

    def publish(self, wanted: Collection[str] | None = None) -> Publication:
        """Publish as ``export_all`` does, or the ``wanted`` documents anew.

        Raises PublicationError (disk), LockHeld (another export), ExportSourceError (store). The error is in
        live.json afterwards, but for LockHeld: then live.json is the holder's to write.
        """
        try:
            self.folder.create()
            lock = publish_lock(self.folder, "export").acquire(LOCK_SECONDS)
        except OSError as error:
            raise PublicationError(f"nothing published: {explain(error)}") from error
        with lock:
            return self._publish(wanted)

    def _publish(self, wanted: Collection[str] | None) -> Publication:
        export_dir = self.folder.export_dir
        try:
            with self._source.snapshot() as snapshot:
                publication = publish(
                    export_dir, snapshot, now=self._clock(), archive_max_gb=self._archive_max_gb, wanted=wanted
                )
        except Exception as error:
            record_export_error(export_dir, str(error) or type(error).__name__)
            raise
        record_export_error(export_dir, "; ".join(publication.problems) or None)
        return publication

    def _answer(self, wanted: Collection[str] | None) -> dict[str, Any]:
        logger.info("Exporting %s to JSON in %s", ", ".join(wanted or ("all documents",)), self.folder.export_dir)
        try:
            publication = self.publish(wanted)
        except (PublicationError, LockHeld, ExportSourceError) as error:
            logger.error("JSON export failed: %s", error)
            return {"success": False, "errors": [str(error)], "generation": None, "documents": {}}
        counts = {name: entry.count for name, entry in publication.manifest.documents.items()}
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        logger.info("JSON export %s published: %s", publication.manifest.generation, told)
        return {
            "success": True,
            "errors": list(publication.problems),
            "generation": publication.manifest.generation,
            "documents": counts,
        }
