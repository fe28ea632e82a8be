"""What early exercise adds to an option with continuous carry, and the derivatives of that premium.

Kim's integral over the exercise boundary, in the variable sqrt(tau - u), which takes its singularity away. Every option
is looked at as a put of strike 1: a call on (S, K, rate, yield) is S puts on (K / S, 1, yield, rate).

Source: I. J. Kim, "The analytic valuation of American options", Review of Financial Studies 3 (1990) 547-572; the
quadrature of Andersen, Lake and Offengenden (see exercise_boundary.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from collector.analytics.exercise_boundary import NODES, boundaries, interpolation
from collector.analytics.terms import Booleans, Floats, Integers, Terms

POINTS = 16
# Chebyshev nodes in ln(sigma) by how many times the highest volatility is the lowest.
NODES_UP_TO = ((4.0, 8), (8.0, 12), (16.0, 16))
WIDEST = 16.0
LOWEST, HIGHEST = 0.01, 20.0
ROUNDING = 1e-10
# The range reaches a little further than asked, so that a bumped volatility is in it too.
MARGIN = 0.02

_Y, _WEIGHTS = np.polynomial.legendre.leggauss(POINTS)
_SHARE = (1.0 + _Y) / 2.0
_WEIGHTED = _WEIGHTS * _SHARE
# The boundary at each quadrature point, and last at the tenor itself: where exercise is optimal now.
_AT = interpolation(np.append(np.sqrt(1.0 - _SHARE**2), 1.0))
_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)


@dataclass(frozen=True, slots=True)
class Puts:
    """Contracts as puts of strike 1, shape (n,): ``scale`` times one of them is the contract."""

    spot: Floats
    rate: Floats
    carry_yield: Floats
    tenor: Floats
    scale: Floats

    def of(self, rows: Booleans | Integers) -> Puts:
        """Return some of the rows."""
        return Puts(self.spot[rows], self.rate[rows], self.carry_yield[rows], self.tenor[rows], self.scale[rows])


def as_puts(terms: Terms, chain: Integers, sign: Floats, strike: Floats) -> Puts:
    """Return contracts as puts of strike 1; cash dividends are taken off the spot."""
    spot, rate, carry_yield = terms.escrowed_spot[chain], terms.rate[chain], settled(terms.carry_yield)[chain]
    call = sign > 0
    return Puts(
        spot=np.where(call, strike / spot, spot / strike),
        rate=np.where(call, carry_yield, rate),
        carry_yield=np.where(call, rate, carry_yield),
        tenor=terms.tenor[chain],
        scale=np.where(call, spot, strike),
    )


def settled(carry_yield: Floats) -> Floats:
    """Return yields with what rounding left of 0 taken for 0: its sign decides whether exercise ever pays."""
    return np.where(np.abs(carry_yield) < ROUNDING, 0.0, carry_yield)


class Tables:
    """The boundaries of every chain and side over a range of volatilities, read by interpolation in ln(sigma).

    Args:
        terms: of the chains.
        low, high: decimal per year, shape (m,): the range of each chain's volatilities. Outside it the boundary of its
            end is used, and the rest of the formula with the volatility itself.
    """

    def __init__(self, terms: Terms, low: Floats, high: Floats) -> None:
        chains = len(terms.tenor)
        high = np.clip(np.where(np.isfinite(high), high, 0.5), LOWEST * 1.5, HIGHEST)
        low = np.clip(np.where(np.isfinite(low), low, 0.1), np.maximum(high / WIDEST, LOWEST), high / 1.2)
        self._log_low, self._log_high = np.log(low * (1.0 - MARGIN)), np.log(high * (1.0 + MARGIN))
        self._nodes = np.full(chains, NODES_UP_TO[-1][1])
        for ratio, count in reversed(NODES_UP_TO):
            self._nodes[high / low <= ratio * (1.0 + 1e-12)] = count
        self.exercised = np.zeros(2 * chains, dtype=bool)
        self.double = np.zeros(2 * chains, dtype=bool)
        self._log_start = np.zeros(2 * chains)
        self._distance: list[Floats] = [np.zeros((0, 0))] * (2 * chains)
        self._at_nodes: list[Floats] = [np.zeros((0, 0))] * (2 * chains)
        for count in np.unique(self._nodes):
            self._fill(terms, int(count))

    def _fill(self, terms: Terms, count: int) -> None:
        """Solve the boundaries of the chains with ``count`` nodes, both sides at once."""
        chains = np.flatnonzero(self._nodes == count)
        middle = (self._log_high[chains] + self._log_low[chains]) / 2
        half = (self._log_high[chains] - self._log_low[chains]) / 2
        sigma = np.exp(middle[:, None] + half[:, None] * _chebyshev(count)[None, :]).ravel()
        rate, carry_yield, tenor = (
            np.repeat(values[chains], count) for values in (terms.rate, settled(terms.carry_yield), terms.tenor)
        )
        for side, (first, second) in enumerate(((rate, carry_yield), (carry_yield, rate))):
            solved = boundaries(first, second, sigma, tenor)
            distance = np.sqrt(np.maximum(solved.height @ _AT.T, 0.0)).reshape(len(chains), count, POINTS + 1)
            at_nodes = np.sqrt(np.maximum(solved.height, 0.0)).reshape(len(chains), count, NODES + 1)
            for place, chain in enumerate(chains):
                self._distance[2 * chain + side] = distance[place]
                self._at_nodes[2 * chain + side] = at_nodes[place]
            own = 2 * chains + side
            self.exercised[own] = solved.exercised[::count]
            self.double[own] = solved.double[::count]
            self._log_start[own] = np.log(solved.start[::count])

    @property
    def range(self) -> tuple[Floats, Floats]:
        """Lowest and highest volatility that each chain's table was asked for, shape (m,)."""
        return np.exp(self._log_low) / (1.0 - MARGIN), np.exp(self._log_high) / (1.0 + MARGIN)

    def covers(self, chain: Integers, sigma: Floats) -> Booleans:
        """Say of which volatilities the boundary itself is in the table, not that of the range's end."""
        log_sigma = np.log(sigma)
        margin = 1e-6
        covered: Booleans = (log_sigma >= self._log_low[chain] - margin) & (log_sigma <= self._log_high[chain] + margin)
        return covered

    def grid(self, key: Integers, sigma: Floats, tenor: Floats) -> Grid:
        """Return where the premium of continuous carry is summed.

        Args:
            key: twice the chain's number, plus 1 for calls; equal ones stand together.
            sigma: decimal per year.
            tenor: years.
        """
        boundary = self._read(self._distance, key, sigma, POINTS + 1)
        left = tenor[:, None] * _SHARE**2
        return Grid(left, tenor[:, None] * _WEIGHTED, boundary[:, :-1], boundary[:, -1])

    def node_distance(self, key: Integers, sigma: Floats) -> Floats:
        """Return ln(X / B) at the Chebyshev points of sqrt(time to settlement), shape (n, NODES + 1)."""
        return self._log_start[key][:, None] - self._read(self._at_nodes, key, sigma, NODES + 1)

    def log_start(self, key: Integers) -> Floats:
        """Return ln X."""
        return np.asarray(self._log_start[key], dtype=np.float64)

    def _read(self, tables: list[Floats], key: Integers, sigma: Floats, width: int) -> Floats:
        """Return ln B from tables of ln(X / B), shape (n, width)."""
        chain = key >> 1
        middle, half = (self._log_high + self._log_low) / 2, (self._log_high - self._log_low) / 2
        place = np.clip((np.log(sigma) - middle[chain]) / half[chain], -1.0, 1.0)
        nodes = self._nodes[chain]
        weights = {
            int(count): _barycentric(np.where(nodes == count, place, 0.5), int(count)) for count in np.unique(nodes)
        }
        found = np.zeros((len(key), width))
        starts = np.flatnonzero(np.diff(key, prepend=-1))
        for start, stop in zip(starts, np.append(starts[1:], len(key)), strict=True):
            found[start:stop] = weights[int(nodes[start])][start:stop] @ tables[key[start]]
        return np.asarray(self._log_start[key][:, None] - found, dtype=np.float64)


