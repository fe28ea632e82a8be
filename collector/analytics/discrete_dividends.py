"""Early exercise around cash dividends.

The spot less the present value of the dividends that go ex before settlement is lognormal with the volatility (the
escrowed convention; against a lognormal spot it is worth .004 to .008 of volatility at one to two years).

Calls are exercised, if ever, just before a share goes ex: the premium is the largest, over the ex-dates, of what the
right to exercise there alone is worth. Puts are never exercised where the dividend ahead is more than the interest on
the strike until then: Kim's integral leaves those stretches out. In between the boundary is that of a put without
dividends, struck at what the strike is worth without the dividends to come, and falls off towards the next stretch of
waiting; how fast was fitted to finite differences.

Against a fine grid of finite differences out-of-the-money volatilities are right to about 1e-4 (see the tests); deep
in the money they are not, which is why a strike's out-of-the-money side speaks for both.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from collector.analytics.american_premium import Grid, Puts, Tables
from collector.analytics.exercise_boundary import NODES
from collector.analytics.terms import Floats, Integers, Terms

# Points of each stretch between two ex-dates; the first stretch, from now, is crowded towards now.
POINTS = 8
FIRST_POINTS = 12
CALL_POINTS = 20
NEWTON_STEPS = 10
# How many standard deviations beyond the critical spot the payoff of exercise is summed.
REACH = 8.0
# The boundary falls by DROP deviations of a year at the beginning of a wait, e times less for each FALL years before.
DROP, FALL = 0.5, 0.03
_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)


def _to_coefficients() -> Floats:
    """Return the matrix that takes values at the Chebyshev points cos(pi k / NODES) to Chebyshev coefficients."""
    number = np.arange(NODES + 1)
    matrix = 2.0 / NODES * np.cos(np.pi * np.outer(number, number) / NODES)
    matrix[:, [0, -1]] /= 2.0
    matrix[[0, -1], :] /= 2.0
    return np.asarray(matrix, dtype=np.float64)


_COEFFICIENTS = _to_coefficients()


def _unit(points: int) -> tuple[Floats, Floats]:
    """Return Gauss-Legendre points and weights on 0 to 1."""
    at, weights = np.polynomial.legendre.leggauss(points)
    return (at + 1.0) / 2.0, weights / 2.0


_AT, _WEIGHTS = _unit(POINTS)
_FIRST_AT, _FIRST_WEIGHTS = _unit(FIRST_POINTS)
_CALL_AT, _CALL_WEIGHTS = _unit(CALL_POINTS)


class Calendar:
    """The cash dividends of each chain as arrays, shape (m, k), padded with dividends of 0 at settlement."""

    def __init__(self, terms: Terms) -> None:
        most = max((len(dividends) for dividends in terms.dividends), default=0)
        self.time = np.repeat(terms.tenor[:, None], most, axis=1)
        self.amount = np.zeros((len(terms.tenor), most))
        for chain, dividends in enumerate(terms.dividends):
            for place, dividend in enumerate(dividends):
                self.time[chain, place], self.amount[chain, place] = dividend.time, dividend.amount
        self.counts = np.array([len(dividends) for dividends in terms.dividends])

    def ahead(self, rate: Floats) -> Floats:
        """Return what the dividends from each one on are worth just before it goes ex, shape (m, k)."""
        discounted = self.amount * np.exp(-rate[:, None] * self.time)
        later = np.cumsum(discounted[:, ::-1], axis=1)[:, ::-1]
        worth: Floats = later * np.exp(rate[:, None] * self.time)
        return worth


def call_premium(
    terms: Terms, calendar: Calendar, chain: Integers, strike: Floats, spot: Floats, sigma: Floats
) -> Floats:
    """Return what early exercise adds to calls, dollars a share, shape (n,).

    Args:
        terms: of the chains.
        calendar: their dividends.
        chain, strike, sigma: shape (n,).
        spot: less the present value of the dividends, shape (n,).
    """
    best = np.zeros(len(chain))
    most = int(calendar.counts[chain].max(initial=0))
    time, amount = calendar.time[chain, :most], calendar.amount[chain, :most]
    ahead = calendar.ahead(terms.rate)[chain, :most]
    rate, carry_yield = terms.rate[chain], terms.carry_yield[chain]
    after = terms.tenor[chain][:, None] - time
    # Exercise gives up interest on the strike: it never pays for less.
    rows, dates = np.nonzero((amount > 0) & (ahead > -strike[:, None] * np.expm1(-rate[:, None] * after)))
    if rows.size:
        worth = _one_date(
            spot[rows],
            strike[rows],
            sigma[rows],
            rate[rows],
            carry_yield[rows],
            time[rows, dates],
            after[rows, dates],
            ahead[rows, dates],
        )
        np.maximum.at(best, rows, worth)
    return best


def _one_date(
    spot: Floats,
    strike: Floats,
    sigma: Floats,
    rate: Floats,
    carry_yield: Floats,
    time: Floats,
    after: Floats,
    paid: Floats,
) -> Floats:
    """Return the value of the right to exercise calls just before one ex-date and at settlement, over the European."""
    critical = _critical(strike, sigma, rate, carry_yield, after, paid)
    deviation = sigma * np.sqrt(time)
    centre = np.log(spot) + (rate - carry_yield - sigma**2 / 2) * time
    lowest = (np.log(critical) - centre) / deviation
    lowest = np.maximum(lowest, -REACH)
    width = np.maximum(REACH - lowest, 0.0)
    z = lowest[:, None] + width[:, None] * _CALL_AT
    at = np.exp(centre[:, None] + deviation[:, None] * z)
    value, _ = _call(at, strike[:, None], sigma[:, None], rate[:, None], carry_yield[:, None], after[:, None])
    gain = np.maximum(at + (paid - strike)[:, None] - value, 0.0) * np.exp(-0.5 * z * z) / _ROOT_TWO_PI
    worth: Floats = np.exp(-rate * time) * width * (gain @ _CALL_WEIGHTS)
    return worth


def _critical(strike: Floats, sigma: Floats, rate: Floats, carry_yield: Floats, after: Floats, paid: Floats) -> Floats:
    """Return the spot (after the dividends) above which exercise just before the ex-date is optimal."""
    at = np.maximum(strike - paid, 1e-3 * strike)
    for _ in range(NEWTON_STEPS):
        value, delta = _call(at, strike, sigma, rate, carry_yield, after)
        # The gain of exercise is concave in the spot: from the left Newton's step never goes too far.
        gap = at + paid - strike - value
        at = np.minimum(at - np.minimum(gap, 0.0) / np.maximum(1.0 - delta, 1e-9), 1e3 * strike)
    return at


def _call(
    spot: Floats, strike: Floats, sigma: Floats, rate: Floats, carry_yield: Floats, tenor: Floats
) -> tuple[Floats, Floats]:
    """Return value and delta of European calls."""
    total = sigma * np.sqrt(np.maximum(tenor, 1e-12))
    carry = np.exp(-carry_yield * tenor)
    d1 = (np.log(spot / strike) + (rate - carry_yield) * tenor) / total + total / 2
    delta = carry * ndtr(d1)
    return spot * delta - strike * np.exp(-rate * tenor) * ndtr(d1 - total), delta


def put_grid(
    terms: Terms, calendar: Calendar, tables: Tables, chain: Integers, key: Integers, puts: Puts, sigma: Floats
) -> Grid:
    """Return where Kim's integral of puts of strike 1 is summed: the stretches in which exercise can be optimal.

    Args:
        terms: of the chains.
        calendar: their dividends.
        tables: of the boundaries without dividends.
        chain, key, sigma: shape (n,); equal keys stand together.
        puts: the contracts as puts of strike 1 (``scale`` is the strike).
    """
    most = int(calendar.counts[chain].max(initial=0))
    stops, amount = calendar.time[chain, :most], calendar.amount[chain, :most]
    share = amount / puts.scale[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        waits = np.where(share < 1.0, -np.log1p(-np.minimum(share, 1.0)) / puts.rate[:, None], np.inf)
    waits = np.where((share > 0) & (puts.rate[:, None] > 0), waits, np.where(share > 0, np.inf, 0.0))
    begins = np.concatenate([np.zeros((len(chain), 1)), stops], axis=1)
    ends = np.concatenate([stops - waits, puts.tenor[:, None]], axis=1)
    lengths = np.maximum(ends - begins, 0.0)
    left, weights = _stretches(begins, lengths)
    settles = np.sqrt(np.clip(1.0 - left / puts.tenor[:, None], 0.0, 1.0))
    distance = tables.node_distance(key, sigma)
    boundary = tables.log_start(key)[:, None] - _between_nodes(distance, settles)
    stretch = _stretch_of_each_point(most)
    worth = _still_to_come(stops, share, puts.rate, stretch, left)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_boundary = boundary + np.log(np.maximum(1.0 - worth, 1e-9))
        log_boundary -= DROP * sigma[:, None] * np.exp(-_until_a_wait(stops - waits, share, stretch, left) / FALL)
        first_worth = terms.present_dividends[chain] / puts.scale
        log_now = tables.log_start(key) - distance[:, 0] + np.log(np.maximum(1.0 - first_worth, 1e-9))
    asleep = lengths[:, 0] <= 0
    return Grid(left, weights, log_boundary, np.where(asleep, -np.inf, log_now))


def _between_nodes(values: Floats, at: Floats) -> Floats:
    """Return the polynomial through values at the Chebyshev nodes, shape (n, NODES + 1), at points of 0 to 1, (n, j).

    By Clenshaw's recurrence on its Chebyshev coefficients.
    """
    coefficients = values @ _COEFFICIENTS.T
    twice = 4.0 * at - 2.0
    later, last = np.zeros(at.shape), np.zeros(at.shape)
    for number in range(NODES, 0, -1):
        later, last = twice * later - last + coefficients[:, number, None], later
    between: Floats = twice / 2.0 * later - last + coefficients[:, 0, None]
    return between


def _stretches(begins: Floats, lengths: Floats) -> tuple[Floats, Floats]:
    """Return the points (years from now) and weights of all stretches, shape (n, j)."""
    first = begins[:, :1] + lengths[:, :1] * _FIRST_AT**2
    first_weights = lengths[:, :1] * 2.0 * _FIRST_AT * _FIRST_WEIGHTS
    rest = begins[:, 1:, None] + lengths[:, 1:, None] * _AT
    rest_weights = lengths[:, 1:, None] * _WEIGHTS
    left = np.concatenate([first, rest.reshape(len(begins), -1)], axis=1)
    weights = np.concatenate([first_weights, rest_weights.reshape(len(begins), -1)], axis=1)
    # A stretch of no length weighs nothing; its points must still be moments after now.
    return np.maximum(left, 1e-9), weights


def _stretch_of_each_point(dividends: int) -> Integers:
    """Return the number of the stretch that each point lies in, shape (j,): 0 until the first ex-date."""
    rest = np.repeat(np.arange(1, dividends + 1), POINTS)
    return np.concatenate([np.zeros(FIRST_POINTS, dtype=np.intp), rest])


def _still_to_come(stops: Floats, share: Floats, rate: Floats, stretch: Integers, left: Floats) -> Floats:
    """Return what the dividends after each moment are worth at it, as shares of the strike, shape (n, j)."""
    now = share * np.exp(-rate[:, None] * stops)
    tails = np.cumsum(now[:, ::-1], axis=1)[:, ::-1]
    tails = np.concatenate([tails, np.zeros((len(left), 1))], axis=1)
    worth: Floats = tails[:, stretch] * np.exp(rate[:, None] * left)
    return worth


def _until_a_wait(waits_from: Floats, share: Floats, stretch: Integers, left: Floats) -> Floats:
    """Return the years from each moment to the beginning of the next wait for an ex-date, infinite after the last."""
    starts = np.where(share > 0, waits_from, np.inf)
    starts = np.concatenate([starts, np.full((len(left), 1), np.inf)], axis=1)
    return np.maximum(starts[:, stretch] - left, 0.0)
