"""A market of many tickers for benchmarks: quotes made once, served to every ticker under its own name."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from collector.market.calendar import Sessions, exchange_sessions
from collector.providers.base import Bar, ContractQuote, Event, Market, OptionChain, Quote, TreasuryYield

MODELS = 8
# In the last session that has ended, when its quotes were live.
_SESSION = exchange_sessions().last_closed(datetime.now(UTC))
STAMP = _SESSION.close - timedelta(minutes=90)


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def _price(forward: float, strike: float, total: float, discount: float, sign: float) -> float:
    d1 = math.log(forward / strike) / total + total / 2
    return discount * sign * (forward * _normal(sign * d1) - strike * _normal(sign * (d1 - total)))


def _chain(number: int, expiration: date, strikes: int) -> OptionChain:
    """Return one chain priced by Black's formula with a smile, quoted on the cent."""
    random = np.random.default_rng(number * 1000 + expiration.toordinal())
    tenor = ((expiration - STAMP.date()).days + 0.1) / 365
    rate, spot = 0.04, 40.0 + 60.0 * number
    forward, discount = spot * math.exp(rate * tenor), math.exp(-rate * tenor)
    contracts = []
    for place in np.linspace(-2.2, 2.2, strikes):
        base = 0.2 + 0.05 * number / MODELS
        strike = round(forward * math.exp(place * base * math.sqrt(tenor)), 1)
        sigma = base * (1.0 - 0.06 * place + 0.03 * place * place)
        for kind, sign in (("call", 1.0), ("put", -1.0)):
            worth = _price(forward, strike, sigma * math.sqrt(tenor), discount, sign)
            half = 0.01 + 0.008 * worth
            bid, ask = math.floor((worth - half) * 100) / 100, math.ceil((worth + half) * 100) / 100
            contracts.append(
                ContractQuote(
                    option_type=kind,  # type: ignore[arg-type]
                    strike=strike,
                    bid=max(bid, 0.0),
                    ask=ask,
                    last_price=round(worth, 2),
                    last_trade_time=STAMP - timedelta(minutes=int(random.integers(20, 200))),
                    volume=int(random.integers(0, 500)),
                    open_interest=int(random.integers(0, 3000)),
                    vendor_implied_volatility=sigma,
                    in_the_money=sign * (spot - strike) > 0,
                    contract_size=100,
                    currency="USD",
                )
            )
    seen: dict[tuple[str, float], ContractQuote] = {(one.option_type, one.strike): one for one in contracts}
    return OptionChain(f"M{number}", expiration, STAMP, tuple(seen.values()))


class MarketOfMany:
    """Serves ``tickers`` names with ``expirations`` chains of about ``contracts`` contracts together."""

    name = "demo"
    feed = "demo"
    market: Market = "demo"
    delay = timedelta(minutes=15)
    terms = "None."
    pays_per_expiration = False

    def __init__(self, tickers: int, contracts: int, expirations: int = 20) -> None:
        self.names = tuple(
            f"M{chr(65 + number // 676)}{chr(65 + number // 26 % 26)}{chr(65 + number % 26)}"
            for number in range(tickers)
        )
        today = datetime.now(UTC).date()
        first = today + timedelta(days=3 + (4 - today.weekday()) % 7)
        fridays = [first + timedelta(days=7 * week) for week in range(expirations * 4 // 3)]
        self.days = tuple(day for day in fridays if exchange_sessions().session(day) is not None)[:expirations]
        strikes = contracts // expirations // 2
        self.models = [{day: _chain(number, day, strikes) for day in self.days} for number in range(MODELS)]
        self.past = [self._bars(number) for number in range(MODELS)]

    def _bars(self, number: int) -> tuple[Bar, ...]:
        random = np.random.default_rng(number)
        last = exchange_sessions().previous(_SESSION.date).date
        sessions = exchange_sessions().between(last - timedelta(days=660), last)
        closes = 40.0 + 60.0 * number
        path = closes * np.exp(np.cumsum(random.normal(0, 0.012, len(sessions))))
        return tuple(
            Bar(session.date, float(close), float(close) * 1.01, float(close) * 0.99, float(close), 1_000_000)
            for session, close in zip(sessions, path, strict=True)
        )

    def _model(self, ticker: str) -> int:
        return ord(ticker[3]) % MODELS

    def sessions(self) -> Sessions:
        return exchange_sessions()

    def calls_used(self) -> int:
        return 0

    def tickers(self) -> tuple[str, ...]:
        return self.names

    def quote(self, ticker: str) -> Quote:
        return Quote(ticker, STAMP, 40.0 + 60.0 * self._model(ticker), time=STAMP, currency="USD", dividend_rate=0.0)

    def expirations(self, ticker: str) -> tuple[date, ...]:
        return self.days

    def chain(self, ticker: str, expiration: date) -> OptionChain:
        return replace(self.models[self._model(ticker)][expiration], ticker=ticker)

    def bars(self, ticker: str, start: date, end: date) -> tuple[Bar, ...]:
        return tuple(bar for bar in self.past[self._model(ticker)] if start <= bar.date <= end)

    def events(self, ticker: str) -> tuple[Event, ...]:
        return ()

    def rates(self, day: date) -> tuple[TreasuryYield, ...]:
        return (TreasuryYield(day, 365, 0.04, "continuous", "demo", STAMP),)
