"""Cboe's tables through the scan command to the published documents: whose numbers, of which moment."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from collector.store.database import open_store
from exports.folders import MarketFolder
from exports.reader import ExportReader
from exports.verification import verify
from tests.providers.cboe_files import strike_row, write_table
from tests.providers.recorded_files import chart_body, frame_row, write_body, write_frame

pytestmark = pytest.mark.django_db

MADE = Path(__file__).parents[1] / "recorded" / "cboe"


@pytest.fixture
def folder(data_dir: Path) -> Iterator[MarketFolder]:
    made = MarketFolder(data_dir, "recorded")
    with override_settings(MARKET_FOLDER=made):
        yield made


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    made = tmp_path / "recordings"
    made.mkdir()
    return made


def scan(recordings: Path, *options: str) -> dict[str, Any]:
    """Run the command; return what it printed as JSON, or fail where its exit code is not 0."""
    printed = StringIO()
    call_command("scan", "--provider", "recorded", "--recordings", str(recordings), "--json", *options, stdout=printed)
    content: dict[str, Any] = json.loads(printed.getvalue())
    return content


def document(folder: MarketFolder, name: str) -> list[dict[str, Any]]:
    current = ExportReader(folder.export_dir).current()
    assert current is not None
    opened = current.document(name)
    assert opened is not None
    return [json.loads(record) for record in opened.records(range(opened.count))]


def test_the_documents_say_cboe_and_a_quarter_of_an_hour_before_the_header(folder: MarketFolder) -> None:
    result = scan(MADE)
    assert result["exit_code"] == 0
    assert any("'1/2/2026' may be two dates" in line for line in result["lines"])
    (row,) = document(folder, "scans")
    assert (row["provider"], row["feed"], row["tickers"]["ok"]) == ("recorded", "cboe", ["ZQXA", "^SPX"])
    chains = document(folder, "chains")
    assert {(chain["ticker"], chain["root"], chain["settlement"]) for chain in chains} == {
        ("ZQXA", "ZQXA", "PM"),
        ("ZQXA", "ZQXA1", "PM"),
        ("^SPX", "SPX", "AM"),
        ("^SPX", "SPXW", "PM"),
    }
    for chain in chains:
        assert (chain["provider"], chain["feed"]) == ("recorded", "cboe")
        # 10:45 in New York is 15:45 UTC; the table says when it was made, its quotes are 15 minutes older.
        assert (chain["quote_time"], chain["as_of"]) == ("2026-01-27T15:30:00Z", "2026-01-27T15:30:00Z")
        assert chain["underlying_time"] == "2026-01-27T15:45:00Z"
    assert {feature["feed"] for feature in document(folder, "features")} == {"cboe"}
    (spxw,) = [chain for chain in chains if chain["root"] == "SPXW"]
    call = next(one for one in spxw["calls"] if one["strike"] == 5900)
    assert (call["vendor_implied_volatility"], call["vendor_delta"], call["open_interest"]) == (0.16, 0.6809, 126)
    unsolved = next(
        one for chain in chains if chain["ticker"] == "ZQXA" for one in chain["calls"] if one["strike"] == 80
    )
    assert unsolved["vendor_implied_volatility"] is None
    assert verify(folder, deep=True).findings == []


def test_as_of_is_the_quotes_own_time_and_tickers_name_the_table(folder: MarketFolder) -> None:
    result = scan(MADE, "--as-of", "2026-01-27T10:07-05:00", "--tickers", "SPX")
    assert result["scans"][0]["tickers"]["ok"] == ["^SPX"]
    chains = document(folder, "chains")
    assert {(chain["ticker"], chain["quote_time"], chain["as_of"]) for chain in chains} == {
        ("^SPX", "2026-01-27T15:07:00Z", "2026-01-27T15:07:00Z")
    }


def test_a_table_that_states_no_time_asks_for_it_in_one_line(folder: MarketFolder, recordings: Path) -> None:
    shutil.copy(MADE / "zqxb-unreadable.csv", recordings)
    with pytest.raises(CommandError) as fault:
        scan(recordings)
    told = str(fault.value)
    assert "zqxb-unreadable.csv line 3: the table's time '1/2/2026, 10:45 AM EST' cannot be read" in told
    assert "--as-of" in told
    assert "\n" not in told
    assert scan(recordings, "--as-of", "2026-01-02T10:30-05:00")["scans"][0]["tickers"]["ok"] == ["ZQXB"]


def test_each_feed_in_a_mixed_folder_is_told_by_its_rows(folder: MarketFolder, recordings: Path) -> None:
    write_table(recordings, *(strike_row(strike, ticker="ZZTC") for strike in (45.0, 50.0, 55.0)))
    write_frame(recordings, frame_row())
    write_body(recordings, chart_body("ZZTC"), name="chart.json")
    scan(recordings)
    assert document(folder, "scans")[0]["feed"] == "cboe,yahoo"
    assert {(chain["ticker"], chain["feed"]) for chain in document(folder, "chains")} == {
        ("ZZTA", "yahoo"),
        ("ZZTC", "cboe"),
    }
    assert {(one["ticker"], one["feed"]) for one in document(folder, "features")} == {
        ("ZZTA", "yahoo"),
        ("ZZTC", "cboe"),
    }
    with open_store(folder, "test") as connection:
        contracts = connection.execute("SELECT DISTINCT ticker, feed, source FROM contracts ORDER BY ticker").fetchall()
        bars = connection.execute("SELECT DISTINCT ticker, source FROM bars").fetchall()
    assert contracts == [("ZZTA", "yahoo", "yahoo"), ("ZZTC", "cboe", "cboe")]
    assert bars == [("ZZTC", "yahoo")]


def test_a_broken_cell_is_counted_in_the_scan_and_told(folder: MarketFolder, recordings: Path) -> None:
    write_table(recordings, strike_row(45.0), strike_row(50.0, call_bid="x"), strike_row(55.0))
    result = scan(recordings)
    assert "zzta.csv line 6: Calls Bid 'x' is not a number; 1 contract left out" in result["lines"]
    assert document(folder, "scans")[0]["rejections"] == {"bad_cell": 1}
    (chain,) = document(folder, "chains")
    assert [one["strike"] for one in chain["calls"]] == [45, 55]
    assert [one["strike"] for one in chain["puts"]] == [45, 50, 55]


@pytest.mark.recordings
def test_real_tables_are_scanned_in_one_go(folder: MarketFolder, shared_data: Path) -> None:
    (row,) = scan(shared_data / "cboe")["scans"]
    assert row["tickers"]["ok"] == ["NVDA", "QQQ", "SPY", "TSLA", "^SPX", "^XSP"]
    assert (row["status"], row["feed"], row["contracts"], row["rejections"]) == ("ok", "cboe", 45_574, {"expired": 990})
    assert len(document(folder, "chains")) == row["chains"]


@pytest.mark.recordings
def test_each_moment_of_the_real_tables_is_a_scan(folder: MarketFolder, shared_data: Path) -> None:
    scans = scan(shared_data / "cboe", "--each")["scans"]
    assert [row["tickers"]["ok"] for row in scans] == [["^SPX"], ["QQQ"], ["^XSP"], ["SPY"], ["TSLA"], ["NVDA"]]
    assert len({chain["ticker"] for chain in document(folder, "chains")}) == 6
