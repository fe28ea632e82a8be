"""What early exercise adds to calls around cash dividends.

Calls are exercised, if ever, just before a share goes ex. To exercise at an ex-date rather than hold to settlement
gains what the dividends to come are worth, less the interest on the strike, less a put: the right to let the call
lapse. With one date that pays, the premium is what that gain is worth beyond the spot at which it is 0 (the price of
Roll, Geske and Whaley, summed instead of read from the bivariate normal). With several it is found backwards from
the last, on a grid of spots that is even in standard deviations and drifts with the share, so that one matrix for each
pair of dates takes all contracts of a chain from the later to the earlier; where exercise begins is a kink between two
points, whose known error is taken off.

The spot less the present value of the dividends is lognormal, as everywhere here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from collector.analytics.discrete_dividends import Calendar
from collector.analytics.terms import Floats, Integers, Terms

POINTS = 16
NEWTON_STEPS = 6
# How many standard deviations are summed on each side.
REACH = 6.0
# A second date adds to the first one where it is itself worth this share of the spot.
SECOND = 1e-7
# Points of the grid to the standard deviation between two ex-dates, and how many there are at all.
FINENESS = 1.5
FEWEST, MOST = 33, 129
# A standard deviation of fewer steps of the grid than this is not summed on it.
NARROW = 0.9

_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)
_Y, _W = np.polynomial.legendre.leggauss(POINTS)
_AT, _WEIGHTS = (_Y + 1.0) / 2.0, _W / 2.0


def call_premium(
    terms: Terms, calendar: Calendar, chain: Integers, strike: Floats, spots: Floats, sigma: Floats
) -> Floats:
    """Return what early exercise adds to calls at some spots, dollars a share, shape (n, s).

    Args:
        terms: of the chains.
        calendar: their dividends.
        chain, strike, sigma: shape (n,), the chains ascending.
        spots: less the present value of the dividends, shape (n, s), near each other.
    """
    most = int(calendar.counts[chain].max(initial=0))
    ahead = calendar.ahead(terms.rate)[chain, :most]
    gains = _gains(terms, calendar, chain, strike)[:, :most]
    rows, dates = np.nonzero(gains > 0)
    alone = np.zeros((most, *spots.shape))
    if rows.size:
        own, time = chain[rows], calendar.time[chain[rows], dates]
        date = _Date(strike[rows], sigma[rows], terms.rate[own], terms.carry_yield[own], terms.tenor[own] - time)
        alone[dates, rows] = date.premium(ahead[rows, dates], time, spots[rows])
    best: Floats = alone.max(axis=0, initial=0.0)
    if most < 2:
        return best
    second = np.partition(alone[:, :, 0], -2, axis=0)[-2]
    several = np.flatnonzero(second > SECOND * spots[:, 0])
    for one_chain in np.unique(chain[several]):
        own = several[chain[several] == one_chain]
        paying = np.flatnonzero((gains[own] > 0).any(axis=0))
        together = _Dates(terms, int(one_chain), calendar.time[one_chain, paying], ahead[own[0], paying])
        best[own] = np.maximum(best[own], together.premium(strike[own], sigma[own], spots[own]))
    return best


def _gains(terms: Terms, calendar: Calendar, chain: Integers, strike: Floats) -> Floats:
    """Return what each dividend is more than the interest on the strike until the next, or settlement; (n, k)."""
    time, amount = calendar.time[chain], calendar.amount[chain]
    following = np.concatenate([time[:, 1:], terms.tenor[chain][:, None]], axis=1)
    interest = -strike[:, None] * np.expm1(-terms.rate[chain][:, None] * (following - time))
    return np.where(amount > 0, amount - interest, 0.0)


@dataclass(frozen=True, slots=True)
class _Date:
    """Calls at one ex-date, shape (n,): ``after`` is the time from it to settlement."""

    strike: Floats
    sigma: Floats
    rate: Floats
    carry_yield: Floats
    after: Floats

    def gain_of_spot(self) -> Floats:
        """Return what of a share is gained by owning it from here: its yield until settlement."""
        return np.asarray(-np.expm1(-self.carry_yield * self.after), dtype=np.float64)

    def gain(self, paid: Floats) -> Floats:
        """Return what exercise gains but for the spot's part and the put, dollars a share."""
        return np.asarray(paid + self.strike * np.expm1(-self.rate * self.after), dtype=np.float64)

    def put(self, log_spot: Floats) -> tuple[Floats, Floats]:
        """Return European puts at the date and minus their delta; ``log_spot`` is (n, j)."""
        total = (self.sigma * np.sqrt(np.maximum(self.after, 1e-12)))[:, None]
        strike, after = self.strike[:, None], self.after[:, None]
        d1 = (log_spot - np.log(strike) + (self.rate - self.carry_yield)[:, None] * after) / total + total / 2
        short = np.exp(-self.carry_yield[:, None] * after) * ndtr(-d1)
        value = strike * np.exp(-self.rate[:, None] * after) * ndtr(total - d1) - np.exp(log_spot) * short
        return value, short

    def critical(self, paid: Floats) -> Floats:
        """Return ln of the spot (without the dividends) above which exercise is optimal."""
        gain, part = self.gain(paid), self.gain_of_spot()
        at = np.log(np.maximum(self.strike - paid, 1e-3 * self.strike))
        furthest = np.log(self.strike) + 9.0 * self.sigma * np.sqrt(self.after) + 1.0
        for _ in range(NEWTON_STEPS):
            put, short = (column[:, 0] for column in self.put(at[:, None]))
            spot = np.exp(at)
            rest, put = np.maximum(gain + part * spot, 1e-12 * self.strike), np.maximum(put, 1e-200)
            slope = -spot * short / put - part * spot / rest
            # The logarithm of a put is concave in that of the spot: from the right Newton's step never goes too far.
            at = np.minimum(at + np.log(put / rest) / np.maximum(-slope, 1e-6), furthest)
        return at

    def ending(self) -> Floats:
        """Return ln of the spot beyond which the put is worth nothing."""
        drift = np.maximum(self.carry_yield - self.rate, 0.0) * self.after
        return np.asarray(np.log(self.strike) + REACH * self.sigma * np.sqrt(self.after) + drift, dtype=np.float64)

    def premium(self, paid: Floats, time: Floats, spots: Floats) -> Floats:
        """Return the value of the right to exercise at this date alone, ``time`` from now, at spots (n, s)."""
        deviation = (self.sigma * np.sqrt(time))[:, None]
        drift = (self.rate - self.carry_yield - self.sigma**2 / 2)[:, None] * time[:, None]
        centre = np.log(spots) + drift
        lowest = (self.critical(paid)[:, None] - centre) / deviation
        begin = np.clip(lowest, -REACH, REACH)
        width = np.clip((self.ending()[:, None] - centre) / deviation, begin, REACH) - begin
        z = begin[:, :, None] + width[:, :, None] * _AT
        at = centre[:, :, None] + deviation[:, :, None] * z
        put, _ = self.put(at.reshape(len(spots), -1))
        lapses = ((put.reshape(at.shape) * np.exp(-0.5 * z * z)) @ _WEIGHTS) * width / _ROOT_TWO_PI
        shares = self.gain_of_spot()[:, None] * np.exp(centre + deviation**2 / 2) * ndtr(deviation - lowest)
        worth = self.gain(paid)[:, None] * ndtr(-lowest) + shares - lapses
        return np.asarray(np.maximum(np.exp(-self.rate * time)[:, None] * worth, 0.0), dtype=np.float64)


