"""Collect: fetch, normalise, grade, analyse; one ticker at a time into the staging.

No database file is opened here. A ticker that is in the staging already is not fetched again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Protocol

import numpy as np
import orjson
import pandas as pd

from collector import quality
from collector.analytics.features import features
from collector.analytics.open_interest import chain_totals
from collector.market.calendar import new_york_date
from collector.normalise import ChainHead, NormalisedTicker, normalise
from collector.pipeline.daily_bars import LONG_DAYS, daily_bars
from collector.pipeline.plan import ScanPlan, choose_expirations
from collector.providers.base import (
    Bar,
    Event,
    NotRecorded,
    OptionChain,
    Provider,
    ProviderError,
    Quote,
    Unreachable,
)
from collector.store.staging import Staging, last_session_rows
from exports.folders import MarketFolder

logger = logging.getLogger(__name__)

WORKERS = 3
FAILURES_THAT_END = 3
TICKERS_THAT_TELL = 2

# What the chain's own record says of contract fields that this version does not compute.
NOT_COMPUTED = ("forward", "rate", "discount_factor", "atm_iv")
CONTRACT_NOT_COMPUTED = (
    "bid_iv",
    "implied_volatility",
    "ask_iv",
    "delta",
    "gamma",
    "theta",
    "vega",
    "rho",
    "vanna",
    "charm",
)
# Flags against a row's quote; that a contract did not trade today is no fault of its quote.
QUOTE_FAULTS = frozenset({"no_bid", "no_ask", "crossed", "negative_price"})
NO_OUTCOME_FAILURE = frozenset({"no_options", "not_recorded", "bars_only"})


class Progress(Protocol):
    """Who is told how a scan gets on."""

    def begin(self, phase: str, total: int) -> None:
        """Begin a phase of ``total`` steps."""
        ...

    def step(self, ticker: str) -> None:
        """One step is about to be worked on, named by its ticker."""
        ...

    def done(self) -> None:
        """One step is done."""
        ...


@dataclass(slots=True)
class Collection:
    """How the collecting of a scan went: why it stopped early (a reason code) and the tickers not tried, with why."""

    stopped: str | None = None
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Fetched:
    """What the provider gave for a ticker."""

    quote: Quote
    expirations: tuple[date, ...]
    chains: list[OptionChain] = field(default_factory=list)
    not_recorded: list[date] = field(default_factory=list)
    failed: dict[date, str] = field(default_factory=dict)


class Collector:
    """Collects one scan's tickers."""

    def __init__(
        self,
        folder: MarketFolder,
        provider: Provider,
        plan: ScanPlan,
        staging: Staging,
        progress: Progress,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        bar_days: int = LONG_DAYS,
    ) -> None:
        self.folder = folder
        self.provider = provider
        self.plan = plan
        self.staging = staging
        self.progress = progress
        self.now = now
        self.bar_days = bar_days
        self._lock = threading.Lock()
        self._reserved = 0
        self._failures_in_a_row = 0
        self._stopped: str | None = None

    def collect(self) -> Collection:
        """Collect every planned ticker that is not done, within deadline and calls."""
        collection = Collection(skipped=dict(self.plan.skipped))
        self.progress.begin("collect", len(self.plan.tickers))
        waiting = list(self.plan.tickers)
        if self._stops_without_quotes():
            telling, waiting = waiting[:TICKERS_THAT_TELL], waiting[TICKERS_THAT_TELL:]
            for ticker in telling:
                self._serve(ticker, collection)
            if self._stopped is None and not any(self._has_quotes(ticker) for ticker in telling):
                self._stopped = "no_quotes_yet"
        workers = WORKERS if self.provider.pays_per_expiration else 1
        if workers == 1:
            for ticker in waiting:
                self._serve(ticker, collection)
        else:
            with ThreadPoolExecutor(workers, thread_name_prefix="collect") as pool:
                for future in [pool.submit(self._serve, ticker, collection) for ticker in waiting]:
                    future.result()
        collection.stopped = self._stopped
        return collection

    def _stops_without_quotes(self) -> bool:
        """Say whether two tickers without live quotes end this scan: a scheduled one of a live feed."""
        return self.plan.kind == "scheduled" and self.provider.market == "live"

    def _has_quotes(self, ticker: str) -> bool:
        """Say whether a collected ticker had any usable chain; a ticker that failed tells nothing."""
        for record in self.staging.records():
            if record["ticker"] == ticker:
                return record["outcome"] != "ok" or any(quality.is_usable(chain["grade"]) for chain in record["chains"])
        return True

    def _serve(self, ticker: str, collection: Collection) -> None:
        """Collect one ticker unless something speaks against it."""
        if self.staging.is_done(ticker):
            self.progress.done()
            return
        reason = self._why_not(ticker)
        if reason is not None:
            with self._lock:
                collection.skipped[ticker] = reason
            self.progress.done()
            return
        self.progress.step(ticker)
        contracts, record = self._collect_ticker(ticker)
        self.staging.write_ticker(ticker, contracts, record)
        self.progress.done()

    def _why_not(self, ticker: str) -> str | None:
        """Return the reason code for not trying a ticker now; reserve its calls otherwise."""
        with self._lock:
            if self._stopped is not None:
                return self._stopped
            if self.now() >= self.plan.deadline:
                return "deadline"
            if self.plan.calls is not None:
                cost = (self.plan.max_expirations or 1) + (2 if self.plan.fetch_bars else 0)
                if max(self.provider.calls_used(), self._reserved) + cost > self.plan.calls:
                    return "budget"
                self._reserved = max(self.provider.calls_used(), self._reserved) + cost
            return None

    def _note(self, error: ProviderError | None) -> None:
        """Keep count of failures that end a scan."""
        with self._lock:
            if error is None:
                self._failures_in_a_row = 0
                return
            if error.ends_scan:
                self._stopped = self._stopped or error.reason
            if isinstance(error, Unreachable):
                self._failures_in_a_row += 1
                if self._failures_in_a_row >= FAILURES_THAT_END:
                    self._stopped = self._stopped or error.reason
            else:
                self._failures_in_a_row = 0

    def _collect_ticker(self, ticker: str) -> tuple[pd.DataFrame | None, dict[str, Any]]:
        """Return the ticker's rows and its record; a provider's error becomes its outcome."""
        before, started = self.provider.calls_used(), time.perf_counter()
        try:
            fetched = self._fetch(ticker)
        except ProviderError as error:
            self._note(error)
            outcome = {"not_recorded": "not_recorded"}.get(error.reason)
            outcome = outcome or ("skipped" if error.reason in NO_OUTCOME_FAILURE else "failed")
            record = self._bare_record(ticker, outcome, error.reason, str(error))
            self._add_bars_and_events(ticker, record, None)
        else:
            self._note(None)
            contracts, record = self._analyse(ticker, fetched)
            record["calls"] = self.provider.calls_used() - before
            record["seconds"] = round(time.perf_counter() - started, 3)
            return contracts, record
        record["calls"] = self.provider.calls_used() - before
        record["seconds"] = round(time.perf_counter() - started, 3)
        return None, record

    def _fetch(self, ticker: str) -> _Fetched:
        """Ask the provider for the spot, the expirations and the chosen chains."""
        quote = self.provider.quote(ticker)
        expirations = self.provider.expirations(ticker)
        fetched = _Fetched(quote, expirations)
        earnings = _next_earnings(self.provider.events(ticker), quote.stamp)
        chosen = choose_expirations(expirations, quote.stamp, self.plan.max_expirations, earnings)
        last_error: ProviderError | None = None
        for expiration in chosen:
            try:
                fetched.chains.append(self.provider.chain(ticker, expiration))
            except NotRecorded:
                fetched.not_recorded.append(expiration)
            except ProviderError as error:
                if error.ends_scan:
                    raise
                logger.warning("%s %s: %s", ticker, expiration, error)
                fetched.failed[expiration] = error.reason
                last_error = error
        if not fetched.chains and last_error is not None:
            raise last_error
        return fetched

    def _bare_record(self, ticker: str, outcome: str, reason: str | None, detail: str | None) -> dict[str, Any]:
        """Return a record that holds no quotes."""
        return {
            "ticker": ticker,
            "outcome": outcome,
            "reason": reason,
            "detail": detail,
            "feed": self.provider.feed,
            "recorded_at": self.now().isoformat(),
            "as_of": None,
            "market_date": None,
            "expirations_listed": 0,
            "not_recorded": [],
            "failed_expirations": {},
            "chains": [],
            "feature": None,
            "bars": [],
            "events": [],
            "rejections": {},
        }

    def _add_bars_and_events(self, ticker: str, record: dict[str, Any], market_date: date | None) -> None:
        """Add what bars and events the provider has, for a ticker of bars alone too."""
        if record["reason"] not in (None, "bars_only"):
            return
        try:
            bars, events = self._bars(ticker, market_date or new_york_date(self.now())), self.provider.events(ticker)
        except ProviderError as error:
            logger.warning("%s has no bars: %s", ticker, error)
            return
        record["bars"] = [asdict(bar) for bar in bars]
        record["events"] = [asdict(event) for event in events]

    def _bars(self, ticker: str, market_date: date) -> tuple[Bar, ...]:
        """Return the ticker's daily bars."""
        return daily_bars(
            self.folder, self.provider, ticker, market_date, fetch=self.plan.fetch_bars, days=self.bar_days
        )

    def _analyse(self, ticker: str, fetched: _Fetched) -> tuple[pd.DataFrame | None, dict[str, Any]]:
        """Normalise, grade and analyse what came."""
        sessions = self.provider.sessions()
        normalised = normalise(
            ticker,
            fetched.chains,
            fetched.quote,
            sessions,
            self.provider.delay,
            self._earlier(ticker, fetched.chains),
        )
        graded = [_grade(normalised, head) for head in normalised.chains]
        record = self._bare_record(ticker, "ok", None, None)
        moments = [head.moment for head in normalised.chains]
        record["rejections"] = normalised.rejections
        record["expirations_listed"] = len(fetched.expirations)
        record["not_recorded"] = fetched.not_recorded
        record["failed_expirations"] = {str(day): reason for day, reason in fetched.failed.items()}
        record["recorded_at"] = max([chain.stamp for chain in fetched.chains], default=fetched.quote.stamp).isoformat()
        if not moments:
            record["outcome"], record["reason"] = "failed", "empty_answer"
            record["detail"] = "no contract that had not settled was received"
            return None, record
        newest = max(moments, key=lambda moment: (moment.as_of, moment.quote_time))
        record["as_of"], record["market_date"] = newest.as_of.isoformat(), newest.market_date.isoformat()
        record["chains"] = [
            _chain_row(normalised, head, graded_as) for head, graded_as in zip(normalised.chains, graded, strict=True)
        ]
        self._add_bars_and_events(ticker, record, newest.market_date)
        record["feature"] = self._feature(ticker, normalised, graded, fetched, record)
        contracts = _staged_contracts(self.plan.scan_id, normalised, graded, record)
        return contracts, record

    def _earlier(self, ticker: str, chains: Sequence[OptionChain]) -> pd.DataFrame | None:
        """Return the rows that tell carried volume, where the feed states neither last trade time nor change."""
        blind = any(
            contract.last_trade_time is None and contract.change is None and contract.volume
            for chain in chains
            for contract in chain.contracts
        )
        if not blind:
            return None
        moment = max(chain.stamp for chain in chains)
        return last_session_rows(self.folder, self.provider.name, ticker, new_york_date(moment))

    def _feature(
        self,
        ticker: str,
        normalised: NormalisedTicker,
        graded: Sequence[quality.Quality],
        fetched: _Fetched,
        record: dict[str, Any],
    ) -> dict[str, Any]:
        """Return the ticker's features."""
        usable = [
            head
            for head, grade in zip(normalised.chains, graded, strict=True)
            if quality.is_usable(grade.grade) and head.stop > head.start
        ]
        rows = np.zeros(len(normalised.contracts), dtype=bool)
        for head in usable:
            rows[head.start : head.stop] = True
        rows &= ~normalised.contracts["adjusted"].to_numpy(dtype=bool)
        newest = max((head.moment for head in normalised.chains), key=lambda moment: (moment.as_of, moment.quote_time))
        quote = normalised.chains[0].underlying
        computed = features(
            ticker=ticker,
            price=quote.price,
            contracts=normalised.contracts[rows],
            bars=[Bar(**bar) for bar in record["bars"]],
            market_date=newest.market_date,
            expirations_used=len({head.expiration for head in usable}),
            expirations_listed=record["expirations_listed"] or None,
            events=[Event(**event) for event in record["events"]],
            as_of=newest.as_of,
            price_time=quote.time,
        )
        best = min((grade.grade for grade in graded), default=None)
        return {
            **computed,
            "grade": best,
            "as_of": newest.as_of,
            "quote_time": newest.quote_time,
            "market_date": newest.market_date,
        }


