"""A spot that fell through its gamma flip: below it, dealers who hedge sell into falls and buy into rises.

That dealers are long all calls and short all puts is the usual naive assumption (collector/analytics/exposure.py). A
spot above the flip, or one that comes back over it, is no finding: it ends the alert.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from collector.detectors.base import Claim, Evaluation, Evidence, Finding, TickerView
from collector.detectors.evidence import days_to_event, liquidity, ramp, share
from collector.detectors.levels import check_number, check_rearm, check_whole
from collector.detectors.words import percent

SESSIONS_A_YEAR = 252
# The size of a finding is full where the spot lies so many of its session's deviations below.
FULL = 3.0

Status = Literal["armed", "quiet", "not_evaluated"]


@dataclass(frozen=True, slots=True)
class Config:
    """Levels of the detector; distances are in standard deviations of one session, iv_30d / sqrt(252).

    Attributes:
        deviations: distance of the spot below the flip that arms.
        rearm_deviations: distance below which an alert ends.
        clear_deviations: distance from the flip from which on a session before counts as being on its side.
        window: sessions before among which the last one clear of the flip is looked for.
    """

    deviations: float = 0.5
    rearm_deviations: float = 0.0
    clear_deviations: float = 0.25
    window: int = 10

    def __post_init__(self) -> None:
        """Refuse levels that can't work, naming the field."""
        check_number("deviations", self.deviations, 0.01, FULL)
        check_number("rearm_deviations", self.rearm_deviations, 0.0)
        check_rearm("rearm_deviations", self.rearm_deviations, self.deviations)
        check_number("clear_deviations", self.clear_deviations, 0.0, FULL)
        check_whole("window", self.window, 1)


@dataclass(frozen=True, slots=True)
class Before:
    """The last session clear of the flip: spot and flip then, and how many deviations above it the spot stood."""

    date: str
    price: float
    flip: float
    away: float


@dataclass(frozen=True, slots=True)
class GammaFlipCrossed:
    """Spot against gamma flip, now and in the sessions before; the subject is the ticker."""

    config: Config = Config()

    name: ClassVar[str] = "gamma_flip_crossed"
    claim: ClassVar[Claim] = "realised_rises"
    hypothesis: ClassVar[str] = (
        "Where the spot falls below the gamma flip, dealers' hedges turn from damping moves to feeding them: realised "
        "volatility rises. Who holds what is an assumption: dealers long all calls and short all puts."
    )
    formula: ClassVar[str] = (
        "ln(gamma_flip / price) / (iv_30d / sqrt(252)) >= deviations with the price below the flip of the session "
        "before too, where the last session that stood clear_deviations or more from its own flip, among the window "
        "before, stood above it; the alert stays while the distance is rearm_deviations or more. Inputs: price, "
        "gamma_flip, iv_30d and gamma_exposure of this scan and of the sessions before."
    )
    day_one: ClassVar[str] = "None: without a session before there is nothing to cross from."
    minimum_grade: ClassVar[str] = "C"

    def configuration(self) -> dict[str, Any]:
        """Return the levels as JSON values."""
        return asdict(self.config)

    def evaluate(self, view: TickerView) -> Evaluation:
        """Judge where the spot stands; without a flip within reach, dealers long all over end an alert."""
        figures = view.features
        grade = figures.get("grade")
        if grade is None or grade > self.minimum_grade:
            return Evaluation(self.name, "not_evaluated", reason="no_usable_chain")
        price, flip, sigma = figures.get("price"), figures.get("gamma_flip"), figures.get("iv_30d")
        if price is None or flip is None or sigma is None or not sigma > 0:
            return self._without(figures)
        distance = math.log(flip / price) / (sigma / math.sqrt(SESSIONS_A_YEAR))
        if distance < self.config.rearm_deviations:
            return self._said("quiet", distance, "below_threshold", ())
        before = last_clear(view, self.config)
        old = view.past.newest("gamma_flip")
        fell = before is not None and before.away > 0 and (old is None or price < old)
        armed = fell and distance >= self.config.deviations
        findings = (_finding(view, distance, before, armed, self.config),) if view.matters("", armed) else ()
        if armed or fell:
            return self._said("armed" if armed else "quiet", distance, None if armed else "below_threshold", findings)
        return self._not_crossed(view, before, findings)

    def _not_crossed(self, view: TickerView, before: Before | None, findings: tuple[Finding, ...]) -> Evaluation:
        """Return what is said where the spot lies below the flip and did not fall through it: an alert is kept."""
        if before is not None:
            level = self.config.clear_deviations
            metric, reason = "deviations_above_flip_before", "not_crossed"
            return Evaluation(self.name, "quiet", findings, None, metric, before.away, level, reason, ">=")
        known = np.isfinite(view.past.last("gamma_flip", self.config.window)).sum()
        reason = "no_clear_side" if known else "no_history"
        status: Status = "quiet" if known else "not_evaluated"
        kept = findings if known else ()
        return Evaluation(self.name, status, kept, None, "sessions", float(known), 1.0, reason, ">=")

    def _without(self, figures: Mapping[str, Any]) -> Evaluation:
        """Return what is said where a figure is missing."""
        reasons = figures.get("reasons", {})
        missing = next(name for name in ("price", "gamma_flip", "iv_30d") if not figures.get(name))
        reason = str(reasons.get(missing, "not_computed"))
        exposure = figures.get("gamma_exposure")
        if reason == "no_crossing" and exposure is not None and exposure > 0:
            return Evaluation(self.name, "quiet", (), None, reason=reason)
        return Evaluation(self.name, "not_evaluated", reason=reason)

    def _said(self, status: Status, distance: float, reason: str | None, findings: tuple[Finding, ...]) -> Evaluation:
        return Evaluation(
            self.name, status, findings, None, "deviations_below_flip", distance, self.config.deviations, reason, ">="
        )


