"""Earnings crush: the implied move against those of past releases, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from collector.alerts.scoring import confidence
from collector.detectors.base import ConfigError, Evaluation, TickerView
from collector.detectors.earnings_crush import Config, EarningsCrush
from exports.reasons import DETECTOR_REASONS, explain
from tests.detectors.views import MARKET_DATE, NEAR, chain, features, past, view

DETECTOR = EarningsCrush()
# 3, 4, 0 and 5 %: the root mean square is sqrt(50 / 4) = 3.536 %.
MOVES = (0.03, -0.04, 0.0, 0.05)
PAST_MOVE = 0.0353553
COMING = {
    "next_earnings_date": "2026-03-04",
    "next_earnings_confirmed": True,
    "implied_earnings_move": 0.0707107,
    "implied_earnings_expiration": NEAR.isoformat(),
    "iv_grade": "A",
    "median_relative_spread": 0.05,
}


def seen(moves: tuple[float, ...] = MOVES, grade: str = "A", **figures: Any) -> TickerView:
    return view([], [chain(grade=grade)], features=features(**(COMING | figures)), past=past(4, earnings=moves))


def evaluate(moves: tuple[float, ...] = MOVES, **figures: Any) -> Evaluation:
    return DETECTOR.evaluate(seen(moves, **figures))


def test_a_move_far_larger_than_the_past_ones_arms() -> None:
    evaluation = evaluate()
    (finding,) = evaluation.findings
    assert (evaluation.status, evaluation.evaluated_subjects) == ("armed", None)
    assert (finding.metric, finding.value, finding.threshold) == ("implied_to_past", pytest.approx(2.0, 1e-5), 1.8)
    assert (finding.subject, finding.direction, finding.intention) == ("", "neutral", "short_volatility")
    assert finding.metrics == {
        "market_date": "2026-02-18",
        "mode": "history",
        "earnings_date": "2026-03-04",
        "days_to_release": 14,
        "date_confirmed": True,
        "expiration": "2026-03-20",
        "implied_move": 0.0707107,
        "past_move": pytest.approx(PAST_MOVE, 1e-5),
        "largest_past_move": 0.05,
        "implied_to_past": pytest.approx(2.0, 1e-5),
        "share_within_implied": 1.0,
        "past_releases": 4,
        "grade": "A",
    }
    # From 1.8 to 3.6 it grows; all four past moves lie within the implied one.
    assert finding.evidence.size == pytest.approx(0.2 / 1.8, 1e-4)
    assert finding.evidence.agreement == 1.0
    assert (finding.evidence.event_days, finding.evidence.dates_estimated) == (14.0, False)


def test_one_past_move_beyond_the_implied_one_weakens_what_agrees() -> None:
    moves = (0.08, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001)
    (finding,) = evaluate(moves).findings
    assert finding.metrics["share_within_implied"] == 0.875
    assert finding.evidence.agreement == pytest.approx((0.875 - 0.68) / 0.32)


@pytest.mark.parametrize(("implied", "armed"), [(1.801, [True]), (1.799, [False]), (1.401, [False]), (1.399, [])])
def test_arm_and_re_arm_levels_of_the_ratio(implied: float, armed: list[bool]) -> None:
    evaluation = evaluate(implied_earnings_move=implied * PAST_MOVE)
    assert [finding.armed for finding in evaluation.findings] == armed
    if implied < 1.8:
        assert (evaluation.status, evaluation.reason) == ("quiet", "within_past_moves")
    assert "within_past_moves" in DETECTOR_REASONS


@pytest.mark.parametrize(("days", "armed"), [(0, [True]), (21, [True]), (22, [False]), (28, [False]), (29, [])])
def test_arm_and_re_arm_levels_of_the_days_to_the_release(days: int, armed: list[bool]) -> None:
    evaluation = evaluate(next_earnings_date=(MARKET_DATE + timedelta(days=days)).isoformat())
    assert [finding.armed for finding in evaluation.findings] == armed
    if days > 21:
        assert (evaluation.status, evaluation.reason, evaluation.metric) == ("quiet", "release_far", "days_to_release")
        assert (evaluation.value, evaluation.threshold, evaluation.comparison) == (float(days), 21, "<=")
        assert evaluation.evaluated_subjects is None


@pytest.mark.parametrize("confirmed", [False, None])
def test_a_date_that_is_not_confirmed_is_marked_and_held_with_less_confidence(confirmed: bool | None) -> None:
    (sure,), (marked,) = evaluate().findings, evaluate(next_earnings_confirmed=confirmed).findings
    assert not marked.metrics["date_confirmed"]
    assert "2026-03-04 (estimated)" in marked.summary
    assert "an estimated date" in marked.reason
    assert confidence(marked.evidence) == pytest.approx(0.8 * confidence(sure.evidence))


def test_only_the_last_eight_releases_count() -> None:
    (finding,) = evaluate((0.5, 0.5, *MOVES, *MOVES)).findings
    assert (finding.metrics["past_releases"], finding.metrics["largest_past_move"]) == (8, 0.05)
    assert finding.evidence.history == 1.0


def test_too_few_releases_are_told_by_their_number() -> None:
    evaluation = evaluate(MOVES[:3])
    assert (evaluation.status, evaluation.reason) == ("not_evaluated", "few_releases")
    assert (evaluation.metric, evaluation.value, evaluation.comparison, evaluation.threshold) == (
        "past_releases",
        3.0,
        ">=",
        4.0,
    )
    assert evaluate((0.0,) * 4).status == "not_evaluated"


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"next_earnings_date": None, "reasons": {"next_earnings_date": "no_event"}}, "no_event"),
        ({"implied_earnings_move": None, "reasons": {"implied_earnings_move": "variance_falls"}}, "variance_falls"),
        ({"grade": "C"}, "no_usable_chain"),
        ({"implied_earnings_expiration": "2026-03-27"}, "no_usable_chain"),
    ],
)
def test_what_cannot_be_judged(figures: dict[str, Any], reason: str) -> None:
    evaluation = evaluate(**figures)
    assert (evaluation.status, evaluation.reason, evaluation.findings) == ("not_evaluated", reason, ())
    assert evaluation.evaluated_subjects == frozenset()
    assert explain(reason)


def test_what_only_keeps_is_found_only_where_an_alert_stands() -> None:
    kept = seen(implied_earnings_move=1.5 * PAST_MOVE)
    assert DETECTOR.evaluate(replace(kept, standing=frozenset())).findings == ()
    assert len(DETECTOR.evaluate(replace(kept, standing=frozenset({""}))).findings) == 1


def test_a_date_object_reads_as_its_text_does() -> None:
    assert evaluate(next_earnings_date=date(2026, 3, 4)) == evaluate()


def test_earnings_crush_in_words() -> None:
    (finding,) = evaluate().findings
    assert finding.summary == "QLMT: 7.1 % expected of earnings on 2026-03-04, 2.0x its past moves"
    assert finding.reason == (
        "Options expect a move of 7.1 % (one standard deviation) of the earnings of QLMT on 2026-03-04, a confirmed "
        "date in 14 days. That is 2.0 times the 3.5 % of its last 4 releases, of which 4 stayed within it; the largest "
        "was 5.0 %."
    )


def test_earnings_crush_on_an_estimated_day_in_words() -> None:
    moves = (0.08, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001)
    (finding,) = evaluate(moves, next_earnings_date="2026-02-18", next_earnings_confirmed=None).findings
    assert finding.summary == "QLMT: 7.1 % expected of earnings on 2026-02-18 (estimated), 2.5x its past moves"
    assert finding.reason == (
        "Options expect a move of 7.1 % (one standard deviation) of the earnings of QLMT on 2026-02-18, an estimated "
        "date today. That is 2.5 times the 2.8 % of its last 8 releases, of which 7 stayed within it; the largest was "
        "8.0 %."
    )


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"releases": 1}, "releases: 1"),
        ({"max_releases": 3}, "max_releases: 3"),
        ({"max_days": 0}, "max_days: 0"),
        ({"max_days": 40}, "rearm_days: 28 is below 40"),
        ({"rearm_implied_to_past": 2.0}, "rearm_implied_to_past: 2 is above 1.8"),
        ({"min_implied_to_past": 0.5}, "min_implied_to_past: 0.5"),
    ],
)
def test_levels_that_cannot_work_are_refused_by_name(levels: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config(**levels)
