"""Quiet hours, on the clocks of their zone."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfoNotFoundError

import pytest

from collector.notifications.quiet_hours import is_quiet

NIGHT = (time(22), time(7))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "moment", "quiet"),
    [
        # January: New York is UTC-5, Berlin UTC+1, Tokyo UTC+9.
        ("America/New_York", "2026-01-28T02:59", False),
        ("America/New_York", "2026-01-28T03:00", True),
        ("America/New_York", "2026-01-28T11:59", True),
        ("America/New_York", "2026-01-28T12:00", False),
        ("Europe/Berlin", "2026-01-27T20:59", False),
        ("Europe/Berlin", "2026-01-27T21:00", True),
        ("Europe/Berlin", "2026-01-28T05:59", True),
        ("Europe/Berlin", "2026-01-28T06:00", False),
        ("Asia/Tokyo", "2026-01-28T12:59", False),
        ("Asia/Tokyo", "2026-01-28T13:00", True),
        ("Asia/Tokyo", "2026-01-28T21:59", True),
        ("Asia/Tokyo", "2026-01-28T22:00", False),
        # July: New York is UTC-4.
        ("America/New_York", "2026-07-28T02:00", True),
        ("America/New_York", "2026-07-28T11:00", False),
        # The night in which New York's clocks jump from 02:00 to 03:00 ends at 07:00 of the new time, 11:00 UTC.
        ("America/New_York", "2026-03-08T10:59", True),
        ("America/New_York", "2026-03-08T11:00", False),
    ],
)
def test_a_night_on_the_clocks_of_its_zone(zone: str, moment: str, quiet: bool) -> None:
    assert is_quiet(at(moment), *NIGHT, zone) is quiet


@pytest.mark.parametrize(("moment", "quiet"), [("11:59", False), ("12:00", True), ("12:59", True), ("13:00", False)])
def test_an_hour_of_the_day_spans_no_midnight(moment: str, quiet: bool) -> None:
    assert is_quiet(at(f"2026-01-28T{moment}"), time(12), time(13), "UTC") is quiet


def test_without_hours_there_is_no_quiet() -> None:
    assert not is_quiet(at("2026-01-28T03:00"), None, None, "America/New_York")


def test_a_moment_without_a_zone_and_a_zone_that_is_not_are_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        is_quiet(datetime(2026, 1, 28), *NIGHT, "UTC")  # noqa: DTZ001
    with pytest.raises(ZoneInfoNotFoundError):
        is_quiet(at("2026-01-28T03:00"), *NIGHT, "Mars/Olympus")
