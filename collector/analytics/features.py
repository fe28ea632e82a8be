"""The figures of one ticker in one scan: spot, returns, realised volatility, volume, open interest, next earnings."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from collector.analytics.open_interest import ticker_totals
from collector.analytics.realised_volatility import WINDOW, realised_volatility
from collector.market.calendar import exchange_sessions
from collector.providers.base import Bar, Event
from exports.documents import CHAIN_TOTALS, FEATURE_FIELDS

RETURN_SESSIONS = (1, 5, 20)

_NAMES = tuple(field.name for field in FEATURE_FIELDS)
# The figures between price and next_earnings_confirmed are this module's; the rest names the scan and is added there.
COMPUTED_HERE = _NAMES[_NAMES.index("price") : _NAMES.index("next_earnings_confirmed") + 1]

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
    figures |= _next_earnings(ticker, events, market_date, as_of)
    record = {name: value for name, (value, _) in figures.items()}
    record["reasons"] = {name: reason for name, (value, reason) in figures.items() if value is None}
    return record


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
    by_date = {bar.date: bar for bar in bars[max(end - 2 * WINDOW, 0) : end + 1] if bar.date <= market_date}
    figures: dict[str, Figure] = {}
    for count in RETURN_SESSIONS:
        figures[f"return_{count}d"] = _return(spot, by_date, (*days[-count:], market_date), splits)
    close = _close_of(market_date)
    if market_date in by_date and close is not None and close <= as_of:
        days = (*days[1:], market_date)
    lacking = "short_history" if by_date else "no_history"
    window = [by_date.get(day) for day in days]
    volatility, reason = realised_volatility(
        np.array([math.nan if bar is None or bar.close is None else bar.close for bar in window]),
        np.array([1.0 if bar is None else bar.split_factor for bar in window]),
    )
    figures[f"realised_volatility_{WINDOW}d"] = (volatility, reason and lacking)
    last = window[-1] if window else None
    figures["underlying_volume"] = (None, lacking) if last is None else (last.volume, "not_stated")
    return figures


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
