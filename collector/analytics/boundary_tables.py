"""Early-exercise boundaries of the chains of a ticker, solved once for a range of volatilities and read in between.

A boundary is smooth in ln(sigma): it is solved at Chebyshev points of that and interpolated, with its slope by the
volatility, and by the rate where rho is wanted. Kim's integral, which is summed along it (american_premium.py), has
points of its own in time, at which the boundary is interpolated from its own Chebyshev points, once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TypeVar

import numpy as np

from collector.analytics.exercise_boundary import Boundaries, boundaries, interpolation, past_quadrature
from collector.analytics.terms import Booleans, Floats, Integers, Terms

POINTS = 14
# Chebyshev points in ln(sigma) by how many times the highest volatility is the lowest: odd numbers, of which every
# second point is one of half as many.
NODES_UP_TO = ((2.5, 7), (4.0, 9), (8.0, 13), (16.0, 17))
WIDEST = 16.0
LOWEST, HIGHEST = 0.01, 20.0
ROUNDING = 1e-10
# The range reaches a little further than asked, so that a bumped volatility is in it too.
MARGIN = 0.02
RATE_BUMP = 5e-5
# The bumped rate's boundaries are solved at every second point of up to so many.
HALVED = 9

_SHARE, _WEIGHTS = past_quadrature(POINTS)
_WEIGHTED = _WEIGHTS * _SHARE
# The boundary at each quadrature point, and last at the tenor itself: where exercise is optimal now.
_AT = interpolation(np.append(np.sqrt(1.0 - _SHARE**2), 1.0))


Figure = TypeVar("Figure", float, Floats)


@dataclass(frozen=True, slots=True)
class Grid:
    """Where Kim's integral is summed, shape (n, j): years from now, weights (years), and ln of the boundary there.

    ``log_now`` is ln of the boundary now, shape (n,). ``by_sigma`` and ``by_rate`` are the slopes of ``log_boundary``
    by volatility and rate, None where they were not asked for.
    """

    left: Floats
    weights: Floats
    log_boundary: Floats
    log_now: Floats
    by_sigma: Floats | None = None
    by_rate: Floats | None = None


def settled(carry_yield: Floats) -> Floats:
    """Return yields with what rounding left of 0 taken for 0: its sign decides whether exercise ever pays."""
    return np.where(np.abs(carry_yield) < ROUNDING, 0.0, carry_yield)


@dataclass(frozen=True, slots=True)
class _Solved:
    """Boundaries of some chains on one side, ``count`` volatilities each, in the order of their chains."""

    chains: Integers
    side: int
    count: int
    sigma: Floats
    boundaries: Boundaries


class Tables:
    """The boundaries of every chain and side over a range of volatilities, read by interpolation in ln(sigma).

    Args:
        terms: of the chains.
        low, high: decimal per year, shape (m,): the range of each chain's volatilities. Outside it the boundary of its
            end is used, and the rest of the formula with the volatility itself.
    """

    def __init__(self, terms: Terms, low: Floats, high: Floats) -> None:
        self._terms, chains = terms, len(terms.tenor)
        high = np.clip(np.where(np.isfinite(high), high, 0.5), LOWEST * 1.5, HIGHEST)
        low = np.clip(np.where(np.isfinite(low), low, 0.1), np.maximum(high / WIDEST, LOWEST), high / 1.2)
        self._log_low, self._log_high = np.log(low * (1.0 - MARGIN)), np.log(high * (1.0 + MARGIN))
        self._middle, self._half = (self._log_high + self._log_low) / 2, (self._log_high - self._log_low) / 2
        self._nodes = np.full(chains, NODES_UP_TO[-1][1])
        for ratio, count in reversed(NODES_UP_TO):
            self._nodes[high / low <= ratio * (1.0 + 1e-12)] = count
        self._counts = [int(count) for count in np.unique(self._nodes)]
        self.exercised = np.zeros(2 * chains, dtype=bool)
        self.double = np.zeros(2 * chains, dtype=bool)
        self._log_start = np.zeros(2 * chains)
        self._solved = [solved for count in self._counts for solved in self._solve(count)]

    def _solve(self, count: int) -> list[_Solved]:
        """Solve the boundaries of the chains with ``count`` nodes, both sides."""
        terms, chains = self._terms, np.flatnonzero(self._nodes == count)
        sigma = np.exp(self._middle[chains, None] + self._half[chains, None] * _chebyshev(count)[None, :]).ravel()
        found = []
        for side in (0, 1):
            rate, carry_yield = _as_put(terms.rate[chains], settled(terms.carry_yield[chains]), side)
            solved = boundaries(
                np.repeat(rate, count), np.repeat(carry_yield, count), sigma, np.repeat(terms.tenor[chains], count)
            )
            own = 2 * chains + side
            self.exercised[own] = solved.exercised[::count]
            self.double[own] = solved.double[::count]
            self._log_start[own] = solved.log_start[::count]
            found.append(_Solved(chains, side, count, sigma, solved))
        return found

    def _tables(self, columns: Callable[[_Solved], Floats]) -> list[Floats]:
        """Return what is read for each key, shape (count, width): the coefficients of Chebyshev's polynomials, of
        figures at his points, shape (chains * count, width).
        """
        tables: list[Floats] = [np.zeros((0, 0))] * len(self.exercised)
        for solved in self._solved:
            figures = columns(solved).reshape(len(solved.chains), solved.count, -1)
            for chain, table in zip(solved.chains, _to_coefficients(solved.count) @ figures, strict=True):
                tables[2 * chain + solved.side] = table
        return tables

    @cached_property
    def _distance(self) -> list[Floats]:
        """Of ln(X / B) at the points of Kim's integral, and last now."""
        return self._tables(_fallen_of)

    @cached_property
    def _sloped(self) -> list[Floats]:
        """Of the same, and of its slope by the place between the lowest and the highest volatility but for now."""
        return self._tables(lambda solved: _with_slope(_fallen_of(solved), solved.count)[:, :-1])

    @cached_property
    def _rated(self) -> list[Floats]:
        """Of the same, and of the boundary's slope by the rate."""
        own = self._tables(self._by_rate)
        return [np.concatenate(both, axis=1) for both in zip(self._sloped, own, strict=True)]

    @cached_property
    def _at_nodes(self) -> list[Floats]:
        """Of ln(X / B) at the boundary's own points."""
        return self._tables(_at_nodes)

    @cached_property
    def _nodes_sloped(self) -> list[Floats]:
        """Of the same and of its slope by the place between the lowest and the highest volatility."""
        return self._tables(lambda solved: _with_slope(_at_nodes(solved), solved.count))

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
        boundary = self._log_start[key][:, None] - self._read(self._distance, key, sigma)
        return Grid(tenor[:, None] * _SHARE**2, tenor[:, None] * _WEIGHTED, boundary[:, :-1], boundary[:, -1])

    def sloped_grid(self, key: Integers, sigma: Floats, tenor: Floats, *, rates: bool = False) -> Grid:
        """Return the same with the boundary's slope by volatility, and by the rate where asked for; see grid."""
        found = self._read(self._rated if rates else self._sloped, key, sigma)
        boundary = self._log_start[key][:, None] - found[:, : POINTS + 1]
        slope = -self._by_sigma(key, sigma)[:, None] * found[:, POINTS + 1 : 2 * POINTS + 1]
        return Grid(
            tenor[:, None] * _SHARE**2,
            tenor[:, None] * _WEIGHTED,
            boundary[:, :-1],
            boundary[:, -1],
            slope,
            found[:, 2 * POINTS + 1 :] if rates else None,
        )

    def node_distance(self, key: Integers, sigma: Floats) -> Floats:
        """Return ln(X / B) at the Chebyshev points of sqrt(time to settlement), shape (n, NODES + 1)."""
        return self._read(self._at_nodes, key, sigma)

    def node_distance_and_slope(self, key: Integers, sigma: Floats) -> tuple[Floats, Floats]:
        """Return the same and its slope by volatility."""
        distance, slope = np.split(self._read(self._nodes_sloped, key, sigma), 2, axis=1)
        return distance, slope * self._by_sigma(key, sigma)[:, None]

    def log_start(self, key: Integers) -> Floats:
        """Return ln X."""
        return np.asarray(self._log_start[key], dtype=np.float64)

    def _by_sigma(self, key: Integers, sigma: Floats) -> Floats:
        """Return how the place between the lowest and the highest ln(sigma) moves with volatility; 0 beyond them."""
        chain = key >> 1
        inside = np.abs(np.log(sigma) - self._middle[chain]) <= self._half[chain]
        return np.where(inside, 1.0 / (self._half[chain] * sigma), 0.0)

    def _by_rate(self, solved: _Solved) -> Floats:
        """Return the slope of ln B by the rate; of few nodes solved at every second, interpolated at the others."""
        terms, chains, count = self._terms, solved.chains, solved.count
        every = 2 if count <= HALVED else 1
        few = (count - 1) // every + 1
        some = (np.arange(len(chains))[:, None] * count + np.arange(0, count, every)).ravel()
        rate, carry_yield = _as_put(terms.rate[chains], settled(terms.carry_yield[chains]), solved.side)
        near = boundaries(
            np.repeat(rate, few),
            np.repeat(carry_yield, few),
            solved.sigma[some],
            np.repeat(terms.tenor[chains], few),
            moved=_as_put(RATE_BUMP, 0.0, solved.side),
        )
        height, log_start = solved.boundaries.height[some], solved.boundaries.log_start[some]
        fallen = _fallen(near.height) - _fallen(height)
        moved = (near.log_start - log_start)[:, None] - fallen[:, :-1]
        slopes = (moved / RATE_BUMP).reshape(len(chains), few, POINTS)
        filled = _barycentric(_chebyshev(count), few) @ slopes
        return np.asarray(filled.reshape(-1, POINTS), dtype=np.float64)

    def _read(self, tables: list[Floats], key: Integers, sigma: Floats) -> Floats:
        """Return what tables hold at volatilities, shape (n, width)."""
        chain = key >> 1
        place = np.clip((np.log(sigma) - self._middle[chain]) / self._half[chain], -1.0, 1.0)
        basis = _polynomials(place, self._counts[-1]).T
        starts = np.flatnonzero(np.diff(key, prepend=-1))
        found = np.empty((len(key), tables[int(key[0])].shape[1] if len(key) else 0))
        stops = np.append(starts[1:], len(key))
        for own, start, stop in zip(key[starts].tolist(), starts.tolist(), stops.tolist(), strict=True):
            table = tables[own]
            np.matmul(basis[start:stop, : len(table)], table, out=found[start:stop])
        return found


