"""`manage.py scan --provider yahoo` with the real yfinance, against a server on this machine that fails as Yahoo does.

One child process runs most of the scans, over one data folder, on the clock of a Tuesday in the session.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest

from collector.store.database import open_store
from tests.pipeline.scan_process import DataFolder, Ran, ScanProcess, reasons
from tests.pipeline.yahoo_market import ASKED, DIVIDEND, NOTED, TICKERS, bars, bodies, busiest, dark
from tests.providers.yahoo_server import CHART, CRUMB, OPTIONS, Kind, YahooServer

CHAINS = 5  # OPTSITE_MAX_EXPIRATIONS
WHOLE = CHAINS + 1  # with the bars
RATES = 2  # once a session
FRESH = 1  # the crumb; the cookie is kept in the data folder


@pytest.fixture(scope="module")
def server() -> Iterator[YahooServer]:
    with YahooServer(bodies()) as running:
        yield running


@pytest.fixture(scope="module")
def child(server: YahooServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScanProcess]:
    """A child whose data folder holds one whole scan, as ``first_scan`` left it."""
    with ScanProcess(tmp_path_factory.mktemp("yahoo") / "data", ASKED, server.url, TICKERS) as running:
        yield running


@pytest.fixture(scope="module")
def first_scan(child: ScanProcess, server: YahooServer) -> tuple[Ran, dict[str, Any], list[str]]:
    """The first scan: what it printed, its row, the requests that it made."""
    ran = child.scan()
    return ran, child.folder.newest_scan(), server.paths()


@pytest.fixture
def scans(child: ScanProcess, server: YahooServer, first_scan: object) -> Iterator[ScanProcess]:
    """The child after its first scan, the server without a fault; nothing that a test does leaves a traceback."""
    server.faults.clear()
    yield child
    server.faults.clear()
    assert "Traceback" not in child.folder.log()


class Unhurt:
    """What a faulty scan may not touch: the good chains of before and the alert that stands."""

    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self.chains = {key: (len(c["calls"]), len(c["puts"])) for key, c in folder.chains().items()}
        self.alerts = {alert["id"] for alert in folder.document("alerts")}

    def holds(self) -> bool:
        now = self.folder.chains()
        alerts = self.folder.document("alerts")
        return (
            {key: (len(c["calls"]), len(c["puts"])) for key, c in now.items()} == self.chains
            and {chain["quality"]["grade"] for chain in now.values()} == {"A"}
            and {alert["id"] for alert in alerts} == self.alerts
            and {alert["state"] for alert in alerts} <= {"new", "ongoing"}
        )


class TestWholeScan:
    def test_it_is_one_clear_line_and_every_request_is_counted(
        self, first_scan: tuple[Ran, dict[str, Any], list[str]]
    ) -> None:
        ran, scan, requests = first_scan
        assert ran.code == 0
        assert "ok: 4 of 4 tickers, 20 chains (A:20)" in ran.output
        assert (scan["status"], scan["reason"], scan["provider"], scan["feed"]) == ("ok", None, "yahoo", "yahoo")
        assert scan["provider_calls"] == len(requests) == 2 + RATES + len(TICKERS) * WHOLE
        assert requests[:2] == ["/", CRUMB]
        assert [requests.count(f"{CHART}{ticker}") for ticker in TICKERS] == [1, 1, 1, 1]
        assert [requests.count(f"{OPTIONS}{ticker}") for ticker in TICKERS] == [CHAINS] * 4

    def test_the_contracts_are_those_that_yahoo_stated(self, scans: ScanProcess, server: YahooServer) -> None:
        for (ticker, expiration, _), chain in scans.folder.chains().items():
            seconds = int(datetime.fromisoformat(f"{expiration}T00:00:00+00:00").timestamp())
            group = server.bodies[ticker].dated[seconds]["optionChain"]["result"][0]["options"][0]
            for side in ("calls", "puts"):
                stated = {row["contractSymbol"]: (row.get("bid"), row.get("ask")) for row in group[side]}
                assert {row["contract_symbol"]: (row["bid"], row["ask"]) for row in chain[side]} == stated

    def test_quotes_are_a_quarter_of_an_hour_old(self, scans: ScanProcess) -> None:
        for chain in scans.folder.chains().values():
            assert chain["as_of"] == chain["quote_time"]
            assert chain["quality"]["facts"]["quote_age_seconds"] == 900
            assert (chain["market_date"], chain["open_interest_date"]) == ("2026-01-27", "2026-01-26")

    def test_bars_earnings_and_dividends_reach_store_and_features(
        self, scans: ScanProcess, first_scan: tuple[Ran, dict[str, Any], list[str]]
    ) -> None:
        features = scans.folder.features()
        assert features[NOTED]["next_earnings_date"] == "2026-02-19"
        assert features[NOTED]["next_earnings_confirmed"] is False
        assert features["ALDREN"]["reasons"]["next_earnings_date"] == "no_event"
        assert all(features[ticker]["realised_volatility_20d"] > 0 for ticker in TICKERS)
        with open_store(scans.folder.market, "test") as connection:
            kept = connection.execute(
                "SELECT date, close, epoch(recorded_at) FROM bars WHERE ticker = ? ORDER BY date", [NOTED]
            ).fetchall()
            events = connection.execute(
                "SELECT DISTINCT kind, date, amount FROM events WHERE ticker = ? ORDER BY date", [NOTED]
            ).fetchall()
        assert [(day, close) for day, close, _ in kept] == [(bar.date, bar.close) for bar in bars(NOTED)]
        begun = datetime.fromisoformat(first_scan[1]["started_at"]).timestamp()
        assert all(begun <= recorded_at < begun + 60 for _, _, recorded_at in kept)
        assert events == [("dividend", *DIVIDEND), ("earnings", date(2026, 2, 19), None)]

    def test_the_trade_to_be_noticed_is_the_only_activity_alert(self, scans: ScanProcess, server: YahooServer) -> None:
        alerts = [one for one in scans.folder.document("alerts") if one["detector"] == "unusual_activity"]
        assert [alert["ticker"] for alert in alerts] == [NOTED]
        assert busiest(server.bodies[NOTED])["contractSymbol"] in alerts[0]["summary"] + str(alerts[0]["subject"])


class TestFaultOfAll:
    """Every options answer fails: exit 1, nothing joined but the row, the good chains of before still served."""

    @pytest.mark.parametrize(
        ("kind", "reason", "said", "requests"),
        [
            ("refuse", "unauthorised", "Yahoo answered 401 for ALDREN: cookie or crumb refused", None),
            ("break", "bad_answer", "Yahoo answered 500 for ALDREN", FRESH + 4),
            ("stall", "timed_out", "Yahoo did not answer for ALDREN in time", FRESH + 4),
            ("html", "bad_answer", "Yahoo's answer for ALDREN can't be read", FRESH + 4),
            ("garble", "bad_answer", "Yahoo's answer for ALDREN can't be read", FRESH + 4),
            ("cut", "bad_answer", "Yahoo broke off its answer for ALDREN", FRESH + 4),
            # The first answer, once more since it may come next time, and the four that follow.
            ("empty", "empty_answer", "Yahoo answered without contracts for ALDREN's expiration", FRESH + 4 * 6),
            ("nothing", "not_found", "Yahoo answers nothing for ALDREN", FRESH + 4),
        ],
    )
    def test_of_the_options(
        self, scans: ScanProcess, server: YahooServer, kind: Kind, reason: str, said: str, requests: int | None
    ) -> None:
        before, asked, spent = Unhurt(scans.folder), len(server.requests), scans.folder.calls_counted()
        server.fail(kind, path=OPTIONS)
        ran = scans.scan()
        scan = scans.folder.newest_scan()
        assert ran.code == 1
        assert f"failed ({reason}): 0 of 4 tickers, 0 chains" in ran.output
        assert f"ALDREN: {reason} ({said}" in ran.output
        assert (scan["status"], scan["reason"]) == ("failed", reason)
        assert reasons(scan) == dict.fromkeys(TICKERS, reason)
        assert scan["provider_calls"] == len(server.requests) - asked == scans.folder.calls_counted() - spent
        assert requests in (None, scan["provider_calls"])
        assert before.holds()

    def test_a_429_stops_the_scan(self, scans: ScanProcess, server: YahooServer) -> None:
        before, asked = Unhurt(scans.folder), len(server.requests)
        server.fail("throttle", path=OPTIONS)
        ran = scans.scan()
        scan = scans.folder.newest_scan()
        assert (ran.code, scan["status"], scan["reason"]) == (1, "failed", "rate_limited")
        # Three workers were under way; the fourth ticker was never asked for.
        assert set(reasons(scan).values()) == {"rate_limited"}
        assert list(reasons(scan, "skipped").values()) == ["rate_limited"]
        assert scan["provider_calls"] == len(server.requests) - asked == FRESH + 3
        assert before.holds()

    def test_a_429_for_the_crumb_stops_it_before_any_quote(self, scans: ScanProcess, server: YahooServer) -> None:
        before, asked = Unhurt(scans.folder), len(server.requests)
        server.fail("throttle", path=CRUMB)
        assert scans.scan().code == 1
        assert scans.folder.newest_scan()["reason"] == "rate_limited"
        assert set(server.paths()[asked:]) == {CRUMB}
        assert before.holds()

    def test_a_server_that_hangs_throughout_is_given_up_in_time(self, scans: ScanProcess, server: YahooServer) -> None:
        before, began = Unhurt(scans.folder), time.monotonic()
        server.fail("stall")
        ran = scans.scan(timeouts={"connect": 0.2, "read": 0.2, "operation": 1.0})
        assert (ran.code, scans.folder.newest_scan()["reason"]) == (1, "timed_out")
        assert time.monotonic() - began < 15
        assert before.holds()

    def test_nobody_listens(self, scans: ScanProcess) -> None:
        before = Unhurt(scans.folder)
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
            ran = scans.scan(environment={"OPTSITE_YAHOO_URL": url})
        scan = scans.folder.newest_scan()
        assert (ran.code, scan["status"], scan["reason"]) == (3, "failed", "unreachable")
        assert "ALDREN: unreachable (Yahoo can't be reached" in ran.output
        assert reasons(scan) | reasons(scan, "skipped") == dict.fromkeys(TICKERS, "unreachable")
        assert before.holds()


class TestFaultOfSome:
    def test_a_ticker_that_fails_leaves_the_others_whole(self, scans: ScanProcess, server: YahooServer) -> None:
        before = Unhurt(scans.folder)
        server.fail("html", path=f"{OPTIONS}BRAMLO")
        ran = scans.scan()
        scan = scans.folder.newest_scan()
        assert (ran.code, scan["status"], scan["reason"]) == (5, "partial", "bad_answer")
        assert (scan["tickers"]["ok"], reasons(scan)) == (["ALDREN", "CINDRA", "ESKALO"], {"BRAMLO": "bad_answer"})
        assert scan["grades"] == {"A": 15}
        assert before.holds()

    def test_a_429_in_one_worker_stops_the_others_with_what_they_have(
        self, scans: ScanProcess, server: YahooServer
    ) -> None:
        assert scans.scan().code == 0
        before, asked = Unhurt(scans.folder), len(server.requests)
        # Each worker has a chain or two in hand when the sixth question for quotes is refused.
        server.fail("throttle", path=OPTIONS, skip=6)
        ran = scans.scan()
        scan = scans.folder.newest_scan()
        assert (ran.code, scan["status"], scan["reason"]) == (5, "partial", "rate_limited")
        assert 6 <= scan["chains"] <= 9
        assert set(reasons(scan).values()) == {"rate_limited"}
        assert list(reasons(scan, "skipped").values()) == ["rate_limited"]
        assert scan["provider_calls"] == len(server.requests) - asked <= FRESH + 6 + 3
        kept = {(row["ticker"], row["chains"]) for row in scan["coverage"]}
        missing = {row["ticker"]: len(row["missing"]) for row in scan["coverage"]}
        assert all(missing[ticker] == CHAINS - chains for ticker, chains in kept)
        assert before.holds()

    def test_an_expiration_that_fails_is_named_and_missed(self, scans: ScanProcess, server: YahooServer) -> None:
        assert scans.scan().code == 0
        before = Unhurt(scans.folder)
        server.fail("cut", path=f"{OPTIONS}ESKALO", skip=1, times=1)
        ran = scans.scan()
        scan = scans.folder.newest_scan()
        second = sorted(expiration for ticker, expiration, _ in scans.folder.chains() if ticker == "ESKALO")[1]
        assert (ran.code, scan["status"]) == (5, "partial")
        assert reasons(scan) == {f"ESKALO expiration {second}": "bad_answer"}
        assert [row["missing"] for row in scan["coverage"] if row["ticker"] == "ESKALO"] == [[second]]
        assert before.holds()

    def test_a_shrunken_list_is_reported_as_missing_expirations(self, scans: ScanProcess, server: YahooServer) -> None:
        assert scans.scan().code == 0
        before = Unhurt(scans.folder)
        server.fail("shrunken", path=OPTIONS)
        ran = scans.scan()
        scan = scans.folder.newest_scan()
        assert ran.code == 0
        assert "4 chains (A:4)" in ran.output
        assert "16 expirations absent against the last scan" in ran.output
        for row in scan["coverage"]:
            served = sorted(expiration for ticker, expiration, _ in before.chains if ticker == row["ticker"])
            assert row["missing"] == served[1:]
        assert before.holds()

    def test_expirations_that_are_listed_and_not_asked_for_are_not_missed(
        self, scans: ScanProcess, server: YahooServer
    ) -> None:
        assert scans.scan().code == 0
        assert scans.scan(settings={"max_expirations": 2}).code == 0
        scan = scans.folder.newest_scan()
        assert scan["chains"] == 8
        assert [row["missing"] for row in scan["coverage"]] == [[], [], [], []]

    @pytest.mark.parametrize("kind", ["html", "missing"])
    def test_without_new_bars_the_old_ones_serve(self, scans: ScanProcess, server: YahooServer, kind: Kind) -> None:
        before = scans.folder.features()
        server.fail(kind, path=CHART)
        assert scans.scan().code == 0
        now = scans.folder.features()
        for ticker in TICKERS:
            assert now[ticker]["scan_id"] != before[ticker]["scan_id"]
            assert now[ticker]["realised_volatility_20d"] == before[ticker]["realised_volatility_20d"]

    def test_a_429_for_bars_stops_the_scan_too(self, scans: ScanProcess, server: YahooServer) -> None:
        before = Unhurt(scans.folder)
        server.fail("throttle", path=CHART)
        ran = scans.scan()
        scan = scans.folder.newest_scan()
        assert (ran.code, scan["reason"]) == (5, "rate_limited")
        assert list(reasons(scan, "skipped").values()) == ["rate_limited"]
        assert before.holds()

    def test_dark_quotes_leave_the_good_chains_with_the_newest_attempt(
        self, scans: ScanProcess, server: YahooServer
    ) -> None:
        before, lit = Unhurt(scans.folder), server.bodies["ALDREN"]
        server.bodies["ALDREN"] = dark(lit)
        try:
            assert scans.scan("--tickers", "ALDREN").code == 0
        finally:
            server.bodies["ALDREN"] = lit
        scan = scans.folder.newest_scan()
        assert scan["grades"] == {"F": CHAINS}
        attempts = [c["newest_attempt"] for c in scans.folder.chains().values() if c["ticker"] == "ALDREN"]
        newest = [attempt for attempt in attempts if attempt and attempt["scan_id"] == scan["id"]]
        assert len(newest) == CHAINS
        assert {(attempt["grade"], *attempt["reasons"]) for attempt in newest} == {
            ("F", "no_two_sided_quotes", "open_interest_unknown")
        }
        assert before.holds()