def _chebyshev(count: int) -> Floats:
    """Return the Chebyshev points of the second kind, descending from 1 to -1."""
    return np.asarray(np.cos(np.pi * np.arange(count) / (count - 1)), dtype=np.float64)


def _barycentric(place: Floats, count: int) -> Floats:
    """Return the matrix of the polynomial through ``count`` Chebyshev points at other places; shape (n, count)."""
    weights = (-1.0) ** np.arange(count)
    weights[[0, -1]] /= 2.0
    distance = place[:, None] - _chebyshev(count)[None, :]
    distance = np.where(np.abs(distance) < 1e-14, 1e-14, distance)
    terms = weights / distance
    matrix: Floats = terms / terms.sum(axis=1, keepdims=True)
    return matrix


@dataclass(frozen=True, slots=True)
class Premium:
    """The premium of puts of strike 1 and its derivatives by their spot, shape (n,); ``now`` says exercise is optimal.

    ``second`` and ``third`` are None where they were not asked for.
    """

    value: Floats
    first: Floats
    second: Floats | None
    third: Floats | None
    now: Booleans


@dataclass(frozen=True, slots=True)
class Grid:
    """Where Kim's integral is summed, shape (n, j): years from now, weights (years), and ln of the boundary there.

    ``log_now`` is ln of the boundary now, shape (n,).
    """

    left: Floats
    weights: Floats
    log_boundary: Floats
    log_now: Floats