def _as_put(rate: Figure, carry_yield: Figure, side: int) -> tuple[Figure, Figure]:
    """Return rate and yield of puts (side 0), of a call's put the other way round."""
    return (carry_yield, rate) if side else (rate, carry_yield)


def _fallen_of(solved: _Solved) -> Floats:
    """Return ln(X / B) at the points of Kim's integral, and last now."""
    return _fallen(solved.boundaries.height)


def _fallen(height: Floats) -> Floats:
    """Return ln(X / B) at the points of Kim's integral, and last now, from H at the boundary's Chebyshev points."""
    return np.asarray(np.sqrt(np.maximum(height @ _AT.T, 0.0)), dtype=np.float64)


def _with_slope(figures: Floats, count: int) -> Floats:
    """Return figures at the nodes of ln(sigma), shape (chains * count, width), and beside them their slopes by the
    place between these.
    """
    slopes = _slopes(count) @ figures.reshape(-1, count, figures.shape[1])
    return np.concatenate([figures, slopes.reshape(figures.shape)], axis=1)


def _at_nodes(solved: _Solved) -> Floats:
    """Return ln(X / B) at the boundary's own Chebyshev points."""
    return np.asarray(np.sqrt(np.maximum(solved.boundaries.height, 0.0)), dtype=np.float64)


