"""manage.py scan: bad orders, others at work, full and read-only disks, slots; a clear line and the right exit code."""

from __future__ import annotations

import contextlib
import errno
import json
import re
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from collector.detectors.registry import DETECTORS
from exports.folders import MarketFolder
from exports.reader import ExportReader
from tests.management.conftest import TICKERS, Desk, mounted
from tests.management.holders import held
from tests.pipeline import remains
from tests.pipeline.commands import finish, manage, start

DEMO = "collector.providers.demo.DemoProvider"
YAHOO = "collector.providers.yahoo.YahooProvider"
ASKED = ("quote", "expirations", "chain", "bars", "events")


def one_line(told: str) -> str:
    """Return the only line of an output."""
    (line,) = told.strip().splitlines()
    return line


def scans(folder: MarketFolder) -> list[dict[str, Any]]:
    """Return the published scans, newest first."""
    found: list[dict[str, Any]] = json.loads((folder.export_dir / "scans.json").read_bytes())["scans"]
    return found


# What is asked for


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--tickers", "A$L"), r"--tickers: 'A\$L' is not a ticker: write one such as AAPL"),
        (("--tickers", ","), r"--tickers: it names none"),
        (("--each",), r"--each go with --provider recorded"),
        (("--as-of", "2026-03-24T13:00-04:00"), r"--as-of and --each go with --provider recorded"),
        (("--provider", "recorded"), r"recorded needs --recordings DIR \(or OPTSITE_RECORDINGS\)"),
        (("--provider", "recorded", "--recordings", "/nowhere"), r"--recordings: /nowhere is no folder"),
        (("--provider", "recorded", "--recordings", "tests", "--as-of", "noon"), r"--as-of: 'noon' is no time with a"),
        (("--provider", "recorded", "--recordings", "templates"), r"templates holds no recording that can be read"),
        (("--request", "20260101T000000Z-abcdef"), r"--request: there is no scan 20260101T000000Z-abcdef"),
        (("--backfill", "5000"), r"--backfill: a number of sessions from 1 to 1000"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_bad_order_is_one_line_and_exit_2(arguments: tuple[str, ...], line: str, desk: Desk) -> None:
    ran = desk.run("scan", *arguments)
    assert ran.code == 2, ran.told
    assert re.search(line, one_line(ran.told)), ran.told
    assert len(desk.at_rest().scans) == 1


def test_a_backfill_is_the_demo_markets_alone(desk: Desk) -> None:
    ran = desk.run("scan", "--provider", "recorded", "--recordings", "tests/recorded/yahoo", "--backfill", "2")
    assert ran.code == 2
    assert "--backfill fills the demo market's past" in ran.told.strip().splitlines()[-1]


def test_an_unknown_provider_is_exit_2_and_names_those_there_are(desk: Desk) -> None:
    ran = desk.run("scan", "--provider", "reuters")
    assert ran.code == 2
    assert re.search(r"--provider: invalid choice: 'reuters' \(choose from .*yahoo", ran.told)


def test_an_unknown_ticker_is_named_beside_those_that_are_served(desk: Desk) -> None:
    ran = desk.run("scan", "--tickers", "ALDREN,NOSUCH")
    assert ran.code == 5
    assert "NOSUCH: not_found" in ran.output
    alone = desk.run("scan", "--tickers", "NOSUCH")
    assert alone.code == 1
    assert "NOSUCH: not_found (the demo market has no ticker 'NOSUCH'" in alone.output
    assert [scan["status"] for scan in scans(desk.folder)] == ["failed", "partial", "ok"]
    desk.at_rest()


def test_an_empty_watchlist_is_exit_2_with_the_remedy(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.folder.data_dir / "db.sqlite3")) as database, database:
        database.execute("DELETE FROM collector_watchedticker")
    ran = desk.run("scan")
    assert ran.code == 2
    assert "watchlist is empty" in one_line(ran.told)
    assert "OPTSITE_WATCHLIST" in ran.told
    assert remains.stagings(desk.folder) == []


def test_json_is_json_and_nothing_else(desk: Desk) -> None:
    ran = desk.run("scan", "--json")
    told = json.loads(ran.output)
    assert told["exit_code"] == ran.code == 0
    assert told["scans"][0]["tickers"]["ok"] == list(TICKERS)
    assert told["generation"] == ExportReader(desk.folder.export_dir).current().name  # type: ignore[union-attr]


