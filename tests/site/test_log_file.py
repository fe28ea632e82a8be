"""The log file that several processes share."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from pathlib import Path

from optsite.log_file import SharedLogFile
from tests.site.processes import ROOT

WRITER = """
import logging, sys
from optsite.log_file import SharedLogFile
handler = SharedLogFile(sys.argv[1], max_bytes=20_000, kept=9)
logger = logging.getLogger("writer")
logger.addHandler(handler)
for n in range(1000):
    logger.warning("%s line %04d", sys.argv[2], n)
"""


def test_nothing_is_made_before_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "log"
    handler = SharedLogFile(str(path))
    assert not path.parent.exists()
    handler.emit(logging.LogRecord("a", logging.INFO, "f", 1, "hello %s", ("there",), None))
    handler.close()
    assert path.read_text() == "hello there\n"


def test_processes_that_rotate_at_once_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "log"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], cwd=ROOT) for name in ("one", "two", "three")
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    files = [file for file in path.parent.iterdir() if not file.name.endswith(".lock")]
    assert len(files) > 1, "it was rotated"
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert all(re.fullmatch(r"(one|two|three) line \d{4}", line) for line in lines)
    assert len(lines) == len(set(lines)) == 3000


def test_only_so_many_old_files_are_kept(tmp_path: Path) -> None:
    handler = SharedLogFile(str(tmp_path / "log"), max_bytes=50, kept=2)
    for number in range(40):
        handler.emit(logging.LogRecord("a", logging.INFO, "f", 1, "line %02d", (number,), None))
    handler.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1", "log.2", "log.lock"]
    assert (tmp_path / "log").read_text().splitlines()[-1] == "line 39"
