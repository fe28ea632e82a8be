"""How well the quotes of a chain agree with one forward and with one volatility a strike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.analytics.forward import Forwards, SingleForwards
from collector.analytics.greeks import POINT, Greeks
from collector.analytics.iv_status import IvStatus
from collector.analytics.terms import Booleans, Floats, Integers

# Single forwards are compared over strikes this close to the forward.
NEAR = 0.02
# Call and put of a strike are not quoted at one instant: their bands may meet at a forward this far off.
FORWARD_SLACK = 5e-4
_UNDER_THE_BOUND = (IvStatus.BELOW_BOUND, IvStatus.EXERCISE_REGION)


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """Shares are 0 to 1, NaN where there is nothing to take a share of.

    Attributes:
        strikes_used: strikes whose call and put the forward was drawn through; 0 where it comes from elsewhere.
        forward_low, forward_high: dollars a share, what the quotes of the strikes used within 2 % of the forward leave
            it; low above high where they contradict each other, NaN without such strikes.
        inside_band: share of the pairs of strikes within 2 % of which the forward of one lies in the other's band,
            which call bid less put ask and call ask less put bid leave it.
        pairs: strikes within a standard deviation of the tenor whose call and put are quoted on both sides.
        both_implied: share of the pairs that have a volatility from each side's own quotes.
        overlap: share of the pairs whose bands of volatility, [bid_iv, ask_iv] of call and put, meet at a forward
            within 5 basis points.
        strict_overlap: the same at the forward itself.
    """

    strikes_used: int
    forward_low: float
    forward_high: float
    inside_band: float
    pairs: int
    both_implied: float
    overlap: float
    strict_overlap: float


@dataclass(frozen=True, slots=True)
class Sides:
    """What was computed of each contract row, shape (n,)."""

    bid_iv: Floats
    ask_iv: Floats
    bid_iv_status: np.ndarray[tuple[int, ...], np.dtype[np.int8]]
    greeks: Greeks


def chain_facts(found: Forwards, sides: Sides) -> tuple[ChainFacts, ...]:
    """Return the facts of each chain of ``found.terms``."""
    pairs, terms = found.pairs, found.terms
    place = np.log(pairs.strike / terms.forward[pairs.chain])
    near = np.flatnonzero(np.abs(place) <= found.deviation[pairs.chain])
    chain, call, put = pairs.chain[near], pairs.call[near], pairs.put[near]
    low, high = _bands(sides, call), _bands(sides, put)
    apart = np.maximum(low[0], high[0]) - np.minimum(low[1], high[1])
    moved = np.abs(sides.greeks.delta[call]) + np.abs(sides.greeks.delta[put])
    vega = (sides.greeks.vega[call] + sides.greeks.vega[put]) / (2.0 * POINT)
    with np.errstate(invalid="ignore", divide="ignore"):
        slack = FORWARD_SLACK * (terms.forward * terms.discount)[chain] * moved / vega
        meets, meets_near = apart <= 0, apart <= slack
    known = np.isfinite(apart)
    m = len(terms.tenor)
    count = np.bincount(chain, minlength=m)
    both, overlap, strict = (_shares(mark, chain, count) for mark in (known, known & meets_near, known & meets))
    bands = [_single_forwards(found.singles, number, terms.forward[number]) for number in range(m)]
    return tuple(
        ChainFacts(*band, int(count[number]), float(both[number]), float(overlap[number]), float(strict[number]))
        for number, band in enumerate(bands)
    )


def _bands(sides: Sides, rows: Integers) -> tuple[Floats, Floats]:
    """Return the bands of volatility of contracts; a bid under the bound leaves it open to 0."""
    under = np.isin(sides.bid_iv_status[rows], _UNDER_THE_BOUND)
    return np.where(under, 0.0, sides.bid_iv[rows]), sides.ask_iv[rows]


def _shares(marked: Booleans, chain: Integers, count: Integers) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.bincount(chain, weights=marked, minlength=len(count)) / count


def _single_forwards(singles: SingleForwards, number: int, forward: float) -> tuple[int, float, float, float]:
    """Return how many strikes were used, the band that those near the money leave, and how far they agree."""
    own = np.flatnonzero(singles.chain == number)
    near = own[np.abs(singles.strike[own] / forward - 1.0) <= NEAR]
    if not near.size:
        return len(own), np.nan, np.nan, np.nan
    single, half = singles.forward[near], singles.half[near]
    inside = np.abs(single[:, None] - single[None, :]) <= np.maximum(half[:, None], half[None, :])
    return len(own), float((single - half).max()), float((single + half).min()), float(inside.mean())
