"""A day's move beyond what the options of the session before expected of it.

Expected is one standard deviation of one session: the 30-day move that the session before stated, over its price,
scaled by the square root of time. Where a release of earnings lies between, the move implied for it is added, variance
to variance: a share that moves as its options said breaches nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, ClassVar, Literal

from collector.detectors.base import Claim, Direction, Evaluation, Evidence, Finding, TickerView
from collector.detectors.evidence import days_to_event, liquidity, ramp, share
from collector.detectors.levels import check_number, check_rearm, check_whole
from collector.detectors.words import percent, times

SESSIONS_A_YEAR = 252
# From 30 calendar days to one of a year's sessions.
SESSION_OF_MONTH = math.sqrt(365 / 30 / SESSIONS_A_YEAR)
# The size of a finding is full at so many times the level that arms.
FULL = 2.0

Status = Literal["armed", "quiet", "not_evaluated"]
Mode = Literal["history", "day_one"]


@dataclass(frozen=True, slots=True)
class Config:
    """Levels of the detector.

    Attributes:
        multiple: times the expected move that arm.
        rearm_multiple: level below which an alert ends.
        min_move: least move, as a ratio of the price, whatever was expected.
        max_age_days: calendar days that the session before may lie back; what an older one expected is stale.
    """

    multiple: float = 3.0
    rearm_multiple: float = 2.0
    min_move: float = 0.01
    max_age_days: int = 5

    def __post_init__(self) -> None:
        """Refuse levels that can't work, naming the field."""
        check_number("multiple", self.multiple, 0.5, 50.0)
        check_number("rearm_multiple", self.rearm_multiple, 0.0)
        check_rearm("rearm_multiple", self.rearm_multiple, self.multiple)
        check_number("min_move", self.min_move, 0.0, 1.0)
        check_whole("max_age_days", self.max_age_days, 1)


@dataclass(frozen=True, slots=True)
class Expectation:
    """One standard deviation of the session's return, and whose: the session before's, or this scan's own."""

    move: float
    mode: Mode
    of: str | None = None
    earnings_move: float | None = None


@dataclass(frozen=True, slots=True)
class ExpectedMoveBreach:
    """The day's return against the session's expected one; the subject is the ticker."""

    config: Config = Config()

    name: ClassVar[str] = "expected_move_breach"
    claim: ClassVar[Claim] = "spot_follows"
    hypothesis: ClassVar[str] = (
        "A move far beyond what the options expected of the day is news that is not told out in one session: the spot "
        "goes on in the direction of the move."
    )
    formula: ClassVar[str] = (
        "|return_1d| / expected >= multiple and |return_1d| >= min_move, with expected = expected_move_30d / price of "
        "the session before * sqrt(365 / 30 / 252); where a release lies between, the root of the sum of its square "
        "and that of the session's implied_earnings_move. Inputs: return_1d of this scan; price, expected_move_30d "
        "and implied_earnings_move of the session before, at most max_age_days old; releases."
    )
    day_one: ClassVar[str] = (
        "Without such a session: iv_30d of this scan / sqrt(252) stands in, which knows of the move already, at a "
        "lower confidence."
    )
    minimum_grade: ClassVar[str] = "C"

    def configuration(self) -> dict[str, Any]:
        """Return the levels as JSON values."""
        return asdict(self.config)

    def evaluate(self, view: TickerView) -> Evaluation:
        """Judge the day's move."""
        figures = view.features
        grade = figures.get("grade")
        if grade is None or grade > self.minimum_grade:
            return Evaluation(self.name, "not_evaluated", reason="no_usable_chain")
        move = figures.get("return_1d")
        if move is None:
            return Evaluation(
                self.name, "not_evaluated", reason=figures.get("reasons", {}).get("return_1d", "no_history")
            )
        expected = expectation(view, self.config)
        if isinstance(expected, str):
            return Evaluation(self.name, "not_evaluated", reason=expected)
        multiple, size = abs(move) / expected.move, abs(move)
        kept = multiple >= self.config.rearm_multiple and size >= self.config.min_move
        armed = kept and multiple >= self.config.multiple
        told = kept and view.matters("", armed)
        findings = (_finding(view, float(move), multiple, expected, armed, self.config),) if told else ()
        if kept or multiple < self.config.multiple:
            metric, value, level, reason = "move_to_expected", multiple, self.config.multiple, "below_threshold"
        else:
            metric, value, level, reason = "move", size, self.config.min_move, "small_move"
        status: Status = "armed" if armed else "quiet"
        return Evaluation(self.name, status, findings, None, metric, value, level, None if armed else reason, ">=")


def expectation(view: TickerView, config: Config) -> Expectation | str:
    """Return what was expected of the session, or the reason code why that is not known."""
    past = view.past
    move, price = past.newest("expected_move_30d"), past.newest("price")
    fresh = bool(past.dates) and (view.market_date - past.dates[-1]).days <= config.max_age_days
    if not fresh or move is None or price is None or not move > 0 or not price > 0:
        return _day_one(view)
    ordinary, of = move / price * SESSION_OF_MONTH, past.dates[-1].isoformat()
    if not _released(view):
        return Expectation(ordinary, "history", of)
    release = past.newest("implied_earnings_move")
    return (
        "release_not_priced" if release is None else Expectation(math.hypot(ordinary, release), "history", of, release)
    )


