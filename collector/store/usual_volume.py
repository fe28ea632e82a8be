"""What a ticker and its contracts usually trade by this time of the session, as it was known then.

Volume only grows within a session: one scan stands for each. It is the last one by this time of that session, where
there is one that is not much earlier; else the session's last one, as the whole session. A session of which nothing so
late was seen is left out. Read so, it errs upwards: what is called unusual is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import duckdb
import pandas as pd

from collector.detectors.base import UsualVolume
from collector.market.calendar import Sessions

USUAL_SESSIONS = 20
# Calendar days within which a ticker's last sessions are looked for.
REACH = timedelta(days=USUAL_SESSIONS * 2 + 10)
# A scan stands for this time of its session from this share of the time since the open on.
EARLIEST = 0.8
# Scans of one slot start within seconds of each other: as much later is still this time.
SLACK = timedelta(seconds=60)

COLUMNS = ["mean_volume", "sessions", "by_time"]


@dataclass(frozen=True, slots=True)
class Usual:
    """A ticker's usual volume (None without a session), and its contracts': see TickerView.contract_history."""

    ticker: UsualVolume | None
    contracts: pd.DataFrame


def usual_volumes(
    connection: duckdb.DuckDBPyConnection,
    provider: str,
    moments: Mapping[str, tuple[date, datetime]],
    known_at: datetime,
    sessions: Sessions,
) -> dict[str, Usual]:
    """Return what each ticker and its contracts traded by this time in the last sessions before the one judged.

    A contract counts in a session whose scan says what it traded, 0 where it is known not to have; unknown volume is
    left out, and so is an adjusted contract.

    Args:
        connection: the open store.
        provider: whose rows.
        moments: for each ticker the session that is not counted any more, and the moment in it.
        known_at: rows recorded later are not seen.
        sessions: the provider's calendar.
    """
    if not moments:
        return {}
    stood = _stood(connection, provider, moments, known_at, sessions)
    connection.register("stood", stood)
    rows = connection.execute(
        """
        SELECT s.ticker, c.contract_symbol, avg(CASE WHEN c.volume_known THEN c.volume ELSE 0 END) AS mean_volume,
               count(*) AS sessions, sum(CAST(s.by_time AS INTEGER)) AS by_time
        FROM contracts c JOIN stood s ON s.scan_id = c.scan_id AND s.ticker = c.ticker
        WHERE c.provider = ? AND c.market_date >= ? AND (c.volume_known OR c.untraded) AND NOT c.adjusted
        GROUP BY ALL
        """,
        [provider, min(day for day, _ in moments.values()) - REACH],
    ).df()
    connection.unregister("stood")
    contracts = {str(ticker): group for ticker, group in rows.groupby("ticker")}
    empty = rows.iloc[0:0]
    tickers = _of_tickers(stood)
    return {
        ticker: Usual(tickers.get(ticker), contracts.get(ticker, empty).set_index("contract_symbol")[COLUMNS])
        for ticker in moments
    }


def _stood(
    connection: duckdb.DuckDBPyConnection,
    provider: str,
    moments: Mapping[str, tuple[date, datetime]],
    known_at: datetime,
    sessions: Sessions,
) -> pd.DataFrame:
    """Return the scan that stands for each of a ticker's last sessions: ticker, scan_id, volume, by_time."""
    limits, opens = _limits(moments, sessions)
    connection.register("limits", limits)
    connection.register("opens", opens)
    found = connection.execute(
        """
        WITH scanned AS (
            SELECT f.ticker, f.market_date, f.scan_id, f.volume, epoch_us(f.as_of) AS moment,
                   NOT l.whole AND epoch_us(f.as_of) - o.opened <= l.latest AS timely
            FROM features f
            JOIN limits l ON l.ticker = f.ticker AND f.market_date < l.day
            JOIN opens o ON o.day = f.market_date
            WHERE f.provider = $provider AND f.recorded_at <= $known_at AND f.volume IS NOT NULL
              AND epoch_us(f.as_of) - o.opened >= l.earliest
        )
        SELECT ticker, scan_id, volume, timely AS by_time
        FROM (SELECT * FROM scanned QUALIFY row_number() OVER (
                PARTITION BY ticker, market_date ORDER BY timely DESC, moment DESC, scan_id DESC) = 1)
        QUALIFY row_number() OVER (PARTITION BY ticker ORDER BY market_date DESC) <= $count
        """,
        {"provider": provider, "known_at": known_at, "count": USUAL_SESSIONS},
    ).df()
    connection.unregister("limits")
    connection.unregister("opens")
    return found


def _limits(moments: Mapping[str, tuple[date, datetime]], sessions: Sessions) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return each ticker's day and times since the open that stand for now, and when each session opened; in µs."""
    rows = []
    for ticker, (day, as_of) in moments.items():
        session = sessions.session(day)
        since = _micros(as_of - session.open) if session else 0
        # What has closed is held against whole sessions.
        whole = session is None or as_of >= session.close
        rows.append((ticker, day, whole, int(EARLIEST * since), since + _micros(SLACK)))
    limits = pd.DataFrame(rows, columns=["ticker", "day", "whole", "earliest", "latest"])
    days = [day for day, _ in moments.values()]
    between = sessions.between(min(days) - REACH, max(days))
    opens = pd.DataFrame(
        {"day": [one.date for one in between], "opened": [int(one.open.timestamp() * 1e6) for one in between]}
    )
    for frame in (limits, opens):
        frame["day"] = frame["day"].astype("datetime64[s]")
    return limits, opens


def _micros(time: timedelta) -> int:
    return time // timedelta(microseconds=1)


def _of_tickers(stood: pd.DataFrame) -> dict[str, UsualVolume]:
    groups = stood.groupby("ticker").agg(
        mean=("volume", "mean"), sessions=("volume", "size"), by_time=("by_time", "sum")
    )
    return {
        str(ticker): UsualVolume(float(mean), int(count), int(by_time))
        for ticker, mean, count, by_time in groups.itertuples()
    }
