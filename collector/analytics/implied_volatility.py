"""Implied volatility of European options, to the last digits that a price holds.

The price of the out-of-the-money side of the same strike (by parity) is normalised by the discounted geometric mean of
forward and strike: b(x, s) with x = -|ln(F/K)| and the total deviation s = sigma sqrt(tenor). Written with the scaled
complementary error function it keeps its relative precision however small it is. ln b(s) = ln b is solved by
Householder's third-order step from a start that is exact where s is small (Bachelier's formula, tabulated). One step is
enough near the money; the contracts that it moved far take more, until 1e-12 of s is reached for s from .001 to 4 and
strikes up to 25 deviations away.

Source of the normalisation: P. Jäckel, "Let's be rational", Wilmott 75 (2015) 40-53. The start and the iteration are
derived here.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erfcx, ndtri

from collector.analytics.iv_status import Implied, IvStatus
from collector.analytics.terms import Booleans, Floats

STEPS = 6
# A step of less than this share of the deviation leaves less than 1e-14 of it: the error falls with its fourth power.
NEAR = 2e-4
# The largest total deviation that is called solved; beyond it a price is its upper bound but for rounding.
LARGEST_DEVIATION = 12.0
# An in-the-money price holds its time value as a difference: of the price's own digits so many are lost to rounding.
ROUNDING = 16.0 * np.finfo(np.float64).eps
# Below this share of the price, what is left of the time value has fewer than four digits.
LEAST_DIGITS = 1e4

_ROOT_2, _ROOT_TWO_PI = np.sqrt(2.0), np.sqrt(2.0 * np.pi)
_TINY = 1e-14
# Bachelier: price / |x| = phi(z) / z - Phi(-z) with z = |x| / s, tabulated as ln z over minus its logarithm.
_Z = np.exp(np.linspace(np.log(1e-4), np.log(40.0), 4000))
_LN_Z = np.log(_Z)
_MINUS_LN_RATIO = -(np.log(1.0 / _Z - np.sqrt(np.pi / 2) * erfcx(_Z / _ROOT_2)) - _Z * _Z / 2 - np.log(_ROOT_TWO_PI))


def european(price: Floats, forward: Floats, strike: Floats, tenor: Floats, discount: Floats, sign: Floats) -> Implied:
    """Return the implied volatility of European prices.

    Args:
        price: dollars a share, NaN for none; shape (n,), as are the others.
        forward, strike: above 0; a NaN forward is none.
        tenor: years to settlement; 0 or less has no volatility.
        discount: discount factor to settlement.
        sign: 1.0 for calls, -1.0 for puts.

    Returns:
        ``sigma`` decimal per year, NaN where there is none, with the status: NO_PRICE for a missing price or one of 0
        or less, NO_FORWARD, BELOW_BOUND for a price under the discounted payoff, ABOVE_BOUND for one at or over the
        discounted forward (calls) or strike (puts), UNDETERMINED where the time value is lost in the price's rounding
        or no time is left.
    """
    # A price beyond all numbers is infinite then, and so above its bound.
    with np.errstate(over="ignore"):
        undiscounted = price / discount
    intrinsic = np.maximum(sign * (forward - strike), 0.0)
    bound = np.where(sign > 0, forward, strike)
    time_value = undiscounted - intrinsic
    status = _status(price, forward, undiscounted, intrinsic, bound, time_value)
    status[(status == IvStatus.SOLVED) & ~(tenor > 0)] = IvStatus.UNDETERMINED
    solvable = status == IvStatus.SOLVED
    sigma = np.full(np.shape(price), np.nan)
    if not solvable.any():
        return Implied(sigma, status)
    x = -np.abs(np.log(forward[solvable] / strike[solvable]))
    scale = np.sqrt(forward[solvable] * strike[solvable])
    deviation = total_deviation(time_value[solvable] / scale, x)
    found = np.isfinite(deviation) & (deviation > 0) & (deviation < LARGEST_DEVIATION)
    sigma[solvable] = np.where(found, deviation / np.sqrt(tenor[solvable]), np.nan)
    status[solvable] = np.where(found, IvStatus.SOLVED, IvStatus.UNDETERMINED)
    return Implied(sigma, status)


def total_deviation(normalised: Floats, x: Floats) -> Floats:
    """Return sigma sqrt(tenor) of normalised out-of-the-money prices.

    Args:
        normalised: out-of-the-money price over the discounted geometric mean of forward and strike, above 0.
        x: -|ln(forward / strike)|.

    Returns:
        Same shape; NaN where the steps do not settle, as where ``normalised`` is at its upper bound exp(x / 2).
    """
    with np.errstate(all="ignore"):
        target = np.log(normalised)
        start = _start(normalised, target, x)
        deviation = _step(start, target, x)
        far = np.flatnonzero(~(np.abs(deviation - start) <= NEAR * deviation))
        for _ in range(STEPS - 1):
            if not far.size:
                break
            before = deviation[far]
            after = deviation[far] = _step(before, target[far], x[far])
            far = far[~(np.abs(after - before) <= NEAR * after)]
    deviation[far] = np.nan
    return deviation


def _step(s: Floats, target: Floats, x: Floats) -> Floats:
    """Return the total deviations after one of Householder's third-order steps towards ln b(x, s) = ``target``."""
    h, t = x / s, s / 2
    bell = np.exp(-0.5 * (h * h + t * t))
    value = 0.5 * bell * (erfcx(-(h + t) / _ROOT_2) - erfcx(-(h - t) / _ROOT_2))
    slope = bell / _ROOT_TWO_PI / value
    steepness = h * h / s
    bend = steepness - s / 4
    twist = bend * bend - 3.0 * steepness / s - 0.25
    second, third = bend - slope, twist - 3.0 * bend * slope + 2.0 * slope * slope
    newton = (target - np.log(value)) / slope
    nearer: Floats = s + newton * (1.0 + 0.5 * second * newton) / (1.0 + newton * (second + third * newton / 6.0))
    return nearer


