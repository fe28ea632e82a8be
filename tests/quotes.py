"""Contracts and chains written out by hand, in a session of the exchange."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from collector.market.contract import build_occ
from collector.providers.base import ContractQuote, OptionChain, Quote

# Tuesday 2026-03-24, 13:00 in New York; quotes that are 15 minutes old were made in the session.
STAMP = datetime(2026, 3, 24, 17, 0, tzinfo=UTC)
OPEN = datetime(2026, 3, 24, 13, 30, tzinfo=UTC)
CLOSE = datetime(2026, 3, 24, 20, 0, tzinfo=UTC)
EXPIRATION = date(2026, 4, 17)


def quote(ticker: str = "ZZTA", price: float | None = 100.0, stamp: datetime = STAMP) -> Quote:
    return Quote(ticker=ticker, stamp=stamp, price=price, time=stamp, market_state="regular", currency="USD")


def contract(option_type: str = "call", strike: float = 100.0, **stated: Any) -> ContractQuote:
    """Return a contract with a two-sided quote, traded in the session; None leaves a value unstated."""
    whole = {
        "bid": 2.9,
        "ask": 3.1,
        "last_price": 3.0,
        "last_trade_time": datetime(2026, 3, 24, 15, 0, tzinfo=UTC),
        "volume": 40,
        "open_interest": 900,
        "contract_size": 100,
        "currency": "USD",
    }
    return ContractQuote(option_type=option_type, strike=strike, **(whole | stated))  # type: ignore[arg-type]


def chain(
    *contracts: ContractQuote, ticker: str = "ZZTA", expiration: date = EXPIRATION, stamp: datetime = STAMP, **more: Any
) -> OptionChain:
    return OptionChain(ticker=ticker, expiration=expiration, stamp=stamp, contracts=contracts, **more)


def occ(root: str = "ZZTA", option_type: str = "call", strike: float = 100.0, expiration: date = EXPIRATION) -> str:
    return build_occ(root, expiration, option_type, strike)  # type: ignore[arg-type]


def live_chain(ticker: str = "ZZTA", expiration: date = EXPIRATION, stamp: datetime = STAMP, **stated: Any) -> Any:
    """Return a chain of grade A: calls and puts at 90 to 110 by 5, parity at 100, spreads of 2 to 4 %."""
    rows = []
    for strike, call, put in ((90, 11.0, 1.0), (95, 7.0, 2.0), (100, 4.0, 4.0), (105, 2.0, 7.0), (110, 1.0, 11.0)):
        for kind, mid in (("call", call), ("put", put)):
            half = round(mid * 0.01, 2)
            own = {"bid": mid - half, "ask": mid + half, "last_price": mid}
            rows.append(contract(kind, float(strike), **(own | stated)))
    return chain(*rows, ticker=ticker, expiration=expiration, stamp=stamp)


def dark_chain(ticker: str = "ZZTA", expiration: date = EXPIRATION, stamp: datetime = STAMP) -> Any:
    """Return the same chain as a feed serves it before the open: bids, asks and open interest of 0."""
    return live_chain(ticker, expiration, stamp, bid=0.0, ask=0.0, open_interest=0, vendor_implied_volatility=1e-5)
