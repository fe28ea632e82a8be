"""Early-exercise boundaries of the chains of a ticker, solved once for a range of volatilities and read in between.

A boundary is smooth in ln(sigma): it is solved at Chebyshev points of that and interpolated, with its slope by the
volatility, and by the rate where rho is wanted. Kim's integral, which is summed along it (american_premium.py), has
points of its own in time, at which the boundary is interpolated from its own Chebyshev points, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

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
class _Group:
    """Chains on one side (1 for calls) with ``count`` volatilities each, shape (chains * count,)."""

    chains: Integers
    side: int
    count: int
    sigma: Floats

    def few(self) -> tuple[_Group, Integers]:
        """Return the same with few volatilities, every second where they are up to HALVED, and which rows these are."""
        every = 2 if self.count <= HALVED else 1
        rows = np.arange(len(self.sigma)).reshape(-1, self.count)[:, ::every]
        return _Group(self.chains, self.side, rows.shape[1], self.sigma[rows.ravel()]), rows.ravel()


@dataclass(frozen=True, slots=True)
class _Solved:
    """The boundaries of a group, in its order."""

    group: _Group
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
        self._solved = self._solve([self._group(count, side) for count in self._counts for side in (0, 1)])
        for solved in self._solved:
            own, count = 2 * solved.group.chains + solved.group.side, solved.group.count
            self.exercised[own] = solved.boundaries.exercised[::count]
            self.double[own] = solved.boundaries.double[::count]
            self._log_start[own] = solved.boundaries.log_start[::count]

    def _group(self, count: int, side: int) -> _Group:
        """Return the chains with ``count`` nodes."""
        chains = np.flatnonzero(self._nodes == count)
        log_sigma = self._middle[chains, None] + self._half[chains, None] * _chebyshev(count)[None, :]
        return _Group(chains, side, count, np.exp(log_sigma).ravel())

    def _solve(self, groups: Sequence[_Group], bump: float = 0.0) -> list[_Solved]:
        """Solve the boundaries of groups all together, at rates moved by ``bump``."""
        chain = np.concatenate([np.repeat(group.chains, group.count) for group in groups])
        sizes = [len(group.sigma) for group in groups]
        calls = np.repeat([bool(group.side) for group in groups], sizes)
        rate, carry_yield = self._terms.rate[chain], settled(self._terms.carry_yield)[chain]
        # Of a call's put rate and yield are the other way round.
        solved = boundaries(
            np.where(calls, carry_yield, rate),
            np.where(calls, rate, carry_yield),
            np.concatenate([group.sigma for group in groups]),
            self._terms.tenor[chain],
            moved=(np.where(calls, 0.0, bump), np.where(calls, bump, 0.0)) if bump else None,
        )
        stops = np.cumsum(sizes).tolist()
        parts = [solved.of(slice(stop - size, stop)) for size, stop in zip(sizes, stops, strict=True)]
        return [_Solved(group, part) for group, part in zip(groups, parts, strict=True)]

    def _tables(self, columns: Sequence[Floats]) -> list[Floats]:
        """Return what is read for each key, shape (count, width): the coefficients of Chebyshev's polynomials, of
        figures of each group at his points, shape (chains * count, width).
        """
        tables: list[Floats] = [np.zeros((0, 0))] * len(self.exercised)
        for solved, figures in zip(self._solved, columns, strict=True):
            group = solved.group
            shaped = figures.reshape(len(group.chains), group.count, -1)
            for chain, table in zip(group.chains, _to_coefficients(group.count) @ shaped, strict=True):
                tables[2 * chain + group.side] = table
        return tables

    @cached_property
    def _distance(self) -> list[Floats]:
        """Of ln(X / B) at the points of Kim's integral, and last now."""
        return self._tables([_fallen(solved.boundaries.height) for solved in self._solved])

    @cached_property
    def _sloped(self) -> list[Floats]:
        """Of the same, and of its slope by the place between the lowest and the highest volatility but for now."""
        fallen = [(_fallen(solved.boundaries.height), solved.group.count) for solved in self._solved]
        return self._tables([_with_slope(figures, count)[:, :-1] for figures, count in fallen])

    @cached_property
    def _rated(self) -> list[Floats]:
        """Of the same, and of the boundary's slope by the rate."""
        own = self._tables(self._by_rate())
        return [np.concatenate(both, axis=1) for both in zip(self._sloped, own, strict=True)]

    @cached_property
    def _at_nodes(self) -> list[Floats]:
        """Of ln(X / B) at the boundary's own points."""
        return self._tables([_at_nodes(solved) for solved in self._solved])

    @cached_property
    def _nodes_sloped(self) -> list[Floats]:
        """Of the same and of its slope by the place between the lowest and the highest volatility."""
        return self._tables([_with_slope(_at_nodes(solved), solved.group.count) for solved in self._solved])

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

    def _by_rate(self) -> list[Floats]:
        """Return each group's slopes of ln B by the rate; those at the nodes left out are interpolated."""
        few = [solved.group.few() for solved in self._solved]
        near = self._solve([group for group, _ in few], RATE_BUMP)
        slopes = []
        for solved, (group, rows), moved in zip(self._solved, few, near, strict=True):
            own = solved.boundaries.of(rows)
            fallen = _fallen(moved.boundaries.height) - _fallen(own.height)
            by_rate = ((moved.boundaries.log_start - own.log_start)[:, None] - fallen[:, :-1]) / RATE_BUMP
            filled = _barycentric(_chebyshev(solved.group.count), group.count)
            slopes.append((filled @ by_rate.reshape(-1, group.count, POINTS)).reshape(-1, POINTS))
        return slopes

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
