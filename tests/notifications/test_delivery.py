"""Delivery: at least once, under one key, until it arrives or is given up."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from typing import Any

import pytest
import time_machine
from django.db import connection
from django_q.models import OrmQ

from collector.models import Channel, OutboxMessage
from collector.notifications import delivery, webhook
from collector.notifications.delivery import (
    MAX_ATTEMPTS,
    Outcome,
    delay,
    deliver,
    deliver_due,
    redeliver,
    send_test,
)
from collector.notifications.delivery_error import DeliveryError
from collector.notifications.outbox import copy_events, copy_to_channels
from exports.folders import MarketFolder
from exports.locks import KernelLock
from tests.notifications.events import NOON, event
from tests.notifications.receiver import Answer, Receiver, receiver
from tests.notifications.rows import channel

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> Iterator[time_machine.Coordinates]:
    """Half an hour after the first event; the test moves it."""
    with time_machine.travel(NOON + timedelta(minutes=30), tick=False) as travelled:
        yield travelled


def copied(*numbers: int) -> list[int]:
    copy_to_channels("demo", [event(number) for number in numbers or (1,)])
    return list(OutboxMessage.objects.values_list("pk", flat=True))


def row(number: int = 1) -> OutboxMessage:
    return OutboxMessage.objects.get(event_id=f"e{number}-new")


def test_a_message_arrives_once(inbox: Receiver, market_folder: MarketFolder, now: Any) -> None:
    channel(target_url=f"{inbox.url}/hook")
    copied()
    assert deliver_due(market_folder) == "1 delivered"
    assert deliver_due(market_folder) == "nothing was due"
    (got,) = inbox.received
    assert json.loads(got.body) == {
        "version": 1,
        "event_id": "e1-new",
        "alert_id": "a1",
        "kind": "new",
        "market": "demo",
        "at": "2026-02-18T17:01:00Z",
        "alert": event(1)["alert"],
    }
    message = row()
    assert (message.state, message.attempts, message.last_error) == ("delivered", 1, "")
    assert message.delivered_at == NOON + timedelta(minutes=30)
    assert (message.next_attempt_at, message.lease_until) == (None, None)


def test_it_arrives_through_apprise(inbox: Receiver, market_folder: MarketFolder) -> None:
    channel(kind="apprise", target_url=f"json://{inbox.address}/hook", secret="")
    copied()
    assert deliver_due(market_folder) == "1 delivered"
    assert json.loads(inbox.received[0].body)["message"].endswith("Alert a1")


def test_a_digest_arrives_in_place_of_its_alerts(inbox: Receiver, market_folder: MarketFolder) -> None:
    channel(kind="apprise", target_url=f"json://{inbox.address}/", secret="")
    many = event(3, "digest") | {"alert_id": "", "alert": {"summary": "2 new alerts on 1 tickers", "score": 50.0}}
    assert copy_to_channels("demo", [event(1), event(2), many]) == 1
    assert deliver_due(market_folder) == "1 delivered"
    told = json.loads(inbox.received[0].body)
    assert (told["title"], told["message"]) == ("[demo] Many new alerts", "2 new alerts on 1 tickers")


def test_what_the_pages_show_is_not_sent(market_folder: MarketFolder) -> None:
    copy_events("demo", [event(1)])
    assert deliver_due(market_folder) == "nothing was due"
    assert row().state == "shown"


def test_trouble_is_waited_out_longer_each_time_under_one_key(
    inbox: Receiver, market_folder: MarketFolder, now: Any
) -> None:
    channel(target_url=inbox.url)
    copied()
    inbox.answers = [Answer(500), Answer(503), Answer(429, {"Retry-After": "900"})]
    waits = []
    for error in ("answered 500", "answered 503", "answered 429"):
        assert deliver_due(market_folder) == "1 put off"
        message = row()
        assert (message.state, message.last_error) == ("waiting", error)
        assert message.next_attempt_at is not None
        waits.append((message.next_attempt_at - datetime.now(UTC)).total_seconds())
        assert deliver_due(market_folder) == "nothing was due"
        now.move_to(message.next_attempt_at)
    # 30 s and 60 s, a quarter more or less; then what was asked for.
    assert 22.5 <= waits[0] <= 37.5
    assert 45 <= waits[1] <= 75
    assert waits[2] == 900
    assert deliver_due(market_folder) == "1 delivered"
    assert row().attempts == 4
    assert len(inbox.received) == 4
    assert len(set(inbox.keys())) == 1
    assert len({got.body for got in inbox.received}) == 1


def test_waits_double_up_to_an_hour_and_scatter() -> None:
    for attempts, middle in ((1, 30), (2, 60), (5, 480), (7, 1_920), (8, 3_600), (10, 3_600)):
        waits = [delay(attempts).total_seconds() for _ in range(200)]
        assert 0.75 * middle <= min(waits) < 0.9 * middle
        assert 1.1 * middle < max(waits) <= 1.25 * middle
    assert delay(1, 120) == timedelta(seconds=120)
    assert delay(1, 10**9) == timedelta(hours=6)


def test_a_refusal_is_a_dead_letter_at_once_and_redelivery_sends_it_with_the_same_key(
    inbox: Receiver, market_folder: MarketFolder, now: Any
) -> None:
    channel(target_url=inbox.url)
    copied()
    inbox.answers = [Answer(404)]
    assert deliver_due(market_folder) == "1 dead"
    message = row()
    assert (message.state, message.attempts, message.last_error) == ("dead", 1, "answered 404")
    now.shift(timedelta(days=1))
    assert deliver_due(market_folder) == "nothing was due"
    assert redeliver([message]) == 1
    assert OrmQ.objects.count() == 1
    assert deliver_due(market_folder) == "1 delivered"
    assert row().state == "delivered"
    assert len(set(inbox.keys())) == 1
    assert len(inbox.received) == 2


def test_after_the_last_attempt_it_is_a_dead_letter(inbox: Receiver, market_folder: MarketFolder, now: Any) -> None:
    channel(target_url=inbox.url)
    copied()
    inbox.usual = Answer(500)
    outcomes = []
    while row().state == "waiting":
        outcomes.append(deliver_due(market_folder))
        now.shift(timedelta(hours=2))
    assert outcomes == ["1 put off"] * (MAX_ATTEMPTS - 1) + ["1 dead"]
    assert len(inbox.received) == MAX_ATTEMPTS
    assert row().last_error == "answered 500"


def test_redelivery_leaves_what_arrived_and_makes_due_what_is_put_off(
    inbox: Receiver, market_folder: MarketFolder, now: Any
) -> None:
    channel(target_url=inbox.url)
    copied(1, 2)
    inbox.answers = [Answer(), Answer(500)]
    assert deliver_due(market_folder) == "1 delivered, 1 put off"
    assert redeliver(OutboxMessage.objects.all()) == 1
    assert deliver_due(market_folder) == "1 delivered"
    assert len(inbox.received) == 3


@pytest.mark.parametrize(
    ("zone", "quiet", "awake"),
    [
        # 22:00 to 07:00 by the clocks of each zone, in February.
        ("America/New_York", "2026-02-19T03:00", "2026-02-19T12:00"),
        ("Europe/Berlin", "2026-02-18T21:00", "2026-02-19T06:00"),
        ("Asia/Tokyo", "2026-02-19T13:00", "2026-02-19T22:00"),
    ],
)
def test_what_happens_in_quiet_hours_waits_until_they_end(
    inbox: Receiver, market_folder: MarketFolder, zone: str, quiet: str, awake: str
) -> None:
    channel(target_url=inbox.url, quiet_from=clock(22), quiet_until=clock(7), quiet_zone=zone)
    begin, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (quiet, awake))
    with time_machine.travel(begin - timedelta(seconds=1), tick=False) as travelled:
        first, second = copied(1, 2)
        assert deliver(first) == Outcome.DELIVERED
        for moment in (begin, begin + timedelta(hours=3), end - timedelta(seconds=1)):
            travelled.move_to(moment)
            assert deliver_due(market_folder) == "nothing was due"
            assert deliver(second) == Outcome.NOT_DUE
        assert row(2).attempts == 0
        travelled.move_to(end)
        assert deliver_due(market_folder) == "1 delivered"
    assert len(inbox.received) == 2


def test_a_disabled_channel_is_told_nothing_until_it_is_enabled(inbox: Receiver, market_folder: MarketFolder) -> None:
    made = channel(target_url=inbox.url)
    (message,) = copied()
    Channel.objects.update(enabled=False)
    assert deliver_due(market_folder) == "nothing was due"
    assert deliver(message) == Outcome.NOT_DUE
    Channel.objects.filter(pk=made.pk).update(enabled=True)
    assert deliver_due(market_folder) == "1 delivered"


def test_messages_of_a_deleted_channel_are_dead_letters(market_folder: MarketFolder) -> None:
    channel()
    copied()
    Channel.objects.all().delete()
    assert deliver_due(market_folder) == "1 dead"
    assert row().last_error == "has no channel any more"


def test_another_markets_messages_are_left_alone(inbox: Receiver, market_folder: MarketFolder) -> None:
    channel(market="live", target_url=inbox.url)
    copy_to_channels("live", [event(1)])
    assert deliver_due(market_folder) == "nothing was due"
    assert inbox.received == []


def test_a_dead_receiver_costs_one_attempt_a_round_and_holds_no_other_channel_up(
    inbox: Receiver, market_folder: MarketFolder
) -> None:
    with receiver() as dead:
        dead.usual = Answer(503)
        channel("a dead one", target_url=dead.url)
        channel("the other", target_url=inbox.url)
        copy_to_channels("demo", [event(number) for number in range(20)])
        assert deliver_due(market_folder) == "20 delivered, 1 put off"
        assert len(dead.received) == 1
        assert deliver_due(market_folder) == "1 put off"
        assert len(dead.received) == 2


def test_a_channel_that_fails_comes_after_those_that_do_not(
    inbox: Receiver, market_folder: MarketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(delivery, "send", lambda one, what, *rest: order.append(one.name))
    channel("a")
    channel("b")
    copy_to_channels("demo", [event(1), event(2)])
    OutboxMessage.objects.filter(channel="a", event_id="e1-new").update(attempts=1)
    assert deliver_due(market_folder) == "4 delivered"
    assert order == ["b", "b", "a", "a"]


def test_a_round_ends_when_its_time_is_over(
    inbox: Receiver, market_folder: MarketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "ROUND_SECONDS", 0.5)
    inbox.usual = Answer(wait=0.3)
    channel(target_url=inbox.url)
    copied(*range(10))
    assert deliver_due(market_folder) == "2 delivered"


def test_one_round_runs_at_a_time(market_folder: MarketFolder) -> None:
    with KernelLock(market_folder.lock_dir / "delivery.lock", "a test"):
        assert deliver_due(market_folder) == "another round runs"


def test_what_is_being_sent_is_sent_by_nobody_else_until_the_lease_is_over(inbox: Receiver, now: Any) -> None:
    channel(target_url=inbox.url)
    (message,) = copied()
    # Somebody claimed it and was killed.
    OutboxMessage.objects.update(attempts=1, lease_until=datetime.now(UTC) + delivery.LEASE)
    assert deliver(message) == Outcome.NOT_DUE
    now.shift(delivery.LEASE)
    assert deliver(message) == Outcome.DELIVERED
    assert row().attempts == 2


def test_one_that_kills_its_sender_each_time_is_given_up(inbox: Receiver, now: Any) -> None:
    channel(target_url=inbox.url)
    (message,) = copied()
    OutboxMessage.objects.update(attempts=MAX_ATTEMPTS, lease_until=datetime.now(UTC) - timedelta(seconds=1))
    assert deliver(message) == Outcome.DEAD
    assert row().last_error == "was interrupted at each attempt"
    assert inbox.received == []


def test_who_comes_back_after_the_lease_writes_nothing(inbox: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    channel(target_url=inbox.url)
    (message,) = copied()

    def overtaken(*arguments: object) -> None:
        OutboxMessage.objects.update(attempts=2, state="delivered", last_error="")
        raise DeliveryError("answered 500")

    monkeypatch.setattr(webhook, "post", overtaken)
    deliver(message)
    assert (row().state, row().last_error) == ("delivered", "")


@pytest.mark.django_db(transaction=True)
def test_of_four_workers_one_sends(inbox: Receiver) -> None:
    channel(target_url=inbox.url)
    inbox.usual = Answer(wait=0.3)
    (message,) = copied()
    barrier = threading.Barrier(4)
    outcomes: list[str] = []

    def work() -> None:
        barrier.wait()
        try:
            outcomes.append(deliver(message))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["delivered", "not due", "not due", "not due"]
    assert len(inbox.received) == 1


def test_a_test_message_is_sent_at_once_and_stays_out_of_the_outbox(inbox: Receiver) -> None:
    made = channel(target_url=inbox.url, quiet_from=clock(0), quiet_until=clock(23, 59))
    send_test(made)
    send_test(made)
    told = json.loads(inbox.received[0].body)
    assert (told["kind"], told["alert"]["summary"]) == ("test", "The channel “hook” works: alerts will arrive here.")
    assert len(set(inbox.keys())) == 2
    assert OutboxMessage.objects.count() == 0
    inbox.usual = Answer(401)
    with pytest.raises(DeliveryError, match="answered 401"):
        send_test(made)


def test_no_message_no_delivery() -> None:
    assert deliver(10**9) == Outcome.NOT_DUE


def test_a_round_of_messages_takes_little_time(inbox: Receiver, market_folder: MarketFolder) -> None:
    channel(target_url=inbox.url)
    copied(*range(50))
    begun = time.monotonic()
    assert deliver_due(market_folder) == "50 delivered"
    assert time.monotonic() - begun < 10
