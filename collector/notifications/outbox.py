"""The outbox: alert events waiting to be told, each once a channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction

from collector.models import OutboxMessage

PAGE_CHANNEL = "page"
CHUNK = 500
SUMMARY_LENGTH = 300


def copy_events(market: str, events: Iterable[Mapping[str, Any]], channel: str = PAGE_CHANNEL) -> int:
    """Copy alert events into the outbox and return how many were not there before.

    Args:
        market: live, demo or recorded.
        events: mappings with ``event_id``, ``alert_id``, ``kind``, ``at`` (aware datetime, or RFC 3339) and ``alert``,
            whose ``summary`` is taken.
        channel: where they are to be told; ``page`` are the staff pages.

    Events that are there already stay as they are, delivered or not, so a copy can be repeated after a crash.

    Raises:
        ValueError: an event lacks a field, or its time has no zone. The chunks before it stay.
    """
    added = 0
    stream = iter(events)
    while chunk := list(islice(stream, CHUNK)):
        added += _add([_message(market, channel, event) for event in chunk])
    return added


def _add(messages: Sequence[OutboxMessage]) -> int:
    """Insert one chunk and return how many rows it added."""
    first = messages[0]
    there = OutboxMessage.objects.filter(
        market=first.market, channel=first.channel, event_id__in=[message.event_id for message in messages]
    )
    with transaction.atomic():
        before = there.count()
        OutboxMessage.objects.bulk_create(messages, ignore_conflicts=True)
        return there.count() - before


def _message(market: str, channel: str, event: Mapping[str, Any]) -> OutboxMessage:
    for name in ("event_id", "alert_id", "kind", "at", "alert"):
        if name not in event:
            raise ValueError(f"alert event {event.get('event_id', '?')}: {name} is missing")
    at = event["at"] if isinstance(event["at"], datetime) else datetime.fromisoformat(event["at"])
    if at.tzinfo is None:
        raise ValueError(f"alert event {event['event_id']}: at {at} has no time zone")
    return OutboxMessage(
        market=market,
        event_id=event["event_id"],
        channel=channel,
        alert_id=event["alert_id"],
        kind=event["kind"],
        summary=event["alert"]["summary"][:SUMMARY_LENGTH],
        happened_at=at,
    )
