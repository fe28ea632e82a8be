"""Recorded quotes as arrays, with what the exchange itself says of each contract."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from collector.analytics.quote_rows import ChainInput, QuoteRows
from collector.market.calendar import exchange_sessions
from collector.market.contract import parse_occ
from collector.market.settlement import settlement
from collector.providers.recorded.cboe_table import read_cboe_table

Floats = NDArray[np.float64]
NEW_YORK = ZoneInfo("America/New_York")
YEAR = timedelta(days=365)
DELAY = timedelta(minutes=15)


@dataclass(frozen=True)
class RecordedTicker:
    """The rows of a ticker; ``file_iv`` and ``file_delta`` are the exchange's, NaN where it gives none."""

    ticker: str
    as_of: datetime
    spot: float | None
    expirations: tuple[tuple[date, str], ...]
    chains: tuple[ChainInput, ...]
    rows: QuoteRows
    file_iv: Floats
    file_delta: Floats

    @property
    def tenor(self) -> Floats:
        return np.array([chain.tenor for chain in self.chains])[self.rows.chain]


def cboe(path: Path, as_of: datetime) -> RecordedTicker:
    """Return the contracts of a table of Cboe that had not settled at ``as_of``."""
    table = read_cboe_table(path)
    lines: dict[tuple[date, str], list[tuple[float, ...]]] = defaultdict(list)
    for expiration, contracts in table.contracts.items():
        for contract in contracts:
            assert contract.contract_symbol
            root = parse_occ(contract.contract_symbol).root
            sign = 1.0 if contract.option_type == "call" else -1.0
            stated = (contract.bid, contract.ask, contract.vendor_implied_volatility, contract.vendor_delta)
            numbers = (np.nan if value is None else value for value in stated)
            lines[expiration, root].append((sign, contract.strike, *numbers))
    return _ticker(table.ticker, as_of, table.header.last, lines)


def frames(path: Path) -> Iterator[RecordedTicker]:
    """Return the tickers of a file of yfinance frames; its quotes are 15 minutes older than its name says."""
    quoted = datetime.strptime(path.stem, "%Y-%m-%dT%H%M%z") - DELAY
    sessions = exchange_sessions()
    as_of = quoted if sessions.session_at(quoted) else sessions.last_closed(quoted).close
    tickers: dict[str, dict[tuple[date, str], list[tuple[float, ...]]]] = defaultdict(lambda: defaultdict(list))
    spots: dict[str, float] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            key = date.fromisoformat(row["expiration"]), row["ticker"]
            sign = 1.0 if row["type"] == "call" else -1.0
            prices = (float(row[name] or "nan") for name in ("strike", "bid", "ask"))
            tickers[row["ticker"]][key].append((sign, *prices, np.nan, np.nan))
            spots[row["ticker"]] = float(row["spot_price"])
    for ticker, lines in sorted(tickers.items()):
        yield _ticker(ticker, as_of, spots[ticker], lines)


def _ticker(
    ticker: str, as_of: datetime, spot: float | None, lines: dict[tuple[date, str], list[tuple[float, ...]]]
) -> RecordedTicker:
    alive, chains, rows = [], [], []
    for (expiration, root), contracts in lines.items():
        ends = settlement(root, ticker, expiration, exchange_sessions())
        if ends.time <= as_of:
            continue
        rows += [(len(chains), *contract) for contract in contracts]
        alive.append((expiration, root))
        chains.append(ChainInput((ends.time - as_of) / YEAR, ends.style == "american"))
    columns = np.array(rows, dtype=np.float64).T.copy()
    quotes = QuoteRows(
        columns[0].astype(np.intp), columns[1], columns[2], columns[3], columns[4], np.ones(columns.shape[1], bool)
    )
    return RecordedTicker(ticker, as_of, spot, tuple(alive), tuple(chains), quotes, columns[5], columns[6])
