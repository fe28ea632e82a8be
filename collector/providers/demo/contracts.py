"""One chain of the demo market, row by row as the provider gives it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np

from collector.market.calendar import new_york_date
from collector.market.contract import build_occ
from collector.providers.base import ContractQuote, OptionType
from collector.providers.demo.corporate_actions import SPLIT_RATIO, last_split
from collector.providers.demo.draws import FloatArray, IntArray, Purpose, uniform
from collector.providers.demo.expirations import ListedExpiration
from collector.providers.demo.path import PricePath
from collector.providers.demo.quotes import Quotes, dark, down_to_tick, quotes, traded_price, up_to_tick
from collector.providers.demo.script import dark_chain
from collector.providers.demo.strikes import Ladder, ladder
from collector.providers.demo.surface import Term, term
from collector.providers.demo.timeline import Instants
from collector.providers.demo.trading import Trading, trading
from collector.providers.demo.truth import prices, trade_prices

CONTRACT_SIZE = 100
_ADJUSTED_EVERY = 7
_ADJUSTED_WIDTH = 0.08
_ADJUSTED_FOR = timedelta(days=75)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """An expiration at one instant: its contracts, what they have in common, what has traded."""

    path: PricePath
    expiration: ListedExpiration
    at: Instants
    rows: Ladder
    common: Term
    price: FloatArray
    state: Trading


def contracts(
    path: PricePath, expiration: ListedExpiration, moment: datetime, *, ticks: bool = True
) -> tuple[ContractQuote, ...]:
    """Return the contracts of ``expiration`` at ``moment``: calls, puts, then what a split left adjusted.

    Without ``ticks`` bid and ask both are the true price, unrounded: for those who judge what is read off it.
    """
    at = path.timeline.instant(moment)
    ordinal = int(at.ordinal[0])
    rows = ladder(path, expiration, ordinal)
    common = term(path, expiration.settles, at)
    state = trading(path, expiration, rows, at, path.timeline.ordinal_of(new_york_date(moment)))
    price = prices(path, common, rows.strike, rows.sign)
    now = _Snapshot(path, expiration, at, rows, common, price, state)
    if (path.ticker.name, expiration.date) == dark_chain(ordinal):
        return tuple(_regular(now, dark(rows), np.zeros_like(state.open_interest)))
    quoted = quotes(path, rows, common, price, state, ordinal)
    if not ticks:
        quoted = replace(quoted, bid=price, ask=price)
    return (*_regular(now, quoted, state.open_interest), *_adjusted(now))


def _regular(now: _Snapshot, quoted: Quotes, open_interest: IntArray) -> Iterator[ContractQuote]:
    root, day = now.path.ticker.name, now.expiration.date
    columns = (*_quote_columns(now, quoted), open_interest.tolist(), *_trade_columns(now))
    for kind, strike, bid, ask, bids, asks, vendor, inside, interest, price, time, change, volume, ever in zip(
        *columns, strict=True
    ):
        yield ContractQuote(
            option_type=kind,
            strike=strike,
            contract_symbol=_symbol(root, day, kind, strike),
            bid=bid,
            ask=ask,
            bid_size=bids,
            ask_size=asks,
            last_price=price if ever else None,
            last_trade_time=datetime.fromtimestamp(time, UTC) if ever else None,
            change=change if ever else None,
            volume=volume if ever else None,
            open_interest=interest,
            vendor_implied_volatility=vendor,
            in_the_money=inside,
            contract_size=CONTRACT_SIZE,
            currency="USD",
        )


def _quote_columns(now: _Snapshot, quoted: Quotes) -> tuple[list[Any], ...]:
    """Return type, strike, bid, ask, their sizes, the vendor's volatility, whether in the money."""
    inside = now.rows.sign * (now.common.spot - now.rows.strike) > 0
    columns = (
        now.rows.strike,
        quoted.bid,
        quoted.ask,
        quoted.bid_size,
        quoted.ask_size,
        quoted.vendor_implied_volatility,
        inside,
    )
    return (_option_types(now.rows), *(column.tolist() for column in columns))


def _trade_columns(now: _Snapshot) -> tuple[list[Any], ...]:
    """Return price, POSIX time and change of each last trade, its session's volume, whether there was one.

    The change is measured from the session's open; it is 0 where the trade is of an earlier session.
    """
    rows, state, today = now.rows, now.state, int(now.at.ordinal[0])
    ordinal = np.where(state.ever, state.ordinal, today)
    both = now.path.timeline.at(
        np.concatenate([ordinal, np.full_like(ordinal, today)]),
        np.concatenate([state.progress, np.zeros_like(state.progress)]),
    )
    common = term(now.path, now.expiration.settles, both)
    done, opening = np.split(trade_prices(now.path, common, np.tile(rows.strike, 2), np.tile(rows.sign, 2)), 2)
    price = traded_price(done, rows, ordinal, now.path.ticker.spread)
    change = np.where(state.today, np.round(price - down_to_tick(opening), 2), 0.0)
    columns = (price, np.floor(both.seconds[: len(ordinal)]), change, state.volume, state.ever)
    return tuple(column.tolist() for column in columns)


def _adjusted(now: _Snapshot) -> Iterator[ContractQuote]:
    """Yield the contracts of before a split that deliver what 100 old shares became: in the next few monthlies."""
    path, expiration, rows = now.path, now.expiration, now.rows
    split = path.timeline.sessions[last_split(path.ticker, int(now.at.ordinal[0]))].date
    if rows.ratio == 1.0 or not expiration.monthly or expiration.date - split > _ADJUSTED_FOR:
        return
    root, size = path.ticker.adjusted_root, int(CONTRACT_SIZE * SPLIT_RATIO)
    bid = down_to_tick(now.price * (1.0 - _ADJUSTED_WIDTH))
    ask = up_to_tick(now.price * (1.0 + _ADJUSTED_WIDTH) + 0.01)
    held = (250.0 * uniform(Purpose.ADJUSTED, rows.identity)).astype(np.int64)
    kinds = _option_types(rows)
    for row in np.flatnonzero(rows.rung % _ADJUSTED_EVERY == 0).tolist():
        strike = float(rows.strike[row])
        yield ContractQuote(
            option_type=kinds[row],
            strike=strike,
            contract_symbol=_symbol(root, expiration.date, kinds[row], strike),
            bid=float(bid[row]),
            ask=float(ask[row]),
            bid_size=1 if bid[row] > 0 else 0,
            ask_size=1,
            open_interest=int(held[row]),
            contract_size=size,
            currency="USD",
        )


def _option_types(rows: Ladder) -> list[OptionType]:
    return ["call" if sign > 0 else "put" for sign in rows.sign.tolist()]


@lru_cache(maxsize=32768)
def _symbol(root: str, expiration: date, option_type: OptionType, strike: float) -> str:
    return build_occ(root, expiration, option_type, strike)
