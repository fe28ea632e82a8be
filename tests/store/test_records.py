"""What is appended to the store, and what is not because it is there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from collector.store import records
from collector.store.database import open_store
from collector.store.staging import Staging
from exports.folders import MarketFolder
from tests.quotes import EXPIRATION, contract, occ
from tests.store.rows import provenance
from tests.store.test_staging import staged

RECORDED = datetime(2026, 3, 24, 17, tzinfo=UTC)


@pytest.fixture
def store(market_folder: MarketFolder) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_store(market_folder, "test") as connection:
        yield connection


def bar(day: int, close: float | None = 10.0, **changes: Any) -> dict[str, Any]:
    row = {
        "ticker": "ZZTA",
        "date": date(2026, 3, day).isoformat(),
        "open": 9.0,
        "high": 11.0,
        "low": 8.0,
        "close": close,
        "volume": 1000,
        "split_factor": 1.0,
        "recorded_at": RECORDED,
    }
    return row | changes


def event(**changes: Any) -> dict[str, Any]:
    row = {
        "ticker": "ZZTA",
        "kind": "earnings",
        "date": "2026-04-30",
        "time": None,
        "confirmed": False,
        "amount": None,
        "known_at": RECORDED,
        "recorded_at": RECORDED,
    }
    return row | changes


def closes(store: duckdb.DuckDBPyConnection) -> list[Any]:
    return store.execute("SELECT scan_id, day(date), close FROM bars ORDER BY date, recorded_at").fetchall()


def test_a_column_that_the_table_lacks_is_refused_by_name(store: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ValueError, match="table revisions has no column colour, weight"):
        records.append(store, "revisions", [{"store_revision": 1, "colour": "red"}], {"weight": 2})
    assert store.execute("SELECT count(*) FROM revisions").fetchone() == (0,)


def test_lists_and_objects_become_json_and_texts_become_times(store: duckdb.DuckDBPyConnection) -> None:
    feature = {
        "ticker": "ZZTA",
        "as_of": "2026-03-24T16:45:00+00:00",
        "quote_time": "2026-03-24T16:45:00+00:00",
        "market_date": "2026-03-24",
        "detectors": [{"detector": "x", "value": 1.5}],
        "reasons": {"iv_rank": "short_history"},
        "price": 101.25,
        "recorded_at": RECORDED,
    }
    records.append(store, "features", [feature, {**feature, "ticker": "ZZTB", "price": None}], provenance().columns)
    rows = store.execute(
        "SELECT ticker, price, epoch(as_of), detectors::VARCHAR, reasons->>'iv_rank', source, volume "
        "FROM features ORDER BY ticker"
    ).fetchall()
    assert rows[0] == ("ZZTA", 101.25, 1774370700.0, '[{"detector":"x","value":1.5}]', "short_history", "demo", None)
    assert rows[1][:2] == ("ZZTB", None)


def test_no_rows_append_nothing(store: duckdb.DuckDBPyConnection) -> None:
    records.append(store, "revisions", [])
    records.append_bars(store, [], provenance())
    assert records.append_contracts(store, [], provenance()) == 0
    assert store.execute("SELECT count(*) FROM revisions").fetchone() == (0,)


def test_bars_that_are_known_are_not_repeated_and_a_restated_one_is_new(store: duckdb.DuckDBPyConnection) -> None:
    records.append_bars(store, [bar(20), bar(23)], provenance("scan-1"))
    later = RECORDED + timedelta(days=1)
    again = [bar(20, recorded_at=later), bar(23, 10.5, recorded_at=later), bar(24, recorded_at=later)]
    records.append_bars(store, again, provenance("scan-2"))
    expected = [("scan-1", 20, 10.0), ("scan-1", 23, 10.0), ("scan-2", 23, 10.5), ("scan-2", 24, 10.0)]
    assert closes(store) == expected
    records.append_bars(store, again, provenance("scan-3"))
    assert closes(store) == expected


def test_a_bar_that_went_back_to_what_it_was_is_news(store: duckdb.DuckDBPyConnection) -> None:
    for number, close in enumerate((10.0, 10.5, 10.0)):
        row = bar(20, close, recorded_at=RECORDED + timedelta(days=number))
        records.append_bars(store, [row], provenance(f"scan-{number}"))
    assert [close for _, _, close in closes(store)] == [10.0, 10.5, 10.0]


def test_bars_of_another_provider_are_its_own(store: duckdb.DuckDBPyConnection) -> None:
    records.append_bars(store, [bar(20)], provenance("scan-1", "yahoo"))
    records.append_bars(store, [bar(20)], provenance("scan-2", "cboe"))
    assert len(closes(store)) == 2


def test_a_null_equals_a_null(store: duckdb.DuckDBPyConnection) -> None:
    for number in (1, 2):
        records.append_bars(store, [bar(20, None, volume=None)], provenance(f"scan-{number}"))
    assert closes(store) == [("scan-1", 20, None)]


def test_events_are_news_where_something_else_is_stated(store: duckdb.DuckDBPyConnection) -> None:
    market_wide = event(ticker=None, kind="fomc", confirmed=None)
    records.append_events(store, [event(), market_wide], provenance("scan-1"))
    told_again = [
        event(known_at=RECORDED + timedelta(days=1)),
        market_wide,
        event(confirmed=True, recorded_at=RECORDED + timedelta(days=1)),
    ]
    records.append_events(store, told_again, provenance("scan-2"))
    rows = store.execute("SELECT scan_id, ticker, kind, confirmed FROM events ORDER BY scan_id, kind DESC").fetchall()
    assert rows == [
        ("scan-1", None, "fomc", None),
        ("scan-1", "ZZTA", "earnings", False),
        ("scan-2", "ZZTA", "earnings", True),
    ]


def test_what_all_tickers_of_a_scan_state_of_the_market_is_one_row(store: duckdb.DuckDBPyConnection) -> None:
    later = RECORDED + timedelta(seconds=3)
    rows = [event(ticker=None, kind="fomc", confirmed=None, recorded_at=at) for at in (RECORDED, later)]
    records.append_events(store, [*rows, event()], provenance("scan-1"))
    assert store.execute(
        "SELECT ticker, kind, recorded_at = ? FROM events ORDER BY kind DESC", [RECORDED]
    ).fetchall() == [
        (None, "fomc", True),
        ("ZZTA", "earnings", True),
    ]


def test_two_statements_on_one_date_are_two_rows(store: duckdb.DuckDBPyConnection) -> None:
    records.append_events(store, [event(), event(confirmed=True)], provenance("scan-1"))
    assert store.execute("SELECT confirmed FROM events ORDER BY 1").fetchall() == [(False,), (True,)]


def test_a_row_keeps_the_source_that_it_names_and_has_the_feed_without(store: duckdb.DuckDBPyConnection) -> None:
    records.append_events(store, [event()], provenance("scan-1"))
    named = [event(ticker="ZZTB", source="the company"), event(ticker="ZZTC", source="demo")]
    records.append_events(store, named, provenance("scan-2"))
    assert store.execute("SELECT ticker, source FROM events ORDER BY 1").fetchall() == [
        ("ZZTA", "demo"),
        ("ZZTB", "the company"),
        ("ZZTC", "demo"),
    ]


def test_contracts_come_from_the_staged_files(store: duckdb.DuckDBPyConnection, market_folder: MarketFolder) -> None:
    staged(market_folder, contract(), contract("put", 95.0, volume=None))
    staged(market_folder, ticker="ZZTB")
    files = Staging(market_folder, "scan-1").parquet_files()
    assert records.append_contracts(store, files, provenance()) == 12
    rows = store.execute(
        "SELECT contract_symbol, provider, feed, expiration, volume, open_interest, volume_known, implied_volatility, "
        "flags, epoch(recorded_at), epoch(inserted_at) FROM contracts WHERE ticker = 'ZZTA' ORDER BY 1"
    ).fetchall()
    stamps = (1774371600.0, 1774370700.0)
    assert rows == [
        (occ(), "demo", "demo", EXPIRATION, 40, 900, True, None, [], *stamps),
        (occ(option_type="put", strike=95.0), "demo", "demo", EXPIRATION, None, 900, False, None, [], *stamps),
    ]


def test_a_revision_is_one_row(store: duckdb.DuckDBPyConnection) -> None:
    records.append_revision(store, 7, provenance("scan-7"))
    assert store.execute("SELECT store_revision, scan_id FROM revisions").fetchall() == [(7, "scan-7")]
