"""Grades a chain from facts: A (best) to F.

Near the money is |ln(K / reference)| <= deviation. The reference is the forward by parity, K + C - P of mids, at the
two-sided strike of least |C - P|; the deviation is 1.25 times that strike's straddle over the forward (the straddle is
about 0.8 standard deviations of the tenor), at least 5 %. Without such a strike the reference is the spot and the
deviation 5 %.

Where volatilities were computed their evidence counts too: the forward behind them is the reference, rows that break
no-arbitrage bounds and strikes whose call and put disagree on volatility lower the grade. The vendor's own volatility
is compared as a fact and lowers nothing: it is the vendor's.

The cut-offs were tuned on recorded chains: in the session those at 7 days and more are A or B but for the minutes in
which a feed's quotes come back, the one that expires the same day falls to C as its far strikes lose their bids, and
every chain recorded before the feed serves quotes is F.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from collector.analytics.median import median
from collector.analytics.strike_places import strike_places
from collector.market.calendar import QuoteMoment

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
# The price that 'near the money' is measured from, where it comes from, and the deviation.
Reference = tuple[float | None, str | None, float]

GRADES = ("A", "B", "C", "D", "E", "F")
USABLE = frozenset("ABCD")

MINIMUM_DEVIATION = 0.05
STRADDLE_TO_DEVIATION = 1.25
MINIMUM_CONTRACTS = 4


@dataclass(frozen=True, slots=True)
class CutOff:
    """What a grade asks for: at least this two-sided share and band overlap, at most this spread and share at fault."""

    grade: str
    two_sided_share: float
    median_relative_spread: float
    at_fault_share: float = 1.0
    band_overlap_share: float = 0.0


CUT_OFFS = (
    CutOff("A", 0.95, 0.05, 0.10, 0.90),
    CutOff("B", 0.80, 0.15, 0.40, 0.60),
    CutOff("C", 0.60, 0.25, 0.60, 0.30),
    CutOff("D", 0.40, 0.50),
    CutOff("E", 0.10, 1.00),
)

# The clock caps a grade: quotes that stand outside a session look alive and may not be; quotes older than the feed's
# delay explains are worse. Open interest of 0 everywhere means that it is not known.
CAP_OUTSIDE_SESSION = "B"
CAP_STALE = "C"
CAP_OPEN_INTEREST_UNKNOWN = "C"
STALE_AFTER = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Quality:
    """A grade, the codes of what lowered it (exports/reasons.py), and the facts (exports/documents.py)."""

    grade: str
    reasons: tuple[str, ...]
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Quotes:
    """The columns of one chain that a grade looks at, shape (n,), NaN for null. ``flagged`` marks faults of a row."""

    strike: FloatArray
    is_call: BoolArray
    bid: FloatArray
    ask: FloatArray
    mid: FloatArray
    open_interest: FloatArray
    adjusted: BoolArray
    flagged: BoolArray


@dataclass(frozen=True, slots=True)
class Evidence:
    """What computing a chain's volatilities showed of its quotes.

    Attributes:
        forward: the chain's forward, None where none was found.
        at_fault: shape (n,), rows that break no-arbitrage bounds across the spreads.
        band_overlap_share: see exports/documents.py, None without strikes to tell by.
        implied_volatility, vendor_implied_volatility: shape (n,), decimal per year, NaN for null.
    """

    forward: float | None
    at_fault: BoolArray
    band_overlap_share: float | None
    implied_volatility: FloatArray
    vendor_implied_volatility: FloatArray


def grade(
    quotes: Quotes,
    spot: float | None,
    moment: QuoteMoment,
    evidence: Evidence | None = None,
    by_quotes: Reference | None = None,
) -> Quality:
    """Grade one chain.

    Args:
        quotes: its columns.
        spot: the underlying's price as stated, None where it is not.
        moment: when the quotes were made and when they came.
        evidence: what its volatilities show; without it the quotes alone are judged.
        by_quotes: what reference_price returns of these quotes and spot, where that is known already.
    """
    regular = ~quotes.adjusted
    reference, source, deviation = by_quotes or reference_price(quotes, spot)
    if evidence is not None and evidence.forward is not None:
        reference, source = evidence.forward, "forward"
    near = np.zeros(len(regular), dtype=bool)
    if reference is not None:
        near = regular & (np.abs(np.log(quotes.strike / reference)) <= deviation)
    two_sided = near & ~np.isnan(quotes.mid)
    spreads = (quotes.ask[two_sided] - quotes.bid[two_sided]) / quotes.mid[two_sided]
    share = float(two_sided.sum() / near.sum()) if near.any() else None
    spread = median(spreads) if len(spreads) else None
    held = quotes.open_interest[regular]
    known = bool(held[~np.isnan(held)].sum() > 0)
    age = (moment.stamp - moment.quote_time).total_seconds()
    facts = {
        "contracts": int(regular.sum()),
        "near_the_money": int(near.sum()),
        "two_sided": int(two_sided.sum()),
        "two_sided_share": share,
        "median_relative_spread": spread,
        "deviation": deviation if reference is not None else None,
        "reference_price": reference,
        "reference_source": source,
        "quote_age_seconds": age,
        "open_interest_known": known,
        "adjusted": int(quotes.adjusted.sum()),
        "flagged_rows": int((quotes.flagged & regular).sum()),
        **_evident(evidence, near, two_sided),
    }
    quoted, reasons = _by_quotes(facts, share, spread)
    worst, caps = _caps(moment, age, known)
    return Quality(max(quoted, worst), tuple(reasons + caps), facts)


def reference_price(quotes: Quotes, spot: float | None) -> Reference:
    """Return what 'near the money' is measured from, where it comes from (parity or spot), and the deviation."""
    usable = ~quotes.adjusted & ~np.isnan(quotes.mid)
    calls, puts = usable & quotes.is_call, usable & ~quotes.is_call
    listed, place = strike_places(quotes.strike)
    at_call, at_put = (_first(rows, place, len(listed)) for rows in (calls, puts))
    both = (at_call >= 0) & (at_put >= 0)
    strikes, at_call, at_put = listed[both], at_call[both], at_put[both]
    if len(strikes):
        call, put = quotes.mid[at_call], quotes.mid[at_put]
        best = int(np.argmin(np.abs(call - put)))
        forward = float(strikes[best] + call[best] - put[best])
        if forward > 0:
            straddle = float(call[best] + put[best])
            return forward, "parity", max(STRADDLE_TO_DEVIATION * straddle / forward, MINIMUM_DEVIATION)
    if spot is not None and spot > 0:
        return spot, "spot", MINIMUM_DEVIATION
    return None, None, MINIMUM_DEVIATION


def _first(rows: BoolArray, place: npt.NDArray[np.intp], strikes: int) -> npt.NDArray[np.intp]:
    """Return for each strike the first of the chosen rows that has it, -1 where none has."""
    found = np.full(strikes, -1, dtype=np.intp)
    chosen = np.flatnonzero(rows)[::-1]
    found[place[chosen]] = chosen
    return found


def _evident(evidence: Evidence | None, near: BoolArray, two_sided: BoolArray) -> dict[str, Any]:
    """Return the facts that rest on volatilities."""
    if evidence is None:
        names = ("at_fault", "at_fault_share", "band_overlap_share", "vendor_difference", "vendor_compared")
        return dict.fromkeys(names)
    at_fault, quoted = int((evidence.at_fault & two_sided).sum()), int(two_sided.sum())
    difference = np.abs(evidence.implied_volatility - evidence.vendor_implied_volatility)[near]
    compared = difference[np.isfinite(difference)]
    return {
        "at_fault": at_fault,
        "at_fault_share": at_fault / quoted if quoted else None,
        "band_overlap_share": evidence.band_overlap_share,
        "vendor_difference": median(compared) if compared.size else None,
        "vendor_compared": int(compared.size),
    }


def _by_quotes(facts: dict[str, Any], share: float | None, spread: float | None) -> tuple[str, list[str]]:
    """Return the grade that the quotes alone earn, and what lowered it."""
    if facts["contracts"] == 0:
        return "F", ["no_contracts"]
    if facts["contracts"] < MINIMUM_CONTRACTS or (facts["near_the_money"] == 0 and facts["reference_price"]):
        return "F", ["too_few_contracts"]
    if facts["reference_price"] is None:
        return "F", ["no_reference_price"]
    if share is None or spread is None or facts["two_sided"] == 0:
        return "F", ["no_two_sided_quotes"]
    # Without strikes or rows to tell by, what volatilities would show speaks neither for the chain nor against it.
    at_fault = facts["at_fault_share"] or 0.0
    overlap = 1.0 if facts["band_overlap_share"] is None else facts["band_overlap_share"]
    earned = "F"
    for cut in CUT_OFFS:
        if (
            share >= cut.two_sided_share
            and spread <= cut.median_relative_spread
            and at_fault <= cut.at_fault_share
            and overlap >= cut.band_overlap_share
        ):
            earned = cut.grade
            break
    best = CUT_OFFS[0]
    lowered = {
        "few_two_sided_quotes": share < best.two_sided_share,
        "wide_spreads": spread > best.median_relative_spread,
        "many_breaches": at_fault > best.at_fault_share,
        "sides_disagree": overlap < best.band_overlap_share,
    }
    return earned, [reason for reason, holds in lowered.items() if holds]


def _caps(moment: QuoteMoment, age: float, open_interest_known: bool) -> tuple[str, list[str]]:
    """Return the best grade that clock and open interest allow, and why it is not A."""
    cap = "A"
    reasons: list[str] = []
    if not moment.in_session:
        cap, reasons = max(cap, CAP_OUTSIDE_SESSION), [*reasons, "outside_session"]
    elif age > STALE_AFTER.total_seconds():
        cap, reasons = max(cap, CAP_STALE), [*reasons, "stale_quotes"]
    if not open_interest_known:
        cap, reasons = max(cap, CAP_OPEN_INTEREST_UNKNOWN), [*reasons, "open_interest_unknown"]
    return cap, reasons


def is_usable(letter: str) -> bool:
    """Say whether a chain of this grade is served and aggregated (A to D)."""
    return letter in USABLE


def at_least(letter: str, minimum: str) -> bool:
    """Say whether a grade is as good as ``minimum`` or better."""
    return letter <= minimum
