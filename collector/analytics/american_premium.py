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

from collector.analytics.boundary_tables import Grid, settled
from collector.analytics.terms import Booleans, Floats, Integers, Terms

_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)


@dataclass(frozen=True, slots=True)
class Puts:
    """Contracts as puts of strike 1, shape (n,): ``scale`` times one of them is the contract, ``call`` what it was."""

    spot: Floats
    rate: Floats
    carry_yield: Floats
    tenor: Floats
    scale: Floats
    call: Booleans

    def of(self, rows: Booleans | Integers) -> Puts:
        """Return some of the rows."""
        return Puts(
            self.spot[rows],
            self.rate[rows],
            self.carry_yield[rows],
            self.tenor[rows],
            self.scale[rows],
            self.call[rows],
        )


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
        call=call,
    )


@dataclass(frozen=True, slots=True)
class Premium:
    """The premium of puts of strike 1 and its derivatives by their spot, shape (n,); ``now`` says exercise is optimal.

    ``by_sigma`` and ``by_rate`` are those by volatility and by the rate of the contracts (a call's put has it for a
    yield), ``first_by_sigma`` that of ``first``. What was not asked for is None.
    """

    value: Floats
    first: Floats
    now: Booleans
    second: Floats | None = None
    third: Floats | None = None
    by_sigma: Floats | None = None
    first_by_sigma: Floats | None = None
    by_rate: Floats | None = None


def premium_value(puts: Puts, sigma: Floats, grid: Grid) -> Floats:
    """Return the premium alone; see premium."""
    total = sigma[:, None] * np.sqrt(grid.left)
    rate, carry_yield, left = puts.rate[:, None], puts.carry_yield[:, None], grid.left
    d_minus = (np.log(puts.spot)[:, None] - grid.log_boundary + (rate - carry_yield) * left) / total - total / 2
    gains = rate * np.exp(-rate * left) * ndtr(-d_minus)
    gains -= carry_yield * puts.spot[:, None] * np.exp(-carry_yield * left) * ndtr(-d_minus - total)
    value: Floats = np.maximum((gains * grid.weights).sum(axis=1), 0.0)
    return value


def premium_and_slope(puts: Puts, sigma: Floats, grid: Grid) -> tuple[Floats, Floats]:
    """Return the premium and its derivative by volatility, along a grid that has the boundary's slope; see premium."""
    at = _Integrand(puts, sigma, grid)
    return np.maximum(at.value(), 0.0), at.by_sigma(at.pull(grid.by_sigma))


def premium(puts: Puts, sigma: Floats, grid: Grid, *, curved: bool = True) -> Premium:
    """Return the premium of puts of strike 1 that are exercised along a boundary.

    Args:
        puts: shape (n,).
        sigma: decimal per year, shape (n,).
        grid: from Tables, or of puts with cash dividends. With the boundary's slopes the premium's are found too.
        curved: whether the second and third derivatives are wanted.
    """
    at = _Integrand(puts, sigma, grid)
    second, third = at.curvature() if curved else (None, None)
    by_sigma = first_by_sigma = by_rate = None
    if grid.by_sigma is not None:
        pull = at.pull(grid.by_sigma)
        by_sigma, first_by_sigma = at.by_sigma(pull), at.first_by_sigma(pull)
    if grid.by_rate is not None:
        by_rate = at.by_rate(grid.by_rate)
    now = np.log(puts.spot) <= grid.log_now
    return Premium(np.maximum(at.value(), 0.0), at.first(), now, second, third, by_sigma, first_by_sigma, by_rate)


class _Integrand:
    """What Kim's integral sums, at each point: shape (n, j)."""

    def __init__(self, puts: Puts, sigma: Floats, grid: Grid) -> None:
        self.puts, self.sigma, self.left, self.weights = puts, sigma[:, None], grid.left, grid.weights
        self.rate, self.carry_yield, self.spot = puts.rate[:, None], puts.carry_yield[:, None], puts.spot[:, None]
        self.total = self.sigma * np.sqrt(self.left)
        drift = (self.rate - self.carry_yield) * self.left
        self.d_minus = (np.log(self.spot) - grid.log_boundary + drift) / self.total - self.total / 2
        self.d_plus = self.d_minus + self.total
        rate_discount = np.exp(-self.rate * self.left)
        self.strikes = rate_discount * ndtr(-self.d_minus)
        self.shares = np.exp(-self.carry_yield * self.left) * ndtr(-self.d_plus)
        # spot e^(-yield left) phi(d+) = B e^(-rate left) phi(d-)
        self.bell = rate_discount * np.exp(-0.5 * self.d_minus * self.d_minus) / _ROOT_TWO_PI
        self.held = self.carry_yield * np.exp(grid.log_boundary)

    def _sum(self, figures: Floats) -> Floats:
        """Return the integral, shape (n,)."""
        return np.asarray(np.einsum("nj,nj->n", figures, self.weights), dtype=np.float64)

    def value(self) -> Floats:
        """Return the premium."""
        return self._sum(self.rate * self.strikes - self.carry_yield * self.spot * self.shares)

    def first(self) -> Floats:
        """Return its derivative by the spot."""
        gained = (self.rate - self.held) * self.bell / (self.spot * self.total)
        return -self._sum(gained + self.carry_yield * self.shares)

    def curvature(self) -> tuple[Floats, Floats]:
        """Return its second and third derivative by the spot."""
        common = self.bell / (self.spot * self.total) ** 2
        second = self._sum(common * (self.rate * self.d_plus - self.held * self.d_minus))
        bend = self.rate * ((1.0 - self.d_minus * self.d_plus) / self.total - 2.0 * self.d_plus)
        bend -= self.held * ((1.0 - self.d_minus * self.d_minus) / self.total - 2.0 * self.d_minus)
        return second, self._sum(common / self.spot * bend)

    def pull(self, slope: Floats | None) -> Floats:
        """Return the integrand's derivative by volatility over its bell; ``slope`` is that of ln of the boundary."""
        turn = (self.rate * self.d_plus - self.held * self.d_minus) / self.sigma
        return turn if slope is None else turn + (self.rate - self.held) / self.total * slope

    def by_sigma(self, pull: Floats) -> Floats:
        """Return the premium's derivative by volatility."""
        return self._sum(self.bell * pull)

    def first_by_sigma(self, pull: Floats) -> Floats:
        """Return its derivative by volatility and spot."""
        turn = (self.rate - self.held) / self.sigma - self.d_minus * pull
        return self._sum(self.bell * turn / (self.spot * self.total))

    def by_rate(self, slope: Floats) -> Floats:
        """Return its derivative by the contracts' rate; ``slope`` is the boundary's, of its ln."""
        gained = (self.rate - self.held) * self.bell
        drift = gained * np.sqrt(self.left) / self.sigma
        call = self.puts.call[:, None]
        own = np.where(
            call,
            drift - self.spot * self.shares * (1.0 - self.carry_yield * self.left),
            self.strikes * (1.0 - self.rate * self.left) - drift,
        )
        return self._sum(own + gained / self.total * slope)
