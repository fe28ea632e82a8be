"""Which events a channel is told: by kind, ticker, detector and score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from collector.models import Channel

Event = Mapping[str, Any]
Muted = Callable[[Event], bool]

DIGEST = "digest"


def nobody(event: Event) -> bool:
    """Mute nothing."""
    return False


def told(channel: Channel, events: Sequence[Event], muted: Muted = nobody) -> Iterator[Event]:
    """Yield the events that a channel is told, in their order.

    A digest stands in for the new alerts of its scan: who would have been told one of them is told the digest, and
    none of them. What was in the store before the channel was made is not told, nor is what is muted.

    Args:
        channel: the channel.
        events: all events of the scans, with ``kind``, ``scan_id``, ``inserted_at`` and ``alert``, the record.
        muted: whether the alert of an event is muted; not asked of digests.
    """
    fresh = [event for event in events if event["inserted_at"] >= channel.created_at]
    fitting = [
        event for event in fresh if event["kind"] != DIGEST and fits(channel, event["alert"]) and not muted(event)
    ]
    chosen = {id(event) for event in fitting}
    digested = {event["scan_id"] for event in fresh if event["kind"] == DIGEST}
    begun, begun_fitting = _scans_with_new(fresh), _scans_with_new(fitting)
    for event in fresh:
        scan, kind = event["scan_id"], event["kind"]
        if kind == DIGEST:
            wanted = (channel.wants_new or channel.wants_digest) and (scan in begun_fitting or scan not in begun)
        elif kind == "new":
            wanted = channel.wants_new and scan not in digested
        else:
            wanted = {"ended": channel.wants_ended, "verdict": channel.wants_verdict}.get(kind, False)
        if wanted and (kind == DIGEST or id(event) in chosen):
            yield event


def _scans_with_new(events: Sequence[Event]) -> set[str]:
    return {event["scan_id"] for event in events if event["kind"] == "new"}


def fits(channel: Channel, alert: Mapping[str, Any]) -> bool:
    """Say whether an alert passes the channel's filter; one without a score passes where none is asked for."""
    return (
        (not channel.tickers or alert.get("ticker") in channel.tickers)
        and (not channel.detectors or alert.get("detector") in channel.detectors)
        and (alert.get("score") or 0.0) >= channel.minimum_score
    )
