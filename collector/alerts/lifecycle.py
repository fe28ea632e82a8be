"""The life of an alert: new, ongoing, ended, and at most one beginning of a key in a session.

    no episode, or one of an earlier session that ended --finding armed--> new
    new, ongoing --finding, armed or above the re-arm level--> ongoing
    new, ongoing --judged, and no finding--> ended (rearm)
    new, ongoing --its contract settled--> ended (expired)
    new, ongoing --no detector or rule of its name looks at the ticker any more--> ended (withdrawn)
    ended, began in this session or ended within the cool-down --finding armed--> ongoing

A subject that could not be judged stays as it is, and so does everything where a scan is older than what is known.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from collector.alerts import explain
from collector.alerts.identity import alert_id, alert_key, event_id
from collector.alerts.policy import AlertPolicy
from collector.alerts.scoring import confidence, score
from collector.alerts.strategies import strategies
from collector.alerts.track_record import unproven
from collector.detectors.base import Claim, Evaluation, Finding, TickerView
from exports.documents import ALERT_FIELDS, ALERT_MARKS

logger = logging.getLogger(__name__)

EventKind = Literal["new", "ongoing", "ended", "digest", "verdict", "outcome"]
AlertRecord = dict[str, Any]

_FIELDS = tuple(field.name for field in ALERT_FIELDS if field not in ALERT_MARKS)


@dataclass(frozen=True, slots=True)
class ScanContext:
    """What the alerts of a scan say about it.

    ``claims`` and ``track_records`` are by detector: what its alerts claim, and how those before them came out.
    """

    scan_id: str
    provider: str
    config_hash: str
    code_version: str
    policy: AlertPolicy
    claims: Mapping[str, Claim] = field(default_factory=dict)
    track_records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One step of an alert.

    ``alert`` is the whole record after it: ``documents.ALERT_FIELDS`` without what staff say of it, as JSON values.

    A digest is of no alert: see collector/alerts/storm.py.
    """

    event_id: str
    alert_id: str
    key: str
    ticker: str
    kind: EventKind
    at: datetime
    market_date: date
    alert: AlertRecord


def advance(
    standing: Sequence[Mapping[str, Any]], view: TickerView, evaluations: Sequence[Evaluation], scan: ScanContext
) -> list[AlertEvent]:
    """Return what this scan makes of one ticker's alerts, in the order of their keys.

    Args:
        standing: the newest record of each of the ticker's alerts that has not ended, or ended in this session or
            later; others do no harm. Records of other tickers and providers are left alone.
        view: what the detectors saw.
        evaluations: what they said.
        scan: the scan.

    Returns:
        At most one event a key. The same arguments give the same events, ids included; records that this scan wrote
        are not advanced a second time.
    """
    episodes = [record for record in standing if (record["ticker"], record["provider"]) == (view.ticker, scan.provider)]
    newest = _newest_by_key(episodes)
    findings = _findings_by_key(evaluations, view, scan.provider)
    events = []
    for key in sorted(newest.keys() | findings.keys()):
        record, finding = newest.get(key), findings.get(key)
        if record is not None and (record["last_scan_id"] == scan.scan_id or view.as_of < last_moment(record)):
            continue
        after = _step(key, record, finding, view, evaluations, scan)
        if after is not None:
            events.append(_event(after, view, scan))
    return events


