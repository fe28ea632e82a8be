"""The early-exercise boundary of American puts with continuous carry.

The boundary B(tau) solves a fixed-point equation over its own past, collocated at Chebyshev points of sqrt(tau), on the
variable H = ln(B / X)² with X = B(0+), which is smooth there. Calls are puts with rate and yield, spot and strike
exchanged (McDonald and Schroder, Journal of Computational Finance 1, 1998).

Source: L. Andersen, M. Lake and D. Offengenden, "High-performance American option pricing", Journal of Computational
Finance 20 (2016) 39-87: their equations A (smooth pasting, for rate near yield) and B (value matching). The start is
the flat-boundary exponential of Bjerksund and Stensland, "Closed-form approximation of American options",
Scandinavian Journal of Management 9 (1993) S87-S99.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from collector.analytics.terms import Booleans, Floats

NODES = 6
QUADRATURE = 10
ITERATIONS = 7

_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)
# Chebyshev points of sqrt(tau / tenor), descending from 1; the last is 0, where H is 0.
_ROOTS = (1.0 + np.cos(np.pi * np.arange(NODES + 1) / NODES)) / 2.0
_Y, _WEIGHTS = np.polynomial.legendre.leggauss(QUADRATURE)
_SHARE = (1.0 + _Y) / 2.0


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Boundaries of k puts of strike 1.

    Attributes:
        start: shape (k,), X = B(0+); 1 where nothing is ever exercised early.
        height: shape (k, NODES + 1), H at the Chebyshev points of sqrt(tau), longest tenor first, 0 last.
        exercised: shape (k,), whether exercise before settlement is ever optimal.
        double: shape (k,), whether a second boundary bounds the exercise region from below (yield below a rate below
            0): not computed.
    """

    start: Floats
    height: Floats
    exercised: Booleans
    double: Booleans


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


# sqrt(u / tenor) of the quadrature points of each collocation point: sqrt(tau - u) = share sqrt(tau).
_PAST = interpolation((_ROOTS[:-1, None] * np.sqrt(1.0 - _SHARE[None, :] ** 2)).ravel())


def boundaries(rate: Floats, carry_yield: Floats, sigma: Floats, tenor: Floats) -> Boundaries:
    """Return the boundaries of puts of strike 1.

    Args:
        rate, carry_yield: continuous, shape (k,); of a call's put the other way round.
        sigma: decimal per year, above 0, shape (k,).
        tenor: years, above 0, shape (k,).
    """
    exercised = (rate > 0) | ((rate == 0) & (carry_yield < 0))
    double = (rate < 0) & (carry_yield < rate)
    with np.errstate(divide="ignore", invalid="ignore"):
        start = np.where(carry_yield > 0, np.minimum(1.0, rate / carry_yield), 1.0)
    start = np.where(exercised & (start > 0), start, 1.0)
    height = np.zeros((len(rate), NODES + 1))
    rows = np.flatnonzero(exercised & np.isfinite(sigma) & (start > 0))
    if rows.size:
        height[rows, :-1] = _solve(rate[rows], carry_yield[rows], sigma[rows], tenor[rows], start[rows])
    return Boundaries(start, height, exercised, double)


def _solve(rate: Floats, carry_yield: Floats, sigma: Floats, tenor: Floats, start: Floats) -> Floats:
    """Return H at the Chebyshev points but the last, shape (k, NODES)."""
    tau = tenor[:, None] * _ROOTS[None, :-1] ** 2
    log_start = np.log(start)[:, None]
    log_boundary = np.minimum(_first(rate, carry_yield, sigma, tau, start), log_start)
    equation = _Equation(rate, carry_yield, sigma, tau)
    for _ in range(ITERATIONS):
        height = np.concatenate([(log_boundary - log_start) ** 2, np.zeros((len(rate), 1))], axis=1)
        past = log_start - np.sqrt(np.maximum(height @ _PAST.T, 0.0))
        past = past.reshape(len(rate), NODES, QUADRATURE)
        log_boundary = np.minimum(equation.step(log_boundary, past), log_start)
    return np.asarray((log_boundary - log_start) ** 2, dtype=np.float64)


