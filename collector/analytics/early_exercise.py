"""The premium of early exercise of any contract in dollars: of continuous carry, or around cash dividends."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np

from collector.analytics import discrete_dividends
from collector.analytics.american_premium import Grid, Premium, Puts, Tables, as_puts, premium, premium_value
from collector.analytics.call_exercise import CallExercise
from collector.analytics.terms import Booleans, Floats, Integers, Terms

# Steps of relative spot for the derivatives of a call's premium around ex-dates.
SPOT_STEP = 2e-3
# A yield beside cash dividends, above which exercise between ex-dates may be what a call's premium is.
YIELD_COUNTS = 0.01
# That yield times the root of the tenor, above which neither alone is near enough to what both are worth.
YIELD_TOO_HIGH = 0.03


@dataclass(frozen=True, slots=True)
class Rows:
    """Contracts sorted by chain and side, shape (n,), with what their valuation needs.

    ``spot`` is less the present value of the cash dividends, ``intrinsic`` what exercise pays now, ``dividends`` says
    whose chain has cash dividends, ``key`` is twice the chain's number, plus 1 for calls.
    """

    chain: Integers
    key: Integers
    sign: Floats
    strike: Floats
    spot: Floats
    forward: Floats
    tenor: Floats
    discount: Floats
    intrinsic: Floats
    dividends: Booleans
    puts: Puts

    def of(self, rows: Booleans | Integers) -> Rows:
        """Return some of the rows, in their order."""
        return Rows(
            self.chain[rows],
            self.key[rows],
            self.sign[rows],
            self.strike[rows],
            self.spot[rows],
            self.forward[rows],
            self.tenor[rows],
            self.discount[rows],
            self.intrinsic[rows],
            self.dividends[rows],
            self.puts.of(rows),
        )


@dataclass(frozen=True, slots=True)
class Derivatives:
    """The premium in dollars and its derivatives by the spot, shape (n,); ``now`` says exercise is optimal now."""

    value: Floats
    delta: Floats
    gamma: Floats
    speed: Floats
    now: Booleans


class EarlyExercise:
    """The premiums of the contracts of some chains over a range of volatilities.

    Args:
        terms: of the chains.
        low, high: decimal per year, shape (m,): the range of each chain's volatilities.
    """

    def __init__(self, terms: Terms, low: Floats, high: Floats) -> None:
        self.terms = terms
        self.tables = Tables(terms, low, high)
        self.calendar = discrete_dividends.Calendar(terms)
        self.calls = CallExercise(terms, self.calendar)

    def moved(self, terms: Terms) -> EarlyExercise:
        """Return the premiums under terms a little off, along the same boundaries: for terms that have all but settled,
        since of what a forward that is off moves a premium, the boundary's part is a third to a half.
        """
        near = copy(self)
        near.terms, near.calendar = terms, discrete_dividends.Calendar(terms)
        near.calls = CallExercise(terms, near.calendar)
        return near

    def rows(self, chain: Integers, sign: Floats, strike: Floats) -> Rows:
        """Return contracts, already sorted by chain and side, with what their valuation needs."""
        terms = self.terms
        return Rows(
            chain=chain,
            key=(2 * chain + (sign > 0)).astype(np.intp),
            sign=sign,
            strike=strike,
            spot=terms.escrowed_spot[chain],
            forward=terms.forward[chain],
            tenor=terms.tenor[chain],
            discount=terms.discount[chain],
            intrinsic=np.maximum(sign * (terms.spot[chain] - strike), 0.0),
            dividends=self.calendar.counts[chain] > 0,
            puts=as_puts(terms, chain, sign, strike),
        )

    def exercised(self, rows: Rows) -> Booleans:
        """Say of which contracts early exercise may be worth anything."""
        around_dividends = rows.dividends & (rows.sign > 0)
        marked: Booleans = around_dividends | self.tables.exercised[rows.key]
        return marked

    def double(self, rows: Rows) -> Booleans:
        """Say of which contracts two boundaries bound the exercise region: not computed."""
        marked: Booleans = self.tables.double[rows.key] & ~self._around_dates(rows)
        return marked

    def unsure(self, rows: Rows) -> Booleans:
        """Say of which contracts the premium is not to be shown: two boundaries, or calls with cash dividends and so
        high a yield beside them that the larger of both premiums is too little.
        """
        terms = self.terms
        high = (terms.carry_yield * np.sqrt(terms.tenor))[rows.chain] > YIELD_TOO_HIGH
        marked: Booleans = self.double(rows) | (self._around_dates(rows) & high)
        return marked

    def value(self, rows: Rows, sigma: Floats) -> Floats:
        """Return the premium, dollars a share."""
        value = np.zeros(len(rows.key))
        for part in self._parts(rows):
            some = rows.of(part)
            value[part] = some.puts.scale * premium_value(some.puts, sigma[part], self._grid(some, sigma[part]))
        calls = np.flatnonzero(self._around_dates(rows))
        if calls.size:
            around = self._calls(rows.of(calls), sigma[calls], rows.spot[calls, None])[:, 0]
            value[calls] = np.maximum(value[calls], around)
        return value

    def derivatives(self, rows: Rows, sigma: Floats, *, curved: bool = True) -> Derivatives:
        """Return the premium and its derivatives by the spot; gamma and speed are 0 unless ``curved``."""
        size = len(rows.key)
        columns = [np.zeros(size) for _ in range(4)]
        now = np.zeros(size, dtype=bool)
        for part in self._parts(rows):
            some = rows.of(part)
            found = premium(some.puts, sigma[part], self._grid(some, sigma[part]), curved=curved)
            for column, figures in zip(columns, _in_dollars(found, some), strict=True):
                column[part] = figures
            now[part] = found.now
        around = self._around_dates(rows)
        now &= ~around
        calls = np.flatnonzero(around)
        if calls.size:
            stencil = self._stencil(rows.of(calls), sigma[calls], curved)
            larger = stencil[0] >= columns[0][calls]
            for column, figures in zip(columns, stencil, strict=True):
                column[calls] = np.where(larger, figures, column[calls])
        return Derivatives(columns[0], columns[1], columns[2], columns[3], now)

    @staticmethod
    def _around_dates(rows: Rows) -> Booleans:
        """Say which are calls with cash dividends."""
        marked: Booleans = rows.dividends & (rows.sign > 0)
        return marked

    def _parts(self, rows: Rows) -> list[Integers]:
        """Return the rows of continuous carry, then those of puts with cash dividends, alike in how many these are."""
        around = self._around_dates(rows)
        counted = ~around | (self.terms.carry_yield[rows.chain] > YIELD_COUNTS)
        summed = np.flatnonzero(self.tables.exercised[rows.key] & counted)
        counts = np.where(around, 0, self.calendar.counts[rows.chain])[summed]
        size = np.where(counts > 0, np.ceil(np.log2(np.maximum(counts, 1))), -1.0)
        return [summed[size == one] for one in np.unique(size)]

    def _grid(self, rows: Rows, sigma: Floats) -> Grid:
        """Return the grid of rows that are all of one kind."""
        if not rows.dividends[0] or rows.sign[0] > 0:
            return self.tables.grid(rows.key, sigma, rows.tenor)
        return discrete_dividends.put_grid(
            self.terms, self.calendar, self.tables, rows.chain, rows.key, rows.puts, sigma
        )

    def _calls(self, rows: Rows, sigma: Floats, spots: Floats) -> Floats:
        """Return the premium of calls with cash dividends at spots (less the dividends), shape (n, s)."""
        return self.calls.premium(rows.chain, rows.strike, spots, sigma)

    def _stencil(self, rows: Rows, sigma: Floats, curved: bool) -> tuple[Floats, ...]:
        """Return the premium of calls with cash dividends and its first three derivatives, by differences."""
        step = SPOT_STEP * rows.spot
        steps = np.array([0.0, 1.0, -1.0, 2.0, -2.0] if curved else [0.0, 1.0, -1.0])
        found = self._calls(rows, sigma, rows.spot[:, None] + step[:, None] * steps)
        middle, up, down = found[:, 0], found[:, 1], found[:, 2]
        first = (up - down) / (2.0 * step)
        if not curved:
            return middle, first, np.zeros_like(middle), np.zeros_like(middle)
        far_up, far_down = found[:, 3], found[:, 4]
        second = (up - 2.0 * middle + down) / step**2
        third = (far_up - 2.0 * up + 2.0 * down - far_down) / (2.0 * step**3)
        return middle, first, second, third


def _in_dollars(found: Premium, rows: Rows) -> tuple[Floats, Floats, Floats, Floats]:
    """Return a premium of puts of strike 1 and its derivatives as those of the contracts."""
    call, x, scale = rows.sign > 0, rows.puts.spot, rows.puts.scale
    delta = np.where(call, found.value - x * found.first, found.first)
    if found.second is None or found.third is None:
        return scale * found.value, delta, np.zeros_like(delta), np.zeros_like(delta)
    gamma = np.where(call, x * x * found.second / rows.spot, found.second / rows.strike)
    own = np.where(
        call,
        -((x / rows.spot) ** 2) * (3.0 * found.second + x * found.third),
        found.third / rows.strike**2,
    )
    return scale * found.value, delta, gamma, own
