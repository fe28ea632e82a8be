"""Cash dividends, and early exercise of puts around them; of calls, see call_exercise.py.

The spot less the present value of the dividends that go ex before settlement is lognormal with the volatility (the
escrowed convention; against a lognormal spot it is worth .004 to .008 of volatility at one to two years).

Puts are never exercised where the dividend ahead is more than the interest on the strike until then: Kim's integral
leaves those stretches out. In between the boundary is that of a put without dividends, struck at what the strike is
worth without the dividends to come, as it is when a part of the wait is over, and falls towards the next stretch of
waiting (waiting_boundary.py).

Against a fine grid of finite differences 95 % of the volatilities of out-of-the-money puts are right to 1e-4 and all to
6e-4 (see the tests); in the money 95 % are to 6e-4, which is why a strike's out-of-the-money side speaks for both.
"""

from __future__ import annotations

import numpy as np

from collector.analytics.american_premium import Puts
from collector.analytics.boundary_tables import Grid, Tables
from collector.analytics.exercise_boundary import NODES
from collector.analytics.terms import Floats, Integers, Terms
from collector.analytics.waiting_boundary import STILL, fall

# Points of each stretch between two ex-dates, crowded towards its end, where the boundary is steepest; those of the
# first stretch towards now.
POINTS = 6
FIRST_POINTS = 12
# A boundary that falls further, in ln of the spot, is out of reach.
DEEPEST = 50.0


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


def least(terms: Terms, calendar: Calendar, chain: Integers, sign: Floats, strike: Floats) -> Floats:
    """Return the least that contracts are worth beside what they pay at settlement, dollars a share, shape (n,).

    What exercise pays now, or at the best of the ex-dates if the share does nothing but pay its dividends: of calls
    just before one, of puts just after.
    """
    now = np.maximum(sign * (terms.spot[chain] - strike), 0.0)
    most = int(calendar.counts[chain].max(initial=0))
    if not most:
        return now
    time, amount = calendar.time[chain, :most], calendar.amount[chain, :most]
    rate, carry_yield = terms.rate[chain][:, None], terms.carry_yield[chain][:, None]
    worth = amount * np.exp(-rate * time)
    later = worth.sum(axis=1, keepdims=True) - np.cumsum(worth, axis=1) + np.where(sign > 0, 1.0, 0.0)[:, None] * worth
    share = terms.escrowed_spot[chain][:, None] * np.exp(-carry_yield * time) + later
    gains = (sign[:, None] * (share - strike[:, None] * np.exp(-rate * time))).max(axis=1)
    return np.asarray(np.maximum(now, gains), dtype=np.float64)


def put_grid(
    terms: Terms,
    calendar: Calendar,
    tables: Tables,
    chain: Integers,
    key: Integers,
    puts: Puts,
    sigma: Floats,
    *,
    sloped: bool = False,
) -> Grid:
    """Return where Kim's integral of puts of strike 1 is summed: the stretches in which exercise can be optimal.

    Args:
        terms: of the chains.
        calendar: their dividends.
        tables: of the boundaries without dividends.
        chain, key, sigma: shape (n,); equal keys stand together.
        puts: the contracts as puts of strike 1 (``scale`` is the strike).
        sloped: whether the boundary's slope by volatility is wanted, the waits as they are.
    """
    most = int(calendar.counts[chain].max(initial=0))
    stops, amount = calendar.time[chain, :most], calendar.amount[chain, :most]
    share = amount / puts.scale[:, None]
    if sloped:
        distance, node_slopes = tables.node_distance_and_slope(key, sigma)
    else:
        distance, node_slopes = tables.node_distance(key, sigma), None
    log_start = tables.log_start(key)[:, None]
    # ln(X / B) of a put without dividends, as a series in the root of the share of the tenor that is left.
    coefficients = distance @ _COEFFICIENTS.T
    waits = _waits(share, puts, np.exp(log_start - _series(coefficients, _settles(stops, puts.tenor))))
    begins = np.concatenate([np.zeros((len(chain), 1)), stops], axis=1)
    ends = np.concatenate([stops - np.where(share > 0, waits, 0.0), puts.tenor[:, None]], axis=1)
    lengths = np.maximum(ends - begins, 0.0)
    left, weights = _stretches(begins, lengths)
    stretch = _stretch_of_each_point(most)
    worth = _still_to_come(stops, share, puts.rate, stretch, left)
    settles = _settles(left + _still(waits, stretch), puts.tenor)
    fallen = _fall_before_a_wait(stops, waits, sigma, stretch, left)
    log_boundary = log_start - _series(coefficients, settles) + np.log(np.maximum(1.0 - worth, 1e-9)) - fallen
    first_worth = terms.present_dividends[chain] / puts.scale
    settles_now = _settles(_still(waits, stretch[:1]), puts.tenor)
    log_now = (log_start - _series(coefficients, settles_now))[:, 0] + np.log(np.maximum(1.0 - first_worth, 1e-9))
    log_now -= _fall_before_a_wait(stops, waits, sigma, stretch[:1], np.zeros((len(chain), 1)))[:, 0]
    asleep = lengths[:, 0] <= 0
    slope = None
    if node_slopes is not None:
        slope = -_series(node_slopes @ _COEFFICIENTS.T, settles) - fallen / sigma[:, None]
    return Grid(left, weights, log_boundary, np.where(asleep, -np.inf, log_now), slope)


