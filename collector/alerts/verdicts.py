"""What the next session's open interest says of an alert on a contract's activity: opened, closed, mixed or unknown.

Open interest is counted at the end of a session and known the morning after: that of today is yesterday's. So an alert
of session S is judged by the first usable chain of a later market date whose open interest is S's, against the open
interest that the alert saw, which was that of the session before S:

    change = open interest of S - open interest of the session before S

Each contract traded adds one (both sides open), takes one (both close) or leaves it (one side each). Before that
nothing is said of positions. A chain that states no open interest at all is waited out: the next scan may. An alert
gets one verdict, and keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Literal

import numpy as np

from collector.detectors.base import ChainView, TickerView
from collector.detectors.levels import check_number
from collector.market.calendar import Sessions

Outcome = Literal["opened", "closed", "mixed", "unknown"]
Record = Mapping[str, Any]

# Detectors whose alerts are on what one contract traded.
JUDGED = frozenset({"unusual_activity"})
# The last grade of a chain that counts.
USABLE_GRADE = "D"


@dataclass(frozen=True, slots=True)
class Config:
    """Levels of the verdict.

    Attributes:
        opened: change over the volume that the alert saw, from which on the trades opened positions.
        closed: fall over that volume, from which on they closed positions.
    """

    opened: float = 0.3
    closed: float = 0.3

    def __post_init__(self) -> None:
        """Refuse levels that can't work, naming the field."""
        for name, value in asdict(self).items():
            check_number(name, value, 0.01, 1.0)


@dataclass(frozen=True, slots=True)
class Seen:
    """What an alert saw in the session in which it began: its most volume, and the newest open interest of before.

    ``open_interest_date`` is the session at whose end that was counted; both are None where none was known.
    """

    volume: int
    open_interest: int | None = None
    open_interest_date: date | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict: ``documents.VERDICT_FIELDS``. ``market_date`` and ``decided_at`` are those of the chain it is from."""

    verdict: Outcome
    market_date: date
    decided_at: datetime
    open_interest_before: int | None = None
    open_interest_after: int | None = None
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        before, after = self.open_interest_before, self.open_interest_after
        return {
            "verdict": self.verdict,
            "open_interest_before": before,
            "open_interest_after": after,
            "change": None if before is None or after is None else after - before,
            "market_date": self.market_date.isoformat(),
            "decided_at": f"{self.decided_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "reason": self.reason,
        }


def awaits(record: Record, market_date: date) -> bool:
    """Return whether an alert's verdict is due: one on activity, of an earlier session, that has none yet."""
    return record["detector"] in JUDGED and record["verdict"] is None and record["session"] < market_date.isoformat()


def verdict(record: Record, seen: Seen, view: TickerView, sessions: Sessions, config: Config) -> Verdict | None:
    """Return the verdict on an alert from this scan's chain of its contract, None where it is not there yet.

    Args:
        record: the alert, for which ``awaits`` holds.
        seen: what it saw in its first session.
        view: the ticker in this scan.
        sessions: the provider's calendar.
        config: the levels.
    """
    session = date.fromisoformat(record["session"])
    metrics = record["metrics"]
    unknown = Verdict("unknown", view.market_date, view.as_of, seen.open_interest)
    chain = _chain(metrics, view)
    if chain is None:
        settled = datetime.fromisoformat(metrics["settlement_time"]) <= view.as_of
        return replace(unknown, reason="contract_expired") if settled else None
    counted = chain.open_interest_date
    if counted is None or counted < session:
        return None
    if counted > session:
        return replace(unknown, reason="several_sessions")
    if chain.totals.get("open_interest") is None:
        return None
    after = _after(metrics["contract_symbol"], view)
    if isinstance(after, str):
        return replace(unknown, reason=after)
    unknown = replace(unknown, open_interest_after=after)
    if seen.open_interest is None:
        return replace(unknown, reason="open_interest_unknown")
    if seen.open_interest_date != sessions.previous(session).date:
        return replace(unknown, reason="several_sessions")
    return replace(unknown, verdict=_outcome(after - seen.open_interest, seen.volume, config))


def _outcome(change: int, volume: int, config: Config) -> Outcome:
    if change >= config.opened * volume:
        return "opened"
    return "closed" if -change >= config.closed * volume else "mixed"


def _chain(metrics: Record, view: TickerView) -> ChainView | None:
    """Return the usable chain of the alert's contract, None where this scan has none."""
    wanted = metrics["root"], date.fromisoformat(metrics["expiration"])
    for chain in view.chains:
        if (chain.root, chain.expiration) == wanted and chain.grade <= USABLE_GRADE:
            return chain
    return None


def _after(symbol: str, view: TickerView) -> int | str:
    """Return the contract's open interest in this scan, or the reason code why it is not known."""
    frame = view.contracts
    rows = np.flatnonzero(frame["contract_symbol"].to_numpy() == symbol)
    if not rows.size:
        return "contract_missing"
    row = int(rows[0])
    if bool(frame["adjusted"].iloc[row]):
        return "contract_adjusted"
    value = float(frame["open_interest"].iloc[row])
    return int(value) if np.isfinite(value) else "open_interest_unknown"
