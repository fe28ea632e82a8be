"""Judge outcomes: what became of the alerts whose horizon a scan brings, and the detectors' records after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from collector.alerts.claims import outcome
from collector.alerts.lifecycle import AlertEvent, ScanContext
from collector.alerts.one_record import with_addition
from collector.alerts.outcomes import SESSIONS, Case, Horizon, Outcome, Standing, number
from collector.alerts.track_record import Judged, Sessions, TrackRecord, track_record
from collector.configuration import Alerting
from collector.detectors.base import TickerView
from collector.market.calendar import Sessions as Calendar
from collector.pipeline.plan import ScanPlan
from collector.store import outcomes as store
from collector.store.daily_features import USABLE_GRADE
from collector.store.database import Connection
from collector.store.past_sessions import KnownPast, past_sessions
from collector.store.session_figures import split_between

Told = tuple[Case, Outcome]


@dataclass(frozen=True, slots=True)
class KnownLedger:
    """What was known before the scan: the store's ledger, and the sessions of its tickers that were not scanned."""

    ledger: store.Ledger = field(default_factory=store.Ledger)
    others: Mapping[str, KnownPast] = field(default_factory=dict)


def known_ledger(
    connection: Connection,
    plan: ScanPlan,
    dates: Mapping[str, date],
    known_at: datetime,
    sessions: Calendar,
    alerting: Alerting,
    sessions_read: int,
) -> KnownLedger:
    """Read from the open store what outcomes are judged by."""
    claims = {detector.name: detector.claim for detector in alerting.detectors}
    ledger = store.ledger(connection, plan.provider, dates, known_at, sessions, claims, closing=plan.kind == "close")
    with_alerts = {one.ticker for judged in ledger.judged.values() for one in judged}
    others = dict.fromkeys(sorted(with_alerts - dates.keys()), max(dates.values()))
    past = past_sessions(connection, plan.provider, others, known_at, sessions_read) if others else {}
    return KnownLedger(ledger, past)


def judge_outcomes(
    events: Sequence[AlertEvent],
    ledger: store.Ledger,
    view: TickerView,
    record: Mapping[str, Any],
    scan: ScanContext,
) -> tuple[list[AlertEvent], list[Told]]:
    """Return the events of one ticker with those of outcomes, and the outcomes with their cases.

    Args:
        events: what the scan made of the ticker's alerts so far.
        ledger: what was known before the scan.
        view: what the detectors saw.
        record: the ticker's staged record.
        scan: the scan.
    """
    found: dict[str, list[Told]] = {}
    newest: dict[str, Mapping[str, Any]] = {}
    splits = _own_splits(record, ledger.splits.get(view.ticker, {}))
    for due in ledger.due.get(view.ticker, ()):
        case = _completed(due, view, splits)
        if case is None:
            continue
        found.setdefault(case.alert["id"], []).append((case, outcome(case)))
        newest[case.alert["id"]] = due.record
    after = list(events)
    for alert_id, told in found.items():
        earlier = newest[alert_id]["outcomes"]
        changes = {"outcomes": [*earlier, *(one.to_json() for _, one in told)]}
        after = with_addition(after, newest[alert_id], changes, "outcome", view, scan.scan_id)
    return after, [one for told in found.values() for one in told]


def _completed(due: store.Due, view: TickerView, splits: Mapping[date, float]) -> Case | None:
    """Return the case with what this scan brings to it; None where that is left to a later scan.

    A scan that is joined late must not be the newest word, and figures that no chain is good enough for stand for no
    session.
    """
    if view.as_of < due.at:
        return None
    case = due.case
    session = date.fromisoformat(case.alert["session"])
    split = case.split * split_between(splits, session, case.market_date)
    if not due.by_this_scan:
        return replace(case, split=split)
    grade = view.features.get("grade")
    if grade is None or grade > USABLE_GRADE:
        return None
    return replace(case, split=split, now=_standing(view, case.alert["subject"]))


def _standing(view: TickerView, symbol: str) -> Standing:
    """Return this scan's figures, which stand for its session."""
    volatilities = {f"{chain.expiration}:{chain.root}": chain.atm_iv for chain in view.chains}
    mids = _mid_of(view.contracts, symbol)
    return Standing(view.market_date, view.features, volatilities, mids)


def _mid_of(contracts: pd.DataFrame, symbol: str) -> dict[str, float]:
    rows = contracts.loc[contracts["contract_symbol"] == symbol, "mid"]
    mid = number(float(rows.iloc[0])) if len(rows) and pd.notna(rows.iloc[0]) else None
    return {} if mid is None else {symbol: mid}


def _own_splits(record: Mapping[str, Any], known: Mapping[date, float]) -> dict[date, float]:
    """Return the splits that the scan's own bars bring."""
    bars = record["bars"]
    found = zip(map(date.fromisoformat, bars["date"]), bars["split_factor"], strict=True)
    return {day: ratio for day, ratio in found if ratio != 1.0 and day not in known}


def judged_of(told: Told) -> Judged | None:
    """Return an outcome as a record counts it, None where it is not known."""
    case, found = told
    if found.hit is None or found.gain is None or case.claim is None or found.metric is None:
        return None
    session = date.fromisoformat(case.alert["session"])
    return Judged(case.alert["ticker"], session, case.claim, found.metric, found.favour, found.hit, found.gain)


def records_after(
    told: Sequence[Told], known: KnownLedger, past: Mapping[str, KnownPast], sessions: Calendar
) -> list[TrackRecord]:
    """Return the records that the scan's outcomes change, those outcomes counted.

    Args:
        told: what the scan found.
        known: what was known before it.
        past: the sessions of the tickers scanned.
        sessions: the provider's calendar.
    """
    concerned: dict[tuple[str, Horizon], list[Judged]] = {}
    for one in told:
        key = (one[0].alert["detector"], one[1].horizon)
        judged = judged_of(one)
        concerned.setdefault(key, [])
        if judged is not None:
            concerned[key].append(judged)
    if not concerned:
        return []
    tickers = {one.ticker for key, own in concerned.items() for one in [*known.ledger.judged.get(key, ()), *own]}
    pasts = _for_base(
        {ticker: found for ticker, found in {**known.others, **past}.items() if ticker in tickers},
        known.ledger.splits,
        sessions,
    )
    return [
        track_record(
            detector,
            horizon,
            SESSIONS.get(horizon),
            [*known.ledger.judged.get((detector, horizon), ()), *own],
            pasts,
        )
        for (detector, horizon), own in sorted(concerned.items())
    ]


def _for_base(
    pasts: Mapping[str, KnownPast], splits: Mapping[str, Mapping[date, float]], calendar: Calendar
) -> dict[str, Sessions]:
    """Return the sessions of tickers with their ordinals in the calendar and prices comparable with the newest."""
    days = [day for past in pasts.values() for day in past.sessions.dates]
    if not days:
        return {}
    places = {session.date: place for place, session in enumerate(calendar.between(min(days), max(days)))}
    found = {}
    for ticker, past in pasts.items():
        dates = past.sessions.dates
        if not dates or any(day not in places for day in dates):
            continue
        own = splits.get(ticker, {})
        factors = np.array([split_between(own, day, dates[-1]) for day in dates]) if own else 1.0
        price = past.sessions.figures["price"] / factors
        found[ticker] = Sessions(past.sessions, np.array([places[day] for day in dates], dtype=np.int64), price)
    return found
