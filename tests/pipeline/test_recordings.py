"""Real recordings through the scan command: from a folder to the published documents, exit code included."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings

from collector.models import OutboxMessage
from collector.store.database import open_store
from exports.folders import MarketFolder
from exports.reader import ExportReader
from exports.verification import verify

pytestmark = [pytest.mark.recordings, pytest.mark.django_db]

DARK = ("2026-03-25T12:30", "2026-03-30T13:36", "2026-03-30T13:57")
DARK_FILES = ("2026-03-25T0830", "2026-03-30T0936", "2026-03-30T0957")
# Yahoo's quotes return contract by contract: the forwards of NVDA's strikes, call against put, are 44 cents apart.
COMING_BACK = "2026-03-30T14:03"
THE_25TH = datetime(2026, 3, 25, 16, 1, tzinfo=UTC)
# Quotes are 15 minutes old.
DECIDED = "2026-03-25T15:46:00Z"
AFTER_THE_OPEN = (datetime(2026, 3, 30, 14, 3, tzinfo=UTC), datetime(2026, 3, 30, 14, 8, tzinfo=UTC))
LIVE_TICKERS = {"SPY", "QQQ", "TSLA"}


@pytest.fixture
def folder(data_dir: Path) -> Iterator[MarketFolder]:
    made = MarketFolder(data_dir, "recorded")
    with override_settings(MARKET_FOLDER=made):
        yield made


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


def query(folder: MarketFolder, text: str, *values: Any) -> list[Any]:
    with open_store(folder, "test") as connection:
        return connection.execute(text, list(values)).fetchall()


def test_bodies_of_before_the_open_are_published_as_unusable(folder: MarketFolder, shared_data: Path) -> None:
    result = scan(shared_data / "yahoo")
    assert result["exit_code"] == 0
    (row,) = result["scans"]
    assert row["tickers"]["ok"] == ["AAPL", "ABBV", "AMZN", "EBAY", "EPAC", "GOOG", "PYPL", "QQQ", "SPOT"]
    told = {one["ticker"]: one["reason"] for one in row["tickers"]["skipped"]}
    assert told == {"ADH": "no_options", "BTC-USD": "no_options", "NVDA": "bars_only", "TSLA": "bars_only"}
    assert (row["tickers"]["failed"], row["status"], row["new_alerts"]) == ([], "ok", 0)
    chains = {chain["ticker"]: chain["quality"] for chain in document(folder, "chains")}
    assert set(chains) == set(row["tickers"]["ok"])
    for ticker, quality in chains.items():
        assert quality["grade"] == "F", ticker
        expected = "too_few_contracts" if ticker == "EPAC" else "no_two_sided_quotes"
        assert expected in quality["reasons"], ticker
    assert document(folder, "alerts") == []
    assert {feature["ticker"] for feature in document(folder, "features")} == set(chains)
    # NVDA and TSLA are bars alone.
    assert query(folder, "SELECT ticker FROM bars GROUP BY ticker ORDER BY ticker") == [("NVDA",), ("TSLA",)]
    assert query(folder, "SELECT count(*) FROM chains WHERE ticker IN ('NVDA', 'TSLA', 'ADH', 'BTC-USD')") == [(0,)]
    # Expirations that are listed and not held are told apart from missing ones.
    coverage = {one["ticker"]: one for one in row["coverage"]}
    listed = json.loads((shared_data / "yahoo" / "options-AAPL.json").read_text())["optionChain"]["result"][0]
    assert len(coverage["AAPL"]["not_recorded"]) == len(listed["expirationDates"]) - 1
    assert coverage["AAPL"]["missing"] == []
    assert verify(folder, deep=True).findings == []


@pytest.fixture(scope="module")
def moments(shared_data: Path) -> dict[datetime, list[dict[str, str]]]:
    """Return the rows of each frame file by its moment, read by csv alone, in time order."""
    files = {}
    for file in (shared_data / "yfinance").iterdir():
        with file.open(newline="") as opened:
            files[datetime.strptime(file.stem, "%Y-%m-%dT%H%M%z").astimezone(UTC)] = list(csv.DictReader(opened))
    return dict(sorted(files.items()))


@pytest.fixture(scope="module")
def each(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any
) -> Any:
    """Scan all moments once; return the folder, the command's answer, and how many messages came of it."""
    folder = MarketFolder(tmp_path_factory.mktemp("data"), "recorded")
    with django_db_blocker.unblock(), override_settings(MARKET_FOLDER=folder), transaction.atomic():
        result = scan(shared_data / "yfinance", "--each")
        messages = OutboxMessage.objects.filter(market="recorded").count()
        transaction.set_rollback(True)
    return folder, result, messages


