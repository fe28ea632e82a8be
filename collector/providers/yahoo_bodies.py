"""Yahoo's JSON answers `/v7/finance/options` and `/v8/finance/chart`, turned into our dataclasses.

Pure functions without yfinance, so that recordings are read by the very code that reads live answers. Traps of the
bodies: expirations are epochs of midnight UTC (a local date is off by one), a fill-in of 0 stands beside values that
are left out, prices and volumes of a chart are divided by every later split, errors come inside a 200.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from collector.market.calendar import new_york_date
from collector.providers.base import (
    BadAnswer,
    Bar,
    ContractQuote,
    Event,
    MarketState,
    NoOptions,
    NotInDollars,
    OptionChain,
    OptionType,
    Quote,
    TickerNotFound,
)
from collector.providers.yahoo_values import listing, mapping, moment, number, refuse_error, text, utc_date, whole
from exports.tickers import TickerError, canonical

MARKET_STATES: dict[str, MarketState] = {
    "PREPRE": "closed",
    "PRE": "pre",
    "REGULAR": "regular",
    "POST": "post",
    "POSTPOST": "closed",
    "CLOSED": "closed",
}
CONTRACT_SIZES = {"REGULAR": 100, "MINI": 10}
QUOTE_TIMES = ("regularMarketTime", "preMarketTime", "postMarketTime", "overnightMarketTime")
# Undoing a split multiplies Yahoo's single-precision prices; more digits than these are noise.
PRICE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class ChartRow:
    """One day of a chart as Yahoo serves it: prices in dollars and volume, both adjusted for later splits."""

    date: date
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: float | None


def parse_options(body: Any, stamp: datetime) -> tuple[Quote, tuple[date, ...], dict[date, OptionChain]]:
    """Read an options answer that came at ``stamp``.

    Returns the underlying's quote, every expiration that is listed (ascending), and the chains that the body holds:
    usually one, none where Yahoo left the options out.

    Raises NoOptions where no expiration is listed, TickerNotFound, NotInDollars, Unauthorised, RateLimited where the
    body says so, BadAnswer where it can't be read.
    """
    result = _result(body, "optionChain")
    stated = mapping(result.get("quote"), "quote")
    ticker = stated_ticker(result.get("underlyingSymbol", stated.get("symbol")))
    quote = parse_quote(stated, stamp, ticker)
    expirations = tuple(sorted(utc_date(e, "expirationDates") for e in listing(result, "expirationDates")))
    groups = [mapping(group, "options") for group in listing(result, "options")]
    if not expirations and not any(group.get("calls") or group.get("puts") for group in groups):
        raise NoOptions(f"Yahoo lists no options for {ticker}")
    chains = [_chain(group, quote) for group in groups]
    return quote, expirations, {chain.expiration: chain for chain in chains}


def parse_chart(body: Any) -> tuple[tuple[Bar, ...], tuple[Event, ...]]:
    """Read a daily chart: bars as printed, oldest first, and the splits and dividends that it states.

    Splits that the chart states are undone. A split after the chart's last request is not stated in it, so such bars
    stay divided by it. The bar of a session that was still running when the chart was made is left out.

    Raises TickerNotFound, NotInDollars, Unauthorised or RateLimited where the body says so, BadAnswer where it can't
    be read.
    """
    result = _result(body, "chart")
    meta = mapping(result.get("meta"), "meta")
    ticker = stated_ticker(meta.get("symbol"))
    refuse_other_currency(ticker, meta.get("currency"))
    rows = _chart_rows(result, _running_session(meta))
    splits, dividends = _chart_events(result)
    known_at = stated_time(body)
    if known_at is None:
        raise BadAnswer(f"Yahoo's chart of {ticker} states no time of its own (regularMarketTime)")
    return printed_bars(rows, splits), corporate_events(ticker, splits, dividends, known_at)


def stated_time(body: Any) -> datetime | None:
    """Return the newest moment that an options or chart body states for its quote, None where it states none."""
    if not isinstance(body, Mapping):
        return None
    envelope = body.get("optionChain", body.get("chart"))
    results = envelope.get("result") if isinstance(envelope, Mapping) else None
    if not isinstance(results, list) or not results or not isinstance(results[0], Mapping):
        return None
    stated = results[0].get("quote", results[0].get("meta"))
    times = [moment(stated.get(name)) for name in QUOTE_TIMES] if isinstance(stated, Mapping) else []
    return max((t for t in times if t is not None), default=None)


def parse_quote(stated: Mapping[str, Any], stamp: datetime, ticker: str) -> Quote:
    """Read Yahoo's quote object: the price of the regular session, and when it was made.

    A price that is not above 0 is none. Raises NotInDollars where the currency is stated and another.
    """
    refuse_other_currency(ticker, stated.get("currency"))
    price = number(stated.get("regularMarketPrice"))
    return Quote(
        ticker=ticker,
        stamp=stamp,
        price=price if price is not None and price > 0 else None,
        time=moment(stated.get("regularMarketTime")),
        market_state=MARKET_STATES.get(str(stated.get("marketState"))),
        currency=text(stated.get("currency")),
        dividend_rate=number(stated.get("dividendRate")),
    )


def parse_quote_events(stated: Mapping[str, Any], stamp: datetime, ticker: str) -> tuple[Event, ...]:
    """Read the next earnings of a quote object: () where none lies after ``stamp``.

    ``earningsTimestamp`` is often the last report and ``earningsTimestampStart`` the next one, but not always: the
    smallest that is still to come is it. Whether it is an estimate is known only where Yahoo says so.
    """
    times = [moment(stated.get(name)) for name in ("earningsTimestamp", "earningsTimestampStart")]
    coming = [t for t in times if t is not None and t > stamp]
    if not coming:
        return ()
    estimate = stated.get("isEarningsDateEstimate")
    earnings = Event(
        kind="earnings",
        date=new_york_date(min(coming)),
        known_at=stamp,
        ticker=ticker,
        time=min(coming),
        confirmed=not estimate if isinstance(estimate, bool) else None,
    )
    return (earnings,)


def options_quote(body: Any) -> Mapping[str, Any]:
    """Return the quote object of an options body, as ``parse_quote_events`` takes it; BadAnswer where it has none."""
    return mapping(_result(body, "optionChain").get("quote"), "quote")


def parse_contract(row: Mapping[str, Any], option_type: OptionType) -> ContractQuote:
    """Read one contract; what the row leaves out is None and a stated 0 stays 0.

    A row without a usable strike is passed on: normalise leaves it out, its neighbours stay.
    """
    strike = number(row.get("strike"))
    in_the_money = row.get("inTheMoney")
    return ContractQuote(
        option_type=option_type,
        strike=math.nan if strike is None else strike,
        contract_symbol=text(row.get("contractSymbol")),
        bid=number(row.get("bid")),
        ask=number(row.get("ask")),
        last_price=number(row.get("lastPrice")),
        last_trade_time=moment(row.get("lastTradeDate")),
        change=number(row.get("change")),
        volume=whole(row.get("volume")),
        open_interest=whole(row.get("openInterest")),
        vendor_implied_volatility=number(row.get("impliedVolatility")),
        in_the_money=in_the_money if isinstance(in_the_money, bool) else None,
        contract_size=CONTRACT_SIZES.get(str(row.get("contractSize"))),
        currency=text(row.get("currency")),
    )


def printed_bars(rows: Sequence[ChartRow], splits: Mapping[date, float]) -> tuple[Bar, ...]:
    """Undo Yahoo's split adjustment: prices times, volume divided by, the ratios of all splits after the bar.

    ``splits`` maps the first session after a split to its ratio (10.0 for ten for one). The bars are oldest first.
    """
    bars = []
    for row in sorted(rows, key=lambda r: r.date):
        later = math.prod(ratio for day, ratio in splits.items() if day > row.date)
        bars.append(
            Bar(
                date=row.date,
                open=_printed(row.open, later),
                high=_printed(row.high, later),
                low=_printed(row.low, later),
                close=_printed(row.close, later),
                volume=None if row.volume is None else round(row.volume / later),
                split_factor=splits.get(row.date, 1.0),
            )
        )
    return tuple(bars)


def corporate_events(
    ticker: str, splits: Mapping[date, float], dividends: Mapping[date, float], known_at: datetime
) -> tuple[Event, ...]:
    """Return splits and dividends by date; the dividends in dollars as paid that day, later splits undone."""
    events = [Event("split", day, known_at, ticker, amount=ratio) for day, ratio in splits.items()]
    for day, amount in dividends.items():
        later = math.prod(ratio for split_day, ratio in splits.items() if split_day > day)
        events.append(Event("dividend", day, known_at, ticker, amount=_printed(amount, later)))
    return tuple(sorted(events, key=lambda e: (e.date, e.kind)))


def stated_ticker(symbol: Any) -> str:
    """Return the canonical ticker of Yahoo's symbol; BadAnswer where it is none."""
    try:
        return canonical(str(symbol))
    except TickerError as error:
        raise BadAnswer(f"Yahoo's answer names no ticker: {error}") from error


