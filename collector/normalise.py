"""From a provider's quotes to rows: one frame a ticker, flags on each row, nothing invented.

``NormalisedTicker.contracts`` has one row a contract, in the order ticker's expirations, root, type, strike:

    contract_symbol, ticker, root, expiration (date), option_type (call, put), strike, multiplier, adjusted,
    bid, ask, mid, bid_size, ask_size, last_price, last_trade_time (UTC), change, volume, volume_known,
    untraded, open_interest, vendor_implied_volatility, vendor_delta, in_the_money, flags (list), reasons (dict)

Numbers are float64 with NaN for null. ``volume`` is what the feed stated; ``volume_known`` says whether it is of the
session that the quotes belong to, ``untraded`` whether the contract is known not to have traded in it, whatever volume
the feed still states.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import isfinite
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from collector.market.calendar import CalendarError, QuoteMoment, Sessions, dte, quote_moment
from collector.market.contract import ContractError, default_root, is_adjusted, parse_occ
from collector.market.settlement import Settlement, settlement
from collector.providers.base import ContractQuote, OptionChain, Quote
from collector.providers.feeds import FEEDS
from collector.session_volume import untraded as is_untraded
from collector.session_volume import volume_known

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

# Yahoo fills in powers of a half (plus about 1e-5) where its solver failed, and 1e-5 where it did not run.
PLACEHOLDER_IVS = np.array([1e-5] + [2.0**-k for k in range(11)])
PLACEHOLDER_TOLERANCE = 1.2e-5

NOT_A_TIME = int(np.datetime64("NaT", "us").astype(np.int64))

# An option symbol has room for no more.
MAX_STRIKE = 99_999.999
# No contract costs more, dollars a share: a put less than its strike, a call less than its share.
MAX_PRICE = 1e6

NUMERIC = (
    "bid",
    "ask",
    "bid_size",
    "ask_size",
    "last_price",
    "change",
    "volume",
    "open_interest",
    "vendor_implied_volatility",
    "vendor_delta",
)


# What a row says itself of a null; columns that a feed never states are told once, by the chain.
EXPLAINED = ("bid", "ask", "last_price", "volume", "open_interest")


@dataclass(frozen=True, slots=True)
class ChainHead:
    """What the contracts of one ticker, expiration and root share; ``start`` and ``stop`` are its rows."""

    root: str
    expiration: date
    dte: int
    moment: QuoteMoment
    settlement: Settlement
    underlying: Quote
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class NormalisedTicker:
    """The rows of one ticker, its chains, and how many rows were left out for which reason."""

    ticker: str
    contracts: pd.DataFrame
    chains: tuple[ChainHead, ...]
    rejections: dict[str, int]


@dataclass(frozen=True, slots=True)
class _FeedFacts:
    """What each row's feed does: see collector.providers.feeds.Feed."""

    volume_of_session: BoolArray
    fills_in: BoolArray


class _Row(NamedTuple):
    """A contract that was let in, before its columns are made."""

    symbol: str
    root: str
    adjusted: bool
    quote: ContractQuote


def normalise(
    ticker: str,
    chains: Sequence[OptionChain],
    quote: Quote,
    sessions: Sessions,
    delay: timedelta,
    earlier: pd.DataFrame | None = None,
) -> NormalisedTicker:
    """Turn the chains of one ticker into rows.

    Args:
        ticker: canonical ticker.
        chains: one a listed expiration, in ascending order.
        quote: the underlying's quote, used where a chain brings none.
        sessions: the calendar that the market trades by.
        delay: the provider's delay, for chains that state neither quote time nor feed.
        earlier: the ticker's rows of the newest scan of an earlier session (contract_symbol, volume, last_price),
            which tell carried volume where the feed states neither last trade time nor change.

    Returns:
        Rows of contracts that had not settled at their quotes' time; the others are counted as rejected.
    """
    rejections: Counter[str] = Counter()
    seen: set[str] = set()
    heads: list[ChainHead] = []
    rows: list[_Row] = []
    of_session: list[bool] = []
    filled_in: list[bool] = []
    for chain in chains:
        feed = FEEDS[chain.feed] if chain.feed else None
        moment = quote_moment(sessions, chain.stamp, feed.delay if feed else delay, chain.quote_time)
        rejections.update(chain.left_out)
        admitted = _admit(ticker, chain, seen, rejections)
        for root, of_root in _by_root(admitted).items():
            try:
                dies = settlement(root, ticker, chain.expiration, sessions)
            except CalendarError:
                # Some index roots list a year more than the calendar knows.
                rejections["beyond_calendar"] += len(of_root)
                continue
            if dies.time <= moment.as_of:
                rejections["expired"] += len(of_root)
                continue
            start = len(rows)
            of_session += [feed is not None and feed.volume_of_session] * len(of_root)
            filled_in += [feed is None or feed.fills_in] * len(of_root)
            # Symbols of one root and expiration are in the order of type and strike.
            rows.extend(sorted(of_root, key=attrgetter("symbol")))
            heads.append(
                ChainHead(
                    root=root,
                    expiration=chain.expiration,
                    dte=dte(chain.expiration, moment.as_of),
                    moment=moment,
                    settlement=dies,
                    underlying=_sound(chain.underlying or quote),
                    start=start,
                    stop=len(rows),
                )
            )
    feeds = _FeedFacts(np.array(of_session, dtype=bool), np.array(filled_in, dtype=bool))
    frame = _frame(ticker, rows, heads, feeds, sessions, earlier)
    return NormalisedTicker(ticker, frame, tuple(heads), dict(rejections))


