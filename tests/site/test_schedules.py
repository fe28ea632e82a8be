"""Slots of a cron line, who fills one, and the cluster's schedules.

Expected moments are written down from the calendar: New York is UTC-5 in winter and UTC-4 from 8 March to
1 November 2026; the exchange was closed on 19 January 2026 and closed at 13:00 on 27 November 2026.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django_q.models import Schedule

from collector.market.calendar import continuous_sessions, exchange_sessions
from collector.models import ScanSlot
from collector.schedules import (
    CLOSE_CRON,
    DEMO_CRON,
    LIVE_CRON,
    claim_slot,
    finish_slot,
    next_slot,
    slot_at,
    sync_schedules,
)
from exports.folders import MarketFolder

HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.clock
@pytest.mark.parametrize(
    ("now", "cron", "slot"),
    [
        ("2026-01-27T15:00:00", LIVE_CRON, "2026-01-27T15:00:00"),
        ("2026-01-27T15:09:59.999999", LIVE_CRON, "2026-01-27T15:00:00"),
        # Before 09:00 in New York the newest slot is the evening before, 16:50.
        ("2026-01-27T13:59:00", LIVE_CRON, "2026-01-26T21:50:00"),
        # Monday morning: Friday.
        ("2026-01-26T13:00:00", LIVE_CRON, "2026-01-23T21:50:00"),
        # 16:20 in New York, in winter and in summer.
        ("2026-01-27T21:25:00", CLOSE_CRON, "2026-01-27T21:20:00"),
        ("2026-07-27T20:25:00", CLOSE_CRON, "2026-07-27T20:20:00"),
        ("2026-07-27T20:19:00", CLOSE_CRON, "2026-07-27T17:20:00"),
        # The hour that autumn repeats has its slots twice, each its own moment.
        ("2026-11-01T05:34:00", DEMO_CRON, "2026-11-01T05:30:00"),
        ("2026-11-01T06:34:00", DEMO_CRON, "2026-11-01T06:30:00"),
        # The hour that spring leaves out.
        ("2026-03-08T07:01:00", DEMO_CRON, "2026-03-08T07:00:00"),
    ],
)
def test_slot_at_is_the_newest_moment_not_after_now(now: str, cron: str, slot: str) -> None:
    assert slot_at(utc(now), cron) == utc(slot)


@pytest.mark.clock
@pytest.mark.parametrize(
    ("after", "cron", "slot"),
    [
        # The session opens at 09:30; 09:00 to 09:20 are outside.
        ("2026-01-27T13:55:00", LIVE_CRON, "2026-01-27T14:30:00"),
        ("2026-01-27T14:30:00", LIVE_CRON, "2026-01-27T14:40:00"),
        # At 16:00 the session has ended: 15:50 is its last slot.
        ("2026-01-27T20:50:00", LIVE_CRON, "2026-01-28T14:30:00"),
        # Over the week-end and Martin Luther King's day.
        ("2026-01-16T21:00:00", LIVE_CRON, "2026-01-20T14:30:00"),
        # A half day ends at 13:00 (18:00 in UTC).
        ("2026-11-27T17:50:00", LIVE_CRON, "2026-11-30T14:30:00"),
    ],
)
def test_next_slot_lies_inside_a_session(after: str, cron: str, slot: str) -> None:
    assert next_slot(utc(after), cron, exchange_sessions()) == utc(slot)


def test_the_demo_has_a_slot_every_ten_minutes_of_any_day() -> None:
    sunday = utc("2026-01-25T03:00:00")
    assert next_slot(sunday, DEMO_CRON, continuous_sessions()) == sunday + timedelta(minutes=10)


def test_a_cron_line_that_never_meets_a_session_has_no_next_slot() -> None:
    assert next_slot(utc("2026-01-27T15:00:00"), "0 3 * * *", exchange_sessions()) is None


@pytest.mark.django_db
def test_a_slot_is_claimed_once_and_stays_finished() -> None:
    slot = utc("2026-01-27T15:00:00")
    assert claim_slot("live", "scheduled", slot, "one", HOUR)
    assert not claim_slot("live", "scheduled", slot, "two", HOUR)
    assert claim_slot("live", "close", slot, "three", HOUR), "another kind is another slot"
    assert claim_slot("demo", "scheduled", slot, "four", HOUR), "another market is another slot"
    assert finish_slot("live", "scheduled", slot, "one", "ok")
    assert not claim_slot("live", "scheduled", slot, "two", HOUR)
    assert ScanSlot.objects.get(market="live", kind="scheduled").status == "ok"


@pytest.mark.django_db
def test_a_lease_that_ran_out_lets_another_take_over_and_the_first_cannot_finish() -> None:
    slot = utc("2026-01-27T15:00:00")
    assert claim_slot("live", "scheduled", slot, "one", timedelta(seconds=-1))
    assert claim_slot("live", "scheduled", slot, "two", HOUR)
    assert not finish_slot("live", "scheduled", slot, "one", "ok")
    row = ScanSlot.objects.get()
    assert (row.fence, row.scan_id, row.status) == (2, "two", "")
    with pytest.raises(ValueError, match="status"):
        finish_slot("live", "scheduled", slot, "two", "")


@pytest.mark.django_db(transaction=True)
@pytest.mark.soak
def test_of_6_claimants_of_each_of_40_slots_exactly_one_gets_it() -> None:
    slots = [utc("2026-01-27T14:30:00") + timedelta(minutes=10 * n) for n in range(40)]
    claimed: list[tuple[datetime, str]] = []
    barrier = threading.Barrier(6)

    def claim_all(name: str) -> None:
        barrier.wait()
        claimed.extend((slot, name) for slot in slots if claim_slot("live", "scheduled", slot, name, HOUR))
        connection.close()

    threads = [threading.Thread(target=claim_all, args=(f"claimant {n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slot for slot, _ in claimed) == slots
    assert {(row.slot, row.scan_id, row.fence) for row in ScanSlot.objects.all()} == {
        (slot, name, 1) for slot, name in claimed
    }


def rows() -> dict[str, tuple[str, str | None, int | None]]:
    return {row.name: (row.func, row.cron, row.minutes) for row in Schedule.objects.all()}


@pytest.mark.django_db
def test_five_schedules_and_a_second_sync_changes_nothing(market_folder: MarketFolder) -> None:
    sync_schedules(market_folder)
    first = list(Schedule.objects.order_by("name").values())
    assert rows() == {
        "optsite:demo:scan": ("optsite.tasks.run_scheduled_scan", "*/10 * * * *", None),
        "optsite:demo:close": ("optsite.tasks.run_scheduled_scan", "20 13,16 * * 1-5", None),
        "optsite:demo:export": ("optsite.tasks.run_export", None, 5),
        "optsite:demo:heartbeat": ("collector.heartbeat.beat", None, 1),
        "optsite:demo:delivery": ("collector.notifications.delivery.deliver_due", None, 1),
    }
    assert {row["cluster"] for row in first} == {"optsite-demo"}
    sync_schedules(market_folder)
    assert list(Schedule.objects.order_by("name").values()) == first


@pytest.mark.django_db
def test_another_market_replaces_them_and_a_users_own_schedule_stays(market_folder: MarketFolder) -> None:
    Schedule.objects.create(name="mine", func="math.sqrt", args="2")
    sync_schedules(market_folder)
    sync_schedules(MarketFolder(market_folder.data_dir, "yahoo"))
    assert set(rows()) == {
        "mine",
        *(f"optsite:live:{name}" for name in ("scan", "close", "export", "heartbeat", "delivery")),
    }
    assert rows()["optsite:live:scan"][1] == "*/10 9-16 * * 1-5"


@pytest.mark.django_db
def test_recordings_are_exported_and_never_scanned_by_the_clock(market_folder: MarketFolder) -> None:
    sync_schedules(MarketFolder(market_folder.data_dir, "recorded"))
    assert set(rows()) == {f"optsite:recorded:{name}" for name in ("export", "heartbeat", "delivery")}


@pytest.mark.django_db
def test_a_changed_or_missed_cron_line_gets_a_new_next_run(market_folder: MarketFolder) -> None:
    sync_schedules(market_folder)
    scan = Schedule.objects.filter(name="optsite:demo:scan")
    now = datetime.now(UTC)
    scan.update(cron="0 0 1 1 *", next_run=now + timedelta(days=300))
    sync_schedules(market_folder)
    assert now < scan.get().next_run <= now + timedelta(minutes=11)
    scan.update(next_run=now - timedelta(days=2))
    sync_schedules(market_folder)
    assert now < scan.get().next_run <= now + timedelta(minutes=11)
    # A row that is due this very minute is left for the cluster.
    due = now - timedelta(seconds=20)
    scan.update(next_run=due)
    sync_schedules(market_folder)
    assert scan.get().next_run == due


@pytest.mark.django_db(transaction=True)
def test_six_syncs_at_once_make_exactly_five_rows(market_folder: MarketFolder) -> None:
    barrier = threading.Barrier(6)

    def sync(_: int) -> list[str]:
        barrier.wait()
        try:
            return sync_schedules(market_folder)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        names = list(pool.map(sync, range(6)))
    assert names == [names[0]] * 6
    assert sorted(names[0]) == sorted(rows())
    assert Schedule.objects.count() == 5


@pytest.mark.django_db
def test_the_command_prints_each_schedule(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("schedules")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "optsite:demo:scan",
        "optsite:demo:close",
        "optsite:demo:export",
        "optsite:demo:heartbeat",
        "optsite:demo:delivery",
    ]
