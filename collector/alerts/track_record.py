"""A detector's record: how often its claims came true, beside how often the same comes true anyway.

    hit rate    hits / n over its alerts whose outcome is known, with Wilson's interval
    median      of the change counted in the claim's favour
    base rate   the same claim held against every session of the same tickers, alert or not

The base rate of a detector at a horizon of k sessions: all pairs of a ticker that has an alert among the n and a
session from the first of their sessions to the last, of which the figure then and k sessions later is known; the share
of pairs whose claim came true. Where its alerts claim different things (the spot up, the spot down), each claim's share
counts as often as it was made. A claim on one chain's volatility is held against the ticker's 30-day one, a release's
move against the move of any k sessions. Source of the interval: E. B. Wilson, JASA 22 (1927), 209-212.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.alerts.claims import DAYS_A_YEAR, STAYS
from collector.alerts.outcomes import Horizon
from collector.detectors.base import Claim
from collector.detectors.past import PastSessions

Floats = NDArray[np.float64]
Hits = tuple[NDArray[np.bool_], NDArray[np.bool_]]

# The 97.5 % point of the normal distribution: an interval of 95 %.
Z = 1.959963984540054
# Below so many outcomes a rate says nothing.
PROVEN = 20
# The horizon that is shown beside a new alert.
SHOWN: Horizon = "5"


@dataclass(frozen=True, slots=True)
class Judged:
    """A known outcome: of which ticker's alert, of which session, what it claimed and whether that came true.

    ``favour`` is the sign of the change that was claimed, 1 where the claim has none.
    """

    ticker: str
    session: date
    claim: Claim
    metric: str
    favour: float
    hit: bool
    gain: float


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """The record of a detector at one horizon; rates are shares (0-1), None without outcomes."""

    detector: str
    horizon: Horizon
    n: int
    hits: int
    hit_rate: float | None
    low: float | None
    high: float | None
    median: float | None
    base_rate: float | None
    base_n: int
    text: str

    def to_json(self) -> dict[str, Any]:
        """Return an alert's ``track_record``."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Sessions:
    """A ticker's sessions for the base rate: its figures, each session's ordinal, and prices with splits undone."""

    past: PastSessions
    ordinal: NDArray[np.int64]
    price: Floats


def track_record(
    detector: str,
    horizon: Horizon,
    sessions_ahead: int | None,
    judged: Sequence[Judged],
    pasts: Mapping[str, Sessions],
) -> TrackRecord:
    """Return a detector's record at one horizon.

    Args:
        detector: its name.
        horizon: which.
        sessions_ahead: sessions of the horizon; None (expiration) has no base rate.
        judged: its alerts' known outcomes at that horizon.
        pasts: the sessions of their tickers, as far as they are known.
    """
    n, hits = len(judged), sum(one.hit for one in judged)
    low, high = wilson(hits, n) if n else (None, None)
    base, pairs = base_rate(judged, pasts, sessions_ahead) if sessions_ahead is not None else (None, 0)
    rate = hits / n if n else None
    return TrackRecord(
        detector=detector,
        horizon=horizon,
        n=n,
        hits=hits,
        hit_rate=rate,
        low=low,
        high=high,
        median=float(median(one.gain for one in judged)) if judged else None,
        base_rate=base,
        base_n=pairs,
        text=_text(n, hits, low, high, base),
    )


def unproven(detector: str) -> TrackRecord:
    """Return the record of a detector without any outcome."""
    return track_record(detector, SHOWN, None, (), {})


def wilson(hits: int, n: int, z: float = Z) -> tuple[float, float]:
    """Return Wilson's score interval of a share of ``hits`` in ``n``; 95 % unless ``z`` says otherwise.

    Raises:
        ValueError: n is not above 0, or hits is not within 0 and n.
    """
    if n < 1 or not 0 <= hits <= n:
        raise ValueError(f"{hits} hits of {n}: n has to be 1 or more and hits within 0 and n")
    share, square = hits / n, z * z
    centre = share + square / (2 * n)
    width = z * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    scale = 1 + square / n
    return max((centre - width) / scale, 0.0), min((centre + width) / scale, 1.0)


