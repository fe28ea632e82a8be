"""What the exports show of the store: which chain, which alert, which session, in which digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import orjson
import pytest
from jsonschema import Draft202012Validator

from collector.models import WatchedTicker
from collector.pipeline.plan import Scan
from collector.providers.base import NoOptions, TimedOut
from collector.store import record_sql
from collector.store.database import open_store
from collector.store.export_source import StoreExportSource, StoreSnapshot
from collector.store.records import append
from exports.documents import CONTRACT_FIELDS, DOCUMENT_NAMES, DOCUMENTS, Field
from exports.folders import MarketFolder
from exports.schema import record_schema
from tests.pipeline.scripted_provider import at, scan, session_bar
from tests.quotes import STAMP, chain, contract, dark_chain, live_chain, occ
from tests.store.rows import alert_row

pytestmark = pytest.mark.django_db

MAY = date(2026, 5, 15)
NOW = at(24, 17, 10)


@pytest.fixture
def live_folder(data_dir: Any) -> MarketFolder:
    folder = MarketFolder(data_dir, "yahoo")
    folder.create()
    return folder


@pytest.fixture
def recorded_folder(data_dir: Any) -> MarketFolder:
    folder = MarketFolder(data_dir, "recorded")
    folder.create()
    return folder


@contextmanager
def snapshot(folder: MarketFolder, now: datetime = NOW) -> Iterator[StoreSnapshot]:
    with open_store(folder, "test") as connection:
        yield StoreSnapshot(connection, folder, now)


def records(folder: MarketFolder, document: str, now: datetime = NOW) -> list[Any]:
    with snapshot(folder, now) as taken:
        return [orjson.loads(orjson.dumps(record)) for record in taken.records(document)]


def chains(folder: MarketFolder, now: datetime = NOW) -> dict[tuple[str, str], Any]:
    return {(record["ticker"], record["expiration"]): record for record in records(folder, "chains", now)}


def revision(folder: MarketFolder, document: str, now: datetime = NOW) -> str:
    with snapshot(folder, now) as taken:
        return taken.document_revision(document)


def pause(ticker: str) -> None:
    WatchedTicker.objects.filter(ticker=ticker).update(state=WatchedTicker.State.PAUSED)


BUSY = contract(strike=100.0, contract_symbol=occ(), volume=40_000)
REGULAR = [one for one in live_chain().contracts if (one.option_type, one.strike) != ("call", 100.0)]


def busy_chain(stamp: datetime = STAMP) -> Any:
    """Return a live chain with one call that traded 40,000 against an open interest of 900."""
    return chain(BUSY, *REGULAR, stamp=stamp)


def filled(folder: MarketFolder) -> None:
    """Scan two tickers thrice: live, dark, live with a third that failed; bars, a busy contract, an adjusted root."""
    bars = [session_bar(date(2026, 3, day), 100.0 + day) for day in (19, 20, 23)]
    odd = contract("put", 90.0, contract_symbol=occ("ZZTB1", "put", 90.0), bid=None, ask=None, last_trade_time=None)
    both = {"ZZTA": [busy_chain(at(24, 15))], "ZZTB": [chain(*live_chain("ZZTB").contracts, odd, ticker="ZZTB")]}
    scan(folder, both, bars=bars)
    scan(folder, {"ZZTA": [dark_chain(stamp=at(24, 16))], "ZZTB": [live_chain("ZZTB", MAY, at(24, 16))]}, bars=bars)


def test_every_record_is_what_its_schema_says(live_folder: MarketFolder) -> None:
    filled(live_folder)
    with snapshot(live_folder) as taken:
        for name in DOCUMENT_NAMES:
            validator = Draft202012Validator(record_schema(DOCUMENTS[name]))
            found = [orjson.loads(orjson.dumps(record)) for record in taken.records(name)]
            assert found, name
            for record in found:
                assert [error.message for error in validator.iter_errors(record)] == [], name
                assert list(record) == [field.name for field in DOCUMENTS[name].fields]


def unrounded(fields: tuple[Field, ...], content: Any) -> Iterator[str]:
    """Yield the paths of numbers with more digits than their field says."""
    for field in fields:
        value = content.get(field.name)
        members = value if isinstance(value, list) else [value]
        if field.fields:
            for member in members:
                if member is not None:
                    yield from (f"{field.name}.{path}" for path in unrounded(field.fields, member))
        elif field.significant:
            for member in members:
                if member is not None and member != float(f"{member:.{field.significant - 1}e}"):
                    yield f"{field.name}: {member}"


def test_every_number_has_the_digits_that_its_field_says(live_folder: MarketFolder) -> None:
    filled(live_folder)
    for name in DOCUMENT_NAMES:
        for record in records(live_folder, name):
            assert list(unrounded(DOCUMENTS[name].fields, record)) == [], name


VALUES = (
    0.0,
    -0.0,
    0.123456789,
    -0.123456789,
    123456.789,
    1234567.89,
    -98765432.1,
    1e-12,
    -1e-12,
    9.9999996e-5,
    0.0001234565001,
    1.0,
    100.0,
    0.1,
    1e15 / 3,
    2 / 3,
    1e-5,
    3.0000004,
)


def test_numbers_are_rounded_to_six_significant_digits() -> None:
    field = Field("x", "number", "", significant=6)
    with duckdb.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (n INTEGER, x DOUBLE)")
        for number, value in enumerate((*VALUES, float("nan"), float("inf"), float("-inf"), None)):
            connection.execute("INSERT INTO t VALUES (?, ?)", [number, value])
        rows = connection.execute(f"SELECT {record_sql.expression(field, 'x')} FROM t ORDER BY n").fetchall()
        exact = Field("x", "number", "")
        plain = connection.execute(f"SELECT {record_sql.expression(exact, 'x')} FROM t ORDER BY n").fetchall()
    assert [value for (value,) in rows] == [*(float(f"{value:.5e}") for value in VALUES), None, None, None, None]
    assert [value for (value,) in plain] == [*VALUES, None, None, None, None]


def test_the_contracts_text_is_the_one_that_orjson_writes(live_folder: MarketFolder) -> None:
    stated = {
        "vendor_implied_volatility": 0.312345678,
        "vendor_delta": -0.4123456789,
        "bid_size": 4,
        "in_the_money": True,
        "bid": 3.0,
        "ask": 3.05,
        "last_price": 0.1,
    }
    bare = contract(strike=105.0, bid=None, ask=None, last_price=None, last_trade_time=None, volume=None)
    scan(live_folder, {"ZZTA": [chain(contract(strike=100.0, **stated), bare)]})
    full = {
        "contract_symbol": occ(),
        "root": "ZZTA",
        "multiplier": 100,
        "adjusted": False,
        "strike": 100.0,
        "bid": 3.0,
        "ask": 3.05,
        "mid": 3.025,
        "bid_size": 4,
        "ask_size": None,
        "last_price": 0.1,
        "last_trade_time": "2026-03-24T15:00:00Z",
        "volume": 40,
        "open_interest": 900,
        **dict.fromkeys(
            ("bid_iv", "implied_volatility", "ask_iv", "delta", "gamma", "theta", "vega", "rho", "vanna", "charm")
        ),
        "vendor_implied_volatility": 0.312346,
        "vendor_delta": -0.412346,
        "in_the_money": True,
        "flags": [],
        "reasons": {},
    }
    nothing = ("bid", "ask", "mid", "bid_size", "last_price", "last_trade_time", "volume", "in_the_money")
    empty = full | dict.fromkeys((*nothing, "vendor_implied_volatility", "vendor_delta"))
    empty |= {
        "contract_symbol": occ(strike=105.0),
        "strike": 105.0,
        "flags": ["no_bid", "no_ask"],
        "reasons": {
            "mid": "no_two_sided_quote",
            **dict.fromkeys(("bid", "ask", "last_price", "volume"), "not_stated"),
            # What the feed stated of the other call; it states no ask size at all, which the chain says once.
            **dict.fromkeys(
                ("bid_size", "last_trade_time", "vendor_implied_volatility", "vendor_delta", "in_the_money"),
                "not_stated",
            ),
        },
    }
    assert list(full) == [field.name for field in CONTRACT_FIELDS]
    with snapshot(live_folder) as taken:
        (record,) = taken.records("chains")
        assert orjson.dumps(record["calls"]) == orjson.dumps([full, empty])
        assert orjson.dumps(record["puts"]) == b"[]"
        told_once = {
            "bid_iv",
            "implied_volatility",
            "ask_iv",
            "delta",
            "gamma",
            "theta",
            "vega",
            "rho",
            "vanna",
            "charm",
            "ask_size",
        }
        assert {name for name in record["reasons"] if name.startswith("contracts.")} == {
            f"contracts.{name}" for name in told_once
        }


def test_no_number_that_is_not_finite_leaves_the_store(live_folder: MarketFolder) -> None:
    filled(live_folder)
    with open_store(live_folder, "test") as connection:
        connection.execute("UPDATE contracts SET bid = 'nan', ask = 'inf', delta = '-inf', vendor_delta = 'nan'")
        connection.execute("UPDATE features SET price = 'nan', return_1d = 'inf'")
        connection.execute("UPDATE chains SET underlying_price = 'inf', forward = 'nan'")
        connection.execute("UPDATE bars SET close = 'nan'")
    for record in records(live_folder, "chains"):
        assert (record["underlying_price"], record["forward"]) == (None, None)
        for row in record["calls"] + record["puts"]:
            assert [row[name] for name in ("bid", "ask", "delta", "vendor_delta")] == [None] * 4
    assert {record["price"] for record in records(live_folder, "features")} == {None}
    assert {close for record in records(live_folder, "history") for close in record["close"]} == {None}


def test_the_newest_usable_chain_is_served_and_a_newer_worse_one_named(live_folder: MarketFolder) -> None:
    first = scan(live_folder, {"ZZTA": [live_chain(stamp=at(24, 15))]})
    second = scan(live_folder, {"ZZTA": [dark_chain(stamp=at(24, 16))]})
    served = chains(live_folder)["ZZTA", "2026-04-17"]
    assert (served["scan_id"], served["quality"]["grade"], served["as_of"]) == (
        first.scan["id"],
        "A",
        "2026-03-24T14:45:00Z",
    )
    assert len(served["calls"]) == 5
    assert served["newest_attempt"] == {
        "as_of": "2026-03-24T15:45:00Z",
        "quote_time": "2026-03-24T15:45:00Z",
        "scan_id": second.scan["id"],
        "grade": "F",
        "reasons": ["no_two_sided_quotes", "open_interest_unknown"],
    }
    third = scan(live_folder, {"ZZTA": [live_chain(stamp=at(24, 17))]})
    served = chains(live_folder)["ZZTA", "2026-04-17"]
    assert (served["scan_id"], served["newest_attempt"]) == (third.scan["id"], None)


def test_an_unusable_chain_is_served_where_none_is_usable(live_folder: MarketFolder) -> None:
    scan(live_folder, {"ZZTA": [dark_chain(stamp=at(24, 15))]})
    newest = scan(live_folder, {"ZZTA": [dark_chain(stamp=at(24, 16))]})
    served = chains(live_folder)["ZZTA", "2026-04-17"]
    assert (served["scan_id"], served["quality"]["grade"], served["newest_attempt"]) == (newest.scan["id"], "F", None)


def test_a_scan_of_one_ticker_and_a_partial_one_wipe_nobody(live_folder: MarketFolder) -> None:
    scan(live_folder, {"ZZTA": [live_chain(), live_chain(expiration=MAY)], "ZZTB": [live_chain("ZZTB")]})
    scan(live_folder, {"ZZTA": [live_chain(stamp=at(24, 17, 5))]})
    served = chains(live_folder)
    assert list(served) == [("ZZTA", "2026-04-17"), ("ZZTA", "2026-05-15"), ("ZZTB", "2026-04-17")]
    assert [record["as_of"][11:16] for record in served.values()] == ["16:50", "16:45", "16:45"]


def test_chains_of_five_sessions_are_served(live_folder: MarketFolder) -> None:
    scan(live_folder, {"ZZTA": [live_chain(stamp=at(17))]})
    # 17, 18, 19, 20 and 23 March are five sessions; the sixth opens on the 24th at 13:30 UTC.
    for now, there in ((at(23, 19), True), (at(24, 13, 29), True), (at(24, 13, 30), False)):
        assert bool(chains(live_folder, now)) is there, now


def test_expired_chains_are_left_out(live_folder: MarketFolder) -> None:
    today = date(2026, 3, 24)
    scan(live_folder, {"ZZTA": [live_chain(expiration=today), live_chain()]})
    assert list(chains(live_folder, at(24, 19, 59))) == [("ZZTA", "2026-03-24"), ("ZZTA", "2026-04-17")]
    assert list(chains(live_folder, at(24, 20))) == [("ZZTA", "2026-04-17")]


def test_recordings_are_judged_by_their_own_clock(recorded_folder: MarketFolder) -> None:
    today = date(2026, 3, 24)
    scan(recorded_folder, {"ZZTA": [live_chain(expiration=today)], "ZZTB": [live_chain("ZZTB", stamp=at(30))]})
    years_later = datetime(2027, 12, 1, tzinfo=UTC)
    assert list(chains(recorded_folder, years_later)) == [("ZZTA", "2026-03-24"), ("ZZTB", "2026-04-17")]
    scan(recorded_folder, {"ZZTA": [live_chain(stamp=at(25))]})
    assert list(chains(recorded_folder, years_later)) == [("ZZTA", "2026-04-17"), ("ZZTB", "2026-04-17")]


def test_paused_tickers_are_left_out_and_their_alerts_kept(live_folder: MarketFolder) -> None:
    filled(live_folder)
    pause("ZZTA")
    for document in ("chains", "features", "history"):
        assert {record["ticker"] for record in records(live_folder, document)} == {"ZZTB"}, document
    assert {record["ticker"] for record in records(live_folder, "alerts")} == {"ZZTA"}


def test_features_are_the_newest_usable_else_the_newest_with_the_reason(live_folder: MarketFolder) -> None:
    good = scan(live_folder, {"ZZTA": [live_chain(stamp=at(24, 15))], "ZZTB": TimedOut("late")})
    dark = scan(live_folder, {"ZZTA": [dark_chain(stamp=at(24, 16))], "ZZTB": [dark_chain("ZZTB", stamp=at(24, 16))]})
    usable, unusable = records(live_folder, "features")
    assert (usable["ticker"], usable["scan_id"], usable["grade"]) == ("ZZTA", good.scan["id"], "A")
    assert (usable["volume"], usable["open_interest"]) == (400, 9000)
    assert (unusable["ticker"], unusable["scan_id"], unusable["grade"]) == ("ZZTB", dark.scan["id"], "F")
    assert (unusable["volume"], unusable["open_interest"]) == (None, None)
    assert unusable["reasons"]["volume"] == "no_usable_chain"


def test_closes_come_with_what_makes_them_comparable(live_folder: MarketFolder) -> None:
    bars = [
        session_bar(date(2026, 3, 17), 800.0),
        session_bar(date(2026, 3, 18), 410.0, split_factor=2.0),
        session_bar(date(2026, 3, 19), 404.0),
        session_bar(date(2026, 3, 20), 102.0, split_factor=4.0),
        session_bar(date(2026, 3, 23), 103.0),
    ]
    scan(live_folder, {"ZZTA": [live_chain()]}, bars=bars)
    (record,) = records(live_folder, "history")
    assert record["dates"] == ["2026-03-17", "2026-03-18", "2026-03-19", "2026-03-20", "2026-03-23"]
    assert record["close"] == [800.0, 410.0, 404.0, 102.0, 103.0]
    # Two for one on the 18th and four for one on the 20th: a share of the 17th is eight of today's.
    assert record["split_factor"] == [8.0, 4.0, 4.0, 1.0, 1.0]
    assert record["underlying_volume"] == [1000] * 5


def test_a_restated_bar_replaces_the_old_one(live_folder: MarketFolder) -> None:
    day = date(2026, 3, 23)
    for minute, close in enumerate((100.0, 101.0)):
        scan(live_folder, {"ZZTA": [live_chain(stamp=at(24, 17, minute))]}, bars=[session_bar(day, close)])
    (record,) = records(live_folder, "history")
    assert record["close"] == [101.0]


def test_a_sessions_figures_are_its_close_scans_else_its_last_good_ones(live_folder: MarketFolder) -> None:
    def with_interest(stamp: datetime, open_interest: int, **more: Any) -> None:
        scan(live_folder, {"ZZTA": [live_chain(stamp=stamp, open_interest=open_interest)]}, **more)

    with_interest(at(19), 100)
    with_interest(at(19, 20, 30), 200, scan=Scan(kind="close", tickers=("ZZTA",)))
    with_interest(at(19, 21), 300)
    with_interest(at(20, 15), 400)
    with_interest(at(20, 16), 500)
    scan(live_folder, {"ZZTA": [dark_chain(stamp=at(20, 18))]})
    scan(live_folder, {"ZZTA": [dark_chain(stamp=at(23))]})
    with_interest(at(24), 700)
    (record,) = records(live_folder, "history", at(24, 19, 59))
    assert list(zip(record["dates"], record["open_interest"], record["grade"], strict=True)) == [
        ("2026-03-19", 2000, "B"),
        ("2026-03-20", 5000, "A"),
    ]
    (record,) = records(live_folder, "history", at(24, 20))
    assert (record["dates"][-1], record["open_interest"][-1]) == ("2026-03-24", 7000)
    assert record["source"] == ["yahoo"] * 3


def test_a_recorded_session_that_had_not_ended_is_not_in_the_history(recorded_folder: MarketFolder) -> None:
    scan(recorded_folder, {"ZZTA": [live_chain(stamp=at(23))], "ZZTB": TimedOut("late")})
    scan(recorded_folder, {"ZZTA": [live_chain(stamp=at(24))], "ZZTB": [live_chain("ZZTB", stamp=at(24, 20, 20))]})
    first, second = records(recorded_folder, "history", datetime(2027, 12, 1, tzinfo=UTC))
    assert (first["ticker"], first["dates"]) == ("ZZTA", ["2026-03-23"])
    assert (second["ticker"], second["dates"]) == ("ZZTB", ["2026-03-24"])


def append_alerts(folder: MarketFolder, *rows: dict[str, Any]) -> None:
    with open_store(folder, "test") as connection:
        append(connection, "alert_events", [{**row, "provider": "yahoo"} for row in rows])


def test_alerts_are_those_of_thirty_days_newest_first_in_their_last_state(live_folder: MarketFolder) -> None:
    scan(live_folder, {"ZZTA": [live_chain()]})
    append_alerts(
        live_folder,
        alert_row("old", "new", NOW - timedelta(days=31), 2),
        alert_row("edge", "new", NOW - timedelta(days=30), 2),
        alert_row("long", "new", NOW - timedelta(days=50), 2),
        alert_row("long", "ongoing", NOW - timedelta(days=2), 3),
        alert_row("fresh", "new", NOW - timedelta(hours=2), 3),
        alert_row("fresh", "ended", NOW - timedelta(hours=1), 4),
    )
    found = [(record["key"], record["state"]) for record in records(live_folder, "alerts")]
    assert found == [("fresh", "ended"), ("edge", "new"), ("long", "ongoing")]


def test_the_last_five_hundred_scans_are_shown_newest_first(live_folder: MarketFolder) -> None:
    scan(live_folder, {"ZZTA": [live_chain()]})
    with open_store(live_folder, "test") as connection:
        connection.execute(
            "INSERT INTO scans BY NAME SELECT s.* REPLACE (s.scan_id || '-' || t.n AS scan_id, "
            "s.started_at - to_minutes(t.n) AS started_at) FROM scans s, range(1, 511) t(n)"
        )
    found = records(live_folder, "scans")
    assert len(found) == 500
    assert [record["started_at"] for record in found] == sorted((r["started_at"] for r in found), reverse=True)
    assert found[-1]["id"].endswith("-499")


def test_two_scans_of_one_second_are_shown_in_the_order_in_which_they_began(live_folder: MarketFolder) -> None:
    scan(live_folder, {"ZZTA": [live_chain()]})
    with open_store(live_folder, "test") as connection:
        connection.execute("UPDATE scans SET started_at = '2026-03-24T17:00:00.1Z'")
        for scan_id, start in (("a-last", "0.9"), ("z-second", "0.5")):
            connection.execute(
                "INSERT INTO scans BY NAME SELECT s.* REPLACE (? AS scan_id, ?::TIMESTAMPTZ AS started_at) "
                "FROM scans s LIMIT 1",
                [scan_id, f"2026-03-24T17:00:0{start}Z"],
            )
    found = records(live_folder, "scans")
    assert [record["id"] for record in found[:2]] == ["a-last", "z-second"]
    assert len({record["started_at"] for record in found}) == 1


def test_errors_are_what_the_newest_scan_did_not_bring(live_folder: MarketFolder) -> None:
    scan(live_folder, {"ZZTA": TimedOut("late"), "ZZTB": NoOptions("none"), "ZZTC": [live_chain("ZZTC")]})
    with snapshot(live_folder) as taken:
        assert taken.errors("chains") == [
            {"ticker": "ZZTA", "reason": "timed_out", "detail": "late"},
            {"ticker": "ZZTB", "reason": "no_options", "detail": "none"},
        ]
        assert taken.errors("scans") == []


def test_revisions_move_when_what_is_held_may_have_moved(live_folder: MarketFolder) -> None:
    today = date(2026, 3, 25)
    names = ("chains", "history", "alerts", "scans", "features", "meta")
    scan(live_folder, {"ZZTA": [live_chain(expiration=today), live_chain()], "ZZTB": [live_chain("ZZTB")]})

    def moved(before: datetime, after: datetime, change: Callable[[], object] | None = None) -> set[str]:
        old = {name: revision(live_folder, name, before) for name in names}
        if change:
            change()
        return {name for name in names if revision(live_folder, name, after) != old[name]}

    def one_more() -> None:
        scan(live_folder, {"ZZTB": [live_chain("ZZTB", stamp=at(24, 17, 5))]})

    assert moved(at(24, 17, 10), at(24, 19, 59)) == set()
    # The close ends a session, the settlement a chain, the open the window of five sessions.
    assert "history" in moved(at(24, 19, 59), at(24, 20))
    assert moved(at(24, 20), at(25, 13, 29)) == set()
    assert "chains" in moved(at(25, 13, 29), at(25, 13, 30))
    assert "chains" in moved(at(25, 19, 59), at(25, 20))
    assert moved(NOW, NOW, one_more) == set(names) - {"meta"}
    assert {"chains", "history"} <= moved(NOW, NOW, lambda: pause("ZZTB"))


def test_revisions_of_recordings_move_with_scans_alone(recorded_folder: MarketFolder) -> None:
    scan(recorded_folder, {"ZZTA": [live_chain()]})
    later = datetime(2027, 12, 1, tzinfo=UTC)
    for name in ("chains", "history", "alerts", "scans", "features"):
        assert revision(recorded_folder, name) == revision(recorded_folder, name, later)


def test_a_recording_expects_nothing_and_a_live_market_its_next_slot(
    live_folder: MarketFolder, recorded_folder: MarketFolder
) -> None:
    for folder in (live_folder, recorded_folder):
        scan(folder, {"ZZTA": [live_chain()]})
    with snapshot(recorded_folder) as taken:
        assert (taken.next_scan_expected_at, taken.next_export_expected_at) == (None, None)
    with open_store(live_folder, "test") as connection:
        connection.execute("UPDATE scans SET finished_at = ?", [at(24, 19, 52)])
    with snapshot(live_folder, at(24, 22)) as taken:
        # 15:52 in New York: the next slot of the session is the last one of the day, however late it is by now.
        assert taken.next_scan_expected_at == at(25, 13, 30)
        assert taken.next_export_expected_at == at(24, 22, 5)


def test_the_source_gives_one_moment_and_leaves_the_store_free(live_folder: MarketFolder) -> None:
    scan(live_folder, {"ZZTA": [live_chain()]})
    source = StoreExportSource(live_folder)
    with source.snapshot() as taken:
        assert (taken.provider, taken.store_revision) == ("yahoo", 1)
    with open_store(live_folder, "test", timeout=0.1):
        pass
