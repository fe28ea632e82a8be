"""Tickers of every kind through a Yahoo scan: a share class, an index of two roots, none, euros, recorded answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.providers.demo import DemoProvider
from tests.pipeline.scan_process import DataFolder, ScanProcess, reasons
from tests.pipeline.yahoo_market import ASKED
from tests.providers.made_bodies import made_bodies, treasuries, with_further_dates
from tests.providers.yahoo_server import OPTIONS, RECORDED, TickerBodies, YahooServer, read_bodies
from tests.site.processes import ROOT

WATCHED = ("BRK.B", "SPX", "ZQXA", "ZQFND", "ZQEU", "ZQNONE")


@pytest.fixture(scope="module")
def server() -> Iterator[YahooServer]:
    with YahooServer(read_bodies(RECORDED)) as running:
        yield running


@pytest.fixture(scope="module")
def child(server: YahooServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScanProcess]:
    """A child that has scanned the watchlist once."""
    with ScanProcess(tmp_path_factory.mktemp("tickers") / "data", ASKED, server.url, WATCHED) as running:
        yield running


def test_each_kind_of_ticker_has_its_outcome(child: ScanProcess, server: YahooServer) -> None:
    ran = child.scan()
    scan = child.folder.newest_scan()
    assert (ran.code, scan["status"]) == (5, "partial")
    assert scan["tickers"]["ok"] == ["BRK-B", "ZQXA", "^SPX"]
    assert reasons(scan) == {"ZQEU": "not_usd", "ZQNONE": "not_found"}
    assert reasons(scan, "skipped") == {"ZQFND": "no_options"}
    assert "ZQNONE: not_found (" in ran.output
    assert f"{OPTIONS}^SPX" in server.paths()
    assert f"{OPTIONS}BRK-B" in server.paths()
    assert scan["provider_calls"] == len(server.requests)


def test_an_index_has_a_chain_a_root(child: ScanProcess) -> None:
    chains = [chain for key, chain in child.folder.chains().items() if key[0] == "^SPX"]
    assert [(c["root"], c["settlement"], c["exercise_style"]) for c in chains] == [
        ("SPX", "AM", "european"),
        ("SPXW", "PM", "european"),
    ]
    assert len({chain["expiration"] for chain in chains}) == 1
    assert {row["root"] for key, row in child.folder.chains().items() if key[0] == "BRK-B"} == {"BRKB"}


def test_adjusted_contracts_are_a_chain_in_quarantine(child: ScanProcess) -> None:
    adjusted = [c for c in child.folder.chains().values() for row in c["calls"] + c["puts"] if row["adjusted"]]
    assert {chain["root"] for chain in adjusted} == {"ZQXA1"}
    assert all(chain["quality"]["grade"] == "F" for chain in adjusted)
    assert all("no_contracts" in chain["quality"]["reasons"] for chain in adjusted)


def test_what_yahoo_refuses_for_good_is_set_aside(child: ScanProcess, server: YahooServer) -> None:
    asked = len(server.requests)
    ran = child.scan()
    scan = child.folder.newest_scan()
    assert (ran.code, sorted(scan["tickers"]["requested"])) == (0, ["BRK-B", "ZQXA", "^SPX"])
    made = server.paths()[asked:]
    assert not [path for path in made if path.rsplit("/", 1)[1] in ("ZQFND", "ZQEU", "ZQNONE")]
    # Asked for by name it is asked, and where it is served it is watched again.
    server.bodies["ZQFND"] = renamed(server.bodies["ZQDK"], "ZQDK", "ZQFND")
    assert child.scan("--tickers", "ZQFND").code == 0
    assert "ZQFND" in child.folder.features()
    assert child.scan().code == 0
    assert "ZQFND" in child.folder.newest_scan()["tickers"]["requested"]


def test_a_ticker_that_was_served_is_not_set_aside_by_a_fault(child: ScanProcess, server: YahooServer) -> None:
    server.fail("nothing", path=f"{OPTIONS}BRK-B")
    try:
        ran = child.scan()
    finally:
        server.faults.clear()
    assert (ran.code, reasons(child.folder.newest_scan())) == (5, {"BRK-B": "not_found"})
    assert child.scan().code == 0
    assert "BRK-B" in child.folder.newest_scan()["tickers"]["ok"]


def renamed(answer: TickerBodies, old: str, new: str) -> TickerBodies:
    """Return an answer's first body for another ticker."""
    return TickerBodies(json.loads(json.dumps(answer.first).replace(old, new)))