def test_no_export_publishes_nothing_and_the_next_export_has_the_scan(desk: Desk) -> None:
    before = ExportReader(desk.folder.export_dir).current()
    assert desk.run("scan", "--no-export").code == 0
    after = ExportReader(desk.folder.export_dir).current()
    assert before is not None
    assert after is not None
    assert before.name == after.name
    assert desk.run("export").code == 0
    assert len(desk.at_rest().scans) == 2


def test_a_requested_scan_runs_once_however_often_it_is_ordered(desk: Desk) -> None:
    scan_id = "20260101T000000Z-abcdef"
    with closing(sqlite3.connect(desk.folder.data_dir / "db.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO collector_scanjob (market, scan_id, kind, state, tickers, requested_by, requested_at, phase, "
            "done, total, current_ticker, status, detail) VALUES "
            "('demo', ?, 'request', 'queued', '[\"DOVREK\"]', 'ann', '2026-01-01 00:00:00', '', 0, 0, '', '', '')",
            [scan_id],
        )
    first = desk.run("scan", "--request", scan_id)
    assert first.code == 0
    assert f"Scan {scan_id} ok: 1 of 1 tickers" in first.output
    again = desk.run("scan", "--request", scan_id)
    assert again.code == 0
    assert f"Scan {scan_id} ran already." in again.output
    assert desk.at_rest().scans[scan_id] == "ok"


# Configuration


def test_show_config_shows_the_levels_and_scans_nothing(desk: Desk) -> None:
    desk.levels.write_text(
        "[detectors.unusual_activity]\nmin_premium = 123456.0\ntickers.ALDREN.min_volume = 7\n"
        "[alerts]\nstorm = 3\n"
        "[[rules]]\nname = 'High IV'\ncondition = 'iv_rank > 80'\n"
        "[[events]]\nkind = 'fomc'\ndate = 2026-12-09\nsource = 'a test'\n"
    )
    ran = desk.run("scan", "--show-config")
    assert ran.code == 0
    shown = json.loads(ran.output)
    assert shown["detectors"]["unusual_activity"]["tickers"]["ALDREN"]["min_volume"] == 7
    assert shown["alerts"]["storm"] == 3
    assert [(rule["name"], rule["condition"]) for rule in shown["rules"]] == [("High IV", "iv_rank > 80")]
    assert [event["kind"] for event in shown["events"]] == ["fomc"]
    assert set(shown["detectors"]) == {detector.name for detector in DETECTORS}
    assert shown["detectors"]["unusual_activity"]["min_premium"] == 123456.0
    assert shown["detectors"]["unusual_activity"]["min_volume"] == 500
    assert len(desk.at_rest().scans) == 1


@pytest.mark.parametrize("command", ["scan", "scan --show-config", "export"])
@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[detectors.unusual_activity]\nmin_vol = 1\n", "detectors.unusual_activity.min_vol: no such level"),
        ("[detectors.unusual_activity]\nmin_volume = 'many'\n", "detectors.unusual_activity.min_volume: 'many'"),
        ("[detectors.crystal_ball]\nlevel = 1\n", "detectors.crystal_ball"),
        ("[alerts]\nlevel = 1\n", "alerts.level: no such key"),
        ("[levels]\nlevel = 1\n", "levels: no such table"),
        ("[[rules]]\nname = 'x'\ncondition = 'iv_rnk > 1'\n", "rules[1].condition: at character 1: iv_rnk is no field"),
        ("[[rules]]\nname = 'x'\ncondition = 'iv_rank > 1'\nlevel = 1\n", "rules[1].level: no such key"),
    ],
    ids=["unknown level", "bad level", "unknown detector", "unknown key", "unknown table", "bad rule", "rule's key"],
)
def test_a_bad_configuration_is_exit_2_and_names_the_key(command: str, text: str, named: str, desk: Desk) -> None:
    desk.levels.write_text(text)
    ran = desk.run(*command.split())
    assert ran.code == 2, ran.told
    assert str(desk.levels) in one_line(ran.told)
    assert named in ran.told
    assert remains.stagings(desk.folder) == []


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("OPTSITE_MAX_EXPIRATIONS", "many", "a whole number from 1 to 60"),
        ("OPTSITE_CONFIG", "/nowhere.toml", "a TOML file that exists"),
        ("OPTSITE_PROVIDER", "reuters", "yahoo, demo or recorded"),
    ],
)
def test_a_bad_setting_is_one_line_and_exit_2(name: str, value: str, says: str, tmp_path: Path) -> None:
    ran = manage(tmp_path / "data", "scan", **{name: value})
    assert ran.code == 2
    line = one_line(ran.told)
    assert line.startswith(f"{name}='{value}' will not do")
    assert says in line
    assert not (tmp_path / "data").exists()


