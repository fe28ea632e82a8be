"""Staged events of the demo's volatility: around each report of a ticker it is driven up or down, by turns.

Before the report of one quarter a ticker's volatility rises to a top, after that of the next it sinks to a bottom, each
for ten sessions with a smooth way there and back. A top is of the options alone: what they expect does not come, and
their premium over realised volatility is rich. A bottom is of the share too, whose realised volatility follows within
twenty sessions. Every other ticker is a quarter ahead: any 90 sessions hold the tops of some and the bottoms of others,
and two days of three show one of either. A top comes to its end with the report, and a bottom lies where no expiration
around 30 days reaches the next one: what earnings add to volatility only makes the contrast clearer.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import numpy as np

from collector.providers.demo import staging
from collector.providers.demo.corporate_actions import QUARTER, earnings_phase
from collector.providers.demo.draws import FloatArray, IntArray
from collector.providers.demo.universe import DemoTicker

Extreme = Literal["top", "bottom"]
# Whose turn it is, where the number of the report and that of the ticker add up to an even one, to an odd one.
TURNS: tuple[Extreme, Extreme] = ("top", "bottom")
SHARED: tuple[Extreme, ...] = ("bottom",)
# Sessions from the report to the middle, from there to the plateau's end, and on to where nothing is left of it.
MIDDLE: dict[Extreme, int] = {"top": -8, "bottom": 8}
PLATEAU = 5
RAMP = 12
# Of ln(variance) over the ticker's own centre: volatility times 1.8 and times 0.55.
_LEVEL: dict[Extreme, float] = {"top": 1.2, "bottom": -1.2}
# A tenth of what volatility does by itself is left on the plateau; elsewhere that stays well inside of it.
_SHARE = 0.9
_ORDINARY = 0.8


def with_events(
    ticker: DemoTicker, ordinals: IntArray, wander: FloatArray, extremes: Collection[Extreme] = TURNS
) -> FloatArray:
    """Return ln(variance over its centre) at the close of each session, from the one that wanders by itself.

    Staged are the extremes that are named: TURNS is what options show, SHARED what the shares do too.
    """
    ordinary: FloatArray = _ORDINARY * np.tanh(wander / _ORDINARY)
    if not staging.STAGED:
        return ordinary
    number, since = _nearest_report(ticker, ordinals)
    staged = ordinary
    for remainder, extreme in enumerate(TURNS):
        if extreme not in extremes:
            continue
        its_turn = (number + ticker.number) % 2 == remainder
        share = np.where(its_turn, _SHARE * _shape(since - MIDDLE[extreme]), 0.0)
        staged = staged + share * (_LEVEL[extreme] - ordinary)
    return staged


def extreme_at(ticker: DemoTicker, ordinal: int) -> Extreme | None:
    """Return at which extreme the ticker's volatility is held from the close before to the close of the session."""
    if not staging.STAGED:
        return None
    numbers, sinces = _nearest_report(ticker, np.array([ordinal]))
    extreme = TURNS[(int(numbers[0]) + ticker.number) % 2]
    off = int(sinces[0]) - MIDDLE[extreme]
    return extreme if -PLATEAU < off <= PLATEAU else None


def _nearest_report(ticker: DemoTicker, ordinals: IntArray) -> tuple[IntArray, IntArray]:
    """Return which report of the ticker is nearest to each session, and how many sessions after it that is."""
    number = (ordinals - earnings_phase(ticker) + QUARTER // 2) // QUARTER
    return number, ordinals - earnings_phase(ticker) - QUARTER * number


def _shape(off: IntArray) -> FloatArray:
    """Return 1 on the plateau, 0 beyond the ramps, by half a cosine between."""
    down = np.clip((np.abs(off) - PLATEAU) / RAMP, 0.0, 1.0)
    shape: FloatArray = (1.0 + np.cos(np.pi * down)) / 2
    return shape
