"""A lopsided put/call ratio: both sides and both modes on worked numbers, and the volume that it takes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from collector.detectors.base import ConfigError, Evaluation
from collector.detectors.past import PastSessions
from collector.detectors.put_call_extreme import Config, PutCallExtreme
from exports.reasons import DETECTOR_REASONS, FIELD_REASONS
from tests.detectors.figures import figures_view, past
from tests.detectors.timing import microseconds
from tests.detectors.views import Row, view

DETECTOR = PutCallExtreme()
# ln(ratio) is -0.2 and 0.2 by turns: its mean is 0, its standard deviation sqrt(40 * 0.04 / 39) = 0.20255.
LOW, HIGH = math.exp(-0.2), math.exp(0.2)
DEVIATION = math.sqrt(40 * 0.04 / 39)


def sessions(count: int = 40, **others: list[float]) -> PastSessions:
    return past(put_call_volume_ratio=[LOW, HIGH] * (count // 2) + [LOW] * (count % 2), **others)


def evaluate(ratio: float | None, before: PastSessions | None = None, **figures: Any) -> Evaluation:
    stated = {"put_call_volume_ratio": ratio, "volume": 10_000, "put_volume": 6_000, "call_volume": 4_000}
    grade = figures.pop("grade", "A")
    return DETECTOR.evaluate(figures_view(stated | figures, sessions() if before is None else before, grade=grade))


def at(deviations: float) -> float:
    """The ratio that lies so many deviations from its mean."""
    return math.exp(deviations * DEVIATION)


def test_puts_arm_at_three_deviations_and_keep_from_two() -> None:
    for deviations, armed in ((3.001, True), (2.999, False), (2.001, False)):
        (finding,) = evaluate(at(deviations)).findings
        assert (finding.armed, finding.direction, finding.subject) == (armed, "bearish", "")
        assert finding.value == pytest.approx(deviations)
        assert (finding.metric, finding.threshold, finding.comparison) == ("put_call_deviations", 3.0, ">=")
    assert evaluate(at(1.999)).findings == ()


def test_calls_are_the_other_side_of_it() -> None:
    for deviations, armed in ((3.001, True), (2.001, False)):
        (finding,) = evaluate(at(-deviations)).findings
        assert (finding.armed, finding.direction, finding.metric) == (armed, "bullish", "call_put_deviations")
        assert finding.value == pytest.approx(deviations)
    assert evaluate(at(-1.999)).findings == ()


def test_a_quiet_ratio_states_how_far_it_is() -> None:
    evaluation = evaluate(at(1.5))
    assert (evaluation.status, evaluation.reason, evaluation.metric) == (
        "quiet",
        "below_threshold",
        "put_call_deviations",
    )
    assert (evaluation.value, evaluation.threshold, evaluation.comparison) == (pytest.approx(1.5), 3.0, ">=")
    assert evaluation.evaluated_subjects is None


def test_a_ratio_that_hardly_ever_moved_makes_no_extreme_of_a_trifle() -> None:
    still = past(put_call_volume_ratio=[1.0] * 40)
    # The deviation is taken for 0.15: e^0.3 lies two of them away.
    assert evaluate(math.exp(0.3), still).value == pytest.approx(2.0)


def test_only_the_last_sixty_sessions_count() -> None:
    long = past(put_call_volume_ratio=[50.0] * 100 + [LOW, HIGH] * 30)
    assert evaluate(1.0, long).value == pytest.approx(0.0, abs=1e-9)


def test_nineteen_sessions_are_no_history_and_twenty_are() -> None:
    short = evaluate(3.99, sessions(19))
    assert (short.metric, short.value, short.threshold) == ("put_call_volume_ratio", 3.99, 4.0)
    assert (short.status, short.reason) == ("quiet", "below_day_one_level")
    assert evaluate(3.99, sessions(20)).metric == "put_call_deviations"
    unknown = past(put_call_volume_ratio=[LOW, HIGH] * 9 + [math.nan, LOW])
    assert evaluate(3.99, unknown).metric == "put_call_volume_ratio"


def test_day_one_arms_at_four_puts_a_call_or_ten_calls_a_put() -> None:
    for ratio, direction, armed in ((4.0, "bearish", True), (2.8, "bearish", False), (0.1, "bullish", True)):
        (finding,) = evaluate(ratio, past()).findings
        assert (finding.direction, finding.armed) == (direction, armed)
        assert (finding.metrics["mode"], finding.metrics["sessions"]) == ("day_one", 0)
        assert finding.evidence.history == 0.0
    (kept,) = evaluate(1 / 7.0, past()).findings
    assert (kept.armed, kept.metric, kept.value) == (False, "call_put_volume_ratio", pytest.approx(7.0))
    assert evaluate(2.79, past()).findings == evaluate(1 / 6.99, past()).findings == ()


def test_a_side_without_any_trade_is_bounded() -> None:
    (finding,) = evaluate(0.0, past()).findings
    assert (finding.value, finding.direction) == (100.0, "bullish")
    assert evaluate(0.0).findings[0].value == pytest.approx(math.log(100.0) / DEVIATION)


def test_little_volume_says_nothing_and_ends_nothing() -> None:
    evaluation = evaluate(50.0, volume=999)
    assert (evaluation.status, evaluation.reason) == ("not_evaluated", "thin_trading")
    assert (evaluation.metric, evaluation.value, evaluation.threshold) == ("volume", 999.0, 1000.0)
    assert evaluation.findings == ()
    assert evaluate(50.0, volume=1000).status == "armed"


def traded(*volumes: float, kind: str = "put") -> Evaluation:
    """Ten calls of 100 and puts of these volumes, at four deviations."""
    rows = [Row(strike=60.0 + i, option_type="call") for i in range(10)]
    rows += [Row(strike=90.0 + i, option_type=kind, volume=volume) for i, volume in enumerate(volumes)]
    return DETECTOR.evaluate(
        replace(view(rows), features=figures_view(BUSY).features, past=sessions(), standing=frozenset())
    )


BUSY = {"put_call_volume_ratio": math.exp(4.0 * DEVIATION), "volume": 10_000}


def test_one_contract_alone_makes_no_lopsided_ticker() -> None:
    assert traded(2_000.0, 1_000.0, 1_000.0).status == "armed"
    evaluation = traded(2_010.0, 1_000.0, 1_000.0)
    assert (evaluation.status, evaluation.reason, evaluation.findings) == ("quiet", "one_contract", ())
    assert (evaluation.metric, evaluation.threshold, evaluation.comparison) == ("concentration", 0.5, "<=")
    assert evaluation.value == pytest.approx(2_010 / 4_010)


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"grade": None}, "no_usable_chain"),
        ({"grade": "D"}, "no_usable_chain"),
        ({"ratio": None, "reasons": {"put_call_volume_ratio": "zero_denominator"}}, "zero_denominator"),
        ({"volume": None, "reasons": {"volume": "volume_unknown"}}, "volume_unknown"),
        ({"ratio": None}, "volume_unknown"),
    ],
)
def test_what_cannot_be_judged(figures: dict[str, Any], reason: str) -> None:
    evaluation = evaluate(figures.pop("ratio", 50.0), **figures)
    assert (evaluation.status, evaluation.reason, evaluation.findings) == ("not_evaluated", reason, ())
    assert reason in FIELD_REASONS
    assert {"thin_trading", "one_contract", "below_day_one_level", "below_threshold"} <= set(DETECTOR_REASONS)


def test_open_interest_that_leans_to_the_same_side_agrees() -> None:
    held = sessions(put_call_open_interest_ratio=[LOW, HIGH] * 20)
    for leaning, agreement in ((1.5, 0.5), (3.0, 1.0), (4.0, 1.0), (-2.0, 0.0)):
        (finding,) = evaluate(at(4.0), held, put_call_open_interest_ratio=at(leaning)).findings
        assert finding.evidence.agreement == pytest.approx(agreement)
    (alone,) = evaluate(at(4.0)).findings
    assert alone.evidence.agreement == 0.0
    (calls,) = evaluate(at(-4.0), held, put_call_open_interest_ratio=at(-1.5)).findings
    assert calls.evidence.agreement == pytest.approx(0.5)


def test_size_grows_from_the_level_to_twice_of_it() -> None:
    sizes = [evaluate(at(deviations)).findings[0].evidence.size for deviations in (3.0001, 4.5, 6.0, 9.0)]
    assert sizes == pytest.approx([0.0, 0.5, 1.0, 1.0], abs=1e-3)


def test_what_does_not_arm_is_found_only_where_an_alert_stands() -> None:
    seen = figures_view({"put_call_volume_ratio": at(2.5), "volume": 10_000}, sessions())
    assert DETECTOR.evaluate(replace(seen, standing=frozenset())).findings == ()
    assert len(DETECTOR.evaluate(replace(seen, standing=frozenset({""}))).findings) == 1


def test_explanation_with_history() -> None:
    before = sessions(put_call_open_interest_ratio=[LOW, HIGH] * 20)
    (finding,) = evaluate(3.0, before, put_volume=7_500, call_volume=2_500, put_call_open_interest_ratio=1.3).findings
    assert finding.summary == "QLMT: 3.0 puts traded for a call, 5.4 standard deviations from its usual 1.00"
    assert finding.reason == (
        "QLMT traded 3.0 puts for a call in the session of 2026-02-18 (7,500 puts, 2,500 calls), 5.4 standard "
        "deviations from the usual 1.00 of its last 40 sessions. Open are 1.30 puts for a call against a usual 1.00. "
        "Read as bearish, with the flow and naively: who bought is not known."
    )


def test_explanation_of_day_one() -> None:
    (finding,) = evaluate(0.08, sessions(19), put_volume=740, call_volume=9_260).findings
    assert finding.summary == "QLMT: 12.5 calls traded for a put, fixed level, 19 sessions of history"
    assert finding.reason == (
        "QLMT traded 12.5 calls for a put in the session of 2026-02-18 (740 puts, 9,260 calls); 19 of 20 sessions of "
        "its own past are known, so a fixed level stands in. Read as bullish, with the flow and naively: who bought "
        "is not known."
    )


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"deviations": "x"}, "deviations: 'x'"),
        ({"rearm_deviations": 3.5}, "rearm_deviations: 3.5 is above 3"),
        ({"min_sessions": 1}, "min_sessions: 1"),
        ({"window": 19}, "window: 19"),
        ({"min_deviation": 0.0}, "min_deviation: 0.0"),
        ({"min_volume": 0}, "min_volume: 0"),
        ({"max_concentration": 1.5}, "max_concentration: 1.5"),
        ({"day_one_put_call": 0.5}, "day_one_put_call: 0.5"),
        ({"day_one_call_put": 101.0}, "day_one_call_put: 101.0"),
        ({"rearm_day_one_share": 1.5}, "rearm_day_one_share: 1.5"),
    ],
)
def test_levels_that_cannot_work_are_refused_by_name(levels: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config(**levels)


def test_a_quiet_ticker_costs_little() -> None:
    before = past(put_call_volume_ratio=[LOW, HIGH] * 126, put_call_open_interest_ratio=[LOW, HIGH] * 126)
    seen = figures_view({"put_call_volume_ratio": 1.0, "volume": 10_000, "put_call_open_interest_ratio": 1.0}, before)
    assert microseconds(lambda: DETECTOR.evaluate(seen)) < 2000
