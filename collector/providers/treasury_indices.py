"""Yahoo's indices of Treasury paper: what each one's close says of which maturity.

They are quoted in per cent, and each in the manner of its paper: ^IRX is the bank discount of the bill of 13 weeks,
^FVX the yield of the 5-year note, compounded twice a year. Per cent becomes a decimal here and nowhere else. Between
these two lie the tenors of nearly all options, so that the longer ones (^TNX, ^TYX) are not worth a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from collector.market.rates import RateBasis, TreasuryYield


@dataclass(frozen=True, slots=True)
class TreasuryIndex:
    """Days to maturity, and what kind of per cent is quoted."""

    days: int
    basis: RateBasis


INDICES: Mapping[str, TreasuryIndex] = {
    "^IRX": TreasuryIndex(91, "discount"),
    "^FVX": TreasuryIndex(5 * 365, "bond_equivalent"),
}
# Days back from the asked one in which a close still says what paper yields: a long weekend, and some to spare.
LOOK_BACK = timedelta(days=10)
PER_CENT = 100.0


def newest_yield(
    symbol: str, closes: Iterable[tuple[date, float | None]], day: date, known_at: datetime
) -> TreasuryYield | None:
    """Return what the newest close of an index at or before ``day`` says; None without one in LOOK_BACK.

    Args:
        symbol: one of INDICES.
        closes: dates with their close in per cent, in any order; None where a date has none.
        day: New York date.
        known_at: when they were stated.
    """
    near = [(at, close) for at, close in closes if close is not None and day - LOOK_BACK <= at <= day]
    if not near:
        return None
    newest, percent = max(near)
    index = INDICES[symbol]
    return TreasuryYield(newest, index.days, percent / PER_CENT, index.basis, "treasury", known_at)
