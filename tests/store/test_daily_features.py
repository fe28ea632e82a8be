"""Which scan's figures stand for a session, and which of them count in a rank: written out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import orjson
import pytest

from collector.models import WatchedTicker
from collector.store import records
from collector.store.daily_features import daily_features
from collector.store.database import open_store
from collector.store.export_source import StoreSnapshot
from collector.store.past_sessions import DailyVolatility, past_sessions
from exports.folders import MarketFolder
from tests.store.rows import days_before

TODAY = date(2026, 3, 24)
NOW = datetime(2026, 3, 24, 17, tzinfo=UTC)
SESSIONS = 252


@pytest.fixture
def store(market_folder: MarketFolder) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_store(market_folder, "test") as connection:
        yield connection


def scanned(
    store: duckdb.DuckDBPyConnection,
    day: date,
    hour: int,
    iv: float | None,
    *,
    kind: str = "scheduled",
    grade: str = "A",
    iv_grade: str | None = "A",
    provider: str = "demo",
    **figures: Any,
) -> None:
    """Append a scan of one ticker at an hour (UTC) of a session, which said ``iv`` of its 30-day volatility."""
    moment = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    shared = {
        "scan_id": f"scan-{day}-{hour:02}-{provider}",
        "provider": provider,
        "feed": "demo",
        "source": "demo",
        "recorded_at": moment,
        "inserted_at": moment,
        "as_of": moment,
    }
    objects = ("tickers", "coverage", "grades", "rejections", "seconds", "configuration", "libraries", "watchlist")
    groups: dict[str, list[Any]] = {name: [] for name in ("requested", "ok", "failed", "skipped", "not_recorded")}
    counts = ("store_revision", "chains", "contracts", "alerts", "new_alerts", "provider_calls")
    texts = {"status": "ok", "config_hash": "0", "code_version": "0", "kind": kind, "started_at": moment}
    scan: dict[str, Any] = {name: {} for name in objects} | dict.fromkeys(counts, 0) | texts | shared
    scan["tickers"] = groups
    records.append(store, "scans", [scan])
    feature = {
        "ticker": "ZZTA",
        "quote_time": moment,
        "market_date": day,
        "grade": grade,
        "iv_30d": iv,
        "iv_grade": iv_grade,
        "detectors": [],
        "reasons": {},
    }
    records.append(store, "features", [feature | shared | figures])


def standing(store: duckdb.DuckDBPyConnection) -> list[tuple[date, float | None, bool]]:
    """Return session, 30-day volatility, and whether the close scan's, of the row that stands for each session."""
    return store.execute(
        f"SELECT market_date, iv_30d, at_close FROM ({daily_features('true')}) ORDER BY market_date"
    ).fetchall()


def past(store: duckdb.DuckDBPyConnection, known_at: datetime = NOW, sessions: int = SESSIONS) -> DailyVolatility:
    return past_sessions(store, "demo", {"ZZTA": TODAY}, known_at, SESSIONS)["ZZTA"].volatility(sessions)


def test_the_close_scan_stands_before_later_and_better_ones(store: duckdb.DuckDBPyConnection) -> None:
    monday, friday = days_before(TODAY, 2)
    scanned(store, friday, 15, 0.20)
    scanned(store, friday, 20, 0.30, kind="close", grade="D", iv_grade="D")
    scanned(store, friday, 21, 0.40)
    scanned(store, monday, 15, 0.21)
    scanned(store, monday, 18, 0.22, grade="B", iv_grade="B")
    assert standing(store) == [(friday, 0.30, True), (monday, 0.22, False)]


def test_a_close_scan_without_any_quote_gives_way_to_a_good_scan_and_stands_without_one(
    store: duckdb.DuckDBPyConnection,
) -> None:
    monday, friday = days_before(TODAY, 2)
    scanned(store, friday, 15, 0.20)
    scanned(store, friday, 20, None, kind="close", grade="F", iv_grade=None)
    scanned(store, monday, 15, 0.21, grade="C", iv_grade="C")
    scanned(store, monday, 20, None, kind="close", grade="F", iv_grade=None)
    assert standing(store) == [(friday, 0.20, False), (monday, None, True)]


