"""The rules of every list: envelope, pages, one generation, empty where nothing is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.api.sample_market import alert, market_documents, publish_market

LISTS = [
    "/api/v1/alerts/",
    "/api/v1/alerts/latest/",
    "/api/v1/alerts/ticker/ZORA/",
    "/api/v1/chains/",
    "/api/v1/options/ZORA/expirations/",
    "/api/v1/scans/",
    "/api/v1/features/",
    "/api/v1/meta/",
]
ENVELOPE = ["count", "next", "previous", "export_timestamp", "generation", "provider", "stale", "results"]


@pytest.mark.parametrize("address", LISTS)
def test_envelope(api: Client, market: Any, address: str) -> None:
    answer = api.get(address)
    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert list(body) == ENVELOPE
    assert body["count"] >= len(body["results"]) > 0
    assert body["stale"] is False
    assert body["provider"] == "demo"
    assert body["generation"].endswith("-000001")


@pytest.mark.parametrize("address", LISTS)
def test_empty_where_nothing_was_exported(api: Client, export_dir: Path, address: str) -> None:
    answer = api.get(address)
    assert answer.status_code == 200
    assert answer.json() == {
        "count": 0,
        "next": None,
        "previous": None,
        "export_timestamp": None,
        "generation": None,
        "provider": "demo",
        "stale": True,
        "results": [],
    }


@pytest.mark.parametrize("address", LISTS)
def test_empty_where_the_documents_hold_nothing(api: Client, export_dir: Path, address: str) -> None:
    publish_market(export_dir, {})
    answer = api.get(address)
    assert (answer.status_code, answer.json()["count"], answer.json()["results"]) == (200, 0, [])
    assert answer.json()["generation"] is not None


def follow(api: Client, address: str) -> list[Any]:
    """Return the results of all pages, by ``next``."""
    results: list[Any] = []
    while address:
        body = api.get(address).json()
        results += body["results"]
        address = body["next"]
    return results


def test_pages_join_into_the_whole_list(api: Client, market: Any) -> None:
    whole = api.get("/api/v1/alerts/?limit=500").json()["results"]
    assert follow(api, "/api/v1/alerts/?limit=7") == whole
    assert len(whole) == 120


def test_previous_leads_back(api: Client, market: Any) -> None:
    first = api.get("/api/v1/alerts/?limit=40").json()
    second = api.get(first["next"]).json()
    back = api.get(second["previous"]).json()
    assert back["results"] == first["results"]
    assert first["previous"] is None


def test_next_keeps_the_filters(api: Client, market: Any) -> None:
    results = follow(api, "/api/v1/alerts/?ticker=SPX&min_score=50&limit=3")
    assert results
    assert all(record["ticker"] == "^SPX" and record["score"] >= 50 for record in results)


def test_page_two_is_of_the_generation_of_page_one(api: Client, market: Any, export_dir: Path) -> None:
    first = api.get("/api/v1/alerts/?limit=60").json()
    newer = market_documents()
    newer["alerts"] = [alert(number, "QUIL") for number in range(500, 510)]
    publish_market(export_dir, newer, revision=2)
    second = api.get(first["next"]).json()
    assert second["generation"] == first["generation"]
    assert [*first["results"], *second["results"]] == market["alerts"]
    assert api.get("/api/v1/alerts/").json()["count"] == 10


def test_a_page_of_a_generation_that_is_gone(api: Client, market: Any) -> None:
    answer = api.get("/api/v1/alerts/?generation=20200101T000000Z-000000")
    assert answer.status_code == 410
    assert answer.json()["code"] == "generation_gone"
    assert answer.json()["field"] == "generation"


def test_equal_keys_are_ordered_by_the_unique_one(api: Client, export_dir: Path) -> None:
    same = "2026-01-27T15:00:00Z"
    alerts = [alert(number, first_seen=same) for number in (3, 1, 2)]
    publish_market(export_dir, {"alerts": alerts})
    results = api.get("/api/v1/alerts/").json()["results"]
    assert [record["id"] for record in results] == ["alert00001", "alert00002", "alert00003"]


def test_stale_where_the_next_export_is_overdue(api: Client, export_dir: Path) -> None:
    publish_market(export_dir, market_documents(), now=datetime.now(UTC) - timedelta(hours=2))
    assert api.get("/api/v1/alerts/").json()["stale"] is True


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=ten", "limit"),
        ("offset=-1", "offset"),
        ("min_score=high", "min_score"),
        ("min_score=nan", "min_score"),
        ("min_score=1e400", "min_score"),
        ("min_score=1_0", "min_score"),
        ("min_score=%2050", "min_score"),
        ("ticker=not%20a%20ticker", "ticker"),
        ("generation=yesterday", "generation"),
        ("colour=red", "colour"),
        ("limit=5&limit=6", "limit"),
        ("format=xml", "format"),
    ],
)
def test_a_bad_parameter_is_named(api: Client, market: Any, query: str, field: str) -> None:
    answer = api.get(f"/api/v1/alerts/?{query}")
    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert answer.json()["code"] == "bad_parameter"
    assert answer.json()["help"]


def test_limit_500_is_the_most(api: Client, market: Any) -> None:
    assert len(api.get("/api/v1/alerts/?limit=500").json()["results"]) == 120