def refuse_other_currency(ticker: str, currency: Any) -> None:
    """Raise NotInDollars where ``currency`` is stated and is not USD."""
    if currency is not None and currency != "USD":
        raise NotInDollars(f"Yahoo quotes {ticker} in {currency}, not in US dollars")


def _result(body: Any, name: str) -> Mapping[str, Any]:
    """Return the one result of the envelope ``name``."""
    envelopes = mapping(body, "body")
    for envelope in (envelopes.get("finance"), envelopes.get(name)):
        if isinstance(envelope, Mapping):
            refuse_error(envelope, name)
    results = mapping(envelopes.get(name), name).get("result")
    if not isinstance(results, list):
        raise BadAnswer(f"Yahoo's answer holds no {name}.result")
    if not results:
        raise TickerNotFound(f"Yahoo answers no {name} for this ticker")
    return mapping(results[0], f"{name}.result")


def _chain(group: Mapping[str, Any], quote: Quote) -> OptionChain:
    sides: tuple[tuple[str, OptionType], ...] = (("calls", "call"), ("puts", "put"))
    return OptionChain(
        ticker=quote.ticker,
        expiration=utc_date(group.get("expirationDate"), "expirationDate"),
        stamp=quote.stamp,
        contracts=tuple(
            parse_contract(mapping(row, side), kind) for side, kind in sides for row in listing(group, side)
        ),
        underlying=quote,
    )