def test_ctrl_c_while_the_command_starts_is_one_line(desk: Desk) -> None:
    ran = desk.run("scan", kill={"call": "manage.execute_from_command_line", "sign": int(signal.SIGINT)})
    assert ran.code == 130
    assert one_line(ran.told) == "Interrupted."


# Others at work


def wait_for_lock(folder: MarketFolder, name: str) -> int:
    """Wait until somebody holds a lock and return who."""
    until = time.monotonic() + 60
    while True:
        try:
            return int(json.loads((folder.lock_dir / f"{name}.holder").read_bytes())["pid"])
        except (FileNotFoundError, ValueError):
            assert time.monotonic() < until, f"nobody took {name}"
            time.sleep(0.02)


def test_a_second_scan_says_who_scans_and_exits_4_or_waits(desk: Desk) -> None:
    first = start(desk.folder.data_dir, "scan", faults={"slow": {"call": f"{DEMO}.chain", "seconds": 0.2}})
    pid = wait_for_lock(desk.folder, "scan.lock")
    assert pid == first.pid
    refused = desk.run("scan", waits=0.3)
    assert refused.code == 4
    assert re.search(
        rf"scan\.lock is held by PID {pid} \(manual scan\) since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
        one_line(refused.told),
    )
    waited = desk.run("scan")
    assert waited.code == 0, waited.told
    ended = finish(first)
    assert ended.code == 0, ended.told
    assert sorted(desk.at_rest().scans.values()) == ["ok", "ok", "ok"]


def test_a_scan_while_an_export_runs(desk: Desk) -> None:
    export = start(
        desk.folder.data_dir, "export", faults={"slow": {"call": "exports.writer.refresh_links", "seconds": 2}}
    )
    wait_for_lock(desk.folder, "publish.lock")
    scan = desk.run("scan")
    assert scan.code == 0, scan.told
    ended = finish(export)
    assert ended.code == 0, ended.told
    assert sorted(desk.at_rest().scans.values()) == ["ok", "ok"]


def test_a_foreign_holder_of_the_store_loses_no_scan(desk: Desk) -> None:
    with held(desk.folder.store_path) as pid:
        for count in (1, 2):
            ran = desk.run("scan", "--tickers", TICKERS[0], waits=0.3)
            assert ran.code == 4
            assert f"is held by PID {pid}" in ran.told
            assert "close it there and try again" in ran.told
            assert [set(tickers) for tickers in remains.collected(desk.folder).values()] == [{TICKERS[0]}] * count
    waiting = [staging.name for staging in remains.stagings(desk.folder)]
    then = desk.run("scan")
    assert then.code == 0, then.told
    rest = desk.at_rest()
    assert [rest.scans[scan_id] for scan_id in waiting] == ["ok", "ok"]
    assert len(rest.scans) == 4


# Disks


@pytest.mark.parametrize("how", ["small", "read-only"])
def test_a_disk_that_takes_no_export_loses_no_scan(how: str, desk: Desk) -> None:
    exports = str(desk.folder.export_dir)
    options, says = {
        "small": (
            ("-t", "tmpfs", "-o", "size=2m", "tmpfs"),
            r"has 2 MB free and an export wants \d+ MB; free",
        ),
        "read-only": (("--bind", "-o", "ro", exports), r"the file system is read-only; mount it writable or"),
    }[how]
    with mounted(desk.folder.export_dir, *options):
        for _ in range(2):
            ran = desk.run("scan")
            assert ran.code == 1, ran.told
            assert re.search(rf"CommandError: nothing published: .*{says}", ran.told.strip().splitlines()[-1])
            assert remains.stagings(desk.folder) == []
        with remains.store_of(desk.folder, desk.scratch) as store:
            assert list(remains.scans_in(store).values()) == ["ok"] * 3
        assert how == "small" or remains.readers_see_a_whole_generation(desk.folder)
    then = desk.run("export")
    assert then.code == 0, then.told
    assert len(desk.at_rest().scans) == 3


