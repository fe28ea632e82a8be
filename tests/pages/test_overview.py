from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from exports.live import write_live
from tests.api import launchers
from tests.api.sample_market import SCAN_ID, instant, market_documents, publish_market, scan

Documents = dict[str, list[dict[str, Any]]]


def text(client: Client, address: str = "/staff/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_root_leads_to_the_overview(api: Client) -> None:
    assert api.get("/").headers["Location"] == "/staff/"


@pytest.mark.parametrize("address", ["/staff/", "/staff/ticker/ZORA/"])
def test_pages_ask_for_a_login(api: Client, address: str) -> None:
    answer = api.get(address)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/admin/login/?next={address}"


def test_the_live_part_asks_for_staff(api: Client, market: Documents) -> None:
    assert api.get("/staff/live/").status_code == 403


def test_overview_shows_the_documents(staff: Client, market: Documents) -> None:
    page = text(staff)
    assert "invented tickers" in page
    for ticker in ("QUIL", "ZORA", "^SPX"):
        assert f'href="/staff/ticker/{ticker.replace("^", "%5E")}/"' in page
    assert "1000 contracts traded against an open interest of 100." in page
    assert SCAN_ID in page
    assert "2026-03-20" in page
    assert "-1.23 %" in page
    assert "Too few sessions of history." in page


def test_best_grade_and_the_grades_behind_it(staff: Client, export_dir: Path) -> None:
    documents = market_documents()
    for record, grade in zip(documents["chains"][3:], "BFB", strict=True):
        record["quality"] = record["quality"] | {"grade": grade}
    publish_market(export_dir, documents)
    page = text(staff)
    assert ">Best grade</th>" in page
    assert '<span class="quiet counts" title="Its chains by grade">2 B · 1 F</span>' in page
    assert ">2 A</span>" in page
    assert ">1 A</span>" in page


def tile(page: str) -> str:
    """Return the tile of the last scan."""
    return page.split("Last watchlist scan</h2>", 1)[1].split("</div>", 1)[0]


def asked_for(*tickers: str) -> dict[str, Any]:
    return {"requested": list(tickers), "ok": [], "failed": [], "skipped": [], "not_recorded": []}


def test_a_scan_of_one_ticker_is_not_the_last_scan_of_the_watchlist(staff: Client, export_dir: Path) -> None:
    documents = market_documents()
    adhoc = scan("20260127T145930Z-ad0c00", 0, "failed", kind="manual", tickers=asked_for("AAPL"), reason="not_found")
    documents["scans"].insert(0, adhoc)
    publish_market(export_dir, documents)
    page = text(staff)
    assert "dot ok" in tile(page)
    assert f'href="/api/v1/scans/{SCAN_ID}/"' in page
    assert staff.get("/api/v1/status/").json()["last_scan"]["status"] == "failed"


def test_a_scan_by_hand_of_every_ticker_is(staff: Client, export_dir: Path) -> None:
    documents = market_documents()
    whole = asked_for("QUIL", "ZORA", "^SPX")
    by_hand = scan("20260127T145930Z-a11a11", 0, "partial", kind="request", tickers=whole, reason="budget")
    documents["scans"].insert(0, by_hand)
    publish_market(export_dir, documents)
    for page in (text(staff), text(staff, "/staff/live/")):
        assert "dot partial" in tile(page)
        assert "The calls that are left for this slot did not reach" in tile(page)


def test_a_partial_scan_has_a_badge_of_its_own_and_a_reason_in_words(
    staff: Client, market: Documents, export_dir: Path
) -> None:
    job = {"scan_id": "x", "kind": "manual", "state": "done", "tickers": [], "status": "partial", "detail": "not_found"}
    write_live(export_dir, {"jobs": [job, job | {"state": "failed", "status": "", "detail": "It was killed."}]})
    page = text(staff, "/staff/live/")
    assert '<span class="chip partial">partial</span>' in page
    assert "The provider does not know this ticker." in page
    assert '<span class="chip failed">failed</span>' in page
    assert "It was killed." in page


def test_overview_where_nothing_was_exported(staff: Client, export_dir: Path) -> None:
    page = text(staff)
    assert "Nothing is exported yet." in page
    assert "No scan of the watchlist has been exported yet." in page
    assert "Stale" in page


def test_a_real_market_has_no_banner(staff: Client, settings: Any, tmp_path: Path) -> None:
    settings.MARKET_FOLDER = type(settings.MARKET_FOLDER)(tmp_path, "yahoo")
    assert "invented tickers" not in text(staff)


def test_running_jobs_and_market_state(staff: Client, market: Documents, export_dir: Path) -> None:
    job = {
        "scan_id": "20260127T150500Z-abc123",
        "kind": "request",
        "state": "running",
        "tickers": ["ZORA"],
        "requested_at": instant(datetime.now(UTC)),
        "started_at": None,
        "finished_at": None,
        "phase": "collect",
        "done": 3,
        "total": 8,
        "current_ticker": "ZORA",
        "status": "",
        "detail": "",
    }
    state = {"state": "open", "session": "2026-01-27", "opens_at": None, "closes_at": "2026-01-27T21:00:00Z"}
    write_live(
        export_dir,
        {
            "jobs": [job],
            "market_state": state,
            "next_scan_at": "2026-01-27T15:10:00Z",
            "last_export_error": "disk full",
            "health": {"disk_free_bytes": 83_000_000_000, "heartbeat_at": instant(datetime.now(UTC))},
        },
    )
    page = text(staff, "/staff/live/")
    assert '<progress value="3" max="8">' in page
    assert "3/8 ZORA collect" in page
    assert "27 Jan 16:00 ET" in page
    assert "10:10 ET" in page
    assert "The last export failed: disk full" in page
    assert "83.0 GB" in page
    assert "Beating" in page


def test_a_new_generation_asks_for_the_page_anew(staff: Client, market: Documents, export_dir: Path) -> None:
    generation = staff.get("/api/v1/status/").json()["generation"]
    assert "HX-Refresh" not in staff.get("/staff/live/", {"generation": generation}).headers
    publish_market(export_dir, market_documents(), revision=2)
    assert staff.get("/staff/live/", {"generation": generation}).headers["HX-Refresh"] == "true"


def test_scan_now_queues_the_watchlist(staff_user: Any, market: Documents, settings: Any) -> None:
    settings.SCAN_LAUNCHER = "tests.api.launchers.record_launch"
    launchers.launched.clear()
    client = Client(headers={"host": "localhost"})
    client.force_login(staff_user)
    answer = client.post("/staff/scan/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/staff/")
    assert launchers.launched == [([], "mara")]
    assert "Scan 20260127T150500Z-abc123 is queued." in text(client)


def test_scan_now_while_another_waits_says_so(staff_user: Any, market: Documents, settings: Any) -> None:
    settings.SCAN_LAUNCHER = "tests.api.launchers.find_one_waiting"
    client = Client(headers={"host": "localhost"})
    client.force_login(staff_user)
    client.post("/staff/scan/")
    page = text(client)
    assert "Scan 20260127T150400Z-def456 waits already, of QUIL, ZORA." in page
    assert "is queued." not in page


def test_scan_now_needs_the_csrf_token_and_a_post(staff: Client, market: Documents, settings: Any) -> None:
    settings.SCAN_LAUNCHER = "tests.api.launchers.record_launch"
    launchers.launched.clear()
    assert staff.post("/staff/scan/").status_code == 403
    assert staff.get("/staff/scan/").status_code == 405
    assert launchers.launched == []


def test_budget(staff: Client, market: Documents, export_dir: Path) -> None:
    assert "this provider costs no calls" in text(staff, "/staff/live/")
    write_live(export_dir, {"budget": {"per_hour": 250, "used_hour": 41, "per_day": 2000, "used_day": 377}})
    page = text(staff, "/staff/live/")
    assert "41 <small>of 250</small>" in page
    assert "377 of 2000 today" in page


def test_a_live_market_without_a_stated_budget_is_not_called_free(staff: Client, settings: Any, tmp_path: Path) -> None:
    settings.MARKET_FOLDER = type(settings.MARKET_FOLDER)(tmp_path, "yahoo")
    page = text(staff, "/staff/live/")
    assert "not stated yet" in page
    assert "costs no calls" not in page
