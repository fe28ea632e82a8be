"""Verdicts on activity alerts, worked by hand: a Wednesday's alert, and the open interest of the mornings after."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from collector.alerts.verdicts import Config, Seen, Verdict, awaits, verdict
from collector.detectors.base import ConfigError
from collector.market.calendar import continuous_sessions, exchange_sessions
from exports.documents import VERDICT_FIELDS
from exports.reasons import explain
from tests.detectors.views import NEAR, SETTLED, Row, chain, view

TUESDAY, SESSION, THURSDAY, FRIDAY = (date(2026, 2, day) for day in (17, 18, 19, 20))
MORNING = datetime(2026, 2, 19, 15, tzinfo=UTC)
# 1,000 were open on Wednesday morning, and 3,000 traded.
SEEN = Seen(3_000, 1_000, TUESDAY)
ALERTED = Row()
OTHER = Row(strike=105.0)


def record(**changes: Any) -> dict[str, Any]:
    metrics = {
        "contract_symbol": ALERTED.symbol,
        "root": "QLMT",
        "expiration": NEAR.isoformat(),
        "settlement_time": f"{SETTLED:%Y-%m-%dT%H:%M:%SZ}",
    }
    return {
        "detector": "unusual_activity",
        "session": SESSION.isoformat(),
        "verdict": None,
        "metrics": metrics,
    } | changes


def decide(
    after: float,
    *others: Row,
    seen: Seen = SEEN,
    counted: date = SESSION,
    config: Config | None = None,
    alert: dict[str, Any] | None = None,
    as_of: datetime = MORNING,
    stated: bool = True,
    **chain_facts: Any,
) -> Verdict | None:
    row = replace(ALERTED, open_interest=after)
    head = replace(
        chain(**chain_facts), open_interest_date=counted, totals={"open_interest": 5_000 if stated else None}
    )
    today = view([row, *others], [head], as_of=as_of, market_date=THURSDAY)
    return verdict(alert or record(), seen, today, exchange_sessions(), config or Config())


@pytest.mark.parametrize(
    ("after", "outcome"),
    [(4_000, "opened"), (1_900, "opened"), (1_899, "mixed"), (1_000, "mixed"), (101, "mixed"), (100, "closed")],
)
def test_the_change_over_the_volume_decides(after: int, outcome: str) -> None:
    found = decide(after)
    assert found is not None
    assert (found.verdict, found.open_interest_before, found.open_interest_after) == (outcome, 1_000, after)
    assert found.reason is None


def test_all_that_was_open_and_closed_is_closed() -> None:
    found = decide(0, seen=Seen(1_200, 1_000, TUESDAY))
    assert found is not None
    assert found.verdict == "closed"


def test_as_json_it_is_what_the_document_describes() -> None:
    found = decide(2_500)
    assert found is not None
    assert found.as_json() == {
        "verdict": "opened",
        "open_interest_before": 1_000,
        "open_interest_after": 2_500,
        "change": 1_500,
        "market_date": "2026-02-19",
        "decided_at": "2026-02-19T15:00:00Z",
        "reason": None,
    }
    assert list(found.as_json()) == [field.name for field in VERDICT_FIELDS]


def test_levels_are_moved_by_the_configuration() -> None:
    found = decide(1_900, config=Config(opened=0.5))
    assert found is not None
    assert found.verdict == "mixed"
    for name in ("opened", "closed"):
        for value in (0.0, 1.5, "x"):
            with pytest.raises(ConfigError, match=name):
                Config(**{name: value})


def test_until_the_open_interest_of_the_session_is_known_nothing_is_said() -> None:
    # In the evening of a market that never closes the newest count is still Tuesday's.
    assert decide(4_000, counted=TUESDAY) is None


@pytest.mark.parametrize("grade", ["E", "F"])
def test_an_unusable_chain_is_waited_out(grade: str) -> None:
    assert decide(4_000, grade=grade) is None
    assert decide(4_000, grade="D") is not None


def test_a_chain_that_is_not_there_is_waited_for() -> None:
    assert decide(4_000, expiration=date(2026, 4, 17)) is None
    assert decide(4_000, root="QLMTW") is None


def test_a_chain_that_states_no_open_interest_is_waited_out() -> None:
    assert decide(0, stated=False) is None


def unknown(found: Verdict | None) -> str:
    """The reason of a verdict that is unknown."""
    assert found is not None
    assert found.verdict == "unknown"
    assert found.reason is not None
    assert explain(found.reason)
    return found.reason


def test_the_change_of_several_sessions_is_no_verdict() -> None:
    late = decide(4_000, counted=THURSDAY)
    assert unknown(late) == "several_sessions"
    assert late is not None
    assert (late.open_interest_before, late.open_interest_after, late.as_json()["change"]) == (1_000, None, None)
    assert unknown(decide(0, counted=THURSDAY, stated=False)) == "several_sessions"
    # The alert saw Friday's, over a holiday: Monday the 16th has no session.
    assert unknown(decide(4_000, seen=Seen(3_000, 1_000, date(2026, 2, 13)))) == "several_sessions"


def test_a_holiday_is_no_session_between() -> None:
    tuesday = record(session=TUESDAY.isoformat())
    found = decide(4_000, alert=tuesday, counted=TUESDAY, seen=Seen(3_000, 1_000, date(2026, 2, 13)))
    assert found is not None
    assert found.verdict == "opened"


def test_a_contract_that_is_gone_adjusted_or_of_unknown_open_interest() -> None:
    head = replace(chain(), open_interest_date=SESSION, totals={"open_interest": 5_000})

    def of(row: Row) -> Verdict | None:
        today = view([row, OTHER], [head], as_of=MORNING, market_date=THURSDAY)
        return verdict(record(), SEEN, today, exchange_sessions(), Config())

    assert unknown(of(replace(ALERTED, strike=99.0))) == "contract_missing"
    assert unknown(of(replace(ALERTED, adjusted=True))) == "contract_adjusted"
    assert unknown(of(replace(ALERTED, open_interest=float("nan")))) == "open_interest_unknown"


def test_a_contract_that_settled_unseen_has_no_verdict_to_come() -> None:
    gone = decide(4_000, expiration=date(2026, 4, 17), as_of=SETTLED)
    assert unknown(gone) == "contract_expired"


def test_an_alert_that_saw_no_open_interest_of_before_cannot_be_judged() -> None:
    found = decide(4_000, seen=Seen(3_000))
    assert unknown(found) == "open_interest_unknown"
    assert found is not None
    assert found.open_interest_after == 4_000


def test_only_activity_of_an_earlier_session_awaits_a_verdict() -> None:
    assert awaits(record(), THURSDAY)
    assert not awaits(record(), SESSION)
    assert not awaits(record(detector="low_iv"), THURSDAY)
    assert not awaits(record(verdict={"verdict": "unknown"}), THURSDAY)


def test_the_demos_sessions_follow_one_another_as_the_exchanges_do() -> None:
    assert continuous_sessions().previous(SESSION).date == exchange_sessions().previous(SESSION).date == TUESDAY