@pytest.mark.recordings
def test_a_recorded_answer_with_further_dates(child: ScanProcess, server: YahooServer, shared_data: Path) -> None:
    """AAPL as recorded before an open, when Yahoo serves no quotes; its further dates are made, with quotes."""
    recorded = read_bodies(shared_data / "yahoo")["AAPL"]
    result = recorded.first["optionChain"]["result"][0]  # type: ignore[index]
    before_open = datetime.fromtimestamp(result["quote"]["preMarketTime"], tz=UTC)
    demo = DemoProvider(before_open)
    nearest = datetime.fromtimestamp(min(result["expirationDates"]), tz=UTC).date()
    further = [day for day in demo.expirations("CINDRA") if day > nearest][:3]
    first = json.loads(json.dumps(recorded.first))
    first["optionChain"]["result"][0]["expirationDates"] = result["expirationDates"][:1]
    server.bodies["AAPL"] = with_further_dates(first, demo, "CINDRA", further)
    asked = len(server.requests)
    ran = child.scan("--tickers", "AAPL", at=before_open)
    scan = min(child.folder.document("scans"), key=lambda row: row["started_at"])
    assert (ran.code, scan["status"], scan["tickers"]["ok"]) == (0, "ok", ["AAPL"])
    assert "AAPL: recorded, and not exported, since not on the watchlist" in ran.output
    assert (scan["grades"]["F"], scan["chains"]) == (1, 4)
    assert scan["provider_calls"] == len(server.requests) - asked
    # Before the open the quotes stand for the close before.
    assert scan["as_of"] == "2025-02-21T21:00:00Z"


class TestWholeProcesses:
    """manage.py itself, on the machine's own clock."""

    def scan(self, data: Path, url: str, *arguments: str) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "OPTSITE_DATA_DIR": str(data),
            "OPTSITE_YAHOO_URL": url,
            "OPTSITE_WATCHLIST": "BRAMLO",
        }
        return subprocess.Popen(
            [sys.executable, "manage.py", "scan", "--provider", "yahoo", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def test_a_scan_and_one_that_reaches_nobody(self, tmp_path: Path) -> None:
        asked_at = datetime.now(UTC)
        # What expires within days may have settled by the exchange's calendar and not by the demo's.
        answers = made_bodies(DemoProvider(asked_at - timedelta(minutes=15)), ["BRAMLO"], most=8, first=3)
        answers |= treasuries(asked_at.date())
        with YahooServer(answers) as server:
            good = self.scan(tmp_path / "data", server.url)
            printed, _ = good.communicate(timeout=90)
            assert good.returncode == 0, printed
            assert len(server.requests) == 2 + 5 + 1 + 2
        folder = DataFolder(tmp_path / "data")
        chains, scan = folder.chains(), folder.newest_scan()
        assert (scan["chains"], scan["provider_calls"], len(chains)) == (5, 10, 5)
        assert abs(datetime.fromisoformat(scan["started_at"]) - asked_at) < timedelta(minutes=2)
        bad = self.scan(tmp_path / "data", server.url)
        printed, _ = bad.communicate(timeout=90)
        assert bad.returncode == 3, printed
        assert "BRAMLO: unreachable (Yahoo can't be reached" in printed
        assert "Traceback" not in printed + folder.log()
        assert folder.chains() == chains

    def test_another_machine_in_yahoos_place_is_refused(self, tmp_path: Path) -> None:
        refused = self.scan(tmp_path / "data", "http://192.0.2.7:80")
        printed, _ = refused.communicate(timeout=90)
        assert refused.returncode == 2
        assert "it stands in for Yahoo in tests and takes a server on this machine only" in printed
        assert "Traceback" not in printed
