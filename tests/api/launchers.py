"""What tests put in the place of the task queue behind SCAN_LAUNCHER."""

from __future__ import annotations

from typing import Any

launched: list[tuple[list[str], str]] = []


def record_launch(tickers: list[str], requested_by: str) -> dict[str, Any]:
    """Remember the request, and answer a job as the queue does."""
    launched.append((tickers, requested_by))
    return {"id": "20260127T150500Z-abc123", "state": "queued", "tickers": tickers, "created": True}


def find_one_waiting(tickers: list[str], requested_by: str) -> dict[str, Any]:
    """Answer as the queue does where a scan of two tickers waits already."""
    return {"id": "20260127T150400Z-def456", "state": "queued", "tickers": ["QUIL", "ZORA"], "created": False}
