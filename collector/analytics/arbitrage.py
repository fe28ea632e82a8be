"""No-arbitrage checks of a chain's quotes, each a trade that would pay now across the spreads.

A breach counts only where it could be executed: what is bought is paid at its ask, what is sold is received at its bid.
One stale or mistyped quote breaks several bounds with its neighbours; the row in the most breaches is the one at fault,
taken out, and the rest is looked at again. So one bad row is left out and its neighbours stay.

Bounds, with forward F and discount D (American options have the same upper bounds; their lower bound is what exercise
pays now):

    bounds      ask >= D max(sign (F - K), 0),  bid <= D F (calls) or K (puts)
    vertical    calls fall and puts rise with the strike, by no more than the strikes' distance (European: times D)
    butterfly   prices are convex in the strike
    parity      call - put = D (F - K) within the spreads (European); S - PV(dividends) - K <= call - put <= S - D K
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.analytics.terms import Booleans, Floats, Integers

# A breach below half a cent, or below 1e-6 of the forward, is rounding.
CENT = 0.005
RELATIVE = 1e-6
ROUNDS = 25
# How many strikes apart the rows stand that tell which of two is at fault.
LAGS = 3


@dataclass(frozen=True, slots=True)
class Side:
    """The calls or the puts of one chain with a two-sided quote, strikes ascending and different; shape (k,).

    ``row`` is the place of each in the chain's rows.
    """

    sign: float
    row: Integers
    strike: Floats
    bid: Floats
    ask: Floats


@dataclass(frozen=True, slots=True)
class Breaches:
    """What a chain's quotes break.

    Attributes:
        bounds, vertical, butterfly: rows at fault, by the check that found them.
        parity: strikes whose call and put break parity.
        at_fault: shape (n,), the rows left out because of the first three.
    """

    bounds: int
    vertical: int
    butterfly: int
    parity: int
    at_fault: Booleans


def breaches(
    strike: Floats,
    is_call: Booleans,
    bid: Floats,
    ask: Floats,
    *,
    forward: float,
    spot: float,
    discount: float,
    american: bool,
) -> Breaches:
    """Return the breaches of one chain.

    Args:
        strike, is_call, bid, ask: its rows outside quarantine, shape (n,); a row without a two-sided quote is passed
            over.
        forward, spot, discount: of the chain; the spot is less the present value of its dividends.
        american: whether early exercise is allowed.
    """
    at_fault = np.zeros(strike.shape, dtype=bool)
    slack = max(CENT, RELATIVE * forward)
    counts = {"bounds": 0, "vertical": 0, "butterfly": 0}
    for sign in (1.0, -1.0):
        side = _side(strike, bid, ask, (is_call == (sign > 0)) & (bid > 0) & (ask >= bid), sign)
        outside = _outside(side, forward, spot, discount, slack, american)
        at_fault[side.row[outside]] = True
        counts["bounds"] += int(outside.sum())
        side = _kept(side, ~outside)
        for name, place in _worst_first(side, slack, 1.0 if american else discount):
            at_fault[side.row[place]] = True
            counts[name] += 1
    parity = _parity(strike, is_call, bid, ask, ~at_fault, forward, spot, discount, slack, american)
    return Breaches(counts["bounds"], counts["vertical"], counts["butterfly"], parity, at_fault)


def _side(strike: Floats, bid: Floats, ask: Floats, rows: Booleans, sign: float) -> Side:
    """Return the rows of one type by strike; of two rows of one strike the first."""
    place = np.flatnonzero(rows)
    strikes, first = np.unique(strike[place], return_index=True)
    place = place[first]
    return Side(sign, place, strikes, bid[place], ask[place])


def _kept(side: Side, keep: Booleans) -> Side:
    """Return some of a side's rows."""
    return Side(side.sign, side.row[keep], side.strike[keep], side.bid[keep], side.ask[keep])


def _outside(side: Side, forward: float, spot: float, discount: float, slack: float, american: bool) -> Booleans:
    """Say which quotes lie outside the bounds of value."""
    floor = discount * np.maximum(side.sign * (forward - side.strike), 0.0)
    if american:
        floor = np.maximum(floor, side.sign * (spot - side.strike))
    top = (
        np.full(side.strike.shape, discount * forward) if side.sign > 0 else side.strike * (1 if american else discount)
    )
    if side.sign > 0 and american:
        top = np.maximum(top, spot)
    outside: Booleans = (side.ask < floor - slack) | (side.bid > top + slack)
    return outside