def _admit(ticker: str, chain: OptionChain, seen: set[str], rejections: Counter[str]) -> list[_Row]:
    """Return the chain's sound rows; count the others by reason."""
    rows: list[_Row] = []
    own_root, date_code = default_root(ticker), f"{chain.expiration:%y%m%d}"
    of_type = {"call": f"{date_code}C", "put": f"{date_code}P"}
    adjusted: dict[tuple[str, int | None], bool] = {}
    for quote in chain.contracts:
        strike = quote.strike
        if not 0 < strike <= MAX_STRIKE:
            rejections["bad_strike"] += 1
            continue
        if quote.currency not in (None, "USD"):
            rejections["not_usd"] += 1
            continue
        tail = f"{of_type[quote.option_type]}{round(strike * 1000):08d}"
        if quote.contract_symbol is None:
            root = own_root
        elif quote.contract_symbol.endswith(tail):
            root = quote.contract_symbol[: -len(tail)].strip()
        else:
            rejections[_symbol_fault(quote.contract_symbol)] += 1
            continue
        symbol = root + tail
        if symbol in seen:
            rejections["duplicate"] += 1
            continue
        seen.add(symbol)
        kind = (root, quote.contract_size)
        if kind not in adjusted:
            adjusted[kind] = is_adjusted(ticker, root, quote.contract_size)
        rows.append(_Row(symbol, root, adjusted[kind], quote))
    return rows


def _symbol_fault(symbol: str) -> str:
    """Return why a symbol does not fit its row: it can't be read, or it says otherwise."""
    try:
        parse_occ(symbol)
    except ContractError:
        return "bad_symbol"
    return "symbol_mismatch"


def _by_root(rows: Sequence[_Row]) -> dict[str, list[_Row]]:
    """Group rows by root, roots in order."""
    grouped: dict[str, list[_Row]] = {}
    for row in rows:
        grouped.setdefault(row.root, []).append(row)
    return dict(sorted(grouped.items()))


def _frame(
    ticker: str,
    rows: Sequence[_Row],
    heads: Sequence[ChainHead],
    feeds: _FeedFacts,
    sessions: Sessions,
    earlier: pd.DataFrame | None,
) -> pd.DataFrame:
    """Make the columns of all rows at once."""
    quotes = [row.quote for row in rows]
    numbers = {name: _numbers(attrgetter(name), quotes) for name in NUMERIC}
    below_zero: dict[str, BoolArray] = {}
    too_high: dict[str, BoolArray] = {}
    for name in ("bid", "ask", "last_price"):
        below_zero[name], too_high[name] = numbers[name] < 0, numbers[name] > MAX_PRICE
        numbers[name][below_zero[name] | too_high[name]] = np.nan
    two_sided = (numbers["bid"] > 0) & (numbers["ask"] > 0) & (numbers["ask"] >= numbers["bid"])
    mid = np.where(two_sided, (numbers["bid"] + numbers["ask"]) / 2, np.nan)
    opened, closed = _session_bounds(heads, sessions, len(rows))
    last_trade = _times([quote.last_trade_time for quote in quotes])
    in_session = (last_trade >= opened) & (last_trade < closed)
    symbols = [row.symbol for row in rows]
    untraded = is_untraded(numbers["change"], last_trade, opened)
    known = volume_known(numbers, last_trade, in_session, symbols, earlier)
    known |= feeds.volume_of_session & ~np.isnan(numbers["volume"])
    adjusted = np.array([row.adjusted for row in rows], dtype=bool)
    flags = _flags(
        {
            "adjusted": adjusted,
            "negative_price": np.any(list(below_zero.values()), axis=0),
            "no_bid": ~(numbers["bid"] > 0),
            "no_ask": ~(numbers["ask"] > 0),
            "crossed": (numbers["bid"] > 0) & (numbers["ask"] > 0) & (numbers["ask"] < numbers["bid"]),
            "stale_last_trade": ~np.isnat(last_trade) & (last_trade < opened),
            "volume_carried": ~np.isnan(numbers["volume"]) & ~known,
            "placeholder_iv": feeds.fills_in & _is_placeholder(numbers["vendor_implied_volatility"]),
        },
        len(rows),
    )
    expirations = np.empty(len(rows), dtype=object)
    for head in heads:
        expirations[head.start : head.stop] = head.expiration
    return pd.DataFrame(
        {
            "contract_symbol": pd.Series(symbols, dtype="object"),
            "ticker": pd.Series([ticker] * len(rows), dtype="object"),
            "root": pd.Series([row.root for row in rows], dtype="object"),
            "expiration": pd.Series(expirations, dtype="object"),
            "option_type": pd.Series([quote.option_type for quote in quotes], dtype="object"),
            "strike": np.array([quote.strike for quote in quotes], dtype=float),
            "multiplier": np.array([quote.contract_size or 100 for quote in quotes], dtype=float),
            "adjusted": adjusted,
            "mid": mid,
            **numbers,
            "last_trade_time": pd.Series(last_trade).dt.tz_localize("UTC"),
            "volume_known": known,
            "untraded": untraded & ~known,
            "in_the_money": pd.Series([quote.in_the_money for quote in quotes], dtype="object"),
            "flags": pd.Series(flags, dtype="object"),
            "reasons": pd.Series(_reasons(numbers, mid, below_zero, too_high), dtype="object"),
        }
    )


