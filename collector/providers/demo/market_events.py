"""Staged events of the demo's prices and of its flow: jumps that no option expected, and lopsided trading.

Each ticker has one of either between every second pair of its reports, by turns: in one quarter its price jumps as a
session opens, 31 sessions after the report, far beyond what its options expected; in the next its puts or its calls
trade far more than the others for two sessions, 45 after the report. CINDRA, whose gamma flip lies as a rule just
below its price, always falls, as a rule through the flip. Other jumps go up and down by turns, and so do the heavy
sides.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from collector.providers.demo import staging
from collector.providers.demo.corporate_actions import QUARTER, earnings_phase
from collector.providers.demo.draws import FloatArray, IntArray
from collector.providers.demo.universe import DemoTicker

Side = Literal["puts", "calls"]

JUMP_SESSION = 31
FLOW_SESSIONS = (45, 46)
# Of the standard deviation of the session's return, which is nine tenths of what its options expect.
JUMP_DEVIATIONS = 5.0
FALLS_THROUGH_ITS_FLIP = "CINDRA"
# After a rise its flip, which is slow to follow, lies further down.
FALL_DEVIATIONS = 7.0
# Volume without a change of open interest, as a share of it: less than is open, whatever the side.
_HEAVY, _LIGHT = 0.4, 0.01


def price_jumps(ticker: DemoTicker, ordinals: IntArray) -> FloatArray:
    """Return for each session how many of its standard deviations its price jumps by as it opens, 0 of most."""
    if not staging.STAGED:
        return np.zeros(len(ordinals))
    quarter, since = _since_report(ticker, ordinals)
    due = (since == JUMP_SESSION) & (quarter % 2 == ticker.number % 2)
    up = quarter // 2 % 2 == 0
    sizes = np.where(up, JUMP_DEVIATIONS, -JUMP_DEVIATIONS)
    return np.where(due, -FALL_DEVIATIONS if ticker.name == FALLS_THROUGH_ITS_FLIP else sizes, 0.0)


def heavy_side(ticker: DemoTicker, ordinal: int) -> Side | None:
    """Return which side of the ticker's options trades far more than the other in the session, None in most."""
    signs = _heavy(ticker, np.array([ordinal]))
    return None if signs[0] == 0.0 else "calls" if signs[0] > 0 else "puts"


def idle_volume(ticker: DemoTicker, sign: FloatArray, ordinals: IntArray, usual: FloatArray) -> FloatArray:
    """Return volume without a change of open interest, as a share of it; shape (contracts, sessions).

    Args:
        ticker: whose.
        sign: 1.0 of a call, -1.0 of a put; shape (contracts,).
        ordinals: the sessions.
        usual: the share where nothing is staged.
    """
    heavy = _heavy(ticker, ordinals)
    if not heavy.any():
        return usual
    share = np.where(sign[:, None] == heavy, _HEAVY, _LIGHT)
    return np.where(heavy == 0.0, usual, share)


def _heavy(ticker: DemoTicker, ordinals: IntArray) -> FloatArray:
    """Return for each session the sign of the heavy side, 0.0 where there is none."""
    if not staging.STAGED:
        return np.zeros(len(ordinals))
    quarter, since = _since_report(ticker, ordinals)
    due = np.isin(since, FLOW_SESSIONS) & (quarter % 2 != ticker.number % 2)
    return np.where(due, np.where((quarter // 2 + ticker.number // 2) % 2 == 0, -1.0, 1.0), 0.0)


def _since_report(ticker: DemoTicker, ordinals: IntArray) -> tuple[IntArray, IntArray]:
    """Return the number of the ticker's last report before each session, and how many sessions ago that was."""
    since = (ordinals - earnings_phase(ticker)) % QUARTER
    return (ordinals - earnings_phase(ticker)) // QUARTER, since
