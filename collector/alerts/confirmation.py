"""The verdicts that are due in a scan, as events of their alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from collector.alerts.identity import event_id
from collector.alerts.lifecycle import AlertEvent, AlertRecord, ScanContext, last_moment
from collector.alerts.verdicts import Seen, awaits, verdict
from collector.detectors.base import TickerView
from collector.market.calendar import Sessions


def confirmed(
    events: Sequence[AlertEvent],
    standing: Sequence[Mapping[str, Any]],
    seen: Mapping[str, Seen],
    view: TickerView,
    sessions: Sessions,
    scan: ScanContext,
) -> list[AlertEvent]:
    """Return the events of a scan of one ticker with the verdicts that it brings: one event each, once an alert.

    An alert that this scan moved too holds its verdict in both events: they are of one moment. What else it is stays:
    one that has ended remains so.

    Args:
        events: what the scan made of the ticker's alerts.
        standing: the newest record of each before it.
        seen: what each alert that awaits a verdict saw in its first session, by id.
        view: what the detectors saw.
        sessions: the provider's calendar.
        scan: the scan.
    """
    records: dict[str, Mapping[str, Any]] = {record["id"]: record for record in standing}
    records |= {event.alert_id: event.alert for event in events}
    after = list(events)
    for alert_id in sorted(records.keys() & seen.keys()):
        record = records[alert_id]
        # A scan that is joined late must not be the newest word.
        if not awaits(record, view.market_date) or view.as_of < last_moment(record):
            continue
        found = verdict(record, seen[alert_id], view, sessions, scan.policy.verdict)
        if found is None:
            continue
        judged: AlertRecord = {**record, "verdict": found.as_json()}
        after = [replace(event, alert=judged) if event.alert_id == alert_id else event for event in after]
        after.append(
            AlertEvent(
                event_id=event_id(alert_id, scan.scan_id, "verdict"),
                alert_id=alert_id,
                key=judged["key"],
                ticker=judged["ticker"],
                kind="verdict",
                at=view.as_of,
                market_date=view.market_date,
                alert=judged,
            )
        )
    return after
