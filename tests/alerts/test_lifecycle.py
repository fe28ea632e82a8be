"""The life of an alert, step by step, and its invariants over random histories of scans."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from collector.alerts.identity import alert_id
from collector.alerts.lifecycle import AlertEvent, advance
from collector.alerts.policy import AlertPolicy
from collector.detectors.base import Direction, Evaluation
from exports.documents import ALERT_FIELDS, ALERT_MARKS
from tests.alerts.findings import EVERY_SESSION, SUBJECT, evaluation, finding, scan, seen_at

# What staff say of an alert is added by the export.
OF_THE_STORE = [field.name for field in ALERT_FIELDS if field not in ALERT_MARKS]

NOON = datetime(2026, 2, 18, 17, 0, tzinfo=UTC)
TODAY = date(2026, 2, 18)
KEY = f"demo|QLMT|test_detector|{SUBJECT}|bullish"
TEN_MINUTES = timedelta(minutes=10)
DAY = timedelta(days=1)


class Story:
    """Alerts of one ticker, told scan by scan; ``records`` holds the newest record of each alert."""

    def __init__(self, policy: AlertPolicy = EVERY_SESSION) -> None:
        self.policy = policy
        self.records: dict[str, dict[str, Any]] = {}
        self.events: list[AlertEvent] = []

    def tell(self, as_of: datetime, *evaluations: Evaluation, scan_id: str = "") -> list[AlertEvent]:
        name = scan_id or f"s{as_of:%m%dT%H%M}"
        events = advance(list(self.records.values()), seen_at(as_of), evaluations, scan(name, policy=self.policy))
        for event in events:
            # As the store keeps them: JSON, nothing that JSON does not hold.
            self.records[event.alert_id] = json.loads(json.dumps(event.alert, allow_nan=False))
        self.events += events
        return events

    def kinds(self, as_of: datetime, *evaluations: Evaluation) -> list[str]:
        return [event.kind for event in self.tell(as_of, *evaluations)]

    @property
    def only(self) -> dict[str, Any]:
        (record,) = self.records.values()
        return record


@pytest.fixture
def story() -> Story:
    return Story()


ARMED = evaluation(finding())
KEPT = evaluation(finding(armed=False, value=1.5))
NOTHING = evaluation()
UNKNOWN = evaluation(known=False)
ELSEWHERE = evaluation(judged=frozenset({"QLMT260320P00090000"}))


def test_a_new_alert_has_every_field_of_the_document(story: Story) -> None:
    (event,) = story.tell(NOON, ARMED)
    assert list(event.alert) == OF_THE_STORE
    assert (event.kind, event.key, event.ticker, event.at, event.market_date) == ("new", KEY, "QLMT", NOON, TODAY)
    assert event.alert_id == event.alert["id"] == alert_id(KEY, TODAY)
    expected = {
        "state": "new",
        "session": "2026-02-18",
        "first_scan_id": "s0218T1700",
        "last_scan_id": "s0218T1700",
        "first_seen": "2026-02-18T17:00:00Z",
        "last_seen": "2026-02-18T17:00:00Z",
        "score": 51.2,
        "trigger": {"metric": "ratio", "value": 3.0, "threshold": 2.0, "comparison": ">="},
        "metrics": {"value": 3.0},
        "strategies": [],
        "verdict": None,
        "outcomes": [],
        "config_hash": "c1",
        "code_version": "0.1.0",
    }
    assert {name: event.alert[name] for name in expected} == expected


def test_times_are_written_in_utc(story: Story) -> None:
    tokyo = NOON.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+09:00").tzinfo)
    events = advance([], seen_at(tokyo, TODAY), [ARMED], scan())
    assert events[0].alert["first_seen"] == "2026-02-18T17:00:00Z"


def test_a_finding_that_only_keeps_begins_nothing(story: Story) -> None:
    assert story.kinds(NOON, KEPT) == []


def test_an_alert_that_is_seen_again_is_ongoing_and_keeps_how_it_began(story: Story) -> None:
    story.tell(NOON, ARMED)
    stronger = evaluation(finding(value=9.0, size=0.9))
    (event,) = story.tell(NOON + TEN_MINUTES, stronger)
    assert event.kind == event.alert["state"] == "ongoing"
    assert event.alert["first_seen"] == "2026-02-18T17:00:00Z"
    assert event.alert["last_seen"] == "2026-02-18T17:10:00Z"
    assert (event.alert["first_scan_id"], event.alert["last_scan_id"]) == ("s0218T1700", "s0218T1710")
    assert event.alert["trigger"]["value"] == 3.0
    assert (event.alert["metrics"]["value"], event.alert["score"]) == (9.0, 75.2)


def test_between_the_levels_it_goes_on(story: Story) -> None:
    story.tell(NOON, ARMED)
    assert story.kinds(NOON + TEN_MINUTES, KEPT) == ["ongoing"]


def test_below_the_rearm_level_it_ends(story: Story) -> None:
    story.tell(NOON, ARMED)
    (event,) = story.tell(NOON + TEN_MINUTES, NOTHING)
    assert event.kind == event.alert["state"] == "ended"
    assert event.alert["last_seen"] == "2026-02-18T17:00:00Z"
    assert (event.alert["metrics"]["ended_at"], event.alert["metrics"]["ended_by"]) == ("2026-02-18T17:10:00Z", "rearm")
    assert event.alert["reason"].endswith("It ended when the figures fell below the level that keeps it.")
    assert story.kinds(NOON + 2 * TEN_MINUTES, NOTHING) == []


def test_what_could_not_be_judged_stays_as_it_is(story: Story) -> None:
    story.tell(NOON, ARMED)
    before = story.only
    for i, told in enumerate([[UNKNOWN], [ELSEWHERE], []], start=1):
        assert story.tell(NOON + i * TEN_MINUTES, *told) == []
    assert story.only == before


def test_an_alert_whose_detector_or_rule_is_gone_ends_and_says_so(story: Story) -> None:
    story.tell(NOON, ARMED)
    assert story.kinds(NOON + TEN_MINUTES, evaluation(detector="another")) == ["ended"]
    assert story.only["metrics"]["ended_by"] == "withdrawn"
    assert story.only["reason"].endswith("It ended because its detector or rule looks at this ticker no more.")


def test_the_end_of_the_session_ends_nothing(story: Story) -> None:
    story.tell(NOON, ARMED)
    assert story.kinds(NOON + DAY, UNKNOWN) == []
    assert story.kinds(NOON + DAY + TEN_MINUTES, KEPT) == ["ongoing"]
    assert story.only["session"] == "2026-02-18"


def test_arming_again_the_same_day_is_no_new_alert(story: Story) -> None:
    first = story.tell(NOON, ARMED)[0].alert_id
    story.tell(NOON + TEN_MINUTES, NOTHING)
    assert story.kinds(NOON + 2 * TEN_MINUTES, KEPT) == []
    (again,) = story.tell(NOON + 3 * TEN_MINUTES, ARMED)
    assert (again.kind, again.alert_id, again.alert["first_seen"]) == ("ongoing", first, "2026-02-18T17:00:00Z")
    assert "ended_at" not in again.alert["metrics"]
    assert "ended" not in again.alert["reason"]
    assert story.kinds(NOON + 4 * TEN_MINUTES, NOTHING) == ["ended"]


def test_arming_on_a_later_day_is_a_new_alert(story: Story) -> None:
    story.tell(NOON, ARMED)
    story.tell(NOON + TEN_MINUTES, NOTHING)
    assert story.kinds(NOON + DAY, ARMED) == ["new"]
    assert len(story.records) == 2


def test_within_the_cool_down_an_ended_alert_goes_on_and_afterwards_a_new_one_begins() -> None:
    story = Story(AlertPolicy(cool_down_days=5))
    first = story.tell(NOON, ARMED)[0].alert_id
    story.tell(NOON + TEN_MINUTES, NOTHING)
    (again,) = story.tell(NOON + TEN_MINUTES + 5 * DAY, ARMED)
    assert (again.kind, again.alert_id) == ("ongoing", first)
    story.tell(NOON + 2 * TEN_MINUTES + 5 * DAY, NOTHING)
    # The cool-down counts from the last end.
    assert story.kinds(NOON + 3 * TEN_MINUTES + 10 * DAY, ARMED) == ["new"]
    assert len(story.records) == 2


def test_a_condition_that_stands_for_39_scans_of_20_sessions_is_one_new_alert() -> None:
    story = Story(AlertPolicy())
    kinds = [
        kind
        for session in range(20)
        for number in range(39)
        for kind in story.kinds(NOON + session * DAY + number * TEN_MINUTES, ARMED if number % 2 else KEPT)
    ]
    assert kinds.count("new") == 1
    assert set(kinds) == {"new", "ongoing"}


def test_a_flicker_around_the_threshold_for_five_sessions_is_one_new_alert() -> None:
    story = Story(AlertPolicy())
    flicker = [ARMED, NOTHING, ARMED, KEPT, NOTHING, ARMED]
    for session in range(5):
        for number, seen in enumerate(flicker):
            story.tell(NOON + session * DAY + number * TEN_MINUTES, seen)
    assert [event.kind for event in story.events].count("new") == 1
    assert len(story.records) == 1


def test_activity_in_two_strikes_of_one_expiration_is_two_alerts(story: Story) -> None:
    other = "QLMT260320C00105000"
    events = story.tell(NOON, evaluation(finding(), finding(subject=other)))
    assert [event.kind for event in events] == ["new", "new"]
    assert len({event.alert_id for event in events}) == 2


def test_an_episode_of_yesterday_that_ends_today_leaves_today_its_own(story: Story) -> None:
    story.tell(NOON, ARMED)
    story.tell(NOON + DAY, NOTHING)
    assert story.kinds(NOON + DAY + TEN_MINUTES, ARMED) == ["new"]
    assert story.kinds(NOON + DAY + 2 * TEN_MINUTES, NOTHING) == ["ended"]
    assert story.kinds(NOON + DAY + 3 * TEN_MINUTES, ARMED) == ["ongoing"]
    assert [event.kind for event in story.events].count("new") == 2


def test_the_other_direction_is_another_alert(story: Story) -> None:
    story.tell(NOON, ARMED)
    events = story.tell(NOON + TEN_MINUTES, evaluation(finding(direction="bearish")))
    assert [(event.kind, event.alert["direction"]) for event in events] == [("new", "bearish"), ("ended", "bullish")]


def settling(at: datetime) -> dict[str, Any]:
    return {"value": 3.0, "settlement_time": f"{at:%Y-%m-%dT%H:%M:%SZ}"}


def test_a_settled_contract_ends_its_alert_whatever_could_be_judged(story: Story) -> None:
    told = evaluation(finding(metrics=settling(NOON + DAY)))
    story.tell(NOON, told)
    assert story.kinds(NOON + DAY - TEN_MINUTES, UNKNOWN) == []
    (event,) = story.tell(NOON + DAY, UNKNOWN)
    assert (event.kind, event.alert["metrics"]["ended_by"]) == ("ended", "expired")
    assert event.alert["reason"].endswith("It ended when the contract settled.")
    assert story.kinds(NOON + DAY + TEN_MINUTES, told) == []


def test_a_finding_about_what_has_settled_begins_nothing(story: Story) -> None:
    assert story.kinds(NOON, evaluation(finding(metrics=settling(NOON)))) == []


def test_an_older_scan_changes_nothing(story: Story) -> None:
    story.tell(NOON, ARMED)
    before = story.only
    for told in (ARMED, KEPT, NOTHING, UNKNOWN):
        assert story.tell(NOON - TEN_MINUTES, told) == []
    assert story.only == before


def test_a_scan_older_than_the_end_does_not_bring_it_back(story: Story) -> None:
    story.tell(NOON, ARMED)
    story.tell(NOON + 2 * TEN_MINUTES, NOTHING)
    assert story.kinds(NOON + TEN_MINUTES, ARMED) == []
    assert story.only["state"] == "ended"


def test_a_scan_older_than_the_end_of_yesterdays_episode_begins_no_other(story: Story) -> None:
    story.tell(NOON - DAY, ARMED)
    story.tell(NOON + TEN_MINUTES, NOTHING)
    assert story.kinds(NOON, ARMED) == []
    assert story.kinds(NOON + 2 * TEN_MINUTES, ARMED) == ["new"]


def test_an_older_session_does_not_begin_an_episode_under_a_newer_one(story: Story) -> None:
    story.tell(NOON, ARMED)
    assert story.kinds(NOON - DAY, ARMED) == []


def test_two_scans_of_one_moment_are_both_taken(story: Story) -> None:
    story.tell(NOON, ARMED, scan_id="close")
    assert [event.kind for event in story.tell(NOON, KEPT, scan_id="by hand")] == ["ongoing"]


def test_a_repeated_join_gives_the_same_events_and_a_joined_scan_none() -> None:
    first = advance([], seen_at(NOON), [ARMED], scan())
    assert advance([], seen_at(NOON), [ARMED], scan()) == first
    assert advance([event.alert for event in first], seen_at(NOON), [ARMED], scan()) == []


def test_a_change_of_configuration_leaves_the_episode_its_own() -> None:
    first = advance([], seen_at(NOON), [ARMED], scan("s1", "c1", "0.1.0"))
    (after,) = advance([first[0].alert], seen_at(NOON + TEN_MINUTES), [ARMED], scan("s2", "c2", "0.2.0"))
    assert (after.alert["config_hash"], after.alert["code_version"]) == ("c1", "0.1.0")


@pytest.mark.parametrize("foreign", [{"provider": "yahoo"}, {"ticker": "ZZYX"}])
def test_alerts_of_others_are_left_alone(foreign: dict[str, str]) -> None:
    (mine,) = advance([], seen_at(NOON), [ARMED], scan("s1"))
    record = mine.alert | foreign
    assert advance([record], seen_at(NOON + TEN_MINUTES), [NOTHING], scan("s2")) == []


def test_of_two_findings_of_one_key_the_armed_and_stronger_counts(story: Story) -> None:
    told = evaluation(finding(armed=False, size=0.9), finding(value=4.0, size=0.4), finding(value=5.0, size=0.6))
    (event,) = story.tell(NOON, told)
    assert (event.kind, event.alert["trigger"]["value"]) == ("new", 5.0)


def test_events_come_in_the_order_of_their_keys(story: Story) -> None:
    told = evaluation(finding("C"), finding("A"), finding("B"))
    assert [event.alert["subject"] for event in story.tell(NOON, told)] == ["A", "B", "C"]


def test_the_given_records_are_not_changed() -> None:
    (event,) = advance([], seen_at(NOON), [ARMED], scan("s1"))
    before = json.dumps(event.alert)
    advance([event.alert], seen_at(NOON + TEN_MINUTES), [NOTHING], scan("s2"))
    assert json.dumps(event.alert) == before


def test_a_reading_that_moves_is_the_same_alert(story: Story) -> None:
    """The other leg of a spread is seen with the second scan: a bullish alert turns neutral, and back."""
    directions: tuple[Direction, ...] = ("bullish", "neutral", "bullish")
    for number, direction in enumerate(directions):
        told = evaluation(replace(finding(direction=direction), side="bullish"))
        assert story.kinds(NOON + number * TEN_MINUTES, told) == ["ongoing" if number else "new"]
        assert (story.only["key"], story.only["direction"]) == (KEY, direction)


SUBJECTS = ("A", "B", "")
SAYINGS = st.fixed_dictionaries(
    {subject: st.sampled_from(["armed", "kept", "quiet", "unjudged"]) for subject in SUBJECTS}
)


class Lives(RuleBasedStateMachine):
    """Random scans, in and out of order, over three subjects; B settles after five sessions."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.count = 0
        self.story = Story()
        self.newest: dict[str, datetime] = {}

    @property
    def dies(self) -> datetime:
        return NOON + 5 * DAY

    def standing(self, market_date: date) -> list[Mapping[str, Any]]:
        """The least that the store hands in: what has not ended, and what ended in this session or later."""
        return [
            record
            for record in self.story.records.values()
            if record["state"] != "ended" or record["metrics"]["ended_at"] >= market_date.isoformat()
        ]

    def tell(self, as_of: datetime, sayings: dict[str, str]) -> None:
        self.count += 1
        facts = {"value": 3.0}
        found = [
            finding(subject, armed=said == "armed", metrics=settling(self.dies) if subject == "B" else facts)
            for subject, said in sayings.items()
            if said in ("armed", "kept")
        ]
        judged = frozenset(subject for subject, said in sayings.items() if said != "unjudged")
        told = [evaluation(*found, judged=judged)]
        context = scan(f"s{self.count}")
        before = {record["id"]: dict(record) for record in self.story.records.values()}
        standing = self.standing(as_of.date())
        events = advance(standing, seen_at(as_of), told, context)
        assert events == advance(standing[::-1], seen_at(as_of), told, context)
        assert len({event.key for event in events}) == len(events)
        for event in events:
            self.check(event, sayings[event.alert["subject"]], before.get(event.alert_id), as_of)
            self.story.records[event.alert_id] = json.loads(json.dumps(event.alert, allow_nan=False))
            self.newest[event.key] = as_of
        self.story.events += events
        assert advance(self.standing(as_of.date()), seen_at(as_of), told, context) == [], "advanced twice by one scan"

    def check(self, event: AlertEvent, said: str, before: dict[str, Any] | None, as_of: datetime) -> None:
        record = event.alert
        assert list(record) == OF_THE_STORE
        assert record["id"] == event.alert_id == alert_id(event.key, date.fromisoformat(record["session"]))
        assert record["score"] == pytest.approx(sum(record["score_parts"].values()))
        assert as_of >= self.newest.get(event.key, as_of), "a late scan changed an alert"
        settled = record["subject"] == "B" and as_of >= self.dies
        if event.kind == "new":
            assert before is None
            assert said == "armed"
            assert not settled
            assert record["session"] == as_of.date().isoformat()
            return
        assert before is not None
        assert record["first_seen"] == before["first_seen"]
        assert record["trigger"] == before["trigger"]
        if event.kind == "ended":
            assert before["state"] != "ended"
            assert said == "quiet" or settled
            assert record["last_seen"] == before["last_seen"]
        else:
            assert said == "armed" or (said == "kept" and before["state"] != "ended")
            assert not settled
            assert record["last_seen"] == f"{as_of:%Y-%m-%dT%H:%M:%SZ}"

    @rule(sayings=SAYINGS, minutes=st.sampled_from([0, 10, 60]))
    def scan_later_today(self, sayings: dict[str, str], minutes: int) -> None:
        end = self.now.replace(hour=21, minute=0)
        self.now = min(self.now + timedelta(minutes=minutes), end)
        self.tell(self.now, sayings)

    @rule(sayings=SAYINGS)
    def scan_next_session(self, sayings: dict[str, str]) -> None:
        self.now = (self.now + DAY).replace(hour=15, minute=0)
        self.tell(self.now, sayings)

    @rule(sayings=SAYINGS, minutes=st.integers(1, 3000))
    def late_scan(self, sayings: dict[str, str], minutes: int) -> None:
        late = self.now - timedelta(minutes=minutes)
        if late >= NOON - DAY:
            self.tell(late, sayings)

    @invariant()
    def a_key_begins_at_most_once_a_session(self) -> None:
        begun = [(event.key, event.alert["session"]) for event in self.story.events if event.kind == "new"]
        assert len(begun) == len(set(begun))

    @invariant()
    def at_most_one_alert_of_a_key_stands(self) -> None:
        stands = [record["key"] for record in self.story.records.values() if record["state"] != "ended"]
        assert len(stands) == len(set(stands))

    @invariant()
    def events_have_ids_of_their_own(self) -> None:
        ids = [event.event_id for event in self.story.events]
        assert len(ids) == len(set(ids))

    @invariant()
    def what_ended_was_begun(self) -> None:
        begun: set[str] = set()
        for event in self.story.events:
            if event.kind == "new":
                begun.add(event.alert_id)
            assert event.alert_id in begun


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


def test_a_failure_of_strategies_costs_the_alert_nothing_else(
    story: Story, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: Any) -> list[dict[str, Any]]:
        raise ZeroDivisionError("no width")

    monkeypatch.setattr("collector.alerts.lifecycle.strategies", broken)
    (event,) = story.tell(NOON, evaluation(replace(finding(), intention="directional")))
    assert (event.kind, event.alert["strategies"]) == ("new", [])
    assert "No strategies for test_detector on QLMT" in caplog.text
    assert "no width" in caplog.text