def by_moment(each: Any, moments: dict[datetime, Any]) -> dict[datetime, dict[str, Any]]:
    return dict(zip(moments, each[1]["scans"], strict=True))


def test_each_moment_is_one_scan_in_order(each: Any, moments: dict[datetime, list[dict[str, str]]]) -> None:
    folder, result, _ = each
    assert (result["exit_code"], len(result["scans"])) == (0, 21)
    stamps = query(
        folder,
        "SELECT epoch_us(max(c.recorded_at)) FROM chains c JOIN scans s USING (scan_id) "
        "GROUP BY s.store_revision ORDER BY s.store_revision",
    )
    assert [stamp for (stamp,) in stamps] == [int(moment.timestamp() * 1_000_000) for moment in moments]
    for scan, rows in zip(result["scans"], moments.values(), strict=True):
        assert set(scan["tickers"]["ok"]) == {row["ticker"] for row in rows}
        assert scan["status"] == "ok"


def test_live_chains_of_a_week_and_more_are_a_or_b_and_dark_ones_f(
    each: Any, moments: dict[datetime, list[dict[str, str]]]
) -> None:
    folder = each[0]
    live = 0
    for moment, scan in by_moment(each, moments).items():
        dark = f"{moment:%Y-%m-%dT%H:%M}" in DARK
        grades = query(folder, "SELECT ticker, dte, grade FROM chains WHERE scan_id = ?", scan["id"])
        assert grades
        if dark:
            assert {grade for _, _, grade in grades} == {"F"}, moment
            continue
        live += 1
        fit = {grade for _, dte, grade in grades if dte >= 7}
        allowed = {"A", "B", "C"} if f"{moment:%Y-%m-%dT%H:%M}" == COMING_BACK else {"A", "B"}
        assert fit <= allowed, moment
        tickers = LIVE_TICKERS | ({"NVDA"} if moment >= datetime(2026, 3, 23, tzinfo=UTC) else set())
        assert {ticker for ticker, dte, _ in grades if dte >= 7} == tickers, moment
    assert live == 18


def test_nine_unexpired_expirations_are_absent_on_the_18th_and_expired_ones_are_not_missed(
    each: Any, moments: dict[datetime, list[dict[str, str]]]
) -> None:
    scans = list(by_moment(each, moments).items())
    expected: dict[str, set[str]] = {}
    for number, (moment, scan) in enumerate(scans):
        today = f"{moment:%Y-%m-%d}"
        rows = moments[moment]
        now = {(row["ticker"], row["expiration"]) for row in rows}
        missing = {(one["ticker"], day) for one in scan["coverage"] for day in one["missing"]}
        # Of what each ticker's last file held; on its own day an expiration lives until the close at 20:00 UTC.
        gone = {pair for pair in _last_held(expected, now) if pair not in now}
        closed = moment.hour >= 20
        assert missing == {(t, day) for t, day in gone if day > today or (day == today and not closed)}, moment
        if number == 1:
            assert today == "2026-03-18"
            assert len(missing) == 9
        for ticker in {ticker for ticker, _ in now}:
            expected[ticker] = {day for name, day in now if name == ticker and (day > today or not closed)}


