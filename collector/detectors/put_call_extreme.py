"""A ticker whose options trade lopsided: far more puts to its calls, or calls to its puts, than they usually do.

The ratio is read with the flow, puts as bearish and calls as bullish, not against it: in the options of single
companies the lopsided days are those of people with an opinion (Pan and Poteshman, "The Information in Option Volume
for Future Stock Prices", 2006). It stays a naive reading: who bought and who sold is not known, and the puts of an
index are mostly insurance.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from collector.detectors import put_call_words
from collector.detectors.base import Claim, Direction, Evaluation, Evidence, Finding, TickerView
from collector.detectors.evidence import days_to_event, liquidity, ramp
from collector.detectors.levels import check_number, check_rearm, check_whole
from collector.detectors.past import Floats

# Ratios beyond are as good as one side alone.
LEAST_RATIO, GREATEST_RATIO = 0.01, 100.0
# The size of a finding is full at so many times the level that arms.
FULL = 2.0

Side = Literal["puts", "calls"]


@dataclass(frozen=True, slots=True)
class Config:
    """Levels of the detector.

    Attributes:
        deviations: standard deviations of ln(put/call by volume) from its mean that arm, on either side.
        rearm_deviations: level below which an alert ends.
        window: sessions of the ratio's own past that are looked at, the last ones.
        min_sessions: known sessions among them that count as history.
        min_deviation: least standard deviation of ln(ratio) that is reckoned with: a ratio that hardly ever moved makes
            no extreme of a trifle.
        min_volume: contracts of the ticker traded, below which the ratio says nothing.
        max_concentration: share of the heavy side's volume that one contract may hold; above, it is one trade, which
            unusual_activity tells, and no lopsided ticker.
        day_one_put_call: puts to calls by volume that arm without history.
        day_one_call_put: calls to puts by volume that arm without history.
        rearm_day_one_share: share of the level of day-one mode below which an alert ends.
    """

    deviations: float = 3.0
    rearm_deviations: float = 2.0
    window: int = 60
    min_sessions: int = 20
    min_deviation: float = 0.15
    min_volume: int = 1_000
    max_concentration: float = 0.5
    day_one_put_call: float = 4.0
    day_one_call_put: float = 10.0
    rearm_day_one_share: float = 0.7

    def __post_init__(self) -> None:
        """Refuse levels that can't work, naming the field."""
        check_number("deviations", self.deviations, 0.5, 20.0)
        check_number("rearm_deviations", self.rearm_deviations, 0.0)
        check_rearm("rearm_deviations", self.rearm_deviations, self.deviations)
        check_whole("min_sessions", self.min_sessions, 2)
        check_whole("window", self.window, self.min_sessions)
        check_number("min_deviation", self.min_deviation, 0.01)
        check_whole("min_volume", self.min_volume, 1)
        check_number("max_concentration", self.max_concentration, 0.05, 1.0)
        check_number("day_one_put_call", self.day_one_put_call, 1.0, GREATEST_RATIO)
        check_number("day_one_call_put", self.day_one_call_put, 1.0, GREATEST_RATIO)
        check_number("rearm_day_one_share", self.rearm_day_one_share, 0.1, 1.0)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the levels make of the ratio: the side that is heavy, and how far that stands beyond its levels.

    ``support`` is 0-1: how far the ratio of open interest leans to the same side.
    """

    side: Side
    metric: str
    value: float
    threshold: float
    rearm: float
    size: float
    support: float
    mode: Literal["history", "day_one"]
    sessions: int
    usual: float | None
    usual_open_interest: float | None


@dataclass(frozen=True, slots=True)
class PutCallExtreme:
    """Put/call of a ticker by volume against its own past; the subject is the ticker."""

    config: Config = Config()

    name: ClassVar[str] = "put_call_extreme"
    claim: ClassVar[Claim] = "spot_follows"
    hypothesis: ClassVar[str] = (
        "When a ticker's options trade far more puts to its calls than usual, or calls to its puts, the spot goes the "
        "way of the heavy side: puts are read as bearish and calls as bullish, with the flow and not against it, "
        "which is naive where puts are insurance."
    )
    formula: ClassVar[str] = (
        "(ln(put volume / call volume) - mean) / max(standard deviation, min_deviation) of the last window sessions, "
        ">= deviations (bearish) or <= -deviations (bullish), with volume >= min_volume, "
        "the largest contract of the heavy side holding at most max_concentration of its volume. Inputs: "
        "put_call_volume_ratio and volume of this scan and of the sessions before. The ratio by open interest, held "
        "against its own past alike, only supports: it moves in days, and with the expirations that a scan holds."
    )
    day_one: ClassVar[str] = (
        "With fewer than min_sessions: puts over calls by volume >= day_one_put_call, or calls over puts >= "
        "day_one_call_put, at a lower confidence."
    )
    minimum_grade: ClassVar[str] = "C"

    def configuration(self) -> dict[str, Any]:
        """Return the levels as JSON values."""
        return asdict(self.config)

    def evaluate(self, view: TickerView) -> Evaluation:
        """Judge the ticker's put/call ratio; a session in which little has traded yet leaves an alert as it is."""
        figures = view.features
        grade = figures.get("grade")
        if grade is None or grade > self.minimum_grade:
            return Evaluation(self.name, "not_evaluated", reason="no_usable_chain")
        ratio, volume = figures.get("put_call_volume_ratio"), figures.get("volume")
        if ratio is None or volume is None:
            reasons = figures.get("reasons", {})
            reason = reasons.get("put_call_volume_ratio") or reasons.get("volume") or "volume_unknown"
            return Evaluation(self.name, "not_evaluated", reason=reason)
        if volume < self.config.min_volume:
            return Evaluation(
                self.name,
                "not_evaluated",
                metric="volume",
                value=float(volume),
                threshold=float(self.config.min_volume),
                reason="thin_trading",
                comparison=">=",
            )
        reading = read(view, float(ratio), self.config)
        if reading.value < reading.rearm:
            return self._said("quiet", reading, _below(reading), ())
        one = concentration(view, reading.side)
        armed = reading.value >= reading.threshold and one <= self.config.max_concentration
        findings = (_finding(view, reading, one, armed, self.config),) if view.matters("", armed) else ()
        if armed:
            return self._said("armed", reading, None, findings)
        if reading.value < reading.threshold:
            return self._said("quiet", reading, _below(reading), findings)
        level = self.config.max_concentration
        return Evaluation(self.name, "quiet", findings, None, "concentration", one, level, "one_contract", "<=")

    def _said(
        self, status: Literal["armed", "quiet"], reading: Reading, reason: str | None, findings: tuple[Finding, ...]
    ) -> Evaluation:
        return Evaluation(
            self.name, status, findings, None, reading.metric, reading.value, reading.threshold, reason, ">="
        )