def _newest_by_key(records: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    newest: dict[str, Mapping[str, Any]] = {}
    for record in records:
        other = newest.get(record["key"])
        if other is None or _order(record) > _order(other):
            newest[record["key"]] = record
    return newest


def _order(record: Mapping[str, Any]) -> tuple[str, datetime]:
    return record["session"], last_moment(record)


def _findings_by_key(evaluations: Sequence[Evaluation], view: TickerView, provider: str) -> dict[str, Finding]:
    """Return the strongest finding of each key; one about something that has settled is none."""
    findings: dict[str, Finding] = {}
    for finding in (finding for evaluation in evaluations for finding in evaluation.findings):
        if _settled(finding.metrics, view.as_of):
            continue
        side = finding.side or finding.direction
        key = alert_key(provider, finding.ticker, finding.detector, finding.subject, side)
        other = findings.get(key)
        if other is None or _weight(finding) > _weight(other):
            findings[key] = finding
    return findings


def _weight(finding: Finding) -> tuple[bool, float, float]:
    return finding.armed, finding.evidence.size, finding.value


def _step(
    key: str,
    record: Mapping[str, Any] | None,
    finding: Finding | None,
    view: TickerView,
    evaluations: Sequence[Evaluation],
    scan: ScanContext,
) -> AlertRecord | None:
    """Return the record after this scan; None where nothing changes."""
    if record is None or record["state"] == "ended":
        if finding is None or not finding.armed:
            return None
        if record is not None and _goes_on(record, key, view, scan.policy):
            return _seen(record, finding, view, scan)
        return _begun(key, finding, view, scan)
    if _settled(record["metrics"], view.as_of):
        return _ended(record, "expired", view, scan)
    if finding is not None:
        return _seen(record, finding, view, scan)
    if evaluations and all(evaluation.detector != record["detector"] for evaluation in evaluations):
        return _ended(record, "withdrawn", view, scan)
    return _ended(record, "rearm", view, scan) if _judged(record, evaluations) else None


def _goes_on(record: Mapping[str, Any], key: str, view: TickerView, policy: AlertPolicy) -> bool:
    """Return whether an ended alert goes on when it arms again, instead of a new one beginning."""
    if record["id"] == alert_id(key, view.market_date):
        return True
    since = view.as_of - last_moment(record)
    return since <= timedelta(days=policy.cool_down_days)


def _judged(record: Mapping[str, Any], evaluations: Sequence[Evaluation]) -> bool:
    """Return whether the alert's own detector could judge its subject in this scan."""
    return any(
        evaluation.detector == record["detector"]
        and evaluation.status != "not_evaluated"
        and (evaluation.evaluated_subjects is None or record["subject"] in evaluation.evaluated_subjects)
        for evaluation in evaluations
    )


def _settled(metrics: Mapping[str, Any], as_of: datetime) -> bool:
    time = metrics.get("settlement_time")
    return time is not None and datetime.fromisoformat(time) <= as_of


def last_moment(record: Mapping[str, Any]) -> datetime:
    """Return the as_of of the newest scan that changed the record: an end comes after last_seen."""
    return datetime.fromisoformat(record["metrics"].get("ended_at") or record["last_seen"])


def _begun(key: str, finding: Finding, view: TickerView, scan: ScanContext) -> AlertRecord:
    return {
        "id": alert_id(key, view.market_date),
        "key": key,
        "provider": scan.provider,
        "ticker": finding.ticker,
        "detector": finding.detector,
        "subject": finding.subject,
        "state": "new",
        "session": view.market_date.isoformat(),
        "first_scan_id": scan.scan_id,
        "last_scan_id": scan.scan_id,
        "first_seen": _stamp(view.as_of),
        "last_seen": _stamp(view.as_of),
        **_figures(finding, scan),
        "trigger": {
            "metric": finding.metric,
            "value": finding.value,
            "threshold": finding.threshold,
            "comparison": finding.comparison,
        },
        "claim": scan.claims.get(finding.detector),
        "track_record": dict(scan.track_records.get(finding.detector) or unproven(finding.detector).to_json()),
        "strategies": _strategies(finding, view),
        "verdict": None,
        "outcomes": [],
        "config_hash": scan.config_hash,
        "code_version": scan.code_version,
    }


def _strategies(finding: Finding, view: TickerView) -> list[dict[str, Any]]:
    """Return what could be traded on a finding, priced as it begins; a failure costs the alert no more than these."""
    if finding.intention is None:
        return []
    try:
        return strategies(view, finding.intention, finding.direction, finding.subject)
    except Exception:
        logger.exception("No strategies for %s on %s %s", finding.detector, finding.ticker, finding.subject)
        return []


def _seen(record: Mapping[str, Any], finding: Finding, view: TickerView, scan: ScanContext) -> AlertRecord:
    return {
        **record,
        "state": "ongoing",
        "last_scan_id": scan.scan_id,
        "last_seen": _stamp(view.as_of),
        **_figures(finding, scan),
    }


def _ended(record: Mapping[str, Any], cause: str, view: TickerView, scan: ScanContext) -> AlertRecord:
    return {
        **record,
        "state": "ended",
        "last_scan_id": scan.scan_id,
        "reason": explain.ending(record["reason"], cause),
        "metrics": {**record["metrics"], "ended_at": _stamp(view.as_of), "ended_by": cause},
    }


def _figures(finding: Finding, scan: ScanContext) -> AlertRecord:
    """Return the fields that move with each finding."""
    points, parts = score(finding.evidence, scan.policy.weights)
    return {
        "direction": finding.direction,
        "score": points,
        "score_parts": parts,
        "confidence": round(confidence(finding.evidence), 4),
        "summary": finding.summary,
        "reason": finding.reason,
        "metrics": dict(finding.metrics),
    }


def _event(record: AlertRecord, view: TickerView, scan: ScanContext) -> AlertEvent:
    kind: EventKind = record["state"]
    return AlertEvent(
        event_id=event_id(record["id"], scan.scan_id, kind),
        alert_id=record["id"],
        key=record["key"],
        ticker=record["ticker"],
        kind=kind,
        at=view.as_of,
        market_date=view.market_date,
        # A record that began before a field was there has none.
        alert={name: record.get(name) for name in _FIELDS},
    )


def _stamp(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