def _first(rate: Floats, carry_yield: Floats, sigma: Floats, tau: Floats, start: Floats) -> Floats:
    """Return ln B of the flat-boundary exponential at each tau, shape (k, NODES)."""
    variance = sigma**2
    drift = rate - carry_yield - variance / 2
    root = np.sqrt(drift**2 + 2.0 * variance * np.maximum(rate, 1e-12))
    power = (-drift - root) / variance
    # The perpetual put's boundary.
    forever = np.minimum(power / (power - 1.0), start * (1.0 - 1e-9))
    gap = (start - forever)[:, None]
    pull = ((rate - carry_yield)[:, None] * tau - 2.0 * sigma[:, None] * np.sqrt(tau)) * (start[:, None] / gap)
    pull = np.minimum(pull, -1e-12)
    return np.asarray(np.log(forever[:, None] + gap * np.exp(np.maximum(pull, -700.0))), dtype=np.float64)


class _Equation:
    """The fixed-point equation of a set of boundaries, what does not change between iterations computed once."""

    def __init__(self, rate: Floats, carry_yield: Floats, sigma: Floats, tau: Floats) -> None:
        self.rate, self.carry_yield = rate[:, None], carry_yield[:, None]
        self.tau, self.root = tau, np.sqrt(tau)
        self.total = sigma[:, None] * self.root
        self.drift = (self.rate - self.carry_yield) * tau
        left = _SHARE * self.root[:, :, None]
        self.deviation = sigma[:, None, None] * left
        self.carried = (self.rate - self.carry_yield)[:, :, None] * left**2
        past = tau[:, :, None] - left**2
        self.rate_growth = np.exp(self.rate[:, :, None] * past)
        self.yield_growth = np.exp(self.carry_yield[:, :, None] * past)
        self.by_matching = np.abs(rate - carry_yield) > sigma**2

    def step(self, log_boundary: Floats, past: Floats) -> Floats:
        """Return ln B one iteration on, shape (k, NODES).

        Args:
            log_boundary: ln B at the collocation points, shape (k, NODES).
            past: ln B at their quadrature points, shape (k, NODES, QUADRATURE).
        """
        d_minus = (log_boundary + self.drift) / self.total - self.total / 2
        d_plus = d_minus + self.total
        before_minus = (log_boundary[:, :, None] - past + self.carried) / self.deviation - self.deviation / 2
        before_plus = before_minus + self.deviation
        over, under = self._pasting(d_minus, d_plus, before_minus, before_plus)
        rows = np.flatnonzero(self.by_matching)
        if rows.size:
            over[rows], under[rows] = self._matching(rows, d_minus, d_plus, before_minus, before_plus)
        with np.errstate(divide="ignore", invalid="ignore"):
            stepped = np.log(over / under) - self.drift
        usable = np.isfinite(stepped)
        return np.where(usable, stepped, log_boundary)

    def _pasting(
        self, d_minus: Floats, d_plus: Floats, before_minus: Floats, before_plus: Floats
    ) -> tuple[Floats, Floats]:
        """Return numerator and denominator of equation A."""
        ratio = _bell(before_minus) * self.rate_growth
        over = _bell(d_minus) / self.total + self.rate * (self.root**2 / self.total) * (ratio @ _WEIGHTS)
        bells = _bell(before_plus) * self.yield_growth
        tails = ndtr(before_plus) * self.yield_growth
        under = (
            _bell(d_plus) / self.total
            + ndtr(d_plus)
            + self.carry_yield
            * (self.tau * (tails @ (_WEIGHTS * _SHARE)) + (self.tau / self.total) * (bells @ _WEIGHTS))
        )
        return over, under

    def _matching(
        self,
        rows: np.ndarray[tuple[int, ...], np.dtype[np.intp]],
        d_minus: Floats,
        d_plus: Floats,
        before_minus: Floats,
        before_plus: Floats,
    ) -> tuple[Floats, Floats]:
        """Return numerator and denominator of equation B for some rows."""
        weights = _WEIGHTS * _SHARE
        over = ndtr(d_minus[rows]) + self.rate[rows] * self.tau[rows] * (
            (ndtr(before_minus[rows]) * self.rate_growth[rows]) @ weights
        )
        under = ndtr(d_plus[rows]) + self.carry_yield[rows] * self.tau[rows] * (
            (ndtr(before_plus[rows]) * self.yield_growth[rows]) @ weights
        )
        return over, under


def _bell(z: Floats) -> Floats:
    """Return the standard normal density."""
    density: Floats = np.exp(-0.5 * z * z) / _ROOT_TWO_PI
    return density