def _next_earnings(events: Sequence[Event], after: datetime) -> date | None:
    """Return the next earnings date."""
    today = new_york_date(after)
    return min((event.date for event in events if event.kind == "earnings" and event.date >= today), default=None)


def _grade(normalised: NormalisedTicker, head: ChainHead) -> quality.Quality:
    """Grade one chain."""
    rows = normalised.contracts.iloc[head.start : head.stop]
    faults = np.array([not QUOTE_FAULTS.isdisjoint(flags) for flags in rows["flags"]], dtype=bool)
    quotes = quality.Quotes(
        strike=rows["strike"].to_numpy(dtype=float),
        is_call=(rows["option_type"] == "call").to_numpy(dtype=bool),
        bid=rows["bid"].to_numpy(dtype=float),
        ask=rows["ask"].to_numpy(dtype=float),
        mid=rows["mid"].to_numpy(dtype=float),
        open_interest=rows["open_interest"].to_numpy(dtype=float),
        adjusted=rows["adjusted"].to_numpy(dtype=bool),
        flagged=faults,
    )
    return quality.grade(quotes, head.underlying.price, head.moment)


def _chain_row(normalised: NormalisedTicker, head: ChainHead, graded: quality.Quality) -> dict[str, Any]:
    """Return the chain's row, JSON-ready, without what the whole scan shares."""
    totals, reasons = chain_totals(normalised.contracts.iloc[head.start : head.stop])
    reasons = {f"totals.{name}": reason for name, reason in reasons.items()}
    reasons.update(dict.fromkeys(NOT_COMPUTED, "not_computed"))
    reasons.update({f"contracts.{name}": "not_computed" for name in CONTRACT_NOT_COMPUTED})
    if head.underlying.price is None:
        reasons["underlying_price"] = "no_spot"
    if head.underlying.time is None:
        reasons["underlying_time"] = "not_stated"
    return {
        "root": head.root,
        "expiration": head.expiration.isoformat(),
        "dte": head.dte,
        "as_of": head.moment.as_of.isoformat(),
        "quote_time": head.moment.quote_time.isoformat(),
        "market_date": head.moment.market_date.isoformat(),
        "open_interest_date": head.moment.open_interest_date.isoformat(),
        "settlement": head.settlement.kind,
        "settlement_time": head.settlement.time.isoformat(),
        "exercise_style": head.settlement.style,
        "underlying_price": head.underlying.price,
        "underlying_time": head.underlying.time.isoformat() if head.underlying.time else None,
        "totals": totals,
        "grade": graded.grade,
        "grade_reasons": list(graded.reasons),
        "facts": graded.facts,
        "received": head.stop - head.start,
        "reasons": reasons,
    }


