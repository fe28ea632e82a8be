"""The staging of a scan: whole files or none, rows as they were, and the history that they move to."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pytest

from collector.market.calendar import exchange_sessions
from collector.store.contract_columns import CONTRACT_COLUMNS, TickerContracts
from collector.store.staging import (
    VIEWED,
    Staging,
    history_partition,
    last_session_rows,
    open_stagings,
    staged_rows,
)
from exports.folders import MarketFolder
from tests.quotes import EXPIRATION, OPEN, chain, contract, live_chain, occ, quote
from tests.store.rows import fetched_of, files, stage

DAY = date(2026, 3, 24)


class Exchange:
    """What grading asks of a provider."""

    name = "demo"
    feed = "demo"
    delay = timedelta(minutes=15)

    @staticmethod
    def sessions() -> Any:
        return exchange_sessions()


def staged(folder: MarketFolder, *contracts: Any, scan_id: str = "scan-1", ticker: str = "ZZTA") -> dict[str, Any]:
    made = chain(*contracts, ticker=ticker) if contracts else live_chain(ticker)
    return stage(folder, scan_id, fetched_of(ticker, [made], quote(ticker)), Exchange())  # type: ignore[arg-type]


def test_a_ticker_is_done_once_its_record_is_there(market_folder: MarketFolder) -> None:
    staging = Staging(market_folder, "scan-1")
    assert (staging.is_done("ZZTA"), staging.parquet_files(), list(staging.records())) == (False, [], [])
    staged(market_folder)
    (staging.path / "ZZTA.json").rename(staging.path / "away")
    assert (staging.is_done("ZZTA"), staging.parquet_files()) == (False, [])
    (staging.path / "away").rename(staging.path / "ZZTA.json")
    assert staging.is_done("ZZTA")
    assert [path.name for path in staging.parquet_files()] == ["ZZTA.parquet"]
    assert [record["ticker"] for record in staging.records()] == ["ZZTA"]


def test_plan_and_outcome_are_none_until_they_are_written(market_folder: MarketFolder) -> None:
    staging = Staging(market_folder, "scan-1")
    assert (staging.plan(), staging.outcome()) == (None, None)
    staging.write_plan({"tickers": ["ZZTA"], "at": datetime(2026, 3, 24, 17, tzinfo=UTC)})
    staging.write_outcome({"stopped": None})
    assert staging.plan() == {"tickers": ["ZZTA"], "at": "2026-03-24T17:00:00+00:00"}
    assert staging.outcome() == {"stopped": None}
    assert list(staging.records()) == []


def test_half_written_files_are_cleaned_and_whole_ones_kept(market_folder: MarketFolder) -> None:
    staged(market_folder)
    staging = Staging(market_folder, "scan-1")
    for name in ("ZZTB.parquet.tmp", "ZZTB.json.tmp"):
        (staging.path / name).write_bytes(b"half")
    (staging.path / "ZZTC.parquet.tmp" / "place=1").mkdir(parents=True)
    (staging.path / "ZZTC.parquet.tmp" / "place=1" / "data_0.parquet").write_bytes(b"half")
    assert staging.clean() == 3
    assert files(staging.path) == ["ZZTA.json", "ZZTA.parquet"]
    assert staging.clean() == 0


def test_the_parquet_has_the_types_that_the_store_has(market_folder: MarketFolder) -> None:
    staged(market_folder)
    (path,) = Staging(market_folder, "scan-1").parquet_files()
    with duckdb.connect(":memory:") as connection:
        described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    found = {name: kind for name, kind, *_ in described}
    assert list(found) == list(CONTRACT_COLUMNS)
    expected = {
        name: {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}.get(kind, kind) for name, kind in CONTRACT_COLUMNS.items()
    }
    assert found == expected


def test_tickers_written_together_have_the_files_that_each_has_alone(market_folder: MarketFolder) -> None:
    def contracts(ticker: str, price: float, size: int) -> TickerContracts:
        """Return contracts of a ticker with ``price`` in every number."""
        columns = {
            name: np.full(size, price if kind in {"DOUBLE", "INTEGER", "BIGINT"} else kind == "BOOLEAN")
            if kind not in {"VARCHAR", "VARCHAR[]", "JSON", "DATE", "TIMESTAMPTZ"}
            else np.full(size, DAY.isoformat(), dtype="datetime64[us]")
            if kind in {"DATE", "TIMESTAMPTZ"}
            else np.array(["{}" if kind == "JSON" else f"{ticker},{row}" for row in range(size)], dtype=object)
            for name, kind in CONTRACT_COLUMNS.items()
            if name not in {"ticker", "feed", "recorded_at"}
        }
        return TickerContracts(
            ticker, columns, {"ticker": ticker, "feed": f"feed of {ticker}", "recorded_at": "2026-03-24"}
        )

    def rows(staging: Staging) -> dict[str, list[Any]]:
        with duckdb.connect(":memory:") as connection:
            return {
                path.name: connection.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
                for path in sorted(staging.path.iterdir())
            }

    several = [contracts("^ZZT", 1.0, 3), contracts("ZZ.B", 2.0, 5), contracts("ZZTC", 3.0, 1)]
    together, alone = Staging(market_folder, "scan-1"), Staging(market_folder, "scan-2")
    together.write_contracts(several)
    for one in several:
        alone.write_contracts([one])
    found = rows(together)
    assert {name: len(own) for name, own in found.items()} == {"ZZ.B.parquet": 5, "ZZTC.parquet": 1, "^ZZT.parquet": 3}
    assert {own[1] for own in found["ZZ.B.parquet"]} == {"ZZ.B"}
    assert [own[13] for own in found["ZZ.B.parquet"]] == [f"ZZ.B,{row}" for row in range(5)]
    assert found == rows(alone)


@pytest.mark.clock
def test_rows_come_back_as_they_were(market_folder: MarketFolder) -> None:
    traded = OPEN + timedelta(microseconds=250_000)
    staged(
        market_folder,
        contract(strike=100.0, contract_symbol=occ(), last_trade_time=traded, bid_size=3, vendor_delta=0.51),
        contract("put", 95.0, bid=None, ask=None, volume=None, open_interest=None, last_trade_time=None),
        contract(strike=105.0, contract_symbol=occ("ZZTA1", strike=105.0), bid=1.1, ask=1.0),
    )
    files = Staging(market_folder, "scan-1").parquet_files()
    rows = staged_rows(files, tuple(CONTRACT_COLUMNS))["ZZTA"]
    assert tuple(staged_rows(files)["ZZTA"].columns) == VIEWED
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        raw = connection.execute(
            "SELECT contract_symbol, volume, open_interest, flags, reasons::VARCHAR, epoch_us(last_trade_time), "
            "strftime(quote_time, '%Y-%m-%dT%H:%M:%SZ'), dte, grade, underlying_price, scan_id "
            "FROM read_parquet(?) ORDER BY 1",
            [str(Staging(market_folder, "scan-1").parquet_files()[0])],
        ).fetchall()
    micros = int((traded - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
    shared = ("2026-03-24T16:45:00Z", 24, "F", 100.0, "scan-1")
    assert raw[0] == (
        occ("ZZTA1", strike=105.0),
        40,
        900,
        ["adjusted", "crossed"],
        '{"mid":"no_two_sided_quote"}',
        raw[0][5],
        *shared,
    )
    assert raw[1] == (occ(), 40, 900, [], "{}", micros, *shared)
    put = occ(option_type="put", strike=95.0)
    # Its chain's feed states the size, the time and the delta of the call; the other columns it never states.
    missing = ("bid", "ask", "volume", "open_interest", "bid_size", "last_trade_time", "vendor_delta")
    unstated = dict.fromkeys(missing, "not_stated")
    assert (*raw[2][:4], *raw[2][5:]) == (put, None, None, ["no_bid", "no_ask"], None, *shared)
    assert json.loads(raw[2][4]) == {"mid": "no_two_sided_quote", **unstated}
    assert list(rows["contract_symbol"]) == [occ(), occ(option_type="put", strike=95.0), occ("ZZTA1", strike=105.0)]
    assert list(rows["expiration"]) == [EXPIRATION] * 3
    assert rows.loc[0, ["bid", "ask", "mid", "bid_size", "vendor_delta"]].tolist() == [2.9, 3.1, 3.0, 3, 0.51]
    assert rows["bid"].isna().tolist() == [False, True, False]


def test_the_history_is_by_provider_and_market_date(market_folder: MarketFolder) -> None:
    staged(market_folder)
    staged(market_folder, ticker="ZZTB")
    staging = Staging(market_folder, "scan-1")
    staging.write_plan({})
    staging.move_to_history(market_folder, "demo", {"ZZTA": "2026-03-24", "ZZTB": "2026-03-23"})
    assert not staging.path.exists()
    assert files(market_folder.parquet_dir) == [
        "provider=demo/date=2026-03-23/scan-1_ZZTB.parquet",
        "provider=demo/date=2026-03-24/scan-1_ZZTA.parquet",
    ]
    with duckdb.connect(":memory:") as connection:
        counted = connection.execute(
            "SELECT provider, date::VARCHAR, count(*) FROM read_parquet(?, hive_partitioning = true) GROUP BY ALL "
            "ORDER BY 2",
            [str(market_folder.parquet_dir / "*" / "*" / "*.parquet")],
        ).fetchall()
    assert counted == [("demo", "2026-03-23", 10), ("demo", "2026-03-24", 10)]


def test_a_move_that_was_interrupted_goes_on(market_folder: MarketFolder) -> None:
    staged(market_folder)
    staged(market_folder, ticker="ZZTB")
    staging = Staging(market_folder, "scan-1")
    there = history_partition(market_folder, "demo", "2026-03-24")
    there.mkdir(parents=True)
    (staging.path / "ZZTA.parquet").rename(there / "scan-1_ZZTA.parquet")
    staging.move_to_history(market_folder, "demo", dict.fromkeys(("ZZTA", "ZZTB"), "2026-03-24"))
    assert [path.name for path in sorted(there.iterdir())] == ["scan-1_ZZTA.parquet", "scan-1_ZZTB.parquet"]


def test_a_drop_that_is_killed_leaves_no_plan_to_resume(
    market_folder: MarketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging = Staging(market_folder, "scan-1")
    staging.write_plan({"tickers": []})
    staging.write_outcome({})

    def killed(path: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("collector.store.staging.shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        staging.drop()
    assert Staging(market_folder, "scan-1").plan() is None


def test_open_stagings_are_oldest_first(market_folder: MarketFolder) -> None:
    assert open_stagings(MarketFolder(market_folder.data_dir, "recorded")) == []
    for scan_id in ("20260324T170000Z-b", "20260324T160000Z-a"):
        Staging(market_folder, scan_id)
    assert open_stagings(market_folder) == ["20260324T160000Z-a", "20260324T170000Z-b"]


def moved(folder: MarketFolder, scan_id: str, day: str, *contracts: Any, ticker: str = "ZZTA") -> None:
    staged(folder, *contracts, scan_id=scan_id, ticker=ticker)
    Staging(folder, scan_id).move_to_history(folder, "demo", {ticker: day})


def test_the_last_sessions_rows_are_the_newest_of_the_newest_earlier_session(market_folder: MarketFolder) -> None:
    moved(market_folder, "scan-1", "2026-03-20", contract(volume=1, last_price=1.0))
    moved(market_folder, "scan-2", "2026-03-23", contract(volume=2, last_price=2.0), contract(strike=105.0, volume=9))
    moved(market_folder, "scan-3", "2026-03-23", contract(volume=3, last_price=2.5))
    moved(market_folder, "scan-4", "2026-03-24", contract(volume=4))
    moved(market_folder, "scan-5", "2026-03-23", contract(volume=7), ticker="ZZZTA")
    rows = last_session_rows(market_folder, "demo", "ZZTA", DAY)
    assert rows is not None
    found = {row.contract_symbol: (row.volume, row.last_price) for row in rows.itertuples()}
    assert found == {occ(): (3.0, 2.5), occ(strike=105.0): (9.0, 3.0)}


def test_without_an_earlier_session_there_are_none(market_folder: MarketFolder) -> None:
    assert last_session_rows(market_folder, "demo", "ZZTA", DAY) is None
    moved(market_folder, "scan-1", "2026-03-24", contract())
    assert last_session_rows(market_folder, "demo", "ZZTA", DAY) is None
    assert last_session_rows(market_folder, "yahoo", "ZZTA", date(2026, 3, 25)) is None
