"""The demo market's true values: what its quotes are made from, kept so that the analytics can be judged by them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from collector.providers.base import EmptyAnswer, OptionType
from collector.providers.demo.draws import FloatArray
from collector.providers.demo.early_exercise import Options, premium
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
        dividends: years to the ex-date's open and dollars a share of each dividend before settlement.
        tenor: years of 365 days to settlement.
        implied_volatility: of the spot less the present value of those dividends, decimal per year.
        price: unrounded American price, per share.
        european_price: by Black-76, per share.
    """

    spot: float
    forward: float
    rate: float
    dividends: tuple[tuple[float, float], ...]
    tenor: float
    implied_volatility: float
    price: float
    european_price: float


def prices(path: PricePath, common: Term, strike: FloatArray, sign: FloatArray) -> FloatArray:
    """Return the true American price of each strike at one instant; ``sign`` is 1.0 for calls, -1.0 for puts."""
    sigma = implied_volatility(path, common, strike)
    european = black_76(common.forward, strike, common.tenor, sigma, common.discount, sign)
    dividends = list(zip(common.times[:, 0].tolist(), common.amounts[:, 0].tolist(), strict=True))
    added = np.zeros(len(strike))
    for side in (1.0, -1.0):
        rows = sign == side
        if rows.any():
            added[rows] = premium(
                Options(
                    escrowed=float(common.escrowed[0]),
                    tenor=float(common.tenor[0]),
                    rate=float(common.rate[0]),
                    strike=strike[rows],
                    sigma=sigma[rows],
                    sign=side,
                    dividends=dividends,
                )
            )
    worth: FloatArray = np.maximum(european + np.maximum(added, 0.0), sign * (common.spot - strike))
    return worth


def trade_prices(path: PricePath, common: Term, strike: FloatArray, sign: FloatArray) -> FloatArray:
    """Return about what each strike was worth at an instant of its own: the European price, or exercise where more."""
    sigma = implied_volatility(path, common, strike)
    european = black_76(common.forward, strike, common.tenor, sigma, common.discount, sign)
    worth: FloatArray = np.maximum(european, sign * (common.spot - strike))
    return worth


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
    sigma = implied_volatility(path, common, strikes)
    return Truth(
        spot=float(common.spot[0]),
        forward=float(common.forward[0]),
        rate=float(common.rate[0]),
        dividends=tuple(zip(common.times[:, 0].tolist(), common.amounts[:, 0].tolist(), strict=True)),
        tenor=float(common.tenor[0]),
        implied_volatility=float(sigma[0]),
        price=float(prices(path, common, strikes, sign)[0]),
        european_price=float(black_76(common.forward, strikes, common.tenor, sigma, common.discount, sign)[0]),
    )
