"""Publish: one generation of the documents, then the alert events into the outbox.

After a crash in between, the next start does both first: the store's revision is above the manifest's, or above what
the outbox has copied. So a message is there at least once, under one key.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from collector.alerts.marks import muted_by
from collector.models import OutboxMark
from collector.notifications.channels import Muted, nobody
from collector.notifications.delivery import request_delivery
from collector.notifications.outbox import copy_events, copy_to_channels
from collector.store.database import open_store, store_revision
from collector.store.history import alert_events_after
from exports.exporter import JSONExporter
from exports.folders import MarketFolder
from exports.reader import ExportReader

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication did; ``problems`` are lines on what went wrong after it stood."""

    generation: str
    documents: dict[str, int]
    problems: tuple[str, ...]
    messages: int


def publish(folder: MarketFolder) -> Published:
    """Publish one generation and copy what happened since into the outbox.

    Raises PublicationError (disk), LockHeld (another publishes), StoreError (the store can't be read).
    """
    publication = JSONExporter(folder).publish()
    counts = {name: entry.count for name, entry in publication.manifest.documents.items()}
    messages = fill_outbox(folder, muted_by(folder.market, datetime.now(UTC)))
    return Published(publication.manifest.generation, counts, tuple(publication.problems), messages)


def fill_outbox(folder: MarketFolder, muted: Muted = nobody) -> int:
    """Copy the alert events that the outbox lacks; return how many messages were added.

    They are sent by a task: nothing here waits for a receiver. ``muted`` says whether the alert of an event is muted:
    the pages show it, and no channel is told.
    """
    mark, _ = OutboxMark.objects.get_or_create(market=folder.market)
    if not folder.store_path.exists():
        return 0
    with open_store(folder, "outbox") as connection:
        revision = store_revision(connection)
        # A store that was begun anew counts from its first scan again.
        since = mark.store_revision if mark.store_revision <= revision else 0
        events = alert_events_after(connection, since) if revision > since else []
    shown = copy_events(folder.market, events)
    letters = copy_to_channels(folder.market, events, muted)
    OutboxMark.objects.filter(pk=mark.pk, store_revision=mark.store_revision).update(store_revision=revision)
    if letters:
        request_delivery(folder.market)
    return shown + letters


def is_behind(folder: MarketFolder, revision: int) -> bool:
    """Say whether documents and outbox show another revision: a crash came first, or the store was replaced."""
    mark = OutboxMark.objects.filter(market=folder.market).values_list("store_revision", flat=True).first()
    return revision != published_revision(folder) or revision != (mark or 0)


def published_revision(folder: MarketFolder) -> int:
    """Return the store revision that the newest generation shows, 0 where there is none."""
    current = ExportReader(folder.export_dir).current()
    return current.manifest.store_revision if current else 0


def as_json(published: Published) -> dict[str, Any]:
    """Return what a command prints as JSON."""
    return {
        "generation": published.generation,
        "documents": published.documents,
        "problems": list(published.problems),
        "messages": published.messages,
    }
