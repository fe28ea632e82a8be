"""The outbox: alert events waiting to be told, each once a channel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice

from django.db import transaction

from collector.models import PAGE_CHANNEL, Channel, OutboxMessage
from collector.notifications.channels import Event, Muted, nobody, told

CHUNK = 500
SUMMARY_LENGTH = 300


def copy_events(market: str, events: Iterable[Event], channel: str = PAGE_CHANNEL) -> int:
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
    return _add_all(_message(market, channel, event) for event in events)


def copy_to_channels(market: str, events: Sequence[Event], muted: Muted = nobody) -> int:
    """Copy alert events to every channel that is told them; return how many messages were not there before.

    Args:
        market: live, demo or recorded.
        events: like those of ``copy_events``, with ``scan_id`` and ``inserted_at`` (aware) besides; all events of
            each scan, since a digest stands in for the others.
        muted: whether the alert of an event is muted.

    Raises:
        ValueError: as ``copy_events``.
    """
    for event in events:
        for name in ("scan_id", "inserted_at"):
            if name not in event:
                raise ValueError(f"alert event {event.get('event_id', '?')}: {name} is missing")
    return sum(
        _add_all(_letter(market, channel, event) for event in told(channel, events, muted))
        for channel in Channel.objects.filter(market=market, enabled=True)
    )


def _add_all(messages: Iterable[OutboxMessage]) -> int:
    """Insert messages of one channel, chunk by chunk; return how many rows that added."""
    added = 0
    stream = iter(messages)
    while chunk := list(islice(stream, CHUNK)):
        added += _add(chunk)
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


def _message(market: str, channel: str, event: Event) -> OutboxMessage:
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


def _letter(market: str, channel: Channel, event: Event) -> OutboxMessage:
    """Return the message that is to be sent over a channel, due at once."""
    message = _message(market, channel.name, event)
    message.state, message.next_attempt_at = OutboxMessage.State.WAITING, datetime.now(UTC)
    message.document = {
        "version": 1,
        "event_id": message.event_id,
        "alert_id": message.alert_id,
        "kind": message.kind,
        "market": market,
        "at": f"{message.happened_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "alert": dict(event["alert"]),
    }
    return message
