"""Verdicts as events of alerts: one each, whatever the alert does meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from collector.alerts.confirmation import confirmed
from collector.alerts.lifecycle import AlertEvent, advance
from collector.alerts.policy import AlertPolicy
from collector.alerts.verdicts import Seen
from collector.detectors.base import TickerView
from collector.detectors.unusual_activity import UnusualActivity
from collector.market.calendar import exchange_sessions
from tests.alerts.findings import evaluation, scan, seen_at
from tests.detectors.views import MARKET_DATE, NOON, Row, chain, view

TUESDAY, THURSDAY = date(2026, 2, 17), date(2026, 2, 19)
MORNING = datetime(2026, 2, 19, 15, tzinfo=UTC)
BUSY = Row(volume=3_000.0)
STILL = replace(BUSY, volume=10.0, open_interest=3_500.0)


def looked(row: Row, as_of: datetime, market_date: date, counted: date) -> TickerView:
    head = replace(chain(), open_interest_date=counted, totals={"open_interest": 9_000})
    return view([Row(strike=95.0), row], [head], as_of=as_of, market_date=market_date)


WEDNESDAY = looked(BUSY, NOON, MARKET_DATE, TUESDAY)
NEXT = looked(STILL, MORNING, THURSDAY, MARKET_DATE)


def begun() -> dict[str, Any]:
    (event,) = advance([], WEDNESDAY, [UnusualActivity().evaluate(WEDNESDAY)], scan("s1"))
    assert event.kind == "new"
    return event.alert


ALERT = begun()
SEEN = {ALERT["id"]: Seen(3_000, 1_000, TUESDAY)}


def judged(standing: dict[str, Any], today: TickerView, name: str = "s2") -> list[AlertEvent]:
    context = scan(name, policy=AlertPolicy())
    moved = advance([standing], today, [UnusualActivity().evaluate(today)], context)
    return confirmed(moved, [standing], SEEN, today, exchange_sessions(), context)


def ended() -> dict[str, Any]:
    quiet = evaluation(detector="unusual_activity")
    (event,) = advance([ALERT], seen_at(NOON + timedelta(hours=1)), [quiet], scan("s1b"))
    assert event.kind == "ended"
    return event.alert


def test_an_alert_that_ends_with_the_scan_of_its_verdict_holds_it_in_both_events() -> None:
    events = judged(ALERT, NEXT)
    assert [(event.kind, event.alert["state"]) for event in events] == [("ended", "ended"), ("verdict", "ended")]
    assert events[0].alert == events[1].alert
    assert events[1].alert["verdict"] == {
        "verdict": "opened",
        "open_interest_before": 1_000,
        "open_interest_after": 3_500,
        "change": 2_500,
        "market_date": "2026-02-19",
        "decided_at": "2026-02-19T15:00:00Z",
        "reason": None,
    }
    assert (events[1].at, events[1].market_date, events[1].key) == (MORNING, THURSDAY, ALERT["key"])
    assert events[0].event_id != events[1].event_id


def test_an_alert_that_has_ended_gets_its_verdict_and_stays_ended() -> None:
    end = ended()
    (event,) = judged(end, NEXT)
    assert (event.kind, event.alert["state"], event.alert["verdict"]["verdict"]) == ("verdict", "ended", "opened")
    assert {name: value for name, value in event.alert.items() if value != end[name]} == {
        "verdict": event.alert["verdict"]
    }


def test_an_alert_that_could_not_be_judged_today_gets_its_verdict_alone() -> None:
    carried = looked(replace(STILL, volume_known=False), MORNING, THURSDAY, MARKET_DATE)
    (event,) = judged(ALERT, carried)
    assert (event.kind, event.alert["state"]) == ("verdict", "new")


def test_a_verdict_is_given_once_and_kept() -> None:
    record = judged(ALERT, NEXT)[-1].alert
    later = looked(BUSY, MORNING + timedelta(hours=1), THURSDAY, MARKET_DATE)
    (event,) = judged(record, later, "s3")
    assert (event.kind, event.alert["state"]) == ("ongoing", "ongoing")
    assert event.alert["verdict"] == record["verdict"]


def test_without_what_it_saw_or_in_its_own_session_there_is_none() -> None:
    today = looked(STILL, NOON + timedelta(hours=1), MARKET_DATE, TUESDAY)
    assert [event.kind for event in judged(ALERT, today)] == ["ended"]
    moved = advance([ALERT], NEXT, [UnusualActivity().evaluate(NEXT)], scan("s2"))
    assert confirmed(moved, [ALERT], {}, NEXT, exchange_sessions(), scan("s2")) == moved


def test_a_scan_that_is_joined_late_brings_none() -> None:
    later = looked(BUSY, MORNING + timedelta(hours=1), THURSDAY, date(2026, 2, 17))
    (ongoing,) = judged(ALERT, later)
    assert (ongoing.kind, ongoing.alert["verdict"]) == ("ongoing", None)
    assert judged(ongoing.alert, NEXT) == []


def test_the_cool_down_counts_from_the_end_and_not_from_the_verdict() -> None:
    record = judged(ended(), NEXT)[-1].alert
    # It ended on the 18th at 18:00 and was judged on the 19th at 15:00; five days later:
    for hour, kind in ((17, "ongoing"), (19, "new")):
        monday = looked(BUSY, datetime(2026, 2, 23, hour, tzinfo=UTC), date(2026, 2, 23), date(2026, 2, 20))
        (event,) = judged(record, monday, "s3")
        assert event.kind == kind
