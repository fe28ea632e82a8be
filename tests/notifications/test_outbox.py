"""The outbox: every event once a channel, however often it is copied."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collector.models import OutboxMessage
from collector.notifications.outbox import copy_events

NOON = datetime(2026, 2, 18, 17, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def event(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{number}",
        "alert_id": f"a{number}",
        "kind": "new",
        "at": NOON + timedelta(minutes=number),
        "alert": {"summary": f"Alert {number}", "score": 50.0},
    } | changes


def test_an_event_becomes_a_message() -> None:
    assert copy_events("demo", [event()]) == 1
    message = OutboxMessage.objects.get()
    assert (message.market, message.channel, message.event_id, message.alert_id) == ("demo", "page", "e1", "a1")
    assert (message.kind, message.summary, message.happened_at) == ("new", "Alert 1", NOON + timedelta(minutes=1))
    assert message.delivered_at is None


def test_a_repeated_copy_adds_nothing_and_changes_nothing() -> None:
    copy_events("demo", [event(1), event(2)])
    OutboxMessage.objects.filter(event_id="e1").update(delivered_at=NOON)
    assert copy_events("demo", [event(1, alert={"summary": "Other words"}), event(2), event(3)]) == 1
    assert OutboxMessage.objects.count() == 3
    first = OutboxMessage.objects.get(event_id="e1")
    assert (first.delivered_at, first.summary) == (NOON, "Alert 1")


def test_an_event_twice_in_one_copy_counts_once() -> None:
    assert copy_events("demo", [event(1), event(1)]) == 1


def test_markets_and_channels_have_messages_of_their_own() -> None:
    assert copy_events("demo", [event()]) == 1
    assert copy_events("live", [event()]) == 1
    assert copy_events("demo", [event()], channel="mail") == 1
    assert OutboxMessage.objects.count() == 3


def test_nothing_to_copy() -> None:
    assert copy_events("demo", []) == 0
    assert OutboxMessage.objects.count() == 0


def test_more_than_a_chunk_keeps_the_order_of_the_events() -> None:
    def stream() -> Iterator[dict[str, Any]]:
        yield from (event(number) for number in range(1_234))

    assert copy_events("demo", stream()) == 1_234
    assert copy_events("demo", stream()) == 0
    assert list(OutboxMessage.objects.values_list("event_id", flat=True)) == [f"e{number}" for number in range(1_234)]


def test_a_time_as_text_is_read_in_its_zone() -> None:
    copy_events("demo", [event(at="2026-02-18T12:00:00-05:00")])
    assert OutboxMessage.objects.get().happened_at == NOON


def test_a_long_summary_is_cut_to_the_column() -> None:
    copy_events("demo", [event(alert={"summary": "x" * 301})])
    assert OutboxMessage.objects.get().summary == "x" * 300


@pytest.mark.parametrize("field", ["event_id", "alert_id", "kind", "at", "alert"])
def test_an_event_that_lacks_a_field_is_refused_by_name(field: str) -> None:
    broken = event(2)
    del broken[field]
    with pytest.raises(ValueError, match=f"{field} is missing"):
        copy_events("demo", [event(1), broken])
    assert OutboxMessage.objects.count() == 0


@pytest.mark.parametrize("at", [datetime(2026, 2, 18), "2026-02-18T12:00:00"])  # noqa: DTZ001
def test_a_time_without_a_zone_is_refused(at: object) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        copy_events("demo", [event(at=at)])
