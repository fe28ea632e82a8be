"""The demo market's true values: what its quotes are made from, kept so that the analytics can be judged by them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from collector.providers.base import EmptyAnswer, OptionType
from collector.providers.demo.draws import FloatArray
from collector.providers.demo.expirations import ListedExpiration, listed_expirations
from collector.providers.demo.path import PricePath, price_path
from collector.providers.demo.pricing import black_76
from collector.providers.demo.surface import Term, implied_volatility, term
from collector.providers.demo.timeline import timeline
from collector.providers.demo.universe import DemoTicker, find


@dataclass(frozen=True, slots=True)
class Truth:
    """The true values of one contract at one moment.

    Attributes:
        spot, forward: unrounded prices of a share.
        rate: continuously compounded, decimal per year.
        dividend_yield: continuous, decimal per year.
        tenor: years of 365 days to settlement.
        implied_volatility: decimal per year.
        price: unrounded European price by Black-76, per share.
    """

    spot: float
    forward: float
    rate: float
    dividend_yield: float
    tenor: float
    implied_volatility: float
    price: float


def prices(path: PricePath, common: Term, strike: FloatArray, sign: FloatArray) -> FloatArray:
    """Return the true price of each strike; ``sign`` is 1.0 for calls, -1.0 for puts."""
    sigma = implied_volatility(path, common, strike)
    return black_76(common.forward, strike, common.tenor, sigma, common.discount, sign)


def find_expiration(ticker: DemoTicker, expiration: date, moment: datetime) -> ListedExpiration:
    """Return the listed expiration of that date; raise EmptyAnswer where ``moment`` has none."""
    for listed in listed_expirations(ticker, timeline().ordinal_at(moment)):
        if listed.date == expiration and listed.settles > moment:
            return listed
    raise EmptyAnswer(f"{ticker.name} lists no expiration {expiration} at {moment.isoformat()}")


def truth(ticker: str, expiration: date, strike: float, option_type: OptionType, moment: datetime) -> Truth:
    """Return the true values of a contract, whether its strike is listed or not.

    Raises:
        TickerNotFound: the market has no such ticker.
        EmptyAnswer: the expiration is not listed at ``moment``.
        ValueError: ``moment`` is naive or outside the market; the strike is not above 0.
    """
    if not strike > 0:
        raise ValueError(f"strike {strike} must be above 0")
    path = price_path(find(ticker).name)
    at = timeline().instant(moment)
    common = term(path, find_expiration(path.ticker, expiration, moment).settles, at)
    strikes, sign = np.array([strike]), np.array([1.0 if option_type == "call" else -1.0])
    return Truth(
        spot=float(common.spot[0]),
        forward=float(common.forward[0]),
        rate=float(common.rate[0]),
        dividend_yield=path.ticker.dividend_yield,
        tenor=float(common.tenor[0]),
        implied_volatility=float(implied_volatility(path, common, strikes)[0]),
        price=float(prices(path, common, strikes, sign)[0]),
    )