def _vertical(side: Side, slack: float, ceiling: float, lag: int) -> tuple[Floats, Integers]:
    """Return the size of each breach between strikes ``lag`` apart, and the two rows of each, shape (b,), (b, 2)."""
    width = side.strike[lag:] - side.strike[:-lag]
    # The dearer leg is the lower strike of calls, the higher one of puts.
    dear, cheap = (slice(None, -lag), slice(lag, None)) if side.sign > 0 else (slice(lag, None), slice(None, -lag))
    falls = side.bid[cheap] - side.ask[dear] - slack
    too_steep = side.bid[dear] - side.ask[cheap] - ceiling * width - slack
    size = np.maximum(falls, too_steep)
    found = np.flatnonzero(size > 0)
    return size[found], np.stack([found, found + lag], axis=1)


def _butterfly(side: Side, slack: float, lag: int) -> tuple[Floats, Integers]:
    """Return the size of each breach of convexity over three strikes ``lag`` apart, and the three rows of each."""
    if len(side.strike) < 2 * lag + 1:
        return np.zeros(0), np.zeros((0, 3), dtype=np.intp)
    low, middle, high = side.strike[: -2 * lag], side.strike[lag:-lag], side.strike[2 * lag :]
    share = (high - middle) / (high - low)
    size = side.bid[lag:-lag] - (share * side.ask[: -2 * lag] + (1 - share) * side.ask[2 * lag :]) - slack
    found = np.flatnonzero(size > 0)
    return size[found], np.stack([found, found + lag, found + 2 * lag], axis=1)


def _worst_first(side: Side, slack: float, ceiling: float) -> list[tuple[str, int]]:
    """Take out the row that breaks most until none is left; return each with the check that found it.

    Neighbours show whether there is a breach; strikes further apart show whose fault it is. The middle of a butterfly
    counts for more: one quote is too dear more easily than two are too cheap.
    """
    bad = np.zeros(side.strike.shape, dtype=bool)
    taken: list[tuple[str, int]] = []
    for _ in range(ROUNDS):
        left, kept = _kept(side, ~bad), np.flatnonzero(~bad)
        if not _vertical(left, slack, ceiling, 1)[0].size and not _butterfly(left, slack, 1)[0].size:
            break
        pairs = [_vertical(left, slack, ceiling, lag) for lag in range(1, LAGS + 1)]
        triples = [_butterfly(left, slack, lag) for lag in range(1, LAGS + 1)]
        times, weight = np.zeros((2, kept.size)), np.zeros(kept.size)
        for check, found in enumerate((pairs, triples)):
            for sizes, rows in found:
                for column in range(rows.shape[1]):
                    share = 1.5 if check and column == 1 else 1.0
                    times[check] += share * np.bincount(rows[:, column], minlength=kept.size)
                    weight += share * np.bincount(rows[:, column], weights=sizes, minlength=kept.size)
        worst = int(np.lexsort((weight, times.sum(axis=0)))[-1])
        bad[kept[worst]] = True
        taken.append(("vertical" if times[0, worst] else "butterfly", int(kept[worst])))
    return taken


def _parity(
    strike: Floats,
    is_call: Booleans,
    bid: Floats,
    ask: Floats,
    sound: Booleans,
    forward: float,
    spot: float,
    discount: float,
    slack: float,
    american: bool,
) -> int:
    """Return how many strikes break parity across the spreads."""
    quoted = sound & (bid > 0) & (ask >= bid)
    calls, puts = np.flatnonzero(quoted & is_call), np.flatnonzero(quoted & ~is_call)
    strikes, at_call, at_put = np.intersect1d(strike[calls], strike[puts], return_indices=True)
    highest = ask[calls][at_call] - bid[puts][at_put]
    lowest = bid[calls][at_call] - ask[puts][at_put]
    low = high = discount * (forward - strikes)
    if american:
        low, high = np.minimum(low, spot - strikes), np.maximum(high, spot - discount * strikes)
    return int(((highest < low - slack) | (lowest > high + slack)).sum())


def calendar_breaches(tenor: Floats, at_the_money: Floats) -> Booleans:
    """Say at which expirations total variance at the money is below that of the expiration before.

    Args:
        tenor: years, ascending, shape (m,).
        at_the_money: volatility at the forward, NaN where there is none (passed over), shape (m,).
    """
    broken = np.zeros(tenor.shape, dtype=bool)
    known = np.flatnonzero(np.isfinite(at_the_money))
    variance = at_the_money[known] ** 2 * tenor[known]
    broken[known[1:]] = np.diff(variance) < 0
    return broken
