"""Which scan's figures stand for a session: its close scan's, else its last good one's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import duckdb
import pandas as pd

# The last grade of chains that figures are computed from.
USABLE_GRADE = "D"
# What a session's figures may come from where no close scan brought usable ones.
GOOD_GRADE = "B"
# One bad day must not set a year's extreme: a session's implied volatilities count only where the chains around 30 days
# earned this grade.
VOLATILITY_GRADE = "B"


def daily_features(condition: str) -> str:
    """Return the query of one row a ticker and session: the features ``f`` that stand for it, of those that meet the
    condition.
    """
    return f"""
        SELECT f.*, s.kind = 'close' AS at_close
        FROM features f JOIN scans s USING (scan_id)
        WHERE (s.kind = 'close' OR f.grade <= '{GOOD_GRADE}') AND {condition}
        QUALIFY row_number() OVER (PARTITION BY f.ticker, f.market_date
            ORDER BY s.kind = 'close' AND f.grade <= '{USABLE_GRADE}' DESC, f.grade <= '{GOOD_GRADE}' DESC,
                f.as_of DESC, f.scan_id DESC) = 1
    """


@dataclass(frozen=True, slots=True)
class DailyVolatility:
    """The 30-day implied volatilities of a ticker's past sessions, oldest first, and the feeds that they come from."""

    dates: tuple[date, ...] = ()
    values: tuple[float, ...] = ()
    source: str | None = None


def daily_volatility(
    connection: duckdb.DuckDBPyConnection,
    provider: str,
    before: Mapping[str, date],
    known_at: datetime,
    sessions: int,
) -> dict[str, DailyVolatility]:
    """Return each ticker's last ``sessions`` sessions before a date of which a 30-day implied volatility counts.

    Args:
        connection: the open store.
        provider: whose scans.
        before: for each ticker the session that is not counted any more.
        known_at: rows recorded later are not seen.
        sessions: how many at most.
    """
    tickers: Sequence[str] = list(before)
    limits = pd.DataFrame({"ticker": pd.Series(tickers, dtype="object")})
    limits["day"] = pd.Series([before[ticker] for ticker in tickers], dtype="datetime64[s]")
    connection.register("limits", limits)
    known = daily_features("f.provider = $provider AND f.recorded_at <= $known_at")
    rows = connection.execute(
        f"""
        WITH daily AS ({known})
        SELECT d.ticker, d.market_date, d.iv_30d, d.feed
        FROM daily d JOIN limits l ON l.ticker = d.ticker AND d.market_date < l.day
        WHERE isfinite(d.iv_30d) AND d.iv_grade <= '{VOLATILITY_GRADE}'
        QUALIFY row_number() OVER (PARTITION BY d.ticker ORDER BY d.market_date DESC) <= $sessions
        ORDER BY d.ticker, d.market_date
        """,
        {"provider": provider, "known_at": known_at, "sessions": sessions},
    ).fetchall()
    connection.unregister("limits")
    found: dict[str, list[tuple[date, float, str]]] = {}
    for ticker, day, value, feed in rows:
        found.setdefault(ticker, []).append((day, value, feed))
    return {
        ticker: DailyVolatility(
            tuple(day for day, _, _ in found[ticker]),
            tuple(value for _, value, _ in found[ticker]),
            ", ".join(sorted({feed for _, _, feed in found[ticker]})),
        )
        if ticker in found
        else DailyVolatility()
        for ticker in tickers
    }
