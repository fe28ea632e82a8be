"""What is usually traded by this time of the session, worked by hand, as it was known at the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from collector.detectors.base import UsualVolume
from collector.market.calendar import exchange_sessions
from collector.store import records
from collector.store.database import open_store
from collector.store.usual_volume import COLUMNS, Usual, usual_volumes
from exports.folders import MarketFolder
from tests.store.rows import append_contract_rows, contract_row, days_before

# A Tuesday, 13:00 in New York: 3 h 30 min after the open.
TODAY = date(2026, 3, 24)
NOW = datetime(2026, 3, 24, 17, tzinfo=UTC)
CLOSE = datetime(2026, 3, 24, 20, tzinfo=UTC)
MONDAY, FRIDAY, THURSDAY = days_before(TODAY, 3)
CALL = "ZZTA260619C00100000"
PUT = "ZZTA260619P00100000"


@pytest.fixture
def store(market_folder: MarketFolder) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_store(market_folder, "test") as connection:
        yield connection


def at(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC)


def scanned(
    store: duckdb.DuckDBPyConnection,
    moment: datetime,
    *rows: dict[str, Any],
    volume: int | None = 1_000,
    ticker: str = "ZZTA",
    provider: str = "demo",
    recorded_at: datetime | None = None,
) -> None:
    """Append a scan of one ticker: its feature, and its contracts."""
    shared = {
        "scan_id": f"scan-{ticker}-{moment:%Y%m%dT%H%M%S}-{provider}",
        "provider": provider,
        "feed": "demo",
        "source": "demo",
        "inserted_at": moment,
        "as_of": moment,
        "recorded_at": recorded_at or moment,
    }
    feature = {"ticker": ticker, "quote_time": moment, "market_date": moment.date(), "volume": volume}
    records.append(store, "features", [feature | shared | {"detectors": [], "reasons": {}}])
    append_contract_rows(store, [row | shared for row in rows], shared["scan_id"])


def traded(moment: datetime, symbol: str, volume: int | None, **changes: Any) -> dict[str, Any]:
    return contract_row(moment.date(), symbol, volume, **changes)


def seen(
    store: duckdb.DuckDBPyConnection, as_of: datetime = NOW, known_at: datetime = NOW, provider: str = "demo"
) -> Usual:
    return usual_volumes(store, provider, {"ZZTA": (TODAY, as_of)}, known_at, exchange_sessions())["ZZTA"]


def usual(store: duckdb.DuckDBPyConnection, **asked: Any) -> dict[str, tuple[float, int, int]]:
    frame = seen(store, **asked).contracts
    return {
        str(symbol): (row["mean_volume"], int(row["sessions"]), int(row["by_time"])) for symbol, row in frame.iterrows()
    }


def through_the_day(store: duckdb.DuckDBPyConnection, day: date, volumes: Sequence[tuple[datetime, int]]) -> None:
    for moment, volume in volumes:
        scanned(store, moment, traded(moment, CALL, volume), volume=10 * volume)


def test_the_last_scan_by_this_time_of_the_session_counts(store: duckdb.DuckDBPyConnection) -> None:
    through_the_day(store, MONDAY, [(at(MONDAY, 16, 30), 50), (at(MONDAY, 17), 60), (at(MONDAY, 19, 50), 900)])
    through_the_day(store, FRIDAY, [(at(FRIDAY, 16, 55), 20), (at(FRIDAY, 17, 5), 30), (at(FRIDAY, 19, 50), 800)])
    assert usual(store) == {CALL: (40.0, 2, 2)}
    assert seen(store).ticker == UsualVolume(400.0, 2, 2)


def test_without_a_scan_of_about_that_time_the_whole_session_counts(store: duckdb.DuckDBPyConnection) -> None:
    through_the_day(store, MONDAY, [(at(MONDAY, 17), 60), (at(MONDAY, 19, 50), 900)])
    # 3 h 30 min times 0.8 are 2 h 48 min: 12:18 in New York.
    through_the_day(store, FRIDAY, [(at(FRIDAY, 16, 17), 20), (at(FRIDAY, 19, 50), 800)])
    through_the_day(store, THURSDAY, [(at(THURSDAY, 16, 18), 40), (at(THURSDAY, 19, 50), 700)])
    assert usual(store) == {CALL: (pytest.approx((60 + 800 + 40) / 3), 3, 2)}
    assert seen(store).ticker == UsualVolume(pytest.approx(3_000.0), 3, 2)


def test_a_session_of_which_only_the_morning_was_seen_is_left_out(store: duckdb.DuckDBPyConnection) -> None:
    through_the_day(store, MONDAY, [(at(MONDAY, 14), 5)])
    assert usual(store) == {}
    assert seen(store).ticker is None


def test_seconds_after_this_time_are_this_time(store: duckdb.DuckDBPyConnection) -> None:
    through_the_day(store, MONDAY, [(at(MONDAY, 17, 0, 59), 60), (at(MONDAY, 19, 50), 900)])
    through_the_day(store, FRIDAY, [(at(FRIDAY, 17, 1, 1), 60), (at(FRIDAY, 19, 50), 900)])
    assert usual(store) == {CALL: (480.0, 2, 1)}


def test_the_time_runs_from_the_open_over_a_change_of_the_clocks(store: duckdb.DuckDBPyConnection) -> None:
    # Until 8 March New York opened at 14:30 UTC: 13:00 there is 18:00.
    friday = date(2026, 3, 6)
    through_the_day(store, friday, [(at(friday, 17), 60), (at(friday, 18), 90), (at(friday, 20, 50), 900)])
    assert usual(store) == {CALL: (90.0, 1, 1)}


def test_after_the_close_whole_sessions_count(store: duckdb.DuckDBPyConnection) -> None:
    through_the_day(store, MONDAY, [(at(MONDAY, 17), 60), (at(MONDAY, 20), 900)])
    assert usual(store, as_of=CLOSE) == {CALL: (900.0, 1, 0)}


def test_carried_unknown_adjusted_and_foreign_rows_count_for_nothing(store: duckdb.DuckDBPyConnection) -> None:
    moment = at(MONDAY, 17)
    scanned(
        store,
        moment,
        traded(moment, CALL, 30),
        traded(moment, PUT, 700, known=False),
        traded(moment, "ZZTA1260619C00100000", 800, adjusted=True),
        traded(moment, "ZZTA260619C00110000", None, known=False),
        traded(moment, "ZZTA260619C00120000", 999, known=False, untraded=True),
    )
    other = "ZZTB260619C00100000"
    scanned(store, moment, traded(moment, other, 900, ticker="ZZTB", root="ZZTB"), ticker="ZZTB")
    scanned(store, at(FRIDAY, 17), traded(at(FRIDAY, 17), CALL, 10_000), provider="yahoo")
    assert usual(store) == {CALL: (30.0, 1, 1), "ZZTA260619C00120000": (0.0, 1, 1)}
    assert usual(store, provider="cboe") == {}


def test_a_session_of_unknown_volume_is_left_out(store: duckdb.DuckDBPyConnection) -> None:
    scanned(store, at(MONDAY, 17), traded(at(MONDAY, 17), CALL, 30), volume=None)
    scanned(store, at(FRIDAY, 17), traded(at(FRIDAY, 17), CALL, 50), volume=500)
    assert usual(store) == {CALL: (50.0, 1, 1)}


def test_a_session_without_trades_counts_as_nought(store: duckdb.DuckDBPyConnection) -> None:
    through_the_day(store, MONDAY, [(at(MONDAY, 17), 0)])
    through_the_day(store, FRIDAY, [(at(FRIDAY, 17), 9)])
    assert usual(store) == {CALL: (4.5, 2, 2)}


def test_what_was_recorded_later_is_not_seen(store: duckdb.DuckDBPyConnection) -> None:
    later = NOW + timedelta(seconds=1)
    scanned(store, at(MONDAY, 16, 50), traded(at(MONDAY, 16, 50), CALL, 30))
    scanned(store, at(MONDAY, 17), traded(at(MONDAY, 17), CALL, 400), recorded_at=later)
    assert usual(store) == {CALL: (30.0, 1, 1)}
    assert usual(store, known_at=later) == {CALL: (400.0, 1, 1)}


def test_today_and_later_count_for_nothing(store: duckdb.DuckDBPyConnection) -> None:
    for day in (TODAY, date(2026, 3, 25)):
        scanned(store, at(day, 14), traded(at(day, 14), CALL, 30), recorded_at=NOW)
    assert usual(store) == {}


def test_at_most_twenty_sessions_are_counted(store: duckdb.DuckDBPyConnection) -> None:
    for age, day in enumerate(days_before(TODAY, 23)):
        moment = exchange_sessions().session(day).open + timedelta(hours=3, minutes=30)
        scanned(store, moment, traded(moment, CALL, 100 if age < 20 else 10_000), volume=5 if age < 20 else 500)
    assert usual(store) == {CALL: (100.0, 20, 20)}
    assert seen(store).ticker == UsualVolume(5.0, 20, 20)


def test_a_ticker_without_history_gets_an_empty_frame(store: duckdb.DuckDBPyConnection) -> None:
    assert usual_volumes(store, "demo", {}, NOW, exchange_sessions()) == {}
    found = seen(store)
    assert (len(found.contracts), list(found.contracts.columns), found.ticker) == (0, COLUMNS, None)