def _last_held(held: dict[str, set[str]], now: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return {(ticker, day) for ticker in {ticker for ticker, _ in now} for day in held.get(ticker, set())}


def test_dark_files_raise_no_alert_nor_does_the_return_of_the_quotes(
    each: Any, moments: dict[datetime, list[dict[str, str]]]
) -> None:
    folder, _, messages = each
    new = {moment: scan["new_alerts"] for moment, scan in by_moment(each, moments).items()}
    quiet = [moment for moment in new if f"{moment:%Y-%m-%dT%H:%M}" in (*DARK, "2026-03-30T14:03")]
    assert [new[moment] for moment in quiet] == [0, 0, 0, 0]
    assert sum(new.values()) > 0
    begun = query(folder, "SELECT count(*) FROM alert_events WHERE kind = 'new'")[0][0]
    told = query(folder, "SELECT count(*) FROM alert_events WHERE kind IN ('new', 'ended', 'digest', 'verdict')")[0][0]
    assert (begun, messages) == (sum(new.values()), told)


def listed(row: dict[str, str]) -> tuple[str, str, str, float]:
    """Return what tells a row's contract from others."""
    return row["ticker"], row["expiration"], row["type"], float(row["strike"])


def open_interest(rows: list[dict[str, str]]) -> dict[tuple[str, str, str, float], int]:
    """Return the open interest of a file by contract."""
    return {listed(row): int(float(row["openInterest"] or 0)) for row in rows}


def contract(alert: dict[str, Any]) -> tuple[str, str, str, float]:
    metrics = alert["metrics"]
    return alert["ticker"], metrics["expiration"], metrics["option_type"], metrics["strike"]


def test_the_alerts_of_the_24th_get_their_verdict_from_the_first_usable_chain_of_the_25th(
    each: Any, moments: dict[datetime, list[dict[str, str]]]
) -> None:
    begun = query(
        each[0], "SELECT DISTINCT alert_id FROM alert_events WHERE kind = 'new' AND market_date = DATE '2026-03-24'"
    )
    rows = query(
        each[0],
        "SELECT alert FROM alert_events WHERE kind = 'verdict' AND alert->>'session' = '2026-03-24' "
        "AND alert->>'detector' = 'unusual_activity'",
    )
    verdicts = [json.loads(alert) for (alert,) in rows]
    assert {alert["id"] for alert in verdicts} <= {alert_id for (alert_id,) in begun}
    assert len(verdicts) == len({alert["id"] for alert in verdicts}) > 20
    before = open_interest([row for moment in moments if moment.day == 24 for row in moments[moment]])
    after = open_interest(moments[THE_25TH])
    for alert in verdicts:
        verdict, key = alert["verdict"], contract(alert)
        assert (verdict["decided_at"], verdict["market_date"], verdict["reason"]) == (DECIDED, "2026-03-25", None)
        assert (verdict["open_interest_before"], verdict["open_interest_after"]) == (before[key], after[key])
        assert verdict["change"] == after[key] - before[key]
    assert {alert["verdict"]["verdict"] for alert in verdicts} >= {"opened", "mixed"}


def test_no_verdict_comes_before_the_next_session(each: Any) -> None:
    early = query(
        each[0],
        "SELECT count(*) FROM alert_events WHERE (alert->>'$.verdict.market_date') IS NOT NULL "
        "AND market_date <= CAST(alert->>'session' AS DATE)",
    )
    assert early == [(0,)]


def test_carried_volume_raises_nothing_when_the_quotes_come_back(
    each: Any, moments: dict[datetime, list[dict[str, str]]]
) -> None:
    changed: set[tuple[str, str, str, float]] = set()
    for moment in AFTER_THE_OPEN:
        changed |= {listed(row) for row in moments[moment] if float(row["change"] or 0) != 0}
    rows = query(
        each[0],
        "SELECT alert FROM alert_events WHERE kind IN ('new', 'ongoing') AND market_date = DATE '2026-03-30' "
        "AND alert->>'detector' = 'unusual_activity'",
    )
    assert rows
    assert {contract(json.loads(alert)) for (alert,) in rows} <= changed


def test_volume_that_another_session_left_is_marked_by_its_change(
    each: Any, moments: dict[datetime, list[dict[str, str]]]
) -> None:
    scans = by_moment(each, moments)
    moment, before = datetime(2026, 3, 30, 14, 3, tzinfo=UTC), datetime(2026, 3, 30, 13, 36, tzinfo=UTC)

    def key(row: dict[str, str]) -> tuple[str, str, str, float]:
        return row["ticker"], row["expiration"], row["type"], float(row["strike"])

    rows = [row for row in moments[moment] if float(row["volume"] or 0) > 0]
    assert len(rows) == 2770
    at_the_open = {key(row): (row["volume"], row["lastPrice"]) for row in moments[before]}
    # Since 09:36 nothing traded in these: what they show is of an earlier session.
    untraded = {key(row) for row in rows if at_the_open.get(key(row)) == (row["volume"], row["lastPrice"])}
    assert len(untraded) == 1598
    scan_id = scans[moment]["id"]
    flagged = {
        (ticker, str(day), kind, strike)
        for ticker, day, kind, strike in query(
            each[0],
            "SELECT ticker, expiration, option_type, strike FROM contracts "
            "WHERE scan_id = ? AND list_contains(flags, 'volume_carried')",
            scan_id,
        )
    }
    assert flagged >= untraded
    assert flagged == {key(row) for row in rows if float(row["change"]) == 0}


def test_the_published_chains_are_those_of_the_last_moment_that_held_them(
    each: Any, moments: dict[datetime, list[dict[str, str]]]
) -> None:
    folder = each[0]
    chains = document(folder, "chains")
    held = {(row["ticker"], row["expiration"]) for rows in list(moments.values())[-1:] for row in rows}
    served = {(chain["ticker"], chain["expiration"]): chain for chain in chains}
    assert held <= set(served)
    assert all(served[pair]["as_of"] == "2026-03-30T13:53:00Z" for pair in held)
    assert all(chain["expiration"] >= "2026-03-30" for chain in chains)
    assert {chain["quality"]["grade"] for chain in chains} <= set("ABCD")
    assert verify(folder, deep=True).findings == []


@pytest.mark.parametrize(
    ("stamp", "good"), [("2026-03-25T0830", "2026-03-24T20:00:00Z"), ("2026-03-30T0957", "2026-03-27")]
)
def test_after_a_dark_file_the_good_chains_are_served_with_the_newest_attempt(
    folder: MarketFolder, shared_data: Path, tmp_path: Path, stamp: str, good: str
) -> None:
    files = sorted(path for path in (shared_data / "yfinance").iterdir())
    last = next(number for number, path in enumerate(files) if path.name.startswith(stamp))
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    for path in files[max(0, last - 2) : last + 1]:
        shutil.copy(path, recordings)
    scans = scan(recordings, "--each")["scans"]
    assert len(scans) == 3
    dark = scans[-1]["id"]
    chains = document(folder, "chains")
    dark_files = [path for path in files if any(path.name.startswith(name) for name in DARK_FILES)]
    held = pairs(files[last])
    held_before = set().union(*(pairs(path) for path in files[last - 2 : last] if path not in dark_files))
    tried = {(chain["ticker"], chain["expiration"]): chain for chain in chains if chain["newest_attempt"]}
    assert set(tried) == held & held_before
    assert tried
    for chain in tried.values():
        assert chain["quality"]["grade"] in "ABCD"
        assert chain["as_of"].startswith(good)
        assert chain["newest_attempt"]["scan_id"] == dark
        assert chain["newest_attempt"]["grade"] == "F"
    # What was good before is served from before; what had never been good is served as it is.
    for chain in chains:
        if (chain["ticker"], chain["expiration"]) not in tried:
            assert chain["quality"]["grade"] == "F" or (chain["ticker"], chain["expiration"]) not in held


def pairs(path: Path) -> set[tuple[str, str]]:
    """Return ticker and expiration of each row of a frame file."""
    with path.open(newline="") as opened:
        return {(row["ticker"], row["expiration"]) for row in csv.DictReader(opened)}


def test_as_of_takes_each_tickers_newest_recording_up_to_it(folder: MarketFolder, shared_data: Path) -> None:
    result = scan(shared_data / "yfinance", "--as-of", "2026-03-20T12:00-04:00")
    (row,) = result["scans"]
    assert row["tickers"]["ok"] == ["QQQ", "SPY", "TSLA"]
    days = query(folder, "SELECT DISTINCT market_date FROM chains")
    assert days == [(date(2026, 3, 19),)]
