"""Which outcomes a scan may judge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.alerts.lifecycle import advance
from collector.alerts.outcomes import Case, Standing
from collector.pipeline.judge_outcomes import judge_outcomes
from collector.store.outcomes import Due, Ledger
from tests.alerts.findings import evaluation, finding, scan, seen_at

NOON = datetime(2026, 2, 18, 17, tzinfo=UTC)
LATER = NOON + timedelta(days=1)
RECORD: dict[str, Any] = {"bars": {"date": [], "split_factor": []}}


def due(at: datetime = NOON, **changes: Any) -> tuple[dict[str, Any], Ledger]:
    """An alert of NOON whose spot went from 100 to 103 by the next session."""
    (began,) = advance([], seen_at(NOON), [evaluation(finding(subject=""))], scan("s1"))
    case = Case(
        began.alert,
        "spot_follows",
        "1",
        LATER.date(),
        Standing(NOON.date(), {"price": 100.0}),
        Standing(LATER.date(), {"price": 103.0}),
    )
    return began.alert, Ledger({"QLMT": [Due(case, began.alert, at, **changes)]})


def test_what_is_due_is_judged() -> None:
    _, ledger = due()
    (event,), ((_, told),) = judge_outcomes([], ledger, seen_at(LATER), RECORD, scan("s2"))
    assert (event.kind, told.hit) == ("outcome", True)
    assert event.alert["outcomes"] == [told.to_json()]


def test_a_scan_that_is_joined_late_leaves_it_to_a_later_one() -> None:
    _, ledger = due(at=LATER + timedelta(minutes=10))
    assert judge_outcomes([], ledger, seen_at(LATER), RECORD, scan("s2")) == ([], [])


def test_a_close_scan_without_a_usable_chain_stands_for_no_session() -> None:
    _, ledger = due(by_this_scan=True)
    for features, judged in (({"grade": "F", "price": 101.0}, 0), ({"grade": "C", "price": 101.0}, 1), ({}, 0)):
        view = replace(seen_at(LATER), features=features)
        _, told = judge_outcomes([], ledger, view, RECORD, scan("s2"))
        assert len(told) == judged


def test_a_split_of_the_scans_own_bars_is_undone() -> None:
    _, ledger = due()
    bars = {"bars": {"date": ["2026-02-18", "2026-02-19"], "split_factor": [5.0, 2.0]}}
    _, ((_, told),) = judge_outcomes([], ledger, seen_at(LATER), bars, scan("s2"))
    assert (told.value_then, told.value_now) == (50.0, 103.0)
