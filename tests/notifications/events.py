"""Alert events as the store gives them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

NOON = datetime(2026, 2, 18, 17, 0, tzinfo=UTC)
SECRET = "a secret of the receiver and ours"


def alert(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return an alert's record, as far as channels look at it."""
    return {
        "id": f"a{number}",
        "ticker": "AAPL",
        "detector": "unusual_activity",
        "score": 50.0,
        "summary": f"Alert {number}",
        "reason": f"The reason of alert {number}.",
    } | changes


def event(number: int = 1, kind: str = "new", scan: str = "s1", **of_the_alert: Any) -> dict[str, Any]:
    """Return an event as the store gives it."""
    return {
        "event_id": f"e{number}-{kind}",
        "alert_id": f"a{number}",
        "kind": kind,
        "scan_id": scan,
        "at": NOON + timedelta(minutes=number),
        "inserted_at": NOON + timedelta(minutes=number, seconds=30),
        "alert": alert(number, **of_the_alert),
    }
