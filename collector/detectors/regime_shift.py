"""Implied and realised volatility that have both left their band on the same side.

The band is of the sessions before those that the realised volatility looks back over: these are the shift itself, and
would widen the band that they are to leave.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from collector.detectors.base import Claim, Evaluation, Evidence, Finding, TickerView
from collector.detectors.evidence import days_to_event, liquidity, ramp
from collector.detectors.figures import month_grade, number, positive, why_null
from collector.detectors.gates import WHOLE, Gate, Passed, lacking, mute, passed, whole_finding, whole_ticker
from collector.detectors.levels import check_number, check_rearm, check_whole
from collector.detectors.past import Floats, PastSessions
from collector.detectors.words import percent

# Sessions of the band, and those between it and the one that is judged, which realised volatility looks back over.
BAND, SETTLING = 60, 20
# Deviations at which a shift is as clear as it is ever held to be.
FULL = 5.0


@dataclass(frozen=True, slots=True)
class Config:
    """Levels of the detector.

    Attributes:
        sessions: sessions before with both volatilities that it needs; the last 20 of them are no part of the band.
        min_deviations: standard deviations of ln(volatility) from the band's mean that arm, of both.
        min_change: |ln(volatility / geometric mean of the band)| that arms, of both.
        rearm_deviations, rearm_change: below these an alert ends.
    """

    sessions: int = 60
    min_deviations: float = 2.0
    min_change: float = 0.35
    rearm_deviations: float = 1.2
    rearm_change: float = 0.2

    def __post_init__(self) -> None:
        """Refuse levels that can't work, naming the field."""
        check_whole("sessions", self.sessions, SETTLING + 20, SETTLING + BAND)
        for arm, rearm in (("min_deviations", "rearm_deviations"), ("min_change", "rearm_change")):
            check_number(arm, getattr(self, arm), 0.0, 20.0)
            check_number(rearm, getattr(self, rearm), 0.0, 20.0)
            check_rearm(rearm, getattr(self, rearm), getattr(self, arm))


@dataclass(frozen=True, slots=True)
class Band:
    """A volatility against the band of its past: mean (geometric) and where it lies, signed, in ln(volatility)."""

    level: float
    mean: float
    change: float
    deviations: float


@dataclass(frozen=True, slots=True)
class RegimeShift:
    """30-day implied and 20-day realised volatility against their bands; of the ticker as a whole."""

    config: Config = Config()

    name: ClassVar[str] = "regime_shift"
    claim: ClassVar[Claim] = "iv_stays"
    hypothesis: ClassVar[str] = (
        "Where what options expect and what the share does have both left their usual band on the same side, "
        "volatility has found another level, and stays there for a while."
    )
    formula: ClassVar[str] = (
        "for iv_30d and realised_volatility_20d: change = ln(volatility) - mean of ln(volatility) over a band of at "
        "most 60 sessions that ended 20 sessions ago; both changes have one sign, the smaller |change| / standard "
        "deviation >= min_deviations and the smaller |change| >= min_change"
    )
    day_one: ClassVar[str] = "None: it asks for so many sessions of both volatilities, and says how many it has."
    minimum_grade: ClassVar[str] = "B"

    def configuration(self) -> dict[str, Any]:
        """Return the levels as JSON values."""
        return asdict(self.config)

    def evaluate(self, view: TickerView) -> Evaluation:
        """Judge the ticker's two volatilities."""
        grade = month_grade(view, self.minimum_grade)
        implied, realised = positive(view.features, "iv_30d"), positive(view.features, "realised_volatility_20d")
        if grade is None or implied is None or realised is None:
            return mute(self.name, why_null(view.features, "iv_30d", "iv_grade", "realised_volatility_20d"))
        have = min(view.past.last(name, SETTLING + BAND).size for name in ("iv_30d", "realised_volatility_20d"))
        if have < self.config.sessions:
            return lacking(self.name, have, self.config.sessions)
        options = band(view.past, "iv_30d", implied)
        share = band(view.past, "realised_volatility_20d", realised)
        if options is None or share is None:
            return mute(self.name, "flat_history")
        judged = self._passed(options, share)
        finding = None
        if judged.kept and view.matters(WHOLE, judged.armed):
            finding = self._finding(view, judged, options, share, grade)
        return whole_ticker(self.name, view, judged, finding)

    def _passed(self, options: Band, share: Band) -> Passed:
        """Hold both against the levels; where they differ in side, neither has left its band with the other."""
        config = self.config
        together = (options.change > 0) == (share.change > 0)
        away = min(abs(options.deviations), abs(share.deviations)) if together else 0.0
        change = min(abs(options.change), abs(share.change)) if together else 0.0
        why = "not_extreme" if together else "sides_differ"
        return passed(
            [
                Gate("band_deviations", away, config.min_deviations, config.rearm_deviations, ">=", why),
                Gate("band_change", change, config.min_change, config.rearm_change, ">=", "small_distance"),
            ]
        )

    def _finding(self, view: TickerView, judged: Passed, options: Band, share: Band, grade: str) -> Finding:
        metrics = _metrics(view, options, share, grade)
        words = _summary(view.ticker, metrics), _reason(view.ticker, metrics)
        return whole_finding(
            self.name, view, judged, self._evidence(view, judged.armed, options, share, grade), metrics, words, None
        )

    def _evidence(self, view: TickerView, armed: bool, options: Band, share: Band, grade: str) -> Evidence:
        """Return what a finding stands on: other maturities and windows may have moved too."""
        config, rising = self.config, options.change > 0
        agree = []
        for name in ("iv_90d", "realised_volatility_10d"):
            level = positive(view.features, name)
            other = None if level is None else band(view.past, name, level)
            if other is not None:
                agree.append((other.change > 0) == rising and abs(other.change) >= config.rearm_change)
        away = min(abs(options.deviations), abs(share.deviations))
        return Evidence(
            size=ramp(away, config.min_deviations, max(FULL, 2 * config.min_deviations)) if armed else 0.0,
            agreement=sum(agree) / len(agree) if armed and agree else 0.0,
            liquidity=liquidity(number(view.features, "median_relative_spread")),
            grade=grade,
            event_days=days_to_event(view),
            history=1.0,
        )


