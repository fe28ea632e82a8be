"""Contracts that trade more than is open and far more than they usually do.

A large volume says that somebody cared, not who opened what: calls are read as bullish and puts as bearish, which is a
naive reading. The feed does not say which side started a trade. Where the other leg of a spread, a roll or a straddle
shows the same volume, the finding says so and has no direction; in the alert's key the direction stays that of the
contract's type, so that it is one alert, whichever leg is seen first.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np

from collector.detectors import activity_words
from collector.detectors.activity_judgement import Config as Config
from collector.detectors.activity_judgement import Judgement, judge, trigger
from collector.detectors.base import (
    Claim,
    Comparison,
    Direction,
    Evaluation,
    Evidence,
    Finding,
    TickerView,
)
from collector.detectors.contract_activity import ContractActivity, contract_activity, untraded_subjects
from collector.detectors.evidence import days_to_event, liquidity, share
from collector.detectors.legs import Legs, TradedTogether

# What is left of the inputs' agreement where the volume is likely a leg.
LEG_AGREEMENT = 0.5
STANDARD = Config()


@dataclass(frozen=True, slots=True)
class UnusualActivity:
    """Volume against open interest and against the contract's own recent volume; the subject is the contract."""

    config: Config = STANDARD

    name: ClassVar[str] = "unusual_activity"
    claim: ClassVar[Claim] = "spot_follows"
    hypothesis: ClassVar[str] = (
        "Volume above what is open and well above what a contract usually trades shows somebody with an opinion. "
        "Calls are read as bullish and puts as bearish, which is naive: the feed does not say who started the trade."
    )
    formula: ClassVar[str] = (
        "volume / max(open interest, 1) >= min_volume_to_open_interest; volume / max(mean volume by this time of the "
        "session, 1) >= min_volume_to_usual, and that over the same ratio of the rest of the ticker where this is "
        "above 1 >= min_volume_to_ticker; volume >= min_volume, mid * volume * multiplier >= min_premium, (ask - bid) "
        "/ mid <= max_relative_spread, dte >= min_dte; at most max_armed contracts a ticker and scan, the strongest "
        "first. Inputs: volume, open interest and quotes of this scan, volumes of the last 20 sessions by this time of "
        "the session (of the whole session where no scan of that time is there). Neutral where a second contract "
        "traded the same within leg_tolerance and both stand out among their strikes: spread, roll or straddle."
    )
    day_one: ClassVar[str] = (
        "With fewer than usual_sessions of the contract's own volume: volume / max(open interest, 1) > "
        "day_one_volume_to_open_interest, at a lower confidence."
    )
    minimum_grade: ClassVar[str] = "C"

    def configuration(self) -> dict[str, Any]:
        """Return the levels as JSON values."""
        return asdict(self.config)

    def evaluate(self, view: TickerView) -> Evaluation:
        """Judge every contract whose volume of this session, open interest and quote are known."""
        activity = contract_activity(view, self.minimum_grade, self.config.min_dte)
        if isinstance(activity, str):
            return Evaluation(self.name, "not_evaluated", reason=activity)
        judgement = judge(activity, self.config)
        judged = frozenset(activity.symbol[activity.spread <= self.config.max_relative_spread].tolist())
        judged |= untraded_subjects(view, self.minimum_grade, self.config.rearm_volume_to_open_interest)
        told = [
            int(i) for i in np.flatnonzero(judgement.kept) if view.matters(activity.symbol[i], bool(judgement.armed[i]))
        ]
        together = TradedTogether(view, self.config.min_volume, self.config.leg_tolerance) if told else None
        findings = tuple(
            _finding(view, activity, judgement, i, together.of(int(activity.row[i])) if together else None, self.config)
            for i in told
        )
        metric, value, threshold, comparison, reason = _nearest(activity, judgement, self.config)
        status: Literal["armed", "quiet"] = "armed" if reason is None else "quiet"
        return Evaluation(self.name, status, findings, judged, metric, value, threshold, reason, comparison)


def _nearest(
    activity: ContractActivity, judgement: Judgement, config: Config
) -> tuple[str, float, float, Comparison, str | None]:
    """Return what came nearest to an alert: metric, value, threshold, comparison, and why it is quiet (None: armed)."""
    if judgement.armed.any():
        best = int(np.argmax(np.where(judgement.armed, judgement.strength, -1.0)))
        return *trigger(judgement, best), None
    traded = activity.volume >= config.min_volume
    if not traded.any():
        return "volume", float(activity.volume.max()), float(config.min_volume), ">=", "low_volume"
    best = int(np.argmax(np.where(traded, judgement.excess, -1.0)))
    reason = "below_threshold"
    if judgement.over[best]:
        reason = "low_premium" if activity.premium[best] < config.min_premium else "wide_spread"
    return *trigger(judgement, best), reason


