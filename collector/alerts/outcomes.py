"""One alert at one horizon: what is held against what, and what came of it. How, collector/alerts/claims.py says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, get_args

from collector.detectors.base import Claim
from collector.market.calendar import CalendarError, Sessions

Horizon = Literal["1", "5", "20", "expiration"]
HORIZONS: tuple[Horizon, ...] = get_args(Horizon)
SESSIONS: dict[Horizon, int] = {"1": 1, "5": 5, "20": 20}


@dataclass(frozen=True, slots=True)
class Standing:
    """The figures that stand for one session.

    ``figures`` are the ticker's (``documents.FEATURE_FIELDS``), ``volatilities`` the chains' at-the-money ones by
    ``expiration:root``, ``mids`` contracts' mids by symbol where the quote was two-sided.
    """

    market_date: date
    figures: Mapping[str, Any]
    volatilities: Mapping[str, float | None] = field(default_factory=dict)
    mids: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Release:
    """The release that an alert waits for: the first session after it, the spot before and after (None: unknown)."""

    first_session: date
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class Case:
    """One alert at one horizon.

    ``alert`` is its record as it began. ``then`` are the figures of the scan that raised it, ``now`` those that stand
    for ``market_date``, None where there are none. ``split`` is what a price of then is divided by to compare with now.
    """

    alert: Mapping[str, Any]
    claim: Claim | None
    horizon: Horizon
    market_date: date
    then: Standing | None
    now: Standing | None
    split: float = 1.0
    release: Release | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an alert at one horizon.

    ``gain`` is the change counted in the claim's ``favour`` (1 up, -1 down); ``hit`` whether the claim came true;
    ``net`` what a trade brought; ``reason`` why hit, or else net, is None.
    """

    horizon: Horizon
    market_date: date
    metric: str | None = None
    value_then: float | None = None
    value_now: float | None = None
    change: float | None = None
    gain: float | None = None
    hit: bool | None = None
    net: float | None = None
    reason: str | None = None
    favour: float = 1.0

    def to_json(self) -> dict[str, Any]:
        """Return the alert's member of ``outcomes``."""
        return {
            "horizon": self.horizon,
            "market_date": self.market_date.isoformat(),
            "metric": self.metric,
            "value_then": self.value_then,
            "value_now": self.value_now,
            "change": self.change,
            "hit": self.hit,
            "net": self.net,
            "reason": self.reason,
        }


def due_date(session: date, horizon: Horizon, settlement_time: datetime | None, sessions: Sessions) -> date | None:
    """Return the session whose figures decide, None where the alert's subject does not die or the calendar ends.

    Args:
        session: in which the alert began.
        horizon: how far.
        settlement_time: when what it is about settles, None where it does not. At expiration the last session decides
            that had closed by then: for what settles at the open, the one before.
        sessions: the provider's calendar.
    """
    try:
        if horizon != "expiration":
            return sessions.offset(session, SESSIONS[horizon]).date
        return None if settlement_time is None else sessions.last_closed(settlement_time).date
    except CalendarError:
        return None


def chain_of(alert: Mapping[str, Any]) -> str | None:
    """Return ``expiration:root`` of the chain that an alert is about, None where it is about the ticker."""
    metrics, subject = alert["metrics"], str(alert["subject"])
    if not subject:
        return None
    if ":" in subject:
        return subject
    expiration, root = metrics.get("expiration"), metrics.get("root")
    return f"{expiration}:{root}" if expiration and root else None


def number(value: Any) -> float | None:
    """Return a finite number, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
