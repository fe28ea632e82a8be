"""Structures of options of one expiration: legs, prices, and what they come to at expiration.

Everything is in dollars for one structure, multipliers included; a price paid is positive, one received negative. At
expiration profit is linear in the underlying's price between strikes, so that strikes, the price of 0 and the slope
beyond the last strike tell its bounds and its zeros. Interest, commissions and what an early assignment brings (a
dividend owed, say) are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite
from typing import Literal

import numpy as np

from collector.analytics.terms import Floats

OptionType = Literal["call", "put"]

# Dollars are rounded to this many decimals before their sign is asked for: sums of quotes are not exact in binary.
DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract with a two-sided quote: prices in dollars a share, Greeks as documents state them, NaN for null."""

    symbol: str
    option_type: OptionType
    strike: float
    multiplier: float
    bid: float
    ask: float
    mid: float
    implied_volatility: float
    delta: float
    gamma: float
    theta: float
    vega: float


@dataclass(frozen=True, slots=True)
class Leg:
    """``quantity`` contracts, bought where it is above 0, sold where it is below."""

    contract: Contract
    quantity: int

    @property
    def size(self) -> float:
        """Shares, signed: quantity times multiplier."""
        return self.quantity * self.contract.multiplier

    @property
    def crossing(self) -> float:
        """Price a share when crossing the spread: the ask where it is bought, the bid where it is sold."""
        return self.contract.ask if self.quantity > 0 else self.contract.bid


@dataclass(frozen=True, slots=True)
class Structure:
    """Legs under the name that traders give them."""

    name: str
    legs: tuple[Leg, ...]

    @property
    def net_mid(self) -> float:
        """Dollars paid at the mids; negative where received."""
        return _dollars(sum(leg.size * leg.contract.mid for leg in self.legs))

    @property
    def net_crossing(self) -> float:
        """Dollars paid at the asks of what is bought and the bids of what is sold; negative where received."""
        return _dollars(sum(leg.size * leg.crossing for leg in self.legs))

    @property
    def crossing_cost(self) -> float:
        """Dollars that crossing the spreads costs against the mids."""
        return self.net_crossing - self.net_mid

    def greek(self, name: Literal["delta", "gamma", "theta", "vega"]) -> float | None:
        """Return the sum of a Greek over the legs, in dollars; None where a leg has none."""
        total = float(sum(leg.size * getattr(leg.contract, name) for leg in self.legs))
        return total if isfinite(total) else None


@dataclass(frozen=True, slots=True)
class Payoff:
    """What a structure comes to when it ends.

    Attributes:
        max_profit: dollars, infinite where it has no bound.
        max_loss: dollars, positive; infinite where it has no bound.
        break_evens: prices of the underlying at which profit is 0 and leaves 0, ascending.
        profitable: ranges of the underlying's price with a profit; the last may end at infinity.
    """

    max_profit: float
    max_loss: float
    break_evens: tuple[float, ...]
    profitable: tuple[tuple[float, float], ...]


def bought(contract: Contract, quantity: int = 1) -> Leg:
    """Return a bought leg."""
    return Leg(contract, quantity)


def sold(contract: Contract, quantity: int = 1) -> Leg:
    """Return a sold leg."""
    return Leg(contract, -quantity)


def worth_at_expiration(legs: Sequence[Leg], prices: Floats) -> Floats:
    """Return what legs of one expiration are worth when they expire, dollars, shape of ``prices``."""
    worth = np.zeros(prices.shape)
    for leg in legs:
        sign = 1.0 if leg.contract.option_type == "call" else -1.0
        worth += leg.size * np.maximum(sign * (prices - leg.contract.strike), 0.0)
    return worth


def payoff_at_expiration(structure: Structure, net: float) -> Payoff:
    """Return what a structure of one expiration comes to for a price of ``net`` dollars (see Structure)."""
    legs = structure.legs
    strikes = sorted({leg.contract.strike for leg in legs})
    nodes = np.array([0.0, *strikes])
    slope = sum(leg.size for leg in legs if leg.contract.option_type == "call")

    def profit(prices: Floats) -> Floats:
        """Return profit in dollars at prices of the underlying."""
        rounded: Floats = np.round(worth_at_expiration(legs, prices) - net, DECIMALS)
        return rounded

    values = profit(nodes)
    zeros = _zeros(nodes.tolist(), values.tolist(), slope)
    return Payoff(
        max_profit=inf if slope > 0 else float(values.max()),
        max_loss=inf if slope < 0 else -float(values.min()),
        break_evens=zeros,
        profitable=profitable_ranges(profit, zeros, beyond=strikes[-1]),
    )


def profitable_ranges(
    profit: Callable[[Floats], Floats], zeros: Sequence[float], beyond: float
) -> tuple[tuple[float, float], ...]:
    """Return where profit is above 0: it keeps its sign between its zeros, and above ``beyond`` and the last of them.

    Args:
        profit: dollars at prices of the underlying.
        zeros: its zeros, ascending.
        beyond: a price above which the last range is asked.
    """
    cuts = [0.0, *zeros, inf]
    middles = [(low + high) / 2 for low, high in pairwise(cuts[:-1])]
    inside = profit(np.array([*middles, max(beyond, cuts[-2]) + 1.0]))
    return tuple(cut for cut, value in zip(pairwise(cuts), inside.tolist(), strict=True) if value > 0)


def _dollars(value: float) -> float:
    """Return dollars without the noise of binary sums, 0 without a sign."""
    return round(value, DECIMALS) + 0.0


def _zeros(nodes: list[float], values: list[float], slope: float) -> tuple[float, ...]:
    """Return the zeros of a line through points, with ``slope`` after the last; of a level stretch of 0 its ends."""
    zeros = []
    level = [a == 0 and b == 0 for a, b in pairwise(values)]
    # Before the price of 0 is nothing, as after a level end.
    left, right = [True, *level], [*level, values[-1] == 0 and slope == 0]
    for place, (node, value) in enumerate(zip(nodes, values, strict=True)):
        if value == 0 and node > 0 and not (left[place] and right[place]):
            zeros.append(node)
    for (low, high), (first, second) in zip(pairwise(nodes), pairwise(values), strict=True):
        if first * second < 0:
            zeros.append(low - first * (high - low) / (second - first))
    if values[-1] * slope < 0:
        zeros.append(nodes[-1] - values[-1] / slope)
    return tuple(sorted(zeros))
