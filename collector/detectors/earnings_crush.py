"""Options that expect more of the next earnings release than the share's past releases brought."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, ClassVar

from collector.detectors.base import Claim, Evaluation, Evidence, Finding, TickerView
from collector.detectors.evidence import liquidity, ramp
from collector.detectors.figures import day, number, positive, why_null
from collector.detectors.gates import WHOLE, Gate, Passed, lacking, mute, passed, whole_finding, whole_ticker
from collector.detectors.levels import check_number, check_rearm, check_whole
from collector.detectors.words import days, percent, times

# Times its level at which the implied move is as large as it is ever held to be.
FULL = 2.0
# The share of moves within one standard deviation where nothing is dear.
ORDINARY_SHARE = 0.68


@dataclass(frozen=True, slots=True)
class Config:
    """Levels of the detector.

    Attributes:
        releases: past releases that have to be known.
        max_releases: how many of the last ones count.
        max_days: calendar days to the release, beyond which its move can't be told from ordinary days well enough.
        min_implied_to_past: implied move over the root mean square of the past ones that arms.
        rearm_implied_to_past: below this an alert ends.
        rearm_days: days to the release beyond which an alert ends.
    """

    releases: int = 4
    max_releases: int = 8
    max_days: int = 21
    min_implied_to_past: float = 1.8
    rearm_implied_to_past: float = 1.4
    rearm_days: int = 28

    def __post_init__(self) -> None:
        """Refuse levels that can't work, naming the field."""
        check_whole("releases", self.releases, 2, 12)
        check_whole("max_releases", self.max_releases, self.releases, 12)
        check_whole("max_days", self.max_days, 1, 60)
        check_whole("rearm_days", self.rearm_days, 1, 90)
        check_rearm("rearm_days", self.rearm_days, self.max_days, above=False)
        check_number("min_implied_to_past", self.min_implied_to_past, 1.0, 20.0)
        check_number("rearm_implied_to_past", self.rearm_implied_to_past, 0.0, 20.0)
        check_rearm("rearm_implied_to_past", self.rearm_implied_to_past, self.min_implied_to_past)


@dataclass(frozen=True, slots=True)
class Release:
    """The next release and those before it.

    ``implied`` and ``past``, the root mean square of the past moves, are standard deviations of the log return.
    ``within`` is the share of past moves no larger than ``implied``. ``confirmed`` is None where the source does not
    say.
    """

    date: date
    days: int
    confirmed: bool | None
    implied: float
    past: float
    largest: float
    within: float
    count: int
    grade: str


