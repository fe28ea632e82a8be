"""What the volatility of a ticker is computed from: the quotes of all its contracts, and what its chains are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from collector.analytics.terms import Booleans, Floats, Integers


class Curve(Protocol):
    """Continuous rates by tenor; collector.market.rates.RateCurve is one."""

    @property
    def source(self) -> str:
        """Where the rates come from."""

    def rate(self, tenor: Floats) -> Floats:
        """Return the continuous rates, decimal per year of 365 days, to tenors in years."""


@dataclass(frozen=True, slots=True)
class ChainInput:
    """A chain: contracts of one ticker, one expiration and one root.

    Attributes:
        tenor: calendar seconds from the quotes' as_of to settlement over 365 days, above 0.
        american: whether its contracts may be exercised early.
    """

    tenor: float
    american: bool


@dataclass(frozen=True, slots=True)
class QuoteRows:
    """The quotes of all contracts of a ticker, shape (n,), in any order; NaN for null.

    Attributes:
        chain: the number of the row's chain among the ChainInputs.
        sign: 1.0 for calls, -1.0 for puts.
        strike: dollars a share, above 0.
        bid, ask: dollars a share as the feed states them, 0 or NaN for none.
        usable: False for a row in quarantine (adjusted contracts): it gets nothing and is used for nothing. Faults of a
            quote (no bid, crossed) need no mark: they are seen in bid and ask.
    """

    chain: Integers
    sign: Floats
    strike: Floats
    bid: Floats
    ask: Floats
    usable: Booleans

    @property
    def two_sided(self) -> Booleans:
        """Say which rows have a bid above 0, an ask not below it, and are usable."""
        marked: Booleans = self.usable & (self.bid > 0) & (self.ask >= self.bid)
        return marked

    def of(self, rows: Booleans | Integers) -> QuoteRows:
        """Return some of the rows."""
        return QuoteRows(
            self.chain[rows],
            self.sign[rows],
            self.strike[rows],
            self.bid[rows],
            self.ask[rows],
            self.usable[rows],
        )
