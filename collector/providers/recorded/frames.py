"""Frames as yfinance gives them, all tickers of one moment in one CSV file.

Needed are the columns ticker, type, strike and expiration; of contractSymbol, lastTradeDate, lastPrice, bid, ask,
change, volume, openInterest, impliedVolatility, inTheMoney, contractSize, currency and spot_price whatever is there.
A column that is not there is None, as is an empty cell; a stated 0 stays 0.

The spot was live when the file was made, while the option quotes beside it are up to 15 minutes older: so the
underlying's quote carries the recording's own time, and the chain states no quote time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from collector.providers.base import BadAnswer, ContractQuote, OptionType
from collector.providers.recorded.cells import Row, Table

NEEDED = ("ticker", "type", "strike", "expiration")
PRICES = ("bid", "ask", "lastprice")
OPTION_TYPES: dict[str, OptionType] = {
    "call": "call",
    "calls": "call",
    "c": "call",
    "put": "put",
    "puts": "put",
    "p": "put",
}
CONTRACT_SIZES = {"regular": 100, "mini": 10}


def is_frame(columns: Iterable[str]) -> bool:
    """Say whether compared header names are those of a frame: strikes with at least one price."""
    names = set(columns)
    return "strike" in names and not names.isdisjoint(PRICES)


def missing_columns(columns: Iterable[str]) -> tuple[str, ...]:
    """Return the needed columns that a frame's header lacks."""
    names = set(columns)
    return tuple(name for name in NEEDED if name not in names)


def frame_tickers(table: Table) -> tuple[str, ...]:
    """Return the canonical tickers of a frame file, in order; raise BadAnswer where a row names none."""
    found: dict[str, str] = {}
    for row in table.rows():
        text = row.text("ticker") or ""
        if text not in found:
            found[text] = row.ticker("ticker")
    return tuple(dict.fromkeys(found.values()))


@dataclass(slots=True)
class TickerFrame:
    """One ticker's part of a frame file. ``fault`` is set where one of its rows could not be read."""

    contracts: dict[date, list[ContractQuote]] = field(default_factory=dict)
    spot: float | None = None
    currency: str | None = None
    fault: BadAnswer | None = None


def read_frames(table: Table) -> dict[str, TickerFrame]:
    """Return each ticker's contracts by expiration. A broken row spoils its own ticker, not the others."""
    canonical: dict[str, str] = {}
    frames: dict[str, TickerFrame] = {}
    for row in table.rows():
        text = row.text("ticker") or ""
        if text not in canonical:
            canonical[text] = row.ticker("ticker")
        frame = frames.setdefault(canonical[text], TickerFrame())
        if frame.fault is not None:
            continue
        try:
            _add(frame, row)
        except BadAnswer as fault:
            frame.fault = fault
    return frames


def _add(frame: TickerFrame, row: Row) -> None:
    contract = read_contract(row)
    frame.contracts.setdefault(row.day("expiration"), []).append(contract)
    spot = row.number("spotprice")
    if frame.spot is None:
        frame.spot = spot
    if frame.currency is None:
        frame.currency = contract.currency


def read_contract(row: Row) -> ContractQuote:
    """Return the contract of one row; raise BadAnswer naming file, line and column.

    A row without a usable strike is passed on: normalise leaves it out, its neighbours stay.
    """
    option_type = OPTION_TYPES.get((row.text("type") or "").lower())
    if option_type is None:
        raise row.fault("type", "call or put")
    strike = row.number("strike")
    return ContractQuote(
        option_type=option_type,
        strike=math.nan if strike is None else strike,
        contract_symbol=row.text("contractsymbol"),
        bid=row.number("bid"),
        ask=row.number("ask"),
        last_price=row.number("lastprice"),
        last_trade_time=row.moment("lasttradedate"),
        change=row.number("change"),
        volume=row.count("volume"),
        open_interest=row.count("openinterest"),
        vendor_implied_volatility=row.number("impliedvolatility"),
        in_the_money=row.flag("inthemoney"),
        contract_size=_contract_size(row),
        currency=row.text("currency"),
    )


def _contract_size(row: Row) -> int | None:
    text = row.text("contractsize")
    if text is None:
        return None
    known = CONTRACT_SIZES.get(text.lower())
    return known if known is not None else row.count("contractsize")
