"""Implied volatility that is low in its own history and not above what the share realises."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from collector.detectors.base import Claim, Evaluation, Evidence, Finding, TickerView
from collector.detectors.evidence import days_to_event, liquidity, ramp
from collector.detectors.figures import month_grade, number, positive, why_null
from collector.detectors.gates import WHOLE, Gate, Passed, lacking, mute, passed, whole_finding, whole_ticker
from collector.detectors.levels import check_number, check_rearm, check_whole
from collector.detectors.words import percent, sessions, times

WINDOW = 252
# Calendar days that 20 sessions and the one after a release can span.
LOOKED_BACK = 33
# A volatility at half of its median, or on day one at half of what is realised, is as low as it is ever held to be.
FULL = 0.5


@dataclass(frozen=True, slots=True)
class Config:
    """Levels of the detector.

    Attributes:
        sessions: sessions with a 30-day volatility that rank and percentile need to count.
        max_rank: IV rank (0-100) at or below which it arms.
        max_percentile: IV percentile (0-100) at or below which it arms.
        max_iv_to_median: 30-day IV over the median of its sessions at or below which it arms: a rank alone is low in a
            range that is narrow.
        max_iv_to_realised: 30-day IV over 20-day realised volatility at or below which it arms.
        day_one_iv_to_realised: the same ratio without history.
        rearm_rank, rearm_percentile, rearm_iv_to_median, rearm_iv_to_realised, rearm_day_one_iv_to_realised: above
            these an alert ends.
    """

    sessions: int = 60
    max_rank: float = 10.0
    max_percentile: float = 10.0
    max_iv_to_median: float = 0.75
    max_iv_to_realised: float = 1.0
    day_one_iv_to_realised: float = 0.6
    rearm_rank: float = 25.0
    rearm_percentile: float = 25.0
    rearm_iv_to_median: float = 0.85
    rearm_iv_to_realised: float = 1.15
    rearm_day_one_iv_to_realised: float = 0.75

    def __post_init__(self) -> None:
        """Refuse levels that can't work, naming the field."""
        check_whole("sessions", self.sessions, 20, WINDOW)
        for name, high in (("rank", 100.0), ("percentile", 100.0), ("iv_to_median", 1.0), ("iv_to_realised", 2.0)):
            arm = getattr(self, f"max_{name}")
            check_number(f"max_{name}", arm, 0.0, high)
            check_number(f"rearm_{name}", getattr(self, f"rearm_{name}"), 0.0, 2 * high)
            check_rearm(f"rearm_{name}", getattr(self, f"rearm_{name}"), arm, above=False)
        check_number("day_one_iv_to_realised", self.day_one_iv_to_realised, 0.0, 1.0)
        check_number("rearm_day_one_iv_to_realised", self.rearm_day_one_iv_to_realised, 0.0, 2.0)
        name = "rearm_day_one_iv_to_realised"
        check_rearm(name, self.rearm_day_one_iv_to_realised, self.day_one_iv_to_realised, above=False)


