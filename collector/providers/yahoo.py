"""Yahoo Finance through yfinance: US option chains, 15 minutes old, one request an expiration."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import yfinance
from pandas.errors import Pandas4Warning
from peewee import PeeweeException
from yfinance.data import YfData
from yfinance.exceptions import YFException, YFPricesMissingError, YFRateLimitError

from collector.market.calendar import NEW_YORK, Sessions, exchange_sessions
from collector.market.contract import ContractError, parse_occ
from collector.providers import treasury_indices
from collector.providers.base import (
    BadAnswer,
    Bar,
    ContractQuote,
    EmptyAnswer,
    Event,
    Market,
    NoOptions,
    OptionChain,
    ProviderError,
    Quote,
    RateLimited,
    TickerNotFound,
    TreasuryYield,
)
from collector.providers.call_budget import CallBudget
from collector.providers.yahoo_bodies import (
    corporate_events,
    parse_quote,
    parse_quote_events,
    printed_bars,
    refuse_other_currency,
)
from collector.providers.yahoo_frames import chart_rows, contracts, stated_amounts
from collector.providers.yahoo_transport import Timeouts, Transport, fault, refusal
from collector.providers.yahoo_values import utc_date

LOOPBACK_VARIABLE = "OPTSITE_YAHOO_URL"
FIRST_ANSWER_SECONDS = 300.0
# What yfinance raises on answers that it does not foresee, beside its own errors and its session's (an OSError).
UNFORESEEN = (OSError, ValueError, LookupError, TypeError, AttributeError, YFException)

Answered = TypeVar("Answered")

# yfinance 1.7 uses pandas in ways that pandas 4 ends; its users can do nothing about it.
warnings.filterwarnings("ignore", category=Pandas4Warning, module=r"yfinance\.")


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """The answer to the first question about a ticker: quote, list of expirations and the nearest chain in one.

    ``chain`` is None where the answer lists expirations and holds no contracts.
    """

    library: Any
    asked_at: float
    quote: Quote
    events: tuple[Event, ...]
    expirations: tuple[date, ...]
    chain: OptionChain | None


class YahooProvider:
    """Yahoo Finance, asked by the real yfinance with the session that it makes itself.

    ``cache_dir`` (in the data folder) keeps yfinance's cookie between processes; the place is the process's, as all
    state of yfinance is. ``budget`` is spent at each request; None spends nothing. Requests: one for the cookie where
    none is kept, one for the crumb once a process, one an expiration (the first also brings the quote, the events and
    the list), one for the bars of a ticker, one for each Treasury index of a session. A refused crumb costs up to five
    more, for one fresh attempt.

    Tests set ``loopback_url``, or the environment's OPTSITE_YAHOO_URL for a child process, to a server on this machine
    that stands in for Yahoo; any other address is refused with ValueError.

    One object serves threads, each ticker in one thread at a time. What it keeps of a ticker's first answer is used
    for five minutes.
    """

    name = "yahoo"
    feed = "yahoo"
    market: Market = "live"
    delay = timedelta(minutes=15)
    terms = (
        "Yahoo's quotes are for personal use only, delayed by 15 minutes, and may be neither resold nor republished."
    )
    pays_per_expiration = True

    def __init__(
        self,
        cache_dir: Path,
        budget: CallBudget | None,
        loopback_url: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        loopback = loopback_url or os.environ.get(LOOPBACK_VARIABLE) or None
        self._transport = Transport(budget, timeouts or Timeouts(), loopback)
        self._first_answers: dict[str, FirstAnswer] = {}
        self._corporate_events: dict[str, tuple[Event, ...]] = {}
        self._cache_dir = cache_dir
        cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        yfinance.set_tz_cache_location(str(cache_dir))
        # Else history() logs an error and answers with an empty frame.
        yfinance.config.debug.hide_exceptions = False

    def sessions(self) -> Sessions:
        """Return the exchange's sessions."""
        return exchange_sessions()

    def calls_used(self) -> int:
        """Return how many requests this object has made, cookie, crumb and repeats included."""
        return self._transport.calls

    def tickers(self) -> tuple[str, ...]:
        """Return (): Yahoo's tickers are too many to list."""
        return ()

    def quote(self, ticker: str) -> Quote:
        """Return the price of the regular session, its time and the market state."""
        return self._first_answer(ticker).quote

    def expirations(self, ticker: str) -> tuple[date, ...]:
        """Return the listed expirations; under throttling Yahoo may list fewer than there are."""
        listed = self._first_answer(ticker).expirations
        if not listed:
            raise NoOptions(f"Yahoo lists no options for {ticker}")
        return listed

    def chain(self, ticker: str, expiration: date) -> OptionChain:
        """Return the contracts of one expiration, all roots together.

        Raises EmptyAnswer where Yahoo lists the expiration and answers without contracts, or no longer lists it.
        """
        first = self._first_answer(ticker)
        if first.chain is not None and first.chain.expiration == expiration:
            return first.chain
        if expiration not in first.expirations:
            raise EmptyAnswer(f"Yahoo does not list {ticker}'s expiration {expiration}")
        if first.chain is None and expiration == first.expirations[0]:
            # Asked again, it shall be asked anew.
            self._first_answers.pop(ticker, None)
            raise EmptyAnswer(f"Yahoo answered without contracts for {ticker}'s expiration {expiration}")
        frames = self._ask(ticker, lambda: first.library.option_chain(expiration.isoformat()))
        stamp = datetime.now(UTC)
        rows = () if frames.calls is None else contracts(frames.calls, frames.puts)
        if not rows:
            raise EmptyAnswer(f"Yahoo answered without contracts for {ticker}'s expiration {expiration}")
        return OptionChain(ticker, expiration, stamp, rows, underlying=parse_quote(frames.underlying, stamp, ticker))

    def bars(self, ticker: str, start: date, end: date) -> tuple[Bar, ...]:
        """Return the closed sessions from start to end, as printed: Yahoo's split adjustment is undone.

        One request, which reaches to today so that it states every split since. Raises EmptyAnswer without any bar.
        """
        library = yfinance.Ticker(ticker)
        # Spares the request by which yfinance finds a ticker's time zone; it reads ``start`` in it, nothing else.
        library._tz = NEW_YORK.key
        history = self._ask(ticker, lambda: library.history(start=start, auto_adjust=False, actions=True))
        refuse_other_currency(ticker, library.history_metadata.get("currency"))
        now = datetime.now(UTC)
        splits = stated_amounts(history, "Stock Splits")
        dividends = stated_amounts(history, "Dividends")
        self._corporate_events[ticker] = corporate_events(ticker, splits, dividends, now)
        last = min(end, self.sessions().last_closed(now).date)
        return tuple(bar for bar in printed_bars(chart_rows(history), splits) if start <= bar.date <= last)

    def events(self, ticker: str) -> tuple[Event, ...]:
        """Return the next earnings, and the splits and dividends of the bars that this object fetched before."""
        return self._first_answer(ticker).events + self._corporate_events.get(ticker, ())

    def rates(self, day: date) -> tuple[TreasuryYield, ...]:
        """Return the newest closes of Yahoo's Treasury indices at or before the date: one request each.

        One that fails is left out; where all do, the first failure is raised, and at once one that ends a scan.
        """
        found, failures = [], []
        for symbol in treasury_indices.INDICES:
            try:
                rows = self._closes(symbol, day)
            except ProviderError as error:
                if error.ends_scan:
                    raise
                failures.append(error)
                continue
            stated = treasury_indices.newest_yield(symbol, rows, day, datetime.now(UTC))
            if stated is not None:
                found.append(stated)
        if failures and not found:
            raise failures[0]
        return tuple(found)

    def _closes(self, symbol: str, day: date) -> list[tuple[date, float | None]]:
        """Return an index's closes of the days up to ``day``, as quoted."""
        library = yfinance.Ticker(symbol)
        library._tz = NEW_YORK.key
        start = day - treasury_indices.LOOK_BACK
        history = self._ask(symbol, lambda: library.history(start=start, auto_adjust=False))
        return [(row.date, row.close) for row in chart_rows(history)]

    def _first_answer(self, ticker: str) -> FirstAnswer:
        known = self._first_answers.get(ticker)
        if known is not None and monotonic() - known.asked_at < FIRST_ANSWER_SECONDS:
            return known
        library = yfinance.Ticker(ticker)
        frames = self._ask(ticker, library.option_chain)
        stamp = datetime.now(UTC)
        # Where the answer holds no contracts, option_chain() drops the quote and the list that came with it.
        stated, listed = library._underlying, library._expirations.values()
        if not stated:
            raise TickerNotFound(f"Yahoo answers nothing for {ticker}: it does not know it")
        quote = parse_quote(stated, stamp, ticker)
        expirations = tuple(sorted({utc_date(epoch, "expirationDates") for epoch in listed}))
        rows = () if frames.calls is None else contracts(frames.calls, frames.puts)
        chain = OptionChain(ticker, _expiration(rows, expirations), stamp, rows, underlying=quote) if rows else None
        events = parse_quote_events(stated, stamp, ticker)
        answer = FirstAnswer(library, monotonic(), quote, events, expirations, chain)
        self._first_answers[ticker] = answer
        return answer

    def _ask(self, ticker: str, question: Callable[[], Answered]) -> Answered:
        """Let yfinance ask; turn what it raises, and an error status that it passes over, into our errors."""
        with self._transport.operation(YfData()._session) as operation:
            try:
                answer = question()
            except YFRateLimitError as error:
                raise RateLimited("Yahoo answered 429: too many requests") from error
            except YFPricesMissingError as error:
                if operation.status is not None and operation.status >= 400:
                    raise refusal(ticker, operation.status) from error
                raise EmptyAnswer(f"Yahoo answered without bars for {ticker}: {error}") from error
            except PeeweeException as error:
                raise BadAnswer(f"yfinance's cookie file in {self._cache_dir} fails, delete it: {error}") from error
            except UNFORESEEN as error:
                raise fault(ticker, error, operation.status) from error
            if operation.status is not None and operation.status >= 400:
                raise refusal(ticker, operation.status)
            return answer


def _expiration(rows: tuple[ContractQuote, ...], listed: tuple[date, ...]) -> date:
    """Return the expiration that an answer without a question for one holds: its symbols say it, else the nearest."""
    for row in rows:
        try:
            stated = parse_occ(row.contract_symbol or "").expiration
        except ContractError:
            continue
        if stated in listed:
            return stated
    return listed[0]
