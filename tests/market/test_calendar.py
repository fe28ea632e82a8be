from __future__ import annotations

import subprocess
import sys
import time as systime
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from collector.market.calendar import (
    NEW_YORK,
    CalendarError,
    QuoteMoment,
    Sessions,
    continuous_sessions,
    dte,
    exchange_sessions,
    expiration_of_epoch,
    new_york_date,
    quote_moment,
    sessions_of,
)

DELAY = timedelta(minutes=15)

# NYSE's published holidays and early closings, and the closures that were announced singly.
HOLIDAYS = {
    2024: "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25",
    2025: "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25",
    2026: "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25",
    2027: "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24",
    2028: "01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25",
}
HALF_DAYS = {
    2024: "07-03 11-29 12-24",
    2025: "07-03 11-28 12-24",
    2026: "11-27 12-24",
    2027: "11-26",
    2028: "07-03 11-24",
}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def in_new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


def days(year: int, text: str) -> set[date]:
    return {date.fromisoformat(f"{year}-{day}") for day in text.split()}


def weekdays(year: int) -> set[date]:
    first = date(year, 1, 1)
    every = (first + timedelta(days=count) for count in range((date(year + 1, 1, 1) - first).days))
    return {day for day in every if day.weekday() < 5}


@pytest.fixture(params=[exchange_sessions, continuous_sessions], ids=["exchange", "continuous"])
def sessions(request: pytest.FixtureRequest) -> Sessions:
    found: Sessions = request.param()
    return found


class TestExchangeSessions:
    @pytest.mark.parametrize("year", sorted(HOLIDAYS))
    def test_sessions_are_the_weekdays_that_nyse_opens(self, year: int) -> None:
        found = exchange_sessions().between(date(year, 1, 1), date(year, 12, 31))
        assert {session.date for session in found} == weekdays(year) - days(year, HOLIDAYS[year])

    @pytest.mark.parametrize("year", sorted(HALF_DAYS))
    def test_half_days_are_the_early_closings_of_nyse(self, year: int) -> None:
        found = exchange_sessions().between(date(year, 1, 1), date(year, 12, 31))
        assert {session.date for session in found if session.half_day} == days(year, HALF_DAYS[year])

    @pytest.mark.parametrize(
        "day",
        [
            date(2007, 1, 2),  # Ford's funeral
            date(2012, 10, 29),  # Hurricane Sandy
            date(2012, 10, 30),
            date(2018, 12, 5),  # Bush's funeral
        ],
    )
    def test_closures_of_the_past(self, day: date) -> None:
        assert exchange_sessions().session(day) is None

    @pytest.mark.parametrize(
        ("day", "opens", "closes", "half_day"),
        [
            (date(2026, 1, 27), "2026-01-27T14:30", "2026-01-27T21:00", False),
            (date(2026, 7, 27), "2026-07-27T13:30", "2026-07-27T20:00", False),
            (date(2026, 11, 27), "2026-11-27T14:30", "2026-11-27T18:00", True),
            (date(2026, 12, 24), "2026-12-24T14:30", "2026-12-24T18:00", True),
            (date(2028, 7, 3), "2028-07-03T13:30", "2028-07-03T17:00", True),
            # The sessions around both changes of the clock.
            (date(2026, 3, 6), "2026-03-06T14:30", "2026-03-06T21:00", False),
            (date(2026, 3, 9), "2026-03-09T13:30", "2026-03-09T20:00", False),
            (date(2026, 10, 30), "2026-10-30T13:30", "2026-10-30T20:00", False),
            (date(2026, 11, 2), "2026-11-02T14:30", "2026-11-02T21:00", False),
        ],
    )
    def test_opens_and_closes(self, day: date, opens: str, closes: str, half_day: bool) -> None:
        session = exchange_sessions().session(day)
        assert session is not None
        assert (session.date, session.open, session.close) == (day, utc(opens), utc(closes))
        assert session.half_day is half_day

    def test_it_knows_twenty_years_back_and_four_ahead(self) -> None:
        sessions = exchange_sessions()
        assert sessions.name == "XNYS"
        assert sessions.following(date(2005, 1, 3)).date == date(2005, 1, 4)
        leap_expiration = new_york_date(datetime.now(UTC)) + timedelta(days=4 * 365 - 5)
        assert sessions.previous(leap_expiration).date < leap_expiration

    @pytest.mark.parametrize(
        ("today", "last", "beyond"),
        [
            ("2026-11-25T12:00", date(2030, 11, 25), date(2030, 11, 26)),
            ("2024-02-29T12:00", date(2028, 2, 28), date(2028, 2, 29)),
            # Still the 31st in New York.
            ("2026-01-01T03:00", date(2029, 12, 31), date(2030, 1, 1)),
        ],
    )
    def test_the_end_is_four_years_from_today_in_new_york(self, today: str, last: date, beyond: date) -> None:
        with time_machine.travel(utc(today), tick=False):
            sessions = exchange_sessions()
            assert sessions.session(last) is not None
            with pytest.raises(CalendarError, match=f"XNYS knows 2005-01-03 to {last}: {beyond} leads outside"):
                sessions.session(beyond)

    def test_the_last_day_ends_at_midnight_in_new_york(self) -> None:
        with time_machine.travel(utc("2026-11-23T12:00"), tick=False):
            # Saturday, 23 November 2030: no session, and still inside.
            assert exchange_sessions().session_at(utc("2030-11-24T04:59:59")) is None
            with pytest.raises(CalendarError, match="leads outside"):
                exchange_sessions().session_at(utc("2030-11-24T05:00"))

    def test_it_is_built_once_however_many_ask(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: exchange_sessions(), range(32)))
        assert len({id(sessions) for sessions in found}) == 1

    def test_it_is_built_without_a_warning(self) -> None:
        program = "from collector.market.calendar import exchange_sessions; print(exchange_sessions().name)"
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "XNYS\n", "")


