"""The demo's expiration calendar on any date, held against the plain calendar and the exchange's holidays."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.market.calendar import NEW_YORK, continuous_sessions, exchange_sessions
from collector.market.contract import parse_occ
from collector.providers.base import EmptyAnswer
from collector.providers.demo import DemoProvider
from collector.providers.demo.script import missing_chain
from collector.providers.demo.timeline import timeline
from collector.providers.demo.universe import NAMES
from tests.providers.demo_moments import DAYS, MOMENTS, session_on, within


def third_friday(year: int, month: int) -> date:
    fridays = [week[calendar.FRIDAY] for week in calendar.monthcalendar(year, month) if week[calendar.FRIDAY]]
    return date(year, month, fridays[2])


def session_for(friday: date) -> date:
    """Return the Friday or, where the exchange is closed on it, the last open day before."""
    day = friday
    while exchange_sessions().session(day) is None:
        day -= timedelta(days=1)
    return day


def expected(market_date: date) -> list[date]:
    """Return what has to be listed in the demo's session of that date, from the rules in words."""
    first_friday = next(
        market_date + timedelta(days=ahead)
        for ahead in range(7)
        if (market_date + timedelta(days=ahead)).weekday() == calendar.FRIDAY
    )
    thirds = [
        third_friday(year, month) for year in range(market_date.year, market_date.year + 3) for month in range(1, 13)
    ]
    coming = [friday for friday in thirds if friday >= market_date]
    fridays = {
        *(first_friday + timedelta(weeks=week) for week in range(4)),
        *coming[:3],
        *[friday for friday in coming if friday.month in (3, 6, 9, 12)][:4],
    }
    return sorted(session_for(friday) for friday in fridays)


@settings(max_examples=120, deadline=None)
@given(DAYS, st.floats(0.0, 0.34), st.sampled_from(NAMES))
def test_listed_are_weeklies_monthlies_and_quarterlies(day, share, ticker):
    session = session_on(day)
    assert list(DemoProvider(within(session, share)).expirations(ticker)) == expected(session.date)


@settings(max_examples=60, deadline=None)
@given(MOMENTS)
def test_no_expiration_has_passed_and_each_can_be_asked_for(moment):
    provider = DemoProvider(moment)
    in_new_york = moment.astimezone(NEW_YORK).date()
    for ticker in NAMES:
        expirations = provider.expirations(ticker)
        assert 7 <= len(expirations) <= 10
        assert list(expirations) == sorted(set(expirations))
        assert expirations[0] >= in_new_york
        # One of them, the last included, may be missing at the moment.
        assert timedelta(days=180) < expirations[-1] - in_new_york < timedelta(days=380)


@pytest.mark.clock
@pytest.mark.parametrize(
    ("moment", "expiration"),
    [
        (datetime(2019, 4, 16, 15, tzinfo=UTC), date(2019, 4, 18)),  # Good Friday 2019-04-19
        (datetime(2022, 4, 12, 15, tzinfo=UTC), date(2022, 4, 14)),  # Good Friday 2022-04-15
        (datetime(2026, 6, 16, 15, tzinfo=UTC), date(2026, 6, 18)),  # Juneteenth, a third Friday
        (datetime(2026, 6, 30, 15, tzinfo=UTC), date(2026, 7, 2)),  # Independence Day, kept on Friday the 3rd
        (datetime(2020, 12, 22, 15, tzinfo=UTC), date(2020, 12, 24)),  # Christmas; the 24th is a half day
        (datetime(2021, 12, 29, 15, tzinfo=UTC), date(2021, 12, 31)),  # no holiday, though New Year is a Saturday
    ],
)
def test_where_friday_is_no_session_the_day_before_expires(moment, expiration):
    assert DemoProvider(moment).expirations("BRAMLO")[0] == expiration


