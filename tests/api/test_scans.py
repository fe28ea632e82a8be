from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.test import Client

from exports.live import write_live
from tests.api import launchers
from tests.api.sample_market import CLOSED_SCAN_ID, SCAN_ID

Documents = dict[str, list[dict[str, Any]]]
JOB = {"scan_id": "20260127T150500Z-abc123", "kind": "request", "state": "running", "tickers": ["ZORA"], "status": ""}


@pytest.fixture
def launched(settings: Any) -> list[tuple[list[str], str]]:
    settings.SCAN_LAUNCHER = "tests.api.launchers.record_launch"
    launchers.launched.clear()
    return launchers.launched


def token(client: Client) -> str:
    """Return the CSRF token of a form that the site showed this client."""
    client.get("/admin/login/")
    page = client.get("/api/v1/scans/", headers={"accept": "text/html"})
    return str(page.cookies["csrftoken"].value)


def test_scans_newest_first(api: Client, market: Documents) -> None:
    assert api.get("/api/v1/scans/").json()["results"] == market["scans"]


def test_latest_scan(api: Client, market: Documents) -> None:
    assert api.get("/api/v1/scans/latest/").json()["id"] == CLOSED_SCAN_ID


def test_latest_scan_where_there_is_none(api: Client, export_dir: Path) -> None:
    answer = api.get("/api/v1/scans/latest/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_one_scan(api: Client, market: Documents) -> None:
    assert api.get(f"/api/v1/scans/{SCAN_ID}/").json() == market["scans"][1]


def test_a_scan_that_runs_is_shown_from_live_json(api: Client, market: Documents, export_dir: Path) -> None:
    assert api.get(f"/api/v1/scans/{JOB['scan_id']}/").status_code == 404
    write_live(export_dir, {"jobs": [JOB]})
    answer = api.get(f"/api/v1/scans/{JOB['scan_id']}/")
    assert answer.status_code == 200
    assert answer.json() == {**JOB, "id": JOB["scan_id"], "status": "running"}


def test_staff_ask_for_a_scan(staff: Client, market: Documents, launched: list[Any]) -> None:
    answer = staff.post(
        "/api/v1/scans/",
        {"tickers": ["spx", "zora", "ZORA"]},
        content_type="application/json",
        headers={"X-CSRFToken": token(staff)},
    )
    assert answer.status_code == 202
    assert launched == [(["^SPX", "ZORA"], "mara")]
    assert answer.json()["id"] == "20260127T150500Z-abc123"
    assert answer.json()["url"] == "http://localhost/api/v1/scans/20260127T150500Z-abc123/"
    assert answer.headers["Location"] == answer.json()["url"]
    assert (answer.json()["created"], answer.json()["help"]) == (True, None)


def test_a_request_while_another_waits_says_that_nothing_was_added(
    staff: Client, market: Documents, settings: Any
) -> None:
    settings.SCAN_LAUNCHER = "tests.api.launchers.find_one_waiting"
    headers = {"X-CSRFToken": token(staff)}
    answer = staff.post("/api/v1/scans/", {"tickers": ["SPX"]}, content_type="application/json", headers=headers)
    assert answer.status_code == 202
    body = answer.json()
    assert (body["id"], body["created"], body["tickers"]) == ("20260127T150400Z-def456", False, ["QUIL", "ZORA"])
    assert body["help"] == (
        "Scan 20260127T150400Z-def456 waits already, of QUIL, ZORA. One scan waits at a time: ask again once it runs."
    )


def test_the_browsable_form_asks_for_a_scan(staff: Client, market: Documents, launched: list[Any]) -> None:
    csrf = token(staff)
    page = staff.get("/api/v1/scans/", headers={"accept": "text/html"}).content.decode()
    assert 'name="tickers"' in page
    answer = staff.post(
        "/api/v1/scans/", {"tickers": "QUIL, zora", "csrfmiddlewaretoken": csrf}, headers={"accept": "text/html"}
    )
    assert answer.status_code == 202
    assert launched == [(["QUIL", "ZORA"], "mara")]


def test_the_raw_form_holds_a_body_that_can_be_sent(staff: Client, market: Documents, launched: list[Any]) -> None:
    csrf = token(staff)
    page = staff.get("/api/v1/scans/", headers={"accept": "text/html"}).content.decode()
    area = page.split('name="_content"', 1)[1].split(">", 1)[1].split("</textarea>", 1)[0]
    body = orjson.loads(unescape(area))
    assert body == {"tickers": ["QUIL"]}
    answer = staff.post("/api/v1/scans/", body, content_type="application/json", headers={"X-CSRFToken": csrf})
    assert answer.status_code == 202


def test_no_tickers_mean_the_watchlist(staff: Client, market: Documents, launched: list[Any]) -> None:
    csrf = token(staff)
    answer = staff.post("/api/v1/scans/", {}, content_type="application/json", headers={"X-CSRFToken": csrf})
    assert answer.status_code == 202
    assert launched == [([], "mara")]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"tickers": ["not a ticker!"]}, "tickers"),
        ({"tickers": 7}, "tickers"),
        ({"tickers": [7]}, "tickers"),
        ({"tickers": [f"Z{number}" for number in range(501)]}, "tickers"),
        ({"ticker": "ZORA"}, "ticker"),
        (["ZORA"], None),
    ],
)
def test_a_bad_request_for_a_scan(
    staff: Client, market: Documents, launched: list[Any], body: Any, field: str | None
) -> None:
    csrf = token(staff)
    answer = staff.post("/api/v1/scans/", body, content_type="application/json", headers={"X-CSRFToken": csrf})
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert launched == []


def test_a_request_for_a_scan_takes_no_query(staff: Client, market: Documents, launched: list[Any]) -> None:
    headers = {"X-CSRFToken": token(staff)}
    answer = staff.post("/api/v1/scans/?tickers=ZORA", {}, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (400, "tickers")
    assert launched == []


def test_anonymous_may_not_ask_for_a_scan(api: Client, market: Documents, launched: list[Any]) -> None:
    answer = api.post("/api/v1/scans/", {"tickers": []}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_authenticated")
    assert launched == []


def test_a_session_without_csrf_token_may_not(staff: Client, market: Documents, launched: list[Any]) -> None:
    answer = staff.post("/api/v1/scans/", {"tickers": []}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert "CSRF" in answer.json()["message"]
    assert launched == []


def test_a_user_who_is_not_staff_may_not(
    staff: Client, staff_user: Any, market: Documents, launched: list[Any]
) -> None:
    csrf = token(staff)
    staff_user.is_staff = False
    staff_user.save()
    answer = staff.post("/api/v1/scans/", {}, content_type="application/json", headers={"X-CSRFToken": csrf})
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert launched == []
