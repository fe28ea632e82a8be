"""Detect: what the detectors make of a collected scan, from what was known before it.

Reading the past needs the open store; judging does not, so that rows can be inserted meanwhile.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from collector.alerts.confirmation import confirmed
from collector.alerts.lifecycle import AlertEvent, ScanContext, advance
from collector.alerts.storm import digest
from collector.alerts.track_record import TrackRecord
from collector.alerts.verdicts import Seen, awaits
from collector.analytics.volatility_rank import WINDOW, volatility_rank
from collector.code_version import code_version
from collector.configuration import Alerting
from collector.detectors.base import ChainView, Detector, Evaluation, TickerView
from collector.market.calendar import Sessions
from collector.market.events import Event
from collector.pipeline.judge_outcomes import KnownLedger, Told, judge_outcomes, known_ledger, records_after
from collector.pipeline.plan import ScanPlan
from collector.store import history
from collector.store.database import Connection
from collector.store.past_sessions import KnownPast, past_sessions
from collector.store.usual_volume import Usual, usual_volumes
from collector.user_events import from_json

logger = logging.getLogger(__name__)

YEAR = 365 * 86400.0
# A value so near to its level is listed as a near miss.
NEAR = 0.8
NEAR_MISSES = 50
# Of sessions with gaps as many count as a rank asks for.
SESSIONS_READ = WINDOW * 3 // 2


@dataclass(frozen=True, slots=True)
class Known:
    """What was known before the scan, by ticker; ``seen`` by the alerts that await a verdict."""

    usual: Mapping[str, Usual]
    past: Mapping[str, KnownPast]
    standing: Mapping[str, Sequence[Mapping[str, Any]]]
    seen: Mapping[str, Seen] = field(default_factory=dict)
    outcomes: KnownLedger = field(default_factory=KnownLedger)


@dataclass(frozen=True, slots=True)
class Detected:
    """What a scan came to: events of alerts, what each detector said, and what came near.

    ``detectors`` and ``near_misses`` are the scan's members of these names in exports/documents.py.
    """

    events: tuple[AlertEvent, ...] = ()
    detectors: tuple[dict[str, Any], ...] = ()
    near_misses: tuple[dict[str, Any], ...] = ()
    outcomes: tuple[Told, ...] = ()
    track_records: tuple[TrackRecord, ...] = ()


def known_before(
    connection: Connection,
    plan: ScanPlan,
    found: Sequence[Mapping[str, Any]],
    sessions: Sessions,
    alerting: Alerting,
    known_at: datetime | None = None,
) -> Known:
    """Read from the open store what the detectors look back at, for the tickers found.

    ``known_at`` is when the whole scan had been recorded, where ``found`` are not all of its tickers.
    """
    if not found:
        return Known({}, {}, {})
    tickers = [record["ticker"] for record in found]
    known_at = known_at or max(datetime.fromisoformat(record["recorded_at"]) for record in found)
    dates = {record["ticker"]: date.fromisoformat(record["market_date"]) for record in found}
    moments = {record["ticker"]: (dates[record["ticker"]], datetime.fromisoformat(record["as_of"])) for record in found}
    standing = history.standing_alerts(connection, plan.provider, tickers, known_at)
    due = [alert["id"] for ticker in tickers for alert in standing[ticker] if awaits(alert, dates[ticker])]
    return Known(
        usual_volumes(connection, plan.provider, moments, known_at, sessions),
        past_sessions(connection, plan.provider, dates, known_at, SESSIONS_READ),
        standing,
        history.seen_at_first(connection, due),
        known_ledger(connection, plan, dates, known_at, sessions, alerting, SESSIONS_READ),
    )


def detect(
    known: Known,
    plan: ScanPlan,
    found: Sequence[Mapping[str, Any]],
    rows: Mapping[str, pd.DataFrame],
    alerting: Alerting,
    sessions: Sessions,
    version: str | None = None,
) -> Detected:
    """Run the detectors over each ticker and let its alerts live on; note in its feature what each detector saw.

    ``version`` is the code that new alerts name, the running one unless given.
    """
    context = ScanContext(
        scan_id=plan.scan_id,
        provider=plan.provider,
        config_hash=plan.config_hash,
        code_version=version or code_version(),
        policy=alerting.policy,
        claims={detector.name: detector.claim for detector in alerting.detectors},
        track_records=known.outcomes.ledger.track_records,
    )
    events: list[AlertEvent] = []
    said: list[tuple[str, Evaluation]] = []
    told: list[Told] = []
    for record in found:
        ticker = record["ticker"]
        rank(record["feature"], known.past[ticker])
        view = ticker_view(plan.provider, record, rows[ticker], known)
        evaluations = [_evaluation(detector, view) for detector in alerting.detectors.of(ticker)]
        record["feature"]["detectors"] = [_seen(evaluation) for evaluation in evaluations]
        said += [(ticker, evaluation) for evaluation in evaluations]
        moved = advance(known.standing[ticker], view, evaluations, context)
        moved = confirmed(moved, known.standing[ticker], known.seen, view, sessions, context)
        moved, outcomes = judge_outcomes(moved, known.outcomes.ledger, view, record, context)
        events += moved
        told += outcomes
    summary = digest(events, alerting.policy.storm, context)
    return Detected(
        tuple(events if summary is None else [*events, summary]),
        _by_detector(said),
        _near_misses(said),
        tuple(told),
        tuple(records_after(told, known.outcomes, known.past, sessions)),
    )


def _evaluation(detector: Detector, view: TickerView) -> Evaluation:
    """Return what a detector says; one that fails costs neither the scan nor the others, and is told in the scan."""
    try:
        return detector.evaluate(view)
    except Exception:
        logger.exception("Detector %s failed on %s", detector.name, view.ticker)
        return Evaluation(detector.name, "not_evaluated", reason="detector_failed")


def rank(feature: dict[str, Any], past: KnownPast) -> None:
    """Put into a feature where its 30-day volatility stands among the sessions before."""
    reasons = feature["reasons"]
    known = past.volatility(WINDOW)
    found = volatility_rank(np.array(known.values), feature["iv_30d"], reasons.get("iv_30d", "no_usable_chain"))
    figures: dict[str, tuple[Any, str | None]] = {
        "iv_rank": (found.rank, found.reason),
        "iv_percentile": (found.percentile, found.percentile_reason),
        "iv_rank_sessions": (found.sessions, None),
        "iv_rank_window": (WINDOW, None),
        "iv_rank_first_date": (known.dates[0].isoformat() if known.dates else None, "no_history"),
        "iv_rank_last_date": (known.dates[-1].isoformat() if known.dates else None, "no_history"),
        "iv_rank_source": (known.source, "no_history"),
        "iv_rank_status": (found.status, "short_history"),
    }
    for name, (value, reason) in figures.items():
        feature[name] = value
        reasons.pop(name, None)
        if value is None and reason is not None:
            reasons[name] = reason


def ticker_view(provider: str, record: Mapping[str, Any], rows: pd.DataFrame, known: Known) -> TickerView:
    """Return what the detectors see of a ticker's staged record."""
    ticker, market_date = record["ticker"], date.fromisoformat(record["market_date"])
    return TickerView(
        ticker=ticker,
        provider=provider,
        as_of=datetime.fromisoformat(record["as_of"]),
        market_date=market_date,
        # As the rows are sorted: the order in which a feed listed them says nothing.
        chains=tuple(_chain_view(chain) for chain in sorted(record["chains"], key=_place)),
        contracts=rows,
        contract_history=known.usual[ticker].contracts,
        features=record["feature"],
        past=known.past[ticker].sessions,
        events=_coming(record["events"], market_date),
        standing=frozenset(alert["subject"] for alert in known.standing[ticker] if alert["state"] != "ended"),
        usual_volume=known.usual[ticker].ticker,
    )