def _settles(at: Floats, tenor: Floats) -> Floats:
    """Return the root of the share of the tenor that is left at some years from now, shape (n, j)."""
    return np.sqrt(np.clip(1.0 - at / tenor[:, None], 0.0, 1.0))


def _waits(share: Floats, puts: Puts, boundary: Floats) -> Floats:
    """Return the years before each ex-date in which exercise gains less than the dividend, shape (n, k).

    Exercise gains interest on the strike and loses the yield of the share, which is at the boundary where it matters.
    Infinite where it gains nothing, NaN for no dividend.

    Args:
        share: the dividends, as shares of the strike.
        puts: of strike 1.
        boundary: of puts without dividends, at the ex-dates.
    """
    rate = np.broadcast_to(puts.rate[:, None], share.shape)
    gains = rate - puts.carry_yield[:, None] * boundary
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        simple = np.where(gains > 0, share / gains, np.inf)
        compound = np.where(rate * simple < 1.0, -np.log1p(-np.minimum(rate * simple, 1.0)) / rate, np.inf)
        waits = np.where(rate > 0, compound, simple)
    return np.where(share > 0, waits, np.nan)


def _series(coefficients: Floats, at: Floats) -> Floats:
    """Return Chebyshev series on 0 to 1, (n, NODES + 1) coefficients, at (n, j) points, by Clenshaw's recurrence."""
    twice = 4.0 * at - 2.0
    later, last = np.zeros(at.shape), np.zeros(at.shape)
    for number in range(NODES, 0, -1):
        later, last = twice * later - last + coefficients[:, number, None], later
    found: Floats = twice / 2.0 * later - last + coefficients[:, 0, None]
    return found


def _stretches(begins: Floats, lengths: Floats) -> tuple[Floats, Floats]:
    """Return the points (years from now) and weights of all stretches, shape (n, j)."""
    first = begins[:, :1] + lengths[:, :1] * _FIRST_AT**2
    first_weights = lengths[:, :1] * 2.0 * _FIRST_AT * _FIRST_WEIGHTS
    rest = begins[:, 1:, None] + lengths[:, 1:, None] * (1.0 - _AT**2)
    rest_weights = lengths[:, 1:, None] * (2.0 * _AT * _WEIGHTS)
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


def _still(waits: Floats, stretch: Integers) -> Floats:
    """Return the years of the next wait for which the boundary stands still, shape (n, j); 0 after the last one."""
    wait = np.concatenate([waits, np.zeros((len(waits), 1))], axis=1)[:, stretch]
    return np.where(np.isfinite(wait), STILL * wait, 0.0)


def _fall_before_a_wait(stops: Floats, waits: Floats, sigma: Floats, stretch: Integers, left: Floats) -> Floats:
    """Return by how much ln of the boundary falls towards the next wait for an ex-date, shape (n, j).

    ``waits`` are years, NaN for no dividend; after the last of them nothing falls.
    """
    none = np.full((len(left), 1), np.nan)
    wait = np.concatenate([waits, none], axis=1)[:, stretch]
    until = np.concatenate([stops, none], axis=1)[:, stretch] - left
    with np.errstate(invalid="ignore"):
        fallen = sigma[:, None] * np.sqrt(wait) * fall(until / wait)
    return np.where(np.isfinite(fallen), np.minimum(fallen, DEEPEST), 0.0)
