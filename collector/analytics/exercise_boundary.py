"""The early-exercise boundary of American puts with continuous carry.

The boundary B(tau) solves a fixed-point equation over its own past, collocated at Chebyshev points of sqrt(tau), on the
variable H = ln(B / X)² with X = B(0+), which is smooth there. The integrals over the past are summed in the angle whose
sine is sqrt(u / tau): there sqrt(u) and sqrt(tau - u) are both smooth, and few points do. Calls are puts with rate and
yield, spot and strike exchanged (McDonald and Schroder, Journal of Computational Finance 1, 1998).

Source: L. Andersen, M. Lake and D. Offengenden, "High-performance American option pricing", Journal of Computational
Finance 20 (2016) 39-87: their equations A (smooth pasting, for rate near yield) and B (value matching). For where it
starts see first_boundary.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from collector.analytics.first_boundary import first_boundary
from collector.analytics.terms import Booleans, Floats, Integers

NODES = 6
QUADRATURE = 6
ITERATIONS = 4
# Boundaries solved at once: what they need stays in the processor's cache.
BLOCK = 256

_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)
# Chebyshev points of sqrt(tau / tenor), descending from 1; the last is 0, where H is 0.
_ROOTS = (1.0 + np.cos(np.pi * np.arange(NODES + 1) / NODES)) / 2.0


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Boundaries of k puts of strike 1.

    Attributes:
        log_start: shape (k,), ln X with X = B(0+); 0 where nothing is ever exercised early.
        height: shape (k, NODES + 1), H at the Chebyshev points of sqrt(tau), longest tenor first, 0 last.
        exercised: shape (k,), whether exercise before settlement is ever optimal.
        double: shape (k,), whether a second boundary bounds the exercise region from below (yield below a rate below
            0): not computed.
    """

    log_start: Floats
    height: Floats
    exercised: Booleans
    double: Booleans

    def of(self, rows: slice | Integers) -> Boundaries:
        """Return some of them."""
        return Boundaries(self.log_start[rows], self.height[rows], self.exercised[rows], self.double[rows])


def interpolation(roots: Floats) -> Floats:
    """Return the matrix that takes H at the Chebyshev points to H at other sqrt(tau / tenor); shape (j, NODES + 1)."""
    weights = (-1.0) ** np.arange(NODES + 1)
    weights[[0, -1]] /= 2.0
    distance = roots[:, None] - _ROOTS[None, :]
    at_node = np.abs(distance) < 1e-15
    terms = weights / np.where(at_node, 1.0, distance)
    matrix = terms / terms.sum(axis=1, keepdims=True)
    hit = at_node.any(axis=1)
    matrix[hit] = at_node[hit]
    return np.asarray(matrix, dtype=np.float64)


def past_quadrature(points: int) -> tuple[Floats, Floats]:
    """Return where integrals over the past are summed: sqrt(u / tau), and weights w with du = tau sqrt(u / tau) w."""
    at, weights = np.polynomial.legendre.leggauss(points)
    angle = np.pi / 4.0 * (1.0 + at)
    return np.sin(angle), np.pi / 2.0 * weights * np.cos(angle)


_SHARE, _WEIGHTS = past_quadrature(QUADRATURE)
_WEIGHTED = _WEIGHTS * _SHARE
# sqrt(u / tenor) of the quadrature points of each collocation point: sqrt(tau - u) = share sqrt(tau).
_PAST = interpolation((_ROOTS[:-1, None] * np.sqrt(1.0 - _SHARE[None, :] ** 2)).ravel())


def boundaries(
    rate: Floats, carry_yield: Floats, sigma: Floats, tenor: Floats, *, moved: tuple[Floats, Floats] | None = None
) -> Boundaries:
    """Return the boundaries of puts of strike 1.

    Args:
        rate, carry_yield: continuous, shape (k,); of a call's put the other way round.
        sigma: decimal per year, above 0, shape (k,).
        tenor: years, above 0, shape (k,).
        moved: what is added to rate and yield, shape (k,) each, by the same form of the equation as without:
            differences of the two are those of the boundary.
    """
    matching = np.abs(rate - carry_yield) > sigma**2
    if moved is not None:
        rate, carry_yield = rate + moved[0], carry_yield + moved[1]
    exercised = (rate > 0) | ((rate == 0) & (carry_yield < 0))
    double = (rate < 0) & (carry_yield < rate)
    with np.errstate(all="ignore"):
        start = np.where(carry_yield > 0, np.minimum(1.0, rate / carry_yield), 1.0)
    log_start = np.log(np.where(exercised & (start > 0), start, 1.0))
    height = np.zeros((len(rate), NODES + 1))
    solvable = exercised & np.isfinite(sigma)
    for by_matching in (False, True):
        rows = np.flatnonzero(solvable & (matching == by_matching))
        for first in range(0, rows.size, BLOCK):
            block = rows[first : first + BLOCK]
            height[block, :-1] = _solve(
                rate[block], carry_yield[block], sigma[block], tenor[block], log_start[block], by_matching=by_matching
            ).T
    return Boundaries(log_start, height, exercised, double)


