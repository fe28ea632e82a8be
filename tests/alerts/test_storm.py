"""Many alerts that begin in one scan are told as one digest."""

from __future__ import annotations

import json
from dataclasses import replace

from collector.alerts.lifecycle import AlertEvent, advance
from collector.alerts.policy import AlertPolicy
from collector.alerts.storm import digest
from tests.alerts.findings import evaluation, finding, scan, seen_at
from tests.alerts.test_lifecycle import NOON

STORM = AlertPolicy(storm=20)


def beginnings(tickers: int) -> list[AlertEvent]:
    """One alert begins on each of so many tickers, each a little stronger than the one before."""
    events: list[AlertEvent] = []
    for number in range(tickers):
        found = replace(finding(size=number / 1000), ticker=f"T{number:03}", detector="one" if number % 3 else "other")
        view = replace(seen_at(NOON), ticker=f"T{number:03}")
        events += advance([], view, [evaluation(found, detector=found.detector)], scan(policy=STORM))
    return events


def test_200_tickers_at_once_are_one_digest() -> None:
    events = beginnings(200)
    told = digest(events, STORM.storm, scan(policy=STORM))
    assert told is not None
    assert (told.kind, told.ticker, told.at) == ("digest", "", NOON)
    assert told.alert["summary"].startswith("200 new alerts on 200 tickers (133 one, 67 other). Strongest: ")
    assert told.alert["alert_ids"][0] == events[-1].alert_id
    assert set(told.alert["alert_ids"]) == {event.alert_id for event in events}
    assert told.alert["detectors"] == {"one": 133, "other": 67}
    assert json.loads(json.dumps(told.alert, allow_nan=False)) == told.alert


def test_as_many_as_the_limit_are_told_one_by_one() -> None:
    assert digest(beginnings(20), STORM.storm, scan()) is None
    assert digest(beginnings(21), STORM.storm, scan()) is not None


def test_what_goes_on_makes_no_storm() -> None:
    events: list[AlertEvent] = []
    for record in [event.alert for event in beginnings(30)]:
        found = replace(finding(), ticker=record["ticker"], detector=record["detector"])
        view = replace(seen_at(NOON.replace(hour=18)), ticker=record["ticker"])
        events += advance([record], view, [evaluation(found, detector=found.detector)], scan("s2"))
    assert [event.kind for event in events] == ["ongoing"] * 30
    assert digest(events, STORM.storm, scan("s2")) is None


def test_a_repeated_join_tells_the_same_digest() -> None:
    assert digest(beginnings(30), 20, scan()) == digest(beginnings(30), 20, scan())