def _text(n: int, hits: int, low: float | None, high: float | None, base: float | None) -> str:
    if n < PROVEN or low is None or high is None:
        return f"unproven: n = {n}"
    beside = "" if base is None else f"; base rate {base:.0%}"
    return f"{hits} of {n} came true ({hits / n:.0%}, 95 % interval {low:.0%} to {high:.0%}){beside}"


def base_rate(judged: Sequence[Judged], pasts: Mapping[str, Sessions], sessions_ahead: int) -> tuple[float | None, int]:
    """Return the share of pairs whose claim came true, and how many pairs there are; None without a pair."""
    if not judged:
        return None, 0
    first, last = min(one.session for one in judged), max(one.session for one in judged)
    tickers = sorted({one.ticker for one in judged if one.ticker in pasts})
    total, weight, most = 0.0, 0, 0
    kinds = Counter((one.claim, one.metric, one.favour) for one in judged)
    for (claim, metric, favour), count in sorted(kinds.items()):
        known = [_pairs(pasts[ticker], first, last, sessions_ahead, claim, metric, favour) for ticker in tickers]
        pairs, hits = sum(size for size, _ in known), sum(true for _, true in known)
        if pairs:
            total, weight, most = total + count * hits / pairs, weight + count, max(most, pairs)
    return (total / weight, most) if weight else (None, 0)


def _pairs(
    sessions: Sessions, first: date, last: date, ahead: int, claim: Claim, metric: str, favour: float
) -> tuple[int, int]:
    """Return how many of a ticker's pairs are known, and of how many the claim came true."""
    ordinal = sessions.ordinal
    at = np.searchsorted(ordinal, ordinal + ahead)
    there = at < len(ordinal)
    there[there] = ordinal[at[there]] == ordinal[there] + ahead
    within = np.array([first <= day <= last for day in sessions.past.dates], dtype=np.bool_)
    then = np.flatnonzero(there & within)
    if not then.size:
        return 0, 0
    known, true = _CLAIMS[claim](sessions, then, at[then], metric, favour)
    return int(known.sum()), int((known & true).sum())


def _moved(values: Floats, then: Any, now: Any, favour: float) -> Hits:
    change = favour * (values[now] - values[then])
    return np.isfinite(change), change > 0


def _figure(sessions: Sessions, name: str) -> Floats:
    values = sessions.past.figures.get(name)
    return np.full(len(sessions.ordinal), np.nan) if values is None else values


def _volatility(sessions: Sessions, then: Any, now: Any, metric: str, favour: float) -> Hits:
    return _moved(_figure(sessions, "iv_30d"), then, now, favour)


def _stays(sessions: Sessions, then: Any, now: Any, metric: str, favour: float) -> Hits:
    values = _figure(sessions, "iv_30d")
    room = STAYS * values[then] - np.abs(values[now] - values[then])
    return np.isfinite(room), room >= 0


def _within(sessions: Sessions, then: Any, now: Any, metric: str, favour: float) -> Hits:
    days = np.array(sessions.past.dates, dtype="datetime64[D]").astype(np.float64)
    implied = _figure(sessions, "iv_30d")[then] * np.sqrt((days[now] - days[then]) / DAYS_A_YEAR)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = implied - np.abs(np.log(sessions.price[now] / sessions.price[then]))
    return np.isfinite(gain), gain >= 0


def _spot(sessions: Sessions, then: Any, now: Any, metric: str, favour: float) -> Hits:
    return _moved(sessions.price, then, now, favour)


def _own(sessions: Sessions, then: Any, now: Any, metric: str, favour: float) -> Hits:
    return _moved(_figure(sessions, metric), then, now, favour)


_CLAIMS: dict[Claim, Callable[[Sessions, Any, Any, str, float], Hits]] = {
    "iv_rises": _volatility,
    "iv_falls": _volatility,
    "iv_stays": _stays,
    "move_within_implied": _within,
    "metric_reverts": _own,
    "spot_follows": _spot,
    "realised_rises": _own,
}
