"""A provider that answers what a test wrote out, and counts its calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from collector.market.calendar import Sessions, sessions_of
from collector.pipeline.join import Joined
from collector.pipeline.plan import Scan
from collector.pipeline.run import run_scan
from collector.providers.base import Bar, EmptyAnswer, Event, OptionChain, ProviderError, Quote, TreasuryYield
from exports.folders import MarketFolder
from tests.quotes import STAMP

Answer = Sequence[OptionChain | tuple[date, ProviderError]] | ProviderError


class ScriptedProvider:
    """Serves the chains, or raises the errors, written out for each ticker (and for single expirations)."""

    feed = "yahoo"
    terms = "None."

    def __init__(
        self,
        answers: Mapping[str, Answer],
        *,
        market: str = "live",
        price: float | None = 100.0,
        bars: Sequence[Bar] = (),
        events: Sequence[Event] = (),
        rates: Sequence[TreasuryYield] | ProviderError = (),
        pays: bool = False,
        delay: timedelta = timedelta(minutes=15),
    ) -> None:
        self.answers = dict(answers)
        self.name = {"live": "yahoo", "demo": "demo", "recorded": "recorded"}[market]
        self.market: Any = market
        self.price = price
        self.all_bars = tuple(bars)
        self.all_events = tuple(events)
        self.all_rates = rates
        self.pays_per_expiration = pays
        self.delay = delay
        self.calls: list[str] = []

    def sessions(self) -> Sessions:
        return sessions_of(self.market)

    def calls_used(self) -> int:
        return len(self.calls)

    def tickers(self) -> tuple[str, ...]:
        return tuple(self.answers)

    def quote(self, ticker: str) -> Quote:
        stamps = [one.stamp for one in self._answer(ticker) if isinstance(one, OptionChain)]
        self.calls.append(f"quote {ticker}")
        return Quote(ticker, max(stamps, default=STAMP), self.price, currency="USD")

    def expirations(self, ticker: str) -> tuple[date, ...]:
        return tuple(sorted(dict(self._dated(ticker))))

    def chain(self, ticker: str, expiration: date) -> OptionChain:
        self.calls.append(f"chain {ticker} {expiration}")
        found = dict(self._dated(ticker)).get(expiration)
        if isinstance(found, ProviderError):
            raise found
        if found is None:
            raise EmptyAnswer(f"{ticker} {expiration}: nothing")
        return found

    def bars(self, ticker: str, start: date, end: date) -> tuple[Bar, ...]:
        self.calls.append(f"bars {ticker}")
        return tuple(bar for bar in self.all_bars if start <= bar.date <= end)

    def events(self, ticker: str) -> tuple[Event, ...]:
        return self.all_events

    def rates(self, day: date) -> tuple[TreasuryYield, ...]:
        if isinstance(self.all_rates, ProviderError):
            raise self.all_rates
        return tuple(one for one in self.all_rates if one.date <= day)

    def _answer(self, ticker: str) -> Sequence[OptionChain | tuple[date, ProviderError]]:
        answer = self.answers[ticker]
        if isinstance(answer, ProviderError):
            raise answer
        return answer

    def _dated(self, ticker: str) -> list[tuple[date, OptionChain | ProviderError]]:
        return [(one.expiration, one) if isinstance(one, OptionChain) else one for one in self._answer(ticker)]


def scan(folder: MarketFolder, answers: Mapping[str, Answer], scan: Scan | None = None, **more: Any) -> Joined:
    """Run one scan of what the answers hold, from plan to join."""
    provider = ScriptedProvider(answers, market=folder.market, **more)
    return run_scan(folder, provider, scan or Scan(kind="manual", tickers=tuple(answers)))


def session_bar(day: date, close: float | None, split_factor: float = 1.0) -> Bar:
    return Bar(day, close, close, close, close, 1000, split_factor)


def at(day: int, hour: int = 17, minute: int = 0) -> datetime:
    """Return a moment of March 2026, UTC; 17:00 is 13:00 in New York from the 8th on."""
    return STAMP.replace(day=day, hour=hour, minute=minute)
