"""The figures of one ticker in one scan: spot, returns, realised volatility, volume, open interest, next earnings."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from collector.analytics.open_interest import ticker_totals
from collector.analytics.range_volatility import Sessions, range_volatilities
from collector.analytics.realised_volatility import WINDOW, realised_volatility, rolling_realised_volatility
from collector.analytics.term_structure import term_structure
from collector.analytics.volatility_cone import volatility_cone
from collector.analytics.volatility_features import ChainsView, volatility_features
from collector.analytics.volatility_rank import volatility_rank
from collector.market.calendar import exchange_sessions
from collector.providers.base import Bar, Event
from exports.documents import CHAIN_TOTALS, FEATURE_FIELDS

RETURN_SESSIONS = (1, 5, 20)
WINDOWS = (10, WINDOW, 60)
# Sessions of bars behind the cone and the rank: a year of windows, and the longest window before them.
LONG_WINDOW = 252 + 121

_NAMES = tuple(field.name for field in FEATURE_FIELDS)
# The figures between price and next_earnings_confirmed are this module's; the rest names the scan and is added there.
COMPUTED_HERE = _NAMES[_NAMES.index("price") : _NAMES.index("implied_earnings_expiration") + 1]

# What stands on the history of implied volatility is put in by who has it: the join.
RANKED_LATER = tuple(name for name in _NAMES if name.startswith("iv_rank") or name == "iv_percentile")
NO_CHAINS = ChainsView((), term_structure(np.zeros(0), np.zeros(0)), None, None, 0, None)

Figure = tuple[Any, str | None]


def features(
    *,
    ticker: str,
    price: float | None,
    contracts: pd.DataFrame,
    bars: Sequence[Bar],
    market_date: date,
    expirations_used: int,
    expirations_listed: int | None,
    events: Sequence[Event],
    as_of: datetime,
    price_time: datetime | None = None,
    chains: ChainsView | None = None,
) -> dict[str, Any]:
    """Return the figures of one ticker, each None with its reason where it cannot be known.

    Args:
        ticker: canonical.
        price: spot; None, NaN, 0 and below count as not stated.
        contracts: rows of the usable chains, with the columns that ticker_totals reads; may be empty.
        bars: daily bars oldest first, as printed. Bars after ``market_date`` are not looked at.
        market_date: session that the quotes belong to.
        expirations_used: expirations behind ``contracts``.
        expirations_listed: expirations that the feed lists.
        events: what is known by now of the ticker and of the whole market.
        as_of: moment that the figures stand for.
        price_time: the spot's own time.
        chains: what the usable chains' volatilities came to; None where there is none.

    Returns:
        Every name of COMPUTED_HERE, and ``reasons``. Dates and times are objects, not text.

    A return over k sessions is the spot against the close of the k-th session before ``market_date``, splits from
    there through ``market_date`` undone. Realised volatility and the underlying's volume end at the last closed
    session: ``market_date`` where it had closed by ``as_of`` and its bar is there, else the session before.
    """
    figures: dict[str, Figure] = dict.fromkeys(COMPUTED_HERE, (None, "not_computed"))
    spot = price if price is not None and math.isfinite(price) and price > 0 else None
    figures["price"] = (spot, "no_spot")
    figures["price_time"] = (price_time, "not_stated")
    figures |= _history(spot, bars, market_date, as_of, _splits(events, ticker))
    figures |= _option_figures(contracts)
    figures["expirations_used"] = (expirations_used, None)
    figures["expirations_listed"] = (expirations_listed, "not_stated")
    partial = None if expirations_listed is None else expirations_used < expirations_listed
    figures["partial"] = (partial, "not_stated")
    figures |= _next_earnings(ticker, events, market_date, as_of)
    figures |= volatility_features(chains or NO_CHAINS, figures["volatility_cone"][0])
    figures["volatility_risk_premium"] = _difference(figures, "iv_30d", f"realised_volatility_{WINDOW}d")
    figures |= dict.fromkeys(RANKED_LATER, (None, "short_history"))
    record = {name: value for name, (value, _) in figures.items()}
    record["reasons"] = {name: reason for name, (value, reason) in figures.items() if value is None}
    return record


def _difference(figures: Mapping[str, Figure], name: str, less: str) -> Figure:
    """Return one figure less another, None with the reason of the one that is missing."""
    (value, reason), (other, other_reason) = figures[name], figures[less]
    return (None, reason or other_reason) if value is None or other is None else (value - other, None)


def _option_figures(contracts: pd.DataFrame) -> dict[str, Figure]:
    if contracts.empty:
        return dict.fromkeys((field.name for field in CHAIN_TOTALS), (None, "no_usable_chain"))
    totals, reasons = ticker_totals(contracts)
    return {name: (value, reasons.get(name)) for name, value in totals.items()}


@lru_cache(maxsize=1024)
def _sessions_before(market_date: date, count: int) -> tuple[date, ...]:
    """Return the ``count`` sessions strictly before the date, oldest first."""
    # Weekends and holidays take less than a third of any stretch of days; ten more cover the longest closure.
    start = market_date - timedelta(days=count * 3 // 2 + 15)
    days = [session.date for session in exchange_sessions().between(start, market_date) if session.date < market_date]
    return tuple(days[-count:])


@lru_cache(maxsize=1024)
def _close_of(market_date: date) -> datetime | None:
    session = exchange_sessions().session(market_date)
    return None if session is None else session.close


def _splits(events: Sequence[Event], ticker: str) -> dict[date, float]:
    """Return the split ratios by their first session, from events; bars carry their own."""
    return {
        event.date: event.amount
        for event in events
        if event.kind == "split" and event.ticker == ticker and event.amount is not None and event.amount > 0
    }


def _history(
    spot: float | None, bars: Sequence[Bar], market_date: date, as_of: datetime, splits: Mapping[date, float]
) -> dict[str, Figure]:
    days = _sessions_before(market_date, WINDOW + 1)
    end = bisect_left(bars, market_date, key=lambda bar: bar.date)
    by_date = {bar.date: bar for bar in bars[max(end - LONG_WINDOW - 10, 0) : end + 1] if bar.date <= market_date}
    figures: dict[str, Figure] = {}
    for count in RETURN_SESSIONS:
        figures[f"return_{count}d"] = _return(spot, by_date, (*days[-count:], market_date), splits)
    closed = _closed_sessions(by_date, market_date, as_of)
    figures |= _underlying_volatility(closed, "short_history" if by_date else "no_history")
    last = closed[-1] if closed else None
    missing = "short_history" if by_date else "no_history"
    figures["underlying_volume"] = (None, missing) if last is None else (last.volume, "not_stated")
    return figures


def _closed_sessions(by_date: Mapping[date, Bar], market_date: date, as_of: datetime) -> tuple[Bar | None, ...]:
    """Return the bars of the last closed sessions, oldest first, None where one is missing."""
    days = _sessions_before(market_date, LONG_WINDOW)
    close = _close_of(market_date)
    if market_date in by_date and close is not None and close <= as_of:
        days = (*days[1:], market_date)
    return tuple(by_date.get(day) for day in days)


def _underlying_volatility(sessions: Sequence[Bar | None], missing: str) -> dict[str, Figure]:
    """Return realised volatilities, their rank and their cone, of sessions oldest first."""
    prices = {
        name: np.array([_price(bar, name) for bar in sessions], dtype=np.float64)
        for name in ("open", "high", "low", "close")
    }
    factors = np.array([1.0 if bar is None else bar.split_factor for bar in sessions])
    figures: dict[str, Figure] = {}
    for window in WINDOWS:
        value, reason = realised_volatility(prices["close"], factors, window)
        figures[f"realised_volatility_{window}d"] = (value, reason and missing)
    ranges = range_volatilities(Sessions(**prices, split_factor=factors), WINDOW)
    for name, (value, reason) in ranges.items():
        figures[f"{name}_{WINDOW}d"] = (value, missing if reason == "short_history" else reason)
    rolled = rolling_realised_volatility(prices["close"], factors, WINDOW)
    rank = volatility_rank(rolled[:-1], figures[f"realised_volatility_{WINDOW}d"][0], missing)
    figures["realised_volatility_rank"] = (rank.rank, missing if rank.reason == "short_history" else rank.reason)
    figures["volatility_cone"] = ([asdict(row) for row in volatility_cone(prices["close"], factors)], None)
    return figures


def _price(bar: Bar | None, name: str) -> float:
    value = None if bar is None else getattr(bar, name)
    return math.nan if value is None else value


def _return(
    spot: float | None, by_date: Mapping[date, Bar], days: Sequence[date], splits: Mapping[date, float]
) -> Figure:
    """Return spot over the close of ``days[0]`` less 1, with the splits of the later days undone."""
    if spot is None:
        return None, "no_spot"
    if not by_date:
        return None, "no_history"
    # A session without a bar could hide a split, so each day in between has to be there; the running one has none yet.
    if any(day not in by_date for day in days[:-1]):
        return None, "short_history"
    base = by_date[days[0]].close
    if base is None or not base > 0:
        return None, "short_history"
    factor = math.prod(by_date[day].split_factor if day in by_date else splits.get(day, 1.0) for day in days[1:])
    return spot * factor / base - 1.0, None


def _next_earnings(ticker: str, events: Sequence[Event], market_date: date, as_of: datetime) -> dict[str, Figure]:
    """Return the nearest earnings date that is not past; of several statements on one date, the newest."""
    coming = [
        event
        for event in events
        if event.kind == "earnings"
        and event.ticker == ticker
        and (event.time > as_of if event.time is not None else event.date >= market_date)
    ]
    if not coming:
        return {"next_earnings_date": (None, "no_event"), "next_earnings_confirmed": (None, "no_event")}
    nearest = min(event.date for event in coming)
    newest = max((event for event in coming if event.date == nearest), key=lambda event: event.known_at)
    return {
        "next_earnings_date": (newest.date, None),
        "next_earnings_confirmed": (newest.confirmed, "not_stated"),
    }
