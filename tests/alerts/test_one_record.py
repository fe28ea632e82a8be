"""What else a scan finds out about an alert: an event of its own, one record in all events of the scan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from collector.alerts.identity import event_id
from collector.alerts.lifecycle import advance
from collector.alerts.one_record import with_addition
from tests.alerts.findings import evaluation, finding, scan, seen_at

NOON = datetime(2026, 2, 18, 17, tzinfo=UTC)
LATER = NOON + timedelta(days=1)
OUTCOMES = {"outcomes": [{"horizon": "1"}]}


def test_an_alert_that_the_scan_left_alone_gets_an_event_with_its_newest_record() -> None:
    (began,) = advance([], seen_at(NOON), [evaluation(finding())], scan("s1"))
    (added,) = with_addition([], began.alert, OUTCOMES, "outcome", seen_at(LATER), "s2")
    assert (added.kind, added.at, added.market_date, added.key) == ("outcome", LATER, LATER.date(), began.key)
    assert added.event_id == event_id(began.alert_id, "s2", "outcome")
    assert added.alert == {**began.alert, **OUTCOMES}
    assert began.alert["outcomes"] == []


def test_an_alert_that_the_scan_moved_holds_both_in_both_events() -> None:
    began = advance([], seen_at(NOON), [evaluation(finding(), finding("QLMT260320P00090000"))], scan("s1"))
    first = began[0]
    moved = advance([event.alert for event in began], seen_at(LATER), [evaluation()], scan("s2"))
    after = with_addition(moved, first.alert, OUTCOMES, "outcome", seen_at(LATER), "s2")
    assert [event.kind for event in after] == ["ended", "ended", "outcome"]
    mine = [event.alert for event in after if event.alert_id == first.alert_id]
    assert mine[0] == mine[1]
    assert (mine[0]["state"], mine[0]["outcomes"]) == ("ended", OUTCOMES["outcomes"])
    (other,) = [event.alert for event in after if event.alert_id != first.alert_id]
    assert other["outcomes"] == []
