"""Staged events of the demo's surface: a skew that turns, an expiration off the curve, a release that is overpriced.

They take turns with the extremes of volatility (volatility_events.py), in the half-year that each of these tells of a
ticker: after the report that a top ends with, first one expiration is dear for five sessions, then one side of the
smile for eleven; the report after is priced at far more than the share ever did on one, in two tickers. Each ticker has
its own days, so any quarter of a year holds a skew and a kink of some.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

from collector.providers.demo import staging
from collector.providers.demo.corporate_actions import QUARTER, earnings_phase, reports
from collector.providers.demo.draws import FloatArray, IntArray
from collector.providers.demo.expirations import ListedExpiration, listed_expirations
from collector.providers.demo.timeline import timeline
from collector.providers.demo.universe import DemoTicker, find

Side = Literal["puts", "calls"]

HALF_YEAR = 2 * QUARTER
# Sessions after the report that a top ends with.
KINK_FIRST, KINK_SESSIONS = 12, 5
SKEW_MIDDLE, SKEW_PLATEAU, SKEW_RAMP = 36, 5, 4
# Which of the listed expirations is dear, and by which share of its total variance at most: the next one's has to be
# larger still, or the calendar could be arbitraged.
_KINKED_PLACE = 3
_KINK, _KINK_ROOM = 0.25, 0.6
_SKEW_SHIFT = 0.55
# A smile steeper than this can turn but one way.
_STEEP = -0.33
_OVERPRICED = ("CINDRA", "GALTHO")
_OVERPRICING, _REPORTS_BACK = 2.5, 8


def skew_shift(ticker: DemoTicker, ordinals: IntArray) -> FloatArray:
    """Return what is added to the smile's correlation parameter at the close of each session."""
    if not staging.STAGED:
        return np.zeros(len(ordinals))
    away = np.abs(_since_top(ticker, ordinals) - SKEW_MIDDLE)
    shape = 1.0 - np.clip((away - SKEW_PLATEAU) / SKEW_RAMP, 0.0, 1.0)
    shift: FloatArray = (_SKEW_SHIFT if _turns_to(ticker) == "calls" else -_SKEW_SHIFT) * shape
    return shift


def dear_side_at(ticker: DemoTicker, ordinal: int) -> Side | None:
    """Return which side of the smile is held dear from the close before to the close of the session."""
    off = int(_since_top(ticker, np.array([ordinal]))[0]) - SKEW_MIDDLE
    return _turns_to(ticker) if staging.STAGED and -SKEW_PLATEAU < off <= SKEW_PLATEAU else None


def dear_expiration_at(ticker: DemoTicker, ordinal: int) -> ListedExpiration | None:
    """Return which expiration is off the curve in the session."""
    off = int(_since_top(ticker, np.array([ordinal]))[0]) - KINK_FIRST
    if not staging.STAGED or not 0 <= off < KINK_SESSIONS:
        return None
    return _kinked(ticker.name, ordinal - off)[0]


def kinked_share(ticker: DemoTicker, settlement: float, ordinals: IntArray) -> FloatArray:
    """Return by which share the total variance of what settles then (POSIX seconds) is too high in each session."""
    share = np.zeros(len(ordinals))
    if not staging.STAGED:
        return share
    off = _since_top(ticker, ordinals) - KINK_FIRST
    inside = (off >= 0) & (off < KINK_SESSIONS)
    for first in set((ordinals - off)[inside].tolist()):
        expiration, dear = _kinked(ticker.name, first)
        if expiration.settles.timestamp() == settlement:
            share[inside & (ordinals - off == first)] = dear
    return share


def overpriced_move(ticker: DemoTicker, moves: FloatArray, report: int) -> float | None:
    """Return the move that options expect of a report where that is far too large, None elsewhere.

    Args:
        ticker: whose.
        moves: its log returns by session.
        report: ordinal of the reporting session.
    """
    if (
        not staging.STAGED
        or ticker.name not in _OVERPRICED
        or int(_since_top(ticker, np.array([report]))[0]) != QUARTER
    ):
        return None
    past = reports(ticker, report)[-_REPORTS_BACK:] + 1
    return None if len(past) < _REPORTS_BACK else _OVERPRICING * float(np.sqrt(np.mean(moves[past] ** 2)))


def _since_top(ticker: DemoTicker, ordinals: IntArray) -> IntArray:
    """Return how many sessions ago the last report was that a top ends with."""
    since: IntArray = (ordinals - earnings_phase(ticker) - QUARTER * (ticker.number % 2)) % HALF_YEAR
    return since


def _turns_to(ticker: DemoTicker) -> Side:
    return "calls" if ticker.skew < _STEEP else "puts"


@lru_cache(maxsize=1024)
def _kinked(name: str, first: int) -> tuple[ListedExpiration, float]:
    """Return the expiration that is dear from the session ``first`` on, and by which share of its variance."""
    listed = listed_expirations(find(name), first)
    one, after = listed[_KINKED_PLACE], listed[_KINKED_PLACE + 1]
    opened = timeline().sessions[first].open
    room = (after.settles - one.settles) / (one.settles - opened)
    return one, min(_KINK, _KINK_ROOM * room)
