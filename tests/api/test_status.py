from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.test import Client

from exports.live import write_live
from tests.api.sample_market import SCAN_ID, instant

Documents = dict[str, list[dict[str, Any]]]


def test_status_of_a_published_market(api: Client, market: Documents, export_dir: Path) -> None:
    beat = datetime.now(UTC) - timedelta(seconds=30)
    live = {
        "written_at": instant(beat),
        "jobs": [],
        "next_scan_at": "2026-01-27T15:10:00Z",
        "budget": {"per_hour": 250},
        "market_state": {"state": "open"},
        "health": {"heartbeat_at": instant(beat), "disk_free_bytes": 10**9},
        "last_export_error": "disk full",
    }
    write_live(export_dir, live)
    body = api.get("/api/v1/status/").json()
    assert body["provider"] == body["market"] == "demo"
    assert body["demo"] is True
    assert "invented" in body["banner"]
    assert body["last_scan"]["id"] == SCAN_ID
    assert {name: body[name] for name in live if name != "written_at"} == {
        name: value for name, value in live.items() if name != "written_at"
    }
    assert 30 <= body["ages"]["heartbeat"] < 60
    assert 30 <= body["ages"]["live"] < 60
    assert 0 <= body["ages"]["export"] < 30
    assert body["documents"] == {name: len(records) for name, records in market.items()}
    # The market's quotes are of 27 January 2026, five minutes before its scan.
    quotes = datetime.now(UTC) - timedelta(seconds=body["ages"]["quotes"])
    assert abs(quotes - datetime(2026, 1, 27, 14, 55, tzinfo=UTC)) < timedelta(minutes=1)


def test_status_where_nothing_was_exported(api: Client, export_dir: Path) -> None:
    answer = api.get("/api/v1/status/")
    body = answer.json()
    assert answer.status_code == 200
    assert body["generation"] is None
    assert body["stale"] is True
    assert body["last_scan"] is None
    assert body["documents"] == {}
    assert set(body["ages"].values()) == {None}


def test_real_markets_carry_no_banner(api: Client, settings: Any, tmp_path: Path) -> None:
    settings.MARKET_FOLDER = type(settings.MARKET_FOLDER)(tmp_path, "yahoo")
    body = api.get("/api/v1/status/").json()
    assert (body["banner"], body["demo"], body["market"]) == (None, False, "live")
