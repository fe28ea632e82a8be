"""meta.json: every detector with what it supposes and its levels, every reason code with its sentence."""

from __future__ import annotations

import pytest

from collector.detectors.registry import DETECTORS
from collector.store.meta_records import meta_records
from exports.reasons import DETECTOR_REASONS

pytestmark = pytest.mark.django_db


def test_each_detector_is_there_with_its_levels() -> None:
    told = {record["name"]: record["detail"] for record in meta_records("demo") if record["kind"] == "detector"}
    assert list(told) == [detector.name for detector in DETECTORS]
    for detector in DETECTORS:
        assert told[detector.name] == {
            "hypothesis": detector.hypothesis,
            "formula": detector.formula,
            "day_one": detector.day_one,
            "minimum_grade": detector.minimum_grade,
            "claim": detector.claim,
            # Nothing was judged yet.
            "track_records": [],
            "configuration": detector.configuration(),
        }


def test_each_reason_of_a_detector_is_there() -> None:
    told = {record["name"] for record in meta_records("demo") if record["kind"] == "reason"}
    assert {f"detector.{code}" for code in DETECTOR_REASONS} <= told
