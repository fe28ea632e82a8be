"""What every detector has to be: named, explained, JSON in its configuration, calm on thin data."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from collector.alerts.scoring import confidence, score
from collector.detectors.base import ConfigError, Detector
from collector.detectors.registry import DETECTORS, configured
from exports.reasons import explain
from tests.detectors.views import Row, chain, view

by_detector = pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)


@by_detector
def test_says_what_it_is(detector: Detector) -> None:
    for text in (detector.name, detector.hypothesis, detector.formula, detector.day_one):
        assert text.strip() == text != ""
    assert detector.minimum_grade in "ABCDEF"
    assert json.loads(json.dumps(detector.configuration(), allow_nan=False)) == detector.configuration()


@by_detector
@pytest.mark.parametrize(
    "row",
    [
        None,
        Row(volume=math.nan, open_interest=math.nan, bid=math.nan, ask=math.nan),
        Row(volume=0.0, open_interest=0.0, bid=0.0, ask=0.0),
        Row(volume=1e6, adjusted=True),
        Row(volume=1e6, volume_known=False),
    ],
    ids=["no contract", "nothing stated", "all zero", "adjusted", "carried"],
)
def test_thin_data_raise_nothing(detector: Detector, row: Row | None) -> None:
    for chains in ([], [chain()]):
        evaluation = detector.evaluate(view([] if row is None else [row], chains))
        assert evaluation.detector == detector.name
        assert evaluation.findings == ()
        assert evaluation.status == "not_evaluated"
        assert explain(evaluation.reason or "")


@by_detector
def test_findings_are_json_and_name_their_detector(detector: Detector) -> None:
    evaluation = detector.evaluate(view([Row(), Row(strike=105.0, volume=9_000.0)]))
    for finding in evaluation.findings:
        assert (finding.detector, finding.ticker) == (detector.name, "QLMT")
        assert json.loads(json.dumps(finding.metrics, allow_nan=False)) == finding.metrics
        assert 0 <= score(finding.evidence)[0] <= 100
        assert 0 <= confidence(finding.evidence) <= 1
        assert finding.summary
        assert "\n" not in finding.summary
        assert finding.reason


@by_detector
def test_the_same_view_gives_the_same_answer_in_any_order_of_rows(detector: Detector) -> None:
    rows = [Row(strike=100.0 + i, volume=500.0 * i) for i in range(20)]
    forwards, backwards = detector.evaluate(view(rows)), detector.evaluate(view(rows[::-1]))
    assert {finding.subject: finding for finding in forwards.findings} == {
        finding.subject: finding for finding in backwards.findings
    }
    assert replace(forwards, findings=()) == replace(backwards, findings=())


def test_names_are_unique() -> None:
    assert len({detector.name for detector in DETECTORS}) == len(DETECTORS)


def test_a_configuration_changes_the_levels_it_names_and_no_other() -> None:
    detector, *others = configured({"unusual_activity": {"min_volume": 50}})
    assert detector.configuration() == DETECTORS[0].configuration() | {"min_volume": 50}
    assert [other.configuration() for other in others] == [other.configuration() for other in DETECTORS[1:]]
    assert [detector.configuration() for detector in configured({})] == [
        detector.configuration() for detector in DETECTORS
    ]


def test_a_table_of_a_ticker_stands_over_that_of_all_for_that_ticker_alone() -> None:
    found = configured(
        {"unusual_activity": {"min_volume": 50, "tickers": {"brk.b": {"min_volume": 7}, "SPX": {"max_armed": 3}}}}
    )
    levels = {ticker: found.of(ticker)[0].configuration() for ticker in ("AAPL", "BRK-B", "^SPX")}
    assert {ticker: (own["min_volume"], own["max_armed"]) for ticker, own in levels.items()} == {
        "AAPL": (50, 10),
        "BRK-B": (7, 10),
        "^SPX": (50, 3),
    }
    again = configured(json.loads(json.dumps(found.configuration())))
    assert again.configuration() == found.configuration()
    assert again.of("BRK-B") == found.of("BRK-B")


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"unusual_activity": 3}, "unusual_activity: is a table of levels"),
        ({"unusual_activity": {"tickers": 3}}, r"unusual_activity\.tickers: each is a table"),
        (
            {"unusual_activity": {"tickers": {"AAPL": {"min_vol": 1}}}},
            r"activity\.tickers\.AAPL\.min_vol: no such",
        ),
        ({"unusual_activity": {"tickers": {"!!": {}}}}, r"unusual_activity\.tickers\.!!: "),
        ({"unusual_activity": {"tickers": {"SPX": {}, "^SPX": {}}}}, r"tickers\.\^SPX: \^SPX has a table already"),
        ({"unusual": {}}, "unusual: no such detector; there is unusual_activity"),
        ({"unusual_activity": {"min_vol": 1}}, r"unusual_activity\.min_vol: no such level"),
        ({"unusual_activity": {"min_volume": "x"}}, r"unusual_activity\.min_volume: 'x' is no number"),
    ],
)
def test_a_configuration_that_cannot_be(levels: dict[str, dict[str, object]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configured(levels)
