"""Regime shift: implied and realised volatility against the band before the shift, by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from collector.detectors.base import ConfigError, Evaluation, TickerView
from collector.detectors.past import PastSessions
from collector.detectors.regime_shift import Config, RegimeShift, band
from exports.reasons import DETECTOR_REASONS, explain
from tests.detectors.views import around, features, past, view

DETECTOR = RegimeShift()
# ln(volatility) by turns 0.2 sqrt(59 / 60) below and above ln(0.20): a standard deviation of 0.2 over 60 sessions.
LOGS = around(0.0, 0.2 * math.sqrt(59 / 60), 60)
# Then 20 sessions of the shift itself, which are no part of the band.
SHIFTED = np.concatenate([0.20 * np.exp(LOGS), np.full(20, 9.9)])
BAND = past(80, iv_30d=SHIFTED, realised_volatility_20d=SHIFTED, iv_90d=SHIFTED, realised_volatility_10d=SHIFTED)


def at(deviations: float) -> float:
    """Return the volatility so many deviations from the band's mean."""
    return 0.20 * math.exp(0.2 * deviations)


RISEN = {
    "iv_30d": at(3.0),
    "realised_volatility_20d": at(2.5),
    "iv_90d": at(1.5),
    "realised_volatility_10d": at(0.5),
    "iv_grade": "A",
    "median_relative_spread": 0.05,
}


def seen(known: PastSessions = BAND, **figures: Any) -> TickerView:
    return view([], features=features(**(RISEN | figures)), past=known)


def evaluate(known: PastSessions = BAND, **figures: Any) -> Evaluation:
    return DETECTOR.evaluate(seen(known, **figures))


def test_both_out_of_their_bands_on_one_side_arm() -> None:
    evaluation = evaluate()
    (finding,) = evaluation.findings
    assert (evaluation.status, evaluation.evaluated_subjects) == ("armed", None)
    assert (finding.metric, finding.value, finding.threshold) == ("band_deviations", pytest.approx(2.5), 2.0)
    assert (finding.subject, finding.direction, finding.intention) == ("", "neutral", None)
    assert finding.metrics == {
        "market_date": "2026-02-18",
        "mode": "history",
        "side": "rising",
        "iv_30d": at(3.0),
        "band_iv_30d": pytest.approx(0.20),
        "iv_deviations": pytest.approx(3.0),
        "realised_volatility_20d": at(2.5),
        "band_realised_volatility_20d": pytest.approx(0.20),
        "realised_deviations": pytest.approx(2.5),
        "band_sessions": 60,
        "grade": "A",
    }
    # From 2 to 5 deviations; 90 days rose by 0.3, ten sessions by 0.1 of the 0.2 that count.
    assert finding.evidence.size == pytest.approx(0.5 / 3.0)
    assert finding.evidence.agreement == 0.5


def test_the_sessions_of_the_shift_are_no_part_of_the_band() -> None:
    found = band(BAND, "iv_30d", at(1.0))
    assert found is not None
    assert (found.mean, found.deviations, found.change) == (
        pytest.approx(0.20),
        pytest.approx(1.0),
        pytest.approx(0.2),
    )


def test_a_fall_is_the_other_side() -> None:
    (finding,) = evaluate(iv_30d=at(-3.0), realised_volatility_20d=at(-2.0001)).findings
    assert (finding.armed, finding.metrics["side"], finding.value) == (True, "falling", pytest.approx(2.0, abs=1e-3))


@pytest.mark.parametrize(
    ("deviations", "armed", "metric", "reason"),
    [
        (2.001, [True], "band_deviations", None),
        (1.999, [False], "band_deviations", "not_extreme"),
        (1.201, [False], "band_deviations", "not_extreme"),
        (1.199, [], "band_deviations", "not_extreme"),
    ],
)
def test_arm_and_re_arm_levels_of_the_deviations(
    deviations: float, armed: list[bool], metric: str, reason: str | None
) -> None:
    for one in ({"iv_30d": at(deviations)}, {"realised_volatility_20d": at(deviations)}):
        evaluation = evaluate(**one)
        assert [finding.armed for finding in evaluation.findings] == armed
        assert (evaluation.metric, evaluation.reason) == (metric, reason)


