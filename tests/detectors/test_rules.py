"""Rules as detectors: what they find on tickers and chains, what they leave unjudged, and how their alerts live."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from collector.alerts.lifecycle import ScanContext, advance
from collector.alerts.policy import AlertPolicy
from collector.alerts.scoring import confidence, score
from collector.detectors.base import ChainView, Detector, Evaluation, TickerView
from collector.detectors.past import PastSessions
from collector.detectors.registry import DetectorSet
from collector.detectors.rules import RuleDetector
from collector.market.events import Event
from collector.rules.definition import rule_from
from exports.reasons import explain
from tests.detectors.views import NEAR, NOON, SETTLED, chain, view

FEATURES: dict[str, Any] = {
    "grade": "A",
    "iv_grade": "A",
    "iv_rank": 90.0,
    "iv_rank_sessions": 60,
    "iv_30d": 0.45,
    "realised_volatility_20d": 0.3,
    "price": 101.5,
    "volume": 123456,
    "partial": False,
    "next_earnings_date": "2026-02-25",
    "next_earnings_confirmed": True,
    "median_relative_spread": 0.05,
}
HIGH = {"name": "High IV", "condition": "iv_rank > 80"}
DEAR = {"name": "Dear", "condition": "iv_rank > 80 and iv_30d > 1.2 * realised_volatility_20d"}


def rule(table: Mapping[str, Any] = HIGH, **changes: Any) -> RuleDetector:
    return RuleDetector(rule_from({**table, **changes}))


def seen(chains: Sequence[ChainView] | None = None, **features: Any) -> TickerView:
    return replace(view([], [chain()] if chains is None else chains), features={**FEATURES, **features})


def of_chains(grade: str = "A", expiration: date = NEAR, root: str = "QLMT", **row: Any) -> ChainView:
    made = chain(root, expiration, grade=grade)
    content = {"atm_iv": 0.4, "dte": 30, "grade": grade, "facts": {"two_sided_share": 0.9}, "analytics": {}, **row}
    return replace(made, row=content, relative_spread=0.05)


def test_a_simple_condition_tells_metric_value_and_level() -> None:
    evaluation = rule().evaluate(seen())
    (finding,) = evaluation.findings
    assert (evaluation.detector, evaluation.status, evaluation.reason) == ("rule:high-iv", "armed", None)
    for told in (evaluation, finding):
        assert (told.metric, told.value, told.threshold, told.comparison) == ("iv_rank", 90.0, 80.0, ">")
    assert (finding.ticker, finding.subject, finding.direction, finding.armed) == ("QLMT", "", "neutral", True)
    assert finding.summary == "QLMT: High IV (iv_rank is 90)"
    assert finding.reason == "The rule “High IV” holds for QLMT: iv_rank > 80. Here iv_rank is 90."
    assert finding.metrics == {
        "market_date": "2026-02-18",
        "rule": "High IV",
        "condition": "iv_rank > 80",
        "fields": {"iv_rank": 90.0},
    }


def test_a_condition_of_more_tells_that_it_holds() -> None:
    (finding,) = rule(DEAR, direction="bearish").evaluate(seen()).findings
    assert (finding.metric, finding.value, finding.threshold, finding.comparison) == ("condition", 1.0, 1.0, ">=")
    assert finding.direction == "bearish"
    assert finding.reason == (
        "The rule “Dear” holds for QLMT: iv_rank > 80 and iv_30d > 1.2 * realised_volatility_20d. "
        "Here iv_rank is 90, iv_30d is 0.45, realised_volatility_20d is 0.3."
    )
    # Both hold: 0.45 is 0.09 above 0.36, a fifth of the larger; 90 has half of the way from 80 to 100 behind it.
    assert finding.evidence.size == pytest.approx(0.2)
    assert finding.evidence.agreement == 1.0


def test_a_quiet_one_says_how_near_it_came() -> None:
    quiet = rule().evaluate(seen(iv_rank=79.0))
    assert (quiet.status, quiet.findings, quiet.reason) == ("quiet", (), "below_threshold")
    assert (quiet.metric, quiet.value, quiet.threshold, quiet.comparison) == ("iv_rank", 79.0, 80.0, ">")
    assert quiet.evaluated_subjects is None
    more = rule(DEAR).evaluate(seen(iv_rank=79.0))
    assert (more.status, more.reason, more.value) == ("quiet", "condition_not_met", 0.0)


@pytest.mark.parametrize(
    ("condition", "features", "metric", "reason"),
    [
        ("iv_rank > 80", {"iv_rank": None}, "iv_rank", "null_field"),
        ("iv_rank > 80 or price > 1", {"iv_rank": None}, "iv_rank", "null_field"),
        ("price > 1 or iv_90d > 0", {}, "iv_90d", "null_field"),
        ("not iv_rank > 80", {"iv_rank": None}, "iv_rank", "null_field"),
        ("iv_rank != 80", {"iv_rank": None}, "iv_rank", "null_field"),
        ("iv_rank > 80", {"iv_rank": float("nan")}, "iv_rank", "null_field"),
        ("iv_rank > 80", {"iv_rank": True}, "iv_rank", "null_field"),
        ("price > 1", {"price": "101"}, "price", "null_field"),
        ("next_earnings_date > market_date", {"market_date": "soon"}, "market_date", "null_field"),
        ("iv_rank > 80", {"iv_grade": "D"}, None, "grade_too_low"),
        ("price > 1", {"grade": None}, None, "no_usable_chain"),
        ("price / iv_30d > 1", {"iv_30d": 0.0}, "condition", "not_computable"),
    ],
)
def test_what_can_not_be_judged_names_its_field(
    condition: str, features: dict[str, Any], metric: str | None, reason: str
) -> None:
    evaluation = rule(condition=condition).evaluate(seen(**features))
    assert (evaluation.status, evaluation.findings) == ("not_evaluated", ())
    assert (evaluation.metric, evaluation.reason) == (metric, reason)
    assert explain(reason)


@pytest.mark.parametrize(
    ("condition", "agreement", "size"),
    [
        # 0.45 over 0 is all of the larger side; half of the comparisons hold.
        ("iv_30d > 0 or iv_30d / (iv_30d - iv_30d) > 1", 0.5, 1.0),
        # 0.45 is 0.09 above 0.36, a fifth of the larger; two of three hold, the branch with the third does not.
        ("iv_30d > 0.36 or (price > 1 and iv_30d / (iv_30d - iv_30d) > 1)", 2 / 3, 0.2),
    ],
)
def test_a_branch_that_can_not_be_computed_adds_nothing_to_the_one_that_holds(
    condition: str, agreement: float, size: float
) -> None:
    evaluation = rule(condition=condition).evaluate(seen())
    assert evaluation.status == "armed"
    (finding,) = evaluation.findings
    assert finding.evidence.agreement == pytest.approx(agreement)
    assert finding.evidence.size == pytest.approx(size)


def test_a_rearm_condition_that_can_not_be_computed_keeps_nothing_and_hinders_nothing() -> None:
    never = rule(rearm="iv_30d / 0 > 1")
    assert never.evaluate(seen()).status == "armed"
    assert days_of(never, [75.0, 81.0, 82.0, 79.0]) == ["-", "new", "ongoing", "ended"]


def test_a_field_of_the_rearm_condition_counts_too() -> None:
    evaluation = rule(rearm="price > 90").evaluate(seen(price=None))
    assert (evaluation.status, evaluation.metric, evaluation.reason) == ("not_evaluated", "price", "null_field")


def test_the_grade_is_that_of_the_chains_behind_its_figures() -> None:
    mixed = seen(grade="A", iv_grade="D")
    assert rule(condition="price > 100").evaluate(mixed).status == "armed"
    assert rule().evaluate(mixed).status == "not_evaluated"
    assert rule(minimum_grade="D").evaluate(mixed).status == "armed"


def test_chains_are_judged_one_by_one() -> None:
    april = date(2026, 4, 17)
    found = rule(condition="chain.atm_iv > 0.35 and iv_rank > 80").evaluate(
        seen(
            [
                of_chains(),
                of_chains(expiration=april, atm_iv=0.3),
                of_chains(expiration=april, root="QLMW", atm_iv=None),
                of_chains("E", date(2026, 5, 15)),
            ]
        )
    )
    (finding,) = found.findings
    assert (found.status, found.reason) == ("armed", None)
    assert finding.subject == "2026-03-20:QLMT"
    assert found.evaluated_subjects == {"2026-03-20:QLMT", "2026-04-17:QLMT"}
    assert finding.metrics["fields"] == {"chain.atm_iv": 0.4, "iv_rank": 90.0}
    assert finding.metrics["settlement_time"] == "2026-03-20T20:00:00Z"
    assert finding.summary.startswith("QLMT 2026-03-20 QLMT: High IV (chain.atm_iv is 0.4, iv_rank is 90)")


def test_of_chains_the_nearest_is_told_and_none_is_not_evaluated() -> None:
    detector = rule(condition="chain.atm_iv > 0.5")
    quiet = detector.evaluate(seen([of_chains(atm_iv=0.3), of_chains(expiration=date(2026, 4, 17), atm_iv=0.49)]))
    assert (quiet.status, quiet.metric, quiet.value, quiet.threshold) == ("quiet", "chain.atm_iv", 0.49, 0.5)
    dark = detector.evaluate(seen([of_chains(atm_iv=None)]))
    assert (dark.status, dark.metric, dark.reason) == ("not_evaluated", "chain.atm_iv", "null_field")
    bad = detector.evaluate(seen([of_chains("F")]))
    assert (bad.status, bad.reason) == ("not_evaluated", "grade_too_low")
    none = detector.evaluate(seen([]))
    assert (none.status, none.findings, none.reason) == ("not_evaluated", (), "no_usable_chain")


def test_members_of_a_chains_objects_are_read() -> None:
    row = {"analytics": {"skew": {"skew_25d": 0.2}, "max_pain": 100.0}, "totals": {"volume": 5000}}
    one = of_chains(**row)
    for condition in (
        "chain.analytics.skew.skew_25d > 0.1",
        "chain.analytics.max_pain < price",
        "chain.totals.volume >= 5000",
        'chain.quality.grade == "A" and chain.quality.facts.two_sided_share > 0.8',
    ):
        assert rule(condition=condition).evaluate(seen([one])).status == "armed", condition
    less = of_chains(analytics={"skew": None})
    missing = rule(condition="chain.analytics.skew.skew_25d > 0.1").evaluate(seen([less]))
    assert (missing.metric, missing.reason) == ("chain.analytics.skew.skew_25d", "null_field")


def test_size_is_in_the_spread_of_the_metrics_own_past() -> None:
    past = np.array([0.2, 0.3] * 20)  # a standard deviation of 0.05 * sqrt(40 / 39)
    known = replace(
        seen(), past=PastSessions(tuple(date(2026, 1, 1) for _ in past), {"iv_30d": past, "iv_rank": past * np.nan})
    )
    (finding,) = rule(condition="iv_30d > 0.375").evaluate(known).findings
    assert finding.evidence.size == pytest.approx(0.075 / (3 * 0.05 * (40 / 39) ** 0.5))
    (without,) = rule(condition="iv_30d > 0.36").evaluate(seen()).findings
    assert without.evidence.size == pytest.approx(0.09 / 0.45)
    (of_rank,) = rule().evaluate(known).findings
    assert of_rank.evidence.size == pytest.approx(0.5), "half of the way from 80 to 100"


def test_what_a_finding_stands_on() -> None:
    fomc = Event("fomc", date(2026, 2, 20), datetime(2026, 1, 1, tzinfo=UTC), source="a test")
    (finding,) = rule().evaluate(replace(seen(iv_rank_sessions=30), events=(fomc,))).findings
    evidence = finding.evidence
    assert (evidence.grade, evidence.history, evidence.dates_estimated, evidence.agreement) == ("A", 0.5, False, 0.0)
    assert evidence.event_days == 2.0
    assert evidence.liquidity == pytest.approx(0.8)  # 1 - 0.05 / 0.25
    estimated = rule(condition="next_earnings_date - market_date <= 7")
    (soon,) = estimated.evaluate(seen(market_date="2026-02-18", next_earnings_confirmed=False)).findings
    assert soon.evidence.dates_estimated
    assert soon.metrics["fields"] == {"next_earnings_date": "2026-02-25", "market_date": "2026-02-18"}


@pytest.mark.parametrize("table", [HIGH, DEAR, {**HIGH, "condition": "chain.atm_iv > 0.1", "direction": "bullish"}])
def test_it_is_a_detector_like_the_others(table: dict[str, Any]) -> None:
    detector: Detector = rule(table)
    for text in (detector.name, detector.hypothesis, detector.formula, detector.day_one):
        assert text.strip() == text != ""
    assert detector.claim == ("spot_follows" if "direction" in table else "metric_reverts")
    assert json.loads(json.dumps(detector.configuration(), allow_nan=False)) == detector.configuration()
    assert detector.evaluate(seen([of_chains()])) == detector.evaluate(seen([of_chains()]))
    for nothing in (view([], []), replace(view([], [chain(grade="F")]), features=dict.fromkeys(FEATURES))):
        evaluation = detector.evaluate(nothing)
        assert (evaluation.status, evaluation.findings) == ("not_evaluated", ())
        assert explain(evaluation.reason or "")
    for finding in detector.evaluate(seen([of_chains()])).findings:
        assert json.loads(json.dumps(finding.metrics, allow_nan=False)) == finding.metrics
        assert 0 <= score(finding.evidence)[0] <= 100
        assert 0 <= confidence(finding.evidence) <= 1


def test_a_rule_runs_on_its_own_tickers() -> None:
    made = DetectorSet().with_rules([rule_from(HIGH), rule_from({**DEAR, "tickers": ["AAPL"]})])
    names = [detector.name for detector in DetectorSet()]
    assert [detector.name for detector in made] == [*names, "rule:high-iv", "rule:dear"]
    assert [detector.name for detector in made.of("AAPL")] == [*names, "rule:high-iv", "rule:dear"]
    assert [detector.name for detector in made.of("AMD")] == [*names, "rule:high-iv"]
    assert made.configuration() == DetectorSet().configuration()
    assert len(made) == len(names) + 2


def days_of(detector: RuleDetector, ranks: Sequence[float | None]) -> list[str]:
    """Return what becomes of the alert in one scan a rank, ten minutes apart."""
    records: list[dict[str, Any]] = []
    kinds = []
    for number, value in enumerate(ranks):
        at = replace(seen(iv_rank=value), as_of=NOON + timedelta(minutes=10 * number))
        standing = frozenset(record["subject"] for record in records if record["state"] != "ended")
        evaluation: Evaluation = detector.evaluate(replace(at, standing=standing))
        context = ScanContext(f"s{number}", "demo", "c", "0.1.0", AlertPolicy())
        events = advance(records, at, [evaluation], context)
        kinds.append(events[0].kind if events else "-")
        records = [event.alert for event in events] or records
    return kinds


def test_a_rearm_condition_keeps_an_alert_and_begins_none() -> None:
    ranks = [75.0, 81.0, 79.0, 71.0, 82.0, None, 75.0, 69.0, 75.0]
    kept = rule(rearm="iv_rank > 70")
    assert days_of(kept, ranks) == ["-", "new", "ongoing", "ongoing", "ongoing", "-", "ongoing", "ended", "-"]
    assert days_of(rule(), ranks) == ["-", "new", "ended", "-", "ongoing", "-", "ended", "-", "-"]


def test_a_kept_alert_says_why_it_goes_on() -> None:
    (finding,) = rule(rearm="iv_rank > 70").evaluate(seen(iv_rank=75.0)).findings
    assert not finding.armed
    assert finding.evidence.size == 0.0
    assert finding.reason == (
        "The rule “High IV” holds no more for QLMT, but it goes on while iv_rank > 70: iv_rank is 75."
    )


def test_the_alert_of_a_chain_ends_when_it_settles() -> None:
    detector = rule(condition="chain.atm_iv > 0.35")
    context = ScanContext("s1", "demo", "c", "0.1.0", AlertPolicy())
    first = seen([of_chains()])
    (begun,) = advance([], first, [detector.evaluate(first)], context)
    later = replace(seen([]), as_of=SETTLED)
    (ended,) = advance([begun.alert], later, [detector.evaluate(later)], replace(context, scan_id="s2"))
    assert (ended.kind, ended.alert["metrics"]["ended_by"]) == ("ended", "expired")
