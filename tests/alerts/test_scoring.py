"""Scores: the stated formula by hand, parts that sum, and the bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.scoring import score
from tests.alerts.findings import finding

UNIT = st.floats(0, 1)


def test_worked_example() -> None:
    # 70 * .5 + 20 * .8 + 10
    assert score(finding(strength=0.5, confidence=0.8)) == (
        61.0,
        {"strength": 35.0, "confidence": 16.0, "armed": 10.0},
    )
    assert score(finding(strength=0.5, confidence=0.8, armed=False))[0] == 51.0


def test_bounds() -> None:
    assert score(finding(strength=1.0, confidence=1.0))[0] == 100.0
    assert score(finding(strength=0.0, confidence=0.0, armed=False))[0] == 0.0


@given(UNIT, UNIT, st.booleans())
def test_parts_sum_to_a_score_within_bounds(strength: float, confidence: float, armed: bool) -> None:
    points, parts = score(finding(strength=strength, confidence=confidence, armed=armed))
    assert points == pytest.approx(sum(parts.values()), abs=1e-9)
    assert 0 <= points <= 100
    assert points == pytest.approx(70 * strength + 20 * confidence + 10 * armed, abs=0.1 + 1e-9)


@given(UNIT, UNIT, UNIT)
def test_a_stronger_finding_never_scores_less(one: float, other: float, confidence: float) -> None:
    weak, strong = sorted((one, other))
    assert (
        score(finding(strength=weak, confidence=confidence))[0]
        <= score(finding(strength=strong, confidence=confidence))[0]
    )


@pytest.mark.parametrize("changes", [{"strength": 1.01}, {"strength": -0.01}, {"confidence": float("nan")}])
def test_values_outside_their_scale_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"outside 0-1"):
        score(finding(**changes))