@pytest.mark.parametrize(("change", "armed"), [(0.351, [True]), (0.349, [False]), (0.201, [False]), (0.199, [])])
def test_arm_and_re_arm_levels_of_the_change_in_a_narrow_band(change: float, armed: list[bool]) -> None:
    narrow = 0.20 * np.exp(around(0.0, 0.05, 80))
    known = past(80, iv_30d=narrow, realised_volatility_20d=narrow)
    evaluation = evaluate(known, iv_30d=0.20 * math.exp(change))
    assert [finding.armed for finding in evaluation.findings] == armed
    if change < 0.35:
        assert (evaluation.metric, evaluation.reason) == ("band_change", "small_distance")
    assert "small_distance" in DETECTOR_REASONS


def test_sides_that_differ_are_no_shift() -> None:
    evaluation = evaluate(realised_volatility_20d=at(-3.0))
    assert (evaluation.status, evaluation.reason, evaluation.findings) == ("quiet", "sides_differ", ())
    assert "sides_differ" in DETECTOR_REASONS


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"iv_30d": None, "reasons": {"iv_30d": "extrapolation"}}, "extrapolation"),
        ({"realised_volatility_20d": None, "reasons": {"realised_volatility_20d": "no_history"}}, "no_history"),
        ({"iv_grade": "D"}, "no_usable_chain"),
    ],
)
def test_what_cannot_be_judged(figures: dict[str, Any], reason: str) -> None:
    evaluation = evaluate(**figures)
    assert (evaluation.status, evaluation.reason, evaluation.findings) == ("not_evaluated", reason, ())
    assert explain(reason)


def test_thin_history_is_told_by_its_numbers_whichever_is_thin() -> None:
    half = np.where(np.arange(80) < 21, math.nan, SHIFTED)
    for name, other in (("iv_30d", "realised_volatility_20d"), ("realised_volatility_20d", "iv_30d")):
        evaluation = evaluate(past(80, **{name: half, other: SHIFTED}))
        assert (evaluation.status, evaluation.reason) == ("not_evaluated", "short_history")
        assert (evaluation.metric, evaluation.value, evaluation.threshold) == ("sessions", 59.0, 60.0)


def test_sixty_sessions_are_enough_with_a_band_of_the_first_forty() -> None:
    known = past(60, iv_30d=SHIFTED[20:], realised_volatility_20d=SHIFTED[20:])
    assert evaluate(known).findings[0].metrics["band_sessions"] == 40


def test_a_band_without_any_width_is_no_measure() -> None:
    assert evaluate(past(80, iv_30d=0.2, realised_volatility_20d=SHIFTED)).reason == "flat_history"


def test_what_only_keeps_is_found_only_where_an_alert_stands() -> None:
    kept = seen(iv_30d=at(1.5))
    assert DETECTOR.evaluate(replace(kept, standing=frozenset())).findings == ()
    assert len(DETECTOR.evaluate(replace(kept, standing=frozenset({""}))).findings) == 1


def test_regime_shift_upwards_in_words() -> None:
    (finding,) = evaluate().findings
    assert finding.summary == "QLMT: volatility up, IV 36.4 % from 20.0 %, realised 33.0 % from 20.0 %"
    assert finding.reason == (
        "The 30-day implied volatility of QLMT is 36.4 %, 3.0 standard deviations above the 20.0 % of the 60 sessions "
        "that ended 20 sessions ago. The volatility that it realised over 20 sessions is 33.0 %, 2.5 standard "
        "deviations above its 20.0 %."
    )


def test_regime_shift_downwards_in_words() -> None:
    (finding,) = evaluate(iv_30d=at(-2.5), realised_volatility_20d=at(-4.0)).findings
    assert finding.summary == "QLMT: volatility down, IV 12.1 % from 20.0 %, realised 9.0 % from 20.0 %"
    assert finding.reason == (
        "The 30-day implied volatility of QLMT is 12.1 %, 2.5 standard deviations below the 20.0 % of the 60 sessions "
        "that ended 20 sessions ago. The volatility that it realised over 20 sessions is 9.0 %, 4.0 standard "
        "deviations below its 20.0 %."
    )


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"sessions": 39}, "sessions: 39"),
        ({"sessions": 81}, "sessions: 81"),
        ({"rearm_deviations": 2.5}, "rearm_deviations: 2.5 is above 2"),
        ({"rearm_change": 0.5}, "rearm_change: 0.5 is above 0.35"),
        ({"min_change": "much"}, "min_change: 'much'"),
    ],
)
def test_levels_that_cannot_work_are_refused_by_name(levels: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config(**levels)
