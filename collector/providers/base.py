"""What every provider gives: the protocol, its answers and its errors.

Nothing else leaves a provider's file: no frame, no dictionary of the library behind it. What a source does not state
is None, never 0; a stated 0 stays 0. Times are aware datetimes in UTC, dates are New York session dates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal, Protocol

from collector.market.calendar import Sessions
from collector.market.events import Event as Event
from collector.market.events import EventKind as EventKind
from collector.market.rates import TreasuryYield as TreasuryYield

Market = Literal["live", "demo", "recorded"]
MarketState = Literal["pre", "regular", "post", "closed"]
OptionType = Literal["call", "put"]


@dataclass(frozen=True, slots=True)
class Quote:
    """The underlying's quote. ``stamp`` is when the provider answered, ``time`` when the price was made."""

    ticker: str
    stamp: datetime
    price: float | None
    time: datetime | None = None
    market_state: MarketState | None = None
    currency: str | None = None
    dividend_rate: float | None = None


@dataclass(frozen=True, slots=True)
class ContractQuote:
    """One contract as the feed states it. ``contract_symbol`` is None where the feed gives none."""

    option_type: OptionType
    strike: float
    contract_symbol: str | None = None
    bid: float | None = None
    ask: float | None = None
    bid_size: int | None = None
    ask_size: int | None = None
    last_price: float | None = None
    last_trade_time: datetime | None = None
    change: float | None = None
    volume: int | None = None
    open_interest: int | None = None
    vendor_implied_volatility: float | None = None
    vendor_delta: float | None = None
    in_the_money: bool | None = None
    contract_size: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class OptionChain:
    """The contracts of one expiration, all roots together, at one moment.

    ``stamp`` is when the provider answered (a recording: when it was recorded), ``quote_time`` the quotes' own time
    where the feed states one. ``underlying`` is the quote that came with the contracts, if one did. ``feed`` is whose
    numbers these are where they are of another than the provider's own (see feeds.py).
    ``left_out`` counts, by reason, the contracts that could not be read.
    """

    ticker: str
    expiration: date
    stamp: datetime
    contracts: tuple[ContractQuote, ...]
    quote_time: datetime | None = None
    underlying: Quote | None = None
    feed: str | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bar:
    """One session of the underlying: prices and volume as printed that day (splits not applied backwards).

    ``split_factor`` is the ratio of a split whose first session this is (10.0 for ten for one), else 1.0.
    """

    date: date
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: int | None
    split_factor: float = 1.0


class ProviderError(Exception):
    """A provider's refusal or failure. ``reason`` is a code of exports/reasons.py.

    ``permanent``: asking again will not help (no options, not found). ``ends_scan``: no other ticker will fare better
    (rate limited, the budget spent). Unreachable may be one ticker's bad luck: three in a row end a scan.
    """

    reason = "bad_answer"
    permanent = False
    ends_scan = False


class NoOptions(ProviderError):
    """The provider lists no options for the ticker."""

    reason = "no_options"
    permanent = True


class TickerNotFound(ProviderError):
    """The provider does not know the ticker."""

    reason = "not_found"
    permanent = True


class BarsOnly(ProviderError):
    """A recording holds bars of the ticker and no options."""

    reason = "bars_only"
    permanent = True


class NotRecorded(ProviderError):
    """A recording lists it but does not hold it."""

    reason = "not_recorded"
    permanent = True


class NotInDollars(ProviderError):
    """The underlying is not quoted in US dollars."""

    reason = "not_usd"
    permanent = True


class RateLimited(ProviderError):
    """Too many requests were made."""

    reason = "rate_limited"
    ends_scan = True


class Unauthorised(ProviderError):
    """The request's credentials were refused."""

    reason = "unauthorised"


class Unreachable(ProviderError):
    """No connection could be made."""

    reason = "unreachable"


class TimedOut(ProviderError):
    """No answer came in time."""

    reason = "timed_out"


class BadAnswer(ProviderError):
    """The answer could not be read."""

    reason = "bad_answer"


class EmptyAnswer(ProviderError):
    """The answer holds no contracts where it listed some."""

    reason = "empty_answer"


class Provider(Protocol):
    """Where quotes come from.

    Attributes:
        name: what a user types after --provider.
        feed: whose numbers these are (yahoo, cboe, demo) where a chain does not state another; decides delay, units
            and vendor fields: see feeds.py.
        market: which of the three data folders it fills.
        delay: how old a quote is when its own time is not stated.
        terms: one sentence on the terms of use.
        pays_per_expiration: whether each expiration costs a call, so that roles and the budget bind.

    Every method may raise ProviderError.
    """

    name: str
    feed: str
    market: Market
    delay: timedelta
    terms: str
    pays_per_expiration: bool

    def sessions(self) -> Sessions:
        """Return the calendar that this market trades by."""
        ...

    def calls_used(self) -> int:
        """Return how many requests this object has made."""
        ...

    def tickers(self) -> tuple[str, ...]:
        """Return the tickers that it can serve where it knows them all (demo, recorded), else ()."""
        ...

    def quote(self, ticker: str) -> Quote:
        """Return the spot with its time and market state."""
        ...

    def expirations(self, ticker: str) -> tuple[date, ...]:
        """Return the listed expirations in ascending order; raise NoOptions where there is none."""
        ...

    def chain(self, ticker: str, expiration: date) -> OptionChain:
        """Return the contracts of one expiration."""
        ...

    def bars(self, ticker: str, start: date, end: date) -> tuple[Bar, ...]:
        """Return the daily bars of the closed sessions from start to end, oldest first."""
        ...

    def events(self, ticker: str) -> tuple[Event, ...]:
        """Return the events known of the ticker, market-wide ones included."""
        ...

    def rates(self, day: date) -> tuple[TreasuryYield, ...]:
        """Return the newest yields of or before the New York date ``day``, by maturity; () where it states none."""
        ...
