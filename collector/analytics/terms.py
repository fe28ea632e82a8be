"""What the contracts of a chain share: tenor, rate, forward, spot, cash dividends.

One object describes all chains of a ticker, so that a computation runs over the contracts of all of them at once: a
contract says by its chain's number which terms are its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from collector.market.dividends import Dividend as Dividend

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Terms:
    """The terms of m chains.

    Attributes:
        tenor: shape (m,), years of 365 days to settlement, above 0.
        rate: shape (m,), continuous, to settlement.
        forward: shape (m,), price of a share for delivery at settlement, above 0.
        spot: shape (m,), price of a share now, dividends still in it, above 0. Consistent with the forward: see
            carry_yield.
        american: shape (m,), whether the contracts may be exercised early.
        dividends: for each chain the cash dividends that go ex before it settles, by time; () where none does.
    """

    tenor: Floats
    rate: Floats
    forward: Floats
    spot: Floats
    american: Booleans
    dividends: tuple[tuple[Dividend, ...], ...]

    @cached_property
    def discount(self) -> Floats:
        """Discount factor to settlement, shape (m,)."""
        factors: Floats = np.exp(-self.rate * self.tenor)
        return factors

    @cached_property
    def present_dividends(self) -> Floats:
        """Present value of the cash dividends, dollars a share, shape (m,)."""
        return np.array(
            [
                sum(dividend.amount * np.exp(-rate * dividend.time) for dividend in dividends)
                for rate, dividends in zip(self.rate, self.dividends, strict=True)
            ],
            dtype=np.float64,
        )

    @cached_property
    def dividend_duration(self) -> Floats:
        """What the present value of the cash dividends falls by for 1 of rate, dollars a share times years, (m,)."""
        return np.array(
            [
                sum(dividend.time * dividend.amount * np.exp(-rate * dividend.time) for dividend in dividends)
                for rate, dividends in zip(self.rate, self.dividends, strict=True)
            ],
            dtype=np.float64,
        )

    @cached_property
    def escrowed_spot(self) -> Floats:
        """Spot less the present value of the cash dividends, shape (m,)."""
        escrowed: Floats = self.spot - self.present_dividends
        return escrowed

    @cached_property
    def carry_yield(self) -> Floats:
        """Continuous yield q that is left: forward = (spot - dividends) e^((rate - q) tenor); shape (m,).

        It holds what the cash dividends do not: a continuous yield, the cost to borrow the share.
        """
        left: Floats = self.rate - np.log(self.forward / self.escrowed_spot) / self.tenor
        return left

    def at_rate(self, bump: float) -> Terms:
        """Return the terms with the rate moved; spot, yield and cash dividends stay."""
        rate = self.rate + bump
        moved = replace(self, rate=rate)
        carried = moved.escrowed_spot * np.exp((rate - self.carry_yield) * self.tenor)
        return replace(moved, forward=carried)

    def of(self, chains: Integers) -> Terms:
        """Return some of the chains, in that order."""
        return Terms(
            self.tenor[chains],
            self.rate[chains],
            self.forward[chains],
            self.spot[chains],
            self.american[chains],
            tuple(self.dividends[chain] for chain in chains),
        )
