"""What a staged contract is: its columns, and those of a ticker's contracts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

# The columns of a staged contract, with the DuckDB type that each is written as.
CONTRACT_COLUMNS: dict[str, str] = {
    "scan_id": "VARCHAR",
    "ticker": "VARCHAR",
    "root": "VARCHAR",
    "feed": "VARCHAR",
    "source": "VARCHAR",
    "recorded_at": "TIMESTAMPTZ",
    "as_of": "TIMESTAMPTZ",
    "quote_time": "TIMESTAMPTZ",
    "market_date": "DATE",
    "expiration": "DATE",
    "dte": "INTEGER",
    "grade": "VARCHAR",
    "underlying_price": "DOUBLE",
    "contract_symbol": "VARCHAR",
    "option_type": "VARCHAR",
    "strike": "DOUBLE",
    "multiplier": "INTEGER",
    "adjusted": "BOOLEAN",
    "bid": "DOUBLE",
    "ask": "DOUBLE",
    "mid": "DOUBLE",
    "bid_size": "INTEGER",
    "ask_size": "INTEGER",
    "last_price": "DOUBLE",
    "last_trade_time": "TIMESTAMPTZ",
    "change": "DOUBLE",
    "volume": "BIGINT",
    "volume_known": "BOOLEAN",
    "untraded": "BOOLEAN",
    "open_interest": "BIGINT",
    "bid_iv": "DOUBLE",
    "implied_volatility": "DOUBLE",
    "ask_iv": "DOUBLE",
    "delta": "DOUBLE",
    "gamma": "DOUBLE",
    "theta": "DOUBLE",
    "vega": "DOUBLE",
    "rho": "DOUBLE",
    "vanna": "DOUBLE",
    "charm": "DOUBLE",
    "vendor_implied_volatility": "DOUBLE",
    "vendor_delta": "DOUBLE",
    "in_the_money": "BOOLEAN",
    "flags": "VARCHAR[]",
    "reasons": "JSON",
}


@dataclass(frozen=True, slots=True)
class TickerContracts:
    """A ticker's contracts as columns: together those of CONTRACT_COLUMNS.

    Attributes:
        ticker: canonical ticker.
        columns: shape (n,), NaN, NaT and None for null, times in UTC, flags joined by commas.
        shared: columns whose value, a text, all rows share.
    """

    ticker: str
    columns: Mapping[str, NDArray[Any]]
    shared: Mapping[str, str]
