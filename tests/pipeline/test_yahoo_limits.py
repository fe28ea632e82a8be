"""What bounds a scan of a paying provider: calls, deadline, Ctrl-C, the slot, quotes that do not come yet."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.pipeline.scan_process import ScanProcess, reasons
from tests.pipeline.yahoo_market import ASKED, TICKERS, bodies, dark
from tests.providers.yahoo_server import CHART, OPTIONS, YahooServer
from tests.site.processes import wait_for

WHOLE = 6  # five expirations and the bars
CRUMB_CALL = 1


@pytest.fixture(scope="module")
def server() -> Iterator[YahooServer]:
    with YahooServer(bodies()) as running:
        yield running


@pytest.fixture(scope="module")
def child(server: YahooServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScanProcess]:
    with ScanProcess(tmp_path_factory.mktemp("limits") / "data", ASKED, server.url, TICKERS) as running:
        assert running.scan().code == 0
        yield running


@pytest.fixture
def scans(child: ScanProcess, server: YahooServer) -> Iterator[ScanProcess]:
    """The child, the server without a fault; nothing that a test does leaves a traceback."""
    server.faults.clear()
    yield child
    server.faults.clear()
    assert "Traceback" not in child.folder.log()


def hourly(scans: ScanProcess, left: int) -> dict[str, int]:
    """Return the setting that leaves so many calls of this hour."""
    return {"calls_per_hour": scans.folder.calls_counted() + left}


class TestBudget:
    def test_who_is_not_reached_is_skipped_and_served_first_next_time(
        self, scans: ScanProcess, server: YahooServer
    ) -> None:
        asked, spent = len(server.requests), scans.folder.calls_counted()
        # Two to begin with are set aside, as where no cookie is kept.
        ran = scans.scan(settings=hourly(scans, 2 + 2 * WHOLE))
        scan = scans.folder.newest_scan()
        assert (ran.code, scan["status"], scan["reason"]) == (5, "partial", "budget")
        served, left = scan["tickers"]["ok"], reasons(scan, "skipped")
        assert len(served) == 2
        assert left == dict.fromkeys(set(TICKERS) - set(served), "budget")
        assert scan["provider_calls"] == len(server.requests) - asked == CRUMB_CALL + 2 * WHOLE
        assert scans.folder.calls_counted() - spent == scan["provider_calls"]
        assert scans.scan(settings=hourly(scans, 2 + 2 * WHOLE)).code == 5
        assert scans.folder.newest_scan()["tickers"]["ok"] == sorted(left)

    def test_nothing_left_asks_nothing(self, scans: ScanProcess, server: YahooServer) -> None:
        asked = len(server.requests)
        ran = scans.scan(settings=hourly(scans, 0))
        scan = scans.folder.newest_scan()
        assert (ran.code, scan["status"], scan["reason"], scan["provider_calls"]) == (0, "skipped", "budget", 0)
        assert reasons(scan, "skipped") == dict.fromkeys(TICKERS, "budget")
        assert len(server.requests) == asked

    def test_the_last_call_is_the_last_though_yahoo_made_it_dear(self, scans: ScanProcess, server: YahooServer) -> None:
        asked = len(server.requests)
        # A refused crumb costs calls that no plan foresees; here two are refused, one after the other.
        server.fail("refuse", path=OPTIONS, times=1)
        server.fail("refuse", path=OPTIONS, skip=1, times=1)
        ran = scans.scan("--tickers", "ALDREN", settings=hourly(scans, 2 + WHOLE))
        scan = scans.folder.newest_scan()
        assert len(server.requests) - asked == scan["provider_calls"] == 2 + WHOLE
        assert (ran.code, scan["status"], scan["reason"]) == (5, "partial", "budget")
        assert 1 <= scan["chains"] < 5
        assert set(reasons(scan).values()) == {"budget"}
        assert len(reasons(scan)) == 5 - scan["chains"]


class TestDeadline:
    def test_a_ticker_under_way_keeps_what_it_has(self, scans: ScanProcess, server: YahooServer) -> None:
        server.fail("stall", path=f"{OPTIONS}ALDREN", skip=1, times=1)
        # A minute of the limit is kept for the join: this leaves a second.
        slow = {"connect": 0.5, "read": 1.0, "operation": 3.0}
        ran = scans.scan("--tickers", "ALDREN", timeouts=slow, time_limit=61.0)
        scan = scans.folder.newest_scan()
        assert (ran.code, scan["status"], scan["chains"]) == (5, "partial", 1)
        assert sorted(reasons(scan).values()) == ["deadline", "deadline", "deadline", "timed_out"]

    def test_past_it_nobody_is_asked(self, scans: ScanProcess, server: YahooServer) -> None:
        asked = len(server.requests)
        ran = scans.scan(time_limit=60.0)
        scan = scans.folder.newest_scan()
        assert (ran.code, scan["status"]) == (0, "skipped")
        assert reasons(scan, "skipped") == dict.fromkeys(TICKERS, "deadline")
        assert len(server.requests) == asked


def test_ctrl_c_ends_the_scan_after_the_requests_under_way(scans: ScanProcess, server: YahooServer) -> None:
    asked = len(server.requests)
    server.fail("stall", path=OPTIONS)
    scans.begin("scan", timeouts={"connect": 1.0, "read": 2.0, "operation": 5.0})
    wait_for(lambda: len(server.requests) - asked == CRUMB_CALL + 3, 20, "three workers asking")
    began = time.monotonic()
    scans.interrupt()
    ran = scans.end()
    assert time.monotonic() - began < 10
    assert ran.code == 130
    assert "Interrupted; what was collected is kept" in ran.output
    assert len(server.requests) - asked == CRUMB_CALL + 3
    server.faults.clear()
    again = scans.scan()
    assert (again.code, scans.folder.newest_scan()["tickers"]["ok"]) == (0, list(TICKERS))


class TestSchedule:
    """After the tests above, since the clock goes on: three slots of the day and its close."""

    def test_a_slot_asks_for_no_bars_and_runs_once(self, scans: ScanProcess, server: YahooServer) -> None:
        asked, slot = len(server.requests), datetime(2026, 1, 27, 18, 0, 20, tzinfo=UTC)
        ran = scans.scan("--scheduled", at=slot)
        scan = scans.folder.newest_scan()
        assert (ran.code, scan["kind"], scan["slot"], scan["status"]) == (0, "scheduled", "2026-01-27T18:00:00Z", "ok")
        made = server.paths()[asked:]
        assert len(made) == scan["provider_calls"] == CRUMB_CALL + 4 * 5
        assert not [path for path in made if path.startswith(CHART)]
        assert all(row["realised_volatility_20d"] > 0 for row in scans.folder.features().values())
        assert "is taken" in scans.scan("--scheduled", at=slot.replace(minute=5)).output
        assert len(server.requests) - asked == len(made)

    def test_it_spends_its_share_of_the_hour(self, scans: ScanProcess, server: YahooServer) -> None:
        asked = len(server.requests)
        ran = scans.scan(
            "--scheduled", at=datetime(2026, 1, 27, 18, 10, 20, tzinfo=UTC), settings={"calls_per_hour": 6 * 12}
        )
        scan = scans.folder.newest_scan()
        # A sixth of the hour's calls: two to begin with and two tickers of five.
        assert (ran.code, scan["reason"], len(scan["tickers"]["ok"])) == (5, "budget", 2)
        assert len(server.requests) - asked == scan["provider_calls"] == CRUMB_CALL + 2 * 5

    def test_two_tickers_without_quotes_end_it(self, scans: ScanProcess, server: YahooServer) -> None:
        asked, lit = len(server.requests), dict(server.bodies)
        server.bodies.update({ticker: dark(answer) for ticker, answer in lit.items()})
        try:
            ran = scans.scan("--scheduled", at=datetime(2026, 1, 27, 18, 20, 20, tzinfo=UTC))
        finally:
            server.bodies.update(lit)
        scan = scans.folder.newest_scan()
        assert (ran.code, scan["reason"], scan["grades"]) == (5, "no_quotes_yet", {"F": 10})
        assert list(reasons(scan, "skipped").values()) == ["no_quotes_yet", "no_quotes_yet"]
        assert len(server.requests) - asked == CRUMB_CALL + 2 * 5
        assert {chain["quality"]["grade"] for chain in scans.folder.chains().values()} == {"A"}

    def test_outside_the_session_nobody_is_asked(self, scans: ScanProcess, server: YahooServer) -> None:
        asked = len(server.requests)
        for moment, slot in (("scheduled", (21, 40)), ("close", (18, 20))):
            hour, minute = slot
            ran = scans.scan("--scheduled", moment, at=datetime(2026, 1, 27, hour, minute, 20, tzinfo=UTC))
            assert ran.code == 0
            found = [scan for scan in scans.folder.document("scans") if scan["status"] == "skipped" and scan["slot"]]
            reason = "closed" if moment == "scheduled" else "not_this_close"
            assert reason in {scan["reason"] for scan in found if scan["kind"] == moment}
        assert len(server.requests) == asked

    def test_the_close_scan_fetches_bars(self, scans: ScanProcess, server: YahooServer) -> None:
        asked = len(server.requests)
        ran = scans.scan("--scheduled", "close", at=datetime(2026, 1, 27, 21, 20, 15, tzinfo=UTC))
        scan = max(scans.folder.document("scans"), key=lambda row: (row["kind"] == "close", row["started_at"]))
        assert (ran.code, scan["kind"], scan["status"]) == (0, "close", "ok")
        assert scan["as_of"] == "2026-01-27T21:00:00Z"
        assert len([path for path in server.paths()[asked:] if path.startswith(CHART)]) == 4
        assert scan["provider_calls"] == len(server.requests) - asked == CRUMB_CALL + 4 * WHOLE
