"""Outcomes through scan and join: when they come, what they are held against, and that nothing later changes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest

from collector.market.calendar import exchange_sessions
from collector.pipeline.collect import Collector
from collector.pipeline.join import join
from collector.store.database import open_store
from collector.store.meta_records import meta_records, meta_revision
from collector.store.staging import Staging
from collector.store.track_records import track_records
from exports.folders import MarketFolder
from tests.pipeline.scripted_provider import ScriptedProvider, session_bar
from tests.pipeline.test_collect import Watcher, plan
from tests.quotes import EXPIRATION, contract, live_chain, occ

# Tuesday; 3 April is no session.
DAYS = [
    date(2026, 3, 24),
    date(2026, 3, 25),
    date(2026, 3, 26),
    date(2026, 3, 27),
    date(2026, 3, 30),
    date(2026, 3, 31),
]


@pytest.fixture
def folder(data_dir: Any) -> MarketFolder:
    made = MarketFolder(data_dir, "yahoo")
    made.create()
    return made


def scan(
    folder: MarketFolder,
    day: date,
    *,
    call: float = 4.0,
    volume: int = 40,
    price: float = 100.0,
    kind: str = "close",
    hour: int = 18,
    ticker: str = "ZZTA",
    split: float = 1.0,
    expiration: date = EXPIRATION,
) -> str:
    """Scan at an hour (UTC) of a session, the call at 100 at ``call`` and 2 % of spread, and join; return its id."""
    stamp = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    traded = {"last_trade_time": stamp - timedelta(hours=1)}
    whole = live_chain(ticker, expiration, stamp, **traded)
    symbol = occ(ticker, expiration=expiration)
    busy = contract("call", 100.0, bid=call * 0.99, ask=call * 1.01, volume=volume, contract_symbol=symbol, **traded)
    others = [one for one in whole.contracts if (one.option_type, one.strike) != ("call", 100.0)]
    chain = type(whole)(ticker, whole.expiration, stamp, (busy, *others))
    bars = [session_bar(day, price, split_factor=split)] if split != 1.0 else []
    provider = ScriptedProvider({ticker: [chain]}, price=price, bars=bars)
    scan_id = f"scan-{day}-{hour}-{ticker}"
    made = plan({ticker: [chain]}, scan_id=scan_id, kind=kind, started_at=stamp, deadline=stamp + timedelta(minutes=9))
    staging = Staging(folder, scan_id)
    staging.write_plan(made.to_json())
    collection = Collector(folder, provider, made, staging, Watcher(), now=lambda: stamp).collect()
    told = {"stopped": collection.stopped, "skipped": collection.skipped, "calls": 0, "seconds": 0.1}
    staging.write_outcome({**told, "finished_at": (stamp + timedelta(seconds=1)).isoformat()})
    with open_store(folder, "test") as connection:
        join(connection, folder, staging, exchange_sessions())
    return scan_id


def events(folder: MarketFolder, kind: str = "outcome") -> list[tuple[str, dict[str, Any]]]:
    with open_store(folder, "test") as connection:
        rows = connection.execute(
            "SELECT scan_id, alert FROM alert_events WHERE kind = ? ORDER BY store_revision, event_id", [kind]
        ).fetchall()
    return [(scan_id, orjson.loads(alert)) for scan_id, alert in rows]


def horizons(folder: MarketFolder) -> list[tuple[str, list[str]]]:
    return [(scan_id[5:18], [one["horizon"] for one in alert["outcomes"]]) for scan_id, alert in events(folder)]


def rows(folder: MarketFolder, query: str) -> list[Any]:
    with open_store(folder, "test") as connection:
        return connection.execute(query).fetchall()


def test_the_close_scan_of_the_next_session_brings_the_first_outcome(folder: MarketFolder) -> None:
    scan(folder, DAYS[0], volume=40_000)
    scan(folder, DAYS[1], call=5.0, price=102.0, kind="scheduled", hour=17)
    assert events(folder) == []
    closing = scan(folder, DAYS[1], call=5.2, price=103.0)
    ((scan_id, alert),) = events(folder)
    assert scan_id == closing
    (found,) = alert["outcomes"]
    assert (found["horizon"], found["market_date"], found["metric"]) == ("1", "2026-03-25", "price")
    assert (found["value_then"], found["value_now"], found["hit"]) == (100.0, 103.0, True)
    assert found["change"] == pytest.approx(0.03)
    # The contract from 4.00 to 5.20, less half of 3.96 to 4.04.
    assert found["net"] == pytest.approx(0.3 - 0.01)
    assert found["reason"] is None


def test_without_a_close_scan_the_last_good_scan_stands_once_the_session_is_over(folder: MarketFolder) -> None:
    scan(folder, DAYS[0], volume=40_000)
    scan(folder, DAYS[1], price=99.0, kind="scheduled", hour=16)
    scan(folder, DAYS[1], price=98.0, kind="scheduled", hour=17)
    assert events(folder) == []
    scan(folder, DAYS[2], price=150.0, kind="scheduled", hour=15)
    ((_, alert),) = events(folder)
    (found,) = alert["outcomes"]
    assert (found["market_date"], found["value_now"], found["hit"]) == ("2026-03-25", 98.0, False)


def test_a_session_that_nobody_scanned_is_null_with_the_reason(folder: MarketFolder) -> None:
    scan(folder, DAYS[0], volume=40_000)
    scan(folder, DAYS[2])
    ((_, alert),) = events(folder)
    (found,) = alert["outcomes"]
    assert (found["horizon"], found["hit"], found["reason"]) == ("1", None, "session_not_scanned")


def test_each_horizon_is_judged_once_though_the_alert_has_ended(folder: MarketFolder) -> None:
    scan(folder, DAYS[0], volume=40_000)
    for day in DAYS[1:]:
        scan(folder, day, volume=10)
        scan(folder, day, volume=10, hour=19)
    assert horizons(folder) == [("2026-03-25-18", ["1"]), ("2026-03-31-18", ["1", "5"])]
    scan(folder, date(2026, 4, 22), expiration=date(2026, 5, 15))
    assert horizons(folder)[2:] == [("2026-04-22-18", ["1", "5", "20", "expiration"])]
    (_, last) = events(folder)[-1]
    assert last["state"] == "ended"
    by_horizon = {one["horizon"]: one for one in last["outcomes"]}
    # 20 sessions after 24 March is 22 April, past the expiration of 17 April, which nobody scanned.
    assert (by_horizon["20"]["market_date"], by_horizon["20"]["reason"]) == ("2026-04-22", "settled")
    assert (by_horizon["expiration"]["market_date"], by_horizon["expiration"]["reason"]) == (
        "2026-04-17",
        "session_not_scanned",
    )


def test_all_events_of_one_scan_hold_the_same_record(folder: MarketFolder) -> None:
    scan(folder, DAYS[0], volume=40_000)
    closing = scan(folder, DAYS[1], volume=40_000)
    found = [alert for kind in ("ongoing", "outcome") for scan_id, alert in events(folder, kind) if scan_id == closing]
    assert len(found) == 2
    assert found[0] == found[1]
    assert [one["horizon"] for one in found[0]["outcomes"]] == ["1"]
    scan(folder, DAYS[2], volume=40_000, kind="scheduled")
    assert [one["horizon"] for one in events(folder, "ongoing")[-1][1]["outcomes"]] == ["1"]


def test_a_split_between_is_undone(folder: MarketFolder) -> None:
    scan(folder, DAYS[0], volume=40_000, price=100.0)
    scan(folder, DAYS[1], price=51.0, split=2.0)
    ((_, alert),) = events(folder)
    (found,) = alert["outcomes"]
    assert (found["value_then"], found["change"]) == (50.0, pytest.approx(0.02))
    assert found["reason"] == "split_between"


def test_a_detectors_record_stands_beside_its_new_alerts_and_stays_as_it_was(folder: MarketFolder) -> None:
    scan(folder, DAYS[0], volume=40_000)
    for place, day in enumerate(DAYS[1:]):
        scan(folder, day, price=101.0 + place)
    first = events(folder, "new")[0][1]
    assert first["claim"] == "spot_follows"
    assert (first["track_record"]["n"], first["track_record"]["text"]) == (0, "unproven: n = 0")
    # Another ticker's alert, after the first outcome at 5 sessions.
    scan(folder, date(2026, 4, 1), volume=40_000, ticker="ZZTB")
    second = events(folder, "new")[1][1]["track_record"]
    assert second["horizon"] == "5"
    assert (second["n"], second["hits"], second["hit_rate"]) == (1, 1, 1.0)
    assert second["median"] == pytest.approx(0.05)
    assert second["text"] == "unproven: n = 1"
    with open_store(folder, "test") as connection:
        assert [row["horizon"] for row in track_records(connection, "yahoo")] == ["1", "5"]


def test_the_base_rate_looks_at_every_session_of_the_same_tickers(folder: MarketFolder) -> None:
    """Two episodes, of 24 and 31 March: five sessions from one to the other have a next one, three a higher."""
    for day, price in zip(DAYS, (100.0, 99.0, 98.0, 101.0, 102.0, 103.0), strict=True):
        scan(folder, day, volume=40_000 if day in (DAYS[0], DAYS[5]) else 10, price=price)
    scan(folder, date(2026, 4, 1), price=104.0)
    newest = (
        "SELECT n, hits, base_rate, base_n FROM track_records WHERE horizon = '1' ORDER BY recorded_at DESC LIMIT 1"
    )
    assert rows(folder, newest) == [(2, 1, pytest.approx(0.6), 5)]


LAST = date(2026, 4, 2)
LATER_ROWS = """
    INSERT INTO features SELECT * REPLACE (
        'zz-later' AS scan_id, price * 2 AS price, iv_30d * 2 AS iv_30d, recorded_at + INTERVAL 90 DAY AS recorded_at
    ) FROM features
