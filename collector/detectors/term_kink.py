"""A forward volatility between neighbouring expirations that is out of line with the curve around it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date
from typing import Any, ClassVar

from collector.detectors.base import ChainView, Claim, Comparison, Evaluation, Evidence, Finding, TickerView
from collector.detectors.evidence import days_to_event, liquidity, ramp
from collector.detectors.forward_curve import DAYS_A_YEAR, Kink, intervals, kinks, points
from collector.detectors.gates import mute
from collector.detectors.levels import check_number, check_rearm, check_whole
from collector.detectors.words import percent, times

# The ratio at which an interval is as far out of line as it is ever held to be.
FULL = 1.6
# A cheap interval beside a dear one is mostly the other side of it: the dear one is told, unless it is so much weaker.
DEAR_FIRST = 0.5


@dataclass(frozen=True, slots=True)
class Config:
    """Levels of the detector.

    Attributes:
        min_ratio: forward volatility over the curve's that arms; its inverse does below the curve.
        rearm_ratio: nearer to 1 than this (or its inverse) an alert ends.
        min_days: calendar days to the first expiration that the curve is drawn through.
        max_days: calendar days to the last expiration that is judged; later releases are not known yet.
        apart: calendar days between two expirations of the curve: in fewer, quotes leave a forward volatility open.
    """

    min_ratio: float = 1.25
    rearm_ratio: float = 1.15
    min_days: int = 5
    max_days: int = 75
    apart: int = 5

    def __post_init__(self) -> None:
        """Refuse levels that can't work, naming the field."""
        check_number("min_ratio", self.min_ratio, 1.0, 10.0)
        check_number("rearm_ratio", self.rearm_ratio, 1.0, 10.0)
        check_rearm("rearm_ratio", self.rearm_ratio, self.min_ratio)
        check_whole("min_days", self.min_days, 0, 90)
        check_whole("max_days", self.max_days, self.min_days + 1, 730)
        check_whole("apart", self.apart, 1, 90)


@dataclass(frozen=True, slots=True)
class TermKink:
    """Forward variance against its neighbours'; the subject is the expiration, with its root, that ends an interval."""

    config: Config = Config()

    name: ClassVar[str] = "term_kink"
    claim: ClassVar[Claim] = "metric_reverts"
    hypothesis: ClassVar[str] = (
        "Where the variance between two neighbouring expirations is out of line with that before and after, and no "
        "known event falls between them, one of the two is priced off the curve, and comes back to it."
    )
    formula: ClassVar[str] = (
        "forward variance = (far atm_iv^2 * tenor - near atm_iv^2 * tenor) / days, a session counting as 1 day, a day "
        "without one as 0.2, an FOMC statement as 1 and a CPI release as 0.7 more; intervals that hold an earnings "
        "release are left out; sqrt(forward variance / that of the curve, linear in its logarithm between the two "
        "neighbouring intervals) >= min_ratio or <= 1 / min_ratio, further off than half the spreads leave open, and "
        "on the same side of each neighbour by half as much"
    )
    day_one: ClassVar[str] = "It needs no history: a curve is judged by its own expirations."
    minimum_grade: ClassVar[str] = "B"

    def configuration(self) -> dict[str, Any]:
        """Return the levels as JSON values."""
        return asdict(self.config)

    def evaluate(self, view: TickerView) -> Evaluation:
        """Judge every interval between two expirations that has a neighbour on both sides."""
        config = self.config
        chains = points(view.chains, self.minimum_grade, config.min_days, config.apart, config.max_days)
        if not chains:
            return mute(self.name, "no_usable_chain")
        found = kinks(intervals(chains, view.market_date, view.events), config.max_days)
        if not found:
            return mute(self.name, "few_expirations")
        told = _apart_from_each_other([kink for kink in found if self._beyond(kink, config.rearm_ratio)])
        findings = tuple(
            self._finding(view, kink, armed)
            for kink in told
            if view.matters(_subject(kink.interval.far), armed := self._beyond(kink, config.min_ratio))
        )
        best = max(told or found, key=lambda kink: kink.strength)
        reason = None
        if not self._beyond(best, config.min_ratio):
            reason = "within_spreads" if math.log(config.min_ratio) <= best.strength <= best.error else "in_line"
        level, comparison = self._level(best)
        return Evaluation(
            self.name,
            "armed" if reason is None else "quiet",
            findings,
            frozenset(_subject(kink.interval.far) for kink in found),
            "forward_to_curve",
            best.ratio,
            level,
            reason,
            comparison,
        )

    def _beyond(self, kink: Kink, level: float) -> bool:
        """Return whether an interval is as far out of line as a level says, and further than its quotes leave open.

        From each neighbour it has to differ by half of that: beside one that is out of line it is not so itself.
        """
        far, side = math.log(level), math.copysign(1.0, math.log(kink.ratio))
        alone = min(side * math.log(kink.left), side * math.log(kink.right))
        return kink.strength >= far and kink.strength > kink.error and alone >= far / 2

    def _level(self, kink: Kink) -> tuple[float, Comparison]:
        """Return the level that arms on the side of an interval."""
        return (self.config.min_ratio, ">=") if kink.ratio >= 1 else (1 / self.config.min_ratio, "<=")

    def _finding(self, view: TickerView, kink: Kink, armed: bool) -> Finding:
        level, comparison = self._level(kink)
        metrics = _metrics(view, kink)
        return Finding(
            detector=self.name,
            ticker=view.ticker,
            subject=_subject(kink.interval.far),
            direction="neutral",
            metric="forward_to_curve",
            value=kink.ratio,
            threshold=level,
            comparison=comparison,
            armed=armed,
            evidence=self._evidence(view, kink, armed),
            metrics=metrics,
            summary=_summary(view.ticker, metrics),
            reason=_reason(view.ticker, metrics),
            intention="calendar",
        )

    def _evidence(self, view: TickerView, kink: Kink, armed: bool) -> Evidence:
        """Return what a finding stands on: each neighbour, and twice what the quotes leave open, may agree."""
        level = math.log(self.config.min_ratio)
        side = 1.0 if kink.ratio >= 1 else -1.0
        agree = [side * math.log(one) >= level for one in (kink.left, kink.right)] + [kink.strength > 2 * kink.error]
        behind = [chain for chain in (kink.interval.near, kink.interval.far) if chain is not None]
        spreads = [chain.relative_spread for chain in behind]
        return Evidence(
            size=ramp(kink.strength, level, max(math.log(FULL), 2 * level)) if armed else 0.0,
            agreement=sum(agree) / len(agree) if armed else 0.0,
            liquidity=min(liquidity(spread) for spread in spreads),
            grade=max(chain.grade for chain in behind),
            event_days=days_to_event(view, kink.interval.far.expiration),
            # A release that nobody has stated may lie in the interval.
            dates_estimated=not any(one.kind == "earnings" and one.ticker == view.ticker for one in view.events),
        )