def _solve(
    rate: Floats, carry_yield: Floats, sigma: Floats, tenor: Floats, log_start: Floats, *, by_matching: bool
) -> Floats:
    """Return H at the Chebyshev points but the last, shape (NODES, k)."""
    tau = tenor * _ROOTS[:-1, None] ** 2
    log_boundary = first_boundary(rate, carry_yield, sigma, tau, log_start)
    equation = _Equation(rate, carry_yield, sigma, tau)
    step = equation.matching if by_matching else equation.pasting
    for _ in range(ITERATIONS):
        height = (log_boundary - log_start) ** 2
        past = log_start - np.sqrt(np.maximum(_PAST[:, :-1] @ height, 0.0))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            stepped = step(log_boundary, past.reshape(NODES, QUADRATURE, len(rate)))
        stepped = np.where(np.isfinite(stepped), stepped, log_boundary)
        log_boundary = np.minimum(stepped, log_start)
    return np.asarray((log_boundary - log_start) ** 2, dtype=np.float64)


class _Equation:
    """The fixed-point equation of k boundaries, what does not change between iterations computed once.

    A step takes ln B at the collocation points, shape (NODES, k), and at their quadrature points, shape (NODES,
    QUADRATURE, k), and returns ln B one iteration on.
    """

    def __init__(self, rate: Floats, carry_yield: Floats, sigma: Floats, tau: Floats) -> None:
        self.total = sigma * np.sqrt(tau)
        self.drift = (rate - carry_yield) * tau
        self.deviation = self.total[:, None] * _SHARE[:, None]
        left = tau[:, None] * _SHARE[:, None] ** 2
        past = tau[:, None] - left
        self.over_deviation = 1.0 / self.deviation
        self.offset = (rate - carry_yield) * left * self.over_deviation - self.deviation / 2
        self.interest = (rate * tau)[:, None] * np.exp(rate * past)
        self.yields = (carry_yield * tau)[:, None] * np.exp(carry_yield * past)

    def pasting(self, log_boundary: Floats, past: Floats) -> Floats:
        """Step by equation A."""
        d_minus, d_plus, before_minus, before_plus = self._arguments(log_boundary, past)
        over = (
            _bell(d_minus)
            + _summed(_WEIGHTS, self.interest * np.exp(-0.5 * before_minus * before_minus)) / _ROOT_TWO_PI
        )
        tails = _summed(_WEIGHTED, self.yields * ndtr(before_plus))
        bells = _summed(_WEIGHTS, self.yields * np.exp(-0.5 * before_plus * before_plus)) / _ROOT_TWO_PI
        under = _bell(d_plus) + self.total * (ndtr(d_plus) + tails) + bells
        return np.asarray(np.log(over / under) - self.drift, dtype=np.float64)

    def matching(self, log_boundary: Floats, past: Floats) -> Floats:
        """Step by equation B."""
        d_minus, d_plus, before_minus, before_plus = self._arguments(log_boundary, past)
        over = ndtr(d_minus) + _summed(_WEIGHTED, self.interest * ndtr(before_minus))
        under = ndtr(d_plus) + _summed(_WEIGHTED, self.yields * ndtr(before_plus))
        return np.asarray(np.log(over / under) - self.drift, dtype=np.float64)

    def _arguments(self, log_boundary: Floats, past: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return d- and d+ to settlement, and to each quadrature point."""
        d_minus = (log_boundary + self.drift) / self.total - self.total / 2
        before_minus = (log_boundary[:, None] - past) * self.over_deviation + self.offset
        return d_minus, d_minus + self.total, before_minus, before_minus + self.deviation


def _summed(weights: Floats, figures: Floats) -> Floats:
    """Return the integrals over the past, shape (NODES, k): each the same however many are summed beside it."""
    return np.asarray(np.einsum("q,nqk->nk", weights, figures), dtype=np.float64)


def _bell(z: Floats) -> Floats:
    """Return the standard normal density."""
    density: Floats = np.exp(-0.5 * z * z) / _ROOT_TWO_PI
    return density