def last_clear(view: TickerView, config: Config) -> Before | None:
    """Return the last session of the window that stood clear of its flip, None where none did."""
    past = view.past
    empty = np.zeros(0)
    columns = [past.figures.get(name, empty)[-config.window :].tolist() for name in ("price", "gamma_flip", "iv_30d")]
    dates = past.dates[-config.window :]
    for place, (price, flip, sigma) in reversed(list(enumerate(zip(*columns, strict=True)))):
        # NaN is above nothing.
        if price > 0 and flip > 0 and sigma > 0:
            away = math.log(price / flip) / (sigma / math.sqrt(SESSIONS_A_YEAR))
            if abs(away) >= config.clear_deviations:
                return Before(dates[place].isoformat(), price, flip, away)
    return None


def _finding(view: TickerView, distance: float, before: Before | None, armed: bool, config: Config) -> Finding:
    figures = view.features
    metrics = _metrics(view, distance, before)
    return Finding(
        detector=GammaFlipCrossed.name,
        ticker=view.ticker,
        subject="",
        direction="neutral",
        metric="deviations_below_flip",
        value=distance,
        threshold=config.deviations,
        comparison=">=",
        armed=armed,
        evidence=Evidence(
            size=ramp(distance, config.deviations, FULL) if armed else 0.0,
            agreement=_agreement(view) if armed else 0.0,
            liquidity=liquidity(figures.get("median_relative_spread")),
            grade=figures["grade"],
            event_days=days_to_event(view),
        ),
        metrics=metrics,
        summary=_summary(view.ticker, metrics),
        reason=_reason(view.ticker, metrics),
        intention="long_volatility",
    )


def _agreement(view: TickerView) -> float:
    """Return the share of three inputs that say the same: negative gamma, IV and realised volatility that rise."""
    figures = view.features
    exposure, sigma, before = figures.get("gamma_exposure"), figures.get("iv_30d"), view.past.newest("iv_30d")
    short, long = figures.get("realised_volatility_10d"), figures.get("realised_volatility_20d")
    return share(
        exposure is not None and exposure < 0,
        sigma is not None and before is not None and sigma > before,
        short is not None and long is not None and short > long,
    )


def _metrics(view: TickerView, distance: float, before: Before | None) -> dict[str, Any]:
    """Return the figures behind a finding, as JSON values."""
    figures = view.features
    return {
        "market_date": view.market_date.isoformat(),
        "price": figures["price"],
        "gamma_flip": figures["gamma_flip"],
        "below_flip": math.log(figures["gamma_flip"] / figures["price"]),
        "deviations_below_flip": distance,
        "gamma_exposure": figures.get("gamma_exposure"),
        "clear_on": before.date if before else None,
        "price_before": before.price if before else None,
        "gamma_flip_before": before.flip if before else None,
        "iv_30d": figures["iv_30d"],
        "grade": figures["grade"],
    }


def _summary(ticker: str, metrics: Mapping[str, Any]) -> str:
    """Return one line."""
    return (
        f"{ticker} at {metrics['price']:,.2f} is {percent(metrics['below_flip'])} below its gamma flip of "
        f"{metrics['gamma_flip']:,.2f}"
    )


def _reason(ticker: str, metrics: Mapping[str, Any]) -> str:
    """Return the explanation."""
    stands = (
        f"{ticker} stands at {metrics['price']:,.2f} in the session of {metrics['market_date']}, "
        f"{percent(metrics['below_flip'])} or {metrics['deviations_below_flip']:.1f} standard deviations of a session "
        f"below the gamma flip of {metrics['gamma_flip']:,.2f}"
    )
    if metrics["clear_on"] is not None:
        side = "above" if metrics["price_before"] > metrics["gamma_flip_before"] else "below"
        stands += (
            f"; on {metrics['clear_on']} it was {side} it, at {metrics['price_before']:,.2f} to "
            f"{metrics['gamma_flip_before']:,.2f}"
        )
    return (
        f"{stands}. Dealers, taken to be long the calls and short the puts, feed moves there instead of damping them."
    )
