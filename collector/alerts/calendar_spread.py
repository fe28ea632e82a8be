"""What a calendar spread comes to when its near contract expires: the far one is revalued by a model.

The far contract is valued by Black-76 at its own volatility of today, held, with the carry and the discount that the
two forwards imply today; an American one is worth its exercise at least. A forward above what the discount explains (a
share that costs its holder) is taken as one of no yield, so that no profit rests on it. Both contracts have one strike
and one type.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.optimize import brentq

from collector.alerts.structures import DECIMALS, Contract, Payoff, profitable_ranges
from collector.analytics import black76
from collector.analytics.terms import Floats

MODEL = "black_76_far_volatility_held"
# Where break-evens are looked for: in ln(price / strike), as many deviations of the far tenor densely, and a range that
# no price leaves; in so many steps each.
DENSE, FARTHEST = 8.0, 5.0
STEPS = 401


@dataclass(frozen=True, slots=True)
class Interval:
    """What lies between the two expirations.

    Attributes:
        near_tenor, far_tenor: years from now.
        growth: far forward over near forward.
        discount: far discount factor over near discount factor.
        american: whether the contracts may be exercised early.
    """

    near_tenor: float
    far_tenor: float
    growth: float
    discount: float
    american: bool


def worth_of_far(far: Contract, interval: Interval, prices: Floats) -> Floats:
    """Return what the far contract is worth a share at the near expiration, shape of ``prices`` (above 0)."""
    sign = 1.0 if far.option_type == "call" else -1.0
    value = black76.price(
        prices * min(interval.growth, 1.0 / interval.discount),
        np.array(far.strike),
        np.array(interval.far_tenor - interval.near_tenor),
        np.array(far.implied_volatility),
        np.array(interval.discount),
        np.array(sign),
    )
    if interval.american:
        value = np.maximum(value, np.maximum(sign * (prices - far.strike), 0.0))
    return value


def calendar_payoff(near: Contract, far: Contract, net: float, interval: Interval) -> Payoff:
    """Return what a calendar spread, the near contract sold and the far one bought, comes to for ``net`` dollars.

    The most it brings lies at the strike: below it the far put's delta, above it the far call's, is never more than the
    near one's. An American far contract is always worth the near one's exercise, so no more than the price is lost. A
    European far put may be worth less by the interest on the strike or by the carry; a European far call falls behind
    the share without bound where the share pays, so its loss is not defined.

    Args:
        near, far: of one strike, type and multiplier; the far one has a volatility.
        net: price paid, dollars.
        interval: between the expirations.
    """
    sign = 1.0 if near.option_type == "call" else -1.0

    def profit(prices: Floats) -> Floats:
        """Return profit in dollars at prices of the underlying at the near expiration."""
        held = worth_of_far(far, interval, prices) - np.maximum(sign * (prices - near.strike), 0.0)
        rounded: Floats = np.round(near.multiplier * held - net, DECIMALS)
        return rounded

    dense = DENSE * far.implied_volatility * sqrt(interval.far_tenor)
    ways = np.union1d(np.linspace(-dense, dense, STEPS), np.linspace(-FARTHEST, FARTHEST, STEPS))
    grid = near.strike * np.exp(ways)
    values = profit(grid)
    grid, values = grid[values != 0], values[values != 0]
    places = np.flatnonzero(np.sign(values[:-1]) != np.sign(values[1:]))
    zeros = tuple(_zero(far, near, net, interval, float(grid[place]), float(grid[place + 1])) for place in places)
    return Payoff(
        max_profit=float(profit(np.array([near.strike]))[0]),
        max_loss=net + near.multiplier * _shortfall(far, interval),
        break_evens=zeros,
        profitable=profitable_ranges(profit, zeros, beyond=float(grid[-1])),
    )


def _zero(far: Contract, near: Contract, net: float, interval: Interval, low: float, high: float) -> float:
    """Return the price between two at which profit is 0."""
    sign = 1.0 if near.option_type == "call" else -1.0

    def profit(price: float) -> float:
        """Return profit in dollars, not rounded."""
        worth = float(worth_of_far(far, interval, np.array(price)))
        return near.multiplier * (worth - max(sign * (price - near.strike), 0.0)) - net

    return float(brentq(profit, low, high, xtol=1e-10, rtol=1e-12))


def _shortfall(far: Contract, interval: Interval) -> float:
    """Return the most by which the near contract's exercise exceeds the far one's worth, dollars a share.

    A European put is worth max(0, discount (K - growth S)) at least, which falls short of K - S the most at the price
    of 0 or where it is worth nothing.
    """
    if interval.american:
        return 0.0
    if far.option_type == "call":
        return float("inf")
    return far.strike * max(0.0, 1.0 - interval.discount, 1.0 - 1.0 / interval.growth)
