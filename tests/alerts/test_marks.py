"""Acknowledged and muted alerts: what the export shows of them, and which notifications a mute silences."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from collector.alerts.marks import acknowledge, is_muted, marks_of, muted_by
from collector.models import AlertMark, Channel, Mute, OutboxMessage
from collector.pipeline.publish import publish
from collector.store.database import open_store
from collector.store.export_source import StoreExportSource
from exports.exporter import JSONExporter
from exports.folders import MarketFolder
from tests.pipeline.scripted_provider import scan
from tests.store.test_export_source import busy_chain

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 24, 17, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
YEARS_ON = datetime(2099, 1, 1, tzinfo=UTC)
RECORD = {"id": "abc", "detector": "unusual_activity", "ticker": "AAPL"}
NOTHING = {"acknowledged_at": None, "acknowledged_by": None, "muted_until": None}


def mute(until: datetime = LATER, market: str = "demo", **what: str) -> Mute:
    return Mute.objects.create(market=market, until=until, by="mia", **what)


@pytest.mark.parametrize(
    ("what", "muted"),
    [
        ({"alert_id": "abc"}, True),
        ({"alert_id": "abd"}, False),
        ({"detector": "unusual_activity"}, True),
        ({"detector": "rule:high-iv"}, False),
        ({"ticker": "AAPL"}, True),
        ({"ticker": "AMD"}, False),
        ({"detector": "unusual_activity", "ticker": "AAPL"}, True),
        ({"detector": "unusual_activity", "ticker": "AMD"}, False),
        ({}, True),
        ({"ticker": "AAPL", "market": "live"}, False),
    ],
)
def test_what_a_mute_covers(what: dict[str, str], muted: bool) -> None:
    mute(**what)
    assert is_muted("demo", RECORD, NOW) is muted
    assert muted_by("demo", NOW)({"event_id": "e", "alert": RECORD}) is muted
    assert (marks_of("demo", NOW)(RECORD)["muted_until"] is not None) is muted


def test_a_mute_ends_at_its_moment() -> None:
    mute(ticker="AAPL")
    assert is_muted("demo", RECORD, LATER - timedelta(seconds=1))
    assert not is_muted("demo", RECORD, LATER)
    assert marks_of("demo", LATER)(RECORD) == RECORD | NOTHING


def test_of_several_mutes_the_longest_is_shown() -> None:
    for hours, ticker in ((2, "AAPL"), (5, ""), (9, "AMD")):
        mute(NOW + timedelta(hours=hours), ticker=ticker)
    assert marks_of("demo", NOW)(RECORD)["muted_until"] == "2026-03-24T22:00:00Z"


def test_who_took_note_first_stays() -> None:
    acknowledge("demo", "abc", "mia", NOW)
    acknowledge("demo", "abc", "noah", LATER)
    acknowledge("live", "abc", "noah", LATER)
    shown = marks_of("demo", LATER)(RECORD)
    assert (shown["acknowledged_at"], shown["acknowledged_by"]) == ("2026-03-24T17:00:00Z", "mia")
    assert marks_of("demo", LATER)({**RECORD, "id": "other"}) == {**RECORD, "id": "other"} | NOTHING
    assert AlertMark.objects.count() == 2


def test_marks_of_many_alerts_are_two_queries_and_mutes_of_many_events_one(
    django_assert_num_queries: Any,
) -> None:
    mute(ticker="AAPL")
    acknowledge("demo", "abc", "mia", NOW)
    with django_assert_num_queries(2):
        overlay = marks_of("demo", NOW)
        assert len([overlay(RECORD) for _ in range(1000)]) == 1000
    with django_assert_num_queries(1):
        muted = muted_by("demo", NOW)
        assert all(muted({"alert": RECORD}) for _ in range(1000))


@pytest.mark.parametrize("beside", [{"detector": "unusual_activity"}, {"ticker": "AAPL"}])
def test_one_alert_is_muted_by_its_id_alone(beside: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="leave detector and ticker empty"):
        Mute(market="demo", alert_id="abc", until=YEARS_ON, by="mia", **beside).full_clean()


def test_a_mute_that_is_over_before_it_begins_is_refused() -> None:
    with pytest.raises(ValidationError, match="This moment is past"):
        Mute(market="demo", until=datetime.now(UTC) - timedelta(minutes=1), by="mia").full_clean()


def test_the_ticker_of_a_mute_is_the_canonical_one() -> None:
    muted = Mute(market="demo", ticker="brk.b", until=YEARS_ON, by="mia")
    muted.full_clean()
    assert muted.ticker == "BRK-B"
    with pytest.raises(ValidationError, match="is not a ticker"):
        Mute(market="demo", ticker="$$$", until=YEARS_ON, by="mia").full_clean()


@pytest.fixture
def recorded_folder(data_dir: Path) -> MarketFolder:
    """A market whose alerts are as old as its newest recording says, whatever today is."""
    folder = MarketFolder(data_dir, "recorded")
    folder.create()
    return folder


def published(folder: MarketFolder) -> dict[str, Any]:
    """Export and return the one alert."""
    JSONExporter(folder, StoreExportSource(folder)).export_all()
    (alert,) = json.loads((folder.export_dir / "alerts.json").read_bytes())["alerts"]
    return dict(alert)


def test_an_export_shows_them_and_hides_nothing(recorded_folder: MarketFolder) -> None:
    scan(recorded_folder, {"ZZTA": [busy_chain()]})
    before = published(recorded_folder)
    assert NOTHING.items() <= before.items()
    now = datetime.now(UTC)
    acknowledge("recorded", before["id"], "mia", now)
    mute(now + timedelta(days=1), "recorded", ticker="ZZTA")
    after = published(recorded_folder)
    assert after["acknowledged_by"] == "mia"
    assert after["acknowledged_at"] == f"{now:%Y-%m-%dT%H:%M:%SZ}"
    assert after["muted_until"] == f"{now + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    assert {**after, **NOTHING} == before
    with open_store(recorded_folder, "test") as connection:
        ((stored,),) = connection.execute("SELECT alert::VARCHAR FROM alert_events").fetchall()
    assert "acknowledged" not in stored
    assert "muted" not in stored
    Mute.objects.all().delete()
    AlertMark.objects.all().delete()
    assert published(recorded_folder) == before


def test_the_api_shows_them_without_a_query(
    recorded_folder: MarketFolder,
    settings: Any,
    client: Client,
    django_assert_num_queries: Any,
) -> None:
    settings.MARKET_FOLDER = recorded_folder
    scan(recorded_folder, {"ZZTA": [busy_chain()]})
    mute(datetime.now(UTC) + timedelta(days=1), "recorded", detector="unusual_activity")
    muted = published(recorded_folder)
    with django_assert_num_queries(0):
        (shown,) = client.get("/api/v1/alerts/", headers={"host": "localhost"}).json()["results"]
    assert shown == muted
    assert shown["muted_until"] is not None


@pytest.mark.parametrize(("ticker", "told"), [("ZZTA", 0), ("ZZTB", 1)])
def test_a_publication_tells_no_channel_of_what_is_muted(ticker: str, told: int, recorded_folder: MarketFolder) -> None:
    Channel.objects.create(market="recorded", name="hook", kind="webhook", target_url="http://x/", secret="x" * 16)
    mute(datetime.now(UTC) + timedelta(days=1), "recorded", ticker=ticker)
    scan(recorded_folder, {"ZZTA": [busy_chain()]})
    publish(recorded_folder)
    assert OutboxMessage.objects.filter(channel="page").count() == 1
    assert OutboxMessage.objects.filter(channel="hook").count() == told
