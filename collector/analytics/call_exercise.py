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
from collector.analytics.terms import Booleans, Floats, Integers, Terms

POINTS = 16
NEWTON_STEPS = 6
# How many standard deviations are summed on each side.
REACH = 5.5
# A second date adds to the first one where it is itself worth this share of the spot.
SECOND = 1e-5
# Points of the grid to the standard deviation between two ex-dates at least, and how many there may be at all.
FINENESS = 1.5
COUNTS = (33, 65, 129)
# A standard deviation of fewer steps of the grid than this is not summed on it.
NARROW = 0.9

_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)
_Y, _W = np.polynomial.legendre.leggauss(POINTS)
_AT, _WEIGHTS = (_Y + 1.0) / 2.0, _W / 2.0


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
        value, short, _ = self._put(log_spot)
        return value, short

    def _put(self, log_spot: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the same and d1."""
        total = (self.sigma * np.sqrt(np.maximum(self.after, 1e-12)))[:, None]
        strike, after = self.strike[:, None], self.after[:, None]
        d1 = (log_spot - np.log(strike) + (self.rate - self.carry_yield)[:, None] * after) / total + total / 2
        short = np.exp(-self.carry_yield[:, None] * after) * ndtr(-d1)
        value = strike * np.exp(-self.rate[:, None] * after) * ndtr(total - d1) - np.exp(log_spot) * short
        return value, short, d1

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
        return self.premium_and_slope(paid, time, spots, sloped=False)[0]

    def premium_and_slope(
        self, paid: Floats, time: Floats, spots: Floats, *, sloped: bool = True
    ) -> tuple[Floats, Floats]:
        """Return the same and its derivative by volatility at the first spot, shape (n,), 0 unless ``sloped``."""
        deviation = (self.sigma * np.sqrt(time))[:, None]
        drift = (self.rate - self.carry_yield - self.sigma**2 / 2)[:, None] * time[:, None]
        centre = np.log(spots) + drift
        lowest = (self.critical(paid)[:, None] - centre) / deviation
        begin = np.clip(lowest, -REACH, REACH)
        width = np.clip((self.ending()[:, None] - centre) / deviation, begin, REACH) - begin
        z = begin[:, :, None] + width[:, :, None] * _AT
        at = centre[:, :, None] + deviation[:, :, None] * z
        put, short, d1 = (figures.reshape(at.shape) for figures in self._put(at.reshape(len(spots), -1)))
        bell = np.exp(-0.5 * z * z)
        lapses = ((put * bell) @ _WEIGHTS) * width / _ROOT_TWO_PI
        shares = self.gain_of_spot()[:, None] * np.exp(centre + deviation**2 / 2) * ndtr(deviation - lowest)
        worth = self.gain(paid)[:, None] * ndtr(-lowest) + shares - lapses
        discount = np.exp(-self.rate * time)
        slope = np.zeros(len(spots))
        if sloped:
            # The critical spot moves too, but there nothing is gained. More volatility spreads the spot, and makes the
            # put dearer; a yield's part is left out.
            spread = np.sqrt(time)[:, None] * z[:, 0] - (self.sigma * time)[:, None]
            vega = np.exp(-(self.carry_yield * self.after)[:, None] - 0.5 * d1[:, 0] ** 2) / _ROOT_TWO_PI
            moved = np.exp(at[:, 0]) * (short[:, 0] * spread - vega * np.sqrt(self.after)[:, None])
            slope = discount * ((moved * bell[:, 0]) @ _WEIGHTS) * width[:, 0] / _ROOT_TWO_PI
        return np.asarray(np.maximum(discount[:, None] * worth, 0.0), dtype=np.float64), slope


class CallExercise:
    """The premiums of calls of some chains.

    Args:
        terms: of the chains.
        calendar: their dividends.
    """

    def __init__(self, terms: Terms, calendar: Calendar) -> None:
        self.terms, self.calendar = terms, calendar
        self._ahead = calendar.ahead(terms.rate)
        self._known: dict[tuple[int, bytes], _Dates] = {}

    def premium(self, chain: Integers, strike: Floats, spots: Floats, sigma: Floats) -> Floats:
        """Return what early exercise adds to calls at some spots, dollars a share, shape (n, s).

        Args:
            chain, strike, sigma: shape (n,), the chains ascending.
            spots: less the present value of the dividends, shape (n, s), near each other.
        """
        return self.premium_and_slope(chain, strike, spots, sigma, sloped=False)[0]

    def premium_and_slope(
        self, chain: Integers, strike: Floats, spots: Floats, sigma: Floats, *, sloped: bool = True
    ) -> tuple[Floats, Floats]:
        """Return the same and nearly its derivative by volatility at the first spot (n,): that of the best date."""
        most = int(self.calendar.counts[chain].max(initial=0))
        gains = self._gains(chain, strike)[:, :most]
        rows, dates = np.nonzero(gains > 0)
        alone, slopes = np.zeros((most, *spots.shape)), np.zeros((most, len(chain)))
        if rows.size:
            own = chain[rows]
            time, paid = self.calendar.time[own, dates], self._ahead[own, dates]
            carry_yield, after = self.terms.carry_yield[own], self.terms.tenor[own] - time
            date = _Date(strike[rows], sigma[rows], self.terms.rate[own], carry_yield, after)
            found = date.premium_and_slope(paid, time, spots[rows], sloped=sloped)
            alone[dates, rows], slopes[dates, rows] = found
        best: Floats = alone.max(axis=0, initial=0.0)
        slope = slopes[alone[:, :, 0].argmax(axis=0), np.arange(len(chain))] if most else np.zeros(len(chain))
        if most < 2:
            return best, slope
        second = np.partition(alone[:, :, 0], -2, axis=0)[-2]
        several = np.flatnonzero(second > SECOND * spots[:, 0])
        left = self._left(chain[several], gains[several], strike[several], spots[several, 0], sigma[several])
        several = several[left * second[several] > SECOND * spots[several, 0]]
        if several.size:
            together = self._several(
                chain[several], gains[several] > 0, strike[several], spots[several], sigma[several]
            )
            best[several] = np.maximum(best[several], together)
        return best, slope

    def _gains(self, chain: Integers, strike: Floats) -> Floats:
        """Return what each dividend is more than the interest on the strike until the next, or settlement; (n, k)."""
        time, amount = self.calendar.time[chain], self.calendar.amount[chain]
        following = np.concatenate([time[:, 1:], self.terms.tenor[chain][:, None]], axis=1)
        interest = -strike[:, None] * np.expm1(-self.terms.rate[chain][:, None] * (following - time))
        return np.where(amount > 0, amount - interest, 0.0)

    def _left(self, chain: Integers, gains: Floats, strike: Floats, spot: Floats, sigma: Floats) -> Floats:
        """Return at most how likely calls are to live on after the first date that pays, shape (n,).

        To wait from there for the next date gives up what this one gains over that, and keeps at most the put.
        """
        first = np.argmax(gains > 0, axis=1)
        time, gain = self.calendar.time[chain, first], gains[np.arange(len(chain)), first]
        rate, carry_yield = self.terms.rate[chain], self.terms.carry_yield[chain]
        date = _Date(strike, sigma, rate, carry_yield, self.terms.tenor[chain] - time)
        critical = date.critical(gain - strike * np.expm1(-rate * date.after))
        centre = np.log(spot) + (rate - carry_yield - sigma**2 / 2) * time
        return np.asarray(ndtr((critical - centre) / (sigma * np.sqrt(time))), dtype=np.float64)

    def _several(self, chain: Integers, pays: Booleans, strike: Floats, spots: Floats, sigma: Floats) -> Floats:
        """Return the premium of calls for which more than one date counts; ``pays`` says which, shape (n, k)."""
        starts = np.flatnonzero(np.diff(chain, prepend=-1))
        dates = [
            self._dates(int(chain[start]), np.asarray(pays[start:stop].any(axis=0)))
            for start, stop in zip(starts, np.append(starts[1:], len(chain)), strict=True)
        ]
        sizes = np.diff(np.append(starts, len(chain)))
        found = np.zeros(spots.shape)
        counts = np.array([one.count for one in dates])
        for count in np.unique(counts):
            some = np.flatnonzero(np.repeat(counts == count, sizes))
            own = [one for one in dates if one.count == count]
            grid = _Grid(own, sizes[counts == count], strike[some], sigma[some], spots[some])
            found[some] = grid.premium()
        return found

    def _dates(self, chain: int, pays: Booleans) -> _Dates:
        """Return the dates of a chain that pay for any of its contracts."""
        key = (chain, pays.tobytes())
        if key not in self._known:
            paying = np.flatnonzero(pays)
            self._known[key] = _Dates(
                rate=float(self.terms.rate[chain]),
                carry_yield=float(self.terms.carry_yield[chain]),
                tenor=float(self.terms.tenor[chain]),
                time=self.calendar.time[chain, paying],
                ahead=self._ahead[chain, paying],
            )
        return self._known[key]


class _Dates:
    """Ex-dates of one chain, shape (k,): ``ahead`` is what the dividends from each on are worth just before it.

    ``deviations`` are those between one date and the next in units of that until the last one, in which the grid is
    even; ``near`` says that the last date is too near settlement for it to hold a put there, ``narrow`` that the first
    is too near for it to sum over.
    """

    def __init__(self, rate: float, carry_yield: float, tenor: float, time: Floats, ahead: Floats) -> None:
        self.rate, self.carry_yield, self.tenor, self.time, self.ahead = rate, carry_yield, tenor, time, ahead
        self.deviations = np.sqrt(np.diff(time, prepend=0.0) / time[-1])
        wanted = 2 * REACH * FINENESS / self.deviations[1:].min()
        self.count = next((count for count in COUNTS if count >= wanted), COUNTS[-1])
        self.y = np.linspace(-REACH, REACH, self.count)
        step = float(self.y[1] - self.y[0])
        self.near = bool(tenor - time[-1] < (NARROW * step) ** 2 * time[-1])
        self.narrow = bool(self.deviations[0] < NARROW * step)
        self._transitions: dict[int, Floats] = {}

    def transition(self, place: int) -> Floats:
        """Return the matrix that takes values at a date to those expected at the one before, from the right; (j, j)."""
        if place not in self._transitions:
            kernel = np.exp(-0.5 * ((self.y[:, None] - self.y[None, :]) / self.deviations[place]) ** 2)
            discount = np.exp(-self.rate * (self.time[place] - self.time[place - 1]))
            self._transitions[place] = discount * kernel / kernel.sum(axis=0, keepdims=True)
        return self._transitions[place]


class _Grid:
    """Calls of chains whose grids have equally many points, on these; ``sizes`` is how many each chain has."""

    def __init__(self, dates: list[_Dates], sizes: Integers, strike: Floats, sigma: Floats, spots: Floats) -> None:
        self.dates, self.strike, self.sigma, self.spots = dates, strike, sigma, spots
        stops = np.cumsum(sizes)
        self.slices = [slice(stop - size, stop) for stop, size in zip(stops, sizes, strict=True)]
        of = np.repeat(np.arange(len(dates)), sizes)
        most = max(len(one.time) for one in dates)
        self.time, ahead = (
            np.array([np.concatenate([values, np.repeat(values[-1:], most - len(values))]) for values in column])[of]
            for column in ([one.time for one in dates], [one.ahead for one in dates])
        )
        self.lasts, self.first_deviation, self.narrow, self.rate, self.carry_yield, self.tenor = (
            np.array(column)[of]
            for column in zip(
                *(
                    (len(one.time) - 1, one.deviations[0], one.narrow, one.rate, one.carry_yield, one.tenor)
                    for one in dates
                ),
                strict=True,
            )
        )
        after = self.tenor[:, None] - self.time
        self.ahead = ahead
        self.gain = ahead + strike[:, None] * np.expm1(-self.rate[:, None] * after)
        self.gain_of_spot = -np.expm1(-self.carry_yield[:, None] * after) if self.carry_yield.any() else None
        self.y = dates[0].y
        self.total = (sigma * np.sqrt(self.time[:, -1]))[:, None]
        self.middle = self._middle()
        self.log_spot = self.middle + self.total * self.y

    def _middle(self) -> Floats:
        """Return ln of the spot in the middle of the grid, which the strike lies on: its small error moves not with
        the spot, so that derivatives by this do not see it. A first date too near for the grid wants the spot itself.
        """
        step = (self.y[1] - self.y[0]) * self.total
        log_strike, log_spot = np.log(self.strike)[:, None], np.log(self.spots[:, :1])
        even = log_strike + np.round((log_spot - log_strike) / step) * step
        return np.where(self.narrow[:, None], log_spot, even)

    def premium(self) -> Floats:
        """Return the value of the right to exercise at any of the dates, over the European call's; (n, s)."""
        later = np.zeros(self.log_spot.shape)
        for place in range(int(self.lasts.max()), 0, -1):
            begin = np.flatnonzero(self.lasts == place)
            if begin.size:
                later[begin] = self._date(begin, place).put(self._at(begin, self.log_spot, place))[0]
            # The chains that have no date yet hold nothing, and nothing becomes of it.
            level = self._larger(slice(None), self.log_spot, later, place)
            for one, own in zip(self.dates, self.slices, strict=True):
                last = len(one.time) - 1
                if last == place and one.near:
                    later[own] = self._before_the_last(np.arange(own.start, own.stop), place)
                elif last >= place:
                    np.matmul(level[own], one.transition(place), out=later[own])
        return self._now(later)

    def _date(self, rows: Integers | slice, place: int) -> _Date:
        """Return some of the contracts at a date."""
        after = self.tenor[rows] - self.time[rows, place]
        return _Date(self.strike[rows], self.sigma[rows], self.rate[rows], self.carry_yield[rows], after)

    def _at(self, rows: Integers | slice, log_spot: Floats, place: int) -> Floats:
        """Return ln of the grid's spots at a date."""
        drift = self.rate[rows] - self.carry_yield[rows] - self.sigma[rows] ** 2 / 2
        return np.asarray(log_spot[rows] + (drift * self.time[rows, place])[:, None], dtype=np.float64)

    def _larger(self, rows: Integers | slice, log_spot: Floats, later: Floats, place: int) -> Floats:
        """Return the larger of what exercise gains at a date and of what waiting is worth (``later``), kink mended."""
        gained = self.gain[rows, place, None]
        if self.gain_of_spot is not None:
            gained = gained + self.gain_of_spot[rows, place, None] * np.exp(self._at(rows, log_spot, place))
        level = np.maximum(later, gained)
        _mend(level, later - gained)
        return np.asarray(level, dtype=np.float64)

    def _before_the_last(self, rows: Integers, place: int) -> Floats:
        """Return what waiting is worth after the last date but one, the last (``place``) too near settlement."""
        spots = np.exp(self._at(rows, self.log_spot, place - 1))
        gap = self.time[rows, place] - self.time[rows, place - 1]
        one = self._date(rows, place).premium(self.ahead[rows, place], gap, spots)
        return np.asarray(one + self._date(rows, place - 1).put(np.log(spots))[0], dtype=np.float64)

    def _now(self, later: Floats) -> Floats:
        """Return the premium now of ``later``, what waiting is worth after the first date; (n, s)."""
        worth = np.zeros(self.spots.shape)
        centre = (np.log(self.spots) - self.middle) / self.total
        rows = np.flatnonzero(~self.narrow)
        if rows.size:
            level = self._larger(rows, self.log_spot, later[rows], 0)
            worth[rows] = self._expected(rows, np.broadcast_to(self.y, level.shape), level, centre[rows])
        for one, own in zip(self.dates, self.slices, strict=True):
            if one.narrow:
                rows = np.arange(own.start, own.stop)
                y = np.linspace(-1.0, 1.0, COUNTS[0]) * (REACH * one.deviations[0] + np.abs(centre[rows]).max())
                log_spot = np.zeros((len(later), len(y)))
                log_spot[rows] = self.middle[rows] + self.total[rows] * y
                level = self._larger(rows, log_spot, later[rows] @ _interpolation(self.y, y), 0)
                worth[rows] = self._expected(rows, np.broadcast_to(y, level.shape), level, centre[rows])
        now = _Date(self.strike, self.sigma, self.rate, self.carry_yield, self.tenor)
        return np.asarray(worth - now.put(np.log(self.spots))[0], dtype=np.float64)

    def _expected(self, rows: Integers, y: Floats, level: Floats, centre: Floats) -> Floats:
        """Return what values at the first date are worth now at spots (``centre``, in the grid's units); (n, s)."""
        z = (y[:, None, :] - centre[:, :, None]) / self.first_deviation[rows][:, None, None]
        kernel = np.exp(-0.5 * z * z)
        expected = np.einsum("nsj,nj->ns", kernel, level) / kernel.sum(axis=2)
        discount = np.exp(-self.rate[rows] * self.time[rows, 0])
        return np.asarray(discount[:, None] * expected, dtype=np.float64)


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