def _chebyshev(count: int) -> Floats:
    """Return the Chebyshev points of the second kind, descending from 1 to -1."""
    return np.asarray(np.cos(np.pi * np.arange(count) / (count - 1)), dtype=np.float64)


def _polynomials(place: Floats, count: int) -> Floats:
    """Return the first of Chebyshev's polynomials, shape (count, n)."""
    values = np.ones((count, len(place)))
    values[1] = place
    twice = 2.0 * place
    for degree in range(2, count):
        np.multiply(twice, values[degree - 1], out=values[degree])
        values[degree] -= values[degree - 2]
    return values


@cache
def _to_coefficients(count: int) -> Floats:
    """Return the matrix that takes values at Chebyshev's points (a column) to the coefficients of his polynomials."""
    return np.asarray(np.linalg.inv(_polynomials(_chebyshev(count), count).T), dtype=np.float64)


def _barycentric(place: Floats, count: int) -> Floats:
    """Return the matrix of the polynomial through ``count`` Chebyshev points at other places; shape (n, count)."""
    weights = (-1.0) ** np.arange(count)
    weights[[0, -1]] /= 2.0
    distance = place[:, None] - _chebyshev(count)[None, :]
    distance = np.where(np.abs(distance) < 1e-14, 1e-14, distance)
    terms = weights / distance
    matrix: Floats = terms / terms.sum(axis=1, keepdims=True)
    return matrix


def _slopes(count: int) -> Floats:
    """Return the matrix that takes values at ``count`` Chebyshev points to the slopes of their polynomial there."""
    at = _chebyshev(count)
    weights = (-1.0) ** np.arange(count)
    weights[[0, -1]] *= 2.0
    distance = at[:, None] - at[None, :] + np.eye(count)
    matrix = np.outer(weights, 1.0 / weights) / distance
    matrix -= np.diag(matrix.sum(axis=1))
    return np.asarray(matrix, dtype=np.float64)
