"""Moves over past releases, from events and bars written out by hand."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from collector.detectors.past import EarningsMove
from collector.store import records
from collector.store.database import open_store
from collector.store.past_earnings import RELEASES, past_earnings
from collector.store.past_sessions import past_sessions
from exports.folders import MarketFolder
from tests.store.rows import provenance

# Monday to Thursday, without a holiday.
MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 2, day) for day in (9, 10, 11, 12))
TODAY = date(2026, 3, 24)
NOW = datetime(2026, 3, 24, 17, tzinfo=UTC)
EARLIER = datetime(2026, 2, 20, tzinfo=UTC)
AFTER_CLOSE, BEFORE_OPEN = (21, 30), (12, 0)


@pytest.fixture
def store(market_folder: MarketFolder) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_store(market_folder, "test") as connection:
        yield connection


def bars(store: duckdb.DuckDBPyConnection, closes: dict[date, float], recorded_at: datetime = EARLIER, **more: Any):
    rows = [
        {"ticker": "ZZTA", "date": day, "close": close, "split_factor": 1.0, "recorded_at": recorded_at, **more}
        for day, close in closes.items()
    ]
    records.append_bars(store, rows, provenance(f"scan-{recorded_at:%d%H}"))


def release(
    store: duckdb.DuckDBPyConnection,
    day: date,
    hour: tuple[int, int] | None = AFTER_CLOSE,
    confirmed: bool | None = True,
    recorded_at: datetime = EARLIER,
    ticker: str = "ZZTA",
) -> None:
    moment = None if hour is None else datetime(day.year, day.month, day.day, *hour, tzinfo=UTC)
    event = {"ticker": ticker, "kind": "earnings", "date": day, "time": moment, "confirmed": confirmed}
    whole = event | {"amount": None, "known_at": recorded_at, "recorded_at": recorded_at, "source": "demo"}
    records.append_events(store, [whole], provenance(f"scan-{recorded_at:%d%H}"))


def moves(store: duckdb.DuckDBPyConnection, before: date = TODAY, known_at: datetime = NOW) -> tuple[EarningsMove, ...]:
    return past_earnings(store, "demo", {"ZZTA": before}, known_at)["ZZTA"]


CLOSES = {MONDAY: 100.0, TUESDAY: 110.0, WEDNESDAY: 99.0}


@pytest.mark.parametrize(
    ("hour", "move"),
    [(AFTER_CLOSE, math.log(0.9)), (BEFORE_OPEN, math.log(1.1)), (None, math.log(0.9))],
    ids=["after the close", "before the open", "no time stated"],
)
def test_the_move_lies_between_the_closes_around_the_release(
    store: duckdb.DuckDBPyConnection, hour: tuple[int, int] | None, move: float
) -> None:
    bars(store, CLOSES)
    release(store, TUESDAY, hour)
    assert moves(store) == (EarningsMove(TUESDAY, pytest.approx(move)),)


def test_on_a_half_day_the_close_is_at_one(store: duckdb.DuckDBPyConnection) -> None:
    half_day, monday = date(2025, 11, 28), date(2025, 12, 1)
    bars(store, {half_day: 50.0, monday: 60.0})
    release(store, half_day, (18, 30))
    assert moves(store) == (EarningsMove(half_day, pytest.approx(math.log(1.2))),)


def test_a_split_between_the_closes_is_undone(store: duckdb.DuckDBPyConnection) -> None:
    bars(store, {TUESDAY: 110.0})
    bars(store, {WEDNESDAY: 60.5}, split_factor=2.0)
    release(store, TUESDAY)
    assert moves(store) == (EarningsMove(TUESDAY, pytest.approx(math.log(1.1))),)


def test_no_move_without_the_close_next_to_it(store: duckdb.DuckDBPyConnection) -> None:
    bars(store, {MONDAY: 100.0, TUESDAY: 110.0, THURSDAY: 90.0})
    release(store, TUESDAY)
    assert moves(store) == ()


def test_a_date_that_was_only_estimated_tells_of_no_release(store: duckdb.DuckDBPyConnection) -> None:
    bars(store, CLOSES)
    release(store, TUESDAY, confirmed=False)
    assert moves(store) == ()
    release(store, TUESDAY, confirmed=True, recorded_at=EARLIER + timedelta(days=1))
    assert [move.date for move in moves(store)] == [TUESDAY]
    # What was known before is what is told of before.
    assert moves(store, known_at=EARLIER + timedelta(hours=1)) == ()


def test_a_release_that_was_moved_is_one_and_where_it_was_stated_last(store: duckdb.DuckDBPyConnection) -> None:
    bars(store, CLOSES)
    release(store, MONDAY, confirmed=None, recorded_at=EARLIER + timedelta(days=1))
    release(store, TUESDAY, confirmed=None)
    assert [move.date for move in moves(store)] == [MONDAY]


def test_a_release_of_the_session_itself_and_bars_recorded_later_are_not_seen(
    store: duckdb.DuckDBPyConnection,
) -> None:
    bars(store, CLOSES)
    bars(store, {WEDNESDAY: 140.0}, recorded_at=NOW + timedelta(seconds=1))
    release(store, TUESDAY)
    assert moves(store, before=TUESDAY) == ()
    assert moves(store, before=WEDNESDAY) == moves(store) == (EarningsMove(TUESDAY, pytest.approx(math.log(0.9))),)


def test_the_past_of_a_ticker_holds_them(store: duckdb.DuckDBPyConnection) -> None:
    bars(store, CLOSES)
    release(store, TUESDAY)
    release(store, TUESDAY, ticker="ZZTB")
    found = past_sessions(store, "demo", {"ZZTA": TODAY, "ZZTB": TODAY}, NOW, 20)
    assert found["ZZTA"].sessions.earnings == moves(store)
    assert found["ZZTB"].sessions.earnings == ()


def test_the_releases_of_500_tickers_are_read_in_a_quarter_of_a_second(store: duckdb.DuckDBPyConnection) -> None:
    first = date(2021, 1, 4)
    days = [day for age in range(1900) if (day := first + timedelta(days=age)).weekday() < 5]
    store.execute(
        """
        INSERT INTO bars SELECT 'scan-1', printf('T%03d', t.n), 'demo', 'demo', d.day, 1, 1, 1, 100 + t.n % 7, 1,
               1.0, 'demo', $recorded, $recorded
        FROM range(500) t(n), (SELECT unnest($days) AS day) d
        """,
        {"recorded": EARLIER, "days": days[-600:]},
    )
    store.execute(
        """
        INSERT INTO events SELECT 'scan-1', printf('T%03d', t.n), 'demo', 'demo', 'earnings',
               DATE '2026-02-03' - CAST(91 * q.n AS INTEGER), NULL, true, NULL, $recorded, 'demo', $recorded, $recorded
        FROM range(500) t(n), range(20) q(n)
        """,
        {"recorded": EARLIER},
    )
    asked = {f"T{number:03}": TODAY for number in range(500)}

    def once() -> float:
        start = time.perf_counter()
        found = past_earnings(store, "demo", asked, NOW)
        assert all(0 < len(one) <= RELEASES for one in found.values())
        return time.perf_counter() - start

    assert min(once() for _ in range(3)) < 3.0
