"""A spot that fell through its gamma flip: from which side it came, how far it has to be, and what ends it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from collector.detectors.base import ConfigError, Evaluation
from collector.detectors.gamma_flip_crossed import Config, GammaFlipCrossed
from collector.detectors.past import PastSessions
from exports.reasons import DETECTOR_REASONS, FIELD_REASONS
from tests.detectors.figures import figures_view, past
from tests.detectors.timing import microseconds

DETECTOR = GammaFlipCrossed()
# One session's standard deviation is 2 %.
SIGMA = 0.02 * math.sqrt(252)
FLIP = 100.0


def below(deviations: float) -> float:
    """The spot that lies so many deviations below the flip."""
    return FLIP * math.exp(-0.02 * deviations)


def sessions(*above: float) -> PastSessions:
    """Sessions before, each so many deviations above a flip of 100."""
    count = len(above)
    return past(price=[below(-one) for one in above], gamma_flip=[FLIP] * count, iv_30d=[SIGMA] * count)


def evaluate(deviations: float, before: PastSessions | None = None, **figures: Any) -> Evaluation:
    stated = {"price": below(deviations), "gamma_flip": FLIP, "iv_30d": SIGMA} | figures
    grade = stated.pop("grade", "A")
    return DETECTOR.evaluate(figures_view(stated, sessions(1.0, 1.0) if before is None else before, grade=grade))


def test_it_arms_half_a_deviation_below_and_keeps_down_to_the_flip() -> None:
    for deviations, armed in ((0.501, True), (0.499, False), (0.001, False)):
        (finding,) = evaluate(deviations).findings
        assert (finding.armed, finding.direction, finding.subject) == (armed, "neutral", "")
        assert finding.value == pytest.approx(deviations)
        assert (finding.metric, finding.threshold, finding.comparison) == ("deviations_below_flip", 0.5, ">=")
    assert evaluate(-0.001).findings == ()


def test_above_the_flip_is_quiet_and_ends_an_alert() -> None:
    evaluation = evaluate(-2.0, sessions(-3.0))
    assert (evaluation.status, evaluation.reason, evaluation.evaluated_subjects) == ("quiet", "below_threshold", None)
    assert evaluation.value == pytest.approx(-2.0)


def test_one_that_was_below_before_has_crossed_nothing_and_keeps() -> None:
    evaluation = evaluate(2.0, sessions(1.0, -1.0))
    assert [finding.armed for finding in evaluation.findings] == [False]
    assert (evaluation.status, evaluation.reason) == ("quiet", "not_crossed")
    assert (evaluation.metric, evaluation.value) == ("deviations_above_flip_before", pytest.approx(-1.0))
    assert evaluation.threshold == 0.25


def test_sessions_at_the_flip_are_of_neither_side() -> None:
    assert evaluate(0.6, sessions(1.0, 0.2, -0.2)).status == "armed"
    assert evaluate(0.6, sessions(-1.0, 0.2, -0.2)).reason == "not_crossed"


def test_sessions_without_a_flip_or_a_price_are_passed_over() -> None:
    before = past(price=[below(-1.0), 100.0, math.nan], gamma_flip=[FLIP, math.nan, FLIP], iv_30d=[SIGMA, SIGMA, SIGMA])
    assert evaluate(0.6, before).status == "armed"


def test_only_the_last_ten_sessions_are_looked_at() -> None:
    evaluation = evaluate(0.6, sessions(1.0, *[0.1] * 10))
    assert (evaluation.status, evaluation.reason) == ("quiet", "no_clear_side")
    assert evaluate(0.6, sessions(1.0, *[0.1] * 9)).status == "armed"


def test_a_flip_that_rose_over_a_spot_that_stands_is_no_crossing() -> None:
    before = past(price=[100.0], gamma_flip=[95.0], iv_30d=[SIGMA])
    evaluation = evaluate(0.6, before, price=99.0)
    assert (evaluation.status, evaluation.reason) == ("quiet", "not_crossed")
    assert evaluate(0.6, before, price=94.9).status == "armed"


def test_without_a_session_before_there_is_nothing_to_cross_from() -> None:
    for before in (past(), past(price=[100.0], gamma_flip=[math.nan], iv_30d=[SIGMA])):
        evaluation = evaluate(2.0, before)
        assert (evaluation.status, evaluation.reason, evaluation.findings) == ("not_evaluated", "no_history", ())
        assert (evaluation.metric, evaluation.value, evaluation.threshold) == ("sessions", 0.0, 1.0)


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"grade": None}, "no_usable_chain"),
        ({"grade": "D"}, "no_usable_chain"),
        ({"price": None, "reasons": {"price": "no_spot"}}, "no_spot"),
        ({"gamma_flip": None, "reasons": {"gamma_flip": "open_interest_unknown"}}, "open_interest_unknown"),
        ({"iv_30d": None, "reasons": {"iv_30d": "extrapolation"}}, "extrapolation"),
        ({"gamma_flip": None, "reasons": {"gamma_flip": "no_crossing"}, "gamma_exposure": -1e6}, "no_crossing"),
    ],
)
def test_what_cannot_be_judged(figures: dict[str, Any], reason: str) -> None:
    evaluation = evaluate(1.0, **figures)
    assert (evaluation.status, evaluation.reason, evaluation.findings) == ("not_evaluated", reason, ())
    assert evaluation.evaluated_subjects == frozenset()
    assert reason in FIELD_REASONS
    assert {"not_crossed", "no_clear_side"} <= set(DETECTOR_REASONS)


def test_dealers_who_are_long_all_over_end_an_alert() -> None:
    evaluation = evaluate(1.0, gamma_flip=None, gamma_exposure=1e6, reasons={"gamma_flip": "no_crossing"})
    assert (evaluation.status, evaluation.reason) == ("quiet", "no_crossing")
    assert (evaluation.findings, evaluation.evaluated_subjects) == ((), None)


def test_negative_gamma_and_volatilities_that_rise_agree() -> None:
    assert evaluate(1.0).findings[0].evidence.agreement == 0.0
    assert evaluate(1.0, gamma_exposure=-1e6).findings[0].evidence.agreement == pytest.approx(1 / 3)
    rising = {"gamma_exposure": -1e6, "realised_volatility_10d": 0.4, "realised_volatility_20d": 0.3}
    assert evaluate(1.0, **rising).findings[0].evidence.agreement == pytest.approx(2 / 3)
    before = sessions(1.0)
    calm = replace(before, figures=before.figures | {"iv_30d": before.figures["iv_30d"] * 0.9})
    assert evaluate(1.0, calm, **rising).findings[0].evidence.agreement == 1.0


def test_size_grows_from_the_level_to_three_deviations() -> None:
    sizes = [evaluate(deviations).findings[0].evidence.size for deviations in (0.50001, 1.75, 3.0, 5.0)]
    assert sizes == pytest.approx([0.0, 0.5, 1.0, 1.0], abs=1e-3)


def test_what_does_not_arm_is_found_only_where_an_alert_stands() -> None:
    seen = figures_view({"price": below(0.2), "gamma_flip": FLIP, "iv_30d": SIGMA}, sessions(1.0))
    assert DETECTOR.evaluate(replace(seen, standing=frozenset())).findings == ()
    assert len(DETECTOR.evaluate(replace(seen, standing=frozenset({""}))).findings) == 1


def test_explanation_of_a_crossing() -> None:
    (finding,) = evaluate(1.5, gamma_exposure=-2e6).findings
    assert finding.summary == "QLMT at 97.04 is 3.0 % below its gamma flip of 100.00"
    assert finding.reason == (
        "QLMT stands at 97.04 in the session of 2026-02-18, 3.0 % or 1.5 standard deviations of a session below the "
        "gamma flip of 100.00; on 2026-02-17 it was above it, at 102.02 to 100.00. Dealers, taken to be long the "
        "calls and short the puts, feed moves there instead of damping them."
    )


def test_explanation_of_one_that_stays_below() -> None:
    (finding,) = evaluate(1.0, sessions(-0.5)).findings
    assert finding.summary == "QLMT at 98.02 is 2.0 % below its gamma flip of 100.00"
    assert finding.reason == (
        "QLMT stands at 98.02 in the session of 2026-02-18, 2.0 % or 1.0 standard deviations of a session below the "
        "gamma flip of 100.00; on 2026-02-17 it was below it, at 99.00 to 100.00. Dealers, taken to be long the "
        "calls and short the puts, feed moves there instead of damping them."
    )


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"deviations": 0.0}, "deviations: 0.0"),
        ({"rearm_deviations": 0.6}, "rearm_deviations: 0.6 is above 0.5"),
        ({"clear_deviations": -1.0}, "clear_deviations: -1.0"),
        ({"window": 0}, "window: 0"),
    ],
)
def test_levels_that_cannot_work_are_refused_by_name(levels: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config(**levels)


def test_a_quiet_ticker_costs_little() -> None:
    for deviations in (-1.0, 2.0):
        figures = {"price": below(deviations), "gamma_flip": FLIP, "iv_30d": SIGMA}
        seen = replace(figures_view(figures, sessions(*[-1.0] * 252)), standing=frozenset())
        assert microseconds(lambda seen=seen: DETECTOR.evaluate(seen)) < 2000
