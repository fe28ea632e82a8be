"""Low IV: rank, percentile, distance from the median and realised volatility, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from collector.alerts.scoring import confidence, score
from collector.detectors.base import ConfigError, Evaluation, TickerView
from collector.detectors.low_iv import Config, LowIv
from exports.reasons import DETECTOR_REASONS, explain
from tests.detectors.views import MARKET_DATE, features, past, view

DETECTOR = LowIv()
# 15 % against a median of 30 % and 20 % realised: 0.5 times the median, 0.75 times what is realised.
LOW = {
    "iv_30d": 0.15,
    "iv_grade": "A",
    "iv_rank": 4.0,
    "iv_percentile": 2.0,
    "iv_rank_sessions": 60,
    "realised_volatility_20d": 0.20,
    "realised_volatility_10d": 0.18,
    "realised_volatility_60d": 0.14,
    "iv_90d": 0.17,
    "median_relative_spread": 0.05,
}
USUAL = past(60, iv_30d=0.30)


def seen(**figures: Any) -> TickerView:
    return view([], features=features(**(LOW | figures)), past=USUAL)


def evaluate(**figures: Any) -> Evaluation:
    return DETECTOR.evaluate(seen(**figures))


def test_all_four_levels_passed_arm() -> None:
    evaluation = evaluate()
    (finding,) = evaluation.findings
    assert (evaluation.status, evaluation.reason, evaluation.evaluated_subjects) == ("armed", None, None)
    assert (finding.subject, finding.direction, finding.armed, finding.intention) == (
        "",
        "neutral",
        True,
        "long_volatility",
    )
    assert (finding.metric, finding.value, finding.threshold, finding.comparison) == ("iv_rank", 4.0, 10.0, "<=")
    assert finding.metrics == {
        "market_date": "2026-02-18",
        "mode": "history",
        "iv_30d": 0.15,
        "iv_rank": 4.0,
        "iv_percentile": 2.0,
        "median_iv_30d": pytest.approx(0.30),
        "iv_to_median": pytest.approx(0.5),
        "realised_volatility_20d": 0.20,
        "iv_to_realised": pytest.approx(0.75),
        "sessions": 60,
        "grade": "A",
    }


@pytest.mark.parametrize(
    ("at", "beyond", "metric", "reason"),
    [
        ({"iv_rank": 10.0}, {"iv_rank": 10.1}, "iv_rank", "not_extreme"),
        ({"iv_percentile": 10.0}, {"iv_percentile": 10.1}, "iv_percentile", "not_extreme"),
        # 0.225 is 0.75 times the median; realised stays above.
        (
            {"iv_30d": 0.225, "realised_volatility_20d": 0.3},
            {"iv_30d": 0.2251, "realised_volatility_20d": 0.3},
            "iv_to_median",
            "small_distance",
        ),
        ({"realised_volatility_20d": 0.15}, {"realised_volatility_20d": 0.1499}, "iv_to_realised", "above_realised"),
    ],
)
def test_each_level_arms_at_its_edge_and_is_named_beyond_it(
    at: dict[str, float], beyond: dict[str, float], metric: str, reason: str
) -> None:
    assert evaluate(**at).status == "armed"
    quiet = evaluate(**beyond)
    assert (quiet.status, quiet.metric, quiet.reason) == ("quiet", metric, reason)
    (kept,) = quiet.findings
    assert not kept.armed
    assert (kept.evidence.size, kept.evidence.agreement) == (0.0, 0.0)
    assert reason in DETECTOR_REASONS


@pytest.mark.parametrize(
    ("at", "beyond"),
    [
        ({"iv_rank": 25.0}, {"iv_rank": 25.1}),
        ({"iv_percentile": 25.0}, {"iv_percentile": 25.1}),
        ({"iv_30d": 0.2549, "realised_volatility_20d": 0.3}, {"iv_30d": 0.2551, "realised_volatility_20d": 0.3}),
        ({"realised_volatility_20d": 0.1305}, {"realised_volatility_20d": 0.1304}),
    ],
)
def test_an_alert_is_kept_to_the_re_arm_level_and_no_further(at: dict[str, float], beyond: dict[str, float]) -> None:
    assert [finding.armed for finding in evaluate(**at).findings] == [False]
    assert evaluate(**beyond).findings == ()
    assert evaluate(**beyond).evaluated_subjects is None


def test_what_only_keeps_is_found_only_where_an_alert_stands() -> None:
    kept = seen(iv_rank=20.0)
    assert DETECTOR.evaluate(replace(kept, standing=frozenset())).findings == ()
    assert len(DETECTOR.evaluate(replace(kept, standing=frozenset({""}))).findings) == 1


def test_size_grows_with_the_distance_and_agreement_with_the_others() -> None:
    # Between 0.75 and 0.5 times the median: 0.6 is six tenths of the way.
    (some,) = evaluate(iv_30d=0.18).findings
    (all_of_it,) = evaluate(iv_30d=0.12).findings
    assert (some.evidence.size, all_of_it.evidence.size) == (pytest.approx(0.6), 1.0)
    # 18 % is not above the 18 % of ten sessions nor the 17 % of 90 days, and above the 14 % of 60 sessions.
    assert some.evidence.agreement == pytest.approx(1 / 3)
    assert all_of_it.evidence.agreement == 1.0
    assert score(all_of_it.evidence)[0] > score(some.evidence)[0] > 20


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"iv_30d": None, "reasons": {"iv_30d": "extrapolation"}}, "extrapolation"),
        ({"iv_grade": "C"}, "no_usable_chain"),
        ({"iv_grade": None}, "no_usable_chain"),
        ({"realised_volatility_20d": None, "reasons": {"realised_volatility_20d": "no_history"}}, "no_history"),
        ({"iv_rank": None, "reasons": {"iv_rank": "flat_history"}}, "flat_history"),
    ],
)
def test_what_cannot_be_judged(figures: dict[str, Any], reason: str) -> None:
    evaluation = evaluate(**figures)
    assert (evaluation.status, evaluation.reason, evaluation.findings) == ("not_evaluated", reason, ())
    assert evaluation.evaluated_subjects == frozenset()
    assert explain(reason)


def test_thin_history_is_told_by_its_numbers() -> None:
    evaluation = DETECTOR.evaluate(
        replace(seen(iv_rank_sessions=59, realised_volatility_20d=0.19), standing=frozenset())
    )
    assert (evaluation.status, evaluation.reason) == ("not_evaluated", "short_history")
    assert (evaluation.metric, evaluation.value, evaluation.comparison, evaluation.threshold) == (
        "sessions",
        59.0,
        ">=",
        60.0,
    )


def test_on_day_one_it_is_judged_by_what_is_realised_alone() -> None:
    thin = {"iv_rank": None, "iv_percentile": None, "iv_rank_sessions": 12}
    evaluation = evaluate(**thin, realised_volatility_20d=0.25)
    (finding,) = evaluation.findings
    assert finding.armed
    assert (finding.metric, finding.value, finding.threshold) == ("iv_to_realised", pytest.approx(0.6), 0.6)
    assert confidence(finding.evidence) == pytest.approx(0.7 + 0.3 * 12 / 60)
    assert [one.armed for one in evaluate(**thin, realised_volatility_20d=0.21).findings] == [False]
    over = seen(**thin, realised_volatility_20d=0.199)
    for standing, said in (
        (frozenset(), ("not_evaluated", "short_history")),
        (frozenset({""}), ("quiet", "above_realised")),
    ):
        evaluation = DETECTOR.evaluate(replace(over, standing=standing))
        # An alert that stands ends.
        assert (evaluation.status, evaluation.reason) == said
        assert (evaluation.findings, evaluation.evaluated_subjects) == ((), None if standing else frozenset())


def test_on_day_one_a_release_makes_nothing_cheap() -> None:
    figures = features(**(LOW | {"iv_rank_sessions": 12, "realised_volatility_20d": 0.40}))
    for age, status in ((33, "not_evaluated"), (34, "armed")):
        released = past(12, earnings=(0.1,), last_release=MARKET_DATE - timedelta(days=age))
        evaluation = DETECTOR.evaluate(view([], features=figures, past=released))
        assert evaluation.status == status
        # What can't be told leaves an alert as it is.
        assert evaluation.evaluated_subjects == (None if status == "armed" else frozenset())


def test_low_iv_in_words() -> None:
    (finding,) = evaluate().findings
    assert finding.summary == "QLMT: 30-day IV 15.0 %, rank 4, realised 20.0 %"
    assert finding.reason == (
        "The 30-day implied volatility of QLMT is 15.0 %: rank 4 and percentile 2 of 60 sessions, 0.50 times their "
        "median of 30.0 %. It is 0.75 times the 20.0 % that the share realised over 20 sessions."
    )
    assert "a new low" in evaluate(iv_rank=-14.0).findings[0].summary


def test_low_iv_on_day_one_in_words() -> None:
    (finding,) = evaluate(iv_rank=None, iv_percentile=None, iv_rank_sessions=1, realised_volatility_20d=0.30).findings
    assert finding.summary == "QLMT: 30-day IV 15.0 %, far below the 30.0 % realised"
    assert finding.reason == (
        "The 30-day implied volatility of QLMT is 15.0 %. It is 0.50 times the 30.0 % that the share realised over 20 "
        "sessions. With 1 session of its own history nothing tells whether it is low for this ticker."
    )


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"sessions": 10}, "sessions: 10"),
        ({"max_rank": 101.0}, "max_rank: 101"),
        ({"max_percentile": True}, "max_percentile: True"),
        ({"rearm_rank": 5.0}, "rearm_rank: 5 is below 10"),
        ({"rearm_iv_to_median": 0.5}, "rearm_iv_to_median: 0.5 is below 0.75"),
        ({"rearm_iv_to_realised": 0.9}, "rearm_iv_to_realised"),
        ({"day_one_iv_to_realised": 0.9}, "rearm_day_one_iv_to_realised: 0.75 is below 0.9"),
    ],
)
def test_levels_that_cannot_work_are_refused_by_name(levels: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config(**levels)
