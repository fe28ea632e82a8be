"""What is staged in the demo market, by session ordinal, so that it is there on any date.

Every session has a call sweep or a put block (every fifth both), from its first moment to its end; the tickers take
turns, and the same contract is not chosen again while its expiration lives. Every session has a dark chain (all quotes
0), and every fourth a chain that goes missing for a part of the session. No two of these meet in one ticker.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

import numpy as np

from collector.providers.demo import staging
from collector.providers.demo.activity import trade_record
from collector.providers.demo.draws import FloatArray
from collector.providers.demo.expirations import ListedExpiration, listed_expirations
from collector.providers.demo.path import PricePath, price_path
from collector.providers.demo.strikes import Ladder, ladder
from collector.providers.demo.surface import term
from collector.providers.demo.timeline import timeline
from collector.providers.demo.truth import trade_prices
from collector.providers.demo.universe import UNIVERSE, DemoTicker

Kind = Literal["call_sweep", "put_block"]
KINDS: tuple[Kind, ...] = ("call_sweep", "put_block")
OPENED_SHARE = 0.7
SWEEP_AT_ONCE = 0.6
SWEEP_FINISH = 0.8
MISSING_FROM, MISSING_UNTIL = 0.35, 0.65
_TARGET_DAYS = 35
_NEAREST_DAYS, _FURTHEST_DAYS = 14, 75
_OPEN_INTEREST_MULTIPLE = 6
_LEAST_OPEN_INTEREST = 40
_PREMIUM = 600_000.0
_LEAST_PREMIUM = 450_000.0
_LEAST_VOLUME = 1500
_LEAST_PRICE = 0.25
_CHEAPEST = 0.05
_DISLIKE = 100.0
_NEAR, _FAR = 0.25, 1.6
_PLACES = {"call_sweep": 0, "dark": 2, "put_block": 4, "missing": 6}


@dataclass(frozen=True, slots=True)
class ScriptedTrade:
    """A staged trade: ``volume`` contracts of one contract in one session.

    ``rung`` and ``sign`` name the contract in its expiration's Ladder; ``volume`` is in the session's own units.
    """

    kind: Kind
    ordinal: int
    ticker: str
    expiration: ListedExpiration
    rung: int
    sign: float
    volume: int

    def traded(self, progress: float) -> tuple[int, float]:
        """Return how much of it is done at ``progress`` through its session, and the progress at its last trade."""
        if self.kind == "put_block":
            return self.volume, 0.0
        done = SWEEP_AT_ONCE + (1.0 - SWEEP_AT_ONCE) * min(progress / SWEEP_FINISH, 1.0)
        return int(self.volume * done), min(progress, SWEEP_FINISH)


def plays(kind: Kind, ordinal: int) -> bool:
    """Return whether the session has a staged trade of that kind."""
    return staging.STAGED and (ordinal % 5 == 0 or ordinal % 2 == KINDS.index(kind))


def scripted_trades(ticker: DemoTicker, expiration: ListedExpiration, ordinal: int) -> tuple[ScriptedTrade, ...]:
    """Return the staged trades in ``expiration`` in the sessions up to ``ordinal``, oldest first."""
    calendar = timeline()
    first = calendar.ordinal_of(expiration.date - timedelta(days=_FURTHEST_DAYS))
    trades = (
        scripted_trade(kind, session)
        for session in range(max(first, expiration.listed), ordinal + 1)
        for kind in KINDS
        if _target(kind, session) == (ticker.name, expiration)
    )
    return tuple(trade for trade in trades if trade is not None)


@lru_cache(maxsize=4096)
def scripted_trade(kind: Kind, ordinal: int) -> ScriptedTrade | None:
    """Return the staged trade of that kind in the session, None where it has none."""
    target = _target(kind, ordinal)
    if target is None:
        return None
    name, expiration = target
    path = price_path(name)
    rows = ladder(path, expiration, ordinal)
    sign = 1.0 if kind == "call_sweep" else -1.0
    volume, unfitness = _candidates(path, expiration, rows, ordinal)
    taken = [trade.rung for trade in scripted_trades(path.ticker, expiration, ordinal - 1) if trade.kind == kind]
    unfitness[(rows.sign != sign) | np.isin(rows.rung, taken)] = np.inf
    best = int(np.argmin(unfitness))
    return ScriptedTrade(kind, ordinal, name, expiration, int(rows.rung[best]), sign, int(volume[best]))


def dark_chain(ordinal: int) -> tuple[str, date]:
    """Return the ticker and the expiration whose quotes are all 0 in the session."""
    return _chain("dark", ordinal)


def missing_chain(ordinal: int, progress: float) -> tuple[str, date] | None:
    """Return the ticker and the expiration that are not listed at that progress of the session, if any are."""
    if ordinal % 4 != 1 or not MISSING_FROM <= progress < MISSING_UNTIL:
        return None
    return _chain("missing", ordinal)


def _turn(part: str, ordinal: int) -> DemoTicker:
    return UNIVERSE[(5 * ordinal + ordinal // 8 + _PLACES[part]) % len(UNIVERSE)]


def _chain(part: str, ordinal: int) -> tuple[str, date]:
    ticker = _turn(part, ordinal)
    # The two nearest stay whole: most of what is asked of a chain is asked of them.
    later = listed_expirations(ticker, ordinal)[2:]
    return ticker.name, later[ordinal % len(later)].date


@lru_cache(maxsize=4096)
def _target(kind: Kind, ordinal: int) -> tuple[str, ListedExpiration] | None:
    if not plays(kind, ordinal):
        return None
    ticker = _turn(kind, ordinal)
    today = timeline().sessions[ordinal].date
    days = {
        expiration: (expiration.date - today).days
        for expiration in listed_expirations(ticker, ordinal)
        if _NEAREST_DAYS <= (expiration.date - today).days <= _FURTHEST_DAYS and expiration.monthly
    }
    return ticker.name, min(days, key=lambda expiration: abs(days[expiration] - _TARGET_DAYS))


def _candidates(
    path: PricePath, expiration: ListedExpiration, rows: Ladder, ordinal: int
) -> tuple[FloatArray, FloatArray]:
    """Return for each contract the volume that would stand out, and how little the contract suits (inf: not at all)."""
    opening = timeline().at(np.array([ordinal]), np.zeros(1))
    common = term(path, expiration.settles, opening)
    price = trade_prices(path, common, rows.strike, rows.sign)
    away = rows.sign * np.log(rows.strike / common.forward) / np.sqrt(common.theta)
    held = trade_record(path, expiration, ordinal).open_interest(ordinal)
    dear_enough = np.ceil(_LEAST_PREMIUM / (100.0 * np.maximum(price, _CHEAPEST)))
    volume = np.maximum(np.maximum(_OPEN_INTEREST_MULTIPLE * held, dear_enough), _LEAST_VOLUME)
    distance = np.abs(np.log(volume * 100.0 * np.maximum(price, _CHEAPEST) / _PREMIUM))
    liked = (away > _NEAR) & (away < _FAR) & (price >= _LEAST_PRICE) & (held >= _LEAST_OPEN_INTEREST)
    # Where none is liked, the dearest of the others: a cheap option's premium is gone with the first move.
    unfitness = np.where(liked, distance, _DISLIKE - np.log(np.maximum(price, _CHEAPEST)))
    return volume, np.where((away > 0.0) & (price >= _CHEAPEST), unfitness, np.inf)
