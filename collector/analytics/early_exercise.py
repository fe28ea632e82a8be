"""The premium of early exercise of any contract in dollars: of continuous carry, or around cash dividends."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np

from collector.analytics import discrete_dividends
from collector.analytics.american_premium import (
    Premium,
    as_puts,
    premium,
    premium_and_slope,
    premium_value,
)
from collector.analytics.boundary_tables import RATE_BUMP, Grid, Tables
from collector.analytics.call_exercise import CallExercise
from collector.analytics.contract_rows import Rows
from collector.analytics.terms import Booleans, Floats, Integers, Terms

# Steps of relative spot for the derivatives of a call's premium around ex-dates.
SPOT_STEP = 2e-3
# Half-width of the bump of volatility, relative.
SIGMA_BUMP = 0.01
# So few contracts are computed together, however many dividends they have.
FEW = 200
# A yield beside cash dividends, above which exercise between ex-dates may be what a call's premium is.
YIELD_COUNTS = 0.01
# That yield times the root of the tenor, above which neither alone is near enough to what both are worth.
YIELD_TOO_HIGH = 0.03


@dataclass(frozen=True, slots=True)
class Derivatives:
    """The premium in dollars and its derivatives, shape (n,): by the spot once to three times, by volatility, by both,
    and by the rate, each of these per 1; ``now`` says exercise is optimal now.
    """

    value: Floats
    delta: Floats
    gamma: Floats
    speed: Floats
    by_sigma: Floats
    delta_by_sigma: Floats
    by_rate: Floats
    now: Booleans


# The figures of Derivatives, in its order.
FIGURES = 7


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
        self._dearer: EarlyExercise | None = None

    def moved(self, terms: Terms) -> EarlyExercise:
        """Return the premiums under terms a little off, along the same boundaries: for terms that have all but settled,
        since of what a forward that is off moves a premium, the boundary's part is a third to a half.
        """
        near = copy(self)
        near.terms, near.calendar = terms, discrete_dividends.Calendar(terms)
        near.calls = CallExercise(terms, near.calendar)
        near._dearer = None
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
            intrinsic=discrete_dividends.least(terms, self.calendar, chain, sign, strike),
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

    def now(self, rows: Rows, sigma: Floats) -> Booleans:
        """Say of which contracts exercise is optimal now: they are worth that, and nothing moves it but the spot."""
        now = np.zeros(len(rows.key), dtype=bool)
        for part in self._parts(rows):
            some = rows.of(part)
            now[part] = np.log(some.puts.spot) <= self._grid(some, sigma[part]).log_now
        return now & ~self._around_dates(rows)

    def value_and_slope(self, rows: Rows, sigma: Floats) -> tuple[Floats, Floats]:
        """Return the premium and its derivative by volatility; this is only about right of calls with cash dividends:
        that of the best date alone.
        """
        value, slope = np.zeros(len(rows.key)), np.zeros(len(rows.key))
        for part in self._parts(rows):
            some, own = rows.of(part), sigma[part]
            found = premium_and_slope(some.puts, own, self._grid(some, own, sloped=True))
            value[part], slope[part] = (some.puts.scale * figures for figures in found)
        calls = np.flatnonzero(self._around_dates(rows))
        if calls.size:
            some, own = rows.of(calls), sigma[calls]
            around, sloped = self.calls.premium_and_slope(some.chain, some.strike, some.spot[:, None], own)
            larger = around[:, 0] >= value[calls]
            value[calls] = np.where(larger, around[:, 0], value[calls])
            slope[calls] = np.where(larger, sloped, slope[calls])
        return value, slope

    def derivatives(self, rows: Rows, sigma: Floats) -> Derivatives:
        """Return the premium and its derivatives."""
        found = np.zeros((FIGURES, len(rows.key)))
        now = np.zeros(len(rows.key), dtype=bool)
        plain = np.flatnonzero(self.tables.exercised[rows.key] & ~rows.dividends)
        if plain.size:
            some = rows.of(plain)
            grid = self.tables.sloped_grid(some.key, sigma[plain], some.tenor, rates=True)
            one = premium(some.puts, sigma[plain], grid)
            found[:, plain], now[plain] = _in_dollars(one, some), one.now
        puts = np.flatnonzero(rows.dividends & ~self._around_dates(rows))
        if puts.size:
            found[:, puts], now[puts] = self._puts(rows.of(puts), sigma[puts])
        calls = np.flatnonzero(self._around_dates(rows))
        if calls.size:
            found[:, calls] = self._bumped(rows.of(calls), sigma[calls])
        return Derivatives(found[0], found[1], found[2], found[3], found[4], found[5], found[6], now)

    def _puts(self, rows: Rows, sigma: Floats) -> tuple[Floats, Booleans]:
        """Return the derivatives of puts with cash dividends, that by the rate by a bump, shape (7, n), and ``now``."""
        found = np.zeros((FIGURES, len(rows.key)))
        now = np.zeros(len(rows.key), dtype=bool)
        for part in self._parts(rows):
            some = rows.of(part)
            one = premium(some.puts, sigma[part], self._grid(some, sigma[part], sloped=True))
            found[:, part], now[part] = _in_dollars(one, some), one.now
        found[-1] = self._by_rate(rows, sigma, found[0])
        return found, now

    def _bumped(self, rows: Rows, sigma: Floats) -> Floats:
        """Return the derivatives of calls with cash dividends, by volatility and rate by bumps, shape (7, n)."""
        base = self._by_spot(rows, sigma, curved=True)
        up, down = (self._by_spot(rows, sigma * (1.0 + side * SIGMA_BUMP), curved=False) for side in (1, -1))
        by_sigma = (up[:2] - down[:2]) / (2.0 * SIGMA_BUMP * sigma)
        return np.concatenate([base, by_sigma, self._by_rate(rows, sigma, base[0])[None]])

    def _by_rate(self, rows: Rows, sigma: Floats, value: Floats) -> Floats:
        """Return the derivative by the rate of premiums that are ``value``, by a bump."""
        if self._dearer is None:
            self._dearer = EarlyExercise(self.terms.at_rate(RATE_BUMP), *self.tables.range)
        moved = self._dearer.value(self._dearer.rows(rows.chain, rows.sign, rows.strike), sigma)
        return np.asarray((moved - value) / RATE_BUMP, dtype=np.float64)

    def _by_spot(self, rows: Rows, sigma: Floats, *, curved: bool) -> Floats:
        """Return value and derivatives by the spot of calls with cash dividends, shape (4, n), the last two 0 unless
        ``curved``.
        """
        found = np.zeros((4, len(rows.key)))
        for part in self._parts(rows):
            some = rows.of(part)
            one = premium(some.puts, sigma[part], self._grid(some, sigma[part]), curved=curved)
            found[:, part] = _in_dollars(one, some)[:4]
        stencil = np.array(self._stencil(rows, sigma, curved))
        return np.where(stencil[0] >= found[0], stencil, found)

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
        alike = np.ceil(np.log2(np.maximum(counts, 1))) if len(summed) > FEW else np.zeros(len(summed))
        size = np.where(counts > 0, alike, -1.0)
        return [summed[size == one] for one in np.unique(size)]

    def _grid(self, rows: Rows, sigma: Floats, *, sloped: bool = False) -> Grid:
        """Return the grid of rows that are all of one kind."""
        if not rows.dividends[0] or rows.sign[0] > 0:
            read = self.tables.sloped_grid if sloped else self.tables.grid
            return read(rows.key, sigma, rows.tenor)
        return discrete_dividends.put_grid(
            self.terms, self.calendar, self.tables, rows.chain, rows.key, rows.puts, sigma, sloped=sloped
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


def _in_dollars(found: Premium, rows: Rows) -> Floats:
    """Return a premium of puts of strike 1 and its derivatives as those of the contracts, shape (7, n); 0 what is not
    in it.
    """
    call, x, scale = rows.sign > 0, rows.puts.spot, rows.puts.scale
    figures = np.zeros((FIGURES, len(x)))
    figures[0] = scale * found.value
    figures[1] = np.where(call, found.value - x * found.first, found.first)
    if found.second is not None and found.third is not None:
        figures[2] = np.where(call, x * x * found.second / rows.spot, found.second / rows.strike)
        bent = -((x / rows.spot) ** 2) * (3.0 * found.second + x * found.third)
        figures[3] = np.where(call, bent, found.third / rows.strike**2)
    if found.by_sigma is not None and found.first_by_sigma is not None:
        figures[4] = scale * found.by_sigma
        figures[5] = np.where(call, found.by_sigma - x * found.first_by_sigma, found.first_by_sigma)
    if found.by_rate is not None:
        figures[6] = scale * found.by_rate
    return figures
