"""Draws of the demo market: uniforms and normals as a function of their keys.

A draw is a hash of the market's seed and its keys (what it is for, ticker, session, contract …), so that any of them
can be had at once, in any order, in any process, and vectorised. The hash is the finaliser of SplitMix64 (Steele, Lea
and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), applied key by key.
"""

from __future__ import annotations

from enum import IntEnum
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SEED = 0x0B5E55ED0DD5
_GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
_SECOND_FACTOR = np.uint64(0x94D049BB133111EB)


class Purpose(IntEnum):
    """What a draw is for: the first key of each, so that no two purposes share draws."""

    PRICE = 1
    BRIDGE = 2
    EARNINGS_GAP = 3
    VARIANCE = 4
    SKEW = 5
    RATE = 6
    SHARE_VOLUME = 7
    TRADES = 8
    VOLUME = 9
    LAST_TRADE = 10
    LAST_PRICE = 11
    OPEN_INTEREST = 12
    QUOTE = 13
    BID_SIZE = 14
    ASK_SIZE = 15
    VENDOR_NOISE = 16
    PLACEHOLDER = 17
    ESTIMATE = 18
    ADJUSTED = 19
    IDENTITY = 20
    PACE = 21


def _finalise(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * _FIRST_FACTOR
    state = (state ^ (state >> np.uint64(27))) * _SECOND_FACTOR
    return state ^ (state >> np.uint64(31))


def hashed(purpose: Purpose, *keys: ArrayLike) -> NDArray[np.uint64]:
    """Return 64 hashed bits for each element of the broadcast ``keys`` (integers)."""
    with np.errstate(over="ignore"):
        state = _finalise(np.full(1, SEED + int(purpose), dtype=np.uint64) * _GOLDEN_GAMMA)
        for key in keys:
            whole = np.asarray(key).astype(np.int64).view(np.uint64)
            state = _finalise((state ^ whole) * _GOLDEN_GAMMA + _FIRST_FACTOR)
    return state


def uniform(purpose: Purpose, *keys: ArrayLike) -> FloatArray:
    """Return uniforms in the open interval (0, 1), shaped as the broadcast ``keys`` (at least one element)."""
    high: Any = hashed(purpose, *keys) >> np.uint64(11)
    values: FloatArray = (high.astype(np.float64) + 0.5) * 2.0**-53
    return values


def normal(purpose: Purpose, *keys: ArrayLike) -> FloatArray:
    """Return standard normals, shaped as the broadcast ``keys`` (at least one element)."""
    values: FloatArray = ndtri(uniform(purpose, *keys))
    return values


def mean_reverting(shocks: FloatArray, persistence: float) -> FloatArray:
    """Return x with x[n] = persistence × x[n-1] + shocks[n], from 0."""
    return np.fromiter(accumulate(shocks.tolist(), lambda x, shock: persistence * x + shock), np.float64, len(shocks))
