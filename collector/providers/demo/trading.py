"""What has traded by a moment: volumes, open interest and last trades of an expiration's contracts.

A contract that has not traded in the running session keeps the volume and the last trade of the session in which it
last did, as Yahoo's tables do. After a split its series is new: nothing of before is carried.

Open interest is what stood at the end of the last session before the New York date of the moment: it moves at
midnight, while the market's session has run since the close.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collector.providers.demo.activity import TradeRecord, last_true, trade_record
from collector.providers.demo.corporate_actions import last_split
from collector.providers.demo.draws import FloatArray, IntArray
from collector.providers.demo.expirations import ListedExpiration
from collector.providers.demo.path import PricePath
from collector.providers.demo.script import OPENED_SHARE, ScriptedTrade, scripted_trades
from collector.providers.demo.strikes import Ladder
from collector.providers.demo.timeline import Instants


@dataclass(frozen=True, slots=True)
class Trading:
    """Rows as in the Ladder.

    Attributes:
        volume: contracts traded in the session of the last trade; 0 where there was never one.
        ever: whether there was a trade since listing (since the last split).
        today: whether the last trade is of the running session.
        ordinal, progress: session of the last trade, and how far through it.
        open_interest: contracts open.
        staged: whether a staged trade runs in the contract now.
    """

    volume: IntArray
    ever: NDArray[np.bool_]
    today: NDArray[np.bool_]
    ordinal: IntArray
    progress: FloatArray
    open_interest: IntArray
    staged: NDArray[np.bool_]


def trading(path: PricePath, expiration: ListedExpiration, rows: Ladder, at: Instants, settled_before: int) -> Trading:
    """Return the state at the instant ``at`` (one element).

    ``settled_before`` is the ordinal of the first session on or after the moment's New York date.
    """
    now, progress = int(at.ordinal[0]), float(at.progress[0])
    record = trade_record(path, expiration, now)
    staged = scripted_trades(path.ticker, expiration, now)
    count, reached = _today(rows, record, progress)
    running = np.zeros(len(rows.rung), dtype=np.bool_)
    for trade in staged:
        if trade.ordinal == now:
            row = _row(rows, trade)
            done, last = trade.traded(progress)
            count[row] += done
            reached[row] = max(float(reached[row]), last)
            running[row] = True
    today = count > 0
    volume, ordinal, finish = _earlier(rows, record, staged, first=last_split(path.ticker, now), now=now)
    return Trading(
        volume=np.where(today, count, volume),
        ever=today | (ordinal >= 0),
        today=today,
        ordinal=np.where(today, now, np.maximum(ordinal, 0)),
        progress=np.where(today, reached, finish),
        open_interest=_open_interest(path, rows, record, staged, now, settled_before),
        staged=running,
    )


def _row(rows: Ladder, trade: ScriptedTrade) -> int:
    return int(np.flatnonzero((rows.rung == trade.rung) & (rows.sign == trade.sign))[0])


def _today(rows: Ladder, record: TradeRecord, progress: float) -> tuple[IntArray, FloatArray]:
    """Return the unscripted volume of the running session so far, and the progress at its last trade."""
    total, finish = record.volume[:, -1], record.finish[:, -1]
    # Some contracts trade early in the session, others late; the draw of the finish decides, too.
    pace = 0.7 + 0.7 * (finish * 1000.0 % 1.0)
    count = np.floor(total * np.minimum(progress / finish, 1.0) ** pace).astype(np.int64)
    share = count / np.maximum(total, 1)
    reached = np.minimum(finish * share ** (1.0 / pace), progress)
    return count, reached


def _earlier(
    rows: Ladder, record: TradeRecord, staged: tuple[ScriptedTrade, ...], *, first: int, now: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return volume, session (-1: none) and last progress of the newest session with a trade from first to now - 1."""
    volume, finish = record.volume.copy(), np.where(record.traded, record.finish, 0.0)
    for trade in staged:
        column = trade.ordinal - int(record.sessions[0])
        if column >= 0 and first <= trade.ordinal < now:
            row = _row(rows, trade)
            volume[row, column] += trade.volume
            finish[row, column] = max(float(finish[row, column]), trade.traded(1.0)[1])
    past = (record.sessions >= first) & (record.sessions < now)
    newest = last_true((volume > 0) & past)
    lines = np.arange(len(newest))
    found = newest >= 0
    return (
        np.where(found, volume[lines, newest], 0),
        np.where(found, record.sessions[newest], -1),
        np.where(found, finish[lines, newest], 0.0),
    )


def _open_interest(
    path: PricePath,
    rows: Ladder,
    record: TradeRecord,
    staged: tuple[ScriptedTrade, ...],
    now: int,
    settled_before: int,
) -> IntArray:
    open_interest = record.open_interest(settled_before)
    for trade in staged:
        if trade.ordinal < settled_before:
            opened = OPENED_SHARE * trade.volume * path.factor[now] / path.factor[trade.ordinal]
            open_interest[_row(rows, trade)] += int(opened)
    return open_interest