def _finding(
    view: TickerView, activity: ContractActivity, judgement: Judgement, i: int, legs: Legs | None, config: Config
) -> Finding:
    metric, value, threshold, comparison = trigger(judgement, i)
    metrics = _metrics(view, activity, judgement, i, legs)
    side: Direction = "bullish" if metrics["option_type"] == "call" else "bearish"
    direction: Direction = side if legs is None else "neutral"
    return Finding(
        detector=UnusualActivity.name,
        ticker=view.ticker,
        subject=metrics["contract_symbol"],
        direction=direction,
        metric=metric,
        value=value,
        threshold=threshold,
        comparison=comparison,
        armed=bool(judgement.armed[i]),
        evidence=_evidence(view, activity, judgement, i, legs, config),
        metrics=metrics,
        summary=activity_words.summary(view.ticker, metrics),
        reason=activity_words.reason(view.ticker, metrics, direction),
        intention="directional" if legs is None else None,
        side=side,
    )


def _evidence(
    view: TickerView, activity: ContractActivity, judgement: Judgement, i: int, legs: Legs | None, config: Config
) -> Evidence:
    """Return what a finding stands on; the ratios and the premium beyond their levels agree, less where it is a leg."""
    chain = view.chains[activity.chain[i]]
    levels = (config.min_volume_to_open_interest, config.min_volume_to_usual, config.min_volume_to_ticker)
    over = [bool(ratio >= level) for ratio, level in zip(judgement.ratios[:, i].tolist(), levels, strict=True)]
    agreement = share(*over, bool(activity.premium[i] >= config.min_premium)) if judgement.over[i] else 0.0
    return Evidence(
        size=float(judgement.strength[i]) if judgement.armed[i] else 0.0,
        agreement=agreement if legs is None else LEG_AGREEMENT * agreement,
        liquidity=liquidity(float(activity.spread[i])),
        grade=chain.grade,
        event_days=days_to_event(view, chain.expiration),
        history=min(float(activity.sessions[i]) / config.usual_sessions, 1.0) if config.usual_sessions else 1.0,
    )


@lru_cache(maxsize=1024)
def _utc_text(moment: datetime) -> str:
    """Return RFC 3339 in UTC; the contracts of a chain share theirs."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _metrics(
    view: TickerView, activity: ContractActivity, judgement: Judgement, i: int, legs: Legs | None
) -> dict[str, Any]:
    """Return the figures behind a finding, as JSON values."""
    chain = view.chains[activity.chain[i]]
    strike = float(activity.strike[i])
    reference = chain.reference_price or chain.underlying_price
    history = not judgement.day_one[i]
    to_open_interest, to_usual, to_ticker = judgement.ratios[:, i].tolist()
    rest = float(activity.rest[i])
    return {
        "market_date": view.market_date.isoformat(),
        "contract_symbol": str(activity.symbol[i]),
        "root": chain.root,
        "expiration": chain.expiration.isoformat(),
        "dte": chain.dte,
        "settlement_time": _utc_text(chain.settlement_time),
        "option_type": str(activity.option_type[i]),
        "strike": strike,
        "moneyness": strike / reference if reference else None,
        "underlying_price": chain.underlying_price,
        "mode": "history" if history else "day_one",
        "volume": int(activity.volume[i]),
        "open_interest": int(activity.open_interest[i]),
        "open_interest_date": chain.open_interest_date.isoformat() if chain.open_interest_date else None,
        "volume_to_open_interest": to_open_interest,
        "usual_volume": float(activity.usual[i]) if history else None,
        "volume_to_usual": to_usual if history else None,
        "volume_to_ticker": to_ticker if history and math.isfinite(to_ticker) else None,
        "ticker_volume_to_usual": rest if history and math.isfinite(rest) else None,
        "sessions": int(activity.sessions[i]),
        "sessions_by_time": int(activity.by_time[i]) if history else None,
        "usual_by": _basis(activity.by_time[i], activity.sessions[i]) if history else None,
        "pattern": legs.pattern if legs else None,
        "legs": list(legs.symbols) if legs else [],
        "mid": float(activity.mid[i]),
        "premium": float(activity.premium[i]),
        "relative_spread": float(activity.spread[i]),
        "grade": chain.grade,
    }


def _basis(by_time: float, sessions: float) -> str:
    """Return what the usual volume is held against: that by this time of each session, of whole ones, or of both."""
    if by_time == 0:
        return "whole_session"
    return "time_of_session" if by_time == sessions else "mixed"
