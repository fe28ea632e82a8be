"""Chains whose mids are vollib's Black-76 at a known volatility, without interest: what a scan must find in them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from vollib.black import black

from collector.market.calendar import NEW_YORK
from collector.providers.base import OptionChain
from tests.quotes import chain, contract

FORWARD = 100.0
STRIKES = tuple(70.0 + 2.5 * step for step in range(25))
SETTLES = time(16)
SECONDS_A_YEAR = 365 * 86_400
TICK = 0.01


def priced_chain(
    ticker: str, expiration: date, stamp: datetime, quoted: datetime, sigma: float, *, spread: float = 0.02
) -> OptionChain:
    """Return a chain quoted at ``quoted`` with one volatility at all strikes; ``spread`` is a share of the mid."""
    settles = datetime.combine(expiration, SETTLES, NEW_YORK).astimezone(UTC)
    years = (settles - quoted).total_seconds() / SECONDS_A_YEAR
    rows: list[Any] = []
    for strike in STRIKES:
        for kind in ("call", "put"):
            mid = float(black(kind[0], FORWARD, strike, years, 0.0, sigma))
            half = max(mid * spread / 2, TICK / 2)
            bid = mid - half if mid - half >= TICK else 0.0
            rows.append(contract(kind, strike, bid=bid, ask=mid + half, last_price=mid, last_trade_time=quoted))
    return chain(*rows, ticker=ticker, expiration=expiration, stamp=stamp)
