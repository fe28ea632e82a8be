"""Findings, evaluations and scans for tests of alerts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from collector.alerts.lifecycle import ScanContext
from collector.alerts.policy import AlertPolicy
from collector.detectors.base import Direction, Evaluation, Evidence, Finding, TickerView
from tests.detectors.views import view

SUBJECT = "QLMT260320C00100000"


def finding(
    subject: str = SUBJECT,
    *,
    armed: bool = True,
    direction: Direction = "bullish",
    value: float = 3.0,
    size: float = 0.5,
    detector: str = "test_detector",
    metrics: dict[str, Any] | None = None,
) -> Finding:
    return Finding(
        detector=detector,
        ticker="QLMT",
        subject=subject,
        direction=direction,
        metric="ratio",
        value=value,
        threshold=2.0,
        comparison=">=",
        armed=armed,
        evidence=Evidence(size=size, agreement=0.5, liquidity=0.8, grade="B"),
        metrics={"value": value} if metrics is None else metrics,
        summary=f"QLMT {subject}: ratio {value:g}",
        reason=f"The ratio stands at {value:g}.",
    )


def evaluation(
    *findings: Finding, judged: frozenset[str] | None = None, detector: str = "test_detector", known: bool = True
) -> Evaluation:
    """An evaluation that judged everything, unless ``judged`` names what; ``known`` False: not evaluated."""
    if not known:
        return Evaluation(detector, "not_evaluated", reason="no_usable_chain")
    armed = any(found.armed for found in findings)
    return Evaluation(detector, "armed" if armed else "quiet", findings, judged)


# Where a test is not about the cool-down, each session may begin an episode.
EVERY_SESSION = AlertPolicy(cool_down_days=0)


def scan(
    scan_id: str = "s1", config_hash: str = "c1", code_version: str = "0.1.0", policy: AlertPolicy = EVERY_SESSION
) -> ScanContext:
    return ScanContext(scan_id, "demo", config_hash, code_version, policy)


def seen_at(as_of: datetime, market_date: date | None = None) -> TickerView:
    """A ticker without contracts at a moment; its New York session is the UTC date unless said."""
    return view([], [], as_of=as_of, market_date=market_date or as_of.date())
