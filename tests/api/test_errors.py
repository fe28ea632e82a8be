"""Every error has one shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from api.errors import exported

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
    assert (answer.status_code, answer.json()["code"]) == (400, "host_not_served")
    assert answer.json()["message"] == "This site does not answer to the host elsewhere.example."
    assert "OPTSITE_ALLOWED_HOSTS" in answer.json()["help"]


def test_who_may_not_is_told_of_login_and_token(api: Client, market: Any) -> None:
    help = api.post("/api/v1/scans/").json()["help"]
    assert "/admin/login/" in help
    assert "Authorization: Token" in help


@pytest.mark.parametrize(
    ("address", "message", "there"),
    [
        ("features/NOSUCH/latest/", "No features of NOSUCH are exported.", "Exported: QUIL, ZORA, ^SPX (3). "),
        ("features/QUIL/history/", "No history of QUIL is exported.", "Exported: ZORA (1). "),
        ("options/NOSUCH/snapshot/", "No chain of NOSUCH is exported.", "Exported: QUIL, ZORA, ^SPX (3). "),
        ("alerts/nosuch/", "No alert has the id nosuch.", "/api/v1/alerts/ lists what there is."),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(
    api: Client, market: Any, address: str, message: str, there: str
) -> None:
    answer = api.get(f"/api/v1/{address}")
    assert (answer.status_code, answer.json()["message"]) == (404, message)
    assert answer.json()["help"].startswith(there)


def test_where_nothing_is_exported_the_help_says_so(api: Client, export_dir: Path) -> None:
    help = api.get("/api/v1/options/ZORA/snapshot/").json()["help"]
    assert help.startswith("Nothing is exported yet; /api/v1/status/ shows what is queued or running.")


def test_a_long_list_is_cut_and_counted() -> None:
    assert exported(["B", "A", "B"]) == "Exported: A, B (2)."
    assert exported([f"T{number:02d}" for number in range(20)]).endswith("T10, T11, … (20).")


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
