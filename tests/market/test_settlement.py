from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from collector.market.calendar import CalendarError, continuous_sessions, exchange_sessions
from collector.market.settlement import Settlement, settlement


def in_new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)


# By Cboe's and Nasdaq's contract specifications; 2026-03-20 is a third Friday, 2026-03-18 the Wednesday of VIX.
INDEX_OPTIONS = [
    ("SPX", "^SPX", date(2026, 3, 20), "AM", "2026-03-20T09:30"),
    ("SPXW", "^SPX", date(2026, 3, 20), "PM", "2026-03-20T16:00"),
    ("SPXW", "^SPX", date(2026, 3, 31), "PM", "2026-03-31T16:00"),
    ("XSP", "^XSP", date(2026, 3, 20), "PM", "2026-03-20T16:00"),
    ("NDX", "^NDX", date(2026, 3, 20), "AM", "2026-03-20T09:30"),
    ("NDXP", "^NDX", date(2026, 3, 20), "PM", "2026-03-20T16:00"),
    ("RUT", "^RUT", date(2026, 3, 20), "AM", "2026-03-20T09:30"),
    ("RUTW", "^RUT", date(2026, 3, 20), "PM", "2026-03-20T16:00"),
    ("VIX", "^VIX", date(2026, 3, 18), "AM", "2026-03-18T09:30"),
    ("VIXW", "^VIX", date(2026, 3, 25), "AM", "2026-03-25T09:30"),
    # The morning belongs to the root, whatever the date.
    ("SPX", "^SPX", date(2026, 3, 24), "AM", "2026-03-24T09:30"),
    # An open in summer and a LEAP in winter.
    ("SPX", "^SPX", date(2026, 7, 17), "AM", "2026-07-17T09:30"),
    ("SPX", "^SPX", date(2028, 12, 15), "AM", "2028-12-15T09:30"),
]


@pytest.mark.clock
@pytest.mark.parametrize(("root", "ticker", "expiration", "kind", "time"), INDEX_OPTIONS)
def test_index_options_are_european(root: str, ticker: str, expiration: date, kind: str, time: str) -> None:
    found = settlement(root, ticker, expiration, exchange_sessions())
    assert found == Settlement(kind, in_new_york(time), "european")  # type: ignore[arg-type]
    assert found.time.tzinfo is UTC


@pytest.mark.clock
@pytest.mark.parametrize(
    ("root", "ticker", "expiration", "time"),
    [
        ("AAPL", "AAPL", date(2026, 1, 16), "2026-01-16T16:00"),
        ("AAPL", "AAPL", date(2026, 7, 17), "2026-07-17T16:00"),
        ("BRKB", "BRK-B", date(2026, 7, 17), "2026-07-17T16:00"),
        ("AMD1", "AMD", date(2026, 7, 17), "2026-07-17T16:00"),
        ("SPY", "SPY", date(2028, 12, 15), "2028-12-15T16:00"),
        # Half days.
        ("SPY", "SPY", date(2026, 11, 27), "2026-11-27T13:00"),
        ("SPY", "SPY", date(2026, 12, 24), "2026-12-24T13:00"),
        ("SPY", "SPY", date(2028, 7, 3), "2028-07-03T13:00"),
        # The Fridays before and after the clock changes.
        ("SPY", "SPY", date(2026, 3, 6), "2026-03-06T16:00"),
        ("SPY", "SPY", date(2026, 3, 13), "2026-03-13T16:00"),
        ("SPY", "SPY", date(2026, 10, 30), "2026-10-30T16:00"),
        ("SPY", "SPY", date(2026, 11, 6), "2026-11-06T16:00"),
        # Good Friday, Juneteenth, and the Saturdays under which options were listed until 2015.
        ("SPY", "SPY", date(2026, 4, 3), "2026-04-02T16:00"),
        ("SPY", "SPY", date(2026, 6, 19), "2026-06-18T16:00"),
        ("AAPL", "AAPL", date(2013, 1, 19), "2013-01-18T16:00"),
    ],
)
def test_options_on_shares_and_funds_are_american(root: str, ticker: str, expiration: date, time: str) -> None:
    assert settlement(root, ticker, expiration, exchange_sessions()) == Settlement("PM", in_new_york(time), "american")


@pytest.mark.parametrize(
    ("root", "expiration", "time"),
    [
        ("SPX", date(2026, 11, 27), "2026-11-27T09:30"),
        ("SPXW", date(2026, 11, 27), "2026-11-27T13:00"),
        ("SPX", date(2026, 4, 3), "2026-04-02T09:30"),
        ("SPXW", date(2026, 4, 3), "2026-04-02T16:00"),
        ("SPX", date(2013, 1, 19), "2013-01-18T09:30"),
    ],
)
def test_half_days_and_holidays_of_index_options(root: str, expiration: date, time: str) -> None:
    assert settlement(root, "^SPX", expiration, exchange_sessions()).time == in_new_york(time)


def test_an_adjusted_root_of_an_index_is_european_too() -> None:
    assert settlement("SPX1", "^SPX", date(2026, 3, 20), exchange_sessions()).style == "european"


def test_the_root_decides_where_the_ticker_is_spelled_otherwise() -> None:
    found = settlement("SPX", "SPX", date(2026, 3, 20), exchange_sessions())
    assert found == Settlement("AM", in_new_york("2026-03-20T09:30"), "european")


def test_the_demo_market_settles_with_the_exchange() -> None:
    found = settlement("QZX", "QZX", date(2026, 7, 17), continuous_sessions())
    assert found == Settlement("PM", in_new_york("2026-07-17T16:00"), "american")


def test_an_expiration_outside_the_calendar_is_refused() -> None:
    with pytest.raises(CalendarError, match="2099-12-18 leads outside"):
        settlement("SPY", "SPY", date(2099, 12, 18), exchange_sessions())