def band(past: PastSessions, name: str, level: float) -> Band | None:
    """Return a volatility (above 0) against its band; None where that has no width."""
    logs = np.log(_before_the_shift(past, name))
    if logs.size < 2:
        return None
    mean, spread = float(logs.mean()), float(logs.std(ddof=1))
    if not spread > 1e-12:
        return None
    change = math.log(level) - mean
    return Band(level, math.exp(mean), change, change / spread)


def _before_the_shift(past: PastSessions, name: str) -> Floats:
    """Return the known values of the band's sessions."""
    values = past.figures[name][-SETTLING - BAND : -SETTLING]
    known: Floats = values[np.isfinite(values) & (values > 0)]
    return known


def _metrics(view: TickerView, options: Band, share: Band, grade: str) -> dict[str, Any]:
    """Return the figures behind a finding, as JSON values."""
    return {
        "market_date": view.market_date.isoformat(),
        "mode": "history",
        "side": "rising" if options.change > 0 else "falling",
        "iv_30d": options.level,
        "band_iv_30d": options.mean,
        "iv_deviations": options.deviations,
        "realised_volatility_20d": share.level,
        "band_realised_volatility_20d": share.mean,
        "realised_deviations": share.deviations,
        "band_sessions": len(_before_the_shift(view.past, "iv_30d")),
        "grade": grade,
    }


def _summary(ticker: str, metrics: dict[str, Any]) -> str:
    word = "up" if metrics["side"] == "rising" else "down"
    implied = f"IV {percent(metrics['iv_30d'])} from {percent(metrics['band_iv_30d'])}"
    now, before = percent(metrics["realised_volatility_20d"]), percent(metrics["band_realised_volatility_20d"])
    return f"{ticker}: volatility {word}, {implied}, realised {now} from {before}"


def _reason(ticker: str, metrics: dict[str, Any]) -> str:
    side = "above" if metrics["side"] == "rising" else "below"
    return (
        f"The 30-day implied volatility of {ticker} is {percent(metrics['iv_30d'])}, "
        f"{abs(metrics['iv_deviations']):.1f} standard deviations {side} the {percent(metrics['band_iv_30d'])} of the "
        f"{metrics['band_sessions']} sessions that ended 20 sessions ago. The volatility that it realised over 20 "
        f"sessions is {percent(metrics['realised_volatility_20d'])}, {abs(metrics['realised_deviations']):.1f} "
        f"standard deviations {side} its {percent(metrics['band_realised_volatility_20d'])}."
    )
