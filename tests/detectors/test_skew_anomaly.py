"""Skew anomaly: the 25-delta skew against its own past, by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from collector.alerts.scoring import confidence
from collector.detectors.base import ConfigError, Evaluation, TickerView
from collector.detectors.skew_anomaly import Config, SkewAnomaly
from exports.reasons import DETECTOR_REASONS, explain
from tests.detectors.views import around, features, past, view

DETECTOR = SkewAnomaly()
# A mean of 20 % and a standard deviation of 4 %: 60 values by turns, 4 % sqrt(59 / 60) on either side.
SPREAD = math.sqrt(59 / 60)
USUAL = around(0.20, 0.04 * SPREAD, 60)
REVERSALS = around(-0.06, 0.01 * SPREAD, 60)
# 40 % of the 50-delta volatility: 5 deviations above.
STEEP = {"skew_25d": 0.40, "risk_reversal_25d": -0.11, "iv_grade": "A", "median_relative_spread": 0.05}


def seen(skews: np.ndarray = USUAL, reversals: np.ndarray = REVERSALS, **figures: Any) -> TickerView:
    known = past(len(skews), skew_25d=skews, risk_reversal_25d=reversals[: len(skews)])
    return view([], features=features(**(STEEP | figures)), past=known)


def evaluate(skews: np.ndarray = USUAL, **figures: Any) -> Evaluation:
    return DETECTOR.evaluate(seen(skews, **figures))


def test_a_skew_far_out_of_its_history_arms() -> None:
    evaluation = evaluate()
    (finding,) = evaluation.findings
    assert (evaluation.status, evaluation.evaluated_subjects) == ("armed", None)
    assert (finding.metric, finding.value, finding.threshold) == ("skew_deviations", pytest.approx(5.0), 2.5)
    assert (finding.subject, finding.direction, finding.intention) == ("", "neutral", "skew")
    assert finding.metrics == {
        "market_date": "2026-02-18",
        "mode": "history",
        "side": "puts",
        "skew_25d": 0.40,
        "risk_reversal_25d": -0.11,
        "mean_skew_25d": pytest.approx(0.20),
        "skew_change": pytest.approx(0.20),
        "skew_deviations": pytest.approx(5.0),
        "sessions": 60,
        "grade": "A",
    }
    # From 2.5 to 6 deviations; the raw risk reversal is 5 deviations low too, the session before was ordinary.
    assert finding.evidence.size == pytest.approx(2.5 / 3.5)
    assert finding.evidence.agreement == 0.5
    assert confidence(finding.evidence) == 1.0


def test_the_session_before_agrees_where_it_was_on_the_same_side() -> None:
    lasting = USUAL.copy()
    lasting[-1] = 0.36
    assert evaluate(lasting).findings[0].evidence.agreement == 1.0
    assert evaluate(lasting, risk_reversal_25d=-0.06).findings[0].evidence.agreement == 0.5


def test_calls_that_are_dear_are_the_other_side() -> None:
    (finding,) = evaluate(skew_25d=0.0, risk_reversal_25d=0.0).findings
    assert (finding.metrics["side"], finding.value, finding.comparison) == ("calls", pytest.approx(5.0), ">=")
    assert finding.metrics["skew_deviations"] == pytest.approx(-5.0)
    # A risk reversal of 0 is 6 deviations high: calls dear, too.
    assert finding.evidence.agreement == 0.5


@pytest.mark.parametrize(
    ("skew", "armed", "metric", "reason"),
    [
        # 15 % away is 3.75 deviations, 8 % is 2.
        (0.3501, [True], "skew_deviations", None),
        (0.3499, [False], "skew_change", "small_distance"),
        (0.2801, [False], "skew_deviations", "not_extreme"),
        (0.2799, [], "skew_deviations", "not_extreme"),
        (0.0501, [False], "skew_change", "small_distance"),
        (0.0499, [True], "skew_deviations", None),
    ],
)
def test_arm_and_re_arm_levels_of_the_change(skew: float, armed: list[bool], metric: str, reason: str | None) -> None:
    evaluation = evaluate(skew_25d=skew)
    assert [finding.armed for finding in evaluation.findings] == armed
    assert (evaluation.metric, evaluation.reason) == (metric, reason)
    assert reason is None or reason in DETECTOR_REASONS


@pytest.mark.parametrize(("away", "armed"), [(2.501, [True]), (2.499, [False]), (1.501, [False]), (1.499, [])])
def test_arm_and_re_arm_levels_of_the_deviations(away: float, armed: list[bool]) -> None:
    restless = around(0.20, 0.10 * SPREAD, 60)
    assert [finding.armed for finding in evaluate(restless, skew_25d=0.20 + 0.10 * away).findings] == armed


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"skew_25d": None, "reasons": {"skew_25d": "extrapolation"}}, "extrapolation"),
        ({"iv_grade": "C"}, "no_usable_chain"),
        ({"skew_25d": math.nan}, "no_usable_chain"),
    ],
)
def test_what_cannot_be_judged(figures: dict[str, Any], reason: str) -> None:
    evaluation = evaluate(**figures)
    assert (evaluation.status, evaluation.reason, evaluation.findings) == ("not_evaluated", reason, ())
    assert explain(reason)


def test_a_history_without_any_width_is_no_measure() -> None:
    assert evaluate(np.full(60, 0.20)).reason == "flat_history"


def test_thin_history_is_told_by_its_numbers() -> None:
    for skews in (USUAL[:59], np.where(np.arange(60) == 3, math.nan, USUAL)):
        evaluation = evaluate(skews)
        assert (evaluation.status, evaluation.reason) == ("not_evaluated", "short_history")
        assert (evaluation.metric, evaluation.value, evaluation.threshold) == ("sessions", 59.0, 60.0)


def test_a_level_of_volatility_that_moves_alone_is_no_anomaly() -> None:
    # Twice the volatility doubles the risk reversal and leaves the skew.
    assert evaluate(skew_25d=0.21, risk_reversal_25d=-0.12).findings == ()


def test_what_only_keeps_is_found_only_where_an_alert_stands() -> None:
    kept = seen(skew_25d=0.30)
    assert DETECTOR.evaluate(replace(kept, standing=frozenset())).findings == ()
    assert len(DETECTOR.evaluate(replace(kept, standing=frozenset({""}))).findings) == 1


def test_skew_anomaly_of_puts_in_words() -> None:
    (finding,) = evaluate().findings
    assert finding.summary == "QLMT: puts dear, 25-delta skew 40.0 % of IV, usually 20.0 % (5.0 deviations)"
    assert finding.reason == (
        "The 30-day 25-delta puts of QLMT cost 40.0 % of the 50-delta volatility more than its calls, where the mean "
        "of 60 sessions is 20.0 %: 5.0 standard deviations above, so puts are dear. The risk reversal (call less put) "
        "is -11.0 points."
    )


def test_skew_anomaly_of_calls_in_words() -> None:
    (finding,) = evaluate(skew_25d=-0.04, risk_reversal_25d=None).findings
    assert finding.summary == "QLMT: calls dear, 25-delta skew -4.0 % of IV, usually 20.0 % (6.0 deviations)"
    assert finding.reason == (
        "The 30-day 25-delta puts of QLMT cost -4.0 % of the 50-delta volatility more than its calls, where the mean "
        "of 60 sessions is 20.0 %: 6.0 standard deviations below, so calls are dear."
    )


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"sessions": 5}, "sessions: 5"),
        ({"min_deviations": -1.0}, "min_deviations: -1"),
        ({"rearm_deviations": 3.0}, "rearm_deviations: 3 is above 2.5"),
        ({"rearm_change": 0.5}, "rearm_change: 0.5 is above 0.15"),
    ],
)
def test_levels_that_cannot_work_are_refused_by_name(levels: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config(**levels)
