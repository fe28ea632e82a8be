"""Collect: fetch, normalise, grade, analyse; one ticker at a time into the staging.

No database file is opened here. A ticker that is in the staging already is not fetched again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Protocol

import pandas as pd

from collector import quality, user_events
from collector.market import events as dated_facts
from collector.market.calendar import new_york_date
from collector.pipeline.analyse import Fetched, analyse, normalise_fetched
from collector.pipeline.corporate_events import corporate_events
from collector.pipeline.daily_bars import LONG_DAYS, daily_bars
from collector.pipeline.plan import CALLS_FOR_BARS, CALLS_TO_BEGIN, ScanPlan, choose_expirations
from collector.pipeline.rates import Rates
from collector.pipeline.staged_bars import staged_bars
from collector.pipeline.staged_contracts import ticker_contracts
from collector.pipeline.ticker_record import bare_record, full_record
from collector.pipeline.workers import processes, serve_in_processes
from collector.providers.base import (
    Bar,
    Event,
    NotRecorded,
    OptionChain,
    Provider,
    ProviderError,
    Unreachable,
)
from collector.store.contract_columns import TickerContracts
from collector.store.staging import Staging, last_session_rows
from exports.folders import MarketFolder

logger = logging.getLogger(__name__)

WORKERS = 3
# In processes so many tickers are staged together at most, where each process has so many turns.
TOGETHER, TURNS = 4, 8
FAILURES_THAT_END = 3
TICKERS_THAT_TELL = 2

NOT_A_FAILURE = frozenset({"no_options", "bars_only", "budget"})


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


@dataclass(frozen=True, slots=True)
class Collected:
    """A ticker as it goes into the staging; ``contracts`` is None where there are none."""

    record: dict[str, Any]
    contracts: TickerContracts | None = None


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
        *,
        forks: bool = False,
    ) -> None:
        self.folder = folder
        self.provider = provider
        self.plan = plan
        self.staging = staging
        self.progress = progress
        self.now = now
        self.bar_days = bar_days
        self.forks = forks
        self._rates = Rates(folder, provider, plan, self._note)
        self._user_events = [user_events.from_json(event) for event in plan.configuration.get("events", [])]
        self._lock = threading.Lock()
        self._taking = threading.Lock()
        # An interrupted scan goes on with what it has spent.
        self._calls_before = max((record["calls"] for record in staging.records()), default=0)
        self._reserved = self._calls_before + CALLS_TO_BEGIN + self._rates.calls(self.now())
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
        if self.provider.pays_per_expiration:
            self._serve_together(waiting, WORKERS, collection)
        elif self.forks and (count := processes(len(waiting))) > 1:
            self._serve_apart(waiting, count, collection)
        else:
            for ticker in waiting:
                self._serve(ticker, collection)
        collection.stopped = self._stopped
        return collection

    def calls(self) -> int:
        """Return the requests that the scan has cost, those before an interruption included."""
        return self._calls_before + self.provider.calls_used()

    def _serve_together(self, tickers: Sequence[str], workers: int, collection: Collection) -> None:
        """Serve tickers in a few threads; what ends this one ends the others after the request that they make."""
        queue = deque(tickers)
        with ThreadPoolExecutor(workers, thread_name_prefix="collect") as pool:
            try:
                for future in [pool.submit(self._serve_next, queue, collection) for _ in tickers]:
                    future.result()
            except BaseException:
                self._stopped = "interrupted"
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _serve_apart(self, tickers: Sequence[str], count: int, collection: Collection) -> None:
        """Serve tickers in several processes: nothing but the deadline and what is done already keeps one from it."""
        waiting = [ticker for ticker in tickers if not self.staging.is_done(ticker)]
        for _ in range(len(tickers) - len(waiting)):
            self.progress.done()
        self.staging.close()
        size = min(TOGETHER, max(len(waiting) // (count * TURNS), 1))
        pieces = [waiting[start : start + size] for start in range(0, len(waiting), size)]
        for reasons in serve_in_processes(pieces, self._serve_here, count):
            for ticker, reason in reasons.items():
                self.progress.step(ticker)
                if reason is not None:
                    collection.skipped[ticker] = reason
                self.progress.done()

    def _serve_here(self, tickers: Sequence[str]) -> dict[str, str | None]:
        """Serve a few tickers in a process of its own; return for each the reason code of not serving it."""
        reasons: dict[str, str | None] = {}
        collected: list[Collected] = []
        try:
            for ticker in tickers:
                reasons[ticker] = self._why_stop()
                if reasons[ticker] is None:
                    collected.append(self._timed(ticker))
        finally:
            self._stage(collected)
        return reasons

    def _serve_next(self, queue: deque[str], collection: Collection) -> None:
        """Serve the first ticker in line: taken and its calls reserved in one step, so that no later one gets them."""
        with self._taking:
            ticker = queue.popleft()
            admitted = self._admit(ticker, collection)
        if admitted:
            self._keep(ticker)

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
        if self._admit(ticker, collection):
            self._keep(ticker)

    def _admit(self, ticker: str, collection: Collection) -> bool:
        """Say whether a ticker is to be collected now; note why it is skipped."""
        if self.staging.is_done(ticker):
            self.progress.done()
            return False
        reason = self._why_not()
        if reason is not None:
            collection.skipped[ticker] = reason
            self.progress.done()
            return False
        return True

    def _keep(self, ticker: str) -> None:
        """Collect one ticker into the staging."""
        self.progress.step(ticker)
        collected = self._timed(ticker)
        if self._stopped == "interrupted":
            # Half a ticker that counts as done would never be fetched whole.
            return
        self._stage([collected])
        self.progress.done()

    def _stage(self, collected: Sequence[Collected]) -> None:
        """Put tickers into the staging: the contracts first, then the records, which say that they are done."""
        contracts = [one.contracts for one in collected if one.contracts is not None]
        if contracts:
            self.staging.write_contracts(contracts)
        for one in collected:
            self.staging.write_record(one.record["ticker"], one.record)

    def _timed(self, ticker: str) -> Collected:
        """Collect one ticker; note in its record what it cost."""
        started = time.perf_counter()
        collected = self._collect_ticker(ticker)
        collected.record["calls"] = self.calls()
        collected.record["seconds"] = round(time.perf_counter() - started, 3)
        return collected

    def _why_not(self) -> str | None:
        """Return the reason code for not trying a ticker now; reserve its calls otherwise."""
        reason = self._why_stop()
        if reason is not None or self.plan.calls is None:
            return reason
        with self._lock:
            cost = (self.plan.max_expirations or 1) + (CALLS_FOR_BARS if self.plan.fetch_bars else 0)
            reserved = max(self.calls(), self._reserved) + cost
            if reserved > self.plan.calls:
                return "budget"
            self._reserved = reserved
            return None

    def _why_stop(self) -> str | None:
        """Return the reason code for asking nothing more, None where the scan may go on."""
        if self._stopped is not None:
            return self._stopped
        return "deadline" if self.now() >= self.plan.deadline else None

    def _note(self, error: ProviderError | None) -> None:
        """Keep count of failures that end a scan."""
        with self._lock:
            if error is None:
                self._failures_in_a_row = 0
                return
            if error.ends_scan:
                self._stopped = self._stopped or error.reason
                return
            if isinstance(error, Unreachable):
                self._failures_in_a_row += 1
                if self._failures_in_a_row >= FAILURES_THAT_END:
                    self._stopped = self._stopped or error.reason
            else:
                self._failures_in_a_row = 0

    def _collect_ticker(self, ticker: str) -> Collected:
        """Fetch, normalise and analyse a ticker; a provider's error becomes its outcome."""
        try:
            fetched = self._fetch(ticker)
        except ProviderError as error:
            self._note(error)
            outcome = "not_recorded" if error.reason == "not_recorded" else "failed"
            outcome = "skipped" if error.reason in NOT_A_FAILURE else outcome
            feed, now = self.provider.feed, self.now().isoformat()
            record = bare_record(ticker, feed, now, outcome, error.reason, str(error))
            if error.reason == "bars_only":
                bars, events = self._bars_and_events(ticker, new_york_date(self.now()), self.now())
                record["bars"], record["events"] = staged_bars(bars), [asdict(event) for event in events]
            return Collected(record)
        normalised = normalise_fetched(fetched, self.provider, self._earlier(ticker, fetched.chains))
        market_date = max((head.moment.market_date for head in normalised.chains), default=None)
        if market_date is not None:
            as_of = max(head.moment.as_of for head in normalised.chains)
            fetched.bars, fetched.events = self._bars_and_events(ticker, market_date, as_of)
        curve = self._rates.curve(market_date)
        analysis = analyse(normalised, fetched.events, curve, self.provider.sessions())
        record = full_record(fetched, analysis, self.provider.feed)
        if not normalised.chains:
            return Collected(record)
        record["rates"] = self._rates.rows(market_date)
        record["rate_curve"] = curve.to_json()
        return Collected(record, ticker_contracts(analysis, record, self.plan.scan_id))

    def _fetch(self, ticker: str) -> Fetched:
        """Ask the provider for the spot, the expirations and the chosen chains."""
        quote = self.provider.quote(ticker)
        expirations = self.provider.expirations(ticker)
        fetched = Fetched(ticker, quote, expirations)
        self._note(None)
        earnings = _next_earnings(self._known(ticker, self.provider.events(ticker), quote.stamp), quote.stamp)
        chosen = choose_expirations(expirations, quote.stamp, self.plan.max_expirations, earnings)
        fetched.not_asked = [day for day in expirations if day not in set(chosen)]
        last_error: ProviderError | None = None
        for position, expiration in enumerate(chosen):
            # The nearest chain came with the quote.
            reason = self._why_stop() if position else None
            if reason is not None:
                fetched.failed[expiration] = reason
                continue
            try:
                fetched.chains.append(self.provider.chain(ticker, expiration))
            except NotRecorded:
                fetched.not_recorded.append(expiration)
            except ProviderError as error:
                if error.ends_scan:
                    self._note(error)
                logger.warning("%s %s: %s", ticker, expiration, error)
                fetched.failed[expiration] = error.reason
                last_error = error
        if not fetched.chains and last_error is not None:
            raise last_error
        return fetched

    def _bars_and_events(
        self, ticker: str, market_date: date, as_of: datetime
    ) -> tuple[tuple[Bar, ...], tuple[Event, ...]]:
        """Return the ticker's daily bars, and what is known at ``as_of`` of its events and the market's.

        Where the bars can't be had, those that were had last; without any the figures that need them say so.
        """
        asks = self.plan.fetch_bars and self._why_stop() is None
        try:
            bars = daily_bars(self.folder, self.provider, ticker, market_date, fetch=asks, days=self.bar_days)
        except ProviderError as error:
            logger.warning("%s has no new bars: %s", ticker, error)
            if error.ends_scan:
                self._note(error)
            bars = daily_bars(self.folder, self.provider, ticker, market_date, fetch=False)
        stated: tuple[Event, ...] = ()
        try:
            stated = corporate_events(self.folder, self.provider, ticker)
        except ProviderError as error:
            logger.warning("%s has no events: %s", ticker, error)
        return bars, self._known(ticker, stated, as_of)

    def _known(self, ticker: str, stated: Sequence[Event], as_of: datetime) -> tuple[Event, ...]:
        """Return what the provider states with what the user and the market's own list do.

        The demo has days and companies of its own: no statement from outside is about them.
        """
        if self.provider.market == "demo":
            return tuple(stated)
        return dated_facts.known(ticker, stated, self._user_events, as_of)

    def _earlier(self, ticker: str, chains: Sequence[OptionChain]) -> pd.DataFrame | None:
        """Return the rows that tell carried volume, where the feed states neither last trade time nor change."""
        blind = any(
            contract.last_trade_time is None and contract.change is None and contract.volume
            for chain in chains
            for contract in chain.contracts
        )
        if not blind:
            return None
        stamp = max(chain.stamp for chain in chains)
        return last_session_rows(self.folder, self.provider.name, ticker, new_york_date(stamp))


def _next_earnings(events: Sequence[Event], after: datetime) -> date | None:
    """Return the next earnings date."""
    today = new_york_date(after)
    return min((event.date for event in events if event.kind == "earnings" and event.date >= today), default=None)
