"""Draws of the demo market: uniforms and normals as a function of their keys.

A draw is a hash of the market's seed and its keys (what it is for, ticker, session, contract …), so that any of them
can be had at once, in any order, in any process, and vectorised. The hash is the finaliser of SplitMix64 (Steele, Lea
and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), applied key by key.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from itertools import accumulate, takewhile

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SEED = 0x0B5E55ED0DD5
_GOLDEN_GAMMA = 0x9E3779B97F4A7C15
_FIRST_FACTOR = 0xBF58476D1CE4E5B9
_SECOND_FACTOR = 0x94D049BB133111EB
_64_BITS = (1 << 64) - 1


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
    LAST_PRICE = 9
    QUOTE = 10
    VENDOR = 11
    ESTIMATE = 12
    ADJUSTED = 13
    IDENTITY = 14


@lru_cache(maxsize=65536)
def _hashed_whole(keys: tuple[int, ...]) -> int:
    state = SEED
    for key in keys:
        state = ((state ^ (key & _64_BITS)) * _GOLDEN_GAMMA + _FIRST_FACTOR) & _64_BITS
        state = ((state ^ (state >> 30)) * _FIRST_FACTOR) & _64_BITS
        state = ((state ^ (state >> 27)) * _SECOND_FACTOR) & _64_BITS
        state ^= state >> 31
    return state


def _hashed_array(state: NDArray[np.uint64], key: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return what ``_hashed_whole`` does with one more key, element by element."""
    mixed: NDArray[np.uint64] = state ^ key.view(np.uint64)
    mixed *= np.uint64(_GOLDEN_GAMMA)
    mixed += np.uint64(_FIRST_FACTOR)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(_FIRST_FACTOR)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(_SECOND_FACTOR)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def hashed(purpose: Purpose, *keys: ArrayLike) -> NDArray[np.uint64]:
    """Return 64 hashed bits for each element of the broadcast ``keys`` (integers), at least one element."""
    leading = tuple(takewhile(lambda key: isinstance(key, int), keys))
    state = np.array([_hashed_whole((int(purpose), *leading))], dtype=np.uint64)
    for key in keys[len(leading) :]:
        state = _hashed_array(state, np.atleast_1d(np.asarray(key, dtype=np.int64)))
    return state


def uniform(purpose: Purpose, *keys: ArrayLike) -> FloatArray:
    """Return uniforms in the open interval (0, 1), shaped as the broadcast ``keys`` (at least one element)."""
    values = (hashed(purpose, *keys) >> np.uint64(11)).astype(np.float64)
    values += 0.5
    values *= 2.0**-53
    return values


def four_uniforms(purpose: Purpose, *keys: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return four independent uniforms of 16 bits each, for the price of one."""
    bits = hashed(purpose, *keys)
    first, second, third, fourth = (
        ((bits >> np.uint64(shift) & np.uint64(0xFFFF)).astype(np.float64) + 0.5) * 2.0**-16
        for shift in (0, 16, 32, 48)
    )
    return first, second, third, fourth


def normal(purpose: Purpose, *keys: ArrayLike) -> FloatArray:
    """Return standard normals, shaped as the broadcast ``keys`` (at least one element)."""
    values: FloatArray = ndtri(uniform(purpose, *keys))
    return values


def mean_reverting(shocks: FloatArray, persistence: float) -> FloatArray:
    """Return x with x[n] = persistence × x[n-1] + shocks[n], from 0."""
    return np.fromiter(accumulate(shocks.tolist(), lambda x, shock: persistence * x + shock), np.float64, len(shocks))