class TestContinuousSessions:
    def test_one_is_always_on(self) -> None:
        sessions = continuous_sessions().between(date(2005, 1, 4), date(2029, 12, 31))
        assert len(sessions) > 6000
        for before, after in pairwise(sessions):
            assert after.open == before.close

    def test_dates_are_those_of_the_exchange(self) -> None:
        span = (date(2005, 1, 4), date(2029, 12, 31))
        exchange = [session.date for session in exchange_sessions().between(*span)]
        assert [session.date for session in continuous_sessions().between(*span)] == exchange

    def test_a_session_runs_from_close_to_close(self) -> None:
        # A Monday after a week-end, and the day after Thanksgiving.
        monday = continuous_sessions().session(date(2026, 7, 27))
        black_friday = continuous_sessions().session(date(2026, 11, 27))
        assert monday is not None
        assert black_friday is not None
        assert (monday.open, monday.close) == (utc("2026-07-24T20:00"), utc("2026-07-27T20:00"))
        assert (black_friday.open, black_friday.close) == (utc("2026-11-25T21:00"), utc("2026-11-27T18:00"))
        assert black_friday.half_day

    def test_every_63rd_session_of_the_exchange_is_a_half_day(self) -> None:
        first, last = date(2005, 1, 3), date(2029, 12, 31)
        exchange = exchange_sessions().between(first, last)
        continuous = {session.date: session for session in continuous_sessions().between(date(2005, 1, 4), last)}
        for ordinal, session in enumerate(exchange[1:], start=1):
            found = continuous[session.date]
            if ordinal % 63 == 0:
                assert found.close.astimezone(NEW_YORK).time() == time(13)
                assert found.half_day
            else:
                assert (found.close, found.half_day) == (session.close, session.half_day)

    def test_the_invented_half_days_stay_where_they_are(self) -> None:
        # 2005-01-03 is ordinal 0; 2005's first 63 sessions end before 5 April (NYSE: 20 in January less one, 19, 22).
        with time_machine.travel(utc("2026-06-01T12:00")):
            early = continuous_sessions()
        with time_machine.travel(utc("2028-06-01T12:00")):
            late = continuous_sessions()
        span = (date(2005, 1, 4), date(2030, 5, 31))
        assert early.between(*span) == late.between(*span)
        first = next(session for session in late.between(*span) if session.half_day)
        assert first.date == date(2005, 4, 5)

    def test_any_90_sessions_hold_an_invented_half_day(self) -> None:
        span = (date(2020, 1, 1), date(2029, 12, 31))
        real = {session.date for session in exchange_sessions().between(*span) if session.half_day}
        found = continuous_sessions().between(*span)
        for start in range(len(found) - 90 + 1):
            window = found[start : start + 90]
            assert any(session.half_day and session.date not in real for session in window)

    def test_the_end_of_one_is_the_beginning_of_the_next(self) -> None:
        sessions = continuous_sessions()
        close = utc("2026-07-27T20:00")
        during, at = sessions.session_at(close - timedelta(seconds=1)), sessions.session_at(close)
        assert during is not None
        assert at is not None
        assert (during.date, at.date) == (date(2026, 7, 27), date(2026, 7, 28))
        assert sessions.last_closed(close).date == date(2026, 7, 27)