class _Dates:
    """The ex-dates of one chain at which exercise pays.

    Args:
        terms, chain: whose dates they are.
        time: years, shape (k,).
        ahead: what the dividends from each on are worth just before it, shape (k,).
    """

    def __init__(self, terms: Terms, chain: int, time: Floats, ahead: Floats) -> None:
        self.rate, self.carry_yield = float(terms.rate[chain]), float(terms.carry_yield[chain])
        self.tenor, self.time, self.ahead = float(terms.tenor[chain]), time, ahead
        self.deviations = np.sqrt(np.diff(time, prepend=0.0) / time[-1])
        count = int(np.clip(np.ceil(2 * REACH * FINENESS / self.deviations[1:].min(initial=1.0)), FEWEST, MOST))
        count += 1 - count % 2
        self.y = np.linspace(-REACH, REACH, count)
        self.step = float(self.y[1] - self.y[0])

    def premium(self, strike: Floats, sigma: Floats, spots: Floats) -> Floats:
        """Return the value of the right to exercise at any of the dates, over the European call's; (n, s)."""
        total = (sigma * np.sqrt(self.time[-1]))[:, None]
        log_spot = self._origin(np.log(strike)[:, None], np.log(spots[:, :1]), total) + total * self.y
        last = len(self.time) - 1
        later = self._date(strike, sigma, last).put(self._at(log_spot, sigma, last))[0]
        for place in range(last, 0, -1):
            gap = float(self.time[place] - self.time[place - 1])
            level = self._larger(strike, sigma, log_spot, later, place)
            later = np.exp(-self.rate * gap) * (level @ self._transition(place))
            if place == last and self.tenor - self.time[last] < (NARROW * self.step) ** 2 * self.time[-1]:
                later = self._before_the_last(strike, sigma, log_spot)
        return self._now(strike, sigma, spots, log_spot, later)

    def _origin(self, log_strike: Floats, log_spot: Floats, total: Floats) -> Floats:
        """Return ln of the spot in the middle of the grid, which the strike lies on: its small error moves not with
        the spot, so that derivatives by this do not see it. A first date too near for the grid wants the spot itself.
        """
        if self.deviations[0] < NARROW * self.step:
            return log_spot
        step = self.step * total
        return np.asarray(log_strike + np.round((log_spot - log_strike) / step) * step, dtype=np.float64)

    def _date(self, strike: Floats, sigma: Floats, place: int) -> _Date:
        """Return the contracts at a date."""
        same = np.ones(len(strike))
        after = (self.tenor - self.time[place]) * same
        return _Date(strike, sigma, self.rate * same, self.carry_yield * same, after)

    def _at(self, log_spot: Floats, sigma: Floats, place: int) -> Floats:
        """Return ln of the grid's spots at a date."""
        drift = (self.rate - self.carry_yield - sigma**2 / 2) * self.time[place]
        return np.asarray(log_spot + drift[:, None], dtype=np.float64)

    def _larger(self, strike: Floats, sigma: Floats, log_spot: Floats, later: Floats, place: int) -> Floats:
        """Return the larger of what exercise gains at a date and of what waiting is worth (``later``), kink mended."""
        date = self._date(strike, sigma, place)
        gain = date.gain(self.ahead[place] * np.ones(len(strike)))[:, None]
        part = date.gain_of_spot()[:, None]
        gained = gain + (part * np.exp(self._at(log_spot, sigma, place)) if part.any() else 0.0)
        waits = later - gained
        level = np.maximum(later, gained)
        _mend(level, waits)
        return np.asarray(level, dtype=np.float64)

    def _transition(self, place: int) -> Floats:
        """Return the matrix that takes values at a date to those expected at the one before, from the right; (j, j)."""
        kernel = np.exp(-0.5 * ((self.y[:, None] - self.y[None, :]) / self.deviations[place]) ** 2)
        return np.asarray(kernel / kernel.sum(axis=0, keepdims=True), dtype=np.float64)

    def _before_the_last(self, strike: Floats, sigma: Floats, log_spot: Floats) -> Floats:
        """Return what waiting is worth after the last date but one, where the last is too near settlement for the grid
        to hold the put there.
        """
        last = len(self.time) - 1
        spots = np.exp(self._at(log_spot, sigma, last - 1))
        gap = (self.time[last] - self.time[last - 1]) * np.ones(len(strike))
        paid = self.ahead[last] * np.ones(len(strike))
        one = self._date(strike, sigma, last).premium(paid, gap, spots)
        return np.asarray(one + self._date(strike, sigma, last - 1).put(np.log(spots))[0], dtype=np.float64)

    def _now(self, strike: Floats, sigma: Floats, spots: Floats, log_spot: Floats, later: Floats) -> Floats:
        """Return the premium now of ``later``, what waiting is worth after the first date; (n, s)."""
        total = sigma[:, None] * np.sqrt(self.time[-1])
        middle = log_spot[:, len(self.y) // 2][:, None]
        centre = (np.log(spots) - middle) / total
        deviation, y = self.deviations[0], self.y
        if deviation < NARROW * self.step:
            y = np.linspace(-1.0, 1.0, FEWEST) * (REACH * deviation + np.abs(centre).max())
            later, log_spot = later @ _interpolation(self.y, y), middle + total * y
        level = self._larger(strike, sigma, log_spot, later, 0)
        z = (y - centre[:, :, None]) / deviation
        kernel = np.exp(-0.5 * z * z)
        worth = np.einsum("nsj,nj->ns", kernel, level) / kernel.sum(axis=2)
        same = np.ones(len(strike))
        now = _Date(strike, sigma, self.rate * same, self.carry_yield * same, self.tenor * same)
        return np.asarray(np.exp(-self.rate * self.time[0]) * worth - now.put(np.log(spots))[0], dtype=np.float64)


def _mend(level: Floats, waits: Floats) -> None:
    """Take the error of summing over a kink out of values at even points, in place: shape (n, j).

    ``waits``, falling from left to right, is what ``level`` holds over another smooth function where it is above 0.
    Source: the Euler-Maclaurin formula for a jump of the first and second derivative between two points.
    """
    right = np.argmax(waits < 0, axis=1)
    rows = np.flatnonzero((right > 1) & (right < waits.shape[1] - 1))
    right = right[rows]
    before, left, beyond, after = (waits[rows, right + place] for place in (-2, -1, 0, 1))
    bend = (before - left - beyond + after) / 2.0
    share = left / (left - beyond)
    # One step of Newton's from the line to the parabola.
    slope = beyond - left - bend * (0.5 - share)
    share = np.clip(share + bend * share * (1.0 - share) / 2.0 / slope, 0.0, 1.0)
    jump = left - beyond + bend * (0.5 - share)
    second, third = share**2 - share + 1.0 / 6.0, share**3 - 1.5 * share**2 + 0.5 * share
    mass, tilt = jump * second / 2.0 + bend * third / 6.0, -jump * third / 3.0
    level[rows, right - 1] += mass * (1.0 - share) - tilt
    level[rows, right] += mass * share + tilt


def _interpolation(even: Floats, to: Floats) -> Floats:
    """Return the matrix that takes values at even points to others among them by the six nearest, from the right."""
    step = even[1] - even[0]
    first = np.clip(np.floor((to - even[0]) / step).astype(np.intp) - 2, 0, len(even) - 6)
    place = (to - even[0]) / step - first
    matrix = np.zeros((len(even), len(to)))
    for node in range(6):
        others = [other for other in range(6) if other != node]
        weight = np.prod([(place - other) / (node - other) for other in others], axis=0)
        matrix[first + node, np.arange(len(to))] = weight
    return matrix
