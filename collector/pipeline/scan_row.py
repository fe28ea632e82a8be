"""The row of a scan: what became of each ticker, its status, its sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from collector.code_version import code_version, library_versions
from collector.pipeline.detect import Detected
from collector.pipeline.plan import ScanPlan
from collector.providers.feeds import joined
from collector.store.staging import Staging


def scan_row(
    staging: Staging,
    plan: ScanPlan,
    collected: Sequence[dict[str, Any]],
    coverage: list[dict[str, Any]],
    detected: Detected,
) -> dict[str, Any]:
    """Return the scan's row, without what only the store knows."""
    outcome = staging.outcome()
    tickers = _ticker_results(plan, collected, outcome)
    stopped = outcome["stopped"] if outcome else "interrupted"
    status, reason = _status(tickers, stopped)
    recorded = [record["recorded_at"] for record in collected if record["chains"]]
    finished = outcome["finished_at"] if outcome else None
    return {
        "feed": joined(record["feed"] for record in collected if record["chains"]) or plan.feed,
        "kind": plan.kind,
        "slot": plan.slot,
        "started_at": plan.started_at,
        "finished_at": finished,
        "as_of": max((record["as_of"] for record in collected if record["as_of"]), default=None),
        "status": status,
        "reason": reason,
        "tickers": tickers,
        "coverage": coverage,
        "chains": sum(len(record["chains"]) for record in collected),
        "contracts": sum(chain["received"] for record in collected for chain in record["chains"]),
        "new_alerts": sum(event.kind == "new" for event in detected.events),
        "grades": dict(sorted(Counter(chain["grade"] for record in collected for chain in record["chains"]).items())),
        "rejections": _summed([record["rejections"] for record in collected]),
        "detectors": list(detected.detectors),
        "near_misses": list(detected.near_misses),
        "provider_calls": outcome["calls"] if outcome else max((row["calls"] for row in collected), default=0),
        "seconds": {"collect": outcome["seconds"] if outcome else None},
        "configuration": plan.configuration,
        "config_hash": plan.config_hash,
        "code_version": code_version(),
        "libraries": library_versions(),
        "watchlist": list(plan.watchlist),
        "rate_curve": _rate_curve(collected),
        "recorded_at": max(recorded, default=finished or plan.started_at.isoformat()),
    }


def _ticker_results(
    plan: ScanPlan, collected: Sequence[dict[str, Any]], outcome: dict[str, Any] | None
) -> dict[str, Any]:
    """Return what became of each ticker, and of expirations that were listed and not received."""
    done = {record["ticker"]: record for record in collected}
    untried = dict(plan.skipped)
    untried.update(outcome["skipped"] if outcome else {})
    for ticker in plan.tickers:
        if ticker not in done:
            untried.setdefault(ticker, "interrupted")
    results: dict[str, Any] = {"requested": list(plan.tickers) + sorted(set(plan.skipped) - set(plan.tickers))}
    results["ok"] = sorted(ticker for ticker, record in done.items() if record["outcome"] == "ok")
    for group in ("failed", "skipped", "not_recorded"):
        results[group] = [
            {"ticker": ticker, "reason": record["reason"], "detail": record["detail"]}
            for ticker, record in sorted(done.items())
            if record["outcome"] == group
        ]
    results["skipped"] += [
        {"ticker": ticker, "reason": reason, "detail": None} for ticker, reason in sorted(untried.items())
    ]
    results["failed"] += [
        {"ticker": ticker, "reason": reason, "detail": f"expiration {expiration}"}
        for ticker, record in sorted(done.items())
        for expiration, reason in sorted(record["failed_expirations"].items())
    ]
    return results


def _status(tickers: dict[str, Any], stopped: str | None) -> tuple[str, str | None]:
    """Return the scan's status and the reason code that explains it."""
    harmless = {"no_options", "bars_only", "not_recorded", "all_expired"}
    untried = [row for row in tickers["skipped"] if row["reason"] not in harmless]
    troubles = tickers["failed"] + untried
    if stopped == "interrupted":
        return "interrupted", "interrupted"
    if not troubles:
        return "ok", None
    reason = stopped or troubles[0]["reason"]
    if tickers["ok"]:
        return "partial", reason
    if not tickers["failed"]:
        return "skipped", reason
    return "failed", reason


def _rate_curve(collected: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the curve of the newest day among the tickers; a constant has no day."""
    curves = [record["rate_curve"] for record in collected if record.get("rate_curve")]
    return max(curves, key=lambda curve: curve["date"] or "", default=None)


def _summed(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    """Add counts by name."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))
