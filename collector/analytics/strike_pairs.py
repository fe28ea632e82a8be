"""Strikes quoted on both sides, and a first look at where a chain's forward lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.analytics.quote_rows import QuoteRows
from collector.analytics.robust_lines import group_medians
from collector.analytics.terms import Booleans, Floats, Integers

# A straddle at the forward is worth about .8 standard deviations of the tenor.
STRADDLE_TO_DEVIATION = 1.25
NEAREST = 5


@dataclass(frozen=True, slots=True)
class StrikePairs:
    """Strikes of which call and put are quoted on both sides, shape (k,), sorted by chain and strike.

    Attributes:
        chain, strike: of the pair.
        call, put: their row numbers.
        call_mid, put_mid: dollars a share.
        half: half the width of the band that the quotes leave C - P, dollars a share.
    """

    chain: Integers
    strike: Floats
    call: Integers
    put: Integers
    call_mid: Floats
    put_mid: Floats
    half: Floats

    @property
    def gap(self) -> Floats:
        """Return C - P of the mids."""
        difference: Floats = self.call_mid - self.put_mid
        return difference

    def of(self, pairs: Booleans | Integers) -> StrikePairs:
        """Return some of the pairs."""
        return StrikePairs(
            self.chain[pairs],
            self.strike[pairs],
            self.call[pairs],
            self.put[pairs],
            self.call_mid[pairs],
            self.put_mid[pairs],
            self.half[pairs],
        )


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What mids alone tell of m chains, NaN without a pair: forward, dollars a share, and deviation, the standard
    deviation of ln(price) to settlement.
    """

    forward: Floats
    deviation: Floats


def strike_pairs(rows: QuoteRows) -> StrikePairs:
    """Return the strikes quoted on both sides; of a contract listed twice the first row counts."""
    at = np.flatnonzero(rows.two_sided & (rows.strike > 0))
    order = at[np.lexsort((at, rows.sign[at], rows.strike[at], rows.chain[at]))]
    chain, strike, sign = rows.chain[order], rows.strike[order], rows.sign[order]
    alike = (chain[1:] == chain[:-1]) & (strike[1:] == strike[:-1])
    first = np.append(True, ~(alike & (sign[1:] == sign[:-1]))) if len(order) else np.zeros(0, dtype=bool)
    order, chain, strike, sign = order[first], chain[first], strike[first], sign[first]
    alike = (chain[1:] == chain[:-1]) & (strike[1:] == strike[:-1])
    # Puts stand before calls.
    puts = np.flatnonzero(alike & (sign[:-1] < 0) & (sign[1:] > 0))
    call, put = order[puts + 1], order[puts]
    return StrikePairs(
        chain=rows.chain[call],
        strike=rows.strike[call],
        call=call,
        put=put,
        call_mid=(rows.bid[call] + rows.ask[call]) / 2,
        put_mid=(rows.bid[put] + rows.ask[put]) / 2,
        half=(rows.ask[call] - rows.bid[call] + rows.ask[put] - rows.bid[put]) / 2,
    )


def first_look(pairs: StrikePairs, chains: int) -> FirstLook:
    """Return the median of K + C - P over the strikes of least |C - P|, and the deviation by the straddles there."""
    nearest = _smallest(np.abs(pairs.gap), pairs.chain, NEAREST)
    forward = group_medians((pairs.strike + pairs.gap)[nearest], pairs.chain[nearest], chains)
    forward[~(forward > 0)] = np.nan
    nearest = _smallest(np.abs(pairs.strike - forward[pairs.chain]), pairs.chain, NEAREST)
    straddle = group_medians(
        (pairs.call_mid + pairs.put_mid - np.abs(pairs.gap))[nearest], pairs.chain[nearest], chains
    )
    return FirstLook(forward, np.maximum(STRADDLE_TO_DEVIATION * straddle / forward, 1e-4))


def within_reach(pairs: StrikePairs, look: FirstLook, low: Floats, high: Floats, most: Integers) -> Booleans:
    """Say which strikes speak for their chain's forward.

    Args:
        pairs: of m chains.
        look: the first look at them.
        low, high: how far strikes may lie from the forward, in standard deviations of the tenor, shape (m,).
        most: how many strikes a chain at most, evenly among those within reach, shape (m,).
    """
    chain = pairs.chain
    place = np.log(pairs.strike / look.forward[chain]) / look.deviation[chain]
    within = np.flatnonzero((place >= low[chain]) & (place <= high[chain]))
    chain = chain[within]
    counts = np.bincount(chain, minlength=len(most))
    rank = np.arange(len(within)) - (np.cumsum(counts) - counts)[chain]
    share = np.minimum(most[chain] / counts[chain], 1.0)
    chosen = np.zeros(len(pairs.chain), dtype=bool)
    # Where the running share passes a whole number.
    chosen[within[np.floor((rank + 1) * share + 1e-9) > np.floor(rank * share + 1e-9)]] = True
    return chosen


def _smallest(size: Floats, chain: Integers, count: int) -> Integers:
    """Return the numbers of the ``count`` smallest of each chain."""
    order = np.lexsort((size, chain))
    starts = np.flatnonzero(np.diff(chain[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return order[rank < count]
