"""Exercise of calls just before the best of several ex-dates of their chain.

What waiting is worth is found backwards from the last date, on a grid of spots that is even in standard deviations and
drifts with the share, so that one matrix for each pair of dates takes all contracts of a chain from the later to the
earlier. Where exercise begins is a kink between two points, whose known error is taken off.
"""

from __future__ import annotations

import numpy as np

from collector.analytics.ex_date import REACH, ExDate
from collector.analytics.terms import Floats, Integers

# Points of the grid to the standard deviation between two ex-dates at least, and how many there may be at all.
FINENESS = 1.5
COUNTS = (33, 65, 129)
# A standard deviation of fewer steps of the grid than this is not summed on it.
NARROW = 0.9


class ExDates:
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


class DatesGrid:
    """Calls of chains whose grids have equally many points, on these; ``sizes`` is how many each chain has."""

    def __init__(self, dates: list[ExDates], sizes: Integers, strike: Floats, sigma: Floats, spots: Floats) -> None:
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

    def _date(self, rows: Integers | slice, place: int) -> ExDate:
        """Return some of the contracts at a date."""
        after = self.tenor[rows] - self.time[rows, place]
        return ExDate(self.strike[rows], self.sigma[rows], self.rate[rows], self.carry_yield[rows], after)

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
        now = ExDate(self.strike, self.sigma, self.rate, self.carry_yield, self.tenor)
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
