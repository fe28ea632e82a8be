"""The demo's true 30-day volatility: what a scan's iv_30d has to find."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from collector.providers.base import EmptyAnswer
from collector.providers.demo.expirations import ListedExpiration, listed_expirations
from collector.providers.demo.path import price_path
from collector.providers.demo.script import dark_chain, missing_chain
from collector.providers.demo.surface import SECONDS_PER_YEAR, implied_volatility, term
from collector.providers.demo.timeline import timeline
from collector.providers.demo.universe import DemoTicker, find

MONTH = 30 * 86_400 / SECONDS_PER_YEAR


def month_volatility(ticker: str, moment: datetime) -> float:
    """Return the true 30-day volatility at the money, decimal per year.

    It is linear in total variance between the volatilities at the forward of the last quoted expiration within 30 days
    and the first beyond.

    Raises:
        TickerNotFound: the market has no such ticker.
        EmptyAnswer: none is quoted on one side of the 30 days.
        ValueError: ``moment`` is naive or outside the market.
    """
    path, at = price_path(find(ticker).name), timeline().instant(moment)
    years: list[float] = []
    variances: list[float] = []
    for expiration in quoted_expirations(path.ticker, moment):
        common = term(path, expiration.settles, at)
        years.append(float(common.tenor[0]))
        variances.append(float(implied_volatility(path, common, common.forward)[0]) ** 2 * years[-1])
    if not years or not years[0] <= MONTH <= years[-1]:
        raise EmptyAnswer(f"{ticker} quotes no expirations around 30 days at {moment.isoformat()}")
    return float(np.sqrt(np.interp(MONTH, years, variances) / MONTH))


def quoted_expirations(ticker: DemoTicker, moment: datetime) -> tuple[ListedExpiration, ...]:
    """Return the expirations alive at ``moment`` that are neither dark nor missing then, by date."""
    at = timeline().instant(moment)
    ordinal = int(at.ordinal[0])
    without = {dark_chain(ordinal), missing_chain(ordinal, float(at.progress[0]))}
    return tuple(
        expiration
        for expiration in listed_expirations(ticker, ordinal)
        if expiration.settles > moment and (ticker.name, expiration.date) not in without
    )