def _staged_contracts(
    scan_id: str, normalised: NormalisedTicker, graded: Sequence[quality.Quality], record: dict[str, Any]
) -> pd.DataFrame:
    """Return the rows with what their chain shares, as the staging keeps them."""
    sizes = [head.stop - head.start for head in normalised.chains]

    def spread(values: Sequence[Any]) -> pd.Series[Any]:
        """Repeat each chain's value over its rows."""
        return pd.Series(np.repeat(np.array(values, dtype=object), sizes))

    heads = normalised.chains
    frame = normalised.contracts.assign(
        scan_id=scan_id,
        feed=record["feed"],
        source=record["feed"],
        recorded_at=pd.Timestamp(record["recorded_at"]),
        as_of=pd.to_datetime(spread([head.moment.as_of for head in heads]), utc=True),
        quote_time=pd.to_datetime(spread([head.moment.quote_time for head in heads]), utc=True),
        market_date=spread([head.moment.market_date for head in heads]),
        dte=spread([head.dte for head in heads]).astype(int),
        grade=spread([grade.grade for grade in graded]),
        underlying_price=spread(
            [np.nan if head.underlying.price is None else head.underlying.price for head in heads]
        ).astype(float),
    )
    frame["reasons"] = [orjson.dumps(reasons).decode() for reasons in frame["reasons"]]
    return frame