def test_a_disk_that_fills_amid_publication(desk: Desk) -> None:
    fail = {"call": "os.fsync", "errno": errno.ENOSPC, "path": "*/archive/features_*"}
    before = remains.readers_see_a_whole_generation(desk.folder)
    ran = desk.run("scan", fail=fail)
    assert ran.code == 1, ran.told
    assert re.search(r"nothing published: .*the disk is full; free space or lower OPTSITE_ARCHIVE_MAX_GB", ran.told)
    assert re.match(r"Scan \S+ ok: ", ran.told), "what was scanned is told all the same"
    assert remains.readers_see_a_whole_generation(desk.folder) == before
    then = desk.run("scan")
    assert then.code == 0, then.told
    assert list(desk.at_rest().scans.values()) == ["ok"] * 3


@pytest.mark.parametrize("left", [0, 100_000, 400_000, 1_500_000])
def test_a_market_folder_that_is_full(left: int, desk: Desk, tmp_path: Path) -> None:
    root, kept = desk.folder.root, tmp_path / "kept"
    shutil.copytree(root, kept)
    with mounted(root, "-t", "tmpfs", "-o", "size=40m", "tmpfs"):
        shutil.copytree(kept, root, dirs_exist_ok=True)
        filler = root / "filler"
        fill(filler, shutil.disk_usage(root).free - left)
        ran = desk.run("scan")
        assert ran.code == 1, ran.told
        assert re.search(r"full|No space left|has 0 MB free", ran.told.strip().splitlines()[-1]), ran.told
        filler.unlink()
        then = desk.run("scan")
        assert then.code == 0, then.told
        assert "ok" in desk.at_rest().scans.values()


def fill(path: Path, size: int) -> None:
    """Write so many bytes, or as many as there is room for."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while size > 0:
            size -= file.write(b"\0" * min(size, 4096))


# Slots


def counted(tmp_path: Path, provider: str) -> dict[str, Any]:
    return {"calls": [f"{provider}.{name}" for name in ASKED], "file": str(tmp_path / "calls")}


def test_a_slot_runs_once(desk: Desk) -> None:
    at = "2027-03-10T15:04:00+00:00"
    first = desk.run("scan", "--scheduled", at=at)
    assert first.code == 0, first.told
    assert "ok: 2 of 2 tickers" in first.output
    second = desk.run("scan", "--scheduled", at=at)
    assert second.code == 0, second.told
    assert "The scheduled slot 2027-03-10T15:00Z is taken" in second.output
    assert len(desk.at_rest().scans) == 2
    assert remains.rows(desk.folder, "SELECT slot, status FROM collector_scanslot") == [("2027-03-10 15:00:00", "ok")]


@pytest.mark.parametrize(
    ("kind", "at", "reason"),
    [
        ("scheduled", "2026-11-26T15:00:30+00:00", "closed"),  # Thanksgiving
        ("scheduled", "2026-11-25T14:21:00+00:00", "closed"),  # 09:21 in New York
        ("close", "2026-11-26T18:20:30+00:00", "closed"),
        ("close", "2026-11-25T18:20:30+00:00", "not_this_close"),  # 13:20 of a whole day
        ("close", "2026-11-27T21:20:30+00:00", "not_this_close"),  # 16:20 of a half day
    ],
)
def test_a_slot_outside_the_sessions_asks_nobody(kind: str, at: str, reason: str, desk: Desk, tmp_path: Path) -> None:
    ran = desk.run("scan", "--provider", "yahoo", "--scheduled", kind, at=at, count=counted(tmp_path, YAHOO))
    assert ran.code == 0, ran.told
    assert not (tmp_path / "calls").exists()
    folder = MarketFolder(desk.folder.data_dir, "yahoo")
    (scan,) = scans(folder)
    assert (scan["status"], scan["reason"], scan["provider_calls"], scan["kind"]) == ("skipped", reason, 0, kind)
    assert {row["reason"] for row in scan["tickers"]["skipped"]} == {reason}
    assert remains.rows(folder, "SELECT kind, status FROM collector_scanslot") == [(kind, "skipped")]


def test_the_close_scan_of_a_half_day_is_at_13_20_and_of_a_whole_one_at_16_20(desk: Desk, tmp_path: Path) -> None:
    """In a session of its own the provider is asked: what it answers without a network is another matter."""
    refuse = {"call": f"{YAHOO}.quote", "errno": errno.ENETUNREACH}
    for at in ("2026-11-25T21:20:30+00:00", "2026-11-27T18:20:30+00:00"):
        calls = tmp_path / at
        desk.server.run(
            ["scan", "--provider", "yahoo", "--scheduled", "close"],
            at=at,
            count={"calls": [f"{YAHOO}.quote"], "file": str(calls)},
            fail=refuse,
        )
        assert calls.exists(), f"nobody was asked at {at}"
