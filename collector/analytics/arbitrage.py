"""No-arbitrage checks of a chain's quotes, each a trade that would pay now across the spreads.

A breach counts only where it could be executed: what is bought is paid at its ask, what is sold is received at its bid.
One stale or mistyped quote breaks several bounds with its neighbours; the row in the most breaches is the one at fault,
taken out, and the rest is looked at again. So one bad row is left out and its neighbours stay.

Bounds, with forward F, discount D, spot S, and S' = S less the present value of the dividends (D F = S' + what it costs
to hold the shares):

    bounds      European: D max(s (F - K), 0) <= price <= D F (calls) or D K (puts), s = 1 for calls, -1 for puts;
                American: also s (S - K), what exercise pays now, <= price <= S or K max(1, D)
    vertical    calls fall and puts rise with the strike, by no more than the strikes' distance (European: times D)
    butterfly   prices are convex in the strike
    parity      European: call - put = D (F - K);
                American: S' - K max(1, D) <= call - put <= S - K min(1, D)

Sources: R. C. Merton, "Theory of rational option pricing", Bell Journal of Economics 4 (1973) 141-183 (bounds,
convexity); J. C. Hull, "Options, Futures, and Other Derivatives", chapter "Properties of stock options" (parity of
American options with dividends).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from collector.analytics.terms import Booleans, Floats, Integers

# A breach below half a cent, or below 1e-6 of the forward, is rounding.
CENT = 0.005
RELATIVE = 1e-6
# How many strikes apart the rows stand that tell which of two is at fault.
LAGS = 3
# The middle of a butterfly counts for more: one quote is too dear more easily than two are too cheap.
MIDDLE = 1.5


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


@dataclass(frozen=True, slots=True)
class Value:
    """What decides the worth of a chain's contracts without a model; shape (m,), a chain each, or (n,), a row each.

    Attributes:
        forward, discount: of the chain; NaN where there is none: its quotes are checked against each other alone.
        spot: dollars as the shares trade, dividends still in it, NaN where it is not known.
        present_dividends: dollars, the present value of the dividends before settlement.
        american: whether early exercise is allowed.
        forward_error: dollars by which the forward may be off.
        discount_error: by how much the discount may be off; a bound far from the money moves by its distance times it.
    """

    forward: Floats
    discount: Floats
    spot: Floats
    present_dividends: Floats
    american: Booleans
    forward_error: Floats
    discount_error: Floats

    def of(self, place: Integers | Booleans) -> Value:
        """Return some of the chains or rows, in that order."""
        return Value(*(getattr(self, one.name)[place] for one in fields(self)))

    @property
    def rounding(self) -> Floats:
        """Dollars below which a breach between quotes is none."""
        return np.fmax(CENT, RELATIVE * self.forward)

    @property
    def ceiling(self) -> Floats:
        """Present value of a dollar of strike that a vertical spread pays at most."""
        return np.where(self.american, np.fmax(1.0, self.discount), self.discount + self.discount_error)

    def slack(self, strike: Floats) -> Floats:
        """Return the dollars below which a breach of a bound is none: the bound itself is not known better."""
        distance = np.abs(self.forward - strike)
        return self.rounding + self.discount * self.forward_error + self.discount_error * distance

    def range(self, strike: Floats, sign: Floats) -> tuple[Floats, Floats]:
        """Return the least and the most that contracts can be worth."""
        floor = np.maximum(self.discount * sign * (self.forward - strike), 0.0)
        top = self.discount * np.where(sign > 0, self.forward, strike)
        now = np.where(sign > 0, self.spot, strike)
        early = self.american & np.isfinite(self.spot)
        return (
            np.where(early, np.maximum(floor, sign * (self.spot - strike)), floor),
            np.where(early, np.maximum(top, now), top),
        )

    def parity(self, strike: Floats) -> tuple[Floats, Floats]:
        """Return the least and the most that call less put can be worth."""
        carried = self.discount * self.forward
        least = np.fmin(carried, self.spot - self.present_dividends) - strike * np.maximum(1.0, self.discount)
        most = np.fmax(carried, self.spot) - strike * np.minimum(1.0, self.discount)
        exact = carried - strike * self.discount
        return np.where(self.american, least, exact), np.where(self.american, most, exact)


@dataclass(frozen=True, slots=True)
class Quoted:
    """The rows with a two-sided quote by chain, type and strike, no two of one contract; shape (k,).

    ``group`` numbers chain and type (2 chain for calls, 2 chain + 1 for puts), ``row`` is the place among all rows.
    """

    row: Integers
    group: Integers
    sign: Floats
    strike: Floats
    bid: Floats
    ask: Floats
    value: Value

    def kept(self, keep: Integers | Booleans) -> Quoted:
        """Return some of the rows, in that order."""
        return Quoted(
            self.row[keep],
            self.group[keep],
            self.sign[keep],
            self.strike[keep],
            self.bid[keep],
            self.ask[keep],
            self.value.of(keep),
        )


def breaches(
    strike: Floats, is_call: Booleans, bid: Floats, ask: Floats, chain: Integers, value: Value
) -> tuple[Breaches, ...]:
    """Return the breaches of each of a ticker's m chains.

    Args:
        strike, is_call, bid, ask: the rows outside quarantine, shape (n,); a row without a two-sided quote is passed
            over, of two rows of one contract the first counts.
        chain: each row's chain, shape (n,).
        value: of the m chains.
    """
    quoted = _quoted(strike, is_call, bid, ask, chain, value)
    outside = _outside(quoted)
    inside = quoted.kept(~outside) if outside.any() else quoted
    by_vertical, by_butterfly = _out_of_line(inside)
    out_of_line = by_vertical | by_butterfly
    at_fault = np.zeros(strike.shape, dtype=bool)
    at_fault[quoted.row[outside]] = True
    at_fault[inside.row[out_of_line]] = True
    chains = len(value.forward)
    bounds = np.bincount(quoted.group[outside] // 2, minlength=chains)
    vertical = np.bincount(inside.group[by_vertical] // 2, minlength=chains)
    butterfly = np.bincount(inside.group[by_butterfly] // 2, minlength=chains)
    parity = _parity(inside.kept(~out_of_line), chains)
    return tuple(
        Breaches(
            int(bounds[number]),
            int(vertical[number]),
            int(butterfly[number]),
            int(parity[number]),
            at_fault[chain == number],
        )
        for number in range(chains)
    )


def _quoted(strike: Floats, is_call: Booleans, bid: Floats, ask: Floats, chain: Integers, value: Value) -> Quoted:
    """Return the two-sided rows in order."""
    row = np.flatnonzero((bid > 0) & (ask >= bid))
    row = row[np.lexsort((strike[row], ~is_call[row], chain[row]))]
    group, strikes = 2 * chain[row] + ~is_call[row], strike[row]
    first = np.ones(row.shape, dtype=bool)
    first[1:] = (group[1:] != group[:-1]) | (strikes[1:] != strikes[:-1])
    row, group = row[first], group[first]
    sign = np.where(is_call[row], 1.0, -1.0)
    return Quoted(row, group, sign, strike[row], bid[row], ask[row], value.of(chain[row]))


def _outside(quoted: Quoted) -> Booleans:
    """Say which quotes lie outside the bounds of value, shape (k,)."""
    floor, top = quoted.value.range(quoted.strike, quoted.sign)
    slack = quoted.value.slack(quoted.strike)
    outside: Booleans = (quoted.ask < floor - slack) | (quoted.bid > top + slack)
    return outside


def _vertical(quoted: Quoted, lag: int) -> Floats:
    """Return the dollars by which rows ``lag`` apart break monotony, not above 0 where they do not; (k - lag,)."""
    if len(quoted.row) <= lag:
        return np.zeros(0)
    calls = quoted.sign[lag:] > 0
    # The dearer leg is the lower strike of calls, the higher one of puts.
    falls = np.where(calls, quoted.bid[lag:] - quoted.ask[:-lag], quoted.bid[:-lag] - quoted.ask[lag:])
    climb = np.where(calls, quoted.bid[:-lag] - quoted.ask[lag:], quoted.bid[lag:] - quoted.ask[:-lag])
    too_steep = climb - quoted.value.ceiling[lag:] * (quoted.strike[lag:] - quoted.strike[:-lag])
    size = np.maximum(falls, too_steep) - quoted.value.rounding[lag:]
    return np.where(quoted.group[lag:] == quoted.group[:-lag], size, 0.0)


def _butterfly(quoted: Quoted, lag: int) -> Floats:
    """Return the dollars by which three rows ``lag`` apart break convexity likewise; shape (k - 2 lag,)."""
    if len(quoted.row) <= 2 * lag:
        return np.zeros(0)
    low, middle, high = quoted.strike[: -2 * lag], quoted.strike[lag:-lag], quoted.strike[2 * lag :]
    together = quoted.group[2 * lag :] == quoted.group[: -2 * lag]
    share = (high - middle) / np.where(together, high - low, 1.0)
    wings = share * quoted.ask[: -2 * lag] + (1.0 - share) * quoted.ask[2 * lag :]
    return np.where(together, quoted.bid[lag:-lag] - wings - quoted.value.rounding[lag:-lag], 0.0)


def _out_of_line(quoted: Quoted) -> tuple[Booleans, Booleans]:
    """Return the rows taken out by the check of neighbours and by that of butterflies, shape (k,) each.

    Neighbours show whether there is a breach; strikes further apart show whose fault it is. The row that breaks most
    among those around it is taken out, until no breach is left.
    """
    taken = np.zeros((2, len(quoted.row)), dtype=bool)
    left, place = quoted, np.arange(len(quoted.row))
    while True:
        pairs, triples = _vertical(left, 1) > 0, _butterfly(left, 1) > 0
        if not pairs.any() and not triples.any():
            return taken[0], taken[1]
        broken = np.concatenate([left.group[1:][pairs], left.group[1:-1][triples]])
        here = np.isin(left.group, broken)
        left, place = left.kept(here), place[here]
        times, dollars = _blame(left)
        worst = _worst_around(left.group, times.sum(axis=0), dollars)
        taken[0, place[worst & (times[0] > 0)]] = True
        taken[1, place[worst & (times[0] == 0)]] = True
        left, place = left.kept(~worst), place[~worst]


def _blame(quoted: Quoted) -> tuple[Floats, Floats]:
    """Return how often each row stands in a breach of either check, shape (2, k), and with how many dollars, (k,)."""
    size = len(quoted.row)
    times, dollars = np.zeros((2, size)), np.zeros(size)
    for lag in range(1, LAGS + 1):
        for check, found, shares in (
            (0, _vertical(quoted, lag), (1.0, 1.0)),
            (1, _butterfly(quoted, lag), (1.0, MIDDLE, 1.0)),
        ):
            for leg, share in enumerate(shares):
                rows = slice(leg * lag, leg * lag + len(found))
                times[check, rows] += share * (found > 0)
                dollars[rows] += share * np.maximum(found, 0.0)
    return times, dollars


def _worst_around(group: Integers, times: Floats, dollars: Floats) -> Booleans:
    """Say which rows break most, by times and then by dollars, among all that may share a breach with them."""
    rank = np.empty(len(times), dtype=np.intp)
    rank[np.lexsort((dollars, times))] = np.arange(len(times))
    reach, width = 2 * LAGS, 4 * LAGS + 1
    ranks = sliding_window_view(np.pad(rank, reach, constant_values=-1), width)
    groups = sliding_window_view(np.pad(group, reach, constant_values=-1), width)
    highest = np.where(groups == group[:, None], ranks, -1).max(axis=1)
    worst: Booleans = (rank == highest) & (times > 0)
    return worst


def _parity(sound: Quoted, chains: int) -> Integers:
    """Return how many strikes of each chain break parity across the spreads."""
    order = np.lexsort((sound.sign, sound.strike, sound.group // 2))
    at = sound.kept(order)
    # A put stands before the call of its strike.
    both = np.flatnonzero((at.strike[1:] == at.strike[:-1]) & (at.group[1:] == at.group[:-1] - 1))
    put, call = both, both + 1
    value, strike = at.value.of(put), at.strike[put]
    low, high = value.parity(strike)
    slack = value.slack(strike)
    broken = (at.ask[call] - at.bid[put] < low - slack) | (at.bid[call] - at.ask[put] > high + slack)
    return np.bincount(at.group[call][broken] // 2, minlength=chains)


def calendar_breaches(tenor: Floats, at_the_money: Floats, spread: Floats | None = None) -> Booleans:
    """Say at which expirations total variance at the money is below that of the expiration before, across the spreads.

    Args:
        tenor: years, ascending, shape (m,).
        at_the_money: volatility at the forward, NaN where there is none (passed over), shape (m,).
        spread: ask less bid of that volatility, shape (m,); NaN, and None for all, where the mids alone tell.
    """
    broken = np.zeros(tenor.shape, dtype=bool)
    known = np.flatnonzero(np.isfinite(at_the_money))
    sigma, half = at_the_money[known], np.zeros(len(known))
    if spread is not None:
        half = np.nan_to_num(spread[known] / 2.0)
    sold, bought = np.maximum(sigma - half, 0.0)[:-1], (sigma + half)[1:]
    broken[known[1:]] = bought**2 * tenor[known[1:]] < sold**2 * tenor[known[:-1]]
    return broken
