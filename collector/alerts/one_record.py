"""What else a scan finds out about an alert: added to its record, in an event of its own.

All events that one scan makes of an alert hold the same record, the one that stands after the scan: which of them is
read last makes no difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from collector.alerts.identity import event_id
from collector.alerts.lifecycle import AlertEvent, EventKind
from collector.detectors.base import TickerView


def with_addition(
    events: Sequence[AlertEvent],
    record: Mapping[str, Any],
    changes: Mapping[str, Any],
    kind: EventKind,
    view: TickerView,
    scan_id: str,
) -> list[AlertEvent]:
    """Return the scan's events with one more, of an alert whose record is given ``changes``.

    Args:
        events: what the scan made of alerts so far.
        record: the alert's newest record before the scan; one of ``events`` goes before it.
        changes: fields of ``documents.ALERT_FIELDS``.
        kind: of the event.
        view: what the scan saw of the ticker.
        scan_id: the scan.
    """
    of_scan = next((event.alert for event in events if event.alert_id == record["id"]), record)
    after = {**of_scan, **changes}
    added = AlertEvent(
        event_id=event_id(after["id"], scan_id, kind),
        alert_id=after["id"],
        key=after["key"],
        ticker=after["ticker"],
        kind=kind,
        at=view.as_of,
        market_date=view.market_date,
        alert=after,
    )
    return [*(replace(event, alert=after) if event.alert_id == after["id"] else event for event in events), added]