@pytest.mark.parametrize("grade", ["C", "D", "F"])
def test_a_session_of_poor_scans_alone_has_no_figures(store: duckdb.DuckDBPyConnection, grade: str) -> None:
    scanned(store, days_before(TODAY, 1)[0], 15, 0.2, grade=grade, iv_grade=grade)
    assert standing(store) == []


def test_the_past_is_each_session_once_oldest_first_and_without_today(store: duckdb.DuckDBPyConnection) -> None:
    monday, friday, thursday = days_before(TODAY, 3)
    scanned(store, monday, 15, 0.31)
    scanned(store, monday, 16, 0.32)
    scanned(store, thursday, 20, 0.29, kind="close")
    scanned(store, friday, 20, 0.30, kind="close")
    scanned(store, TODAY, 15, 0.99)
    assert past(store) == DailyVolatility((thursday, friday, monday), (0.29, 0.30, 0.32), "demo")


@pytest.mark.parametrize(("iv_grade", "counts"), [("A", True), ("B", True), ("C", False), ("D", False), ("F", False)])
@pytest.mark.parametrize("kind", ["close", "scheduled"])
def test_one_bad_day_never_sets_an_extreme(
    store: duckdb.DuckDBPyConnection, iv_grade: str, counts: bool, kind: str
) -> None:
    monday, friday = days_before(TODAY, 2)
    scanned(store, friday, 20, 0.20, kind="close")
    # Some chain was good, so the scan is of grade A; the chains around 30 days were not.
    scanned(store, monday, 20, 7.5, kind=kind, grade="A", iv_grade=iv_grade)
    assert past(store).values == ((0.20, 7.5) if counts else (0.20,))


def test_a_session_without_a_grade_or_a_finite_volatility_counts_for_nothing(store: duckdb.DuckDBPyConnection) -> None:
    days = days_before(TODAY, 4)
    scanned(store, days[0], 20, 0.2, kind="close", iv_grade=None)
    scanned(store, days[1], 20, None, kind="close")
    scanned(store, days[2], 20, float("inf"), kind="close")
    assert past(store) == DailyVolatility((), (), None)
    scanned(store, days[3], 20, 0.2, kind="close")
    assert past(store).dates == (days[3],)


def test_what_was_recorded_later_is_not_seen(store: duckdb.DuckDBPyConnection) -> None:
    (monday,) = days_before(TODAY, 1)
    scanned(store, monday, 15, 0.20)
    scanned(store, monday, 20, 0.50, kind="close", recorded_at=NOW + timedelta(seconds=1))
    assert past(store).values == (0.20,)
    assert past(store, NOW + timedelta(seconds=1)).values == (0.50,)


def test_no_more_sessions_than_asked_for_are_counted_and_they_are_the_last_that_count(
    store: duckdb.DuckDBPyConnection,
) -> None:
    days = days_before(TODAY, 6)
    for age, day in enumerate(days):
        scanned(store, day, 20, 0.1 + age / 100, kind="close", iv_grade="C" if age == 1 else "A")
    assert past(store, sessions=3).dates == (days[3], days[2], days[0])


def test_feeds_are_told_once_each(store: duckdb.DuckDBPyConnection) -> None:
    days = days_before(TODAY, 3)
    for day, feed in zip(days, ("yahoo", "cboe", "yahoo"), strict=True):
        scanned(store, day, 20, 0.2, kind="close", feed=feed)
    assert past(store).source == "cboe, yahoo"


