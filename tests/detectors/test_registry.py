"""What every detector has to be: named, explained, JSON in its configuration, calm on thin data."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from collector.alerts.scoring import confidence, score
from collector.detectors.base import ConfigError, Detector
from collector.detectors.registry import DETECTORS, configured
from collector.detectors.unusual_activity import UnusualActivity
from exports.reasons import explain
from tests.detectors.samples import ARMED, FLAT, FLAT_PAST, KEPT, with_grade
from tests.detectors.timing import microseconds
from tests.detectors.views import Row, chain, features, view

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


@by_detector
def test_all_null_figures_and_one_contract_raise_nothing(detector: Detector) -> None:
    null = features()
    for figures in ({}, null, null | {"iv_grade": "A"}):
        for known in (view([]).past, FLAT_PAST):
            for rows in ([], [Row()]):
                evaluation = detector.evaluate(view(rows, [chain()], features=figures, past=known))
                assert evaluation.findings == ()
                assert evaluation.status != "armed"
                assert explain(evaluation.reason or "")


@by_detector
def test_what_arms_it_does_not_on_chains_of_grade_f(detector: Detector) -> None:
    seen = ARMED[detector.name]
    assert detector.evaluate(seen).status == "armed"
    evaluation = detector.evaluate(with_grade(seen, "F"))
    assert (evaluation.status, evaluation.findings, evaluation.evaluated_subjects) == ("not_evaluated", (), frozenset())


@by_detector
def test_what_arms_says_so_whole(detector: Detector) -> None:
    evaluation = detector.evaluate(ARMED[detector.name])
    assert evaluation.reason is None
    assert any(finding.armed for finding in evaluation.findings)
    for finding in evaluation.findings:
        assert json.loads(json.dumps(finding.metrics, allow_nan=False)) == finding.metrics
        assert (evaluation.metric, evaluation.value) == (finding.metric, finding.value)
        assert (evaluation.threshold, evaluation.comparison) == (finding.threshold, finding.comparison)
        assert finding.summary.startswith("QLMT")
        assert 1 <= finding.reason.count(". ") + 1 <= 4
        assert score(finding.evidence)[0] > 20
        assert finding.metrics["market_date"] == "2026-02-18"


@by_detector
def test_a_flat_market_raises_nothing_and_what_only_keeps_scores_at_most_20(detector: Detector) -> None:
    flat = detector.evaluate(FLAT)
    assert (flat.status, flat.findings) == ("quiet", ())
    kept = detector.evaluate(KEPT[detector.name])
    assert kept.status == "quiet"
    assert [finding.armed for finding in kept.findings] == [False]
    assert score(kept.findings[0].evidence)[0] <= 20


@pytest.mark.parametrize(
    "detector",
    # The one that looks at every contract has a limit of its own.
    [detector for detector in DETECTORS if detector.name != UnusualActivity.name],
    ids=lambda detector: detector.name,
)
def test_a_quiet_ticker_costs_the_join_little(detector: Detector) -> None:
    """500 tickers are judged by ten detectors while the store is held."""
    assert microseconds(lambda: detector.evaluate(FLAT)) < 2000


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


@pytest.mark.parametrize(
    "number",
    [10**20, 10**400, 16**5000, 1e16, math.inf, math.nan],
    ids=["20 digits", "400 digits", "6,000 digits", "1e16", "inf", "nan"],
)
def test_no_level_of_any_detector_takes_a_number_beyond_all_markets(number: float) -> None:
    for detector in DETECTORS:
        for level, value in detector.configuration().items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                with pytest.raises(ConfigError, match=f"{detector.name}\\.{level}: ") as refused:
                    configured({detector.name: {level: number}})
                assert len(str(refused.value)) < 200
