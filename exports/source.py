"""What an export reads: a protocol, implemented where the data is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from exports.folders import MarketFolder


class ExportSourceError(Exception):
    """The source cannot be read now (held by another process, missing, damaged); the message is one line."""


class ExportSnapshot(Protocol):
    """One moment of the source. Expected times are aware UTC, None where nothing is expected."""

    @property
    def provider(self) -> str:
        """Return the provider whose market this is."""
        ...

    @property
    def store_revision(self) -> int:
        """Return the source's revision, which grows with every change."""
        ...

    @property
    def next_scan_expected_at(self) -> datetime | None:
        """Return when the next scan is expected."""
        ...

    @property
    def next_export_expected_at(self) -> datetime | None:
        """Return when the next export is expected."""
        ...

    def document_revision(self, document: str) -> str:
        """Return a text that moves exactly when what the document holds may have moved."""
        ...

    def records(self, document: str) -> Iterator[dict[str, Any]]:
        """Yield the document's records in final order: JSON-ready, rounded, every field of documents.py, no NaN."""
        ...

    def errors(self, document: str) -> list[dict[str, Any]]:
        """Return what makes the document incomplete: objects with ``reason``, ``detail`` and, of one, ``ticker``."""
        ...


class ExportSource(Protocol):
    """Where snapshots come from. A class of this kind is made with the market's folder."""

    def __init__(self, folder: MarketFolder) -> None: ...

    def snapshot(self) -> AbstractContextManager[ExportSnapshot]:
        """Open one snapshot for the length of a ``with`` block; raise ExportSourceError."""
        ...
