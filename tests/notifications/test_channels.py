"""Which events a channel is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from collector.models import OutboxMessage
from collector.notifications.outbox import copy_events, copy_to_channels
from tests.notifications.events import NOON, event
from tests.notifications.rows import channel

pytestmark = pytest.mark.django_db


def copied(name: str = "hook") -> list[str]:
    return list(OutboxMessage.objects.filter(channel=name).values_list("event_id", flat=True))


def digest(scan: str = "s1") -> dict[str, Any]:
    """Return a digest as collector.alerts.storm makes it."""
    strongest = {"summary": "3 new alerts on 1 tickers", "score": 50.0, "alert_ids": ["a1", "a2", "a3"]}
    groups = {"tickers": ["AAPL"], "detectors": {"unusual_activity": 3}}
    return event(99, "digest", scan) | {"alert_id": "", "alert": strongest | groups}


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ({}, ["e1-new", "e2-new", "e3-new"]),
        ({"tickers": ["AAPL"]}, ["e1-new", "e3-new"]),
        ({"tickers": ["AAPL", "NVDA"], "minimum_score": 40}, ["e1-new", "e2-new"]),
        ({"detectors": ["low_iv"]}, ["e2-new"]),
        ({"detectors": ["low_iv"], "tickers": ["AAPL"]}, []),
        ({"minimum_score": 50}, ["e1-new"]),
        ({"enabled": False}, []),
        ({"market": "live"}, []),
        ({"wants_new": False, "wants_ended": True}, []),
    ],
)
def test_ticker_detector_and_score_decide(filters: dict[str, Any], told: list[str]) -> None:
    channel(**filters)
    events = [event(1), event(2, ticker="NVDA", detector="low_iv", score=49.9), event(3, score=10)]
    assert copy_to_channels("demo", events) == len(told)
    assert copied() == told


def test_of_ends_and_verdicts_only_what_is_wanted_is_told() -> None:
    channel("usual")
    channel("ends", wants_ended=True)
    channel("verdicts", wants_new=False, wants_verdict=True)
    copy_to_channels("demo", [event(1), event(1, "ended", "s2"), event(1, "verdict", "s3")])
    assert copied("usual") == ["e1-new"]
    assert copied("ends") == ["e1-new", "e1-ended"]
    assert copied("verdicts") == ["e1-verdict"]


def test_a_digest_stands_in_for_the_new_alerts_of_its_scan_alone() -> None:
    channel("usual", wants_ended=True)
    channel("digests", wants_new=False, wants_digest=True)
    channel("ends", wants_new=False, wants_ended=True)
    channel("another", tickers=["NVDA"])
    events = [event(1), event(2), event(3, "ended"), digest(), event(4, scan="s2")]
    copy_to_channels("demo", events)
    assert copied("usual") == ["e3-ended", "e99-digest", "e4-new"]
    assert copied("digests") == ["e99-digest"]
    assert copied("ends") == ["e3-ended"]
    # None of the scan's new alerts is of its ticker.
    assert copied("another") == []


def test_a_digest_whose_alerts_are_all_muted_is_not_told() -> None:
    channel()
    copy_to_channels("demo", [event(1), digest()], muted=lambda one: one["alert_id"] == "a1")
    assert copied() == []


def test_what_is_muted_stays_on_the_pages_and_is_told_to_nobody() -> None:
    channel()
    events = [event(1), event(2, ticker="NVDA")]
    copy_events("demo", events)
    assert copy_to_channels("demo", events, muted=lambda one: one["alert"]["ticker"] == "NVDA") == 1
    assert copied() == ["e1-new"]
    assert copied("page") == ["e1-new", "e2-new"]


def test_a_channel_made_later_gets_no_old_events() -> None:
    made = channel()
    type(made).objects.filter(pk=made.pk).update(created_at=NOON + timedelta(minutes=2))
    assert copy_to_channels("demo", [event(1), event(2)]) == 1
    assert copied() == ["e2-new"]


def test_repeated_copies_add_nothing_and_change_nothing() -> None:
    channel("one")
    channel("two")
    events = [event(1), event(2)]
    assert copy_to_channels("demo", events) == 4
    OutboxMessage.objects.filter(event_id="e1-new").update(state="delivered", attempts=1)
    assert copy_to_channels("demo", events) == 0
    assert sorted(OutboxMessage.objects.values_list("state", "attempts")) == [
        ("delivered", 1),
        ("delivered", 1),
        ("waiting", 0),
        ("waiting", 0),
    ]


@pytest.mark.parametrize("field", ["scan_id", "inserted_at", "event_id", "alert"])
def test_an_event_that_lacks_a_field_is_refused_by_name(field: str) -> None:
    channel()
    broken = event(2)
    del broken[field]
    with pytest.raises((ValueError, KeyError), match=field):
        copy_to_channels("demo", [broken])
