"""A ticker's figures of this scan as detectors read them: numbers that are numbers, or why not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from collector.detectors.base import TickerView

MONTH = 30


def number(features: Mapping[str, Any], name: str) -> float | None:
    """Return a figure; None where it is null or not finite."""
    value = features.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None


def positive(features: Mapping[str, Any], name: str) -> float | None:
    """Return a figure above 0, else None."""
    value = number(features, name)
    return value if value is not None and value > 0 else None


def day(features: Mapping[str, Any], name: str) -> date | None:
    """Return a date; None where it is null."""
    value = features.get(name)
    return date.fromisoformat(value) if isinstance(value, str) else value


def why_null(features: Mapping[str, Any], *names: str) -> str:
    """Return the reason of the first of the figures that is null and says why."""
    reasons = features.get("reasons") or {}
    return next((str(reasons[name]) for name in names if reasons.get(name)), "no_usable_chain")


def month_grade(view: TickerView, minimum: str) -> str | None:
    """Return the grade of the chains around 30 days where it is at least ``minimum``, else None."""
    grade = view.features.get("iv_grade")
    return grade if isinstance(grade, str) and grade <= minimum else None


def ordinary_volatility(features: Mapping[str, Any], level: float) -> float | None:
    """Return the 30-day volatility without what the next earnings release adds to it.

    None where the release is in it and its variance is not known, or is all of it.

    Args:
        features: with term_structure, implied_earnings_move and implied_earnings_expiration.
        level: iv_30d, above 0.
    """
    share = release_share(features)
    if share == 0.0:
        return level
    move = number(features, "implied_earnings_move")
    if move is None:
        unpriced = (features.get("reasons") or {}).get("implied_earnings_move") == "no_event_variance"
        return level if unpriced else None
    variance = level**2 - share * move**2 * 365.0 / MONTH
    return math.sqrt(variance) if variance > 0 else None


def release_share(features: Mapping[str, Any]) -> float:
    """Return which share of the next release's variance iv_30d holds, 0-1.

    All where the last expiration within 30 days follows the release; where only the first beyond does, what the
    interpolation between the two takes of it.
    """
    first = day(features, "implied_earnings_expiration")
    used = [point for point in features.get("term_structure") or () if point.get("used")]
    near = [point for point in used if point["days"] <= MONTH]
    far = [point for point in used if point["days"] >= MONTH]
    if first is None or not near or not far:
        return 0.0
    last, beyond = near[-1], far[0]
    if day(last, "expiration") >= first:  # type: ignore[operator]
        return 1.0
    if day(beyond, "expiration") < first:  # type: ignore[operator]
        return 0.0
    return float((MONTH - last["days"]) / (beyond["days"] - last["days"]))