def premium_value(puts: Puts, sigma: Floats, grid: Grid) -> Floats:
    """Return the premium alone; see premium."""
    total = sigma[:, None] * np.sqrt(grid.left)
    rate, carry_yield, left = puts.rate[:, None], puts.carry_yield[:, None], grid.left
    d_minus = (np.log(puts.spot)[:, None] - grid.log_boundary + (rate - carry_yield) * left) / total - total / 2
    gains = rate * np.exp(-rate * left) * ndtr(-d_minus)
    gains -= carry_yield * puts.spot[:, None] * np.exp(-carry_yield * left) * ndtr(-d_minus - total)
    value: Floats = np.maximum((gains * grid.weights).sum(axis=1), 0.0)
    return value


def premium(puts: Puts, sigma: Floats, grid: Grid, *, curved: bool = True) -> Premium:
    """Return the premium of puts of strike 1 that are exercised along a boundary.

    Args:
        puts: shape (n,).
        sigma: decimal per year, shape (n,).
        grid: from Tables.grid, or of puts with cash dividends.
        curved: whether the second and third derivatives are wanted.
    """
    total = sigma[:, None] * np.sqrt(grid.left)
    rate, carry_yield, spot, left = puts.rate[:, None], puts.carry_yield[:, None], puts.spot[:, None], grid.left
    d_minus = (np.log(spot) - grid.log_boundary + (rate - carry_yield) * left) / total - total / 2
    d_plus = d_minus + total
    rate_discount, yield_discount = np.exp(-rate * left), np.exp(-carry_yield * left)
    tail = yield_discount * ndtr(-d_plus)
    value = ((rate * rate_discount * ndtr(-d_minus) - carry_yield * spot * tail) * grid.weights).sum(axis=1)
    # spot e^(-yield left) phi(d+) = B e^(-rate left) phi(d-)
    bell = rate_discount * np.exp(-0.5 * d_minus * d_minus) / _ROOT_TWO_PI
    held = carry_yield * np.exp(grid.log_boundary)
    first = -(((rate - held) * bell / (spot * total) + carry_yield * tail) * grid.weights).sum(axis=1)
    second = third = None
    if curved:
        common = bell / (spot * total) ** 2 * grid.weights
        second = (common * (rate * d_plus - held * d_minus)).sum(axis=1)
        bend = rate * ((1.0 - d_minus * d_plus) / total - 2.0 * d_plus)
        bend -= held * ((1.0 - d_minus * d_minus) / total - 2.0 * d_minus)
        third = (common / spot * bend).sum(axis=1)
    return Premium(np.maximum(value, 0.0), first, second, third, np.log(puts.spot) <= grid.log_now)