def _subject(chain: ChainView) -> str:
    return f"{chain.expiration.isoformat()}:{chain.root}"


def _apart_from_each_other(found: Sequence[Kink]) -> list[Kink]:
    """Return the strongest kinks of which no two share an expiration: a bad one bends the intervals on both sides."""
    taken: list[Kink] = []
    order = sorted(found, key=lambda kink: -kink.strength * (1.0 if kink.ratio >= 1 else DEAR_FIRST))
    for kink in order:
        if all(_ends(kink).isdisjoint(_ends(other)) for other in taken):
            taken.append(kink)
    return taken


def _ends(kink: Kink) -> set[date]:
    """Return the expirations at the ends of an interval."""
    near, far = kink.interval.near, kink.interval.far
    return {far.expiration} if near is None else {near.expiration, far.expiration}


def _metrics(view: TickerView, kink: Kink) -> dict[str, Any]:
    """Return the figures behind a finding, as JSON values; volatilities are those of a year of ordinary days."""
    near, far = kink.interval.near, kink.interval.far
    return {
        "market_date": view.market_date.isoformat(),
        "mode": "history",
        "side": "rich" if kink.ratio >= 1 else "cheap",
        "expiration": far.expiration.isoformat(),
        "root": far.root,
        "dte": far.dte,
        "settlement_time": f"{far.settlement_time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "atm_iv": far.atm_iv,
        "near_expiration": None if near is None else near.expiration.isoformat(),
        "near_root": None if near is None else near.root,
        "near_atm_iv": None if near is None else near.atm_iv,
        "forward_volatility": math.sqrt(kink.forward * DAYS_A_YEAR),
        "curve_volatility": math.sqrt(kink.curve * DAYS_A_YEAR),
        "forward_to_curve": kink.ratio,
        "left_open_by_quotes": kink.error,
        "grade": far.grade if near is None else max(near.grade, far.grade),
    }


def _summary(ticker: str, metrics: dict[str, Any]) -> str:
    ratio, curve = times(metrics["forward_to_curve"]), percent(metrics["curve_volatility"])
    forward = percent(metrics["forward_volatility"])
    until = f"{metrics['expiration']} ({metrics['root']})"
    return f"{ticker}: forward volatility to {until} {forward}, {ratio}x the curve's {curve}"


def _reason(ticker: str, metrics: dict[str, Any]) -> str:
    since = "now" if metrics["near_expiration"] is None else metrics["near_expiration"]
    above = "dear" if metrics["side"] == "rich" else "cheap"
    return (
        f"Between {since} and {metrics['expiration']} the options of {ticker} hold a forward volatility of "
        f"{percent(metrics['forward_volatility'])}, where the intervals before and after suggest "
        f"{percent(metrics['curve_volatility'])}: {times(metrics['forward_to_curve'])} times the curve, with known "
        f"events counted. The expiration of {metrics['expiration']} is {above} against the one before it; half the "
        f"spreads leave {percent(metrics['left_open_by_quotes'])} of it open."
    )