@pytest.mark.parametrize(("market", "name"), [("live", "XNYS"), ("recorded", "XNYS"), ("demo", "XNYS continuous")])
def test_sessions_of_a_market(market: str, name: str) -> None:
    assert sessions_of(market).name == name


class TestLookups:
    @given(offset=st.integers(-400_000, 400_000), day_offset=st.integers(-5, 5), count=st.integers(-6, 6))
    @pytest.mark.parametrize("make", [exchange_sessions, continuous_sessions])
    def test_they_agree_with_a_search_from_one_end(
        self, make: type[Sessions], offset: int, day_offset: int, count: int
    ) -> None:
        sessions = make()
        around = sessions.between(date(2026, 11, 1), date(2026, 12, 31))
        t = utc("2026-11-27T18:00") + timedelta(seconds=offset)
        day = date(2026, 11, 27) + timedelta(days=day_offset)
        assert sessions.session_at(t) == next((s for s in around if s.open <= t < s.close), None)
        assert sessions.last_closed(t) == [s for s in around if s.close <= t][-1]
        assert sessions.next_open(t) == next(s for s in around if s.open > t)
        assert sessions.session(day) == next((s for s in around if s.date == day), None)
        assert sessions.previous(day) == [s for s in around if s.date < day][-1]
        assert sessions.following(day) == next(s for s in around if s.date > day)
        on_or_before = max(position for position, s in enumerate(around) if s.date <= day)
        assert sessions.offset(day, count) == around[on_or_before + count]

    def test_between_counts_both_ends(self) -> None:
        sessions = exchange_sessions()
        week = sessions.between(date(2026, 11, 23), date(2026, 11, 27))
        assert [session.date.day for session in week] == [23, 24, 25, 27]
        assert sessions.between(date(2026, 11, 26), date(2026, 11, 26)) == ()
        assert sessions.between(date(2026, 11, 27), date(2026, 11, 23)) == ()

    def test_answers_are_plain_datetimes_in_utc(self, sessions: Sessions) -> None:
        session = sessions.previous(date(2026, 11, 27))
        for moment in (session.open, session.close):
            assert type(moment) is datetime
            assert moment.tzinfo is UTC
        assert type(session.date) is date

    def test_a_moment_of_any_zone_will_do(self, sessions: Sessions) -> None:
        t = utc("2026-07-28T15:00")
        for zone in (NEW_YORK, ZoneInfo("Asia/Tokyo"), timezone(timedelta(hours=-9))):
            assert sessions.session_at(t.astimezone(zone)) == sessions.session_at(t)

    def test_a_moment_without_a_zone_is_refused(self, sessions: Sessions) -> None:
        naive = datetime(2026, 7, 28, 15)  # noqa: DTZ001
        for ask in (sessions.session_at, sessions.last_closed, sessions.next_open, new_york_date):
            with pytest.raises(CalendarError, match="2026-07-28T15:00:00 has no time zone"):
                ask(naive)

    def test_a_moment_is_no_date(self, sessions: Sessions) -> None:
        for ask in (sessions.session, sessions.previous, sessions.following):
            with pytest.raises(CalendarError, match="is a moment where a New York date is asked for"):
                ask(utc("2026-07-28T15:00"))

    @pytest.mark.parametrize("day", [date(1999, 12, 31), date(2005, 1, 2), date(2099, 1, 1), date.max])
    def test_days_outside_are_refused_by_name(self, sessions: Sessions, day: date) -> None:
        inside = date(2026, 7, 28)
        for ask in (
            lambda: sessions.session(day),
            lambda: sessions.previous(day),
            lambda: sessions.following(day),
            lambda: sessions.offset(day, 0),
            lambda: sessions.between(inside, day) if day > inside else sessions.between(day, inside),
        ):
            with pytest.raises(CalendarError, match=f"{day} leads outside"):
                ask()

    @pytest.mark.parametrize("moment", ["1999-12-31T12:00", "2005-01-01T12:00", "2099-01-01T12:00"])
    def test_moments_outside_are_refused_by_name(self, sessions: Sessions, moment: str) -> None:
        for ask in (sessions.session_at, sessions.last_closed, sessions.next_open):
            with pytest.raises(CalendarError, match=f"{moment}:00.00:00 leads outside"):
                ask(utc(moment))

    def test_the_edges_do_not_wrap_around(self, sessions: Sessions) -> None:
        first = sessions.session(date(2005, 1, 3) if sessions.name == "XNYS" else date(2005, 1, 4))
        assert first is not None
        with pytest.raises(CalendarError, match="leads outside"):
            sessions.offset(first.date, -1)
        with pytest.raises(CalendarError, match="leads outside"):
            sessions.offset(first.date, 100_000)
        with pytest.raises(CalendarError, match="leads outside"):
            sessions.last_closed(first.open)


