"""A 25-delta risk reversal that stands out of its own history."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from collector.detectors.base import Claim, Evaluation, Evidence, Finding, TickerView
from collector.detectors.evidence import days_to_event, deviations, liquidity, ramp
from collector.detectors.figures import month_grade, number, why_null
from collector.detectors.gates import WHOLE, Gate, Passed, lacking, mute, passed, whole_finding, whole_ticker
from collector.detectors.levels import check_number, check_rearm, check_whole
from collector.detectors.words import percent, sessions

WINDOW = 252
# Deviations at which a skew is as odd as it is ever held to be.
FULL = 6.0


@dataclass(frozen=True, slots=True)
class Config:
    """Levels of the detector.

    Attributes:
        sessions: sessions with a skew of their own that it needs.
        min_deviations: standard deviations from the mean, on either side, that arm.
        min_change: change of the skew (its unit: 25-delta put less call volatility over the 50-delta one) from the
            mean that arms: in a quiet history a trifle is many deviations.
        rearm_deviations, rearm_change: below these an alert ends.
    """

    sessions: int = 60
    min_deviations: float = 2.5
    min_change: float = 0.15
    rearm_deviations: float = 1.5
    rearm_change: float = 0.08

    def __post_init__(self) -> None:
        """Refuse levels that can't work, naming the field."""
        check_whole("sessions", self.sessions, 20, WINDOW)
        for arm, rearm in (("min_deviations", "rearm_deviations"), ("min_change", "rearm_change")):
            check_number(arm, getattr(self, arm), 0.0, 20.0)
            check_number(rearm, getattr(self, rearm), 0.0, 20.0)
            check_rearm(rearm, getattr(self, rearm), getattr(self, arm))


@dataclass(frozen=True, slots=True)
class Skew:
    """A ticker's skew against its own past."""

    skew: float
    mean: float
    deviations: float
    sessions: int
    grade: str

    @property
    def change(self) -> float:
        """How far it lies from its mean."""
        return self.skew - self.mean

    @property
    def side(self) -> str:
        """Which options are dearer than they usually are."""
        return "puts" if self.change > 0 else "calls"


@dataclass(frozen=True, slots=True)
class SkewAnomaly:
    """The 25-delta risk reversal over the level of volatility, against its own past; of the ticker as a whole."""

    config: Config = Config()

    name: ClassVar[str] = "skew_anomaly"
    claim: ClassVar[Claim] = "metric_reverts"
    hypothesis: ClassVar[str] = (
        "The price of puts over calls reverts to what it usually is: a risk reversal far out of its own history comes "
        "back. It is taken over the level of volatility, so that a level that moves alone is no anomaly."
    )
    formula: ClassVar[str] = (
        "skew = -risk_reversal_25d / 50-delta volatility (skew_25d); |skew - mean| / standard deviation over the "
        "sessions before >= min_deviations and |skew - mean| >= min_change"
    )
    day_one: ClassVar[str] = "None: it asks for so many sessions of the ticker's own skew, and says how many it has."
    minimum_grade: ClassVar[str] = "B"

    def configuration(self) -> dict[str, Any]:
        """Return the levels as JSON values."""
        return asdict(self.config)

    def evaluate(self, view: TickerView) -> Evaluation:
        """Judge the ticker's 30-day skew."""
        grade = month_grade(view, self.minimum_grade)
        value = number(view.features, "skew_25d")
        if grade is None or value is None:
            return mute(self.name, why_null(view.features, "skew_25d", "iv_grade"))
        past = view.past.last("skew_25d", WINDOW)
        away = deviations(value, past) if past.size >= self.config.sessions else None
        if past.size < self.config.sessions:
            return lacking(self.name, int(past.size), self.config.sessions)
        if away is None:
            return mute(self.name, "flat_history")
        skew, config = Skew(value, float(past.mean()), away, int(past.size), grade), self.config
        arm, rearm = config.min_deviations, config.rearm_deviations
        judged = passed(
            [
                Gate("skew_deviations", abs(away), arm, rearm, ">=", "not_extreme"),
                Gate("skew_change", abs(skew.change), config.min_change, config.rearm_change, ">=", "small_distance"),
            ]
        )
        finding = None
        if judged.kept and view.matters(WHOLE, judged.armed):
            finding = self._finding(view, judged, skew)
        return whole_ticker(self.name, view, judged, finding)

    def _finding(self, view: TickerView, judged: Passed, skew: Skew) -> Finding:
        metrics = _metrics(view, skew)
        words = _summary(view.ticker, metrics), _reason(view.ticker, metrics)
        return whole_finding(self.name, view, judged, self._evidence(view, judged.armed, skew), metrics, words, "skew")

    def _evidence(self, view: TickerView, armed: bool, skew: Skew) -> Evidence:
        """Return what a finding stands on: the raw risk reversal, the session before and the wings may agree."""
        config, side = self.config, 1.0 if skew.change > 0 else -1.0
        agree = []
        raw = number(view.features, "risk_reversal_25d")
        if raw is not None:
            away = deviations(raw, view.past.last("risk_reversal_25d", WINDOW))
            agree.append(away is not None and -side * away >= config.rearm_deviations)
        before = view.past.newest("skew_25d")
        if before is not None:
            agree.append(side * (before - skew.mean) >= config.rearm_change)
        return Evidence(
            size=ramp(abs(skew.deviations), config.min_deviations, max(FULL, 2 * config.min_deviations))
            if armed
            else 0.0,
            agreement=sum(agree) / len(agree) if armed and agree else 0.0,
            liquidity=liquidity(number(view.features, "median_relative_spread")),
            grade=skew.grade,
            event_days=days_to_event(view),
            history=1.0,
        )


def _metrics(view: TickerView, skew: Skew) -> dict[str, Any]:
    """Return the figures behind a finding, as JSON values."""
    return {
        "market_date": view.market_date.isoformat(),
        "mode": "history",
        "side": skew.side,
        "skew_25d": skew.skew,
        "risk_reversal_25d": number(view.features, "risk_reversal_25d"),
        "mean_skew_25d": skew.mean,
        "skew_change": skew.change,
        "skew_deviations": skew.deviations,
        "sessions": skew.sessions,
        "grade": skew.grade,
    }


def _summary(ticker: str, metrics: dict[str, Any]) -> str:
    away, usual = abs(metrics["skew_deviations"]), percent(metrics["mean_skew_25d"])
    now = percent(metrics["skew_25d"])
    return f"{ticker}: {metrics['side']} dear, 25-delta skew {now} of IV, usually {usual} ({away:.1f} deviations)"


def _reason(ticker: str, metrics: dict[str, Any]) -> str:
    side = "above" if metrics["skew_change"] > 0 else "below"
    reversal = metrics["risk_reversal_25d"]
    raw = "" if reversal is None else f" The risk reversal (call less put) is {100 * reversal:.1f} points."
    return (
        f"The 30-day 25-delta puts of {ticker} cost {percent(metrics['skew_25d'])} of the 50-delta volatility more "
        f"than its calls, where the mean of {sessions(metrics['sessions'])} is {percent(metrics['mean_skew_25d'])}: "
        f"{abs(metrics['skew_deviations']):.1f} standard deviations {side}, so {metrics['side']} are dear.{raw}"
    )
