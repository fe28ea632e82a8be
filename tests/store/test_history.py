"""What a join asks of the past, worked by hand, as it was known at the time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from collector.alerts.verdicts import Seen
from collector.store import history, records
from collector.store.database import open_store
from exports.folders import MarketFolder
from tests.store.rows import alert_row, days_before, provenance

TODAY = date(2026, 3, 24)
NOW = datetime(2026, 3, 24, 17, tzinfo=UTC)


@pytest.fixture
def store(market_folder: MarketFolder) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_store(market_folder, "test") as connection:
        yield connection


def append_alerts(store: duckdb.DuckDBPyConnection, *rows: dict[str, Any]) -> None:
    records.append(store, "alert_events", list(rows))


def standing(store: duckdb.DuckDBPyConnection, now: datetime = NOW) -> list[tuple[str, str]]:
    found = history.standing_alerts(store, "demo", ["ZZTA", "ZZTB"], now)
    assert list(found) == ["ZZTA", "ZZTB"]
    return [(alert["key"], alert["state"]) for alert in found["ZZTA"]]


def test_an_alert_stands_in_its_newest_state(store: duckdb.DuckDBPyConnection) -> None:
    append_alerts(
        store,
        alert_row("a", "new", NOW - timedelta(days=90), 1),
        alert_row("b", "new", NOW - timedelta(hours=3), 1),
        alert_row("b", "ongoing", NOW - timedelta(hours=2), 2),
        alert_row("b", "ended", NOW - timedelta(hours=1), 3),
        alert_row("c", "new", NOW, 3, provider="yahoo"),
        alert_row("d", "new", NOW, 3, ticker="ZZTC"),
    )
    # The first never ended, however old; the second ended within 30 days.
    assert standing(store) == [("a", "new"), ("b", "ended")]


def test_an_alert_that_ended_more_than_thirty_days_ago_is_gone(store: duckdb.DuckDBPyConnection) -> None:
    append_alerts(
        store,
        alert_row("a", "new", NOW - timedelta(days=40), 1),
        alert_row("a", "ended", NOW - timedelta(days=30), 2),
    )
    assert standing(store) == [("a", "ended")]
    assert standing(store, NOW + timedelta(seconds=1)) == []


def test_of_two_events_of_one_moment_the_later_revision_holds(store: duckdb.DuckDBPyConnection) -> None:
    append_alerts(store, alert_row("a", "ended", NOW, 5), alert_row("a", "ongoing", NOW, 4))
    assert standing(store) == [("a", "ended")]


def activity_row(
    hour: int, volume: int, open_interest: int | None, counted: str | None, **changes: Any
) -> dict[str, Any]:
    """Return an ongoing alert on activity that began today, at an hour of today."""
    metrics = {"volume": volume, "open_interest": open_interest, "open_interest_date": counted}
    alert = {"session": TODAY.isoformat(), "metrics": metrics}
    return alert_row("a", "ongoing", NOW.replace(hour=hour), hour, alert=alert, **changes)


def test_what_an_alert_saw_in_its_first_session(store: duckdb.DuckDBPyConnection) -> None:
    monday, friday = days_before(TODAY, 2)
    tomorrow = TODAY + timedelta(days=1)
    append_alerts(
        store,
        activity_row(14, 500, 90, friday.isoformat()),
        activity_row(15, 900, 100, monday.isoformat()),
        activity_row(16, 800, 101, monday.isoformat()),
        # At the same New York date as tomorrow's count, and of tomorrow's session: neither is what was open before.
        activity_row(21, 950, 700, TODAY.isoformat()),
        activity_row(17, 9_000, 800, TODAY.isoformat(), market_date=tomorrow),
        activity_row(18, 7_000, 1, monday.isoformat(), alert_id="b"),
    )
    assert history.seen_at_first(store, ["a", "c"]) == {"a": Seen(950, 101, monday)}
    assert history.seen_at_first(store, []) == {}


def test_an_alert_that_saw_no_open_interest_of_before(store: duckdb.DuckDBPyConnection) -> None:
    append_alerts(store, activity_row(14, 500, 90, None), activity_row(15, 600, 90, TODAY.isoformat()))
    assert history.seen_at_first(store, ["a"]) == {"a": Seen(600)}


def chain_row(scan: int, expiration: date, received: int, **changes: Any) -> dict[str, Any]:
    moment = NOW + timedelta(minutes=10 * scan)
    row = {
        "ticker": "ZZTA",
        "root": "ZZTA",
        "as_of": moment,
        "quote_time": moment,
        "market_date": TODAY,
        "open_interest_date": TODAY,
        "expiration": expiration,
        "dte": 9,
        "settlement": "PM",
        "settlement_time": datetime(2026, 6, 19, 20, tzinfo=UTC),
        "exercise_style": "american",
        "totals": {},
        "analytics": {},
        "grade": "A",
        "grade_reasons": [],
        "facts": {},
        "received": received,
        "reasons": {},
        "recorded_at": moment,
    }
    return row | changes


def append_chains(store: duckdb.DuckDBPyConnection, scan: int, *rows: dict[str, Any]) -> None:
    records.append(store, "chains", list(rows), provenance(f"scan-{scan}").columns)


def test_coverage_is_that_of_the_newest_scan_known_then(store: duckdb.DuckDBPyConnection) -> None:
    june, july = date(2026, 6, 19), date(2026, 7, 17)
    append_chains(store, 1, chain_row(1, june, 40), chain_row(1, july, 30), chain_row(1, june, 8, root="ZZTA1"))
    append_chains(store, 2, chain_row(2, june, 38))
    append_chains(store, 3, chain_row(3, june, 5, ticker="ZZTB"))
    assert history.last_coverages(store, "demo", {"ZZTA": NOW})["ZZTA"] == {}
    after_one = history.last_coverages(store, "demo", {"ZZTA": NOW + timedelta(minutes=10)})["ZZTA"]
    assert after_one == {(june, "ZZTA"): 40, (july, "ZZTA"): 30, (june, "ZZTA1"): 8}
    assert history.last_coverages(store, "demo", {"ZZTA": NOW + timedelta(hours=9)})["ZZTA"] == {(june, "ZZTA"): 38}
    assert history.last_coverages(store, "yahoo", {"ZZTA": NOW + timedelta(hours=9)})["ZZTA"] == {}


def scan_row(scan: int, kind: str = "manual", as_of: datetime | None = NOW) -> dict[str, Any]:
    names = ("tickers", "coverage", "grades", "rejections", "seconds", "configuration", "libraries", "watchlist")
    return {
        "scan_id": f"scan-{scan}",
        "store_revision": scan,
        "kind": kind,
        "started_at": NOW,
        "as_of": as_of,
        "status": "ok",
        "chains": 0,
        "contracts": 0,
        "alerts": 0,
        "new_alerts": 0,
        "provider_calls": 0,
        "config_hash": "0",
        "code_version": "0",
        "recorded_at": NOW,
        "provider": "demo",
        "feed": "demo",
        "source": "demo",
        "inserted_at": NOW,
        **{name: {} for name in names},
    }


def test_a_scan_is_joined_once_its_row_is_there(store: duckdb.DuckDBPyConnection) -> None:
    assert not history.is_joined(store, "scan-1")
    records.append(store, "scans", [scan_row(1)])
    assert history.is_joined(store, "scan-1")
    assert not history.is_joined(store, "scan-2")


def test_news_are_what_began_and_ended_outside_a_backfill(store: duckdb.DuckDBPyConnection) -> None:
    records.append(store, "scans", [scan_row(1, "backfill"), scan_row(2), scan_row(3), scan_row(4, "scheduled")])
    append_alerts(
        store,
        alert_row("a", "new", NOW - timedelta(days=1), 1),
        alert_row("b", "new", NOW, 2),
        alert_row("b", "ongoing", NOW + timedelta(minutes=10), 3),
        alert_row("a", "ended", NOW + timedelta(minutes=20), 4),
        alert_row("c", "new", NOW + timedelta(minutes=10), 4),
    )

    def news(revision: int) -> list[tuple[str, str, datetime]]:
        return [
            (event["alert_id"], event["kind"], event["at"]) for event in history.alert_events_after(store, revision)
        ]

    later = [("c", "new", NOW + timedelta(minutes=10)), ("a", "ended", NOW + timedelta(minutes=20))]
    assert news(0) == [("b", "new", NOW), *later]
    assert news(2) == later
    assert news(4) == []


def test_digests_and_verdicts_are_news_and_outcomes_are_not(store: duckdb.DuckDBPyConnection) -> None:
    records.append(store, "scans", [scan_row(1)])
    stored = NOW + timedelta(minutes=1)
    kinds = ("digest", "new", "outcome", "verdict")
    append_alerts(store, *(alert_row("a", kind, NOW, 1, inserted_at=stored) for kind in kinds))
    found = history.alert_events_after(store, 0)
    assert [event["kind"] for event in found] == ["digest", "new", "verdict"]
    assert {(event["scan_id"], event["at"], event["inserted_at"]) for event in found} == {("scan-1", NOW, stored)}


def test_sessions_seen_are_those_of_the_chains(store: duckdb.DuckDBPyConnection) -> None:
    assert history.sessions_seen(store) == set()
    for scan, day in enumerate((date(2026, 3, 24), date(2026, 3, 24), date(2026, 3, 26)), 1):
        append_chains(store, scan, chain_row(scan, date(2026, 6, 19), 10, market_date=day))
    assert history.sessions_seen(store) == {date(2026, 3, 24), date(2026, 3, 26)}


@pytest.mark.parametrize(
    ("damaged", "named"),
    [
        ('{"id": "b", "state": "ongoing"}', "field key is missing"),
        ("null", "it is no JSON object"),
        ('{"id": "x"}', "field key is missing"),
    ],
)
def test_a_damaged_record_is_left_out_with_a_line_that_names_its_alert(
    store: duckdb.DuckDBPyConnection, damaged: str, named: str, caplog: pytest.LogCaptureFixture
) -> None:
    append_alerts(store, alert_row("a", "new", NOW, 1), alert_row("b", "new", NOW, 1), alert_row("c", "new", NOW, 1))
    store.execute("UPDATE store.main.alert_events SET alert = ? WHERE alert_id = 'b'", [damaged])
    assert standing(store) == [("a", "new"), ("c", "new")]
    (line,) = caplog.messages
    assert line == f"The record of alert b is left out: {named}"


def test_figures_that_are_no_numbers_were_not_seen(store: duckdb.DuckDBPyConnection) -> None:
    (monday,) = days_before(TODAY, 1)
    append_alerts(store, activity_row(14, 500, 90, monday.isoformat()), activity_row(15, 900, 91, monday.isoformat()))
    damaged = '{"session": "2026-03-24", "metrics": {"volume": "many", "open_interest": [], "open_interest_date": "?"}}'
    store.execute("UPDATE store.main.alert_events SET alert = ? WHERE event_id LIKE '%-15'", [damaged])
    assert history.seen_at_first(store, ["a"]) == {"a": Seen(500, 90, monday)}
