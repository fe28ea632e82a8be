"""Who is asked for what: roles of expirations, deadline, calls of a slot."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import orjson
import pytest

from collector.pipeline.plan import (
    ScanPlan,
    calls_for_slot,
    choose_expirations,
    configuration_hash,
    deadline,
)

# 13:00 in New York on Tuesday 2026-03-24; thirty days on is 2026-04-23, sixty 2026-05-23, ninety 2026-06-22.
AS_OF = datetime(2026, 3, 24, 17, tzinfo=UTC)
LISTED = tuple(
    date(2026, month, day)
    for month, day in (
        (3, 23),
        (3, 24),
        (3, 27),
        (4, 2),
        (4, 10),
        (4, 17),
        (4, 24),
        (5, 1),
        (5, 15),
        (6, 18),
        (7, 17),
        (9, 18),
        (12, 18),
    )
)


def chosen(limit: int | None, earnings: date | None = None, listed: tuple[date, ...] = LISTED) -> list[str]:
    return [f"{day:%m-%d}" for day in choose_expirations(listed, AS_OF, limit, earnings)]


def test_nearest_around_thirty_days_about_sixty_and_about_ninety() -> None:
    assert chosen(5) == ["03-24", "04-17", "04-24", "05-15", "06-18"]


def test_the_roles_are_filled_in_their_order() -> None:
    assert chosen(1) == ["03-24"]
    assert chosen(2) == ["03-24", "04-17"]
    assert chosen(3) == ["03-24", "04-17", "04-24"]
    assert chosen(4) == ["03-24", "04-17", "04-24", "05-15"]


def test_around_the_next_earnings_comes_before_sixty_and_ninety_days() -> None:
    # 2026-04-30 lies between 04-24, taken already, and 05-01.
    assert chosen(5, date(2026, 4, 30)) == ["03-24", "04-17", "04-24", "05-01", "05-15"]
    assert chosen(7, date(2026, 7, 28)) == ["03-24", "04-17", "04-24", "05-15", "06-18", "07-17", "09-18"]


def test_earnings_that_are_past_say_nothing() -> None:
    assert chosen(5, date(2026, 3, 20)) == chosen(5)


def test_what_is_left_goes_to_the_nearest() -> None:
    assert chosen(8) == ["03-24", "03-27", "04-02", "04-10", "04-17", "04-24", "05-15", "06-18"]


def test_an_expiration_on_the_thirtieth_day_is_the_one_at_or_after() -> None:
    listed = (date(2026, 4, 10), date(2026, 4, 16), date(2026, 4, 23), date(2026, 4, 30), date(2026, 8, 21))
    assert chosen(3, listed=listed) == ["04-10", "04-16", "04-23"]


def test_without_a_limit_all_unexpired_are_chosen() -> None:
    assert len(chosen(None)) == len(LISTED) - 1
    assert chosen(12) == chosen(None)
    assert chosen(50) == chosen(None)
    assert chosen(5, listed=()) == []


@pytest.mark.clock
def test_today_is_new_yorks() -> None:
    evening = datetime(2026, 3, 25, 1, 30, tzinfo=UTC)
    assert choose_expirations(LISTED, evening, 1) == (date(2026, 3, 24),)
    assert choose_expirations(LISTED, evening + timedelta(hours=3), 1) == (date(2026, 3, 27),)


def test_the_deadline_is_a_minute_before_the_limit_or_the_next_slot() -> None:
    limit = timedelta(minutes=10)
    assert deadline(AS_OF, limit, None) == AS_OF + timedelta(minutes=9)
    assert deadline(AS_OF, limit, AS_OF + timedelta(minutes=10)) == AS_OF + timedelta(minutes=9)
    assert deadline(AS_OF, limit, AS_OF + timedelta(minutes=4)) == AS_OF + timedelta(minutes=4)


@pytest.mark.parametrize(
    ("left", "per_hour", "slots", "scheduled", "calls"),
    [
        (250, 250, 6.0, True, 41),
        (30, 250, 6.0, True, 30),
        (0, 250, 6.0, True, 0),
        (250, 250, 6.0, False, 250),
        (250, 250, 0.5, True, 250),
        (17, 250, 6.0, False, 17),
    ],
)
def test_a_slot_may_spend_its_share_of_the_hour(
    left: int, per_hour: int, slots: float, scheduled: bool, calls: int
) -> None:
    assert calls_for_slot(left, per_hour, slots, scheduled) == calls


def test_a_plan_comes_back_from_its_json_as_it_was() -> None:
    plan = ScanPlan(
        scan_id="scan-1",
        kind="scheduled",
        provider="yahoo",
        feed="yahoo",
        started_at=AS_OF,
        deadline=AS_OF + timedelta(minutes=9),
        tickers=("ZZTA", "ZZTB"),
        watchlist=("ZZTB", "ZZTA"),
        configuration={"quality": {"cut_offs": [0.95]}},
        config_hash="0123456789ab",
        slot=AS_OF,
        calls=41,
        max_expirations=5,
        fetch_bars=False,
        skipped={"ZZTC": "budget"},
    )
    assert ScanPlan.from_json(orjson.loads(orjson.dumps(plan.to_json()))) == plan


def test_the_hash_is_of_the_content_not_of_its_order() -> None:
    assert configuration_hash({"a": 1, "b": 2}) == configuration_hash({"b": 2, "a": 1})
    assert configuration_hash({"a": 1}) != configuration_hash({"a": 2})
    # sha256 of {"a":1}
    assert configuration_hash({"a": 1}) == "015abd7f5cc5"