@pytest.mark.clock
@pytest.mark.parametrize(
    ("last_moment", "expiration"),
    [
        (datetime(2026, 1, 16, 20, 59, 59, tzinfo=UTC), date(2026, 1, 16)),  # 16:00 in winter
        (datetime(2026, 5, 15, 19, 59, 59, tzinfo=UTC), date(2026, 5, 15)),  # 16:00 in summer
        (datetime(2020, 12, 24, 17, 59, 59, tzinfo=UTC), date(2020, 12, 24)),  # 13:00 on a half day
        (datetime(2019, 11, 29, 17, 59, 59, tzinfo=UTC), date(2019, 11, 29)),  # the Friday after Thanksgiving
    ],
)
def test_contracts_are_there_until_settlement_and_gone_at_it(last_moment, expiration):
    ticker = "ALDREN"
    assert DemoProvider(last_moment).expirations(ticker)[0] == expiration
    assert len(DemoProvider(last_moment).chain(ticker, expiration).contracts) > 40
    after = DemoProvider(last_moment + timedelta(seconds=1))
    assert after.expirations(ticker)[0] > expiration
    with pytest.raises(EmptyAnswer, match=f"ALDREN lists no expiration {expiration}"):
        after.chain(ticker, expiration)


@settings(max_examples=25, deadline=None)
@given(DAYS, st.sampled_from(NAMES))
def test_nothing_listed_is_lost_before_it_expires(day, ticker):
    """Expirations and strikes only leave by settlement; splits apart, which turn every strike."""
    session = session_on(day)
    later = continuous_sessions().following(session.date)
    first, second = DemoProvider(session.open), DemoProvider(later.open)
    if any(event.kind == "split" and event.date == later.date for event in second.events(ticker)):
        return
    kept = [expiration for expiration in first.expirations(ticker) if expiration > session.date]
    assert set(kept) <= set(second.expirations(ticker))
    for expiration in kept:
        before = {contract.contract_symbol for contract in first.chain(ticker, expiration).contracts}
        after = {contract.contract_symbol for contract in second.chain(ticker, expiration).contracts}
        assert before <= after


@settings(max_examples=25, deadline=None)
@given(MOMENTS, st.sampled_from(NAMES))
def test_strikes_stand_around_the_price_and_symbols_say_what_rows_say(moment, ticker):
    provider = DemoProvider(moment)
    price = provider.quote(ticker).price
    opened = DemoProvider(timeline().sessions[timeline().ordinal_at(moment)].open).quote(ticker).price
    for expiration in provider.expirations(ticker):
        chain = provider.chain(ticker, expiration)
        symbols = [contract.contract_symbol for contract in chain.contracts]
        assert len(set(symbols)) == len(symbols)
        for contract in chain.contracts:
            occ = parse_occ(contract.contract_symbol)
            assert (occ.expiration, occ.option_type, occ.strike) == (expiration, contract.option_type, contract.strike)
            assert occ.root == ticker or contract.contract_size != 100
        for option_type in ("call", "put"):
            strikes = [c.strike for c in chain.contracts if c.option_type == option_type and c.contract_size == 100]
            assert strikes == sorted(set(strikes))
            assert 20 <= len(strikes) <= 100
            # They are listed around the open; a wild price crosses most of them in its worst session.
            assert sum(strike < opened for strike in strikes) >= 5
            assert sum(strike > opened for strike in strikes) >= 5
            assert sum(strike < price for strike in strikes) >= 3
            assert sum(strike > price for strike in strikes) >= 3


@settings(max_examples=20, deadline=None)
@given(DAYS)
def test_a_missing_expiration_is_back_later_in_the_session(day):
    ordinal = timeline().ordinal_of(session_on(day).date)
    ordinal += (1 - ordinal) % 4
    session = timeline().sessions[ordinal]
    ticker, expiration = missing_chain(ordinal, 0.5)
    before, meanwhile, after = (DemoProvider(within(session, share)) for share in (0.2, 0.5, 0.8))
    assert expiration in before.expirations(ticker)
    assert expiration not in meanwhile.expirations(ticker)
    assert set(before.expirations(ticker)) - set(meanwhile.expirations(ticker)) == {expiration}
    assert before.expirations(ticker) == after.expirations(ticker)
    with pytest.raises(EmptyAnswer):
        meanwhile.chain(ticker, expiration)
