"""Rich premium: the premium against its own past and as a ratio, the next release taken out, by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from collector.alerts.scoring import confidence, score
from collector.detectors.base import ConfigError, Evaluation, TickerView
from collector.detectors.figures import ordinary_volatility, release_share
from collector.detectors.rich_premium import Config, RichPremium
from exports.reasons import DETECTOR_REASONS, explain
from tests.detectors.views import around, features, past, view

DETECTOR = RichPremium()
# A standard deviation of 2 points around 4: 60 values, half 2 s below and above, s = 0.02 sqrt(59 / 60).
USUAL = around(0.04, 0.02 * math.sqrt(59 / 60), 60)
# 40 % against 20 % realised: 20 points, 8 deviations above, twice what is realised.
RICH = {
    "iv_30d": 0.40,
    "iv_grade": "B",
    "realised_volatility_20d": 0.20,
    "realised_volatility_10d": 0.25,
    "realised_volatility_60d": 0.35,
    "iv_percentile": 95.0,
    "median_relative_spread": 0.05,
}


def seen(premium: np.ndarray = USUAL, **figures: Any) -> TickerView:
    return view([], features=features(**(RICH | figures)), past=past(len(premium), volatility_risk_premium=premium))


def evaluate(premium: np.ndarray = USUAL, **figures: Any) -> Evaluation:
    return DETECTOR.evaluate(seen(premium, **figures))


def test_a_premium_far_above_its_mean_and_what_is_realised_arms() -> None:
    evaluation = evaluate()
    (finding,) = evaluation.findings
    assert (evaluation.status, evaluation.evaluated_subjects) == ("armed", None)
    assert (finding.metric, finding.value, finding.threshold) == ("premium_deviations", pytest.approx(8.0), 2.0)
    assert (finding.subject, finding.direction, finding.intention) == ("", "neutral", "short_volatility")
    assert finding.metrics == {
        "market_date": "2026-02-18",
        "mode": "history",
        "iv_30d": 0.40,
        "ordinary_iv_30d": 0.40,
        "realised_volatility_20d": 0.20,
        "premium": pytest.approx(0.20),
        "iv_to_realised": pytest.approx(2.0),
        "mean_premium": pytest.approx(0.04),
        "premium_deviations": pytest.approx(8.0),
        "sessions": 60,
        "grade": "B",
    }
    # Eight deviations are beyond the five that count in full; 40 % is 1.25 times 25 % and not 1.25 times 35 %.
    assert (finding.evidence.size, finding.evidence.agreement) == (1.0, pytest.approx(2 / 3))


@pytest.mark.parametrize(
    ("at", "beyond", "metric", "reason"),
    [
        # Two deviations above 4 points are 8; at 8 points over 10 % the ratio is 1.8.
        (
            {"iv_30d": 0.1801, "realised_volatility_20d": 0.10},
            {"iv_30d": 0.1799, "realised_volatility_20d": 0.10},
            "premium_deviations",
            "not_extreme",
        ),
        (
            {"iv_30d": 0.3401, "realised_volatility_20d": 0.20},
            {"iv_30d": 0.3399, "realised_volatility_20d": 0.20},
            "iv_to_realised",
            "low_premium_ratio",
        ),
    ],
)
def test_each_level_arms_at_its_edge_and_is_named_beyond_it(
    at: dict[str, float], beyond: dict[str, float], metric: str, reason: str
) -> None:
    assert evaluate(**at).status == "armed"
    quiet = evaluate(**beyond)
    assert (quiet.status, quiet.metric, quiet.reason) == ("quiet", metric, reason)
    (kept,) = quiet.findings
    assert (kept.armed, kept.evidence.size, kept.evidence.agreement) == (False, 0.0, 0.0)
    assert reason in DETECTOR_REASONS


@pytest.mark.parametrize(
    ("at", "beyond"),
    [
        # One deviation: 6 points over 10 %.
        (
            {"iv_30d": 0.1601, "realised_volatility_20d": 0.10},
            {"iv_30d": 0.1599, "realised_volatility_20d": 0.10},
        ),
        (
            {"iv_30d": 0.2801, "realised_volatility_20d": 0.20},
            {"iv_30d": 0.2799, "realised_volatility_20d": 0.20},
        ),
    ],
)
def test_an_alert_is_kept_to_the_re_arm_level_and_no_further(at: dict[str, float], beyond: dict[str, float]) -> None:
    assert [finding.armed for finding in evaluate(**at).findings] == [False]
    assert evaluate(**beyond).findings == ()


def month(near: int, far: int, release_before: int) -> dict[str, Any]:
    """Two expirations around 30 days, and which of the two (1 or 2) is the first after the release."""
    expirations = ["2026-03-13", "2026-03-27"]
    return {
        "term_structure": [
            {"expiration": day, "days": float(days), "used": True}
            for day, days in zip(expirations, (near, far), strict=True)
        ],
        "implied_earnings_expiration": expirations[release_before - 1],
        "implied_earnings_move": 0.06,
    }


def test_a_release_before_the_nearer_expiration_is_taken_out_whole() -> None:
    # 0.40^2 - 0.06^2 * 365 / 30 = 0.16 - 0.0438
    figures = month(23, 37, release_before=1)
    assert release_share(figures) == 1.0
    assert ordinary_volatility(figures, 0.40) == pytest.approx(math.sqrt(0.1162))
    assert evaluate(**figures).findings[0].metrics["ordinary_iv_30d"] == pytest.approx(math.sqrt(0.1162))


def test_a_release_between_the_two_is_taken_out_by_its_share() -> None:
    # Half of the way from 23 to 37 days.
    figures = month(23, 37, release_before=2)
    assert release_share(figures) == pytest.approx(0.5)
    assert ordinary_volatility(figures, 0.40) == pytest.approx(math.sqrt(0.16 - 0.0219))


def test_a_release_beyond_both_or_none_changes_nothing() -> None:
    later = month(23, 37, release_before=2) | {"implied_earnings_expiration": "2026-05-15"}
    assert ordinary_volatility(later, 0.40) == 0.40
    assert ordinary_volatility(later | {"implied_earnings_expiration": None}, 0.40) == 0.40


def test_a_release_whose_variance_is_not_known_is_not_guessed() -> None:
    figures = month(23, 37, release_before=1) | {"implied_earnings_move": None}
    unknown = evaluate(**figures, reasons={"implied_earnings_move": "variance_falls"})
    assert (unknown.status, unknown.reason) == ("not_evaluated", "variance_falls")
    # Where the expiration holds no more than ordinary days would, there is nothing to take out.
    nothing = evaluate(**figures, reasons={"implied_earnings_move": "no_event_variance"})
    assert nothing.findings[0].metrics["ordinary_iv_30d"] == 0.40


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"iv_30d": None, "reasons": {"iv_30d": "extrapolation"}}, "extrapolation"),
        ({"iv_grade": "C"}, "no_usable_chain"),
        ({"realised_volatility_20d": None, "reasons": {"realised_volatility_20d": "no_history"}}, "no_history"),
        ({"realised_volatility_20d": 0.0}, "no_usable_chain"),
    ],
)
def test_what_cannot_be_judged(figures: dict[str, Any], reason: str) -> None:
    evaluation = evaluate(**figures)
    assert (evaluation.status, evaluation.reason, evaluation.findings) == ("not_evaluated", reason, ())
    assert explain(reason)


def test_thin_history_is_told_by_its_numbers_and_unknown_sessions_do_not_count() -> None:
    thin = USUAL.copy()
    thin[7] = math.nan
    evaluation = DETECTOR.evaluate(replace(seen(thin, realised_volatility_20d=0.30), standing=frozenset()))
    assert (evaluation.status, evaluation.reason) == ("not_evaluated", "short_history")
    assert (evaluation.metric, evaluation.value, evaluation.threshold) == ("sessions", 59.0, 60.0)


def test_on_day_one_the_ratio_alone_is_judged_by_a_higher_level() -> None:
    (finding,) = evaluate(np.zeros(0), realised_volatility_20d=0.19).findings
    assert finding.armed
    assert (finding.metric, finding.threshold) == ("iv_to_realised", 2.1)
    assert confidence(finding.evidence) == pytest.approx(0.85 * 0.7)
    assert score(finding.evidence)[0] < 40
    assert [one.armed for one in evaluate(np.zeros(0)).findings] == [False]
    over = seen(np.zeros(0), realised_volatility_20d=0.24)
    for standing, said in (
        (frozenset(), ("not_evaluated", "short_history")),
        (frozenset({""}), ("quiet", "low_premium_ratio")),
    ):
        evaluation = DETECTOR.evaluate(replace(over, standing=standing))
        # An alert that stands ends.
        assert (evaluation.status, evaluation.reason) == said
        assert (evaluation.findings, evaluation.evaluated_subjects) == ((), None if standing else frozenset())


def test_what_only_keeps_is_found_only_where_an_alert_stands() -> None:
    kept = seen(iv_30d=0.30)
    assert DETECTOR.evaluate(replace(kept, standing=frozenset())).findings == ()
    assert len(DETECTOR.evaluate(replace(kept, standing=frozenset({""}))).findings) == 1


def test_rich_premium_in_words() -> None:
    (finding,) = evaluate(**month(23, 37, release_before=1)).findings
    assert finding.summary == "QLMT: 30-day IV 34.1 %, 1.70x the 20.0 % realised, 5.0 deviations rich"
    assert finding.reason == (
        "The 30-day implied volatility of QLMT is 40.0 %, 34.1 % without the next release: 1.70 times the 20.0 % that "
        "the share realised over 20 sessions. The premium of 14.1 % lies 5.0 standard deviations above its mean of "
        "4.0 % over 60 sessions."
    )


def test_rich_premium_on_day_one_in_words() -> None:
    (finding,) = evaluate(np.zeros(0), realised_volatility_20d=0.16).findings
    assert finding.summary == "QLMT: 30-day IV 40.0 %, 2.5x the 16.0 % realised"
    assert finding.reason == (
        "The 30-day implied volatility of QLMT is 40.0 %: 2.5 times the 16.0 % that the share realised over 20 "
        "sessions. With 0 sessions of its own history nothing tells what is usual here."
    )


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"sessions": 300}, "sessions: 300"),
        ({"min_deviations": math.nan}, "min_deviations: nan"),
        ({"min_iv_to_realised": 0.5}, "min_iv_to_realised: 0.5"),
        ({"rearm_deviations": 3.0}, "rearm_deviations: 3 is above 2"),
        ({"rearm_day_one_iv_to_realised": 3.0}, "rearm_day_one_iv_to_realised: 3 is above 2.1"),
    ],
)
def test_levels_that_cannot_work_are_refused_by_name(levels: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config(**levels)
