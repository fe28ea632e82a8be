"""Contracts that trade more than is open and far more than they usually do.

A large volume says that somebody cared, not who opened what: calls are read as bullish and puts as bearish, which is a
naive reading. The feed does not say which side started a trade, and a roll or the leg of a spread looks the same.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from collector.detectors import activity_words
from collector.detectors.base import (
    Claim,
    Comparison,
    ConfigError,
    Direction,
    Evaluation,
    Evidence,
    Finding,
    TickerView,
)
from collector.detectors.contract_activity import ContractActivity, contract_activity
from collector.detectors.evidence import days_to_event, liquidity

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.intp]

# Strength is full where a ratio stands at 16 times its level, and a premium at 100 times its own.
FULL_EXCESS = 16.0
FULL_PREMIUM = 100.0
EXCESS_WEIGHT = 0.6


@dataclass(frozen=True, slots=True)
class Config:
    """Levels of the detector.

    Attributes:
        min_volume_to_open_interest: volume over open interest that arms, with history.
        min_volume_to_usual: volume over the contract's own mean volume that arms, with history.
        day_one_volume_to_open_interest: what volume over open interest has to exceed without history.
        usual_sessions: sessions of the contract's own volume that count as history.
        min_volume: contracts traded, below which ratios say nothing.
        min_premium: dollars traded at the mid, multiplier included.
        max_relative_spread: (ask - bid) / mid, above which the mid says nothing and the contract is not judged.
        min_dte: calendar days to expiration; what dies today has no open interest tomorrow to confirm it.
        max_armed: contracts of one ticker that one scan may arm, the strongest first; the others only keep an alert.
        rearm_volume_to_open_interest: level below which an alert ends.
        rearm_volume_to_usual: level below which an alert ends, with history.
        rearm_premium: dollars below which an alert ends.
    """

    min_volume_to_open_interest: float = 1.0
    min_volume_to_usual: float = 3.0
    day_one_volume_to_open_interest: float = 1.0
    usual_sessions: int = 5
    min_volume: int = 500
    min_premium: float = 100_000.0
    max_relative_spread: float = 0.3
    min_dte: int = 1
    max_armed: int = 10
    rearm_volume_to_open_interest: float = 0.7
    rearm_volume_to_usual: float = 2.0
    rearm_premium: float = 50_000.0

    def __post_init__(self) -> None:
        """Refuse levels that can't work, naming the field."""
        for name, value in asdict(self).items():
            # A bool is an int to isinstance, and `max_armed = true` in a file is a slip.
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
                raise ConfigError(f"{name}: {value!r} is no number; give one of 0 or more")
        for name in ("usual_sessions", "min_volume", "min_dte", "max_armed"):
            if not isinstance(getattr(self, name), int):
                raise ConfigError(f"{name}: {getattr(self, name)!r} is no whole number")
        for name in ("min_volume_to_open_interest", "min_volume_to_usual", "day_one_volume_to_open_interest"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}: a level that arms has to be above 0")
        if self.max_armed < 1:
            raise ConfigError("max_armed: 0 would silence the detector; give 1 or more")
        ratio = min(self.min_volume_to_open_interest, self.day_one_volume_to_open_interest)
        for name, arm in (
            ("rearm_volume_to_open_interest", ratio),
            ("rearm_volume_to_usual", self.min_volume_to_usual),
            ("rearm_premium", self.min_premium),
        ):
            if getattr(self, name) > arm:
                raise ConfigError(f"{name}: {getattr(self, name):g} is above {arm:g}, which arms; set it at or below")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the levels make of each judged contract: arrays of the activity's length.

    ``excess`` is how many times its arm level the binding ratio stands at (the usual volume's where ``usual_binds``),
    ``over`` whether both ratios arm, ``armed`` and ``kept`` count the gates and the re-arm levels too.
    """

    to_open_interest: Floats
    to_usual: Floats
    day_one: Booleans
    excess: Floats
    usual_binds: Booleans
    over: Booleans
    armed: Booleans
    kept: Booleans
    strength: Floats


@dataclass(frozen=True, slots=True)
class UnusualActivity:
    """Volume against open interest and against the contract's own recent volume; the subject is the contract."""

    config: Config = Config()

    name: ClassVar[str] = "unusual_activity"
    claim: ClassVar[Claim] = "spot_follows"
    hypothesis: ClassVar[str] = (
        "Volume above what is open and well above what a contract usually trades shows somebody with an opinion. "
        "Calls are read as bullish and puts as bearish, which is naive: the feed does not say who started the trade."
    )
    formula: ClassVar[str] = (
        "volume / max(open interest, 1) >= min_volume_to_open_interest and volume / max(mean volume, 1) >= "
        "min_volume_to_usual, with volume >= min_volume, mid * volume * multiplier >= min_premium, (ask - bid) / mid "
        "<= max_relative_spread and dte >= min_dte; at most max_armed contracts a ticker and scan, the strongest first"
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
        findings = tuple(
            _finding(view, activity, judgement, int(i), self.config)
            for i in np.flatnonzero(judgement.kept)
            if view.matters(activity.symbol[i], bool(judgement.armed[i]))
        )
        metric, value, threshold, comparison, reason = _nearest(activity, judgement, self.config)
        return Evaluation(
            self.name,
            "armed" if reason is None else "quiet",
            findings,
            judged,
            metric,
            value,
            threshold,
            reason,
            comparison,
        )


def judge(activity: ContractActivity, config: Config) -> Judgement:
    """Hold the activity against the levels."""
    day_one = activity.sessions < config.usual_sessions
    level = np.where(day_one, config.day_one_volume_to_open_interest, config.min_volume_to_open_interest)
    to_open_interest = activity.volume / np.maximum(activity.open_interest, 1.0)
    to_usual = np.where(day_one, np.nan, activity.volume / np.maximum(activity.usual, 1.0))
    of_open_interest = to_open_interest / level
    of_usual = np.where(day_one, np.inf, to_usual / config.min_volume_to_usual)
    excess = np.minimum(of_open_interest, of_usual)
    over = np.where(day_one, of_open_interest > 1.0, excess >= 1.0)
    tight = activity.spread <= config.max_relative_spread
    passed = over & tight & (activity.volume >= config.min_volume) & (activity.premium >= config.min_premium)
    strength = _strength(excess, activity.premium, config)
    kept = (
        tight
        & (to_open_interest >= config.rearm_volume_to_open_interest)
        & (day_one | (to_usual >= config.rearm_volume_to_usual))
        & (activity.premium >= config.rearm_premium)
    )
    return Judgement(
        to_open_interest=to_open_interest,
        to_usual=to_usual,
        day_one=day_one,
        excess=excess,
        usual_binds=of_usual < of_open_interest,
        over=over,
        armed=_strongest(passed, strength, activity.premium, config.max_armed),
        kept=kept,
        strength=strength,
    )


def _strength(excess: Floats, premium: Floats, config: Config) -> Floats:
    """Return 0-1: the binding ratio and the premium on logarithmic scales from their arm levels."""
    ratio = np.log(np.maximum(excess, 1.0)) / math.log(FULL_EXCESS)
    dollars = np.log(np.maximum(premium / max(config.min_premium, 1.0), 1.0)) / math.log(FULL_PREMIUM)
    strength: Floats = EXCESS_WEIGHT * np.minimum(ratio, 1.0) + (1 - EXCESS_WEIGHT) * np.minimum(dollars, 1.0)
    return strength


def _strongest(passed: Booleans, strength: Floats, premium: Floats, limit: int) -> Booleans:
    """Return ``passed`` with at most ``limit`` left, the strongest first, then those of the largest premium."""
    candidates = np.flatnonzero(passed)
    order = np.lexsort((candidates, -premium[candidates], -strength[candidates]))
    armed = np.zeros_like(passed)
    armed[candidates[order[:limit]]] = True
    return armed


def _trigger(judgement: Judgement, i: int, config: Config) -> tuple[str, float, float, Comparison]:
    """Return metric, value, arm level and comparison of the ratio that binds."""
    if judgement.usual_binds[i]:
        return "volume_to_usual", float(judgement.to_usual[i]), config.min_volume_to_usual, ">="
    value = float(judgement.to_open_interest[i])
    if judgement.day_one[i]:
        return "volume_to_open_interest", value, config.day_one_volume_to_open_interest, ">"
    return "volume_to_open_interest", value, config.min_volume_to_open_interest, ">="


def _nearest(
    activity: ContractActivity, judgement: Judgement, config: Config
) -> tuple[str, float, float, Comparison, str | None]:
    """Return what came nearest to an alert: metric, value, threshold, comparison, and why it is quiet (None: armed)."""
    if judgement.armed.any():
        best = int(np.argmax(np.where(judgement.armed, judgement.strength, -1.0)))
        return *_trigger(judgement, best, config), None
    traded = activity.volume >= config.min_volume
    if not traded.any():
        return "volume", float(activity.volume.max()), float(config.min_volume), ">=", "low_volume"
    best = int(np.argmax(np.where(traded, judgement.excess, -1.0)))
    reason = "below_threshold"
    if judgement.over[best]:
        reason = "low_premium" if activity.premium[best] < config.min_premium else "wide_spread"
    return *_trigger(judgement, best, config), reason


def _finding(view: TickerView, activity: ContractActivity, judgement: Judgement, i: int, config: Config) -> Finding:
    metric, value, threshold, comparison = _trigger(judgement, i, config)
    metrics = _metrics(view, activity, judgement, i)
    direction: Direction = "bullish" if metrics["option_type"] == "call" else "bearish"
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
        evidence=_evidence(view, activity, judgement, i, config),
        metrics=metrics,
        summary=activity_words.summary(view.ticker, metrics),
        reason=activity_words.reason(view.ticker, metrics, direction),
        intention="directional",
    )


def _evidence(view: TickerView, activity: ContractActivity, judgement: Judgement, i: int, config: Config) -> Evidence:
    """Return what a finding stands on; both ratios and the premium beyond their levels agree."""
    chain = view.chains[activity.chain[i]]
    over = [
        judgement.to_open_interest[i] >= config.min_volume_to_open_interest,
        bool(judgement.to_usual[i] >= config.min_volume_to_usual),
        activity.premium[i] >= config.min_premium,
    ]
    return Evidence(
        size=float(judgement.strength[i]) if judgement.armed[i] else 0.0,
        agreement=sum(over) / len(over) if judgement.over[i] else 0.0,
        liquidity=liquidity(float(activity.spread[i])),
        grade=chain.grade,
        event_days=days_to_event(view, chain.expiration),
        history=min(float(activity.sessions[i]) / config.usual_sessions, 1.0) if config.usual_sessions else 1.0,
    )


@lru_cache(maxsize=1024)
def _utc_text(moment: datetime) -> str:
    """Return RFC 3339 in UTC; the contracts of a chain share theirs."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _metrics(view: TickerView, activity: ContractActivity, judgement: Judgement, i: int) -> dict[str, Any]:
    """Return the figures behind a finding, as JSON values."""
    chain = view.chains[activity.chain[i]]
    strike = float(activity.strike[i])
    reference = chain.reference_price or chain.underlying_price
    history = not judgement.day_one[i]
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
        "volume_to_open_interest": float(judgement.to_open_interest[i]),
        "usual_volume": float(activity.usual[i]) if history else None,
        "volume_to_usual": float(judgement.to_usual[i]) if history else None,
        "sessions": int(activity.sessions[i]),
        "mid": float(activity.mid[i]),
        "premium": float(activity.premium[i]),
        "relative_spread": float(activity.spread[i]),
        "grade": chain.grade,
    }
