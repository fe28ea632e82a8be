"""Who trades what: each contract's trades session by session, and the open interest that they leave.

Open interest moves only with trades: it follows a slowly moving level, and catches up with it in the sessions in which
the contract trades, whose volume is at least the change. Every contract trades at least once in LONGEST_PAUSE
sessions, so that the newest trade before any moment is found in a bounded window.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from collector.providers.demo.draws import FloatArray, IntArray, Purpose, four_uniforms
from collector.providers.demo.expirations import ListedExpiration
from collector.providers.demo.market_events import idle_volume
from collector.providers.demo.path import PricePath, price_path
from collector.providers.demo.strikes import Ladder, ladder

LONGEST_PAUSE = 10
_SECONDS_PER_YEAR = 365 * 86400.0
_WEEK = 7 / 365
_SESSIONS_TO_GROW = 14.0
_LEVEL_NOISE = 0.06
_WEEKLY_SHARE = 0.5
_QUIET_LIQUIDITY = 500.0


@dataclass(frozen=True, slots=True)
class TradeRecord:
    """The unscripted trades of an expiration's contracts: rows as in its Ladder, one column a session.

    Attributes:
        sessions: ordinals of the columns, consecutive, the last one the session asked for.
        traded: whether the contract trades in the session.
        volume: contracts that it trades by the session's end, in the units of the last column's session.
        level: open interest that a session leaves where the contract traded in it, in the same units.
        finish: progress of the session at which its last trade is done.
    """

    sessions: IntArray
    traded: NDArray[np.bool_]
    volume: IntArray
    level: IntArray
    finish: FloatArray

    def open_interest(self, ordinal: int) -> IntArray:
        """Return the open interest left by the sessions before ``ordinal`` (the last column's, or the one before)."""
        columns = int(np.count_nonzero(self.sessions < ordinal))
        newest = last_true(self.traded[:, :columns])
        rows = np.arange(len(newest))
        return np.where(newest >= 0, self.level[rows, newest], 0)


def last_true(mask: NDArray[np.bool_]) -> IntArray:
    """Return for each row the last column that is true, -1 where there is none."""
    width = mask.shape[1]
    if width == 0:
        return np.full(mask.shape[0], -1)
    newest: IntArray = width - 1 - np.argmax(mask[:, ::-1], axis=1)
    return np.where(mask.any(axis=1), newest, -1)


def trade_record(path: PricePath, expiration: ListedExpiration, ordinal: int) -> TradeRecord:
    """Return the trades of ``expiration``'s contracts in the sessions up to ``ordinal``."""
    return _trade_record(path.ticker.name, expiration, ordinal)


@lru_cache(maxsize=512)
def _trade_record(name: str, expiration: ListedExpiration, ordinal: int) -> TradeRecord:
    path = price_path(name)
    rows = ladder(path, expiration, ordinal)
    sessions = np.arange(max(ordinal - 2 * LONGEST_PAUSE, expiration.listed), ordinal + 1)
    known = sessions >= rows.listed[:, None]
    whether, noise, busy, end = four_uniforms(Purpose.TRADES, rows.identity[:, None], sessions)
    forced = (sessions + rows.identity[:, None]) % LONGEST_PAUSE == 0
    traded = known & (forced | (whether < _chance(path, expiration, rows, sessions)))
    level = np.where(known, _levels(path, expiration, rows, sessions, noise), 0)
    columns = np.where(traded, np.arange(len(sessions)), -1)
    before = np.maximum.accumulate(columns, axis=1)[:, :-1]
    left = np.where(before >= 0, np.take_along_axis(level, np.maximum(before, 0), axis=1), 0)
    change = np.abs(level - np.concatenate([np.zeros((len(level), 1), dtype=np.int64), left], axis=1))
    scale = int(rows.ratio)
    idle = idle_volume(path.ticker, rows.sign, sessions, 0.02 + 0.18 * busy**3)
    churn = 1 + (scale * level * idle).astype(np.int64)
    volume = np.where(traded, scale * change + churn, 0)
    return TradeRecord(sessions, traded, volume, scale * level, finish=0.35 + 0.64 * end)


def _chance(path: PricePath, expiration: ListedExpiration, rows: Ladder, sessions: IntArray) -> FloatArray:
    deviations = _moneyness(path, expiration, rows, np.log(path.opens(sessions) * path.factor[sessions]), sessions)
    # Out of the money trades most; deep in the money hardly at all.
    interest = np.exp(-0.5 * (np.where(deviations > 0, 0.6, 1.6) * deviations) ** 2)
    chance: FloatArray = 0.95 * interest * (path.ticker.liquidity / (path.ticker.liquidity + _QUIET_LIQUIDITY)) ** 0.5
    return chance


def _levels(
    path: PricePath, expiration: ListedExpiration, rows: Ladder, sessions: IntArray, noise: FloatArray
) -> IntArray:
    first = np.full(len(sessions), expiration.listed)
    ticker = path.ticker
    deviations = _moneyness(path, expiration, rows, path.anchor[sessions] + ticker.interest_place, first)
    bell = np.exp(-0.5 * (1.2 * (deviations - 0.4)) ** 2)
    roundness = np.where(rows.rung % 5 == 0, 1.0, np.where(rows.rung % 2 == 0, 0.55, 0.25))[:, None]
    age = sessions - rows.listed[:, None] + 1
    grown = 1.0 - np.exp(-((np.maximum(age, 0) / _SESSIONS_TO_GROW) ** 2))
    wander = 1.0 + _LEVEL_NOISE * (2.0 * noise - 1.0)
    size = ticker.liquidity * (1.0 if expiration.monthly else _WEEKLY_SHARE)
    side = np.where(rows.sign > 0, ticker.call_interest, ticker.put_interest)[:, None]
    level: IntArray = (size * side * bell * roundness * grown * wander).astype(np.int64)
    return level


def _moneyness(
    path: PricePath, expiration: ListedExpiration, rows: Ladder, logs: FloatArray, sessions: IntArray
) -> FloatArray:
    """Return how far out of the money each row is, in deviations of the tenor that it has in ``sessions``."""
    years = (expiration.settles.timestamp() - path.timeline.opens[sessions]) / _SECONDS_PER_YEAR
    deviation = path.ticker.volatility * np.sqrt(np.maximum(years, _WEEK))
    strikes = np.log(rows.strike * rows.ratio * path.factor[expiration.listed])
    moneyness: FloatArray = rows.sign[:, None] * (strikes[:, None] - logs) / deviation
    return moneyness
