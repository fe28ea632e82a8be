"""One chain of the demo market, row by row as the provider gives it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from collector.market.calendar import new_york_date
from collector.market.contract import build_occ
from collector.providers.base import ContractQuote, OptionType
from collector.providers.demo.corporate_actions import SPLIT_RATIO
from collector.providers.demo.draws import FloatArray, Purpose, uniform
from collector.providers.demo.expirations import ListedExpiration
from collector.providers.demo.path import PricePath
from collector.providers.demo.quotes import Quotes, dark, down_to_tick, quotes, traded_price, up_to_tick
from collector.providers.demo.script import dark_chain
from collector.providers.demo.strikes import Ladder, ladder
from collector.providers.demo.surface import Term, term
from collector.providers.demo.timeline import Instants
from collector.providers.demo.trading import Trading, trading
from collector.providers.demo.truth import prices

CONTRACT_SIZE = 100
_ADJUSTED_EVERY = 7
_ADJUSTED_WIDTH = 0.08


def contracts(path: PricePath, expiration: ListedExpiration, moment: datetime) -> tuple[ContractQuote, ...]:
    """Return the contracts of ``expiration`` at ``moment``: calls, puts, then what a split left adjusted."""
    at = path.timeline.instant(moment)
    ordinal = int(at.ordinal[0])
    rows = ladder(path, expiration, ordinal)
    common = term(path, expiration.settles, at)
    settled_before = path.timeline.ordinal_of(new_york_date(moment))
    state = trading(path, expiration, rows, at, settled_before)
    is_dark = (path.ticker.name, expiration.date) == dark_chain(ordinal)
    quoted = dark(rows) if is_dark else quotes(path, rows, common, state, ordinal)
    regular = _regular(path, expiration, rows, common, state, quoted, at, stated=not is_dark)
    return (*regular, *(() if is_dark else _adjusted(path, expiration, rows, common)))


def _regular(
    path: PricePath,
    expiration: ListedExpiration,
    rows: Ladder,
    common: Term,
    state: Trading,
    quoted: Quotes,
    at: Instants,
    *,
    stated: bool,
) -> Iterator[ContractQuote]:
    last, times, change = _last_trades(path, expiration, rows, state, at)
    open_interest = state.open_interest if stated else np.zeros_like(state.open_interest)
    columns = zip(
        _option_types(rows),
        rows.strike.tolist(),
        quoted.bid.tolist(),
        quoted.ask.tolist(),
        quoted.bid_size.tolist(),
        quoted.ask_size.tolist(),
        last.tolist(),
        times.tolist(),
        change.tolist(),
        state.volume.tolist(),
        open_interest.tolist(),
        quoted.vendor_implied_volatility.tolist(),
        _in_the_money(rows, common).tolist(),
        state.ever.tolist(),
        strict=True,
    )
    root, day = path.ticker.name, expiration.date
    for kind, strike, bid, ask, bids, asks, price, time, moved, volume, interest, vendor, inside, ever in columns:
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
            change=moved if ever else None,
            volume=volume if ever else None,
            open_interest=interest,
            vendor_implied_volatility=vendor,
            in_the_money=inside,
            contract_size=CONTRACT_SIZE,
            currency="USD",
        )


def _last_trades(
    path: PricePath, expiration: ListedExpiration, rows: Ladder, state: Trading, at: Instants
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return price, POSIX time and change of each last trade; the change is 0 where it is of an earlier session."""
    now = int(at.ordinal[0])
    ordinal = np.where(state.ever, state.ordinal, now)
    opening = np.full_like(ordinal, now)
    both = path.timeline.at(
        np.concatenate([ordinal, opening]), np.concatenate([state.progress, np.zeros(len(opening))])
    )
    common = term(path, expiration.settles, both)
    done, before = np.split(prices(path, common, np.tile(rows.strike, 2), np.tile(rows.sign, 2)), 2)
    price = traded_price(done, rows, ordinal, path.ticker.spread)
    change = np.where(state.today, np.round(price - down_to_tick(before), 2), 0.0)
    return price, np.floor(both.seconds[: len(ordinal)]), change


def _adjusted(path: PricePath, expiration: ListedExpiration, rows: Ladder, common: Term) -> Iterator[ContractQuote]:
    """Yield the contracts of before a split that deliver what 100 old shares became; only monthlies keep any."""
    if rows.ratio == 1.0 or not expiration.monthly:
        return
    root, size = path.ticker.adjusted_root, int(CONTRACT_SIZE * SPLIT_RATIO)
    price = prices(path, common, rows.strike, rows.sign)
    bid = down_to_tick(price * (1.0 - _ADJUSTED_WIDTH))
    ask = up_to_tick(price * (1.0 + _ADJUSTED_WIDTH) + 0.01)
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


def _in_the_money(rows: Ladder, common: Term) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = rows.sign * (common.spot - rows.strike) > 0
    return inside


@lru_cache(maxsize=32768)
def _symbol(root: str, expiration: date, option_type: OptionType, strike: float) -> str:
    return build_occ(root, expiration, option_type, strike)