@dataclass(frozen=True, slots=True)
class LowIv:
    """30-day implied volatility against its own past and against realised volatility; of the ticker as a whole."""

    config: Config = Config()

    name: ClassVar[str] = "low_iv"
    claim: ClassVar[Claim] = "iv_rises"
    hypothesis: ClassVar[str] = (
        "Implied volatility reverts to its mean: where it is low in its own history and not above what the share "
        "realises, options are cheap and their volatility rises."
    )
    formula: ClassVar[str] = (
        "iv_rank <= max_rank and iv_percentile <= max_percentile and iv_30d / median(iv_30d of the sessions before) <= "
        "max_iv_to_median and iv_30d / realised_volatility_20d <= max_iv_to_realised, from iv_rank_sessions >= sessions"
    )
    day_one: ClassVar[str] = (
        "With fewer than sessions of its own past: iv_30d / realised_volatility_20d <= day_one_iv_to_realised, at a "
        "lower confidence, and not where an earnings release lies in those 20 sessions."
    )
    minimum_grade: ClassVar[str] = "B"

    def configuration(self) -> dict[str, Any]:
        """Return the levels as JSON values."""
        return asdict(self.config)

    def evaluate(self, view: TickerView) -> Evaluation:
        """Judge the ticker's 30-day volatility."""
        grade = month_grade(view, self.minimum_grade)
        level = positive(view.features, "iv_30d")
        if grade is None or level is None:
            return mute(self.name, why_null(view.features, "iv_30d", "iv_grade"))
        realised = positive(view.features, "realised_volatility_20d")
        have = int(number(view.features, "iv_rank_sessions") or 0)
        if realised is None:
            return mute(self.name, why_null(view.features, "realised_volatility_20d"))
        day_one = have < self.config.sessions
        gates, median = self._gates(view, level, realised, day_one)
        if gates is None:
            return mute(self.name, why_null(view.features, "iv_rank", "iv_percentile"))
        judged = passed(gates)
        # A release among the sessions that are looked back over makes realised volatility high, and nothing cheap.
        # Where an alert may stand, day one's quiet ends it; else what counts is how much history is missing.
        if day_one and (_released(view) or not (judged.kept or view.matters(WHOLE, False))):
            return lacking(self.name, have, self.config.sessions)
        finding = None
        if judged.kept and view.matters(WHOLE, judged.armed):
            metrics = _metrics(view, level, realised, median, day_one, grade)
            finding = self._finding(view, judged, metrics)
        return whole_ticker(self.name, view, judged, finding)

    def _gates(
        self, view: TickerView, level: float, realised: float, day_one: bool
    ) -> tuple[list[Gate] | None, float | None]:
        """Return what the volatility has to pass, None where a figure of history is null; and its median if needed."""
        config, ratio = self.config, level / realised
        if day_one:
            arm, rearm = config.day_one_iv_to_realised, config.rearm_day_one_iv_to_realised
            return [Gate("iv_to_realised", ratio, arm, rearm, "<=", "above_realised")], None
        rank, percentile = number(view.features, "iv_rank"), number(view.features, "iv_percentile")
        past = view.past.last("iv_30d", WINDOW)
        if rank is None or percentile is None or not past.size:
            return None, None
        gates = [
            Gate("iv_rank", rank, config.max_rank, config.rearm_rank, "<=", "not_extreme"),
            Gate("iv_percentile", percentile, config.max_percentile, config.rearm_percentile, "<=", "not_extreme"),
        ]
        if not passed(gates).kept:
            return gates, None
        median = float(np.median(past))
        arm, rearm = config.max_iv_to_median, config.rearm_iv_to_median
        gates.append(Gate("iv_to_median", level / median, arm, rearm, "<=", "small_distance"))
        arm, rearm = config.max_iv_to_realised, config.rearm_iv_to_realised
        return [*gates, Gate("iv_to_realised", ratio, arm, rearm, "<=", "above_realised")], median

    def _finding(self, view: TickerView, judged: Passed, metrics: dict[str, Any]) -> Finding:
        words = _summary(view.ticker, metrics), _reason(view.ticker, metrics)
        return whole_finding(
            self.name, view, judged, self._evidence(view, judged.armed, metrics), metrics, words, "long_volatility"
        )

    def _evidence(self, view: TickerView, armed: bool, metrics: dict[str, Any]) -> Evidence:
        """Return what a finding stands on: realised volatility over other windows and the far end may agree."""
        level, config = metrics["iv_30d"], self.config
        if metrics["mode"] == "day_one":
            size = ramp(metrics["iv_to_realised"], config.day_one_iv_to_realised, FULL * config.day_one_iv_to_realised)
        else:
            size = ramp(metrics["iv_to_median"], config.max_iv_to_median, FULL)
        others = [positive(view.features, f"realised_volatility_{days}d") for days in (10, 60)]
        agree = [level <= one for one in others if one is not None]
        far = positive(view.features, "iv_90d")
        agree += [] if far is None else [level <= far]
        return Evidence(
            size=size if armed else 0.0,
            agreement=sum(agree) / len(agree) if armed and agree else 0.0,
            liquidity=liquidity(number(view.features, "median_relative_spread")),
            grade=metrics["grade"],
            event_days=days_to_event(view),
            history=min(metrics["sessions"] / config.sessions, 1.0),
        )


def _released(view: TickerView) -> bool:
    """Return whether the share's realised volatility over 20 sessions holds the move over a release."""
    return any((view.market_date - one.date).days <= LOOKED_BACK for one in view.past.earnings[-1:])


def _metrics(
    view: TickerView, level: float, realised: float, median: float | None, day_one: bool, grade: str
) -> dict[str, Any]:
    """Return the figures behind a finding, as JSON values."""
    return {
        "market_date": view.market_date.isoformat(),
        "mode": "day_one" if day_one else "history",
        "iv_30d": level,
        "iv_rank": number(view.features, "iv_rank"),
        "iv_percentile": number(view.features, "iv_percentile"),
        "median_iv_30d": median,
        "iv_to_median": None if median is None else level / median,
        "realised_volatility_20d": realised,
        "iv_to_realised": level / realised,
        "sessions": int(number(view.features, "iv_rank_sessions") or 0),
        "grade": grade,
    }


def _summary(ticker: str, metrics: dict[str, Any]) -> str:
    level, realised = percent(metrics["iv_30d"]), percent(metrics["realised_volatility_20d"])
    if metrics["mode"] == "day_one":
        return f"{ticker}: 30-day IV {level}, far below the {realised} realised"
    return f"{ticker}: 30-day IV {level}, {_rank(metrics)}, realised {realised}"


def _reason(ticker: str, metrics: dict[str, Any]) -> str:
    level, realised = percent(metrics["iv_30d"]), percent(metrics["realised_volatility_20d"])
    against = f"It is {times(metrics['iv_to_realised'])} times the {realised} that the share realised over 20 sessions"
    if metrics["mode"] == "day_one":
        return (
            f"The 30-day implied volatility of {ticker} is {level}. {against}. With {sessions(metrics['sessions'])} of "
            "its own history nothing tells whether it is low for this ticker."
        )
    return (
        f"The 30-day implied volatility of {ticker} is {level}: {_rank(metrics)} and percentile "
        f"{metrics['iv_percentile']:.0f} of {sessions(metrics['sessions'])}, {times(metrics['iv_to_median'])} times "
        f"their median of {percent(metrics['median_iv_30d'])}. {against}."
    )


def _rank(metrics: dict[str, Any]) -> str:
    """Return the rank in words; below the lowest of the sessions before it is negative."""
    rank = metrics["iv_rank"]
    return "a new low" if rank < 0 else f"rank {rank:.0f}"
