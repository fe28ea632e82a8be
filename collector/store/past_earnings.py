"""What shares did over their past releases, from the releases and the bars that were known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter

import duckdb
import pandas as pd

from collector.detectors.past import EarningsMove
from collector.market.calendar import CalendarError, Sessions, exchange_sessions

RELEASES = 12
# Two dates so near to each other are one release, whose date was moved.
APART = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class _Release:
    """A release that is stated to have been, and the sessions whose closes stand around it."""

    ticker: str
    day: date
    before: date
    after: date
    recorded_at: float


def past_earnings(
    connection: duckdb.DuckDBPyConnection, provider: str, before: Mapping[str, date], known_at: datetime
) -> dict[str, tuple[EarningsMove, ...]]:
    """Return each ticker's last RELEASES moves over a release, oldest first; () of one without.

    A date that was never more than an estimate tells of no release, and one whose closes before and after are not both
    known of no move. A release without a time of day is taken for one after the close, as that to come is.

    Args:
        connection: the open store.
        provider: whose events and bars.
        before: for each ticker the first date whose release is not counted any more.
        known_at: rows recorded later are not seen.
    """
    found: dict[str, tuple[EarningsMove, ...]] = dict.fromkeys(before, ())
    releases = _releases(connection, provider, before, known_at)
    if not releases:
        return found
    closes = _closes(connection, provider, releases, known_at)
    for ticker, of_ticker in groupby(releases, key=attrgetter("ticker")):
        moves = []
        for release in of_ticker:
            last, first = closes.get((ticker, release.before)), closes.get((ticker, release.after))
            if last is not None and first is not None:
                # The split of the session after is the only one between two neighbours.
                moves.append(EarningsMove(release.day, math.log(first[0] * first[1] / last[0])))
        found[ticker] = tuple(moves[-RELEASES:])
    return found


def _releases(
    connection: duckdb.DuckDBPyConnection, provider: str, before: Mapping[str, date], known_at: datetime
) -> list[_Release]:
    """Return the releases by ticker and date."""
    limits = pd.DataFrame({"ticker": pd.Series(list(before), dtype="object")})
    limits["day"] = pd.Series(list(before.values()), dtype="datetime64[s]")
    connection.register("release_limits", limits)
    rows = connection.execute(
        """
        SELECT e.ticker, e.date, epoch(e.time), epoch(e.recorded_at)
        FROM events e JOIN release_limits l ON l.ticker = e.ticker AND e.date < l.day
        WHERE e.kind = 'earnings' AND e.provider = $provider AND e.recorded_at <= $known_at
        QUALIFY row_number() OVER (PARTITION BY e.ticker, e.date ORDER BY e.recorded_at DESC, e.inserted_at DESC) = 1
            AND e.confirmed IS DISTINCT FROM false
        ORDER BY e.ticker, e.date
        """,
        {"provider": provider, "known_at": known_at},
    ).fetchall()
    connection.unregister("release_limits")
    sessions = exchange_sessions()
    releases = (_release(sessions, *row) for row in rows)
    return _one_of_each(release for release in releases if release is not None)


def _release(sessions: Sessions, ticker: str, day: date, time: float | None, recorded_at: float) -> _Release | None:
    """Return a release with the sessions around it; None of one that lies outside the calendar."""
    try:
        session = sessions.session(day)
        before_close = session is not None and time is not None and time < session.close.timestamp()
        before = sessions.previous(day) if before_close else sessions.offset(day, 0)
        return _Release(ticker, day, before.date, sessions.following(before.date).date, recorded_at)
    except CalendarError:
        return None


def _one_of_each(releases: Iterable[_Release]) -> list[_Release]:
    """Return the releases, which stand by ticker and date, with that stated last of those too near to each other."""
    kept: list[_Release] = []
    for release in releases:
        near = kept and kept[-1].ticker == release.ticker and release.day - kept[-1].day < APART
        if not near:
            kept.append(release)
        elif release.recorded_at >= kept[-1].recorded_at:
            kept[-1] = release
    return kept


def _closes(
    connection: duckdb.DuckDBPyConnection, provider: str, releases: Sequence[_Release], known_at: datetime
) -> dict[tuple[str, date], tuple[float, float]]:
    """Return raw close and split factor of the sessions around the releases, by ticker and date."""
    asked = [(release.ticker, day) for release in releases for day in (release.before, release.after)]
    frame = pd.DataFrame({"ticker": pd.Series([ticker for ticker, _ in asked], dtype="object")})
    frame["date"] = pd.Series([day for _, day in asked], dtype="datetime64[s]")
    connection.register("release_days", frame)
    rows = connection.execute(
        """
        SELECT b.ticker, b.date, arg_max(b.close, (b.recorded_at, b.inserted_at)),
               arg_max(b.split_factor, (b.recorded_at, b.inserted_at))
        FROM bars b SEMI JOIN release_days d ON d.ticker = b.ticker AND d.date = b.date
        WHERE b.provider = $provider AND b.recorded_at <= $known_at
        GROUP BY b.ticker, b.date
        """,
        {"provider": provider, "known_at": known_at},
    ).fetchall()
    connection.unregister("release_days")
    return {
        (ticker, day): (close, split)
        for ticker, day, close, split in rows
        if close is not None and math.isfinite(close) and close > 0 and split > 0
    }
