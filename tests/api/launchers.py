"""What tests put in the place of the task queue behind SCAN_LAUNCHER."""

from __future__ import annotations

from typing import Any

launched: list[tuple[list[str], str]] = []


def record_launch(tickers: list[str], requested_by: str) -> dict[str, Any]:
    """Remember the request, and answer a job as the queue does."""
    launched.append((tickers, requested_by))
    return {"id": "20260127T150500Z-abc123", "state": "queued", "tickers": tickers}
