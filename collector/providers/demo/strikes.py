"""Which strikes an expiration lists: a ladder that grows with the price and never loses a rung.

At listing the step is chosen so that the rungs span about two standard deviations; from then on each session adds what
is needed for ten rungs beyond its open. A split divides every listed strike by its ratio.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from collector.providers.demo.draws import FloatArray, IntArray, Purpose, hashed
from collector.providers.demo.expirations import ListedExpiration
from collector.providers.demo.path import PricePath, price_path

STEPS = np.array([0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 25.0, 50.0])
_RUNGS_BEYOND = 11
_WIDTH_IN_DEVIATIONS = 1.9
_WIDEST = 0.75
_DAYS_PER_YEAR = 365.0


@dataclass(frozen=True, slots=True)
class Ladder:
    """The contracts of one expiration in one session: its calls by ascending strike, then its puts.

    Attributes:
        identity: key of each contract in every draw; a split does not change it.
        rung: strike as a multiple of the step at listing; a split does not change it.
        sign: 1.0 for calls, -1.0 for puts.
        strike: strike in that session.
        listed: ordinal of the session that listed the contract.
        ratio: split factor since the expiration was listed.
    """

    identity: IntArray
    rung: IntArray
    sign: FloatArray
    strike: FloatArray
    listed: IntArray
    ratio: float


def ladder(path: PricePath, expiration: ListedExpiration, ordinal: int) -> Ladder:
    """Return the contracts of ``expiration`` in the session ``ordinal`` (not before it was listed)."""
    return _ladder(path.ticker.name, expiration, ordinal)


@lru_cache(maxsize=2048)
def _ladder(name: str, expiration: ListedExpiration, ordinal: int) -> Ladder:
    path = price_path(name)
    seen = np.arange(expiration.listed, ordinal + 1)
    opens = path.opens(seen) * path.factor[seen] / path.factor[expiration.listed]
    step = _step(path, expiration, float(opens[0]))
    lowest = np.minimum.accumulate(np.floor(opens / step).astype(np.int64) - _RUNGS_BEYOND + 1)
    highest = np.maximum.accumulate(np.ceil(opens / step).astype(np.int64) + _RUNGS_BEYOND - 1)
    rung = np.arange(max(int(lowest[-1]), 1), int(highest[-1]) + 1)
    below = np.searchsorted(-lowest, -rung, side="left")
    above = np.searchsorted(highest, rung, side="left")
    ratio = float(path.factor[ordinal] / path.factor[expiration.listed])
    both, sign = np.tile(rung, 2), np.repeat([1.0, -1.0], len(rung))
    expires = expiration.date.toordinal()
    return Ladder(
        identity=hashed(Purpose.IDENTITY, path.ticker.number, expires, both, sign).view(np.int64),
        rung=both,
        sign=sign,
        strike=(both * step / ratio).astype(np.float64),
        listed=np.tile(expiration.listed + np.maximum(below, above), 2),
        ratio=ratio,
    )


def _step(path: PricePath, expiration: ListedExpiration, price: float) -> float:
    days = (expiration.settles - path.timeline.sessions[expiration.listed].open).days
    width = min(_WIDTH_IN_DEVIATIONS * path.ticker.volatility * np.sqrt(days / _DAYS_PER_YEAR), _WIDEST)
    ideal = price * width / _RUNGS_BEYOND
    return float(STEPS[np.argmin(np.abs(np.log(STEPS / ideal)))])
