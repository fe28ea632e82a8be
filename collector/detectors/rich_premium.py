"""Implied volatility far above what the share realises, by its own history of that premium."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from collector.detectors.base import Claim, Evaluation, Evidence, Finding, TickerView
from collector.detectors.evidence import days_to_event, deviations, liquidity, ramp
from collector.detectors.figures import month_grade, number, ordinary_volatility, positive, why_null
from collector.detectors.gates import WHOLE, Gate, Passed, lacking, mute, passed, whole_finding, whole_ticker
from collector.detectors.levels import check_number, check_rearm, check_whole
from collector.detectors.words import percent, sessions, times

WINDOW = 252
# Deviations, and times the day-one ratio, at which a premium is as rich as it is ever held to be.
FULL_DEVIATIONS = 5.0
FULL_DAY_ONE = 2.0
AGREEING_RATIO = 1.25
AGREEING_PERCENTILE = 80.0


@dataclass(frozen=True, slots=True)
class Config:
    """Levels of the detector.

    Attributes:
        sessions: sessions with a premium of their own that count as history.
        min_deviations: standard deviations of the premium above its mean that arm.
        min_iv_to_realised: implied over realised volatility that arms, with history.
        day_one_iv_to_realised: the same ratio without history.
        rearm_deviations, rearm_iv_to_realised, rearm_day_one_iv_to_realised: below these an alert ends.
    """

    sessions: int = 60
    min_deviations: float = 2.0
    min_iv_to_realised: float = 1.7
    day_one_iv_to_realised: float = 2.1
    rearm_deviations: float = 1.0
    rearm_iv_to_realised: float = 1.4
    rearm_day_one_iv_to_realised: float = 1.7

    def __post_init__(self) -> None:
        """Refuse levels that can't work, naming the field."""
        check_whole("sessions", self.sessions, 20, WINDOW)
        for arm, rearm, low in (
            ("min_deviations", "rearm_deviations", 0.0),
            ("min_iv_to_realised", "rearm_iv_to_realised", 1.0),
            ("day_one_iv_to_realised", "rearm_day_one_iv_to_realised", 1.0),
        ):
            check_number(arm, getattr(self, arm), low, 20.0)
            check_number(rearm, getattr(self, rearm), low, 20.0)
            check_rearm(rearm, getattr(self, rearm), getattr(self, arm))


@dataclass(frozen=True, slots=True)
class Premium:
    """A ticker's premium in volatility; ``deviations`` is None without history."""

    implied: float
    ordinary: float
    realised: float
    mean: float | None
    deviations: float | None
    sessions: int
    grade: str

    @property
    def points(self) -> float:
        """Implied less realised volatility, the next release taken out."""
        return self.ordinary - self.realised

    @property
    def ratio(self) -> float:
        """Implied over realised volatility, the next release taken out."""
        return self.ordinary / self.realised


