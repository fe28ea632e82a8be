"""The market's dated facts against what their sources announced, and what is known of a ticker at a moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from collector.market.calendar import exchange_sessions
from collector.market.events import ANNOUNCEMENTS, Event, known, market_events

NEW_YORK = ZoneInfo("America/New_York")
ALL = market_events(date(2000, 1, 1), date(2100, 1, 1))
NOON = datetime(2026, 9, 15, 16, tzinfo=UTC)

# The two days of each meeting, as the Committee's press releases word them.
MEETINGS_2026 = (
    "January 27-28, March 17-18, April 28-29, June 16-17, July 28-29, September 15-16, October 27-28, December 8-9"
)


def in_new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


def second_days(meetings: str, year: int) -> list[date]:
    days = []
    for meeting in meetings.split(", "):
        month, both = meeting.split(" ")
        days.append(datetime.strptime(f"{year} {month} {both.split('-')[1]}", "%Y %B %d").replace(tzinfo=UTC).date())
    return days


def earnings(day: date, known_at: datetime = NOON - timedelta(days=30), ticker: str = "ZZTA") -> Event:
    return Event("earnings", day, known_at, ticker)


class TestFacts:
    @pytest.mark.clock
    @pytest.mark.parametrize(
        ("kind", "time"),
        [
            # Winter and summer: the hour is New York's.
            ("fomc", "2026-01-28T14:00"),
            ("fomc", "2026-06-17T14:00"),
            ("cpi", "2026-12-10T08:30"),
            ("cpi", "2026-09-11T08:30"),
        ],
    )
    def test_each_has_its_hour_in_new_york(self, kind: str, time: str) -> None:
        moment = in_new_york(time)
        (event,) = (one for one in market_events(moment.date(), moment.date()) if one.kind == kind)
        assert event.time == moment
        assert event.time is not None
        assert event.time.tzinfo is UTC
        assert (event.ticker, event.confirmed, event.amount) == (None, None, None)

    def test_statements_come_on_the_second_day_of_each_meeting(self) -> None:
        found = [event.date for event in ALL if event.kind == "fomc" and event.date.year == 2026]
        assert found == second_days(MEETINGS_2026, 2026)

    def test_eight_meetings_a_year_and_none_on_a_holiday(self) -> None:
        by_year = {year: sum(e.kind == "fomc" and e.date.year == year for e in ALL) for year in (2025, 2026, 2027)}
        assert by_year == {2025: 8, 2026: 8, 2027: 8}
        assert all(exchange_sessions().session(event.date) for event in ALL)
        assert {event.date.weekday() for event in ALL if event.kind == "fomc"} == {2}

    def test_the_lapse_of_2025_left_one_release_out_and_moved_two(self) -> None:
        found = [
            event.date for event in ALL if event.kind == "cpi" and date(2025, 9, 1) <= event.date < date(2026, 3, 1)
        ]
        assert found == [
            date(2025, 9, 11),
            date(2025, 10, 24),
            date(2025, 12, 18),
            date(2026, 1, 13),
            date(2026, 2, 13),
        ]

    def test_each_is_stated_once_with_a_source_and_before_it_happens(self) -> None:
        assert len({(event.kind, event.date) for event in ALL}) == len(ALL)
        assert sum(len(announced.days) for announced in ANNOUNCEMENTS) == len(ALL)
        for event in ALL:
            assert event.source
            assert event.time is not None
            assert event.known_at < event.time

    def test_it_reaches_as_far_as_its_docstring_says(self) -> None:
        assert max(event.date for event in ALL if event.kind == "fomc") == date(2028, 1, 26)
        assert max(event.date for event in ALL if event.kind == "cpi") == date(2026, 12, 10)

    def test_both_ends_belong_to_the_range(self) -> None:
        found = market_events(date(2026, 9, 11), date(2026, 9, 16))
        assert [(event.kind, event.date.day) for event in found] == [("cpi", 11), ("fomc", 16)]
        assert market_events(date(2026, 9, 12), date(2026, 9, 15)) == ()


class TestKnown:
    def test_the_markets_own_join_from_today_on(self) -> None:
        found = known("ZZTA", [earnings(date(2026, 10, 22))], [], NOON)
        assert [(event.kind, event.date) for event in found][:4] == [
            ("fomc", date(2026, 9, 16)),
            ("cpi", date(2026, 10, 14)),
            ("earnings", date(2026, 10, 22)),
            ("fomc", date(2026, 10, 28)),
        ]

    @pytest.mark.clock
    def test_today_is_new_yorks(self) -> None:
        # At 03:00 UTC on the 17th it is still the 16th in New York, the day of a statement.
        found = known("ZZTA", [], [], datetime(2026, 9, 17, 3, tzinfo=UTC))
        assert found[0].date == date(2026, 9, 16)
        assert known("ZZTA", [], [], datetime(2026, 9, 17, 5, tzinfo=UTC))[0].date == date(2026, 10, 14)

    def test_what_was_stated_later_is_not_known(self) -> None:
        before = in_new_york("2025-09-05T13:29")
        assert max(event.date for event in known("ZZTA", [], [], before)) == date(2027, 1, 27)
        after = in_new_york("2025-09-05T13:30")
        assert max(event.date for event in known("ZZTA", [], [], after)) == date(2028, 1, 26)
        later = earnings(date(2026, 10, 22), before + timedelta(minutes=1))
        assert later not in known("ZZTA", [], [later], before)

    def test_what_the_provider_states_when_asked_stays_though_quotes_are_older(self) -> None:
        asked = earnings(date(2026, 10, 22), NOON + timedelta(minutes=15))
        assert asked in known("ZZTA", [asked], [], NOON)

    def test_a_release_that_was_moved_is_known_from_the_notice_of_its_new_date(self) -> None:
        def releases(day: date) -> list[date]:
            found = known("ZZTA", [], [], datetime.combine(day, datetime.min.time(), NEW_YORK))
            return [event.date for event in found if event.kind == "cpi"]

        assert date(2025, 10, 24) not in releases(date(2025, 10, 10))
        assert releases(date(2025, 10, 11)) == [date(2025, 10, 24)]

    def test_other_tickers_events_are_left_out(self) -> None:
        other = earnings(date(2026, 10, 20), ticker="ZZTB")
        assert [event.ticker for event in known("ZZTA", [other], [other], NOON) if event.ticker] == []

    def test_the_past_of_the_provider_stays(self) -> None:
        paid = Event("dividend", date(2026, 8, 10), NOON, "ZZTA", amount=0.26)
        assert known("ZZTA", [paid], [], NOON)[0] == paid

    def test_all_statements_of_the_provider_stay(self) -> None:
        first, second = (earnings(date(2026, 10, 22), NOON - timedelta(days=days)) for days in (9, 3))
        assert [event for event in known("ZZTA", [second, first], [], NOON) if event.kind == "earnings"] == [
            first,
            second,
        ]

    def test_the_users_word_replaces_the_providers_and_the_list(self) -> None:
        provider = earnings(date(2026, 10, 22))
        user = Event("earnings", date(2026, 10, 22), NOON, "ZZTA", confirmed=True, source="the company")
        statement = Event("fomc", date(2026, 9, 16), NOON, source="me")
        found = known("ZZTA", [provider], [user, statement], NOON)
        assert [event for event in found if event.kind == "earnings"] == [user]
        assert [event for event in found if event.date == date(2026, 9, 16)] == [statement]

    def test_the_providers_word_replaces_the_list(self) -> None:
        stated = Event("cpi", date(2026, 10, 14), NOON)
        found = known("ZZTA", [stated], [], NOON)
        assert [event for event in found if event.date == date(2026, 10, 14)] == [stated]
