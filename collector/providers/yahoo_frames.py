"""yfinance's frames as the rows that yahoo_bodies reads: NaN is None, and no time depends on a frame's unit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from collector.providers.base import ContractQuote, OptionType
from collector.providers.yahoo_bodies import ChartRow, parse_contract
from collector.providers.yahoo_values import number


def contracts(calls: pd.DataFrame, puts: pd.DataFrame) -> tuple[ContractQuote, ...]:
    """Read the two frames of ``option_chain``; raise BadAnswer for a row without a strike."""
    sides: tuple[tuple[pd.DataFrame, OptionType], ...] = ((calls, "call"), (puts, "put"))
    return tuple(parse_contract(_epochs(row), kind) for frame, kind in sides for row in frame.to_dict("records"))


def chart_rows(history: pd.DataFrame) -> list[ChartRow]:
    """Read the days of a ``history(auto_adjust=False)`` frame that hold a price.

    yfinance writes 0 where Yahoo states no volume, so a volume of 0 is taken as not stated.
    """
    rows = []
    for day, row in _days(history):
        opened, high, low, close = (number(row.get(name)) for name in ("Open", "High", "Low", "Close"))
        if any(price is not None for price in (opened, high, low, close)):
            rows.append(ChartRow(day, opened, high, low, close, number(row.get("Volume")) or None))
    return rows


def stated_amounts(history: pd.DataFrame, column: str) -> dict[date, float]:
    """Return what ``column`` ("Stock Splits", "Dividends") states above 0, by date."""
    return {
        day: amount for day, row in _days(history) if (amount := number(row.get(column))) is not None and amount > 0
    }


def _days(history: pd.DataFrame) -> list[tuple[date, dict[str, Any]]]:
    """Return the rows with their dates, which the index holds as midnights of the exchange."""
    records: list[dict[str, Any]] = [{str(k): v for k, v in row.items()} for row in history.to_dict("records")]
    return [(pd.Timestamp(at).date(), row) for at, row in zip(history.index, records, strict=True)]


def _epochs(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the row with its last trade as seconds of the epoch, as Yahoo's own body has it."""
    last_trade = row.get("lastTradeDate")
    seconds = last_trade.timestamp() if isinstance(last_trade, pd.Timestamp) and not pd.isna(last_trade) else None
    return {**row, "lastTradeDate": seconds}
