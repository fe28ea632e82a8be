"""A storm: so many alerts begin in one scan that people are told once, in a digest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from collector.alerts.identity import event_id
from collector.alerts.lifecycle import AlertEvent, ScanContext

NAMED = 5


def digest(events: Sequence[AlertEvent], limit: int, scan: ScanContext) -> AlertEvent | None:
    """Return the event that stands in for the scan's new alerts where there are more than ``limit``, None otherwise.

    Its ``alert`` holds summary, score (the highest), tickers, detectors (how many of each) and alert_ids, the strongest
    first.
    """
    new = sorted(
        (event for event in events if event.kind == "new"),
        key=lambda event: (-event.alert["score"], event.alert_id),
    )
    if len(new) <= limit:
        return None
    detectors = Counter(event.alert["detector"] for event in new)
    tickers = sorted({event.ticker for event in new})
    counts = ", ".join(f"{count} {name}" for name, count in detectors.most_common())
    strongest = "; ".join(event.alert["summary"] for event in new[:NAMED])
    last = max(new, key=lambda event: event.at)
    return AlertEvent(
        event_id=event_id("digest", scan.scan_id, "digest"),
        alert_id="",
        key=f"{scan.provider}|digest",
        ticker="",
        kind="digest",
        at=last.at,
        market_date=last.market_date,
        alert={
            "summary": f"{len(new)} new alerts on {len(tickers)} tickers ({counts}). Strongest: {strongest}",
            "score": new[0].alert["score"],
            "tickers": tickers,
            "detectors": dict(detectors),
            "alert_ids": [event.alert_id for event in new],
        },
    )