@dataclass(frozen=True, slots=True)
class RichPremium:
    """The volatility risk premium against its own past; of the ticker as a whole."""

    config: Config = Config()

    name: ClassVar[str] = "rich_premium"
    claim: ClassVar[Claim] = "iv_falls"
    hypothesis: ClassVar[str] = (
        "Options that cost far more volatility than the share realises, more than they usually do, are dear for a fear "
        "that mostly does not come true: implied volatility falls. What a known earnings release adds is no such fear."
    )
    formula: ClassVar[str] = (
        "premium = iv_30d - realised_volatility_20d, the variance of a release within the 30 days taken out of iv_30d "
        "first; (premium - mean) / standard deviation over the sessions before >= min_deviations and implied / "
        "realised >= min_iv_to_realised"
    )
    day_one: ClassVar[str] = (
        "With fewer than sessions of its own past: implied / realised >= day_one_iv_to_realised, at a lower confidence."
    )
    minimum_grade: ClassVar[str] = "B"

    def configuration(self) -> dict[str, Any]:
        """Return the levels as JSON values."""
        return asdict(self.config)

    def evaluate(self, view: TickerView) -> Evaluation:
        """Judge the ticker's premium."""
        premium = self._premium(view)
        if isinstance(premium, str):
            return mute(self.name, premium)
        config = self.config
        if premium.deviations is None:
            arm, rearm = config.day_one_iv_to_realised, config.rearm_day_one_iv_to_realised
            gates = [Gate("iv_to_realised", premium.ratio, arm, rearm, ">=", "low_premium_ratio")]
        else:
            away, ratio = premium.deviations, premium.ratio
            arm, rearm = config.min_iv_to_realised, config.rearm_iv_to_realised
            gates = [
                Gate("premium_deviations", away, config.min_deviations, config.rearm_deviations, ">=", "not_extreme"),
                Gate("iv_to_realised", ratio, arm, rearm, ">=", "low_premium_ratio"),
            ]
        judged = passed(gates)
        # Where an alert may stand, day one's quiet ends it; else what counts is how much history is missing.
        if premium.deviations is None and not (judged.kept or view.matters(WHOLE, False)):
            return lacking(self.name, premium.sessions, config.sessions)
        finding = None
        if judged.kept and view.matters(WHOLE, judged.armed):
            finding = self._finding(view, judged, premium)
        return whole_ticker(self.name, view, judged, finding)

    def _premium(self, view: TickerView) -> Premium | str:
        """Return the ticker's premium, or the reason why there is none."""
        grade = month_grade(view, self.minimum_grade)
        implied = positive(view.features, "iv_30d")
        if grade is None or implied is None:
            return why_null(view.features, "iv_30d", "iv_grade")
        realised = positive(view.features, "realised_volatility_20d")
        if realised is None:
            return why_null(view.features, "realised_volatility_20d")
        ordinary = ordinary_volatility(view.features, implied)
        if ordinary is None:
            return why_null(view.features, "implied_earnings_move")
        past = view.past.last("volatility_risk_premium", WINDOW)
        away = deviations(ordinary - realised, past) if past.size >= self.config.sessions else None
        mean = None if away is None else float(past.mean())
        return Premium(implied, ordinary, realised, mean, away, int(past.size), grade)

    def _finding(self, view: TickerView, judged: Passed, premium: Premium) -> Finding:
        metrics = _metrics(view, premium)
        words = _summary(view.ticker, metrics), _reason(view.ticker, metrics)
        return whole_finding(
            self.name, view, judged, self._evidence(view, judged.armed, premium), metrics, words, "short_volatility"
        )

    def _evidence(self, view: TickerView, armed: bool, premium: Premium) -> Evidence:
        """Return what a finding stands on: realised volatility over other windows and the level's own past agree."""
        config = self.config
        if premium.deviations is None:
            size = ramp(premium.ratio, config.day_one_iv_to_realised, FULL_DAY_ONE * config.day_one_iv_to_realised)
        else:
            size = ramp(premium.deviations, config.min_deviations, max(FULL_DEVIATIONS, 2 * config.min_deviations))
        others = [positive(view.features, f"realised_volatility_{days}d") for days in (10, 60)]
        agree = [premium.ordinary >= AGREEING_RATIO * one for one in others if one is not None]
        percentile = number(view.features, "iv_percentile")
        agree += [] if percentile is None else [percentile >= AGREEING_PERCENTILE]
        return Evidence(
            size=size if armed else 0.0,
            agreement=sum(agree) / len(agree) if armed and agree else 0.0,
            liquidity=liquidity(number(view.features, "median_relative_spread")),
            grade=premium.grade,
            event_days=days_to_event(view),
            history=min(premium.sessions / config.sessions, 1.0),
        )


def _metrics(view: TickerView, premium: Premium) -> dict[str, Any]:
    """Return the figures behind a finding, as JSON values."""
    return {
        "market_date": view.market_date.isoformat(),
        "mode": "day_one" if premium.deviations is None else "history",
        "iv_30d": premium.implied,
        "ordinary_iv_30d": premium.ordinary,
        "realised_volatility_20d": premium.realised,
        "premium": premium.points,
        "iv_to_realised": premium.ratio,
        "mean_premium": premium.mean,
        "premium_deviations": premium.deviations,
        "sessions": premium.sessions,
        "grade": premium.grade,
    }


def _summary(ticker: str, metrics: dict[str, Any]) -> str:
    ratio, realised = times(metrics["iv_to_realised"]), percent(metrics["realised_volatility_20d"])
    against = f"{ratio}x the {realised} realised"
    if metrics["mode"] == "day_one":
        return f"{ticker}: 30-day IV {percent(metrics['ordinary_iv_30d'])}, {against}"
    away = metrics["premium_deviations"]
    return f"{ticker}: 30-day IV {percent(metrics['ordinary_iv_30d'])}, {against}, {away:.1f} deviations rich"


def _reason(ticker: str, metrics: dict[str, Any]) -> str:
    level = f"The 30-day implied volatility of {ticker} is {percent(metrics['iv_30d'])}"
    if metrics["ordinary_iv_30d"] != metrics["iv_30d"]:
        level += f", {percent(metrics['ordinary_iv_30d'])} without the next release"
    ratio, realised = times(metrics["iv_to_realised"]), percent(metrics["realised_volatility_20d"])
    text = f"{level}: {ratio} times the {realised} that the share realised over 20 sessions."
    if metrics["mode"] == "day_one":
        return f"{text} With {sessions(metrics['sessions'])} of its own history nothing tells what is usual here."
    usual, count = percent(metrics["mean_premium"]), sessions(metrics["sessions"])
    return (
        f"{text} The premium of {percent(metrics['premium'])} lies {metrics['premium_deviations']:.1f} standard "
        f"deviations above its mean of {usual} over {count}."
    )
