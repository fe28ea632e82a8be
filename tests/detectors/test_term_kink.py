"""Term kink: forward variance a day against the curve, on five weekly expirations worked by hand.

From Wednesday 2026-02-18 to Friday 02-27 are 7 sessions and 2 days without one, which count 7.4 days; each week after
it counts 5.4. The middles of the intervals lie at 3.7, 10.1, 15.5, 20.9 and 26.3 days.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from collector.alerts.scoring import confidence
from collector.detectors.base import ChainView, ConfigError, Evaluation
from collector.detectors.forward_curve import ordinary_days
from collector.detectors.term_kink import Config, TermKink
from collector.market.events import Event
from exports.reasons import DETECTOR_REASONS, explain
from tests.detectors.views import MARKET_DATE, chain, event, view

DETECTOR = TermKink()
FRIDAYS = tuple(date(2026, 2, 27) + timedelta(weeks=week) for week in range(5))
WORTH = (7.4, 5.4, 5.4, 5.4, 5.4)
THIRD = "2026-03-13:QLMT"
# 1 % a day.
UNIT = 1e-4


def curve(
    *forward: float, open_share: float = 0.0, grade: str = "A", fridays: Sequence[date] = FRIDAYS
) -> list[ChainView]:
    """Return chains whose intervals hold so many units of variance a day, and leave open such a share of it."""
    chains, total = [], 0.0
    for day, worth, one in zip(fridays, WORTH, forward, strict=True):
        total += UNIT * worth * one
        dte = (day - MARKET_DATE).days
        sigma = math.sqrt(total / (dte / 365))
        found = chain(
            expiration=day,
            dte=dte,
            grade=grade,
            settlement_time=datetime(day.year, day.month, day.day, 20, tzinfo=UTC),
            tenor=dte / 365,
            atm_iv=sigma,
            relative_spread=0.05,
            analytics={"liquidity": {"spread_in_volatility": open_share * sigma}},
        )
        chains.append(found)
    return chains


def evaluate(chains: Sequence[ChainView], events: Sequence[Event] = (), **more: Any) -> Evaluation:
    return DETECTOR.evaluate(view([], chains, events=events, **more))


def test_days_count_by_what_trades_in_them() -> None:
    assert ordinary_days(MARKET_DATE, FRIDAYS[0]) == pytest.approx(7.4)
    assert ordinary_days(FRIDAYS[0], FRIDAYS[1]) == pytest.approx(5.4)
    # Presidents' Day: four sessions and three days without one.
    assert ordinary_days(date(2026, 2, 13), date(2026, 2, 20)) == pytest.approx(4.6)


def test_a_flat_curve_is_in_line() -> None:
    evaluation = evaluate(curve(1, 1, 1, 1, 1))
    assert (evaluation.status, evaluation.reason, evaluation.findings) == ("quiet", "in_line", ())
    assert evaluation.value == pytest.approx(1.0)
    assert evaluation.evaluated_subjects == {"2026-03-06:QLMT", "2026-03-13:QLMT", "2026-03-20:QLMT"}


def test_a_curve_that_rises_or_falls_smoothly_is_in_line() -> None:
    for growth in (0.9, 1.1):
        # So much more a day: linear in the logarithm over the middles of the intervals.
        evaluation = evaluate(curve(*(growth**middle for middle in (3.7, 10.1, 15.5, 20.9, 26.3))))
        assert evaluation.value == pytest.approx(1.0)


def test_an_interval_that_holds_too_much_arms() -> None:
    evaluation = evaluate(curve(1, 1, 1.96, 1, 1))
    (finding,) = evaluation.findings
    assert evaluation.status == "armed"
    assert (finding.subject, finding.direction, finding.intention) == (THIRD, "neutral", "calendar")
    assert (finding.metric, finding.value, finding.threshold, finding.comparison) == (
        "forward_to_curve",
        pytest.approx(1.4),
        1.25,
        ">=",
    )
    year = 252 + 0.2 * 113
    assert finding.metrics == {
        "market_date": "2026-02-18",
        "mode": "history",
        "side": "rich",
        "expiration": "2026-03-13",
        "root": "QLMT",
        "dte": 23,
        "settlement_time": "2026-03-13T20:00:00Z",
        "atm_iv": pytest.approx(math.sqrt((12.8 + 5.4 * 1.96) * UNIT * 365 / 23)),
        "near_expiration": "2026-03-06",
        "near_root": "QLMT",
        "near_atm_iv": pytest.approx(math.sqrt(12.8 * UNIT * 365 / 16)),
        "forward_volatility": pytest.approx(math.sqrt(1.96 * UNIT * year)),
        "curve_volatility": pytest.approx(math.sqrt(UNIT * year)),
        "forward_to_curve": pytest.approx(1.4),
        "left_open_by_quotes": 0.0,
        "grade": "A",
    }
    # ln 1.4 of the way from ln 1.25 to ln 1.6; both neighbours and the quotes agree.
    assert finding.evidence.size == pytest.approx(math.log(1.4 / 1.25) / math.log(1.6 / 1.25))
    assert finding.evidence.agreement == 1.0


@pytest.mark.parametrize(
    ("ratio", "armed"),
    [
        (1.2501, [True]),
        (1.2499, [False]),
        (1.1501, [False]),
        (1.1499, []),
        (1 / 1.2501, [True]),
        (1 / 1.2499, [False]),
        (1 / 1.1501, [False]),
        (1 / 1.1499, []),
    ],
)
def test_arm_and_re_arm_levels_on_both_sides(ratio: float, armed: list[bool]) -> None:
    evaluation = evaluate(curve(1, 1, ratio**2, 1, 1))
    assert [finding.armed for finding in evaluation.findings] == armed
    assert {finding.subject for finding in evaluation.findings} <= {THIRD}
    if ratio < 1:
        assert (evaluation.threshold, evaluation.comparison) == (0.8, "<=")
    assert evaluation.reason == (None if True in armed else "in_line")
    assert "in_line" in DETECTOR_REASONS


def test_one_dear_expiration_is_one_finding_though_it_bends_both_intervals() -> None:
    # Its total variance is too high: the interval to it holds more, the one from it less.
    (finding,) = evaluate(curve(1, 1, 1.6, 0.4, 1)).findings
    assert (finding.subject, finding.metrics["side"]) == (THIRD, "rich")
    assert finding.value == pytest.approx(math.sqrt(1.6 / math.sqrt(0.4)))


def test_an_interval_beside_one_that_is_out_of_line_is_not_so_itself() -> None:
    # The third is as unusual as can be, and may hold a release; the second, in line with the first, is not cheap.
    release = event("earnings", date(2026, 3, 26), confirmed=False)
    evaluation = evaluate(curve(1, 1, 4, 1, 1), [release])
    assert (evaluation.status, evaluation.findings) == ("quiet", ())
    assert evaluation.evaluated_subjects == {"2026-03-06:QLMT"}


def test_statements_of_the_fed_and_of_prices_are_counted() -> None:
    rich = curve(1, 1, 1.69, 1, 1)
    assert evaluate(rich).findings[0].value == pytest.approx(1.3)
    events = [
        event("fomc", date(2026, 3, 11), ticker=None),
        event("cpi", date(2026, 3, 12), ticker=None),
        event("dividend", date(2026, 3, 12)),
    ]
    # 5.4 days and 1.7 more hold what 5.4 did.
    counted = evaluate(rich, events)
    assert counted.status == "quiet"
    assert counted.value == pytest.approx(math.sqrt(1.69 * 5.4 / 7.1), rel=0.02)


@pytest.mark.parametrize(
    ("day", "confirmed", "subjects"),
    [
        # The third interval: neither it nor what would be compared with it.
        (date(2026, 3, 10), True, set()),
        # Of the day of an expiration it may belong to either side.
        (date(2026, 3, 13), True, set()),
        (date(2026, 3, 26), True, {"2026-03-06:QLMT", THIRD}),
        (date(2026, 3, 26), False, {"2026-03-06:QLMT"}),
        (date(2026, 5, 6), False, {"2026-03-06:QLMT", THIRD, "2026-03-20:QLMT"}),
    ],
)
def test_intervals_with_a_release_are_not_judged_nor_compared_with(
    day: date, confirmed: bool, subjects: set[str]
) -> None:
    evaluation = evaluate(curve(1, 1, 1.96, 1, 1), [event("earnings", day, confirmed=confirmed)])
    assert evaluation.evaluated_subjects == subjects
    assert {finding.subject for finding in evaluation.findings} == subjects & {THIRD}
    if not subjects:
        assert (evaluation.status, evaluation.reason) == ("not_evaluated", "few_expirations")


def test_without_any_release_known_it_is_held_with_less_confidence() -> None:
    rich = curve(1, 1, 1.96, 1, 1)
    (unknown,) = evaluate(rich).findings
    (known,) = evaluate(rich, [event("earnings", date(2026, 5, 20))]).findings
    assert confidence(unknown.evidence) == pytest.approx(0.8 * confidence(known.evidence))


def test_what_the_quotes_leave_open_is_no_kink() -> None:
    # Total variance by expiration in units: 7.4, 12.8, 21.44, 26.84. Of the third interval's 8.64 a share of e leaves
    # e (21.44 + 12.8) / 8.64 open, of the second's e (12.8 + 7.4) / 5.4, of the fourth's e (26.84 + 21.44) / 5.4.
    by_hand = (34.24 / 8.64 + (20.2 / 5.4 + 48.28 / 5.4) / 2) / 2
    tight = evaluate(curve(1, 1, 1.6, 1, 1, open_share=0.02))
    assert tight.findings[0].metrics["left_open_by_quotes"] == pytest.approx(0.02 * by_hand)
    wide = evaluate(curve(1, 1, 1.6, 1, 1, open_share=0.05))
    assert (wide.status, wide.reason, wide.findings) == ("quiet", "within_spreads", ())
    assert "within_spreads" in DETECTOR_REASONS


def test_of_two_roots_of_a_date_the_better_one_counts() -> None:
    chains = curve(1, 1, 1.96, 1, 1)
    other = replace(chains[2], root="QLMTW", relative_spread=0.01)
    assert evaluate([*chains, other]).findings[0].subject == "2026-03-13:QLMTW"
    assert evaluate([*chains, replace(other, grade="B")]).findings[0].subject == THIRD


def test_expirations_closer_than_a_few_days_are_left_out() -> None:
    chains = curve(1, 1, 1, 1, 1)
    daily = replace(chains[2], expiration=date(2026, 3, 16), dte=26, atm_iv=9.0)
    assert evaluate([*chains, daily]).reason == "in_line"


def test_what_lies_far_off_is_not_judged() -> None:
    assert TermKink(Config(max_days=22)).evaluate(view([], curve(1, 1, 1.96, 1, 1))).evaluated_subjects == {
        "2026-03-06:QLMT"
    }


@pytest.mark.parametrize(
    ("chains", "reason"),
    [
        ([], "no_usable_chain"),
        (curve(1, 1, 1.96, 1, 1, grade="C"), "no_usable_chain"),
        ([replace(one, atm_iv=None) for one in curve(1, 1, 1.96, 1, 1)], "no_usable_chain"),
        (curve(1, 1, 1.96, 1, 1)[:3][1:], "few_expirations"),
        # Total variance falls to the third.
        (curve(1, 1, -0.5, 1, 1), "few_expirations"),
    ],
)
def test_what_cannot_be_judged(chains: list[ChainView], reason: str) -> None:
    evaluation = evaluate(chains)
    assert (evaluation.status, evaluation.reason, evaluation.findings) == ("not_evaluated", reason, ())
    assert evaluation.evaluated_subjects == frozenset()
    assert explain(reason)


def test_what_only_keeps_is_found_only_where_an_alert_stands() -> None:
    kept = curve(1, 1, 1.44, 1, 1)
    assert evaluate(kept, standing=frozenset({"2026-03-20:QLMT"})).findings == ()
    assert [finding.armed for finding in evaluate(kept, standing=frozenset({THIRD})).findings] == [False]


def test_term_kink_of_a_dear_expiration_in_words() -> None:
    (finding,) = evaluate(curve(1, 1, 1.96, 1, 1, open_share=0.01)).findings
    assert finding.summary == "QLMT: forward volatility to 2026-03-13 (QLMT) 23.2 %, 1.40x the curve's 16.6 %"
    assert finding.reason == (
        "Between 2026-03-06 and 2026-03-13 the options of QLMT hold a forward volatility of 23.2 %, where the "
        "intervals before and after suggest 16.6 %: 1.40 times the curve, with known events counted. The expiration of "
        "2026-03-13 is dear against the one before it; half the spreads leave 5.1 % of it open."
    )


def test_term_kink_of_a_cheap_expiration_in_words() -> None:
    (finding,) = evaluate(curve(1, 1, 0.49, 1, 1)).findings
    assert finding.summary == "QLMT: forward volatility to 2026-03-13 (QLMT) 11.6 %, 0.70x the curve's 16.6 %"
    assert finding.reason == (
        "Between 2026-03-06 and 2026-03-13 the options of QLMT hold a forward volatility of 11.6 %, where the "
        "intervals before and after suggest 16.6 %: 0.70 times the curve, with known events counted. The expiration of "
        "2026-03-13 is cheap against the one before it; half the spreads leave 0.0 % of it open."
    )


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"min_ratio": 0.9}, "min_ratio: 0.9"),
        ({"rearm_ratio": 1.5}, "rearm_ratio: 1.5 is above 1.25"),
        ({"min_days": -1}, "min_days: -1"),
        ({"max_days": 5}, "max_days: 5"),
        ({"apart": 0}, "apart: 0"),
    ],
)
def test_levels_that_cannot_work_are_refused_by_name(levels: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config(**levels)
