"""What an answer is made of: one generation of the published documents, and what the answer says about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from api.errors import GenerationGone, NoSuchRecord, exported
from exports.reader import DocumentReader, ExportReader, Generation


@lru_cache(maxsize=8)
def reader_of(export_dir: Path) -> ExportReader:
    """Return the process's reader of ``export_dir``, which keeps what it has loaded between requests."""
    return ExportReader(export_dir)


def current_reader() -> ExportReader:
    """Return the reader of the market that the settings name."""
    return reader_of(settings.MARKET_FOLDER.export_dir)


@dataclass(frozen=True, slots=True)
class Export:
    """The generation behind one answer; ``generation`` is None where nothing was exported yet."""

    generation: Generation | None
    provider: str
    stale: bool

    @property
    def name(self) -> str | None:
        """Return the generation's name."""
        return self.generation.name if self.generation else None

    @property
    def timestamp(self) -> str | None:
        """Return the generation's export time, RFC 3339."""
        return self.generation.export_timestamp if self.generation else None

    def document(self, name: str) -> DocumentReader | None:
        """Return the document; None where it was not exported."""
        return self.generation.document(name) if self.generation else None


def open_export(name: str | None = None, now: datetime | None = None) -> Export:
    """Return the current export, or the generation called ``name``; GenerationGone where that is not kept."""
    reader = current_reader()
    generation = reader.at(name) if name else reader.current()
    if generation is None:
        if name:
            raise GenerationGone(
                f"Generation {name} is not kept any more.",
                field="generation",
                help="Start again without generation= : the first page comes from the newest export.",
            )
        return Export(None, settings.MARKET_FOLDER.provider, stale=True)
    return Export(generation, generation.provider, generation.stale(now or datetime.now(UTC)))


def no_ticker(document: DocumentReader | None, missing: str) -> NoSuchRecord:
    """Return the error that says ``missing`` of a ticker, and which tickers the document names."""
    names = document.index.column("ticker").tolist() if document is not None else []
    help = f"{exported(names)} A scan records what is on the watchlist, /admin/collector/watchedticker/."
    return NoSuchRecord(missing, field="ticker", help=help)
