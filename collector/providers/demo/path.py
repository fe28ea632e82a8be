"""The price of one demo ticker as a function of time, and its daily bars.

Session by session ln(price) reverts to a trend that doubles between two splits; within a session it is a Brownian
bridge between the session's two ends, built by midpoint displacement (Lévy's construction) down to 512 pieces, so the
price at any moment costs nine draws and a bar's high and low are those of the same path. Prices here come in two
kinds: adjusted (continuous through splits) and raw (as printed that day: adjusted / split factor).
"""

from __future__ import annotations

from datetime import date
from functools import cache, lru_cache

import numpy as np

from collector.providers.base import Bar
from collector.providers.demo.corporate_actions import (
    SPLIT_CYCLE,
    SPLIT_RATIO,
    dividends,
    ex_dates,
    reports,
    split_phase,
    splits_until,
)
from collector.providers.demo.draws import FloatArray, IntArray, Purpose, mean_reverting, normal
from collector.providers.demo.market_events import price_jumps
from collector.providers.demo.surface_events import skew_shift
from collector.providers.demo.timeline import Instants, Timeline, timeline
from collector.providers.demo.universe import DemoTicker, find
from collector.providers.demo.volatility_events import SHARED, with_events

SESSIONS_PER_YEAR = 252
_LEVELS = 9
_PIECES = 2**_LEVELS
_BLOCK = 64
_PRICE_PERSISTENCE = 0.985
_VARIANCE_PERSISTENCE = 0.97
_VARIANCE_SHOCK = 0.11
_LEVERAGE = -0.6
_SKEW_PERSISTENCE = 0.95
_SKEW_SHOCK = 0.03
_REALISED_OVER_IMPLIED = 0.9
# A dividend is known, the price that it falls from depends on those before: each pass leaves a hundredth of the error.
_DROP_PASSES = 4