def _chart_rows(result: Mapping[str, Any], running: date | None) -> list[ChartRow]:
    """Return the chart's days that hold a price, the last of a date where Yahoo appends the live one."""
    stamps = listing(result, "timestamp")
    if not stamps:
        raise BadAnswer("Yahoo's chart holds no day")
    blocks = listing(mapping(result.get("indicators"), "indicators"), "quote")
    block = mapping(blocks[0] if blocks else None, "indicators.quote")
    columns = {name: listing(block, name) for name in ("open", "high", "low", "close", "volume")}
    for name, column in columns.items():
        if len(column) != len(stamps):
            raise BadAnswer(f"Yahoo's chart holds {len(column)} values of {name} for {len(stamps)} days")
    rows: dict[date, ChartRow] = {}
    for position, epoch in enumerate(stamps):
        start = moment(epoch)
        if start is None:
            raise BadAnswer(f"Yahoo's chart holds a day without a time: {epoch}")
        values = {name: number(column[position]) for name, column in columns.items()}
        day = new_york_date(start)
        if day != running and any(values[name] is not None for name in ("open", "high", "low", "close")):
            rows[day] = ChartRow(day, **values)
    if not rows:
        raise BadAnswer("Yahoo's chart holds no day with a price")
    return list(rows.values())


def _running_session(meta: Mapping[str, Any]) -> date | None:
    """Return the date of the session that had not ended when the chart was made, None where there is none."""
    made = moment(meta.get("regularMarketTime"))
    periods = meta.get("currentTradingPeriod")
    regular = periods.get("regular") if isinstance(periods, Mapping) else None
    if made is None or not isinstance(regular, Mapping):
        return None
    start, end = moment(regular.get("start")), moment(regular.get("end"))
    return new_york_date(made) if start is not None and end is not None and start <= made < end else None


def _chart_events(result: Mapping[str, Any]) -> tuple[dict[date, float], dict[date, float]]:
    """Return splits (first session to ratio) and dividends (ex-date to dollars, split-adjusted) of a chart."""
    events = mapping(result.get("events") or {}, "events")
    splits = {}
    for day, event in _dated(mapping(events.get("splits") or {}, "splits").values()):
        numerator, denominator = number(event.get("numerator")), number(event.get("denominator"))
        if not numerator or not denominator:
            raise BadAnswer(f"Yahoo's chart states a split without its ratio on {day}")
        splits[day] = numerator / denominator
    dividends = {}
    for day, event in _dated(mapping(events.get("dividends") or {}, "dividends").values()):
        amount = number(event.get("amount"))
        if amount is None:
            raise BadAnswer(f"Yahoo's chart states a dividend without its amount on {day}")
        dividends[day] = amount
    return splits, dividends


def _dated(events: Iterable[Any]) -> Iterable[tuple[date, Mapping[str, Any]]]:
    for event in events:
        start = moment(mapping(event, "events").get("date"))
        if start is None:
            raise BadAnswer("Yahoo's chart states an event without its date")
        yield new_york_date(start), event


def _printed(adjusted: float | None, later: float) -> float | None:
    return None if adjusted is None else round(adjusted * later, PRICE_DIGITS)
