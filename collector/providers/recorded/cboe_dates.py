"""When the quotes of Cboe's tables were made: by their headers, or by a time that a user told.

A told time replaces the header's for tables of its New York date, and is the time of those whose header cannot be
read. Where it could mean several tables of one ticker, those that can be read by their headers are, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from collector.market.calendar import new_york_date
from collector.providers.recorded.cboe_header import CboeHeader
from collector.providers.recorded.recording import TableFile


class CboeDates:
    """Gathers the tables of a folder and gives them their times. ``told`` is what the user said, if anything."""

    def __init__(self, told: datetime | None) -> None:
        self.told = told
        self._found: list[tuple[Path, str, CboeHeader]] = []

    def add(self, path: Path, ticker: str, header: CboeHeader) -> None:
        """Add a table."""
        self._found.append((path, ticker, header))

    def tables(self, lines: list[str]) -> Iterator[TableFile]:
        """Yield the tables with their times; add to ``lines`` why one has none."""
        for ticker in sorted({ticker for _, ticker, _ in self._found}):
            of_ticker = [(path, header) for path, found, header in self._found if found == ticker]
            same_day = [path.name for path, header in of_ticker if self._is_of_told_day(header)]
            several = len([path for path, header in of_ticker if self._is_meant(header)]) > 1
            if several and same_day:
                lines.append(
                    f"{', '.join(same_day)}: read by the header, since --as-of can't be the time of several tables "
                    f"of {ticker}"
                )
            for path, header in of_ticker:
                if self.told is not None and self._is_meant(header) and not (several and header.time.moment):
                    yield TableFile(path, self.told, ticker, told=True)
                elif header.time.moment is not None:
                    yield TableFile(path, header.time.moment, ticker, told=False)
                else:
                    lines.append(str(header.fault()))

    def _is_meant(self, header: CboeHeader) -> bool:
        """Say whether the told time is to be the table's: it is of that date or of none."""
        return self.told is not None and (header.day() is None or self._is_of_told_day(header))

    def _is_of_told_day(self, header: CboeHeader) -> bool:
        return self.told is not None and header.day() == new_york_date(self.told)
