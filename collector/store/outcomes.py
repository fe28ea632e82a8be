"""The outcome ledger in the store: the horizons that have come, and the figures that decide.

Everything is read as it was known: rows that were recorded later than a scan are not seen by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import duckdb

from collector.alerts.outcomes import HORIZONS, Case, Horizon, Release, Standing, due_date
from collector.alerts.track_record import SHOWN, Judged
from collector.detectors.base import Claim
from collector.market.calendar import Sessions, new_york_date
from collector.store.alert_records import usable_record
from collector.store.event_sets import known_events
from collector.store.json_rows import moment
from collector.store.session_figures import (
    Day,
    OfScan,
    features_of_scans,
    known_splits,
    split_between,
    standing_features,
    with_chains,
)
from collector.store.track_records import judged_outcomes, track_records


@dataclass(frozen=True, slots=True)
class Due:
    """One alert at one horizon whose session is over: its case, the newest record of it, and that one's moment.

    The scan itself brings the session's figures where ``by_this_scan``: then the case has none of now yet.
    """

    case: Case
    record: Mapping[str, Any]
    at: datetime
    by_this_scan: bool = False


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a scan has to know of outcomes: by ticker what is due, what was judged, and the newest records.

    ``judged`` are the known outcomes by detector and horizon, read only where something is due; ``track_records`` the
    newest ones by detector at the horizon that is shown; ``splits`` the ratios of splits by ticker and session.
    """

    due: Mapping[str, Sequence[Due]] = field(default_factory=dict)
    judged: Mapping[tuple[str, Horizon], Sequence[Judged]] = field(default_factory=dict)
    track_records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    splits: Mapping[str, Mapping[date, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Open:
    """An alert's horizon that has come."""

    alert_id: str
    ticker: str
    session: date
    horizon: Horizon
    market_date: date


def ledger(
    connection: duckdb.DuckDBPyConnection,
    provider: str,
    dates: Mapping[str, date],
    known_at: datetime,
    sessions: Sessions,
    claims: Mapping[str, Claim],
    *,
    closing: bool,
) -> Ledger:
    """Return what is known of outcomes before a scan.

    Args:
        connection: the open store.
        provider: whose alerts.
        dates: the tickers scanned, each with its session.
        known_at: rows recorded later are not seen.
        sessions: the provider's calendar.
        claims: by detector, for alerts that state none themselves.
        closing: whether the scan is the close scan, whose figures stand for its session.
    """
    shown = track_records(connection, provider, known_at)
    records = {row["detector"]: row for row in shown if row["horizon"] == SHOWN}
    came = _come(connection, provider, dates, sessions, closing)
    if not came:
        return Ledger(track_records=records)
    tickers = sorted({one.ticker for one in came})
    splits = known_splits(connection, provider, known_at)
    due = _dues(connection, provider, came, dates, known_at, sessions, claims, splits)
    return Ledger(
        {ticker: [one for one in due if one.case.alert["ticker"] == ticker] for ticker in tickers},
        judged_outcomes(connection, provider, known_at),
        records,
        splits,
    )


def _come(
    connection: duckdb.DuckDBPyConnection,
    provider: str,
    dates: Mapping[str, date],
    sessions: Sessions,
    closing: bool,
) -> list[_Open]:
    """Return the horizons that have come and were not judged, in the order of alert and horizon."""
    rows = connection.execute(
        """
        WITH begun AS (
            SELECT alert_id, ticker, min(market_date) AS market_date,
                   max(alert->>'$.metrics.settlement_time') AS settles
            FROM alert_events WHERE provider = $provider AND kind = 'new' AND list_contains($tickers, ticker)
            GROUP BY alert_id, ticker
        ), done AS (
            SELECT alert_id, list(horizon) AS horizons FROM outcomes
            WHERE provider = $provider AND list_contains($tickers, ticker) GROUP BY alert_id
        )
        SELECT b.alert_id, b.ticker, b.market_date, b.settles, coalesce(d.horizons, [])
        FROM begun b LEFT JOIN done d USING (alert_id)
        WHERE len(coalesce(d.horizons, [])) < CASE WHEN b.settles IS NULL THEN 3 ELSE 4 END
        ORDER BY b.alert_id
        """,
        {"provider": provider, "tickers": list(dates)},
    ).fetchall()
    found = []
    for alert_id, ticker, session, settles, done in rows:
        settlement = _settlement(settles)
        # The first horizon is a session away: what is not over by then is nothing to look up.
        if session >= dates[ticker]:
            continue
        for horizon in HORIZONS:
            if horizon in done:
                continue
            day = due_date(session, horizon, settlement, sessions)
            if day is not None and (day < dates[ticker] or (closing and day == dates[ticker])):
                found.append(_Open(alert_id, ticker, session, horizon, day))
    return found


def _settlement(text: str | None) -> datetime | None:
    """Return a contract's settlement, None where it is no time: such a record is left out when it is read."""
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None


def _dues(
    connection: duckdb.DuckDBPyConnection,
    provider: str,
    came: Sequence[_Open],
    dates: Mapping[str, date],
    known_at: datetime,
    sessions: Sessions,
    claims: Mapping[str, Claim],
    splits: Mapping[str, Mapping[date, float]],
) -> list[Due]:
    """Return the cases of what has come."""
    begun, newest = _records(connection, {one.alert_id for one in came})
    came = [one for one in came if one.alert_id in begun]
    scans = {(begun[one.alert_id]["first_scan_id"], one.ticker) for one in came}
    then = features_of_scans(connection, scans)
    claimed = {
        one.alert_id: begun[one.alert_id].get("claim") or claims.get(begun[one.alert_id]["detector"]) for one in came
    }
    of_release = {alert_id: begun[alert_id] for alert_id, claim in claimed.items() if claim == "move_within_implied"}
    releases = _release_sessions(connection, of_release, then, sessions)
    days = {(one.ticker, one.market_date) for one in came}
    for alert_id, (before, after) in releases.items():
        ticker = begun[alert_id]["ticker"]
        days |= {(ticker, day) for day in (before, after) if day < dates[ticker]}
    rows = standing_features(connection, provider, days, known_at)
    symbols = {begun[one.alert_id]["subject"] for one in came}
    now = with_chains(connection, rows, symbols)
    first = with_chains(connection, then, set())
    due = []
    for one in came:
        alert = begun[one.alert_id]
        own = one.market_date == dates[one.ticker]
        case = Case(
            alert=alert,
            claim=claimed[one.alert_id],
            horizon=one.horizon,
            market_date=one.market_date,
            then=first.get((alert["first_scan_id"], one.ticker)),
            now=None if own else now.get((one.ticker, one.market_date)),
            split=split_between(splits.get(one.ticker, {}), one.session, one.market_date),
            release=_release(releases.get(one.alert_id), one.ticker, now, splits),
        )
        due.append(Due(case, *newest[one.alert_id], own))
    return due


def _records(
    connection: duckdb.DuckDBPyConnection, alert_ids: Iterable[str]
) -> tuple[dict[str, dict[str, Any]], dict[str, tuple[dict[str, Any], datetime]]]:
    """Return each alert's record as it began, and its newest one with its moment.

    An alert either of whose records can't be used is left out, with a warning.
    """
    rows = connection.execute(
        """
        SELECT alert_id, arg_min(alert::VARCHAR, store_revision) FILTER (kind = 'new'),
               arg_max(alert::VARCHAR, (happened_at, store_revision)), epoch_us(max(happened_at))
        FROM alert_events WHERE list_contains(?, alert_id) GROUP BY alert_id
        """,
        [sorted(alert_ids)],
    ).fetchall()
    begun, newest = {}, {}
    for alert_id, first, last, at in rows:
        oldest = usable_record(first, alert_id)
        record = oldest if last == first or oldest is None else usable_record(last, alert_id)
        if oldest is None or record is None:
            continue
        begun[alert_id] = oldest
        # One that began before there were outcomes has none.
        newest[alert_id] = ({**record, "outcomes": record.get("outcomes") or []}, moment(at))
    return begun, newest


def _release_sessions(
    connection: duckdb.DuckDBPyConnection,
    begun: Mapping[str, Mapping[str, Any]],
    then: Mapping[OfScan, Mapping[str, Any]],
    sessions: Sessions,
) -> dict[str, tuple[date, date]]:
    """Return, by alert that claims something of a release, the sessions before and after it.

    A release whose time is not stated is taken for after the close of its day.
    """
    found = {}
    for alert_id, alert in begun.items():
        row = then.get((alert["first_scan_id"], alert["ticker"]))
        if row is None or row["next_earnings_date"] is None or row["implied_earnings_move"] is None:
            continue
        day = date.fromisoformat(row["next_earnings_date"])
        stated = _release_time(connection, row, day)
        own = sessions.session(day)
        early = stated is not None and own is not None and stated < own.close
        last = sessions.previous(day) if early or own is None else own
        found[alert_id] = (last.date, sessions.following(last.date).date)
    return found


def _release_time(connection: duckdb.DuckDBPyConnection, row: Mapping[str, Any], day: date) -> datetime | None:
    """Return the time that the scan knew of a release, None where none was stated."""
    for event in known_events(connection, row.get("events_digest"), row["ticker"]) or []:
        if event["kind"] == "earnings" and event["date"] == day.isoformat() and event.get("time"):
            time = datetime.fromisoformat(event["time"])
            return time if new_york_date(time) == day else None
    return None


def _release(
    around: tuple[date, date] | None,
    ticker: str,
    now: Mapping[Day, Standing],
    splits: Mapping[str, Mapping[date, float]],
) -> Release | None:
    if around is None:
        return None
    before, after = (now.get((ticker, day)) for day in around)
    factor = split_between(splits.get(ticker, {}), *around)
    price = before.figures["price"] if before else None
    return Release(around[1], price / factor if price else None, after.figures["price"] if after else None)