def _below(reading: Reading) -> str:
    return "below_threshold" if reading.mode == "history" else "below_day_one_level"


def concentration(view: TickerView, side: Side) -> float:
    """Return the largest contract's share of the volume of its type, 0 where none is known to have traded."""
    frame = view.contracts
    volume = frame["volume"].to_numpy(dtype=np.float64)
    known = frame["volume_known"].to_numpy(dtype=np.bool_) & ~frame["adjusted"].to_numpy(dtype=np.bool_)
    traded = volume[known & (frame["option_type"].to_numpy() == side[:-1]) & (volume > 0)]
    return float(traded.max() / traded.sum()) if traded.size else 0.0


def read(view: TickerView, ratio: float, config: Config) -> Reading:
    """Hold the ratio against its past, or where that is too short against the fixed levels."""
    past = _logarithms(view.past.last("put_call_volume_ratio", config.window))
    if past.size < config.min_sessions:
        return _day_one(view, ratio, past.size, config)
    away, usual = _deviations(ratio, past, config)
    side: Side = "puts" if away >= 0 else "calls"
    support, usual_open_interest = _support(view, away, config)
    return Reading(
        side=side,
        metric="put_call_deviations" if side == "puts" else "call_put_deviations",
        value=abs(away),
        threshold=config.deviations,
        rearm=config.rearm_deviations,
        size=ramp(abs(away), config.deviations, FULL * config.deviations),
        support=support,
        mode="history",
        sessions=int(past.size),
        usual=usual,
        usual_open_interest=usual_open_interest,
    )


