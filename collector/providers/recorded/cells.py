"""Cells of a CSV file from a stranger: read once, every fault named by file, line and column.

Headers are compared without case, spaces and underscores, so that lastPrice, last_price and Last Price are one.
An empty cell, or what pandas writes for a missing value, is None; a stated 0 stays 0.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from collector.market.calendar import NEW_YORK
from collector.providers.base import BadAnswer
from exports.tickers import TickerError, canonical

MAX_FILE_BYTES = 64 * 1024 * 1024
MISSING = frozenset({"", "nan", "nat", "none", "null", "<na>", "n/a"})
TRUE_WORDS = frozenset({"true", "1", "yes"})
FALSE_WORDS = frozenset({"false", "0", "no"})
MIDNIGHT_TAIL = re.compile(r"[T ]00:00(:00(\.0+)?)?$")
# Beyond what any market states; sums and products of numbers below stay finite, sums of counts fit 64 bits.
MAX_NUMBER = 1e15
MAX_COUNT = 10**12
CLOCK_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")


def header_name(text: str) -> str:
    """Return a header as it is compared: lower case, letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table. ``columns`` maps compared header names to positions in ``header`` and ``cells``."""

    file: str
    line: int
    header: list[str]
    columns: Mapping[str, int]
    cells: list[str]

    def fault(self, column: str, wanted: str) -> BadAnswer:
        """Return the error for this row's cell of ``column``, which should have held ``wanted``."""
        position = self.columns.get(column)
        name = column if position is None else self.header[position].strip()
        return BadAnswer(f"{self.file} line {self.line}: {name} {self.text(column)!r} is not {wanted}")

    def text(self, column: str) -> str | None:
        """Return the cell without surrounding spaces, or None where it is empty or there is no such column."""
        position = self.columns.get(column)
        if position is None:
            return None
        text = self.cells[position].strip()
        return None if text.lower() in MISSING else text

    def number(self, column: str) -> float | None:
        """Return a finite number below 1e15 in size, or None where none is stated."""
        plain = self._plain_number(column)
        if plain is not None:
            return plain
        text = self.text(column)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            raise self.fault(column, "a number") from None
        if not math.isfinite(value) or "_" in text:
            raise self.fault(column, "a finite number")
        if abs(value) >= MAX_NUMBER:
            raise self.fault(column, "a number that a market states")
        return value

    def _plain_number(self, column: str) -> float | None:
        """Return what nearly every cell holds, read at once; None where the cell has to be looked at."""
        position = self.columns.get(column)
        if position is None:
            return None
        cell = self.cells[position]
        try:
            value = float(cell)
        except ValueError:
            return None
        return value if abs(value) < MAX_NUMBER and "_" not in cell else None

    def count(self, column: str) -> int | None:
        """Return a whole number of at least 0 (2.0 counts), or None where none is stated."""
        value = self.number(column)
        if value is None:
            return None
        if value < 0 or value != int(value):
            raise self.fault(column, "a count of 0 or more")
        if value > MAX_COUNT:
            raise self.fault(column, f"a count of at most {MAX_COUNT:,}")
        return int(value)

    def flag(self, column: str) -> bool | None:
        """Return true or false, or None where neither is stated."""
        text = self.text(column)
        if text is None:
            return None
        if text.lower() in TRUE_WORDS:
            return True
        if text.lower() in FALSE_WORDS:
            return False
        raise self.fault(column, "true or false")

    def day(self, column: str) -> date:
        """Return a date (YYYY-MM-DD, a midnight behind it allowed)."""
        text = self.text(column)
        try:
            return date.fromisoformat(MIDNIGHT_TAIL.sub("", text or ""))
        except ValueError:
            raise self.fault(column, "a date such as 2026-03-27") from None

    def moment(self, column: str) -> datetime | None:
        """Return a time with its zone, in UTC, or None where none is stated."""
        text = self.text(column)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise self.fault(column, "a time such as 2026-03-24T13:00-04:00") from None
        if moment.tzinfo is None:
            raise self.fault(column, "a time with its zone, such as 2026-03-24T13:00-04:00")
        return in_utc(moment, self.fault(column, "a time within the years 1 to 9999"))

    def moment_on(self, column: str, day: date) -> datetime | None:
        """Return a moment in UTC: a whole time with its zone, or HH:MM of New York on ``day``."""
        text = self.text(column)
        if text is None or not CLOCK_TIME.fullmatch(text):
            return self.moment(column)
        try:
            clock = time.fromisoformat(text.zfill(5) if len(text) < 6 else text.zfill(8))
        except ValueError:
            raise self.fault(column, "a time of day such as 16:30") from None
        return datetime.combine(day, clock, NEW_YORK).astimezone(UTC)

    def ticker(self, column: str) -> str:
        """Return the canonical ticker of a cell that has to name one."""
        try:
            return canonical(self.text(column) or "")
        except TickerError:
            raise self.fault(column, "a ticker") from None


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file: its header as written and as compared, and its rows, all of the header's width.

    ``fault`` is where its shape breaks, if it does: raised once the rows are asked for, so that the headers can say
    what the file is first.
    """

    file: str
    header: list[str]
    columns: Mapping[str, int]
    lines: tuple[tuple[int, list[str]], ...]
    fault: BadAnswer | None = None

    def rows(self) -> Iterator[Row]:
        """Yield the rows in the file's order; raise BadAnswer where the file's shape is broken anywhere."""
        if self.fault is not None:
            raise self.fault
        for line, cells in self.lines:
            yield Row(self.file, line, self.header, self.columns, cells)


def in_utc(moment: datetime, fault: Exception) -> datetime:
    """Return ``moment`` in UTC; raise ``fault`` where that leaves the calendar's years."""
    try:
        return moment.astimezone(UTC)
    except (OverflowError, ValueError):
        raise fault from None


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; raise BadAnswer where it is empty, too large or unreadable."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise BadAnswer(f"{path.name}: {size:,} bytes are more than a recording holds ({MAX_FILE_BYTES:,})")
        content = path.read_bytes()
    except OSError as error:
        raise BadAnswer(f"{path.name}: cannot be read ({error.strerror})") from error
    if not content.strip():
        raise BadAnswer(f"{path.name}: the file is empty")
    return content


def read_text(path: Path) -> str:
    """Return a file's text; raise BadAnswer where it is not UTF-8."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadAnswer(f"{path.name} line {line}: is not UTF-8 text; save it as UTF-8") from None


def read_table(path: Path) -> Table:
    """Return a CSV file's table; raise BadAnswer where it is no text or two of its columns have one name."""
    reader = csv.reader(io.StringIO(read_text(path), newline=""))
    lines: list[tuple[int, list[str]]] = []
    header: list[str] = []
    fault = None
    try:
        header = next((cells for cells in reader if cells), [])
        for cells in reader:
            if cells and len(cells) != len(header):
                fault = BadAnswer(
                    f"{path.name} line {reader.line_num}: {len(cells)} cells where the header has {len(header)}; "
                    "the file may be cut short"
                )
                break
            if cells:
                lines.append((reader.line_num, cells))
    except csv.Error as error:
        fault = BadAnswer(f"{path.name} line {reader.line_num}: {error}")
    return Table(path.name, header, _columns(path.name, header), tuple(lines), fault)


def _columns(file: str, header: list[str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for position, text in enumerate(header):
        name = header_name(text)
        if not name:
            continue  # pandas writes its row numbers under an empty header
        if name in columns:
            raise BadAnswer(f"{file} line 1: two columns are named {text!r}")
        columns[name] = position
    return columns