def _reasons(
    numbers: dict[str, FloatArray], mid: FloatArray, below_zero: dict[str, BoolArray], too_high: dict[str, BoolArray]
) -> list[dict[str, str]]:
    """Return for each row why its prices, volume and open interest are null, where they are."""
    reasons: list[dict[str, str]] = [{} for _ in range(len(mid))]
    for position in np.flatnonzero(np.isnan(mid)):
        reasons[position]["mid"] = "no_two_sided_quote"
    for name in EXPLAINED:
        for position in np.flatnonzero(np.isnan(numbers[name])):
            reasons[position][name] = "not_stated"
    for marked, reason in ((below_zero, "negative_price"), (too_high, "impossible_price")):
        for name, rows in marked.items():
            for position in np.flatnonzero(rows):
                reasons[position][name] = reason
    return reasons


def _sound(quote: Quote) -> Quote:
    """Return the underlying's quote with null for numbers that are not finite."""
    return replace(quote, price=_finite(quote.price), dividend_rate=_finite(quote.dividend_rate))


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _numbers(get: Callable[[ContractQuote], Any], quotes: Sequence[ContractQuote]) -> FloatArray:
    """Return a number of each quote as float64, with NaN for None and for what is not finite."""
    array: FloatArray = np.fromiter(map(get, quotes), dtype=object, count=len(quotes)).astype(np.float64)
    array[~np.isfinite(array)] = np.nan
    return array


def _times(values: Sequence[datetime | None]) -> npt.NDArray[np.datetime64]:
    """Return datetime64[us] in UTC, NaT for None."""
    return np.array(
        [NOT_A_TIME if value is None else int(value.timestamp() * 1_000_000) for value in values], dtype=np.int64
    ).view("datetime64[us]")


def _session_bounds(
    heads: Sequence[ChainHead], sessions: Sessions, size: int
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.datetime64]]:
    """Return for each row the open of its quotes' session and the open of the session after."""
    opened = np.empty(size, dtype="datetime64[us]")
    closed = np.empty(size, dtype="datetime64[us]")
    cache: dict[date, tuple[np.datetime64, np.datetime64]] = {}
    for head in heads:
        day = head.moment.market_date
        if day not in cache:
            session = sessions.session(day)
            assert session is not None, f"{day} is a market date and no session"
            after = sessions.following(day)
            cache[day] = (_times([session.open])[0], _times([after.open])[0])
        opened[head.start : head.stop], closed[head.start : head.stop] = cache[day]
    return opened, closed


def _is_placeholder(vendor_iv: FloatArray) -> BoolArray:
    """Say which of the vendor's volatilities are fill-ins of its own."""
    distance = np.abs(vendor_iv[:, None] - PLACEHOLDER_IVS[None, :])
    return np.asarray(np.nanmin(np.where(np.isnan(distance), np.inf, distance), axis=1) < PLACEHOLDER_TOLERANCE)


def _flags(named: dict[str, BoolArray], size: int) -> list[list[str]]:
    """Return each row's flags in the order given."""
    flags: list[list[str]] = [[] for _ in range(size)]
    for name, where in named.items():
        for position in np.flatnonzero(where):
            flags[position].append(name)
    return flags