def _day_one(view: TickerView, ratio: float, sessions: int, config: Config) -> Reading:
    bounded = min(max(ratio, LEAST_RATIO), GREATEST_RATIO)
    puts, calls = bounded / config.day_one_put_call, 1.0 / bounded / config.day_one_call_put
    side: Side = "puts" if puts >= calls else "calls"
    value, level = (bounded, config.day_one_put_call) if side == "puts" else (1.0 / bounded, config.day_one_call_put)
    held = view.features.get("put_call_open_interest_ratio")
    leaning = 0.0
    if held is not None:
        lean = _logarithm(held) if side == "puts" else -_logarithm(held)
        leaning = ramp(lean, 0.0, math.log(level)) if level > 1.0 else 0.0
    return Reading(
        side=side,
        metric="put_call_volume_ratio" if side == "puts" else "call_put_volume_ratio",
        value=value,
        threshold=level,
        rearm=level * config.rearm_day_one_share,
        size=ramp(value, level, FULL * level),
        support=leaning,
        mode="day_one",
        sessions=sessions,
        usual=None,
        usual_open_interest=None,
    )


def _support(view: TickerView, away: float, config: Config) -> tuple[float, float | None]:
    """Return how far (0-1) the ratio of open interest leans to the same side, and its usual value."""
    held = view.features.get("put_call_open_interest_ratio")
    past = _logarithms(view.past.last("put_call_open_interest_ratio", config.window))
    if held is None or past.size < config.min_sessions:
        return 0.0, None
    leaning, usual = _deviations(float(held), past, config)
    return ramp(math.copysign(1.0, away) * leaning, 0.0, config.deviations), usual


def _deviations(ratio: float, past: Floats, config: Config) -> tuple[float, float]:
    """Return how many deviations ln(ratio) lies from the mean of its past, and the ratio at that mean."""
    # By hand: np.mean and np.std take four times as long on so few values.
    mean = float(past.sum()) / past.size
    away = past - mean
    spread = math.sqrt(float(away @ away) / (past.size - 1))
    return (_logarithm(ratio) - mean) / max(spread, config.min_deviation), math.exp(mean)


def _logarithm(ratio: float) -> float:
    return math.log(min(max(ratio, LEAST_RATIO), GREATEST_RATIO))


def _logarithms(ratios: Floats) -> Floats:
    logarithms: Floats = np.log(ratios.clip(LEAST_RATIO, GREATEST_RATIO))
    return logarithms


def _finding(view: TickerView, reading: Reading, one: float, armed: bool, config: Config) -> Finding:
    figures = view.features
    direction: Direction = "bearish" if reading.side == "puts" else "bullish"
    metrics = _metrics(view, reading, one, config)
    return Finding(
        detector=PutCallExtreme.name,
        ticker=view.ticker,
        subject="",
        direction=direction,
        metric=reading.metric,
        value=reading.value,
        threshold=reading.threshold,
        comparison=">=",
        armed=armed,
        evidence=Evidence(
            size=reading.size,
            agreement=reading.support if armed else 0.0,
            liquidity=liquidity(figures.get("median_relative_spread")),
            grade=figures["grade"],
            event_days=days_to_event(view),
            history=min(reading.sessions / config.min_sessions, 1.0),
        ),
        metrics=metrics,
        summary=put_call_words.summary(view.ticker, metrics),
        reason=put_call_words.reason(view.ticker, metrics, direction),
        intention="directional",
    )


def _metrics(view: TickerView, reading: Reading, one: float, config: Config) -> dict[str, Any]:
    """Return the figures behind a finding, as JSON values."""
    names = (
        "put_volume",
        "call_volume",
        "volume",
        "put_call_volume_ratio",
        "put_call_open_interest_ratio",
        "expirations_used",
        "price",
        "grade",
    )
    return {
        "market_date": view.market_date.isoformat(),
        "mode": reading.mode,
        "side": reading.side,
        reading.metric: reading.value,
        **{name: view.features.get(name) for name in names},
        "concentration": one,
        "usual_put_call_volume_ratio": reading.usual,
        "usual_put_call_open_interest_ratio": reading.usual_open_interest,
        "open_interest_support": reading.support,
        "sessions": reading.sessions,
        "sessions_wanted": config.min_sessions,
    }