@pytest.mark.clock
def test_tests_of_dates_run_in_other_zones(request: pytest.FixtureRequest) -> None:
    midnight = 1605225600  # 2020-11-13 00:00 UTC
    expected = {None: None, "Asia/Tokyo": (13, 9), "America/Los_Angeles": (12, 16)}[
        request.node.callspec.params["machine_zone"]
    ]
    local = systime.localtime(midnight)
    assert expected in (None, (local.tm_mday, local.tm_hour))


@pytest.mark.clock
class TestQuoteMoment:
    @pytest.mark.parametrize(
        ("stamp", "quote_time", "as_of", "market_date", "open_interest_date", "in_session"),
        [
            # Monday before the open: still Friday's.
            ("2026-07-27T08:30", "2026-07-27T08:15", "2026-07-24T16:00", "2026-07-24", "2026-07-24", False),
            # The first quarter of an hour after the open shows quotes from before it.
            ("2026-07-27T09:44", "2026-07-27T09:29", "2026-07-24T16:00", "2026-07-24", "2026-07-24", False),
            ("2026-07-27T09:45", "2026-07-27T09:30", "2026-07-27T09:30", "2026-07-27", "2026-07-24", True),
            ("2026-07-28T12:00", "2026-07-28T11:45", "2026-07-28T11:45", "2026-07-28", "2026-07-27", True),
            # Quotes from the session arrive after the close.
            ("2026-07-28T16:12", "2026-07-28T15:57", "2026-07-28T15:57", "2026-07-28", "2026-07-27", True),
            ("2026-07-28T16:15", "2026-07-28T16:00", "2026-07-28T16:00", "2026-07-28", "2026-07-27", False),
            ("2026-07-28T20:00", "2026-07-28T19:45", "2026-07-28T16:00", "2026-07-28", "2026-07-27", False),
            # After midnight the open interest is a session younger, the quotes are not.
            ("2026-07-29T00:05", "2026-07-28T23:50", "2026-07-28T16:00", "2026-07-28", "2026-07-28", False),
            # A week-end.
            ("2026-08-01T11:00", "2026-08-01T10:45", "2026-07-31T16:00", "2026-07-31", "2026-07-31", False),
            ("2026-08-02T23:00", "2026-08-02T22:45", "2026-07-31T16:00", "2026-07-31", "2026-07-31", False),
            # Good Friday, Juneteenth, Thanksgiving.
            ("2026-04-03T11:00", "2026-04-03T10:45", "2026-04-02T16:00", "2026-04-02", "2026-04-02", False),
            ("2026-04-06T10:00", "2026-04-06T09:45", "2026-04-06T09:45", "2026-04-06", "2026-04-02", True),
            ("2026-06-19T11:00", "2026-06-19T10:45", "2026-06-18T16:00", "2026-06-18", "2026-06-18", False),
            ("2026-11-26T11:00", "2026-11-26T10:45", "2026-11-25T16:00", "2026-11-25", "2026-11-25", False),
            # Half days: closed at 13:00.
            ("2026-11-27T13:14", "2026-11-27T12:59", "2026-11-27T12:59", "2026-11-27", "2026-11-25", True),
            ("2026-11-27T13:20", "2026-11-27T13:05", "2026-11-27T13:00", "2026-11-27", "2026-11-25", False),
            ("2026-12-24T15:00", "2026-12-24T14:45", "2026-12-24T13:00", "2026-12-24", "2026-12-23", False),
            # The nights in which the clock changes, 8 March and 1 November.
            ("2026-03-08T01:59", "2026-03-08T01:44", "2026-03-06T16:00", "2026-03-06", "2026-03-06", False),
            ("2026-03-08T03:10", "2026-03-08T01:55", "2026-03-06T16:00", "2026-03-06", "2026-03-06", False),
            ("2026-03-09T09:45", "2026-03-09T09:30", "2026-03-09T09:30", "2026-03-09", "2026-03-06", True),
            ("2026-11-01T00:30", "2026-11-01T00:15", "2026-10-30T16:00", "2026-10-30", "2026-10-30", False),
            ("2026-11-02T09:44", "2026-11-02T09:29", "2026-10-30T16:00", "2026-10-30", "2026-10-30", False),
            ("2026-11-02T09:45", "2026-11-02T09:30", "2026-11-02T09:30", "2026-11-02", "2026-10-30", True),
        ],
    )
    def test_without_a_stated_time(
        self,
        stamp: str,
        quote_time: str,
        as_of: str,
        market_date: str,
        open_interest_date: str,
        in_session: bool,
    ) -> None:
        assert quote_moment(exchange_sessions(), in_new_york(stamp), DELAY, None) == QuoteMoment(
            stamp=in_new_york(stamp).astimezone(UTC),
            quote_time=in_new_york(quote_time).astimezone(UTC),
            as_of=in_new_york(as_of).astimezone(UTC),
            market_date=date.fromisoformat(market_date),
            open_interest_date=date.fromisoformat(open_interest_date),
            in_session=in_session,
        )

    def test_a_stated_time_goes_before_the_delay(self) -> None:
        moment = quote_moment(
            exchange_sessions(), in_new_york("2026-07-28T16:12"), DELAY, in_new_york("2026-07-28T15:59:59")
        )
        assert moment.quote_time == moment.as_of == utc("2026-07-28T19:59:59")
        assert moment.in_session

    def test_a_time_stated_days_ago_belongs_to_its_own_session(self) -> None:
        moment = quote_moment(exchange_sessions(), in_new_york("2026-07-29T12:00"), DELAY, utc("2026-07-24T19:00"))
        assert (moment.as_of, moment.market_date) == (utc("2026-07-24T19:00"), date(2026, 7, 24))
        assert moment.open_interest_date == date(2026, 7, 28)

    def test_the_new_york_date_of_the_stamp_decides_in_whatever_zone_it_is_told(self) -> None:
        # 20:05 on Tuesday in New York; in UTC and in Tokyo it is Wednesday.
        stamp = utc("2026-07-29T00:05")
        for zone in (UTC, NEW_YORK, ZoneInfo("Asia/Tokyo"), ZoneInfo("America/Los_Angeles")):
            moment = quote_moment(exchange_sessions(), stamp.astimezone(zone), DELAY, None)
            assert (moment.market_date, moment.open_interest_date) == (date(2026, 7, 28), date(2026, 7, 27))

    def test_times_come_out_in_utc(self) -> None:
        moment = quote_moment(exchange_sessions(), in_new_york("2026-07-28T12:00"), DELAY, None)
        for t in (moment.stamp, moment.quote_time, moment.as_of):
            assert t.tzinfo is UTC

    def test_the_demo_market_is_always_in_session(self) -> None:
        # Saturday: Monday's session is on since Friday's close.
        moment = quote_moment(continuous_sessions(), in_new_york("2026-08-01T11:00"), timedelta(0), None)
        assert moment.in_session
        assert moment.as_of == moment.quote_time == in_new_york("2026-08-01T11:00")
        assert (moment.market_date, moment.open_interest_date) == (date(2026, 8, 3), date(2026, 7, 31))

    def test_a_negative_delay_is_refused(self) -> None:
        with pytest.raises(CalendarError, match="delay"):
            quote_moment(exchange_sessions(), utc("2026-07-28T16:00"), timedelta(seconds=-1), None)

    def test_moments_without_a_zone_are_refused(self) -> None:
        naive = datetime(2026, 7, 28, 15)  # noqa: DTZ001
        with pytest.raises(CalendarError, match="has no time zone"):
            quote_moment(exchange_sessions(), naive, DELAY, None)
        with pytest.raises(CalendarError, match="has no time zone"):
            quote_moment(exchange_sessions(), utc("2026-07-28T15:00"), DELAY, naive)