def _start(normalised: Floats, target: Floats, x: Floats) -> Floats:
    """Return where the iteration begins: Bachelier's deviation, bent as Black's is at the money."""
    distance = np.maximum(-x, _TINY)
    # Bachelier measures the strike's distance as |F - K| over the geometric mean, Black as |ln(F / K)|.
    z = np.exp(np.interp(np.log(2.0 * np.sinh(distance / 2)) - target, _MINUS_LN_RATIO, _LN_Z))
    bachelier = np.where(z <= _Z[0] * 1.01, normalised * _ROOT_TWO_PI, distance / z)
    start: Floats = 2.0 * ndtri(0.5 * (1.0 + np.minimum(bachelier / _ROOT_TWO_PI, 0.99)))
    return start


def _status(
    price: Floats, forward: Floats, undiscounted: Floats, intrinsic: Floats, bound: Floats, time_value: Floats
) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    """Return what speaks against an inversion, SOLVED where nothing does."""
    rounding = ROUNDING * np.maximum(undiscounted, intrinsic)
    in_the_money: Booleans = intrinsic > 0
    faults = (
        (~(price > 0), IvStatus.NO_PRICE),
        (~(forward > 0), IvStatus.NO_FORWARD),
        (time_value < -rounding, IvStatus.BELOW_BOUND),
        (undiscounted >= bound * (1.0 - ROUNDING), IvStatus.ABOVE_BOUND),
        (in_the_money & (time_value < LEAST_DIGITS * rounding), IvStatus.UNDETERMINED),
        (time_value <= 0, IvStatus.BELOW_BOUND),
    )
    status = np.full(np.shape(price), IvStatus.SOLVED, dtype=np.int8)
    for fault, code in reversed(faults):
        status[fault] = code
    return status
