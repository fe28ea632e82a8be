"""A first estimate of the exercise boundary of American puts, each moment on its own.

Where the quadratic approximation of the premium matches the value of exercise and its slope, found by Newton's steps
from the flat boundary's exponential.

Sources: M. Li, "Analytical approximations for the critical stock prices of American options: a performance
comparison", Review of Derivatives Research 13 (2010) 75-99 (QD+); P. Bjerksund and G. Stensland, "Closed-form
approximation of American options", Scandinavian Journal of Management 9 (1993) S87-S99.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from collector.analytics.terms import Floats

STEPS = 4
# The furthest that a step may take ln B.
LONGEST = 0.3

_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)


def first_boundary(rate: Floats, carry_yield: Floats, sigma: Floats, tau: Floats, log_start: Floats) -> Floats:
    """Return ln B of puts of strike 1, shape (j, k).

    Args:
        rate, carry_yield, sigma: of each put, shape (k,), exercised early at times.
        tau: years to settlement, above 0, shape (j, k).
        log_start: ln B(0+), shape (k,).
    """
    rate = np.maximum(rate, 1e-9)
    with np.errstate(all="ignore"):
        log_boundary = np.minimum(_flat(rate, carry_yield, sigma, tau, np.exp(log_start)), log_start)
        quadratic = _Quadratic(rate, carry_yield, sigma, tau)
        for _ in range(STEPS):
            step = np.clip(quadratic.step(log_boundary), -LONGEST, LONGEST)
            log_boundary = np.minimum(log_boundary + np.where(np.isfinite(step), step, 0.0), log_start)
    return np.asarray(log_boundary, dtype=np.float64)


def _flat(rate: Floats, carry_yield: Floats, sigma: Floats, tau: Floats, start: Floats) -> Floats:
    """Return ln B of the flat-boundary exponential."""
    variance = sigma**2
    drift = rate - carry_yield - variance / 2
    power = (-drift - np.sqrt(drift**2 + 2.0 * variance * rate)) / variance
    # The perpetual put's boundary.
    forever = np.minimum(power / (power - 1.0), start * (1.0 - 1e-9))
    gap = start - forever
    pull = ((rate - carry_yield) * tau - 2.0 * sigma * np.sqrt(tau)) * (start / gap)
    return np.asarray(np.log(forever + gap * np.exp(np.clip(pull, -700.0, -1e-12))), dtype=np.float64)


class _Quadratic:
    """The equation of QD+ at each moment, what does not depend on the boundary computed once."""

    def __init__(self, rate: Floats, carry_yield: Floats, sigma: Floats, tau: Floats) -> None:
        self.rate, self.carry_yield = rate, carry_yield
        root = np.sqrt(tau)
        self.total = sigma * root
        self.over_total, self.offset = 1.0 / self.total, (rate - carry_yield) * tau / self.total + self.total / 2
        self.rate_discount, self.yield_discount = np.exp(-rate * tau), np.exp(-carry_yield * tau)
        self.bell = self.yield_discount / _ROOT_TWO_PI
        self.spread, self.pull = sigma / (2.0 * root), (carry_yield - rate) * self.over_total
        interest = -np.expm1(-rate * tau)
        alpha, tilt = 2.0 * rate / sigma**2, 2.0 * (rate - carry_yield) / sigma**2 - 1.0
        spread = np.sqrt(tilt * tilt + 4.0 * alpha / interest)
        self.bend = alpha / (spread * rate)
        # The premium's power with the part of its correction that does not move with the boundary.
        level = 1.0 / interest - alpha / (interest * spread) ** 2
        self.power = self.rate_discount * alpha / spread * level - (tilt + spread) / 2

    def step(self, log_boundary: Floats) -> Floats:
        """Return Newton's step of ln B."""
        boundary = np.exp(log_boundary)
        d_plus = log_boundary * self.over_total + self.offset
        bell = self.bell * np.exp(-0.5 * d_plus * d_plus)
        held, paid = self.yield_discount * ndtr(-d_plus), self.rate_discount * ndtr(self.total - d_plus)
        slope, held_shares = 1.0 - held, boundary * held
        # What exercise adds to the European value, its decay, and that decay's slope.
        premium = np.maximum(1.0 - boundary - paid + held_shares, 1e-14)
        spread_decay = bell * self.spread
        decay = self.rate * paid - self.carry_yield * held_shares - boundary * spread_decay
        decay_slope = bell * self.pull - self.carry_yield * held - spread_decay * (1.0 - d_plus * self.over_total)
        decay_share = decay / premium
        power = self.power - self.bend * decay_share
        gap = slope * boundary + power * premium
        gap_slope = slope + bell * self.over_total - power * slope - self.bend * (decay_slope + decay_share * slope)
        return np.asarray(-gap / (gap_slope * boundary), dtype=np.float64)
