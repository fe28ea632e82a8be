"""Rates, forwards and smiles of the demo market, as functions of time.

The smile is the SSVI surface of Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance
14 (2014), with phi(theta) = curvature / sqrt(theta): free of butterfly arbitrage while curvature² (1 + |skew|) <= 4,
and of calendar arbitrage because theta grows with tenor. Total variance at the money is that of a mean-reverting
variance plus one squared move for each earnings report before settlement. What is staged in it: surface_events.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache

import numpy as np

from collector.providers.demo.corporate_actions import dividends, ex_dates, reports
from collector.providers.demo.draws import FloatArray, IntArray, Purpose, mean_reverting, normal
from collector.providers.demo.path import PricePath, price_path
from collector.providers.demo.surface_events import kinked_share, overpriced_move
from collector.providers.demo.timeline import Instants, timeline

SECONDS_PER_YEAR = 365 * 86400
_RATE_CENTRE = 0.037
_RATE_PERSISTENCE = 0.995
_RATE_SHOCK = 0.0004
_TERM_PREMIUM = 0.006
_VARIANCE_REVERSION = 3.0
_LONG_VARIANCE_RATIO = 1.05


@dataclass(frozen=True, slots=True)
class Term:
    """What one expiration has in common at some instants: spot, tenor (years), rate, discount factor, forward, smile.

    ``theta`` is the total variance at the forward, ``skew`` the smile's correlation parameter, ``escrowed`` the spot
    less the present value of the dividends before settlement. ``times`` and ``amounts``, shape (d, k), are the years to
    their ex-dates and dollars a share; 0 at an instant that is past one.
    """

    spot: FloatArray
    tenor: FloatArray
    rate: FloatArray
    discount: FloatArray
    forward: FloatArray
    theta: FloatArray
    skew: FloatArray
    escrowed: FloatArray
    times: FloatArray
    amounts: FloatArray


@cache
def _rate_levels() -> FloatArray:
    ordinals = np.arange(len(timeline()))
    wander = mean_reverting(_RATE_SHOCK * normal(Purpose.RATE, ordinals), _RATE_PERSISTENCE)
    levels: FloatArray = np.clip(_RATE_CENTRE + wander, 0.01, 0.08)
    return levels


def rate(ordinals: IntArray, tenor: FloatArray) -> FloatArray:
    """Return the continuously compounded rate for ``tenor`` years; it stays for a session."""
    rates: FloatArray = _rate_levels()[ordinals] - _TERM_PREMIUM * np.exp(-tenor)
    return rates


def term(path: PricePath, settles: datetime, at: Instants) -> Term:
    """Return what the expiration that settles at ``settles`` has in common at each instant before it."""
    ticker = path.ticker
    settlement = settles.timestamp()
    tenor = (settlement - at.seconds) / SECONDS_PER_YEAR
    rates = rate(at.ordinal, tenor)
    spot = path.price(at)
    times, amounts = _dividends(path, settlement, at)
    escrowed = spot - (amounts * np.exp(-rates * times)).sum(axis=0)
    forward = escrowed * np.exp(rates * tenor)
    variance, skew = _between_closes(path.variance, at), _between_closes(path.skew, at)
    long_run = _LONG_VARIANCE_RATIO * ticker.volatility**2
    decay = (1.0 - np.exp(-_VARIANCE_REVERSION * tenor)) / _VARIANCE_REVERSION
    theta = long_run * tenor + (variance - long_run) * decay
    theta = theta + _variance_of_reports(path, settlement, at)
    theta = theta * (1.0 + kinked_share(ticker, settlement, at.ordinal))
    return Term(spot, tenor, rates, np.exp(-rates * tenor), forward, theta, skew, escrowed, times, amounts)


def implied_volatility(path: PricePath, term: Term, strike: FloatArray) -> FloatArray:
    """Return the true implied volatility of each strike, decimal per year."""
    scaled = path.ticker.curvature * np.log(strike / term.forward) / np.sqrt(term.theta)
    wing = np.sqrt((scaled + term.skew) ** 2 + 1.0 - term.skew**2)
    total: FloatArray = term.theta / 2 * (1.0 + term.skew * scaled + wing)
    return np.sqrt(total / term.tenor)


def _dividends(path: PricePath, settlement: float, at: Instants) -> tuple[FloatArray, FloatArray]:
    """Return years and dollars of the dividends that go ex after each instant and before settlement, shape (d, k)."""
    ordinals = ex_dates(path.ticker, path.timeline)
    opens = path.timeline.opens[ordinals]
    taken = (opens > at.seconds.min()) & (opens < settlement)
    ordinals, opens = ordinals[taken, None], opens[taken, None]
    ahead = opens > at.seconds
    times = np.where(ahead, (opens - at.seconds) / SECONDS_PER_YEAR, 0.0)
    return times, np.where(ahead, dividends(path.ticker, ordinals, at.ordinal), 0.0)


def _between_closes(levels: FloatArray, at: Instants) -> FloatArray:
    before = levels[np.maximum(at.ordinal - 1, 0)]
    return before + at.progress * (levels[at.ordinal] - before)


def _variance_of_reports(path: PricePath, settlement: float, at: Instants) -> FloatArray:
    """Return what the reports between each instant and the settlement add to total variance."""
    times, until_each = _priced_reports(path.ticker.name)
    until = int(np.searchsorted(times, settlement, side="left"))
    variance: FloatArray = until_each[until] - until_each[np.searchsorted(times, at.seconds, side="right")]
    return variance


def priced_move(name: str, report: int) -> float:
    """Return the move (standard deviation of the log return) that options expect of the report of a session."""
    path = price_path(name)
    moves = np.diff(path.end, prepend=path.end[:1])
    return overpriced_move(path.ticker, moves, report) or path.ticker.earnings_move


@cache
def _priced_reports(name: str) -> tuple[FloatArray, FloatArray]:
    """Return the times of a ticker's reports (POSIX), and the variance that options hold for the first n of them."""
    path = price_path(name)
    ordinals = reports(path.ticker, len(path.timeline))
    priced = [priced_move(name, ordinal) for ordinal in ordinals.tolist()]
    return path.timeline.closes[ordinals], np.concatenate([[0.0], np.cumsum(np.square(priced))])