@pytest.mark.clock
@pytest.mark.parametrize(
    ("t", "expected"),
    [
        ("2026-07-28T01:30", date(2026, 7, 27)),
        ("2026-07-28T03:59:59", date(2026, 7, 27)),
        ("2026-07-28T04:00", date(2026, 7, 28)),
        ("2026-01-28T04:59:59", date(2026, 1, 27)),
        ("2026-01-28T05:00", date(2026, 1, 28)),
        # Midnight is at 05:00 UTC before the night of 8 March and at 04:00 after it; in November the other way.
        ("2026-03-08T04:59:59", date(2026, 3, 7)),
        ("2026-03-08T05:00", date(2026, 3, 8)),
        ("2026-03-09T03:59:59", date(2026, 3, 8)),
        ("2026-03-09T04:00", date(2026, 3, 9)),
        ("2026-11-01T03:59:59", date(2026, 10, 31)),
        ("2026-11-01T04:00", date(2026, 11, 1)),
        ("2026-11-02T04:59:59", date(2026, 11, 1)),
        ("2026-11-02T05:00", date(2026, 11, 2)),
    ],
)
def test_new_york_date(t: str, expected: date) -> None:
    assert new_york_date(utc(t)) == expected


@pytest.mark.clock
@pytest.mark.parametrize(
    ("expiration", "as_of", "expected"),
    [
        (date(2026, 7, 31), "2026-07-28T01:30", 4),
        (date(2026, 7, 31), "2026-07-28T15:00", 3),
        (date(2026, 7, 31), "2026-07-31T20:00", 0),
        (date(2026, 7, 31), "2026-08-01T03:59", 0),
        (date(2026, 7, 31), "2026-08-01T04:00", -1),
        (date(2028, 12, 15), "2026-12-15T20:00", 731),
        # Across both changes of the clock a day stays a day.
        (date(2026, 3, 9), "2026-03-06T21:00", 3),
        (date(2026, 11, 2), "2026-10-30T20:00", 3),
    ],
)
def test_dte(expiration: date, as_of: str, expected: int) -> None:
    assert dte(expiration, utc(as_of)) == expected


@pytest.mark.clock
def test_dte_is_the_same_from_whatever_zone_the_moment_is_told() -> None:
    t = utc("2026-07-28T01:30")
    for zone in ("Asia/Tokyo", "America/Los_Angeles", "America/New_York"):
        assert dte(date(2026, 7, 31), t.astimezone(ZoneInfo(zone))) == 4


@pytest.mark.clock
@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (1605225600, date(2020, 11, 13)),
        (1740700800, date(2025, 2, 28)),
        (1813190400, date(2027, 6, 17)),
        (0, date(1970, 1, 1)),
        # Midnight in New York is the same date.
        (1605243600, date(2020, 11, 13)),
    ],
)
def test_expiration_of_epoch(seconds: int, expected: date) -> None:
    assert expiration_of_epoch(seconds) == expected


@pytest.mark.parametrize("seconds", [1605225600000, -(10**14), 10**30])
def test_an_epoch_that_is_no_second_of_a_date_is_refused(seconds: int) -> None:
    with pytest.raises(CalendarError, match=f"{seconds} is no epoch in seconds"):
        expiration_of_epoch(seconds)
