"""A ticker's figures by session, as the detectors look back at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from collector.detectors.past import FIGURES, NO_PAST, OF_OPTIONS, PastSessions
from collector.store.daily_features import VOLATILITY_GRADE, daily_features
from collector.store.past_earnings import past_earnings


@dataclass(frozen=True, slots=True)
class DailyVolatility:
    """The 30-day implied volatilities of a ticker's sessions that count, oldest first, and the feeds they come from."""

    dates: tuple[date, ...] = ()
    values: tuple[float, ...] = ()
    source: str | None = None


# Figures that are no column of the features.
OTHERS = {"days_to_earnings": "d.next_earnings_date - d.market_date"}


@dataclass(frozen=True, slots=True)
class KnownPast:
    """A ticker's sessions, and the feed of each session's 30-day volatility (None where that does not count)."""

    sessions: PastSessions = NO_PAST
    feeds: tuple[str | None, ...] = ()

    def volatility(self, sessions: int) -> DailyVolatility:
        """Return the last ``sessions`` volatilities that count."""
        counted = [place for place, feed in enumerate(self.feeds) if feed is not None][-sessions:]
        if not counted:
            return DailyVolatility()
        return DailyVolatility(
            tuple(self.sessions.dates[place] for place in counted),
            tuple(self.sessions.figures["iv_30d"][counted].tolist()),
            ", ".join(sorted({str(self.feeds[place]) for place in counted})),
        )


NOTHING = KnownPast()


def past_sessions(
    connection: duckdb.DuckDBPyConnection,
    provider: str,
    before: Mapping[str, date],
    known_at: datetime,
    sessions: int,
) -> dict[str, KnownPast]:
    """Return each ticker's last ``sessions`` sessions before a date, and its releases before it.

    Figures of the options are NaN where the chains around 30 days earned no grade that counts.

    Args:
        connection: the open store.
        provider: whose scans.
        before: for each ticker the session that is not counted any more.
        known_at: rows recorded later are not seen.
        sessions: how many at most.
    """
    limits = pd.DataFrame({"ticker": pd.Series(list(before), dtype="object")})
    limits["day"] = pd.Series(list(before.values()), dtype="datetime64[s]")
    connection.register("limits", limits)
    counts = f"coalesce(d.iv_grade <= '{VOLATILITY_GRADE}', false)"
    columns = ", ".join(
        f"CAST({f'CASE WHEN {counts} THEN d.{name} END' if name in OF_OPTIONS else OTHERS.get(name, f'd.{name}')} "
        f"AS DOUBLE) AS {name}"
        for name in FIGURES
    )
    known = daily_features("f.provider = $provider AND f.recorded_at <= $known_at")
    rows = connection.execute(
        f"""
        WITH daily AS ({known})
        SELECT d.ticker, d.market_date, CASE WHEN {counts} AND isfinite(d.iv_30d) THEN d.feed END AS feed, {columns}
        FROM daily d JOIN limits l ON l.ticker = d.ticker AND d.market_date < l.day
        QUALIFY row_number() OVER (PARTITION BY d.ticker ORDER BY d.market_date DESC) <= $sessions
        ORDER BY d.ticker, d.market_date
        """,
        {"provider": provider, "known_at": known_at, "sessions": sessions},
    ).fetchnumpy()
    connection.unregister("limits")
    known_past = {**dict.fromkeys(before, NOTHING), **_by_ticker(rows)}
    for ticker, moves in past_earnings(connection, provider, before, known_at).items():
        if moves:
            one = known_past[ticker]
            known_past[ticker] = replace(one, sessions=replace(one.sessions, earnings=moves))
    return known_past


def _by_ticker(rows: Mapping[str, Any]) -> dict[str, KnownPast]:
    """Return the rows, which stand together by ticker, as one past a ticker."""
    tickers = np.asarray(rows["ticker"], dtype=object)
    if not tickers.size:
        return {}
    days = np.asarray(rows["market_date"], dtype="datetime64[D]").astype(object)
    unknown = np.ma.getmaskarray(rows["feed"]).tolist()
    feeds = [None if missing else str(feed) for missing, feed in zip(unknown, np.ma.getdata(rows["feed"]), strict=True)]
    figures = {name: np.ma.filled(np.ma.asarray(rows[name], dtype=np.float64), np.nan) for name in FIGURES}
    begins = np.flatnonzero(np.append(True, tickers[1:] != tickers[:-1])).tolist()
    ends = [*begins[1:], len(tickers)]
    return {
        str(tickers[begin]): KnownPast(
            PastSessions(tuple(days[begin:end]), {name: values[begin:end] for name, values in figures.items()}),
            tuple(feeds[begin:end]),
        )
        for begin, end in zip(begins, ends, strict=True)
    }