def _day_one(view: TickerView) -> Expectation | str:
    sigma = view.features.get("iv_30d")
    if sigma is None or not sigma > 0:
        return str(view.features.get("reasons", {}).get("iv_30d", "no_history"))
    return "release_not_priced" if _released(view) else Expectation(sigma / math.sqrt(SESSIONS_A_YEAR), "day_one")


def _released(view: TickerView) -> bool:
    """Return whether earnings came out since the session before: those that it awaited, or of this morning."""
    days = view.past.newest("days_to_earnings")
    if days is not None and view.past.dates[-1] + timedelta(days=days) < view.market_date:
        return True
    return any(
        event.kind == "earnings"
        and event.ticker == view.ticker
        and event.date == view.market_date
        and (event.time is None or event.time <= view.as_of)
        for event in view.events
    )


def _finding(
    view: TickerView, move: float, multiple: float, expected: Expectation, armed: bool, config: Config
) -> Finding:
    figures = view.features
    direction: Direction = "bullish" if move > 0 else "bearish"
    metrics = _metrics(view, move, multiple, expected)
    return Finding(
        detector=ExpectedMoveBreach.name,
        ticker=view.ticker,
        subject="",
        direction=direction,
        metric="move_to_expected",
        value=multiple,
        threshold=config.multiple,
        comparison=">=",
        armed=armed,
        evidence=Evidence(
            size=ramp(multiple, config.multiple, FULL * config.multiple),
            agreement=_agreement(view, move, config) if armed else 0.0,
            liquidity=liquidity(figures.get("median_relative_spread")),
            grade=figures["grade"],
            event_days=days_to_event(view),
            history=1.0 if expected.mode == "history" else 0.0,
        ),
        metrics=metrics,
        summary=_summary(view.ticker, metrics),
        reason=_reason(view.ticker, metrics, direction),
        intention="directional",
    )


def _agreement(view: TickerView, move: float, config: Config) -> float:
    """Return the share of three inputs that say the same: realised volatility as the scale, IV that rose, and flow."""
    figures, past = view.features, view.past
    realised, sigma, flow = (
        figures.get(name) for name in ("realised_volatility_20d", "iv_30d", "put_call_volume_ratio")
    )
    before, flow_before = past.newest("iv_30d"), past.newest("put_call_volume_ratio")
    return share(
        abs(move) >= config.multiple * (realised or math.inf) / math.sqrt(SESSIONS_A_YEAR),
        sigma is not None and before is not None and sigma > before,
        flow is not None and flow_before is not None and (flow < flow_before if move > 0 else flow > flow_before),
    )


def _metrics(view: TickerView, move: float, multiple: float, expected: Expectation) -> dict[str, Any]:
    """Return the figures behind a finding, as JSON values."""
    return {
        "market_date": view.market_date.isoformat(),
        "mode": expected.mode,
        "move": move,
        "expected_move": expected.move,
        "move_to_expected": multiple,
        "expected_by": expected.of,
        "implied_earnings_move": expected.earnings_move,
        "price": view.features.get("price"),
        "iv_30d": view.features.get("iv_30d"),
        "iv_30d_before": view.past.newest("iv_30d"),
        "realised_volatility_20d": view.features.get("realised_volatility_20d"),
        "grade": view.features["grade"],
    }


def _summary(ticker: str, metrics: Mapping[str, Any]) -> str:
    """Return one line."""
    way = "up" if metrics["move"] > 0 else "down"
    return (
        f"{ticker} {way} {percent(abs(metrics['move']))}: {times(metrics['move_to_expected'])}x "
        f"the {percent(metrics['expected_move'])} expected of the session"
    )


def _reason(ticker: str, metrics: Mapping[str, Any], direction: str) -> str:
    """Return the explanation."""
    way = "rose" if metrics["move"] > 0 else "fell"
    moved = f"{ticker} {way} {percent(abs(metrics['move']))} in the session of {metrics['market_date']}"
    size = f"{times(metrics['move_to_expected'])} times the {percent(metrics['expected_move'])}"
    if metrics["mode"] == "day_one":
        whose = "that its 30-day volatility of now expects of one session; 0 of 1 session before is known to ask"
    elif metrics["implied_earnings_move"] is None:
        whose = f"that its options expected of it in the session of {metrics['expected_by']}"
    else:
        release = percent(metrics["implied_earnings_move"])
        whose = f"that its options expected in the session of {metrics['expected_by']}, {release} for its earnings"
    return f"{moved}, {size} {whose}.{_volatility(metrics)} Read as {direction}: the move is taken to go on."


def _volatility(metrics: Mapping[str, Any]) -> str:
    """Return the sentence on implied volatility, empty where it is not known."""
    now, before = metrics["iv_30d"], metrics["iv_30d_before"]
    if now is None:
        return ""
    since = "" if before is None else f", from {percent(before)} the session before"
    return f" Its 30-day volatility stands at {percent(now)}{since}."