def _place(chain: Mapping[str, Any]) -> tuple[str, str]:
    return chain["expiration"], chain["root"]


def _chain_view(chain: Mapping[str, Any]) -> ChainView:
    settles, as_of = datetime.fromisoformat(chain["settlement_time"]), datetime.fromisoformat(chain["as_of"])
    return ChainView(
        root=chain["root"],
        expiration=date.fromisoformat(chain["expiration"]),
        dte=chain["dte"],
        settlement_time=settles,
        grade=chain["grade"],
        underlying_price=chain["underlying_price"],
        reference_price=chain["facts"]["reference_price"],
        tenor=(settles - as_of).total_seconds() / YEAR,
        forward=chain["forward"],
        discount_factor=chain["discount_factor"],
        atm_iv=chain["atm_iv"],
        relative_spread=chain["facts"]["median_relative_spread"],
        analytics=chain["analytics"],
        totals=chain["totals"],
        open_interest_date=date.fromisoformat(chain["open_interest_date"]),
        row=chain,
    )


def _coming(events: Sequence[Mapping[str, Any]], market_date: date) -> tuple[Event, ...]:
    """Return the events of today and later."""
    today = market_date.isoformat()
    return tuple(from_json(dict(event)) for event in events if event["date"] >= today)


def _seen(evaluation: Evaluation) -> dict[str, Any]:
    """Return what a feature says of a detector: why there is no alert."""
    return {
        "detector": evaluation.detector,
        "status": evaluation.status,
        "metric": evaluation.metric,
        "value": evaluation.value,
        "threshold": evaluation.threshold,
        "comparison": evaluation.comparison,
        "reason": evaluation.reason,
    }


def _by_detector(said: Sequence[tuple[str, Evaluation]]) -> tuple[dict[str, Any], ...]:
    """Return for each detector on how many tickers it was armed, quiet or mute, and why."""
    status: dict[str, Counter[str]] = {}
    reasons: dict[str, Counter[str]] = {}
    for _, evaluation in said:
        status.setdefault(evaluation.detector, Counter())[evaluation.status] += 1
        if evaluation.reason is not None:
            reasons.setdefault(evaluation.detector, Counter())[evaluation.reason] += 1
    return tuple(
        {
            "detector": name,
            **{key: counts[key] for key in ("armed", "quiet", "not_evaluated")},
            "reasons": dict(sorted(reasons.get(name, Counter()).items())),
        }
        for name, counts in status.items()
    )


def _near_misses(said: Sequence[tuple[str, Evaluation]]) -> tuple[dict[str, Any], ...]:
    """Return the quiet evaluations whose value came near to its level, the nearest first."""
    near = [(nearness(evaluation), ticker, evaluation) for ticker, evaluation in said if evaluation.status == "quiet"]
    near = [one for one in near if one[0] >= NEAR]
    near.sort(key=lambda one: (-one[0], one[1], one[2].detector))
    return tuple(
        {
            "ticker": ticker,
            "detector": evaluation.detector,
            "metric": evaluation.metric,
            "value": evaluation.value,
            "threshold": evaluation.threshold,
            "comparison": evaluation.comparison,
        }
        for _, ticker, evaluation in near[:NEAR_MISSES]
    )


def nearness(evaluation: Evaluation) -> float:
    """Return the share of its level that a value reached, 1 at the level; 0 where that can't be said."""
    value, level, comparison = evaluation.value, evaluation.threshold, evaluation.comparison
    if value is None or level is None or comparison is None:
        return 0.0
    over, under = (value, level) if comparison in (">=", ">") else (level, value)
    return float(over / under) if over > 0 and under > 0 else 0.0
