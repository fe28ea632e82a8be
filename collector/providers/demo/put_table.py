"""What early exercise adds to puts on a share without dividends, from a table that finite differences fill once.

With variance v = sigma² tenor, ratio k = 2 rate / sigma² and y = ln(spot / strike) / sqrt(v), the premium of a put of
strike 1 is sqrt(v) g(y, ln v; k), and before exercise

    dg/d(ln v) = g''/2 + (y/2 + (k - 1)/2 sqrt(v)) g' - (1/2 + k v/2) g,

while g is never below what exercise brings over the European put. In these variables g is as smooth at one hour as at
one year. Steps in ln v are Crank and Nicolson's; which nodes exercise is found by policy iteration.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded
from scipy.special import ndtr

from collector.providers.demo.draws import FloatArray, IntArray

_LOWEST, _HIGHEST, _NODES = -9.0, 7.0, 321
_Y = np.linspace(_LOWEST, _HIGHEST, _NODES)
_STEP = _Y[1] - _Y[0]
# From minutes of a calm share to more than a year of a wild one.
_FIRST, _LAST, _BETWEEN = np.log(1e-6), np.log(4.0), 0.1
_LOGS = np.arange(_FIRST, _LAST + _BETWEEN, _BETWEEN)
# From 1 % at a volatility of 300 % to 5 % at one of 6 %.
_RATIO_FIRST, _RATIO_STEP, _RATIOS = np.log(2e-3), 0.2, 51
# Twice the rate times the tenor beyond which nothing is tabulated.
_MOST_ACCRUED = 0.5
_ITERATIONS = 8


def put_premium(
    spot: FloatArray, strike: FloatArray, tenor: FloatArray, rate: FloatArray, sigma: FloatArray
) -> FloatArray:
    """Return what early exercise adds to puts on a share without dividends, dollars a share.

    Args:
        spot: shape (n,) or (n, j).
        strike, tenor, rate, sigma: shape (n,); rate above 0.
    """
    table = _table()
    variance = sigma**2 * tenor
    known = np.clip(variance, np.exp(_LOGS[2]), np.exp(_LOGS[-2]))
    at_variance, variance_weights = _cubic((np.log(known) - _FIRST) / _BETWEEN, len(_LOGS))
    at_ratio, ratio_weights = _cubic((np.log(2.0 * rate / sigma**2) - _RATIO_FIRST) / _RATIO_STEP, _RATIOS)
    every = (..., *([None] * (spot.ndim - 1)))
    root, strikes = np.sqrt(variance)[every], strike[every]
    y = np.log(spot / strikes) / root
    at_y, y_weights = _cubic((np.clip(y, _LOWEST, _HIGHEST) - _LOWEST) / _STEP, _NODES)
    flat = table.reshape(-1)
    found = np.zeros(spot.shape)
    for i in range(4):
        for j in range(4):
            weight = (ratio_weights[i] * variance_weights[j])[every]
            row = (((at_ratio + i) * len(_LOGS) + at_variance + j) * _NODES)[every] + at_y
            for part in range(4):
                found += weight * y_weights[part] * flat[row + part]
    exercise = strikes - spot - strikes * _european(y, root, (rate * tenor)[every])
    return np.maximum(np.maximum(found, 0.0) * root * strikes, exercise)


def _cubic(place: FloatArray, count: int) -> tuple[IntArray, tuple[FloatArray, ...]]:
    """Return the first of four nodes around each place and the cubic's weights of them; flat beyond the ends."""
    inside = np.clip(place, 0.0, count - 1.0)
    first = np.clip(np.floor(inside).astype(np.int64) - 1, 0, count - 4)
    t = inside - first
    return first, (
        -(t - 1.0) * (t - 2.0) * (t - 3.0) / 6.0,
        t * (t - 2.0) * (t - 3.0) / 2.0,
        -t * (t - 1.0) * (t - 3.0) / 2.0,
        t * (t - 1.0) * (t - 2.0) / 6.0,
    )


def _european(y: FloatArray, root: FloatArray, accrued: FloatArray) -> FloatArray:
    """Return European puts of strike 1 at spots exp(root y)."""
    d2 = y + accrued / root - root / 2.0
    price: FloatArray = np.exp(-accrued) * ndtr(-d2) - np.exp(root * y) * ndtr(-d2 - root)
    return price


@cache
def _table() -> FloatArray:
    """Return g at (k, ln v, y)."""
    ratio = np.exp(_RATIO_FIRST + _RATIO_STEP * np.arange(_RATIOS))[:, None]
    table = np.zeros((_RATIOS, len(_LOGS), _NODES))
    for number in range(1, len(_LOGS)):
        some = int(np.count_nonzero(ratio * np.exp(_LOGS[number]) <= _MOST_ACCRUED))
        before, after = _LOGS[number - 1], _LOGS[number]
        table[:some, number] = _stepped(table[:some, number - 1], ratio[:some], before, after)
    return table


def _stepped(values: FloatArray, ratio: FloatArray, before: float, after: float) -> FloatArray:
    root = np.exp(after / 2.0)
    least = (1.0 - np.exp(root * _Y) - _european(_Y, root, ratio * root**2 / 2.0)) / root
    half = (after - before) / 2.0
    below, centre, above = _operator(ratio, before)
    right = values.copy()
    right[:, 1:-1] += half * (
        below[:, 1:-1] * values[:, :-2] + centre[:, 1:-1] * values[:, 1:-1] + above[:, 1:-1] * values[:, 2:]
    )
    right[:, -1] = 0.0
    below, centre, above = (-half * band for band in _operator(ratio, after))
    centre += 1.0
    centre[:, -1], below[:, -1] = 1.0, 0.0
    exercised = values <= least
    exercised[:, 0], exercised[:, -1] = True, False
    for _ in range(_ITERATIONS):
        found = _solved(below, centre, above, right, least, exercised)
        short = below[:, 1:-1] * found[:, :-2] + centre[:, 1:-1] * found[:, 1:-1] + above[:, 1:-1] * found[:, 2:]
        again = exercised.copy()
        again[:, 1:-1] = short - right[:, 1:-1] > found[:, 1:-1] - least[:, 1:-1]
        if np.array_equal(again, exercised):
            break
        exercised = again
    return found


def _operator(ratio: FloatArray, log_variance: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the bands of what the rate of change of g is, shape (k, y)."""
    variance = np.exp(log_variance)
    drift = (_Y / 2.0 + (ratio - 1.0) / 2.0 * np.sqrt(variance)) / (2.0 * _STEP)
    spread = 0.5 / _STEP**2
    loss = 0.5 + ratio * variance / 2.0
    return spread - drift, np.broadcast_to(-2.0 * spread - loss, drift.shape).copy(), spread + drift


def _solved(
    below: FloatArray,
    centre: FloatArray,
    above: FloatArray,
    right: FloatArray,
    least: FloatArray,
    exercised: NDArray[np.bool_],
) -> FloatArray:
    """Return the values where exercised nodes are worth the least and the others solve the equations; all k at once."""
    bands = np.zeros((3, right.size))
    upper, lower = np.where(exercised, 0.0, above).ravel(), np.where(exercised, 0.0, below).ravel()
    upper[_NODES - 1 :: _NODES] = 0.0
    bands[0, 1:], bands[2, :-1] = upper[:-1], lower[1:]
    bands[1] = np.where(exercised, 1.0, centre).ravel()
    found: FloatArray = solve_banded((1, 1), bands, np.where(exercised, least, right).ravel())
    return found.reshape(right.shape)
