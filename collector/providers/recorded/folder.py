"""A folder of recordings: every file looked at once, told apart by what it holds, and opened again when asked for.

The folder is flat. Files are strangers' data: only regular files inside the folder are read, up to 64 MB each; a .json
or .csv that is no recording, or a broken one, becomes a line of ``unreadable`` and stops nobody else. Other files (a
README) are passed over unless they begin like a recording.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from collector.market.calendar import CalendarError, exchange_sessions
from collector.providers.base import BadAnswer, Bar, Event, ProviderError, TreasuryYield
from collector.providers.recorded import bodies, frames, tables
from collector.providers.recorded.cache import FileCache
from collector.providers.recorded.cboe_dates import CboeDates
from collector.providers.recorded.cboe_table import CboeTable, is_cboe_table, read_cboe_table
from collector.providers.recorded.cells import Table, header_name, read_bytes, read_table
from collector.providers.recorded.clock import name_stamp
from collector.providers.recorded.frames import TickerFrame
from collector.providers.recorded.recording import BodyFile, ChartFile, FrameFile, Recording, TableFile, sittings

logger = logging.getLogger(__name__)

HEAD_BYTES = 4096
BODY_START = re.compile(rb'\{\s*"(optionChain|chart)"')
DATA_SUFFIXES = frozenset({".csv", ".json"})
EXPECTED = (
    "expected an answer of Yahoo's /v7/finance/options or /v8/finance/chart, a frame of yfinance "
    "(ticker, type, strike, expiration, bid, ask …), a quote table of Cboe, bars (ticker, date, close), events "
    "(kind, date, known_at) or rates (date, days, rate)"
)


class UnreadableFolder(ProviderError):
    """The folder holds no recording that can be read."""

    permanent = True
    ends_scan = True


class RecordingFolder:
    """The index of a folder, and its files as they are asked for.

    Attributes:
        path: the folder.
        recordings: each ticker's recordings of options, oldest first.
        charts: each ticker's chart bodies, oldest first.
        bars: each ticker's bars from bar tables, by date.
        events: the events of event tables.
        rates: the yields of rate tables.
        unreadable: one line for each file, or part of one, that could not be used, in the order of names.

    Raises UnreadableFolder where ``path`` is no folder or holds nothing readable. ``undated`` is the time of frames
    whose name holds none, and of the quotes of Cboe's tables of that New York date or of none.
    """

    def __init__(self, path: Path, undated: datetime | None = None) -> None:
        self.path = path
        self.undated = undated
        self.recordings: dict[str, tuple[Recording, ...]] = {}
        self.charts: dict[str, tuple[ChartFile, ...]] = {}
        self.bars: dict[str, tuple[Bar, ...]] = {}
        self.events: tuple[Event, ...] = ()
        self.rates: tuple[TreasuryYield, ...] = ()
        self.unreadable: tuple[str, ...] = ()
        self._frames = FileCache(lambda file: frames.read_frames(read_table(file)), size=2)
        self._bodies = FileCache(bodies.read_body, size=8)
        self._tables = FileCache(read_cboe_table, size=2)
        self._index()

    def frame(self, file: FrameFile) -> TickerFrame:
        """Return the ticker's part of a frame file; raise BadAnswer naming the line that could not be read."""
        part = self._frames.get(file.path).get(file.ticker)
        if part is None:
            raise BadAnswer(f"{file.path.name}: no longer holds {file.ticker}; it changed while it was read")
        if part.fault is not None:
            raise part.fault
        return part

    def body(self, file: BodyFile | ChartFile) -> Mapping[str, Any]:
        """Return a body as it was recorded."""
        return self._bodies.get(file.path)

    def table(self, file: TableFile) -> CboeTable:
        """Return a table of Cboe."""
        return self._tables.get(file.path)

    def _index(self) -> None:
        found = _Found(self.undated, self._tables)
        lines = found.unused
        for file in self._files():
            try:
                self._refuse_link(file)
                found.add(file)
            except BadAnswer as fault:
                lines.append(str(fault))
        found.settle_tables()
        if not (found.frames or found.tables or found.bodies or found.charts or found.bars):
            more = f" (and {len(lines) - 1} files more)" if len(lines) > 1 else ""
            why = f"{lines[0]}{more}" if lines else EXPECTED
            raise UnreadableFolder(f"{self.path} holds no recording that can be read: {why}")
        for line in lines:
            logger.warning("recordings in %s: %s", self.path, line)
        self.unreadable = tuple(lines)
        self.recordings = found.recordings()
        self.charts = found.charts_by_ticker()
        self.bars = {ticker: tuple(bars[day] for day in sorted(bars)) for ticker, bars in found.bars.items()}
        self.events = tuple(found.events)
        self.rates = tuple(found.rates)

    def _files(self) -> Iterator[Path]:
        try:
            names = sorted(self.path.iterdir())
        except OSError as error:
            raise UnreadableFolder(
                f"recordings: {self.path} is no folder that can be read ({error.strerror}); "
                "name one with --recordings DIR or OPTSITE_RECORDINGS"
            ) from error
        yield from (file for file in names if not file.name.startswith(".") and file.is_file())

    def _refuse_link(self, file: Path) -> None:
        if file.is_symlink() and file.resolve().parent != self.path.resolve():
            raise BadAnswer(f"{file.name}: links to a file outside the folder; copy it in to use it")


