"""The lines above the columns of Cboe's delayed quote table: the underlying's name, its last, when the table was made.

    NVIDIA Corporation,Last: 150.2802,Change:  4.96
    "Date: January 6, 2025 at 9:30 PM EST",Bid: 150.28,Ask: 150.3,Size: 2*3,"Volume: 265,377,359"

A line may be empty, a cell that holds commas may be quoted or not, a spreadsheet may have added commas at the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from collector.market.calendar import new_york_date
from collector.providers.base import BadAnswer
from collector.providers.recorded.grouped_numbers import ungrouped
from collector.providers.recorded.written_time import WrittenTime, read_written_time

_DATE = re.compile(r"\bDate:(.*?)(?=,\s*(?:Bid|Ask|Size|Volume):|,*$)", re.IGNORECASE)
_LAST = re.compile(r"\bLast:(.*?)(?=,\s*(?:Change|Bid|Ask|Volume):|,*$)", re.IGNORECASE)
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class CboeHeader:
    """What a table says of itself.

    Attributes:
        file: the file's name.
        written: the date as it is written, "" where there is none; ``line`` is its line.
        time: what it says.
        last: the underlying's last price, None where none above 0 is stated.
    """

    file: str
    written: str
    line: int
    time: WrittenTime
    last: float | None

    def day(self) -> date | None:
        """Return the New York date of the table, or the date as written where that alone can be read."""
        return self.time.day if self.time.moment is None else new_york_date(self.time.moment)

    def fault(self) -> BadAnswer:
        """Return the error for a table whose time cannot be read."""
        if not self.written:
            told = f"{self.file}: the table states no time"
        else:
            shown = self.written if len(self.written) <= _SHOWN else self.written[:_SHOWN] + "…"
            told = f"{self.file} line {self.line}: the table's time {shown!r} cannot be read: {self.time.problem}"
        return BadAnswer(f"{told}; say when its quotes were made with --as-of, such as --as-of 2023-06-12T13:44-04:00")


def read_header(file: str, lines: Sequence[tuple[int, list[str]]]) -> CboeHeader:
    """Return what the lines above a table's columns say; raise BadAnswer where the last is no number."""
    written, written_line, last = "", 0, None
    for number, cells in lines:
        text = ",".join(cells)
        found = _DATE.search(text)
        if found and not written:
            written, written_line = found[1].strip(), number
        stated = _LAST.search(text)
        if stated and last is None:
            last = _price(file, number, stated[1].strip())
    return CboeHeader(file, written, written_line, read_written_time(written), last)


def _price(file: str, line: int, text: str) -> float | None:
    try:
        price = float(ungrouped(text)) if text else 0.0
    except ValueError:
        raise BadAnswer(f"{file} line {line}: Last {text!r} is not a number") from None
    return price if 0 < price < float("inf") else None