def test_each_ticker_is_asked_until_its_own_day_and_of_its_own_provider(store: duckdb.DuckDBPyConnection) -> None:
    monday, friday = days_before(TODAY, 2)
    scanned(store, friday, 18, 0.20)
    scanned(store, monday, 18, 0.30)
    scanned(store, friday, 19, 0.60, ticker="ZZTB")
    scanned(store, friday, 21, 0.90, provider="yahoo")
    found = past_sessions(store, "demo", {"ZZTA": monday, "ZZTB": TODAY, "ZZTC": TODAY}, NOW, SESSIONS)
    values = {ticker: one.volatility(SESSIONS).values for ticker, one in found.items()}
    assert values == {"ZZTA": (0.20,), "ZZTB": (0.60,), "ZZTC": ()}


def test_the_past_holds_each_figure_by_session_and_those_of_options_only_where_they_count(
    store: duckdb.DuckDBPyConnection,
) -> None:
    monday, friday, thursday = days_before(TODAY, 3)
    scanned(store, thursday, 20, 0.2, kind="close", put_call_volume_ratio=0.5, risk_reversal_25d=-0.03, price=50.0)
    scanned(store, friday, 20, 7.5, kind="close", iv_grade="C", put_call_volume_ratio=0.7, risk_reversal_25d=-9.0)
    scanned(store, monday, 20, 0.3, kind="close", price=52.0)
    found = past_sessions(store, "demo", {"ZZTA": TODAY}, NOW, SESSIONS)["ZZTA"].sessions
    assert found.dates == (thursday, friday, monday)
    assert found.figures["put_call_volume_ratio"].tolist() == pytest.approx([0.5, 0.7, float("nan")], nan_ok=True)
    assert found.figures["risk_reversal_25d"].tolist() == pytest.approx(
        [-0.03, float("nan"), float("nan")], nan_ok=True
    )
    assert found.last("iv_30d", 3).tolist() == [0.2, 0.3]
    assert found.last("iv_30d", 1).tolist() == [0.3]
    assert (found.newest("price"), found.newest("risk_reversal_25d")) == (52.0, None)
    assert past_sessions(store, "demo", {"ZZTA": TODAY}, NOW, 2)["ZZTA"].sessions.dates == (friday, monday)


@pytest.mark.django_db
def test_history_shows_the_volatilities_that_count_and_the_sums_of_the_session(
    store: duckdb.DuckDBPyConnection, market_folder: MarketFolder
) -> None:
    WatchedTicker.objects.create(market="demo", ticker="ZZTA")
    monday, friday, thursday = days_before(TODAY, 3)
    sums: dict[str, Any] = {"volume": 700, "open_interest": 900, "put_call_volume_ratio": 0.5}
    scanned(store, thursday, 20, 0.2, kind="close", skew_25d=0.1, term_slope=0.01, **sums)
    scanned(store, friday, 20, 7.5, kind="close", iv_grade="C", skew_25d=9.0, term_slope=-8.0, **sums)
    scanned(store, monday, 18, 5.0, grade="D", iv_grade="D", **sums)
    (record,) = StoreSnapshot(store, market_folder, NOW).records("history")
    shown = orjson.loads(orjson.dumps(record))
    assert shown["dates"] == [thursday.isoformat(), friday.isoformat()]
    assert (shown["iv_30d"], shown["skew_25d"], shown["term_slope"]) == ([0.2, None], [0.1, None], [0.01, None])
    assert (shown["volume"], shown["put_call_volume_ratio"]) == ([700, 700], [0.5, 0.5])
    assert shown["grade"] == ["A", "A"]


def test_the_days_to_earnings_are_those_that_the_session_knew_of(store: duckdb.DuckDBPyConnection) -> None:
    monday, friday = days_before(TODAY, 2)
    scanned(store, friday, 15, 0.3, next_earnings_date=monday)
    scanned(store, monday, 15, 0.3, next_earnings_date=None)
    past = past_sessions(store, "demo", {"ZZTA": TODAY}, NOW, SESSIONS)["ZZTA"].sessions
    assert past.dates == (friday, monday)
    assert past.last("days_to_earnings", SESSIONS).tolist() == [3.0]