class _Found:
    """What the files of a folder hold, as they are looked at."""

    def __init__(self, undated: datetime | None, cboe_tables: FileCache[CboeTable]) -> None:
        self.undated = undated
        self.cboe_tables = cboe_tables
        self.sessions = exchange_sessions()
        self.unused: list[str] = []
        self.frames: dict[tuple[str, datetime], FrameFile] = {}
        self.dated = CboeDates(undated)
        self.tables: dict[tuple[str, datetime], TableFile] = {}
        self.bodies: list[BodyFile] = []
        self.charts: list[ChartFile] = []
        self.bars: dict[str, dict[date, Bar]] = {}
        self.events: list[Event] = []
        self.rates: list[TreasuryYield] = []

    def add(self, file: Path) -> None:
        """Look at one file; raise BadAnswer where it should be a recording and is none."""
        try:
            self._add(file)
        except CalendarError as error:
            raise BadAnswer(f"{file.name}: its time cannot be placed: {error}") from error

    def _add(self, file: Path) -> None:
        if file.suffix.lower() not in DATA_SUFFIXES and not _begins_like_a_recording(file):
            return
        content = read_bytes(file)
        if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
            self._add_body(file)
        elif is_cboe_table(content[:HEAD_BYTES]):
            self._add_cboe_table(file)
        else:
            self._add_table(file, read_table(file))

    def _add_body(self, file: Path) -> None:
        body = bodies.read_body(file)
        if bodies.OPTIONS in body:
            found = bodies.options_file(file, body, self.undated, self.sessions)
            self.sessions.last_closed(found.stamp)
            self.bodies.append(found)
        elif bodies.CHART in body:
            self.charts.append(bodies.chart_file(file, body))
        elif bodies.ERROR in body:
            raise BadAnswer(f"{file.name}: {bodies.stated_refusal(body)}")
        else:
            raise BadAnswer(f"{file.name}: {EXPECTED}")

    def _add_table(self, file: Path, table: Table) -> None:
        if tables.is_events(table.columns):
            self.events.extend(tables.read_events(table))
        elif tables.is_rates(table.columns):
            self.rates.extend(tables.read_rates(table, self.sessions))
        elif frames.is_frame(table.columns):
            self._add_frame(file, table)
        elif tables.is_bars(table.columns):
            for ticker, bars in tables.read_bars(table).items():
                self.bars.setdefault(ticker, {}).update({bar.date: bar for bar in bars})
        else:
            raise BadAnswer(f"{file.name}: {EXPECTED}")

    def _add_frame(self, file: Path, table: Table) -> None:
        missing = frames.missing_columns(table.columns)
        if missing:
            raise BadAnswer(f"{file.name}: a frame needs the column {', '.join(missing)} beside its quotes")
        tickers = frames.frame_tickers(table)
        if not tickers:
            raise BadAnswer(f"{file.name}: a frame without a row")
        stamp = name_stamp(file.name) or self.undated
        if stamp is None:
            raise BadAnswer(
                f"{file.name}: its name holds no time of recording with an offset; name it like "
                "2026-03-24T1300-0400.csv, or say when it was with --as-of"
            )
        self.sessions.last_closed(stamp)
        for ticker in tickers:
            first = self.frames.setdefault((ticker, stamp), FrameFile(file, stamp, ticker))
            if first.path != file:
                self.unused.append(
                    f"{file.name}: left out for {ticker}, which {first.path.name} holds at {stamp.isoformat()} too"
                )

    def _add_cboe_table(self, file: Path) -> None:
        table = self.cboe_tables.get(file)
        self.dated.add(file, table.ticker, table.header)
        if table.faults:
            more = f" (and {len(table.faults) - 1} more)" if len(table.faults) > 1 else ""
            left = table.left_out.total()
            self.unused.append(f"{table.faults[0]}{more}; {left} contract{'s' if left > 1 else ''} left out")

    def settle_tables(self) -> None:
        """Give the tables of Cboe their times, now that all of them are known."""
        for table in self.dated.tables(self.unused):
            try:
                self.sessions.last_closed(table.stamp)
            except CalendarError as error:
                self.unused.append(f"{table.path.name}: its time cannot be placed: {error}")
                continue
            first = self.tables.setdefault((table.ticker, table.stamp), table)
            if first is not table:
                self.unused.append(
                    f"{table.path.name}: left out for {table.ticker}, which {first.path.name} holds at "
                    f"{table.stamp.isoformat()} too"
                )

    def recordings(self) -> dict[str, tuple[Recording, ...]]:
        """Return each ticker's recordings, oldest first."""
        found: dict[str, list[Recording]] = {}
        for frame in self.frames.values():
            found.setdefault(frame.ticker, []).append(Recording(frame.ticker, frame.stamp, frame=frame))
        for table in self.tables.values():
            found.setdefault(table.ticker, []).append(Recording(table.ticker, table.stamp, table=table))
        for ticker in {body.ticker for body in self.bodies}:
            found.setdefault(ticker, []).extend(sittings(body for body in self.bodies if body.ticker == ticker))
        return {ticker: tuple(sorted(found[ticker], key=lambda one: (one.stamp, one.name))) for ticker in sorted(found)}

    def charts_by_ticker(self) -> dict[str, tuple[ChartFile, ...]]:
        """Return each ticker's charts, oldest first."""
        found: dict[str, tuple[ChartFile, ...]] = {}
        for chart in sorted(self.charts, key=lambda one: (one.ticker, one.stamp, one.path.name)):
            found[chart.ticker] = (*found.get(chart.ticker, ()), chart)
        return found


def _begins_like_a_recording(file: Path) -> bool:
    """Say whether a file without a data suffix begins as a recording does."""
    try:
        with file.open("rb") as opened:
            head = opened.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError:
        return False
    if BODY_START.match(head) or is_cboe_table(head):
        return True
    header = head.split(b"\n", 1)[0].decode("utf-8", errors="replace")
    columns = {header_name(text) for text in header.split(",")}
    frame = frames.is_frame(columns) and not frames.missing_columns(columns)
    return frame or tables.is_bars(columns) or tables.is_events(columns) or tables.is_rates(columns)