@dataclass(frozen=True, slots=True)
class EarningsCrush:
    """The implied move of the next release against the past ones; of the ticker as a whole."""

    config: Config = Config()

    name: ClassVar[str] = "earnings_crush"
    claim: ClassVar[Claim] = "move_within_implied"
    hypothesis: ClassVar[str] = (
        "Where options expect a far larger move of a release than the share's own past releases brought, the release "
        "is overpriced: the move stays within the implied one, and volatility falls after it."
    )
    formula: ClassVar[str] = (
        "implied_earnings_move / root mean square of ln(first close after / last close before) over the last "
        "max_releases releases >= min_implied_to_past, with at most max_days to the release; a date that is not "
        "confirmed is marked as estimated and lowers the confidence"
    )
    day_one: ClassVar[str] = "None: it asks for the moves of at least so many past releases, and says how many it has."
    minimum_grade: ClassVar[str] = "B"

    def configuration(self) -> dict[str, Any]:
        """Return the levels as JSON values."""
        return asdict(self.config)

    def evaluate(self, view: TickerView) -> Evaluation:
        """Judge the ticker's next release."""
        coming = day(view.features, "next_earnings_date")
        if coming is None:
            return mute(self.name, why_null(view.features, "next_earnings_date"))
        config, ahead = self.config, (coming - view.market_date).days
        far = Gate("days_to_release", float(ahead), config.max_days, config.rearm_days, "<=", "release_far")
        if not far.passes(far.rearm):
            return whole_ticker(self.name, view, passed([far]), None)
        release = self._release(view, coming, ahead)
        if isinstance(release, Evaluation):
            return release
        ratio = release.implied / release.past
        arm, rearm = config.min_implied_to_past, config.rearm_implied_to_past
        judged = passed([Gate("implied_to_past", ratio, arm, rearm, ">=", "within_past_moves"), far])
        finding = None
        if judged.kept and view.matters(WHOLE, judged.armed):
            finding = self._finding(view, judged, release)
        return whole_ticker(self.name, view, judged, finding)

    def _release(self, view: TickerView, coming: date, ahead: int) -> Release | Evaluation:
        """Return the next release, or why it can't be judged."""
        implied = positive(view.features, "implied_earnings_move")
        if implied is None:
            return mute(self.name, why_null(view.features, "implied_earnings_move"))
        first = day(view.features, "implied_earnings_expiration")
        grade = min((chain.grade for chain in view.chains if chain.expiration == first), default=None)
        if grade is None or grade > self.minimum_grade:
            return mute(self.name, "no_usable_chain")
        moves = [abs(one.move) for one in view.past.earnings[-self.config.max_releases :] if math.isfinite(one.move)]
        past = math.sqrt(sum(move * move for move in moves) / len(moves)) if moves else 0.0
        if len(moves) < self.config.releases or not past > 0:
            return lacking(self.name, len(moves), self.config.releases, "past_releases", "few_releases")
        confirmed = view.features.get("next_earnings_confirmed")
        within = sum(move <= implied for move in moves) / len(moves)
        return Release(coming, ahead, confirmed, implied, past, max(moves), within, len(moves), grade)

    def _finding(self, view: TickerView, judged: Passed, release: Release) -> Finding:
        metrics = _metrics(view, release)
        arm = self.config.min_implied_to_past
        evidence = Evidence(
            size=ramp(release.implied / release.past, arm, FULL * arm) if judged.armed else 0.0,
            # Moves of the past are what the ratio is made of, their largest is not.
            agreement=ramp(release.within, ORDINARY_SHARE, 1.0) if judged.armed else 0.0,
            liquidity=liquidity(number(view.features, "median_relative_spread")),
            grade=release.grade,
            event_days=float(max(release.days, 0)),
            history=min(release.count / self.config.max_releases, 1.0),
            dates_estimated=release.confirmed is not True,
        )
        words = _summary(view.ticker, metrics), _reason(view.ticker, metrics)
        return whole_finding(self.name, view, judged, evidence, metrics, words, "short_volatility")


def _metrics(view: TickerView, release: Release) -> dict[str, Any]:
    """Return the figures behind a finding, as JSON values."""
    expiration = day(view.features, "implied_earnings_expiration")
    return {
        "market_date": view.market_date.isoformat(),
        "mode": "history",
        "earnings_date": release.date.isoformat(),
        "days_to_release": release.days,
        "date_confirmed": release.confirmed is True,
        "expiration": None if expiration is None else expiration.isoformat(),
        "implied_move": release.implied,
        "past_move": release.past,
        "largest_past_move": release.largest,
        "implied_to_past": release.implied / release.past,
        "share_within_implied": release.within,
        "past_releases": release.count,
        "grade": release.grade,
    }


def _summary(ticker: str, metrics: dict[str, Any]) -> str:
    ratio = times(metrics["implied_to_past"])
    marked = "" if metrics["date_confirmed"] else " (estimated)"
    on = f"{metrics['earnings_date']}{marked}"
    return f"{ticker}: {percent(metrics['implied_move'])} expected of earnings on {on}, {ratio}x its past moves"


def _reason(ticker: str, metrics: dict[str, Any]) -> str:
    when = "a confirmed date" if metrics["date_confirmed"] else "an estimated date"
    ahead = metrics["days_to_release"]
    left = f"in {days(ahead)}" if ahead > 0 else "today"
    inside = round(metrics["share_within_implied"] * metrics["past_releases"])
    return (
        f"Options expect a move of {percent(metrics['implied_move'])} (one standard deviation) of the earnings of "
        f"{ticker} on {metrics['earnings_date']}, {when} {left}. That is {times(metrics['implied_to_past'])} times the "
        f"{percent(metrics['past_move'])} of its last {metrics['past_releases']} releases, of which {inside} stayed "
        f"within it; the largest was {percent(metrics['largest_past_move'])}."
    )
