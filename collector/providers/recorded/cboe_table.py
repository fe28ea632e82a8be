"""Cboe's delayed quote table, a CSV as a person downloads it: one row a strike, the call to the left, the put right.

    Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,Puts,Last Sale,Net,…

The ticker comes from the option symbols, never from the company's name. A cell that is no number leaves its contract
out, with file, line and column told, and its neighbours stay; a row of another width breaks the table, which may have
been cut short. An IV of 0 is unsolved, so none; a stated bid, ask or last of 0 stays 0.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from collector.market.contract import ContractError, parse_occ
from collector.providers.base import BadAnswer, ContractQuote, OptionType
from collector.providers.recorded.cboe_header import CboeHeader, read_header
from collector.providers.recorded.cells import Row, header_name, read_text
from collector.providers.recorded.grouped_numbers import ungrouped
from exports.tickers import TickerError, canonical

BAD_CELL = "bad_cell"
_FIRST = ("expirationdate", "calls")
_SIDES: dict[str, OptionType] = {"calls": "call", "puts": "put"}
_NEEDED = ("bid", "ask")
_LINES_ABOVE = 10
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# As a browser's toDateString writes it in every language: Fri Jan 10 2025.
_DAY = re.compile(r"(?:[a-z]{3},? )?([a-z]{3}) (\d{1,2}),? (\d{4})", re.IGNORECASE)
# An option symbol's expiration, type and strike.
_TERMS = len("250110C00050000")
# Roots whose ticker bears the share class behind a hyphen.
_CLASS_SHARES = {"BRKB": "BRK-B", "BFA": "BF-A", "BFB": "BF-B", "HEIA": "HEI-A", "LENB": "LEN-B", "MOGA": "MOG-A"}


@dataclass(slots=True)
class CboeTable:
    """What a table holds: contracts by expiration, and how many of each were left out for a cell of theirs.

    ``faults`` tells those cells, one line each. Where the expiration itself can't be read, what is left out counts with
    the expiration of the rows above.
    """

    ticker: str
    header: CboeHeader
    contracts: dict[date, list[ContractQuote]] = field(default_factory=dict)
    left_out: Counter[date] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class CboeRow(Row):
    """A row whose numbers may have their thousands set apart; columns are named calls.bid, puts.bid and so on."""

    __slots__ = ()

    def text(self, column: str) -> str | None:
        """Return the cell as cells.Row does, a number without what sets its thousands apart."""
        text = super().text(column)
        return None if text is None else ungrouped(text)

    def fault(self, column: str, wanted: str) -> BadAnswer:
        """Return the error for a cell, as cells.Row does; an empty one is called so."""
        if self.text(column) is not None:
            return super().fault(column, wanted)
        name = self.header[self.columns[column]].strip()
        return BadAnswer(f"{self.file} line {self.line}: {name} is empty where {wanted} was expected")

    def expiration(self) -> date:
        """Return the expiration; raise BadAnswer where the cell holds no date."""
        text = self.text("expirationdate") or ""
        found = _DAY.fullmatch(text)
        try:
            if found is None:
                return date.fromisoformat(text)
            return date(int(found[3]), _MONTHS.index(found[1].lower()) + 1, int(found[2]))
        except ValueError:
            raise self.fault("expirationdate", "a date such as Fri Jan 10 2025") from None

    def strike(self) -> float:
        """Return the strike; raise BadAnswer where none is stated."""
        strike = self.number("strike")
        if strike is None:
            raise self.fault("strike", "a number")
        return strike

    def is_blank(self, side: str) -> bool:
        """Say whether nothing is stated on a side."""
        if self.text(side) is not None:
            return False
        return all(self.text(name) is None for name in self.columns if name.startswith(f"{side}."))

    def contract(self, side: str, strike: float) -> ContractQuote:
        """Return the contract of a side; raise BadAnswer naming file, line and column."""
        symbol = self.text(side)
        if symbol is None:
            raise self.fault(side, "an option symbol")
        implied = self.number(f"{side}.iv")
        return ContractQuote(
            option_type=_SIDES[side],
            strike=strike,
            contract_symbol=symbol.upper(),
            bid=self.number(f"{side}.bid"),
            ask=self.number(f"{side}.ask"),
            last_price=self.number(f"{side}.lastsale"),
            change=self.number(f"{side}.net"),
            volume=self.count(f"{side}.volume"),
            open_interest=self.count(f"{side}.openinterest"),
            vendor_implied_volatility=implied if implied is not None and implied > 0 else None,
            vendor_delta=self.number(f"{side}.delta"),
        )


def is_cboe_table(head: bytes) -> bool:
    """Say whether the first bytes of a file are those of a table: its columns stand in one of the first lines."""
    lines = head.decode("utf-8", errors="replace").splitlines()[:_LINES_ABOVE]
    return any(_is_columns(line.split(",")) for line in lines)


def read_cboe_table(path: Path) -> CboeTable:
    """Return a table's contracts; raise BadAnswer where its shape is broken or nothing of it can be read."""
    lines = _lines(path)
    position = next((place for place, (_, cells) in enumerate(lines) if _is_columns(cells)), None)
    if position is None:
        raise BadAnswer(f"{path.name}: holds no columns of a table of Cboe")
    columns = _columns(path.name, lines[position])
    names = _named(lines[position][1], columns)
    rows = [CboeRow(path.name, line, names, columns, cells) for line, cells in lines[position + 1 :]]
    if not rows:
        raise BadAnswer(f"{path.name}: a table without a row")
    for row in rows:
        _check_width(row, len(names))
    table = CboeTable(_ticker(path.name, rows), read_header(path.name, lines[:position]))
    for row in rows:
        _add(table, row)
    left, taken = table.left_out.total(), sum(map(len, table.contracts.values()))
    if left > taken:
        raise BadAnswer(f"{table.faults[0]}; {left} of {left + taken} contracts cannot be read")
    return table


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return the numbered lines that hold anything."""
    reader = csv.reader(io.StringIO(read_text(path), newline=""))
    lines: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append((reader.line_num, cells))
    except csv.Error as error:
        raise BadAnswer(f"{path.name} line {reader.line_num}: {error}") from error
    return lines


def _is_columns(cells: list[str]) -> bool:
    return tuple(header_name(cell) for cell in cells[:2]) == _FIRST


def _columns(file: str, header: tuple[int, list[str]]) -> dict[str, int]:
    """Return the places of the columns, those of each side under its name."""
    line, cells = header
    columns: dict[str, int] = {}
    side = ""
    for place, name in enumerate(map(header_name, cells)):
        if not name:
            continue
        if name in _SIDES:
            side = name
        shared = name in _SIDES or name in ("expirationdate", "strike")
        told = name if shared else f"{side}.{name}"
        if told in columns:
            raise BadAnswer(f"{file} line {line}: two columns of the {side} are named {cells[place].strip()!r}")
        columns[told] = place
    needed = ("strike", *_SIDES, *(f"{side}.{name}" for side in _SIDES for name in _NEEDED))
    missing = [name for name in needed if name not in columns]
    if missing:
        raise BadAnswer(f"{file} line {line}: a table of Cboe needs the column {', '.join(missing)}")
    return columns


def _named(cells: list[str], columns: Mapping[str, int]) -> list[str]:
    """Return the columns as faults name them: with their side."""
    names = list(cells)
    for told, place in columns.items():
        side, _, rest = told.partition(".")
        if rest:
            names[place] = f"{side.capitalize()} {cells[place].strip()}"
    return names


def _check_width(row: CboeRow, width: int) -> None:
    """Raise BadAnswer where a row is not as wide as the columns; empty cells that a spreadsheet added are none."""
    if len(row.cells) < width or any(cell.strip() for cell in row.cells[width:]):
        raise BadAnswer(
            f"{row.file} line {row.line}: {len(row.cells)} cells where the columns are {width}; "
            "the file may be cut short"
        )


def _ticker(file: str, rows: list[CboeRow]) -> str:
    """Return the ticker of most of the symbols; roots of adjusted contracts beside them change nothing."""
    found: Counter[str] = Counter()
    by_root: defaultdict[str, list[str]] = defaultdict(list)
    for symbol in _symbols(rows):
        by_root[symbol[:-_TERMS]].append(symbol)
    for symbols in by_root.values():
        ticker = next(filter(None, map(_underlying, symbols)), None)
        if ticker is not None:
            found[ticker] += len(symbols)
    if not found:
        raise BadAnswer(f"{file} line {rows[0].line}: no option symbol tells the ticker")
    return found.most_common(1)[0][0]


def _underlying(symbol: str) -> str | None:
    """Return the ticker of a symbol's root, None where the symbol is none."""
    try:
        root = parse_occ(symbol).root
        return _CLASS_SHARES.get(root) or canonical(root.rstrip("0123456789"))
    except (ContractError, TickerError):
        return None


def _symbols(rows: list[CboeRow]) -> Iterator[str]:
    for row in rows:
        for side in _SIDES:
            yield row.text(side) or ""


def _add(table: CboeTable, row: CboeRow) -> None:
    """Add a row's contracts, or tell the cell for which one is left out."""
    sides = [side for side in _SIDES if not row.is_blank(side)]
    day = next(reversed(table.contracts), date.min)
    try:
        day = row.expiration()
        strike = row.strike()
    except BadAnswer as fault:
        table.left_out[day] += len(sides)
        table.faults.append(str(fault))
        return
    for side in sides:
        try:
            contract = row.contract(side, strike)
        except BadAnswer as fault:
            table.left_out[day] += 1
            table.faults.append(str(fault))
        else:
            table.contracts.setdefault(day, []).append(contract)