class PricePath:
    """One ticker's path. Arrays have one element a session, by ordinal.

    Attributes:
        variance: instantaneous implied variance at the session's close, per year.
        skew: correlation parameter of the smile at the session's close.
        deviation: standard deviation of the session's return.
        start, end: ln of the adjusted price at the session's open and close.
        factor: cumulated split factor that divides an adjusted price into the raw one.
        anchor: mean of ``start`` over the last ``interest_memory`` sessions: around what open interest gathers.
    """

    def __init__(self, ticker: DemoTicker, timeline: Timeline) -> None:
        self.ticker = ticker
        self.timeline = timeline
        ordinals = np.arange(len(timeline))
        shocks = normal(Purpose.PRICE, ticker.number, ordinals)
        wander = _wander(ticker, ordinals, shocks)
        centre = ticker.volatility**2
        self.variance: FloatArray = centre * np.exp(with_events(ticker, ordinals, wander))
        self.skew = _skew(ticker, ordinals)
        shown = centre * np.exp(with_events(ticker, ordinals, wander, SHARED))
        before = np.concatenate([shown[:1], shown[:-1]])
        self.deviation: FloatArray = _REALISED_OVER_IMPLIED * np.sqrt(before / SESSIONS_PER_YEAR)
        gaps = np.zeros(len(timeline))
        gapping = reports(ticker, len(timeline) - 1) + 1
        gaps[gapping] = ticker.earnings_move * normal(Purpose.EARNINGS_GAP, ticker.number, gapping)
        gaps += price_jumps(ticker, ordinals) * self.deviation
        years_of_trend = (ordinals - split_phase(ticker)) / SPLIT_CYCLE
        trend = np.log(ticker.price) + np.log(SPLIT_RATIO) * (years_of_trend + 0.5)
        self.factor: FloatArray = SPLIT_RATIO ** splits_until(ticker, ordinals).astype(np.float64)
        self.end: FloatArray = trend + mean_reverting(self.deviation * shocks + gaps, _PRICE_PERSISTENCE)
        drops = np.zeros(len(timeline))
        paying = ex_dates(ticker, timeline)
        paid = dividends(ticker, paying, paying) * self.factor[paying]
        for _ in range(_DROP_PASSES if len(paying) else 0):
            drops[paying] = np.log1p(-paid / np.exp(self.end[paying - 1]))
            self.end = trend + mean_reverting(self.deviation * shocks + gaps + drops, _PRICE_PERSISTENCE)
        self.start: FloatArray = np.concatenate([self.end[:1], self.end[:-1]]) + gaps + drops
        sums = np.cumsum(self.start)
        self.anchor: FloatArray = self.start.copy()
        memory = ticker.interest_memory
        self.anchor[memory:] = (sums[memory:] - sums[:-memory]) / memory

    def price(self, at: Instants) -> FloatArray:
        """Return the raw, unrounded price at each instant."""
        inside = self.start[at.ordinal] + at.progress * (self.end[at.ordinal] - self.start[at.ordinal])
        logs = inside + self.deviation[at.ordinal] * _bridge(self.ticker, at.ordinal, at.progress)
        prices: FloatArray = np.exp(logs) / self.factor[at.ordinal]
        return prices

    def opens(self, ordinals: IntArray) -> FloatArray:
        """Return the raw, unrounded price at the open of each session."""
        prices: FloatArray = np.exp(self.start[ordinals]) / self.factor[ordinals]
        return prices

    def bars(self, first: int, last: int) -> tuple[Bar, ...]:
        """Return the raw daily bars of the sessions first to last, both included."""
        return tuple(
            bar
            for block in range(first // _BLOCK, last // _BLOCK + 1)
            for ordinal, bar in _block_of_bars(self.ticker.name, block)
            if first <= ordinal <= last
        )

    def block(self, number: int) -> list[tuple[int, Bar]]:
        """Return the bars of the 64 sessions from 64 × number on, with their ordinals."""
        ordinals = np.arange(number * _BLOCK, min((number + 1) * _BLOCK, len(self.timeline)))
        line = np.linspace(0.0, 1.0, _PIECES + 1)
        start, end = self.start[ordinals, None], self.end[ordinals, None]
        logs = start + line * (end - start) + self.deviation[ordinals, None] * _whole_bridge(self.ticker, ordinals)
        prices = np.exp(logs) / self.factor[ordinals, None]
        shares = self._shares(ordinals)
        columns = zip(
            ordinals.tolist(),
            np.round(prices[:, 0], 2).tolist(),
            np.round(prices.max(axis=1), 2).tolist(),
            np.round(prices.min(axis=1), 2).tolist(),
            np.round(prices[:, -1], 2).tolist(),
            shares.tolist(),
            self._split_factors(ordinals).tolist(),
            strict=True,
        )
        return [(ordinal, Bar(self._date(ordinal), *values)) for ordinal, *values in columns]

    def _date(self, ordinal: int) -> date:
        return self.timeline.sessions[ordinal].date

    def _shares(self, ordinals: IntArray) -> IntArray:
        busy = np.exp(0.3 * normal(Purpose.SHARE_VOLUME, self.ticker.number, ordinals))
        moved = np.abs(self.end - self.start)[ordinals] / self.deviation[ordinals]
        whole: IntArray = (self.ticker.share_volume * busy * (0.7 + 0.35 * moved)).astype(np.int64)
        return whole

    def _split_factors(self, ordinals: IntArray) -> FloatArray:
        first = (ordinals - split_phase(self.ticker)) % SPLIT_CYCLE == 0
        return np.where(first, SPLIT_RATIO, 1.0)


def _wander(ticker: DemoTicker, ordinals: IntArray, shocks: FloatArray) -> FloatArray:
    """Return what ln(variance over its centre) does by itself."""
    own = normal(Purpose.VARIANCE, ticker.number, ordinals)
    both = _LEVERAGE * shocks + np.sqrt(1 - _LEVERAGE**2) * own
    return mean_reverting(_VARIANCE_SHOCK * both, _VARIANCE_PERSISTENCE)


def _skew(ticker: DemoTicker, ordinals: IntArray) -> FloatArray:
    drift = mean_reverting(_SKEW_SHOCK * normal(Purpose.SKEW, ticker.number, ordinals), _SKEW_PERSISTENCE)
    skew: FloatArray = np.clip(ticker.skew + drift + skew_shift(ticker, ordinals), -0.9, 0.5)
    return skew


def _bridge(ticker: DemoTicker, ordinals: IntArray, progress: FloatArray) -> FloatArray:
    """Return the standard Brownian bridge of each session at ``progress``, 0 at both ends."""
    levels = np.arange(_LEVELS)
    scaled = np.asarray(progress)[..., None] * 2.0**levels
    piece = np.minimum(np.floor(scaled), 2.0**levels - 1)
    hat = 1.0 - np.abs(2.0 * (scaled - piece) - 1.0)
    node = (2**levels + piece).astype(np.int64)
    draws = normal(Purpose.BRIDGE, ticker.number, np.asarray(ordinals)[..., None], node)
    bridge: FloatArray = (hat * draws * 2.0 ** (-levels / 2 - 1)).sum(axis=-1)
    return bridge


def _whole_bridge(ticker: DemoTicker, ordinals: IntArray) -> FloatArray:
    """Return ``_bridge`` at all 513 ends of pieces, one row a session: each node drawn once."""
    bridge = np.zeros((len(ordinals), 2))
    for level in range(_LEVELS):
        nodes = np.arange(2**level, 2 ** (level + 1))
        middle = (bridge[:, :-1] + bridge[:, 1:]) / 2
        middle += normal(Purpose.BRIDGE, ticker.number, ordinals[:, None], nodes) * 2.0 ** (-level / 2 - 1)
        finer = np.empty((len(ordinals), 2 * len(nodes) + 1))
        finer[:, ::2], finer[:, 1::2] = bridge, middle
        bridge = finer
    return bridge


@cache
def price_path(name: str) -> PricePath:
    """Return the path of the ticker called ``name``; raise TickerNotFound where there is none."""
    return PricePath(find(name), timeline())


@lru_cache(maxsize=1024)
def _block_of_bars(name: str, block: int) -> list[tuple[int, Bar]]:
    return price_path(name).block(block)
