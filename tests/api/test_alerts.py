from __future__ import annotations

from typing import Any

import orjson
import pytest
from django.test import Client

from tests.api.sample_market import SCAN_ID

Documents = dict[str, list[dict[str, Any]]]


def ids(answer: Any) -> list[str]:
    return [record["id"] for record in answer.json()["results"]]


def test_alerts_are_newest_first(api: Client, market: Documents) -> None:
    answer = api.get("/api/v1/alerts/")
    expected = sorted(market["alerts"], key=lambda alert: alert["first_seen"], reverse=True)
    assert answer.status_code == 200
    assert ids(answer) == [alert["id"] for alert in expected[:50]]
    assert answer.json()["count"] == 120


def test_results_are_the_documents_own_bytes(api: Client, market: Documents, export_dir: Any) -> None:
    lines = [line.rstrip(b",") for line in (export_dir / "alerts.json").read_bytes().splitlines()]
    answer = api.get("/api/v1/alerts/?limit=2&offset=3")
    results = answer.content.split(b'"results":[', 1)[1].removesuffix(b"]}").split(b",\n")
    assert len(results) == 2
    assert all(result in lines for result in results)
    assert orjson.loads(answer.content)["results"] == market["alerts"][3:5]


@pytest.mark.parametrize("spelling", ["^SPX", "SPX", "_SPX", "spx"])
def test_ticker_filter_takes_every_spelling(api: Client, market: Documents, spelling: str) -> None:
    answer = api.get("/api/v1/alerts/", {"ticker": spelling, "limit": 500})
    assert {record["ticker"] for record in answer.json()["results"]} == {"^SPX"}
    assert answer.json()["count"] == 40


def test_min_score_keeps_the_boundary(api: Client, market: Documents) -> None:
    answer = api.get("/api/v1/alerts/", {"min_score": "97", "limit": 500})
    expected = [alert["id"] for alert in market["alerts"] if alert["score"] >= 97]
    assert sorted(ids(answer)) == sorted(expected)
    assert len(expected) == 3


def test_latest_are_those_of_the_newest_scan_that_ran(api: Client, market: Documents) -> None:
    answer = api.get("/api/v1/alerts/latest/?limit=500")
    expected = [alert["id"] for alert in market["alerts"] if alert["last_scan_id"] == SCAN_ID]
    assert ids(answer) == expected
    assert len(expected) == 60


def test_alerts_of_a_ticker(api: Client, market: Documents) -> None:
    answer = api.get("/api/v1/alerts/ticker/quil/?limit=500")
    assert {record["ticker"] for record in answer.json()["results"]} == {"QUIL"}
    assert answer.json()["count"] == 40


def test_alerts_of_an_unknown_ticker_are_an_empty_list(api: Client, market: Documents) -> None:
    answer = api.get("/api/v1/alerts/ticker/NOSUCH/")
    assert (answer.status_code, answer.json()["count"], answer.json()["results"]) == (200, 0, [])


def test_one_alert(api: Client, market: Documents) -> None:
    answer = api.get("/api/v1/alerts/alert00042/")
    assert answer.status_code == 200
    assert answer.json() == market["alerts"][42]
    assert answer.headers["X-Provider"] == "demo"


def test_an_alert_that_no_document_names(api: Client, market: Documents) -> None:
    answer = api.get("/api/v1/alerts/nosuch/")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert "nosuch" in answer.json()["message"]
