"""Dividends to come: declared, by habit, by the stated rate. Expected dates and amounts are worked by hand."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.market.calendar import continuous_sessions, exchange_sessions
from collector.market.dividends import Dividend, ExDividend, in_years, schedule
from collector.market.events import Event, EventKind
from collector.providers.yahoo_bodies import parse_quote

SESSIONS = exchange_sessions()
# A Tuesday, 12:00 New York.
NOON = datetime(2026, 1, 27, 17, tzinfo=UTC)
EARLIER = datetime(2024, 1, 2, tzinfo=UTC)
YEAR_END = date(2026, 12, 31)
# Ex-dates of a quarterly payer, 91 days apart.
QUARTERS = (date(2025, 2, 10), date(2025, 5, 12), date(2025, 8, 11), date(2025, 11, 10))


def paid(
    day: date, amount: float, kind: EventKind = "dividend", known_at: datetime = EARLIER, ticker: str = "ZZTA"
) -> Event:
    return Event(kind, day, known_at, ticker, amount=amount)


def quarterly(amount: float = 0.25) -> list[Event]:
    return [paid(day, amount) for day in QUARTERS]


def coming(
    events: list[Event], until: date = YEAR_END, dividend_rate: float | None = None, as_of: datetime = NOON
) -> tuple[ExDividend, ...] | None:
    return schedule(events, "ZZTA", as_of, until, SESSIONS, dividend_rate)


def dates(found: tuple[ExDividend, ...] | None) -> list[date]:
    assert found is not None
    return [one.date for one in found]


class TestHabit:
    @pytest.mark.clock
    def test_a_quarterly_payer_goes_on_by_quarters_of_a_year_on_sessions(self) -> None:
        # 2025-11-10 and 91, 183, 274, 365 days: 02-09 Mon, 05-12 Tue, 08-11 Tue, 11-10 Tue.
        assert coming(quarterly()) == tuple(
            ExDividend(day, 0.25, "projected")
            for day in (date(2026, 2, 9), date(2026, 5, 12), date(2026, 8, 11), date(2026, 11, 10))
        )

    def test_an_ex_date_that_is_no_session_moves_to_the_one_before(self) -> None:
        # 2026-04-03 is Good Friday: 91 days after Friday 2026-01-02.
        days = [date(2025, 7, 4) - timedelta(days=1), date(2025, 10, 3), date(2026, 1, 2)]
        assert dates(coming([paid(day, 1.0) for day in days]))[0] == date(2026, 4, 2)

    @pytest.mark.parametrize(
        ("days", "expected"),
        [
            # Monthly: 30, 61, 91 days (of 365.25 / 12) after Thursday 2026-01-15: Saturday, Tuesday, Thursday.
            (
                [date(2025, 11, 14), date(2025, 12, 15), date(2026, 1, 15)],
                [date(2026, 2, 13), date(2026, 3, 17), date(2026, 4, 16)],
            ),
            # Twice a year: 183 and 365 days (182.625, 365.25) after Monday 2025-09-15.
            ([date(2025, 3, 17), date(2025, 9, 15)], [date(2026, 3, 17), date(2026, 9, 15)]),
            # Once a year: 365 days after Tuesday 2025-05-06 is Wednesday.
            ([date(2024, 5, 7), date(2025, 5, 6)], [date(2026, 5, 6)]),
        ],
    )
    def test_other_distances_are_known_too(self, days: list[date], expected: list[date]) -> None:
        found = coming([paid(day, 0.5) for day in days])
        assert dates(found)[: len(expected)] == expected
        assert {one.amount for one in found or ()} == {0.5}

    def test_the_last_amount_is_the_one_expected(self) -> None:
        raised = [paid(day, amount) for day, amount in zip(QUARTERS, (0.24, 0.25, 0.25, 0.26), strict=True)]
        assert {one.amount for one in coming(raised) or ()} == {0.26}

    @pytest.mark.parametrize(
        ("as_of", "projects"),
        # A quarter and a half after 2025-11-10 is 136.5 days: 2026-03-26.
        [(datetime(2026, 3, 26, 17, tzinfo=UTC), True), (datetime(2026, 3, 27, 17, tzinfo=UTC), False)],
    )
    def test_a_habit_that_missed_its_turn_is_over(self, as_of: datetime, projects: bool) -> None:
        found = coming(quarterly(), as_of=as_of)
        assert (found is not None) is projects

    def test_unsteady_dividends_are_no_habit(self) -> None:
        days = (date(2025, 9, 2), date(2025, 11, 3), date(2025, 12, 29))
        assert coming([paid(day, 0.1) for day in days]) is None

    def test_a_skipped_quarter_is_no_other_habit(self) -> None:
        kept = [event for event in quarterly() if event.date != QUARTERS[1]]
        assert dates(coming([*kept, paid(date(2024, 11, 11), 0.25), paid(date(2024, 8, 12), 0.25)]))[0] == date(
            2026, 2, 9
        )

    def test_until_bounds_it_and_belongs_to_it(self) -> None:
        assert dates(coming(quarterly(), until=date(2026, 5, 12))) == [date(2026, 2, 9), date(2026, 5, 12)]
        assert coming(quarterly(), until=date(2026, 2, 8)) == ()


class TestSpecials:
    def test_a_special_dividend_is_not_repeated(self) -> None:
        special = paid(date(2025, 12, 15), 5.0, "special_dividend")
        assert coming([*quarterly(), special]) == coming(quarterly())

    def test_nor_one_that_a_feed_calls_by_the_regular_name(self) -> None:
        # The middle of .25 .25 .25 5 is .25, three times that .75.
        assert coming([*quarterly()[1:], paid(date(2025, 12, 15), 5.0)]) == coming(quarterly())
        tripled = [*quarterly()[1:], paid(date(2026, 1, 26), 0.75)]
        assert {one.amount for one in coming(tripled) or ()} == {0.75}

    def test_a_declared_special_counts_and_the_regular_ones_go_on(self) -> None:
        found = coming([*quarterly(), paid(date(2026, 2, 5), 5.0, "special_dividend")], until=date(2026, 3, 1))
        assert found == (ExDividend(date(2026, 2, 5), 5.0, "declared"), ExDividend(date(2026, 2, 9), 0.25, "projected"))

    def test_a_special_on_the_day_of_a_regular_one_is_added_to_it(self) -> None:
        both = [paid(date(2026, 2, 6), 0.26), paid(date(2026, 2, 6), 5.0, "special_dividend")]
        assert coming(both, until=date(2026, 3, 1)) == (ExDividend(date(2026, 2, 6), 5.26, "declared"),)


class TestDeclared:
    def test_the_declared_one_takes_its_quarter_and_sets_the_next(self) -> None:
        found = coming([*quarterly(), paid(date(2026, 2, 6), 0.26)], until=date(2026, 6, 1))
        # 91 days after 2026-02-06.
        assert found == (
            ExDividend(date(2026, 2, 6), 0.26, "declared"),
            ExDividend(date(2026, 5, 8), 0.26, "projected"),
        )

    def test_a_declared_one_that_stands_out_takes_its_quarter_all_the_same(self) -> None:
        found = coming([*quarterly(), paid(date(2026, 2, 6), 1.0)], until=date(2026, 6, 1))
        # The habit's next, 183 days after 2025-11-10, at the habit's amount.
        assert found == (
            ExDividend(date(2026, 2, 6), 1.0, "declared"),
            ExDividend(date(2026, 5, 12), 0.25, "projected"),
        )

    def test_one_that_was_declared_later_is_not_known(self) -> None:
        late = paid(date(2026, 2, 6), 0.26, known_at=NOON + timedelta(seconds=1))
        assert coming([*quarterly(), late]) == coming(quarterly())
        on_time = paid(date(2026, 2, 6), 0.26, known_at=NOON)
        assert dates(coming([*quarterly(), on_time]))[0] == date(2026, 2, 6)

    def test_of_two_statements_on_one_date_the_newest_counts(self) -> None:
        first, second = (
            paid(date(2026, 2, 6), amount, known_at=NOON - timedelta(days=days))
            for amount, days in ((0.2, 9), (0.3, 2))
        )
        assert coming([second, first], until=date(2026, 3, 1)) == (ExDividend(date(2026, 2, 6), 0.3, "declared"),)

    def test_the_past_counts_though_it_was_asked_for_after_the_quotes(self) -> None:
        asked = [paid(day, 0.25, known_at=NOON + timedelta(minutes=15)) for day in QUARTERS]
        assert coming(asked) == coming(quarterly())

    @pytest.mark.clock
    def test_one_that_goes_ex_today_is_gone_and_today_is_new_yorks(self) -> None:
        declared = paid(date(2026, 1, 28), 0.26)
        # 03:00 UTC on the 28th is still the 27th in New York.
        assert coming([declared], as_of=datetime(2026, 1, 28, 3, tzinfo=UTC)) is not None
        assert coming([declared], as_of=datetime(2026, 1, 28, 17, tzinfo=UTC)) is None

    def test_other_tickers_and_other_kinds_are_not_looked_at(self) -> None:
        others = [
            paid(date(2026, 2, 6), 9.0, ticker="ZZTB"),
            Event("earnings", date(2026, 2, 6), EARLIER, "ZZTA"),
            Event("dividend", date(2026, 2, 6), EARLIER, "ZZTA"),
        ]
        assert coming(others) is None


class TestSplits:
    SPLIT = Event("split", date(2025, 12, 1), EARLIER, "ZZTA", amount=4.0)

    def test_a_split_divides_what_was_paid_before_it(self) -> None:
        assert {one.amount for one in coming([*quarterly(1.0), self.SPLIT]) or ()} == {0.25}

    def test_a_split_stated_twice_divides_once(self) -> None:
        assert coming([*quarterly(1.0), self.SPLIT, self.SPLIT]) == coming([*quarterly(1.0), self.SPLIT])

    def test_a_reverse_split_multiplies(self) -> None:
        reverse = Event("split", date(2025, 12, 1), EARLIER, "ZZTA", amount=0.1)
        assert {one.amount for one in coming([*quarterly(0.25), reverse]) or ()} == {2.5}

    def test_one_to_come_and_one_of_another_ticker_change_nothing(self) -> None:
        others = [
            Event("split", date(2026, 2, 2), EARLIER, "ZZTA", amount=4.0),
            Event("split", date(2025, 12, 1), EARLIER, "ZZTB", amount=4.0),
        ]
        assert coming([*quarterly(), *others]) == coming(quarterly())

    def test_amounts_after_it_are_as_they_are(self) -> None:
        # .80, then four for one, then .20: one habit, none of them special.
        days = dict(zip(QUARTERS, (0.8, 0.8, 0.8, 0.2), strict=True))
        split = Event("split", date(2025, 9, 2), EARLIER, "ZZTA", amount=4.0)
        assert {one.amount for one in coming([split, *(paid(d, a) for d, a in days.items())]) or ()} == {0.2}


class TestStatedRate:
    def test_without_a_past_a_quarter_of_it_comes_each_quarter_from_today(self) -> None:
        # 91, 183, 274 days after Tuesday 2026-01-27: Tuesday, Wednesday, Wednesday.
        assert coming([], dividend_rate=1.04, until=date(2026, 11, 1)) == tuple(
            ExDividend(day, 0.26, "projected") for day in (date(2026, 4, 28), date(2026, 7, 29), date(2026, 10, 28))
        )

    def test_one_past_dividend_sets_the_days(self) -> None:
        found = coming([paid(QUARTERS[-1], 0.25)], dividend_rate=1.04, until=date(2026, 3, 1))
        assert found == (ExDividend(date(2026, 2, 9), 0.26, "projected"),)

    def test_a_habit_goes_before_it(self) -> None:
        assert coming(quarterly(), dividend_rate=9.0) == coming(quarterly())

    def test_a_rate_of_nothing_is_none_to_come_and_no_rate_is_unknown(self) -> None:
        assert coming([], dividend_rate=0.0) == ()
        assert coming([]) is None

    def test_in_dollars_the_forward_is_right_where_per_cent_read_as_a_share_is_not(self) -> None:
        """HO-11: 0.35 per cent of 200 is 0.70 a year; read as 35 per cent the forward would be 146.69."""
        stated = {"regularMarketPrice": 200.0, "currency": "USD", "dividendRate": 0.70, "dividendYield": 0.35}
        quote = parse_quote(stated, NOON, "ZZTA")
        paying = in_years(coming([], dividend_rate=quote.dividend_rate, until=date(2027, 1, 27)), NOON, SESSIONS)
        assert paying is not None
        assert [one.amount for one in paying] == [0.175] * 4
        present = sum(one.amount * math.exp(-0.04 * one.time) for one in paying)
        assert (200.0 - present) * math.exp(0.04) == pytest.approx(207.43, abs=0.03)

    def test_a_dividend_yield_alone_is_not_read(self) -> None:
        """HO-11, KO and BNP.PA: no guess at a unit."""
        for stated in (0.35, 2.59, 8.89):
            quote = parse_quote({"regularMarketPrice": 200.0, "dividendYield": stated}, NOON, "ZZTA")
            assert coming([], dividend_rate=quote.dividend_rate) is None


class TestInYears:
    @pytest.mark.clock
    def test_it_is_the_time_to_the_open_of_the_ex_date(self) -> None:
        # From Tuesday 12:00 to Friday 2026-02-06 09:30: 9 days 21.5 hours.
        (one,) = in_years([ExDividend(date(2026, 2, 6), 0.26, "declared")], NOON, SESSIONS) or ()
        assert isinstance(one, Dividend)
        assert one.amount == 0.26
        assert one.time == pytest.approx((9 * 24 + 21.5) / (365 * 24), rel=1e-12)

    @pytest.mark.clock
    def test_a_change_of_the_clock_lies_between(self) -> None:
        # From 12:00 in winter to 09:30 in summer an hour is lost: 2026-03-08.
        as_of = datetime(2026, 3, 6, 12, tzinfo=ZoneInfo("America/New_York"))
        (one,) = in_years([ExDividend(date(2026, 3, 9), 0.26, "declared")], as_of, SESSIONS) or ()
        assert one.time == pytest.approx((3 * 24 - 2.5 - 1) / (365 * 24), rel=1e-12)

    def test_an_ex_date_without_a_session_counts_from_the_next_open(self) -> None:
        saturday, monday = (
            in_years([ExDividend(day, 0.26, "declared")], NOON, SESSIONS)
            for day in (date(2026, 2, 7), date(2026, 2, 9))
        )
        assert saturday == monday

    def test_what_went_ex_this_morning_is_left_out(self) -> None:
        assert in_years([ExDividend(date(2026, 1, 27), 0.26, "declared")], NOON, SESSIONS) == ()

    def test_a_session_that_began_the_day_before_counts_from_there(self) -> None:
        # The demo's session of 2026-01-28 opens at 16:00 New York of the 27th.
        (one,) = in_years([ExDividend(date(2026, 1, 28), 0.26, "declared")], NOON, continuous_sessions()) or ()
        assert one.time == pytest.approx(4 / (365 * 24), rel=1e-12)

    def test_beyond_the_calendar_nothing_is_known(self) -> None:
        assert in_years([ExDividend(date(2199, 1, 5), 0.26, "projected")], NOON, SESSIONS) == ()

    def test_unknown_stays_unknown(self) -> None:
        assert in_years(None, NOON, SESSIONS) is None
        assert in_years((), NOON, SESSIONS) == ()


@given(
    start=st.dates(date(2024, 6, 1), date(2025, 12, 1)),
    gap=st.sampled_from([28, 30, 31, 90, 91, 92, 98, 181, 184]),
    amounts=st.lists(st.floats(0.01, 50.0), min_size=2, max_size=8),
    rate=st.none() | st.floats(0.0, 20.0),
)
def test_whatever_was_paid_what_comes_lies_ahead_on_sessions_in_order(
    start: date, gap: int, amounts: list[float], rate: float | None
) -> None:
    events = [paid(start + timedelta(days=gap * place), amount) for place, amount in enumerate(amounts)]
    found = coming(events, dividend_rate=rate)
    for one in found or ():
        assert date(2026, 1, 27) < one.date <= YEAR_END
        assert one.amount > 0 or rate == 0
        assert one.source == "declared" or SESSIONS.session(one.date) is not None
    assert dates(found or ()) == sorted({one.date for one in found or ()})
