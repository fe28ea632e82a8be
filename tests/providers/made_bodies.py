"""Options answers in Yahoo's shape made from another provider's chains, each marked ``"made": true``.

So the loopback server has bodies for every expiration, and for today, where recordings hold one expiration of one day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from collector.market.calendar import NEW_YORK
from collector.market.contract import build_occ, default_root
from collector.providers.base import Bar, ContractQuote, OptionChain, Provider, Quote
from tests.providers.yahoo_server import Body, TickerBodies

OPEN = time(9, 30)
STATES = {"pre": "PRE", "regular": "REGULAR", "post": "POST", "closed": "CLOSED"}


def made_bodies(
    provider: Provider, tickers: Iterable[str], most: int | None = None, first: int = 0
) -> dict[str, TickerBodies]:
    """Return answers for ``tickers`` of ``provider`` (the demo market, say).

    They list the nearest ``most`` expirations, without the ``first`` ones.
    """
    bodies = {}
    for ticker in tickers:
        expirations = provider.expirations(ticker)[:most][first:]
        stated = _quote(provider.quote(ticker))
        dated = {
            epoch(day): _body(ticker, stated, expirations, provider.chain(ticker, day), ratio=1.0)
            for day in expirations
        }
        bodies[ticker] = TickerBodies(first=dated[epoch(expirations[0])], dated=dated)
    return bodies


def with_further_dates(recorded: Body, provider: Provider, other: str, expirations: Sequence[date]) -> TickerBodies:
    """Return a recorded first answer that lists ``expirations`` too, and made answers for them.

    Their contracts are those that ``provider`` gives for its ticker ``other`` on the same dates, with strikes and
    prices in the ratio of the two spots.
    """
    result = recorded["optionChain"]["result"][0]
    ticker, stated = result["underlyingSymbol"], result["quote"]
    spot = provider.quote(other).price
    if spot is None:
        raise ValueError(f"{other} has no price to scale by")
    ratio = stated["regularMarketPrice"] / spot
    listed = sorted({*result["expirationDates"], *(epoch(day) for day in expirations)})
    days = [datetime.fromtimestamp(seconds, tz=UTC).date() for seconds in listed]
    first = {"optionChain": {"result": [{**result, "expirationDates": listed}], "error": None}}
    dated = {epoch(day): _body(ticker, stated, days, provider.chain(other, day), ratio) for day in expirations}
    return TickerBodies(first=first, dated=dated)


def made_chart(ticker: str, bars: Sequence[Bar], dividends: Mapping[date, float]) -> Body:
    """Return a chart answer of bars without a split among them, and dividends by date."""
    opens = {bar.date: int(datetime.combine(bar.date, OPEN, NEW_YORK).timestamp()) for bar in bars}
    columns = {name: [getattr(bar, name) for bar in bars] for name in ("open", "high", "low", "close", "volume")}
    paid = {str(opens[day]): {"amount": amount, "date": opens[day]} for day, amount in dividends.items()}
    result = {
        "meta": {
            "currency": "USD",
            "symbol": ticker,
            "instrumentType": "EQUITY",
            "exchangeTimezoneName": "America/New_York",
            "timezone": "EST",
            "gmtoffset": -18000,
            "dataGranularity": "1d",
            "range": "",
            "validRanges": ["1d", "1mo", "1y", "max"],
            "made": True,
        },
        "timestamp": list(opens.values()),
        "events": {"dividends": paid},
        "indicators": {"quote": [columns], "adjclose": [{"adjclose": columns["close"]}]},
    }
    return {"chart": {"result": [result], "error": None}}


def treasuries(until: date) -> dict[str, TickerBodies]:
    """Return the charts of Yahoo's Treasury indices of the days before ``until``: 3.6 % discount, 3.9 % yield."""
    days = [until - timedelta(days=back) for back in (6, 5, 2, 1)]
    return {
        symbol: TickerBodies(chart=made_chart(symbol, [Bar(day, rate, rate, rate, rate, None) for day in days], {}))
        for symbol, rate in (("^IRX", 3.6), ("^FVX", 3.9))
    }


def epoch(day: date) -> int:
    """Return midnight UTC of an expiration in seconds, as Yahoo writes it."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _body(ticker: str, stated: dict[str, Any], listed: Sequence[date], chain: OptionChain, ratio: float) -> Body:
    rows = [(contract.option_type, _row(ticker, chain, contract, ratio)) for contract in chain.contracts]
    group = {
        "expirationDate": epoch(chain.expiration),
        "hasMiniOptions": False,
        "calls": [row for kind, row in rows if kind == "call"],
        "puts": [row for kind, row in rows if kind == "put"],
    }
    result = {
        "underlyingSymbol": ticker,
        "made": True,
        "expirationDates": [epoch(day) for day in listed],
        "strikes": sorted({row["strike"] for _, row in rows}),
        "hasMiniOptions": False,
        "quote": stated,
        "options": [group],
    }
    return {"optionChain": {"result": [result], "error": None}}


def _row(ticker: str, chain: OptionChain, contract: ContractQuote, ratio: float) -> dict[str, Any]:
    strike = round(contract.strike * ratio, 3)
    symbol = contract.contract_symbol
    if chain.ticker != ticker or symbol is None:
        symbol = build_occ(default_root(ticker), chain.expiration, contract.option_type, strike)
    last_trade = contract.last_trade_time
    row = {
        "contractSymbol": symbol,
        "strike": strike,
        "currency": "USD",
        "lastPrice": _scaled(contract.last_price, ratio),
        "change": _scaled(contract.change, ratio),
        "volume": contract.volume,
        "openInterest": contract.open_interest,
        "bid": _scaled(contract.bid, ratio),
        "ask": _scaled(contract.ask, ratio),
        "contractSize": "REGULAR",
        "expiration": epoch(chain.expiration),
        "lastTradeDate": None if last_trade is None else int(last_trade.timestamp()),
        "impliedVolatility": contract.vendor_implied_volatility,
        "inTheMoney": contract.in_the_money,
    }
    return {name: value for name, value in row.items() if value is not None}


def _scaled(value: float | None, ratio: float) -> float | None:
    return None if value is None else round(value * ratio, 2)


def _quote(quote: Quote) -> dict[str, Any]:
    stated = {
        "quoteType": "EQUITY",
        "quoteSourceName": "Made for tests",
        "currency": "USD",
        "regularMarketPrice": quote.price,
        "regularMarketTime": int((quote.time or quote.stamp).timestamp()),
        "marketState": STATES.get(quote.market_state or ""),
        "dividendRate": quote.dividend_rate,
        "symbol": quote.ticker,
    }
    return {name: value for name, value in stated.items() if value is not None}
