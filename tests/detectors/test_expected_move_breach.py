"""A day's move against what was expected of it: both modes on worked numbers, earnings between, and what is missing."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from collector.detectors.base import ConfigError, Evaluation
from collector.detectors.expected_move_breach import Config, ExpectedMoveBreach
from collector.detectors.past import PastSessions
from collector.market.events import Event
from exports.reasons import DETECTOR_REASONS, FIELD_REASONS
from tests.detectors.figures import figures_view, past
from tests.detectors.timing import microseconds
from tests.detectors.views import MARKET_DATE, NOON

DETECTOR = ExpectedMoveBreach()
# 2 % in one session of 252 a year: a 30-day volatility of 31.75 %, and 200 times that times sqrt(30 / 365) in dollars.
SIGMA = 0.02 * math.sqrt(252)
MONTH = 200.0 * SIGMA * math.sqrt(30 / 365)
BEFORE = past(expected_move_30d=[1.0, MONTH], price=[180.0, 200.0], iv_30d=[0.3, SIGMA])


def evaluate(move: float | None, before: PastSessions = BEFORE, **figures: Any) -> Evaluation:
    events, grade = figures.pop("events", ()), figures.pop("grade", "A")
    return DETECTOR.evaluate(figures_view({"return_1d": move} | figures, before, events=events, grade=grade))


def test_three_times_the_expected_move_arms_and_two_keep() -> None:
    for move, direction, armed in ((0.0601, "bullish", True), (-0.0601, "bearish", True), (-0.0599, "bearish", False)):
        (finding,) = evaluate(move).findings
        assert (finding.direction, finding.armed, finding.subject) == (direction, armed, "")
        assert finding.value == pytest.approx(abs(move) / 0.02)
        assert (finding.metric, finding.threshold, finding.comparison) == ("move_to_expected", 3.0, ">=")
    assert [finding.armed for finding in evaluate(0.0401).findings] == [False]
    assert evaluate(0.0399).findings == ()


def test_a_quiet_day_states_how_far_it_went() -> None:
    evaluation = evaluate(-0.01)
    assert (evaluation.status, evaluation.reason) == ("quiet", "below_threshold")
    assert (evaluation.metric, evaluation.value, evaluation.threshold) == ("move_to_expected", pytest.approx(0.5), 3.0)
    assert evaluation.evaluated_subjects is None


def test_a_small_move_is_none_however_little_was_expected() -> None:
    calm = past(expected_move_30d=[MONTH / 10], price=[200.0])
    evaluation = evaluate(0.0099, calm)
    assert (evaluation.status, evaluation.reason, evaluation.findings) == ("quiet", "small_move", ())
    assert (evaluation.metric, evaluation.value, evaluation.threshold) == ("move", 0.0099, 0.01)
    assert evaluate(0.0101, calm).status == "armed"


def test_without_a_session_before_this_scans_volatility_stands_in() -> None:
    for before in (past(), past(expected_move_30d=[math.nan], price=[200.0]), past(expected_move_30d=[MONTH])):
        (finding,) = evaluate(0.07, before, iv_30d=SIGMA).findings
        assert (finding.armed, finding.value) == (True, pytest.approx(3.5))
        assert (finding.metrics["mode"], finding.metrics["expected_by"]) == ("day_one", None)
        assert finding.evidence.history == 0.0
    assert evaluate(0.07).findings[0].evidence.history == 1.0


def test_what_an_old_session_expected_is_stale() -> None:
    old = replace(BEFORE, dates=(date(2026, 2, 11), date(2026, 2, 12)))
    assert evaluate(0.07, old, iv_30d=2 * SIGMA).value == pytest.approx(1.75)
    over_a_weekend = replace(BEFORE, dates=(date(2026, 2, 12), date(2026, 2, 13)))
    assert evaluate(0.07, over_a_weekend, iv_30d=2 * SIGMA).value == pytest.approx(3.5)


def earnings(moment: datetime | None = None) -> Event:
    return Event("earnings", MARKET_DATE, NOON - timedelta(days=9), ticker="QLMT", time=moment)


def test_a_release_between_adds_what_was_implied_for_it() -> None:
    # 2 % and 4.8 % together are 5.2 %: 12 % is 2.31 times that, and 6 times the ordinary day.
    figures = {"expected_move_30d": [MONTH], "price": [200.0]}
    implied = past(**figures, implied_earnings_move=[0.048])
    awaited = past(**figures, implied_earnings_move=[0.048], days_to_earnings=[0.0])
    assert evaluate(0.12, awaited).value == pytest.approx(0.12 / 0.052)
    for moment in (None, NOON - timedelta(hours=4)):
        (finding,) = evaluate(0.12, implied, events=[earnings(moment)]).findings
        assert (finding.value, finding.armed) == (pytest.approx(0.12 / 0.052), False)
        assert finding.metrics["implied_earnings_move"] == 0.048


def test_a_release_to_come_or_of_another_adds_nothing() -> None:
    implied = past(expected_move_30d=[MONTH], price=[200.0], implied_earnings_move=[0.048])
    tonight, other = earnings(NOON + timedelta(hours=4)), replace(earnings(), ticker="ZZTB")
    today = past(expected_move_30d=[MONTH], price=[200.0], implied_earnings_move=[0.048], days_to_earnings=[1.0])
    for before, events in ((implied, [tonight]), (implied, [other]), (today, [tonight])):
        assert evaluate(0.12, before, events=events).value == pytest.approx(6.0)


def test_a_release_that_nothing_was_implied_for_leaves_the_day_unjudged() -> None:
    for before in (BEFORE, past()):
        evaluation = evaluate(0.12, before, events=[earnings()], iv_30d=SIGMA)
        assert (evaluation.status, evaluation.reason) == ("not_evaluated", "release_not_priced")


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"grade": None}, "no_usable_chain"),
        ({"grade": "D"}, "no_usable_chain"),
        ({"move": None, "reasons": {"return_1d": "short_history"}}, "short_history"),
        ({"move": None}, "no_history"),
        ({"before": past(), "reasons": {"iv_30d": "extrapolation"}}, "extrapolation"),
        ({"before": past()}, "no_history"),
    ],
)
def test_what_cannot_be_judged(figures: dict[str, Any], reason: str) -> None:
    evaluation = evaluate(figures.pop("move", 0.12), figures.pop("before", BEFORE), **figures)
    assert (evaluation.status, evaluation.reason, evaluation.findings) == ("not_evaluated", reason, ())
    assert reason in FIELD_REASONS
    assert {"release_not_priced", "small_move"} <= set(DETECTOR_REASONS)


def test_volatility_that_rose_and_the_flow_agree() -> None:
    before = replace(BEFORE, figures=BEFORE.figures | {"put_call_volume_ratio": BEFORE.figures["price"] / 200})

    def agreement(move: float, **figures: Any) -> float:
        return evaluate(move, before, **figures).findings[0].evidence.agreement

    assert agreement(-0.07) == 0.0
    # Realised volatility of 31.75 % too takes 7 % for 3.5 deviations.
    assert agreement(-0.07, realised_volatility_20d=SIGMA) == pytest.approx(1 / 3)
    assert agreement(-0.07, realised_volatility_20d=SIGMA, iv_30d=SIGMA + 0.01) == pytest.approx(2 / 3)
    everything = {"realised_volatility_20d": SIGMA, "iv_30d": SIGMA + 0.01, "put_call_volume_ratio": 1.2}
    assert agreement(-0.07, **everything) == 1.0
    assert agreement(0.07, **everything) == pytest.approx(2 / 3)


def test_size_grows_from_the_level_to_twice_of_it() -> None:
    sizes = [evaluate(move).findings[0].evidence.size for move in (0.06001, 0.09, 0.12, 0.2)]
    assert sizes == pytest.approx([0.0, 0.5, 1.0, 1.0], abs=1e-3)


def test_what_does_not_arm_is_found_only_where_an_alert_stands() -> None:
    seen = figures_view({"return_1d": 0.05}, BEFORE)
    assert DETECTOR.evaluate(replace(seen, standing=frozenset())).findings == ()
    assert len(DETECTOR.evaluate(replace(seen, standing=frozenset({""}))).findings) == 1


def test_explanation_with_history() -> None:
    (finding,) = evaluate(-0.075, iv_30d=0.411).findings
    assert finding.summary == "QLMT down 7.5 %: 3.8x the 2.0 % expected of the session"
    assert finding.reason == (
        "QLMT fell 7.5 % in the session of 2026-02-18, 3.8 times the 2.0 % that its options expected of it in the "
        "session of 2026-02-17. Its 30-day volatility stands at 41.1 %, from 31.7 % the session before. Read as "
        "bearish: the move is taken to go on."
    )


def test_explanation_of_day_one() -> None:
    (finding,) = evaluate(0.0652, past(), iv_30d=SIGMA).findings
    assert finding.summary == "QLMT up 6.5 %: 3.3x the 2.0 % expected of the session"
    assert finding.reason == (
        "QLMT rose 6.5 % in the session of 2026-02-18, 3.3 times the 2.0 % that its 30-day volatility of now expects "
        "of one session; 0 of 1 session before is known to ask. Its 30-day volatility stands at 31.7 %. Read as "
        "bullish: the move is taken to go on."
    )


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"multiple": 0.1}, "multiple: 0.1"),
        ({"rearm_multiple": 3.5}, "rearm_multiple: 3.5 is above 3"),
        ({"min_move": -0.1}, "min_move: -0.1"),
        ({"max_age_days": 1.5}, "max_age_days: 1.5"),
    ],
)
def test_levels_that_cannot_work_are_refused_by_name(levels: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config(**levels)


def test_a_quiet_ticker_costs_little() -> None:
    seen = figures_view({"return_1d": 0.01}, BEFORE)
    assert microseconds(lambda: DETECTOR.evaluate(seen)) < 2000
