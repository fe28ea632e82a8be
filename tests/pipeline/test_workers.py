"""Scans in several processes: what they stage, how they end, and that none outlives its scan."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from collector.pipeline import collect
from collector.pipeline.collect import Collection, Collector
from collector.pipeline.workers import MOST, WORTH_IT, WorkerDied, processes
from collector.providers.base import Quote
from collector.store.staging import Staging
from exports.folders import MarketFolder
from tests.pipeline import remains
from tests.pipeline.commands import finish, manage, start
from tests.pipeline.scripted_provider import ScriptedProvider, session_bar
from tests.pipeline.test_collect import Watcher, plan
from tests.providers.recorded_files import frame_row, write_frame
from tests.quotes import STAMP, dark_chain, live_chain
from tests.site.processes import all_gone, descendants, wait_for

TICKERS = tuple(f"ZZ{chr(65 + number // 26)}{chr(65 + number % 26)}" for number in range(WORTH_IT + 4))
QUOTE = "collector.providers.recorded.provider.RecordedProvider.quote"
JUNE = date(2026, 6, 19)
PROCESSORS = len(os.sched_getaffinity(0))


class Noting(ScriptedProvider):
    """Writes the process that serves a ticker into a file of its name; may fail or wait at a ticker."""

    def __init__(self, notes: Path, at_quote: Callable[[str], None] = lambda ticker: None) -> None:
        answers = {
            ticker: [dark_chain(ticker)] if ticker == TICKERS[3] else [live_chain(ticker), live_chain(ticker, JUNE)]
            for ticker in TICKERS
        }
        super().__init__(answers, market="demo", bars=[session_bar(date(2026, 3, 23), 100.0)])
        self.notes = notes
        self.at_quote = at_quote
        notes.mkdir(exist_ok=True)

    def quote(self, ticker: str) -> Quote:
        with (self.notes / ticker).open("a") as file:
            file.write(f"{os.getpid()}\n")
        self.at_quote(ticker)
        return super().quote(ticker)

    def served(self) -> dict[str, list[int]]:
        """Return by ticker the processes that asked for it."""
        return {path.name: [int(line) for line in path.read_text().split()] for path in self.notes.iterdir()}


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})


def collected(
    folder: MarketFolder,
    provider: ScriptedProvider,
    *,
    forks: bool = True,
    now: Callable[[], datetime] = lambda: STAMP,
    watcher: Watcher | None = None,
    **changes: Any,
) -> Collection:
    made = plan(provider.answers, provider="demo", **changes)
    staging = Staging(folder, "scan-1")
    try:
        return Collector(folder, provider, made, staging, watcher or Watcher(), now=now, forks=forks).collect()
    finally:
        staging.close()


def staged(folder: MarketFolder) -> tuple[list[dict[str, Any]], list[Any]]:
    """Return the records without what they cost, and all rows."""
    staging = Staging(folder, "scan-1")
    records = [{**record, "seconds": None, "calls": None} for record in staging.records()]
    files = [str(path) for path in staging.parquet_files()]
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(
            "SELECT * FROM read_parquet(?) ORDER BY ticker, expiration, contract_symbol", [files]
        ).fetchall()
    staging.close()
    return records, [str(row) for row in rows]


@pytest.mark.parametrize("turns", [len(TICKERS), 1], ids=["one ticker at a time", "several"])
def test_several_processes_stage_what_one_does(
    turns: int, market_folder: MarketFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "TURNS", turns)
    apart, alone = Noting(tmp_path / "apart"), Noting(tmp_path / "alone")
    watcher = Watcher()
    collection = collected(market_folder, apart, watcher=watcher)
    several = staged(market_folder)
    Staging(market_folder, "scan-1").drop()
    collected(market_folder, alone, forks=False)
    assert staged(market_folder) == several
    records, rows = several
    # Ten contracts a chain; two chains of each ticker but one.
    assert ([record["ticker"] for record in records], len(rows)) == (list(TICKERS), 20 * len(TICKERS) - 10)
    assert (collection.stopped, collection.skipped) == (None, {})
    assert (watcher.steps[0], watcher.count) == (f"collect {len(TICKERS)}", len(TICKERS))
    assert sorted(watcher.steps[1:]) == sorted(TICKERS)
    assert {pid for pids in alone.served().values() for pid in pids} == {os.getpid()}
    pids = {pid for pids in apart.served().values() for pid in pids}
    assert os.getpid() not in pids
    assert len(pids) == 2
    assert all_gone(pids)


def test_few_tickers_and_few_processors_are_no_reason_to_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [processes(pieces) for pieces in (0, WORTH_IT - 1, WORTH_IT, 500)] == [1, 1, 2, 2]
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)))
    assert processes(500) == MOST
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {5})
    assert processes(500) == 1


def test_an_error_in_one_process_ends_the_scan_and_the_next_one_goes_on(
    market_folder: MarketFolder, tmp_path: Path
) -> None:
    def fail(ticker: str) -> None:
        if ticker == TICKERS[9]:
            raise ZeroDivisionError(f"no quote of {ticker}")

    broken = Noting(tmp_path / "broken", fail)
    with pytest.raises(ZeroDivisionError, match=f"no quote of {TICKERS[9]}"):
        collected(market_folder, broken)
    assert all_gone({pid for pids in broken.served().values() for pid in pids})
    kept = {record["ticker"] for record in Staging(market_folder, "scan-1").records()}
    assert TICKERS[9] not in kept
    assert len(kept) >= 1
    sound = Noting(tmp_path / "sound")
    assert collected(market_folder, sound).skipped == {}
    assert set(sound.served()) == set(TICKERS) - kept
    assert [record["ticker"] for record in staged(market_folder)[0]] == list(TICKERS)


def test_what_was_whole_before_an_error_among_several_tickers_is_kept(
    market_folder: MarketFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(ticker: str) -> None:
        if ticker == TICKERS[2]:
            raise ZeroDivisionError(f"no quote of {ticker}")

    monkeypatch.setattr(collect, "TURNS", 1)
    with pytest.raises(ZeroDivisionError):
        collected(market_folder, Noting(tmp_path / "broken", fail))
    staging = Staging(market_folder, "scan-1")
    kept = [record["ticker"] for record in staging.records()]
    assert kept[:2] == list(TICKERS[:2])
    assert [path.stem for path in staging.parquet_files()] == kept


def test_a_process_that_is_killed_ends_the_scan_in_one_line(market_folder: MarketFolder, tmp_path: Path) -> None:
    def die(ticker: str) -> None:
        if ticker == TICKERS[5]:
            os.kill(os.getpid(), signal.SIGKILL)

    dying = Noting(tmp_path / "dying", die)
    with pytest.raises(WorkerDied) as ended:
        collected(market_folder, dying)
    assert "\n" not in str(ended.value)
    assert "scan again" in str(ended.value)
    wait_for(lambda: all_gone({pid for pids in dying.served().values() for pid in pids}), 5, "the others' end")


def test_past_the_deadline_no_process_tries_another_ticker(market_folder: MarketFolder, tmp_path: Path) -> None:
    slow = Noting(tmp_path / "slow", lambda ticker: time.sleep(0.2))
    begun = datetime.now(UTC)
    collection = collected(market_folder, slow, now=lambda: datetime.now(UTC), deadline=begun + timedelta(seconds=0.7))
    served = set(slow.served())
    assert set(collection.skipped.values()) == {"deadline"}
    assert served | set(collection.skipped) == set(TICKERS)
    assert not served & set(collection.skipped)
    # 20 tickers of 0.2 s in two processes would take 2 s.
    assert 2 <= len(served) <= 12
    assert {record["ticker"] for record in Staging(market_folder, "scan-1").records()} == served


class Command:
    """`manage.py scan` of a recording of many tickers, slowed down, with its processes at work."""

    def __init__(self, data_dir: Path, recordings: Path) -> None:
        self.settings = {"OPTSITE_PROVIDER": "recorded", "OPTSITE_RECORDINGS": str(recordings)}
        self.folder = MarketFolder(data_dir, "recorded")
        slow = {"slow": {"call": QUOTE, "seconds": 0.5}}
        self.process = start(data_dir, "scan", faults=slow, **self.settings)
        wait_for(self.works, 60, "processes at work")
        self.children = descendants(self.process.pid)

    def works(self) -> bool:
        """Say whether something was staged by then; fail where the command has ended."""
        assert self.process.poll() is None, finish(self.process).told
        return self.folder.staging_dir.exists() and any(remains.collected(self.folder).values())

    def kept(self) -> set[str]:
        return {ticker for tickers in remains.collected(self.folder).values() for ticker in tickers}


@pytest.fixture
def command(data_dir: Path, tmp_path: Path) -> Iterator[Command]:
    if PROCESSORS < 2:
        pytest.skip("one processor: a scan forks nothing")
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    rows = [
        frame_row(ticker, strike=str(strike), type=kind)
        for ticker in TICKERS
        for strike in (48.0, 50.0, 52.0)
        for kind in ("call", "put")
    ]
    write_frame(recordings, *rows)
    begun = Command(data_dir, recordings)
    yield begun
    if begun.process.poll() is None:
        begun.process.kill()
        finish(begun.process)


def test_kill_9_of_a_scan_takes_its_processes_with_it(command: Command) -> None:
    assert len(command.children) >= 2
    command.process.kill()
    wait_for(lambda: all_gone(command.children), 1, "the processes' end")
    assert finish(command.process).code == -signal.SIGKILL


def test_ctrl_c_ends_a_scan_with_its_processes_and_the_next_goes_on(command: Command, tmp_path: Path) -> None:
    assert len(command.children) >= 2
    # A terminal sends it to all of them.
    for pid in (*command.children, command.process.pid):
        os.kill(pid, signal.SIGINT)
    ended = finish(command.process)
    assert ended.code == 130, ended.told
    assert "Traceback" not in ended.told
    assert ended.told.strip().splitlines()[-1].startswith("CommandError: Interrupted;")
    assert all_gone(command.children)
    kept, calls = command.kept(), tmp_path / "calls"
    assert kept
    counted = {"count": {"calls": [QUOTE], "file": str(calls)}}
    then = manage(command.folder.data_dir, "scan", faults=counted, **command.settings)
    assert then.code == 0, then.told
    assert f"{len(TICKERS)} of {len(TICKERS)} tickers" in then.output
    assert sorted(line.split()[1] for line in calls.read_text().splitlines()) == sorted(set(TICKERS) - kept)
    remains.all_is_well(command.folder, tmp_path / "scratch")