"""
LATER_SCAN = """
    INSERT INTO scans SELECT * REPLACE ('zz-later' AS scan_id, recorded_at + INTERVAL 90 DAY AS recorded_at)
    FROM scans ORDER BY store_revision DESC LIMIT 1
"""
LATER_OUTCOMES = """
    INSERT INTO outcomes SELECT * REPLACE (
        'other' AS alert_id, 'ZZTZ' AS ticker, NOT hit AS hit, recorded_at + INTERVAL 90 DAY AS recorded_at
    ) FROM outcomes
"""
LATER_RECORDS = """
    INSERT INTO track_records SELECT * REPLACE (99 AS n, recorded_at + INTERVAL 90 DAY AS recorded_at)
    FROM track_records
"""
LATER_BARS = """
    INSERT INTO bars BY NAME SELECT 'zz-later' AS scan_id, 'ZZTA' AS ticker, 'yahoo' AS provider, 'yahoo' AS feed,
        DATE '2026-03-26' AS date, 2.0 AS split_factor, 'yahoo' AS source,
        TIMESTAMPTZ '2026-06-30 00:00:00+00' AS recorded_at, TIMESTAMPTZ '2026-06-30 00:00:00+00' AS inserted_at
"""


def test_rows_of_the_future_change_nothing(folder: MarketFolder, tmp_path: Any) -> None:
    """Every session is scanned in two stores; one is fed restated figures of later recording before each scan."""
    other = MarketFolder(tmp_path / "other", "yahoo")
    other.create()
    told = [
        (day, "ZZTA", 40_000 if place in (0, 5) else 10) for place, day in enumerate([*DAYS, date(2026, 4, 1), LAST])
    ]
    # The last one shows the record that stands on the outcomes so far.
    told.append((LAST, "ZZTB", 40_000))
    for store, fed in ((folder, False), (other, True)):
        for place, (day, ticker, volume) in enumerate(told):
            if fed and place:
                with open_store(store, "test") as connection:
                    for statement in (LATER_ROWS, LATER_SCAN, LATER_OUTCOMES, LATER_RECORDS, LATER_BARS):
                        connection.execute(statement)
            scan(store, day, volume=volume, price=100.0 + place, kind="scheduled", ticker=ticker)
    found = [
        rows(
            store,
            "SELECT scan_id, kind, alert FROM alert_events ORDER BY store_revision, event_id",
        )
        for store in (folder, other)
    ]
    assert orjson.loads(found[0][-1][2])["track_record"]["n"] == 1
    assert found[0] == found[1]
    kept = (
        "SELECT scan_id, detector, horizon, n, hits, base_rate, base_n FROM track_records "
        "WHERE recorded_at < '2026-06-01' ORDER BY ALL"
    )
    assert rows(folder, kept)
    assert rows(folder, kept) == rows(other, kept)


@pytest.mark.django_db
def test_meta_holds_each_detectors_record_and_moves_with_it() -> None:
    told = {"detector": "unusual_activity", "horizon": "5", "n": 3, "text": "unproven: n = 3"}
    found = {
        record["name"]: record["detail"] for record in meta_records("demo", [told]) if record["kind"] == "detector"
    }
    assert found["unusual_activity"]["track_records"] == [told]
    assert found["unusual_activity"]["claim"] == "spot_follows"
    assert found["low_iv"]["track_records"] == []
    assert meta_revision("demo", [told]) != meta_revision("demo", [{**told, "n": 4}])


@pytest.mark.parametrize("damaged", ['{"id": "x", "metrics": {"settlement_time": "soon"}}', "null"])
def test_a_damaged_record_has_no_outcome_and_stops_none(
    folder: MarketFolder, damaged: str, caplog: pytest.LogCaptureFixture
) -> None:
    scan(folder, DAYS[0], volume=40_000)
    scan(folder, DAYS[0], volume=40_000, ticker="ZZTB")
    with open_store(folder, "test") as connection:
        connection.execute("UPDATE alert_events SET alert = ? WHERE ticker = 'ZZTA'", [damaged])
    scan(folder, DAYS[1], call=5.2, price=103.0)
    assert events(folder) == []
    assert "is left out: " in caplog.text
    scan(folder, DAYS[1], call=5.2, price=103.0, ticker="ZZTB")
    assert [alert["ticker"] for _, alert in events(folder)] == ["ZZTB"]
