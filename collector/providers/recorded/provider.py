"""Recordings as a provider: what people downloaded, scanned again by the recording's own clock.

No network and no wall clock. A scan takes each ticker's newest recording (at or before ``as_of``, where that is given);
``moments`` and ``at`` are for one scan a moment. Nothing is served that was not known at the moment of the recording:
bars of sessions that had closed, events whose known_at had come.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from collector.market.calendar import CalendarError, Sessions, exchange_sessions
from collector.providers import treasury_indices
from collector.providers.base import (
    Bar,
    BarsOnly,
    EmptyAnswer,
    Event,
    Market,
    NoOptions,
    NotInDollars,
    NotRecorded,
    OptionChain,
    Quote,
    TreasuryYield,
)
from collector.providers.recorded.bodies import read_chart, read_earnings, read_options
from collector.providers.recorded.cboe_table import BAD_CELL, CboeTable
from collector.providers.recorded.folder import RecordingFolder
from collector.providers.recorded.frames import TickerFrame
from collector.providers.recorded.recording import ChartFile, FrameFile, Recording, TableFile


class RecordedProvider:
    """Serves a folder of recordings; see collector.providers.base.Provider.

    Attributes:
        feed: whose numbers bodies, frames and charts are; the chains of Cboe's tables state theirs.
        index: the folder; ``index.unreadable`` are the lines on files that could not be used.
        as_of: the moment asked for, None for the newest of each ticker. It is the time of what states none, and goes
            before the header of Cboe's tables of its New York date.
        exact: whether only what was recorded at ``as_of`` itself is in scope.

    Beside what the protocol names, methods raise NotRecorded for what the folder does not hold at that moment, and
    BarsOnly for the options of a ticker with bars alone. The constructor raises UnreadableFolder where the folder is
    missing or holds no recording, ValueError where ``as_of`` has no zone.
    """

    name = "recorded"
    feed = "yahoo"
    market: Market = "recorded"
    delay = timedelta(minutes=15)
    terms = "Recordings that you made or were given: the terms of the feed that they came from apply."
    pays_per_expiration = False

    def __init__(self, folder: Path, as_of: datetime | None = None) -> None:
        if as_of is not None and as_of.tzinfo is None:
            raise ValueError(f"as_of {as_of.isoformat()} has no zone; write it like 2026-03-24T13:00-04:00")
        self.as_of = None if as_of is None else as_of.astimezone(UTC)
        self.exact = False
        self.index = RecordingFolder(folder, undated=self.as_of)

    def moments(self) -> tuple[datetime, ...]:
        """Return the distinct moments at which options in scope were recorded, oldest first."""
        return tuple(sorted({one.stamp for held in self.index.recordings.values() for one in held if self._seen(one)}))

    def at(self, moment: datetime) -> RecordedProvider:
        """Return a provider of what was recorded at exactly ``moment``, with the same index and opened files.

        Raises ValueError where nothing was recorded at it.
        """
        if moment not in self.moments():
            raise ValueError(f"nothing is recorded at {moment.isoformat()} in {self.index.path}")
        bound = object.__new__(RecordedProvider)
        bound.as_of, bound.exact, bound.index = moment.astimezone(UTC), True, self.index
        return bound

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Return one line for each file of the folder that could not be used."""
        return self.index.unreadable

    def sessions(self) -> Sessions:
        """Return New York's exchange calendar, by which the recorded markets traded."""
        return exchange_sessions()

    def calls_used(self) -> int:
        """Return 0: no request is ever made."""
        return 0

    def tickers(self) -> tuple[str, ...]:
        """Return the tickers with option bodies, frames or tables in scope, those that list no options included."""
        return tuple(ticker for ticker in self.index.recordings if self._newest(ticker) is not None)

    def bar_tickers(self) -> tuple[str, ...]:
        """Return the tickers of which the folder holds bars, and no options at any moment.

        Yahoo's Treasury indices are none of them: their charts are rates.
        """
        held = self.index.charts.keys() | self.index.bars.keys()
        return tuple(sorted(held - self.index.recordings.keys() - treasury_indices.INDICES.keys()))

    def recorded_at(self, ticker: str) -> datetime:
        """Return when the ticker's recording in scope was made."""
        return self._recording(ticker).stamp

    def quote(self, ticker: str) -> Quote:
        """Return the spot as recorded: a frame's or table's at the recording's time, a body's with its own time."""
        recording = self._recording(ticker)
        if recording.table is not None:
            return _table_quote(recording.table, self.index.table(recording.table))
        if recording.frame is not None:
            return _frame_quote(recording.frame, self.index.frame(recording.frame))
        newest = recording.bodies[-1]
        return read_options(newest, self.index.body(newest))[0]

    def expirations(self, ticker: str) -> tuple[date, ...]:
        """Return the listed expirations in ascending order, those without a body included; see chain."""
        recording = self._recording(ticker)
        if recording.table is not None:
            return tuple(sorted(self.index.table(recording.table).contracts))
        if recording.frame is not None:
            return tuple(sorted(self.index.frame(recording.frame).contracts))
        listed = {expiration for body in recording.bodies for expiration in body.listed}
        if not listed:
            raise NoOptions(f"{recording.name}: lists no options for {ticker}")
        return tuple(sorted(listed))

    def recorded_expirations(self, ticker: str) -> tuple[date, ...]:
        """Return the expirations whose contracts the recording holds, in ascending order."""
        recording = self._recording(ticker)
        if recording.frame is not None or recording.table is not None:
            return self.expirations(ticker)
        return tuple(sorted({expiration for body in recording.bodies for expiration in body.held}))

    def chain(self, ticker: str, expiration: date) -> OptionChain:
        """Return the contracts of one expiration; NotRecorded where it is listed without a body."""
        recording = self._recording(ticker)
        if recording.frame is not None:
            return self._frame_chain(recording.frame, expiration)
        if recording.table is not None:
            return _table_chain(recording.table, self.index.table(recording.table), expiration)
        body = next((body for body in recording.bodies if expiration in body.held), None)
        if body is None:
            raise NotRecorded(f"{recording.name}: holds no contracts of {ticker} for {expiration.isoformat()}")
        chain = read_options(body, self.index.body(body))[1][expiration]
        if not chain.contracts:
            raise EmptyAnswer(f"{body.path.name}: lists {expiration.isoformat()} of {ticker} without a contract")
        return chain

    def bars(self, ticker: str, start: date, end: date) -> tuple[Bar, ...]:
        """Return the bars of the sessions from start to end that had closed by the recording, oldest first.

        They come from the chart recorded last before it (else from the oldest one: a closed session's bar is as old as
        its session), and from the folder's bar tables, which go before a chart's. Sessions before the calendar begins
        (2005) are left out.
        """
        clock = self._clock(ticker)
        chart = self._chart(ticker, clock)
        bars = {bar.date: bar for bar in self.index.bars.get(ticker, ())}
        if chart is not None:
            bars = {bar.date: bar for bar in read_chart(chart, self.index.body(chart))[0]} | bars
        return tuple(bars[day] for day in sorted(bars) if start <= day <= end and self._closed(day, clock))

    def events(self, ticker: str) -> tuple[Event, ...]:
        """Return the events known at the recording, by date: of event tables, a body's earnings, a chart's actions."""
        clock = self._clock(ticker)
        events = [event for event in self.index.events if event.ticker in (None, ticker)]
        recording = self._newest(ticker)
        for body in recording.bodies[-1:] if recording else ():
            events.extend(read_earnings(body, self.index.body(body)))
        chart = self._chart(ticker, clock)
        if chart is not None:
            events.extend(read_chart(chart, self.index.body(chart))[1])
        known = [event for event in events if clock is None or event.known_at <= clock]
        return tuple(sorted(known, key=lambda event: (event.date, event.kind, event.known_at)))

    def rates(self, day: date) -> tuple[TreasuryYield, ...]:
        """Return the yields of the folder's rate tables of the newest date that is not after ``day``.

        Where they hold none, those of the charts of Yahoo's Treasury indices (^IRX, ^FVX).
        """
        known = [one for one in self.index.rates if one.date <= day]
        newest = max((one.date for one in known), default=None)
        by_days = {one.days: one for one in known if one.date == newest}
        return tuple(by_days[days] for days in sorted(by_days)) or self._charted_rates(day)

    def _charted_rates(self, day: date) -> tuple[TreasuryYield, ...]:
        """Return what the charts of the indices say of the date, each index by its newest chart that reaches there."""
        found = []
        for symbol in treasury_indices.INDICES:
            for chart in reversed(self.index.charts.get(symbol, ())):
                bars = read_chart(chart, self.index.body(chart))[0]
                closes = [(bar.date, bar.close) for bar in bars]
                stated = treasury_indices.newest_yield(symbol, closes, day, chart.stamp)
                if stated is not None:
                    found.append(stated)
                    break
        return tuple(found)

    def _seen(self, recording: Recording) -> bool:
        if self.as_of is None:
            return True
        return recording.stamp == self.as_of if self.exact else recording.stamp <= self.as_of

    def _newest(self, ticker: str) -> Recording | None:
        return next((one for one in reversed(self.index.recordings.get(ticker, ())) if self._seen(one)), None)

    def _recording(self, ticker: str) -> Recording:
        """Return the ticker's newest recording in scope; raise what says why there is none."""
        recording = self._newest(ticker)
        if recording is not None:
            return recording
        held = self.index.recordings.get(ticker)
        if held and self.as_of is not None:
            when = f"{'at' if self.exact else 'at or before'} {self.as_of.isoformat()}"
            raise NotRecorded(f"{ticker} is not recorded {when}; its first recording is of {held[0].stamp.isoformat()}")
        if ticker in self.bar_tickers():
            raise BarsOnly(f"the recordings in {self.index.path} hold bars of {ticker}, and no options")
        raise NotRecorded(f"the recordings in {self.index.path} hold nothing of {ticker}")

    def _clock(self, ticker: str) -> datetime | None:
        """Return the moment up to which things of the ticker are known; None where bars alone bear no time."""
        if self._newest(ticker) is None and ticker in self.bar_tickers():
            charts = self.index.charts.get(ticker, ())
            return self.as_of or (charts[-1].stamp if charts and ticker not in self.index.bars else None)
        return self._recording(ticker).stamp

    def _chart(self, ticker: str, clock: datetime | None) -> ChartFile | None:
        charts = self.index.charts.get(ticker, ())
        known = [chart for chart in charts if clock is None or chart.stamp <= clock]
        return known[-1] if known else next(iter(charts), None)

    def _closed(self, day: date, clock: datetime | None) -> bool:
        try:
            session = self.sessions().session(day)
        except CalendarError:
            return False  # before the calendar begins
        return session is not None and (clock is None or session.close <= clock)

    def _frame_chain(self, file: FrameFile, expiration: date) -> OptionChain:
        frame = self.index.frame(file)
        contracts = frame.contracts.get(expiration)
        if contracts is None:
            raise NotRecorded(f"{file.path.name}: holds no contracts of {file.ticker} for {expiration.isoformat()}")
        quote = _frame_quote(file, frame)
        return OptionChain(file.ticker, expiration, file.stamp, tuple(contracts), underlying=quote)


