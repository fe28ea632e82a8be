"""Unusual activity: both ratios and each gate on worked rows, and what it must never take for news."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.scoring import confidence, score
from collector.detectors.base import ConfigError, Evaluation, UsualVolume
from collector.detectors.unusual_activity import Config, UnusualActivity
from exports.reasons import DETECTOR_REASONS, FIELD_REASONS
from tests.detectors.views import NOON, SETTLED, Row, chain, view

DETECTOR = UnusualActivity()
QUIET = Row(strike=95.0)
# 3,000 of 1,000 open, at a mid of 2.00: 3 times the open interest and $600,000.
BUSY = Row(volume=3_000.0)


def evaluate(
    *rows: Row, usual: Mapping[str, tuple[float, int] | tuple[float, int, int]] | None = None, **chain_facts: Any
) -> Evaluation:
    return DETECTOR.evaluate(view(rows, [chain(**chain_facts)], usual))


def test_day_one_arms_on_volume_above_open_interest() -> None:
    evaluation = evaluate(QUIET, BUSY)
    (finding,) = evaluation.findings
    assert evaluation.status == "armed"
    assert (evaluation.metric, evaluation.value, evaluation.threshold) == ("volume_to_open_interest", 3.0, 1.0)
    assert evaluation.reason is None
    assert (finding.subject, finding.direction, finding.armed) == (BUSY.symbol, "bullish", True)
    assert (finding.metric, finding.value, finding.threshold, finding.comparison) == (
        "volume_to_open_interest",
        3.0,
        1.0,
        ">",
    )


def test_day_one_volume_equal_to_open_interest_does_not_arm() -> None:
    (finding,) = evaluate(replace(BUSY, volume=1_000.0)).findings
    assert not finding.armed
    assert evaluate(replace(BUSY, volume=1_001.0)).findings[0].armed


def test_metrics_of_a_finding() -> None:
    (finding,) = evaluate(BUSY).findings
    assert finding.metrics == {
        "market_date": "2026-02-18",
        "contract_symbol": "QLMT260320C00100000",
        "root": "QLMT",
        "expiration": "2026-03-20",
        "dte": 30,
        "settlement_time": "2026-03-20T20:00:00Z",
        "option_type": "call",
        "strike": 100.0,
        "moneyness": 1.0,
        "underlying_price": 98.0,
        "mode": "day_one",
        "volume": 3000,
        "open_interest": 1000,
        "open_interest_date": None,
        "volume_to_open_interest": 3.0,
        "usual_volume": None,
        "volume_to_usual": None,
        "volume_to_ticker": None,
        "ticker_volume_to_usual": None,
        "sessions": 0,
        "sessions_by_time": None,
        "usual_by": None,
        "pattern": None,
        "legs": [],
        "mid": 2.0,
        "premium": pytest.approx(600_000.0),
        "relative_spread": pytest.approx(0.05),
        "grade": "A",
    }


def test_a_put_is_read_as_bearish() -> None:
    assert evaluate(replace(BUSY, option_type="put")).findings[0].direction == "bearish"


def test_history_asks_for_the_usual_volume_too() -> None:
    quiet_for_it = evaluate(BUSY, usual={BUSY.symbol: (2_000.0, 20)})
    assert quiet_for_it.findings == ()
    assert (quiet_for_it.metric, quiet_for_it.value, quiet_for_it.threshold) == ("volume_to_usual", 1.5, 3.0)
    assert (quiet_for_it.status, quiet_for_it.reason) == ("quiet", "below_threshold")
    kept = evaluate(BUSY, usual={BUSY.symbol: (1_200.0, 20)})
    assert [finding.armed for finding in kept.findings] == [False]
    (finding,) = evaluate(BUSY, usual={BUSY.symbol: (1_000.0, 20)}).findings
    assert finding.armed
    assert (finding.metrics["mode"], finding.metrics["usual_volume"], finding.metrics["sessions"]) == (
        "history",
        1000.0,
        20,
    )


def test_the_trigger_is_the_ratio_that_binds() -> None:
    usual = {BUSY.symbol: (100.0, 20)}
    (by_open_interest,) = evaluate(BUSY, usual=usual).findings
    assert (by_open_interest.metric, by_open_interest.value) == ("volume_to_open_interest", 3.0)
    (by_usual,) = evaluate(replace(BUSY, open_interest=100.0), usual={BUSY.symbol: (750.0, 20)}).findings
    assert (by_usual.metric, by_usual.value, by_usual.threshold, by_usual.comparison) == (
        "volume_to_usual",
        4.0,
        3.0,
        ">=",
    )


def of_ticker(traded: float | None, usual: UsualVolume | None, *, volume: float = 4_000.0) -> Evaluation:
    """4,000 of a contract that usually trades 1,000, 4 times as much, in a ticker that traded so much."""
    seen = view([replace(BUSY, volume=volume)], usual={BUSY.symbol: (1_000.0, 20)})
    return DETECTOR.evaluate(replace(seen, features={"volume": traded}, usual_volume=usual))


def test_on_a_busy_day_the_rest_of_the_ticker_is_the_measure() -> None:
    usual = UsualVolume(11_000.0, 20, 20)
    # The others trade 10,000 usually. At 20,000 the contract's 4 times are 2 times theirs, at 20,100 less.
    (finding,) = of_ticker(24_000, usual).findings
    assert (finding.armed, finding.metric, finding.value) == (True, "volume_to_ticker", 2.0)
    assert (finding.threshold, finding.comparison) == (2.0, ">=")
    assert (finding.metrics["volume_to_ticker"], finding.metrics["ticker_volume_to_usual"]) == (2.0, 2.0)
    evaluation = of_ticker(24_100, usual)
    assert [finding.armed for finding in evaluation.findings] == [False]
    assert (evaluation.metric, evaluation.reason) == ("volume_to_ticker", "below_threshold")
    # 26,667 of the others take it to 1.5, which ends.
    assert len(of_ticker(30_600, usual).findings) == 1
    assert of_ticker(30_700, usual).findings == ()


def test_a_quiet_day_makes_no_contract_busier_than_it_is() -> None:
    (finding,) = of_ticker(6_000, UsualVolume(11_000.0, 20, 20)).findings
    assert (finding.metrics["volume_to_ticker"], finding.metrics["ticker_volume_to_usual"]) == (4.0, 0.2)
    assert (finding.metric, finding.value) == ("volume_to_usual", 4.0)


@pytest.mark.parametrize(
    ("traded", "usual"),
    [(None, UsualVolume(11_000.0, 20, 20)), (24_000, None), (24_000, UsualVolume(1_000.4, 20, 20))],
    ids=["nothing stated", "no history", "no others"],
)
def test_a_ticker_whose_usual_volume_is_not_known_is_no_measure(
    traded: float | None, usual: UsualVolume | None
) -> None:
    (finding,) = of_ticker(traded, usual).findings
    assert (finding.armed, finding.metric) == (True, "volume_to_usual")
    assert finding.metrics["volume_to_ticker"] is finding.metrics["ticker_volume_to_usual"] is None


@pytest.mark.parametrize(("by_time", "basis"), [(0, "whole_session"), (7, "mixed"), (20, "time_of_session")])
def test_the_metrics_say_what_the_usual_volume_is_of(by_time: int, basis: str) -> None:
    (finding,) = evaluate(BUSY, usual={BUSY.symbol: (100.0, 20, by_time)}).findings
    assert (finding.metrics["usual_by"], finding.metrics["sessions_by_time"]) == (basis, by_time)


# Its volume is 2 % away, and the other strikes trade 100 each.
OTHER_STRIKE = replace(BUSY, strike=110.0, volume=2_940.0, open_interest=9_000.0)
CROWD = [replace(QUIET, strike=60.0 + i) for i in range(5)]


def test_a_leg_has_no_direction_and_half_the_agreement() -> None:
    (alone,) = evaluate(BUSY, *CROWD).findings
    (leg,) = evaluate(BUSY, OTHER_STRIKE, *CROWD).findings
    assert (leg.direction, leg.metrics["pattern"]) == ("neutral", "spread")
    assert leg.metrics["legs"] == [BUSY.symbol, OTHER_STRIKE.symbol]
    assert leg.evidence.agreement == pytest.approx(alone.evidence.agreement / 2)
    assert alone.evidence.agreement == pytest.approx(2 / 4)
    assert leg.intention is None
    assert (alone.direction, alone.metrics["pattern"], alone.metrics["legs"]) == ("bullish", None, [])


def test_a_leg_keeps_the_side_of_its_type_for_its_key() -> None:
    for kind, side in (("call", "bullish"), ("put", "bearish")):
        rows = [replace(row, option_type=kind) for row in (BUSY, OTHER_STRIKE, *CROWD)]
        assert {evaluate(*rows).findings[0].side, evaluate(*rows[:1]).findings[0].side} == {side}


def test_the_session_of_the_open_interest_is_kept_for_the_verdict() -> None:
    dated = replace(chain(), open_interest_date=date(2026, 2, 17))
    (finding,) = DETECTOR.evaluate(view([BUSY], [dated])).findings
    assert finding.metrics["open_interest_date"] == "2026-02-17"


def test_few_sessions_are_no_history() -> None:
    (finding,) = evaluate(BUSY, usual={BUSY.symbol: (3_000.0, 4)}).findings
    assert finding.armed
    assert (finding.metrics["mode"], finding.metrics["sessions"]) == ("day_one", 4)
    assert evaluate(BUSY, usual={BUSY.symbol: (3_000.0, 5)}).findings == ()


def test_a_usual_volume_that_is_not_known_is_no_history() -> None:
    assert evaluate(BUSY, usual={BUSY.symbol: (math.nan, 20)}).findings[0].metrics["mode"] == "day_one"


def test_day_one_is_held_with_less_confidence() -> None:
    day_one = evaluate(BUSY).findings[0]
    history = evaluate(BUSY, usual={BUSY.symbol: (10.0, 20)}).findings[0]
    assert (confidence(history.evidence), confidence(day_one.evidence)) == (1.0, 0.7)
    held = [confidence(evaluate(BUSY, grade=grade).findings[0].evidence) for grade in "CB"]
    assert held[0] < held[1] < 0.7


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (replace(BUSY, volume=499.0, open_interest=10.0, bid=20.0, ask=20.1), "low_volume"),
        (replace(BUSY, bid=0.19, ask=0.21), "low_premium"),
        (replace(BUSY, bid=1.0, ask=3.0), "wide_spread"),
        (QUIET, "low_volume"),
        (replace(QUIET, volume=600.0), "below_threshold"),
    ],
)
def test_a_gate_that_stops_it_is_named(row: Row, reason: str) -> None:
    evaluation = evaluate(row)
    assert (evaluation.status, evaluation.reason) == ("quiet", reason)
    assert not any(finding.armed for finding in evaluation.findings)
    assert reason in DETECTOR_REASONS


def test_low_volume_states_the_largest_volume() -> None:
    evaluation = evaluate(QUIET, replace(QUIET, strike=90.0, volume=321.0))
    assert (evaluation.metric, evaluation.value, evaluation.threshold) == ("volume", 321.0, 500.0)


@pytest.mark.parametrize(
    ("rows", "chain_facts", "reason"),
    [
        ([], {}, "no_usable_chain"),
        ([BUSY], {"grade": "D"}, "no_usable_chain"),
        ([BUSY], {"grade": "F"}, "no_usable_chain"),
        ([BUSY], {"dte": 0}, "no_usable_chain"),
        ([BUSY], {"settlement_time": NOON}, "no_usable_chain"),
        ([BUSY], {"expiration": date(2026, 4, 17)}, "no_usable_chain"),
        ([replace(BUSY, adjusted=True)], {}, "no_usable_chain"),
        ([replace(BUSY, open_interest=0.0), replace(QUIET, open_interest=0.0)], {}, "open_interest_unknown"),
        ([replace(BUSY, open_interest=math.nan)], {}, "open_interest_unknown"),
        ([replace(BUSY, volume_known=False)], {}, "volume_unknown"),
        ([replace(BUSY, volume=math.nan)], {}, "volume_unknown"),
        ([replace(BUSY, bid=0.0, ask=0.0)], {}, "no_two_sided_quote"),
        ([replace(BUSY, bid=2.05, ask=1.95)], {}, "no_two_sided_quote"),
    ],
)
def test_what_cannot_be_judged(rows: list[Row], chain_facts: dict[str, Any], reason: str) -> None:
    evaluation = evaluate(*rows, **chain_facts)
    assert (evaluation.status, evaluation.reason) == ("not_evaluated", reason)
    assert evaluation.findings == ()
    assert evaluation.evaluated_subjects == frozenset()
    assert reason in FIELD_REASONS


def test_only_judged_contracts_are_evaluated_subjects() -> None:
    carried = replace(BUSY, strike=105.0, volume_known=False)
    wide = replace(BUSY, strike=110.0, bid=1.0, ask=3.0)
    unstated = replace(BUSY, strike=115.0, open_interest=math.nan)
    assert evaluate(BUSY, QUIET, carried, wide, unstated).evaluated_subjects == {BUSY.symbol, QUIET.symbol}


def test_a_strike_without_open_interest_in_a_chain_that_states_some() -> None:
    (finding,) = evaluate(QUIET, replace(BUSY, open_interest=0.0)).findings
    assert (finding.value, finding.metrics["open_interest"]) == (3000.0, 0)


def test_open_interest_unknown_in_one_chain_leaves_the_other_judged() -> None:
    far = date(2026, 4, 17)
    dark = replace(BUSY, expiration=far, open_interest=0.0)
    evaluation = DETECTOR.evaluate(view([BUSY, dark], [chain(), chain(expiration=far)]))
    assert [finding.subject for finding in evaluation.findings] == [BUSY.symbol]


def test_two_roots_of_one_date_are_judged_by_their_own_chain() -> None:
    other = replace(BUSY, root="QLMTW")
    evaluation = DETECTOR.evaluate(view([BUSY, other], [chain(grade="F"), chain(root="QLMTW")]))
    assert [finding.subject for finding in evaluation.findings] == [other.symbol]


def test_between_the_levels_a_finding_keeps_and_does_not_arm() -> None:
    for row in (replace(BUSY, volume=700.0), replace(BUSY, volume=2_999.0, bid=0.199, ask=0.201)):
        (finding,) = evaluate(row).findings
        assert not finding.armed
    assert evaluate(replace(BUSY, volume=699.0)).findings == ()
    assert evaluate(replace(BUSY, volume=2_400.0, bid=0.199, ask=0.201)).findings == ()


def test_one_scan_arms_at_most_so_many_the_strongest() -> None:
    rows = [replace(BUSY, strike=100.0 + i, volume=2_000.0 + 100 * i) for i in range(15)]
    evaluation = evaluate(*rows)
    armed = {finding.metrics["strike"] for finding in evaluation.findings if finding.armed}
    assert armed == {100.0 + i for i in range(5, 15)}
    assert len(evaluation.findings) == 15


def test_strength_grows_with_ratio_and_premium_within_bounds() -> None:
    weak, strong = replace(BUSY, volume=1_100.0), replace(BUSY, volume=9_000.0)
    rich = replace(weak, bid=19.5, ask=20.5)
    strengths = [evaluate(row).findings[0].evidence.size for row in (weak, rich, strong)]
    assert strengths[0] < strengths[1] < 1
    assert strengths[0] < strengths[2] < 1
    assert evaluate(replace(BUSY, volume=1e6)).findings[0].evidence.size == pytest.approx(1.0)


def test_quotes_that_came_back_are_no_news() -> None:
    before = [replace(QUIET, strike=90.0 + i, bid=0.0, ask=0.0) for i in range(20)]
    after = [replace(row, bid=1.95, ask=2.05) for row in before]
    assert DETECTOR.evaluate(view(before, [chain(grade="F")])).status == "not_evaluated"
    assert DETECTOR.evaluate(view(after)).findings == ()


def test_volume_of_the_session_before_is_no_news_when_quotes_come_back() -> None:
    carried = [replace(BUSY, strike=90.0 + i, volume_known=False) for i in range(20)]
    assert evaluate(*carried, QUIET).findings == ()


def test_fewer_contracts_than_before_raise_nothing() -> None:
    rows = [replace(QUIET, strike=80.0 + i) for i in range(40)]
    usual = {row.symbol: (100.0, 20) for row in rows}
    for count in (40, 20, 1):
        assert evaluate(*rows[:count], usual=usual).findings == ()


def test_an_expired_chain_beside_a_living_one() -> None:
    dead = replace(BUSY, expiration=date(2026, 2, 18))
    settled = chain(expiration=dead.expiration, dte=0, settlement_time=NOON - timedelta(seconds=1))
    evaluation = UnusualActivity(Config(min_dte=0)).evaluate(view([dead, BUSY], [settled, chain()]))
    assert [finding.subject for finding in evaluation.findings] == [BUSY.symbol]


def test_todays_expiration_is_judged_where_the_configuration_asks_for_it() -> None:
    today = [chain(dte=0, settlement_time=SETTLED)]
    assert UnusualActivity(Config(min_dte=0)).evaluate(view([BUSY], today)).status == "armed"


def test_moneyness_without_any_reference_is_not_invented() -> None:
    bare = replace(chain(), underlying_price=None, reference_price=None)
    assert DETECTOR.evaluate(view([BUSY], [bare])).findings[0].metrics["moneyness"] is None


NUMBERS = st.one_of(st.floats(0, 1e7), st.just(math.nan))


@given(
    st.lists(
        st.builds(
            Row,
            strike=st.integers(1, 500).map(float),
            option_type=st.sampled_from(["call", "put"]),
            volume=NUMBERS,
            open_interest=NUMBERS,
            bid=st.floats(0, 50),
            ask=st.floats(0, 50),
            volume_known=st.booleans(),
            adjusted=st.booleans(),
        ),
        max_size=25,
        unique_by=lambda row: row.symbol,
    ),
    st.dictionaries(st.integers(1, 500), st.tuples(NUMBERS, st.integers(0, 20)), max_size=25),
    st.sampled_from("ABCDEF"),
)
def test_every_armed_finding_passes_every_level(
    rows: list[Row], usual: dict[int, tuple[float, int]], grade: str
) -> None:
    by_symbol = {row.symbol: row for row in rows}
    past = {Row(strike=float(strike)).symbol: facts for strike, facts in usual.items()}
    evaluation = evaluate(*rows, usual=past, grade=grade)
    assert (evaluation.status == "armed") == any(finding.armed for finding in evaluation.findings)
    assert (evaluation.reason is None) == (evaluation.status == "armed")
    assert evaluation.evaluated_subjects is not None
    assert {finding.subject for finding in evaluation.findings} <= evaluation.evaluated_subjects
    for finding in (finding for finding in evaluation.findings if finding.armed):
        row = by_symbol[finding.subject]
        mid = (row.bid + row.ask) / 2
        assert grade <= "C"
        assert row.volume_known
        assert not row.adjusted
        assert row.volume >= 500
        assert row.volume * mid * 100 >= 100_000
        assert row.ask - row.bid <= 0.3 * mid * (1 + 1e-12)
        mean, sessions = past.get(row.symbol, (math.nan, 0))
        if sessions >= 5 and math.isfinite(mean):
            assert row.volume >= row.open_interest
            assert row.volume >= 3 * mean * (1 - 1e-12)
        else:
            assert row.volume > row.open_interest
        assert 0 <= score(finding.evidence)[0] <= 100
        assert 0 <= confidence(finding.evidence) <= 1


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"min_volume": -1}, "min_volume: -1"),
        ({"min_premium": math.nan}, "min_premium: nan"),
        ({"min_premium": "much"}, "min_premium: 'much'"),
        ({"max_armed": True}, "max_armed: True"),
        ({"max_armed": 0}, "max_armed: 0"),
        ({"usual_sessions": 2.5}, "usual_sessions: 2.5"),
        ({"min_volume_to_usual": 0.0}, "min_volume_to_usual"),
        ({"min_volume_to_ticker": 0.0}, "min_volume_to_ticker"),
        ({"rearm_volume_to_ticker": 2.5}, "rearm_volume_to_ticker: 2.5 is above 2"),
        ({"leg_tolerance": 0.5}, "leg_tolerance: 0.5"),
        ({"rearm_volume_to_open_interest": 1.5}, "rearm_volume_to_open_interest: 1.5 is above 1"),
        ({"rearm_volume_to_usual": 4.0}, "rearm_volume_to_usual: 4 is above 3"),
        ({"rearm_premium": 200_000.0}, "rearm_premium"),
    ],
)
def test_levels_that_cannot_work_are_refused_by_name(levels: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config(**levels)


def test_six_hundred_contracts_hold_no_join_up() -> None:
    rows = [
        replace(QUIET, strike=1.0 + i, option_type=side, volume=3_000.0 if i % 30 == 0 else 100.0)
        for i in range(300)
        for side in ("call", "put")
    ]
    seen = view(rows, usual={row.symbol: (50.0, 20) for row in rows})
    assert sum(finding.armed for finding in DETECTOR.evaluate(seen).findings) == 10

    def once() -> float:
        start = time.perf_counter()
        DETECTOR.evaluate(seen)
        return time.perf_counter() - start

    assert min(once() for _ in range(20)) < 0.05


def test_a_contract_that_did_not_trade_today_is_judged_as_0_and_ends_yesterdays_alert() -> None:
    still = replace(BUSY, volume_known=False, untraded=True)
    evaluation = evaluate(still)
    assert evaluation.findings == ()
    assert evaluation.evaluated_subjects == {still.symbol}


def test_what_does_not_arm_is_found_only_where_an_alert_stands_on_it() -> None:
    between = replace(BUSY, volume=800.0)
    seen = view([between, replace(BUSY, strike=105.0)], [chain()])

    def subjects(standing: frozenset[str] | None) -> set[str]:
        return {finding.subject for finding in DETECTOR.evaluate(replace(seen, standing=standing)).findings}

    armed = replace(BUSY, strike=105.0).symbol
    assert subjects(None) == {between.symbol, armed}
    assert subjects(frozenset()) == {armed}
    assert subjects(frozenset({between.symbol})) == {between.symbol, armed}


def test_what_nobody_bids_for_any_more_and_does_not_trade_ends_its_alert() -> None:
    gone = replace(BUSY, bid=0.0, ask=0.02, volume=210.0)
    seen = replace(view([QUIET, gone], [chain()]), standing=frozenset({gone.symbol}))
    judged = DETECTOR.evaluate(seen).evaluated_subjects
    assert judged is not None
    assert gone.symbol in judged
    still_busy = DETECTOR.evaluate(replace(view([QUIET, replace(gone, volume=3_000.0)], [chain()])))
    assert gone.symbol not in (still_busy.evaluated_subjects or ())
