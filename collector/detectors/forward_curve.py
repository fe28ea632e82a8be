"""Forward volatility between neighbouring expirations, per day that counts, against the curve around it.

Variance does not run by the calendar: a session counts as a day, a day without one as a fraction, and the day of an
event of the whole market as more than one. An interval that holds an earnings release is left out, as what the
release brings can't be told from what the interval would hold without it. So what is compared is ordinary variance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from collector.detectors.base import ChainView
from collector.market.calendar import exchange_sessions
from collector.market.events import Event

# Of the variance of a session, what a day without one holds.
CLOSED_DAY = 0.2
# A year of 252 sessions and 113 days without one.
DAYS_A_YEAR = 252 + 113 * CLOSED_DAY
# Variance of an ordinary session that an event's own session holds beyond its own.
EVENT_DAYS: Mapping[str, float] = {"fomc": 1.0, "cpi": 0.7}
# A release whose date is an estimate may be so many days off.
ESTIMATE_OFF = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Interval:
    """The time between two neighbouring expirations, ``near`` None for now.

    Attributes:
        near, far: its chains.
        days: ordinary sessions' worth of variance in it, market-wide events counted as ordinary days are.
        middle: in such days from now.
        variance: per such day; None where total variance falls.
        error: how much of the variance the quotes leave open, as a share of it.
    """

    near: ChainView | None
    far: ChainView
    days: float
    middle: float
    variance: float | None
    error: float


@dataclass(frozen=True, slots=True)
class Kink:
    """An interval against the curve through its neighbours.

    ``ratio`` is its forward volatility over the curve's, ``left`` and ``right`` over each neighbour's, ``error`` what
    the quotes leave open of it, as a share.
    """

    interval: Interval
    forward: float
    curve: float
    ratio: float
    left: float
    right: float
    error: float

    @property
    def strength(self) -> float:
        """How far it is out of line, on either side."""
        return abs(math.log(self.ratio))


def points(
    chains: Iterable[ChainView], minimum_grade: str, least_days: int, apart: int, furthest: int
) -> list[ChainView]:
    """Return the chains that the curve is drawn through, by expiration, so far apart in calendar days.

    The first beyond ``furthest`` days is the last, as a neighbour of those before. Of two roots of one expiration the
    one of the better grade counts, then of the tighter quotes.
    """
    best: dict[date, ChainView] = {}
    for chain in chains:
        if chain.grade > minimum_grade or chain.dte < least_days or not chain.atm_iv or not chain.tenor:
            continue
        other = best.get(chain.expiration)
        if other is None or _order(chain) < _order(other):
            best[chain.expiration] = chain
    kept: list[ChainView] = []
    for _, chain in sorted(best.items()):
        if not kept or chain.dte - kept[-1].dte >= apart:
            kept.append(chain)
        if chain.dte > furthest:
            break
    return kept


def _order(chain: ChainView) -> tuple[str, float, str]:
    return chain.grade, math.inf if chain.relative_spread is None else chain.relative_spread, chain.root


def intervals(chains: Sequence[ChainView], today: date, events: Sequence[Event]) -> list[Interval | None]:
    """Return the interval that ends at each of the chains; None where it holds a release, or what may be one."""
    dated = [(event.date, EVENT_DAYS[event.kind]) for event in events if event.kind in EVENT_DAYS]
    releases = [_span(event) for event in events if event.kind == "earnings"]
    found: list[Interval | None] = []
    start, before, total, left_open, near = today, 0.0, 0.0, 0.0, None
    for chain in chains:
        variance = float(chain.atm_iv or 0.0) ** 2 * float(chain.tenor or 0.0)
        opened = _open(chain) * variance
        worth = ordinary_days(start, chain.expiration)
        worth += sum(extra for day, extra in dated if start < day <= chain.expiration)
        # One of the day of an expiration may come before or after it settles.
        if any(last >= start and first <= chain.expiration for first, last in releases):
            found.append(None)
        else:
            gained = variance - before
            rises = gained > 0 and worth > 0
            per_day, error = (gained / worth, (opened + left_open) / gained) if rises else (None, 0.0)
            found.append(Interval(near, chain, worth, total + worth / 2, per_day, error))
        start, before, total, left_open, near = chain.expiration, variance, total + worth, opened, chain
    return found


def _span(event: Event) -> tuple[date, date]:
    off = timedelta(0) if event.confirmed else ESTIMATE_OFF
    return event.date - off, event.date + off


def _open(chain: ChainView) -> float:
    """Return the share of a chain's total variance that its spread leaves open: half of it, once in each direction."""
    spread = chain.analytics.get("liquidity") or {}
    points = spread.get("spread_in_volatility") if isinstance(spread, Mapping) else None
    return float(points) / float(chain.atm_iv) if points and chain.atm_iv else 0.0


@lru_cache(maxsize=4096)
def ordinary_days(after: date, until: date) -> float:
    """Return the sessions' worth of variance of the days after one date until another, that one included."""
    sessions = len(exchange_sessions().between(after + timedelta(days=1), until))
    return sessions + CLOSED_DAY * ((until - after).days - sessions)


def kinks(found: Sequence[Interval | None], furthest: int) -> list[Kink]:
    """Return each interval that has one on both sides, and ends within ``furthest`` days, against the curve.

    The curve is linear in ln(variance a day) between the middles of the two neighbours.
    """
    result = []
    for left, one, right in zip(found, found[1:], found[2:], strict=False):
        if left is None or one is None or right is None or one.far.dte > furthest:
            continue
        if left.variance is None or one.variance is None or right.variance is None:
            continue
        share = (one.middle - left.middle) / (right.middle - left.middle)
        low, high = math.log(left.variance), math.log(right.variance)
        curve = math.exp(low + share * (high - low))
        result.append(
            Kink(
                interval=one,
                forward=one.variance,
                curve=curve,
                ratio=math.sqrt(one.variance / curve),
                left=math.sqrt(one.variance / left.variance),
                right=math.sqrt(one.variance / right.variance),
                # Of volatility, half of what it is of variance.
                error=(one.error + (1 - share) * left.error + share * right.error) / 2,
            )
        )
    return result