def _table_quote(file: TableFile, table: CboeTable) -> Quote:
    """Return a table's last at the header's time; after the close it may be of the trading after hours."""
    price = table.header.last
    return Quote(file.ticker, file.stamp, price, time=None if price is None else file.stamp)


def _table_chain(file: TableFile, table: CboeTable, expiration: date) -> OptionChain:
    contracts = table.contracts.get(expiration)
    if contracts is None:
        raise NotRecorded(f"{file.path.name}: holds no contracts of {file.ticker} for {expiration.isoformat()}")
    left_out = table.left_out[expiration]
    if expiration == min(table.contracts):
        # Those of no expiration that the table holds.
        left_out += sum(count for day, count in table.left_out.items() if day not in table.contracts)
    return OptionChain(
        file.ticker,
        expiration,
        file.stamp,
        tuple(contracts),
        quote_time=file.stamp if file.told else None,
        underlying=_table_quote(file, table),
        feed="cboe",
        left_out={BAD_CELL: left_out} if left_out else {},
    )


def _frame_quote(file: FrameFile, frame: TickerFrame) -> Quote:
    """Return a frame's spot, live when the file was made; NotInDollars where its contracts state another currency."""
    if frame.currency not in (None, "USD"):
        raise NotInDollars(f"{file.path.name}: {file.ticker} is quoted in {frame.currency}, not in US dollars")
    price = frame.spot if frame.spot is not None and frame.spot > 0 else None
    return Quote(file.ticker, file.stamp, price, time=None if price is None else file.stamp, currency=frame.currency)
