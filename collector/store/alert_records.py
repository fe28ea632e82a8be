"""Alert records as the store holds them: read, or left out where they lack what the life of an alert needs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import orjson

from collector.alerts.verdicts import JUDGED
from exports.conformity import faults
from exports.documents import ALERT_FIELDS, Field

logger = logging.getLogger(__name__)

# What lifecycle, verdicts and outcomes read of a record. A verdict was added later and has a default below.
NEEDED: tuple[Field, ...] = tuple(
    # Members of objects are looked at below: a record may hold more of them than this version lists.
    replace(field, fields=())
    for field in ALERT_FIELDS
    if field.name
    in {
        "id",
        "key",
        "provider",
        "ticker",
        "detector",
        "subject",
        "direction",
        "state",
        "session",
        "first_scan_id",
        "last_scan_id",
        "first_seen",
        "last_seen",
        "reason",
        "trigger",
        "metrics",
    }
)
STATES = ("new", "ongoing", "ended")
OF_TRIGGER = ("metric", "comparison")
OF_CONTRACT = ("contract_symbol", "root", "expiration", "settlement_time")


class AlertRecordFault(ValueError):
    """A record of an alert that can't be used; the message is one line and names the field."""


def alert_record(text: str, alert_id: str) -> dict[str, Any]:
    """Return the record of an alert, which has all that the life of an alert needs.

    A record from before there were verdicts has none: null.

    Args:
        text: JSON, as the store holds it.
        alert_id: whose record it is.

    Raises:
        AlertRecordFault: it is no JSON object, or a field is missing or can't be.
    """
    try:
        record = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise AlertRecordFault(f"it is no JSON: {error}") from error
    if not isinstance(record, dict):
        raise AlertRecordFault("it is no JSON object")
    fault = next(_faults(record, alert_id), None)
    if fault is not None:
        raise AlertRecordFault(f"field {fault}")
    return {**record, "verdict": record.get("verdict")}


def usable_record(text: str, alert_id: str) -> dict[str, Any] | None:
    """Return the record of an alert as ``alert_record`` does, None with a warning where it can't be used."""
    try:
        return alert_record(text, alert_id)
    except AlertRecordFault as fault:
        logger.warning("The record of alert %s is left out: %s", alert_id, fault)
        return None


def _faults(record: Mapping[str, Any], alert_id: str) -> Iterator[str]:
    """Yield what the life of an alert would fail by; what comes later supposes that nothing came before."""
    yield from faults(NEEDED, {field.name: record[field.name] for field in NEEDED if field.name in record})
    if record["id"] != alert_id:
        yield f"id is {record['id']!r}"
    if record["state"] not in STATES:
        yield f"state is {record['state']!r}; there are {', '.join(STATES)}"
    for name, read in (("session", date.fromisoformat), ("first_seen", _moment), ("last_seen", _moment)):
        if not _reads(read, record[name]):
            yield f"{name} is no date: {record[name]!r}"
    for name in OF_TRIGGER:
        if not isinstance(record["trigger"].get(name), str):
            yield f"trigger.{name} is no text"
    yield from _of_metrics(record)


def _of_metrics(record: Mapping[str, Any]) -> Iterator[str]:
    metrics = record["metrics"]
    for name in ("ended_at", "settlement_time"):
        if metrics.get(name) is not None and not _reads(_moment, metrics[name]):
            yield f"metrics.{name} is no time: {metrics[name]!r}"
    if record["detector"] not in JUDGED:
        return
    for name in OF_CONTRACT:
        if not isinstance(metrics.get(name), str):
            yield f"metrics.{name} is no text"
    if not _reads(date.fromisoformat, metrics["expiration"]):
        yield f"metrics.expiration is no date: {metrics['expiration']!r}"


def _moment(text: str) -> datetime:
    """Return a moment; raise ValueError where it names no zone, without which it compares with none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("without a zone")
    return moment


def _reads(read: Callable[[str], object], text: Any) -> bool:
    """Say whether a text is what ``read`` takes."""
    try:
        read(text)
    except (TypeError, ValueError):
        return False
    return True
