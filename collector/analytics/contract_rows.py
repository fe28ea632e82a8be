"""Contracts with what the valuation of early exercise needs of them."""

from __future__ import annotations

from dataclasses import dataclass

from collector.analytics.american_premium import Puts
from collector.analytics.terms import Booleans, Floats, Integers


@dataclass(frozen=True, slots=True)
class Rows:
    """Contracts sorted by chain and side, shape (n,), with what their valuation needs.

    ``spot`` is less the present value of the cash dividends, ``intrinsic`` the least that exercise is worth,
    ``dividends`` says whose chain has cash dividends, ``key`` is twice the chain's number, plus 1 for calls.
    """

    chain: Integers
    key: Integers
    sign: Floats
    strike: Floats
    spot: Floats
    forward: Floats
    tenor: Floats
    discount: Floats
    intrinsic: Floats
    dividends: Booleans
    puts: Puts

    def of(self, rows: Booleans | Integers) -> Rows:
        """Return some of the rows, in their order."""
        return Rows(
            self.chain[rows],
            self.key[rows],
            self.sign[rows],
            self.strike[rows],
            self.spot[rows],
            self.forward[rows],
            self.tenor[rows],
            self.discount[rows],
            self.intrinsic[rows],
            self.dividends[rows],
            self.puts.of(rows),
        )
