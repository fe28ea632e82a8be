"""A data folder to kill scans in: set back to after its first scan, with undisturbed scans as the oracle.

Every run is a process of its own (see command_child.py). The demo market is asked as of a fixed moment, so that what
undisturbed runs find is what a killed one and its successor have to have found.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from exports.folders import MarketFolder
from tests.pipeline import remains
from tests.pipeline.commands import CommandServer, Ran

TICKERS = ("ALDREN", "CINDRA", "DOVREK")
BEFORE, KILLED = "2026-03-10T18:00:00+00:00", "2026-03-11T18:00:00+00:00"
# In time to go on with the killed scan, and after its deadline of nine minutes.
SOON, LATE = "2026-03-11T18:01:00+00:00", "2026-03-11T18:12:00+00:00"
# Low levels, so that the two sessions begin and end many alerts.
LEVELS = """
[detectors.unusual_activity]
min_volume = 1
min_premium = 1000.0
rearm_premium = 500.0
min_volume_to_open_interest = 0.3
day_one_volume_to_open_interest = 0.3
rearm_volume_to_open_interest = 0.2
min_volume_to_usual = 1.2
rearm_volume_to_usual = 1.0
max_armed = 50
"""
DEMO = "collector.providers.demo.DemoProvider"

News = dict[str, set[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Stage:
    """A data folder that can be set back to after its first scan, and what undisturbed scans make of it.

    ``both`` is the news by the time of the next start where it follows an undisturbed scan at KILLED, ``alone`` where
    none was between; ``once`` the news of the scan at KILLED with nothing after it. The minute between is enough
    for a premium to fall below the level that keeps an alert, so ``once`` is not ``both``.
    """

    server: CommandServer
    folder: MarketFolder
    template: Path
    scratch: Path
    seconds: float
    first_scan: str
    both: dict[str, News]
    alone: dict[str, News]
    once: News

    def reset(self) -> None:
        """Set the folder back."""
        set_back(self.folder, self.template)

    def scan(self, *arguments: str, at: str, **order: Any) -> Ran:
        """Run a scan."""
        return self.server.run(["scan", *arguments], at=at, **order)


def set_back(folder: MarketFolder, template: Path) -> None:
    shutil.rmtree(folder.data_dir)
    shutil.copytree(template, folder.data_dir)


@contextmanager
def set_up(home: Path) -> Iterator[Stage]:
    """Make a stage in the folder ``home``."""
    levels = home / "levels.toml"
    levels.write_text(LEVELS)
    data_dir, template, second = home / "data", home / "template", home / "second"
    data_dir.mkdir(mode=0o700)
    folder = MarketFolder(data_dir, "demo")
    with CommandServer(data_dir, OPTSITE_CONFIG=str(levels), OPTSITE_WATCHLIST=",".join(TICKERS)) as server:
        first = server.run(["scan"], at=BEFORE)
        assert first.code == 0, first.told
        shutil.copytree(data_dir, template)
        measured = [server.run(["scan"], at=KILLED)]
        once = remains.all_is_well(folder, home / "scratch").news
        shutil.copytree(data_dir, second)
        found: dict[Path, dict[str, News]] = {template: {}, second: {}}
        for start_from, then in product(found, (SOON, LATE)):
            set_back(folder, start_from)
            measured.append(server.run(["scan"], at=then))
            found[start_from][then] = remains.all_is_well(folder, home / "scratch").news
        (scan,) = remains.rows(folder, "SELECT min(scan_id) FROM collector_scanjob")
        assert {ran.code for ran in measured} == {0}
        seconds = min(ran.seconds for ran in measured)
        both, alone = found[second], found[template]
        yield Stage(server, folder, template, home / "scratch", seconds, scan[0], both, alone, once)


def survived(stage: Stage, next_start: str) -> str:
    """Hold a folder whose scan was killed against all that has to be true, then and after the next start.

    A scan that was killed amid its collecting and whose deadline is to come goes on, as one scan: what it has of a
    ticker is not asked for again. Else what it had is joined, and the next start makes a scan of its own.

    Return the phase that the kill hit.
    """
    folder = stage.folder
    remains.readers_see_a_whole_generation(folder)
    with remains.store_of(folder, stage.scratch) as store:
        acknowledged = remains.scans_in(store)
        phase = remains.phase_of(folder, store)
    assert stage.first_scan in acknowledged
    staged = remains.collected(folder)
    was_joined = len(acknowledged) > 1
    then = stage.scan(at=next_start)
    assert then.code == 0, then.told
    assert "Traceback" not in then.told
    rest = remains.all_is_well(folder, stage.scratch)
    assert acknowledged.items() <= rest.scans.items()
    for scan_id, tickers in staged.items():
        assert not tickers or scan_id in rest.scans, f"what {scan_id} had collected is lost"
    whole = set(TICKERS) if was_joined else {ticker for tickers in staged.values() for ticker in tickers}
    goes_on = phase == "collect" and next_start == SOON
    if goes_on:
        assert rest.scans.keys() - acknowledged.keys() == staged.keys(), "the killed scan did not go on"
    seen_when_killed = stage.once if goes_on else stage.both[next_start]
    for ticker in TICKERS:
        seen_by = seen_when_killed if ticker in whole else stage.alone[next_start]
        assert rest.news[ticker] == seen_by[ticker]
    return phase
