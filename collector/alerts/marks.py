"""What staff say of alerts: that they took note of one, and of which nobody is to be told until when.

A mute silences notifications and hides nothing: the records carry ``muted_until``, and pages and API show them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from collector.models import AlertMark, Mute

Record = Mapping[str, Any]


def acknowledge(market: str, alert_id: str, by: str, now: datetime) -> AlertMark:
    """Note that somebody took note of an alert; who did so first stays."""
    mark, _ = AlertMark.objects.get_or_create(
        market=market, alert_id=alert_id, defaults={"acknowledged_by": by, "acknowledged_at": now}
    )
    return mark


def marks_of(market: str, now: datetime) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what puts into an alert's record what staff say of it now: ``documents.ALERT_MARKS``.

    Two queries, whatever the number of alerts.
    """
    noted = {mark.alert_id: mark for mark in AlertMark.objects.filter(market=market)}
    mutes = tuple(_standing(market, now))

    def overlay(record: dict[str, Any]) -> dict[str, Any]:
        mark, until = noted.get(record.get("id", "")), _until(mutes, record)
        return {
            **record,
            "acknowledged_at": _stamp(mark.acknowledged_at) if mark else None,
            "acknowledged_by": mark.acknowledged_by if mark else None,
            "muted_until": _stamp(until) if until else None,
        }

    return overlay


def muted_by(market: str, now: datetime) -> Callable[[Mapping[str, Any]], bool]:
    """Return what says whether the alert of an event is muted now; ``event["alert"]`` is its record.

    One query, whatever the number of events.
    """
    mutes = tuple(_standing(market, now))
    return lambda event: _until(mutes, event["alert"]) is not None


def is_muted(market: str, record: Record, now: datetime) -> bool:
    """Return whether nobody is to be told now of the alert of a record: it, its detector or its ticker is muted."""
    return _until(_standing(market, now), record) is not None


def _standing(market: str, now: datetime) -> Iterable[Mute]:
    return Mute.objects.filter(market=market, until__gt=now)


def _until(mutes: Iterable[Mute], record: Record) -> datetime | None:
    """Return until when a record is muted by the longest of its mutes, None where there is none."""
    return max((mute.until for mute in mutes if _covers(mute, record)), default=None)


def _covers(mute: Mute, record: Record) -> bool:
    if mute.alert_id:
        return bool(mute.alert_id == record.get("id"))
    return mute.detector in ("", record.get("detector")) and mute.ticker in ("", record.get("ticker"))


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
