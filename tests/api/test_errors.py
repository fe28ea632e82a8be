"""Every error has one shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

SHAPE = ["code", "message", "field", "help"]


@pytest.mark.parametrize(
    ("method", "address", "status", "code"),
    [
        ("get", "/api/v1/nosuch/", 404, "not_found"),
        ("post", "/api/v1/nosuch/", 404, "not_found"),
        ("get", "/api/v2/alerts/", 404, "not_found"),
        ("get", "/api/v1/alerts/nosuch/", 404, "not_found"),
        ("get", "/api/v1/alerts/?x=1", 400, "bad_parameter"),
        ("delete", "/api/v1/alerts/", 405, "method_not_allowed"),
        ("put", "/api/v1/scans/", 405, "method_not_allowed"),
        ("post", "/api/v1/scans/", 403, "not_authenticated"),
        ("get", "/api/v1/alerts/?generation=20200101T000000Z-000000", 410, "generation_gone"),
    ],
)
def test_shape(api: Client, market: Any, settings: Any, method: str, address: str, status: int, code: str) -> None:
    settings.OPTSITE = settings.OPTSITE.model_copy(update={"api_public": True})
    answer = getattr(api, method)(address)
    body = answer.json()
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    assert list(body) == SHAPE
    assert body["code"] == code
    assert body["message"]
    assert body["help"]


def test_not_acceptable(api: Client, market: Any) -> None:
    answer = api.get("/api/v1/alerts/", headers={"accept": "image/png"})
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")


def test_unknown_media_type(staff: Client, market: Any) -> None:
    csrf = staff.get("/api/v1/scans/", headers={"accept": "text/html"}).cookies["csrftoken"].value
    answer = staff.post("/api/v1/scans/", b"x", content_type="text/csv", headers={"X-CSRFToken": csrf})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert list(answer.json()) == SHAPE


def test_a_body_that_is_no_json(staff: Client, market: Any) -> None:
    csrf = staff.get("/api/v1/scans/", headers={"accept": "text/html"}).cookies["csrftoken"].value
    answer = staff.post("/api/v1/scans/", b"{", content_type="application/json", headers={"X-CSRFToken": csrf})
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


def test_a_failing_view_says_nothing_of_its_inside(
    api: Client, market: Any, export_dir: Path, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.MARKET_FOLDER = None
    answer = api.get("/api/v1/status/")
    assert answer.status_code == 500
    assert answer.json()["code"] == "error"
    assert "NoneType" not in answer.content.decode()
    assert "NoneType" in caplog.text


def test_a_host_that_is_not_served(market: Any) -> None:
    answer = Client(headers={"host": "elsewhere.example"}).get("/api/v1/alerts/")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_an_address_without_its_last_slash(api: Client, market: Any) -> None:
    answer = api.get("/api/v1/alerts?limit=3")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/api/v1/alerts/?limit=3")
    answer = api.post("/api/v1/scans")
    assert answer.status_code == 404
    assert "/api/v1/scans/" in answer.json()["help"]


@pytest.mark.parametrize("debug", [True, False])
def test_debug_changes_no_answer(api: Client, market: Any, settings: Any, debug: bool) -> None:
    settings.DEBUG = debug
    answer = api.get("/api/v1/nosuch/")
    assert (answer.status_code, list(answer.json())) == (404, SHAPE)
