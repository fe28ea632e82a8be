"""Scores and confidence: the stated formulas by hand, parts that sum, bounds, and what never lowers a score."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.scoring import Weights, confidence, score
from collector.detectors.base import ConfigError, Evidence

UNIT = st.floats(0, 1)
EVIDENCE = st.builds(
    Evidence,
    size=UNIT,
    agreement=UNIT,
    liquidity=UNIT,
    grade=st.sampled_from("ABC"),
    event_days=st.none() | st.floats(0, 400),
    history=UNIT,
    dates_estimated=st.booleans(),
)
HALF = Evidence(size=0.5, agreement=0.5, liquidity=0.8, grade="B", event_days=4.0, history=0.5)


def test_worked_example() -> None:
    # 60 * .5, 20 * .5, 8 * .7, 7 * .8, 5 * (1 - 4 / 10)
    assert score(HALF) == (54.2, {"size": 30.0, "agreement": 10.0, "quality": 5.6, "liquidity": 5.6, "event": 3.0})
    # 10 * .5, 20 * .5, 30 * .7, 40 * .8, 0
    other = Weights(size=10.0, agreement=20.0, quality=30.0, liquidity=40.0, event=0.0)
    assert score(HALF, other)[0] == 68.0


def test_bounds() -> None:
    best = Evidence(size=1.0, agreement=1.0, liquidity=1.0, grade="A", event_days=0.0)
    assert score(best)[0] == 100.0
    assert score(Evidence(size=0.0, agreement=0.0, liquidity=0.0, grade="F"))[0] == 0.0


def test_good_data_alone_are_worth_no_more_than_20_points() -> None:
    assert score(Evidence(size=0.0, agreement=0.0, liquidity=1.0, grade="A", event_days=0.0))[0] <= 20.0


@given(EVIDENCE)
def test_parts_sum_to_a_score_within_bounds(evidence: Evidence) -> None:
    points, parts = score(evidence)
    assert points == pytest.approx(sum(parts.values()), abs=1e-9)
    assert 0 <= points <= 100


@given(EVIDENCE, st.sampled_from(["size", "agreement", "liquidity"]), UNIT)
def test_more_of_any_part_never_scores_less(evidence: Evidence, part: str, more: float) -> None:
    low, high = sorted((getattr(evidence, part), more))
    assert score(replace(evidence, **{part: low}))[0] <= score(replace(evidence, **{part: high}))[0]


@given(EVIDENCE)
def test_a_better_grade_and_a_nearer_event_never_score_less(evidence: Evidence) -> None:
    by_grade = [score(replace(evidence, grade=grade))[0] for grade in "FCBA"]
    assert by_grade == sorted(by_grade)
    by_event = [score(replace(evidence, event_days=days))[0] for days in (None, 11.0, 10.0, 5.0, 1.0, 0.0)]
    assert by_event == sorted(by_event)


@given(EVIDENCE)
def test_what_makes_confidence_never_moves_a_score(evidence: Evidence) -> None:
    assert score(replace(evidence, history=0.0, dates_estimated=True)) == score(
        replace(evidence, history=1.0, dates_estimated=False)
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 1.0),
        ({"grade": "B"}, 0.85),
        ({"grade": "C"}, 0.65),
        ({"grade": "F"}, 0.0),
        ({"history": 0.0}, 0.7),
        ({"history": 0.5}, 0.85),
        ({"dates_estimated": True}, 0.8),
        ({"grade": "C", "history": 0.0, "dates_estimated": True}, 0.65 * 0.7 * 0.8),
    ],
)
def test_confidence_falls_with_grade_thin_history_and_estimated_dates(changes: dict[str, Any], expected: float) -> None:
    sure = Evidence(size=0.1, agreement=0.0, liquidity=0.0, grade="A")
    assert confidence(replace(sure, **changes)) == pytest.approx(expected)


@pytest.mark.parametrize("changes", [{"size": 1.01}, {"size": -0.01}, {"agreement": float("nan")}, {"liquidity": 2.0}])
def test_values_outside_their_scale_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"outside 0-1"):
        score(replace(HALF, **changes))


def test_a_history_outside_its_scale_is_refused() -> None:
    with pytest.raises(ValueError, match=r"history 1.5 is outside 0-1"):
        confidence(replace(HALF, history=1.5))


def test_the_weights_are_100_points() -> None:
    assert sum(getattr(Weights(), one.name) for one in fields(Weights)) == 100.0
    with pytest.raises(ConfigError, match=r"size, agreement, quality, liquidity, event: they sum to 110; make it 100"):
        Weights(size=70.0)
    with pytest.raises(ConfigError, match=r"event: -5.0 is no number from 0 to 100"):
        Weights(size=70.0, event=-5.0)
