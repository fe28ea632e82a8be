"""Commands in forked children over a data folder that has one scan, set back for each test; and mounts over folders."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from exports.folders import MarketFolder
from tests.pipeline import remains
from tests.pipeline.commands import CommandServer, Ran

TICKERS = ("ALDREN", "DOVREK")


@dataclass(frozen=True, slots=True)
class Desk:
    """A data folder of the demo market and a way to run commands on it. ``levels`` is its OPTSITE_CONFIG."""

    server: CommandServer
    folder: MarketFolder
    levels: Path
    scratch: Path

    def run(self, *arguments: str, **faults: Any) -> Ran:
        """Run `manage.py` with the arguments under faults; never a traceback."""
        ran = self.server.run(arguments, **faults)
        assert "Traceback" not in ran.told, ran.told
        return ran

    def at_rest(self) -> remains.AtRest:
        """Assert that all is well in the folder."""
        return remains.all_is_well(self.folder, self.scratch)


@pytest.fixture(scope="module")
def desk_of_the_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Path]]:
    home = tmp_path_factory.mktemp("desk")
    data_dir, template, levels = home / "data", home / "template", home / "levels.toml"
    data_dir.mkdir(mode=0o700)
    levels.touch()
    with CommandServer(data_dir, OPTSITE_CONFIG=str(levels), OPTSITE_WATCHLIST=",".join(TICKERS)) as server:
        ran = server.run(["scan"])
        assert ran.code == 0, ran.told
        shutil.copytree(data_dir, template)
        yield Desk(server, MarketFolder(data_dir, "demo"), levels, home / "scratch"), template


@pytest.fixture
def desk(desk_of_the_module: tuple[Desk, Path]) -> Desk:
    """Return the module's desk, its folder as after its first scan."""
    made, template = desk_of_the_module
    shutil.rmtree(made.folder.data_dir)
    shutil.copytree(template, made.folder.data_dir)
    made.levels.write_text("")
    return made


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """Mount over a folder; skip where this user may not."""
    made = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"this user may not mount: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)
