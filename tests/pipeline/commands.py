"""Commands in children, from a test's side."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.site.processes import ROOT

CHILD = "tests.pipeline.command_child"


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended: its exit code (negative: the signal that killed it), its output, its seconds."""

    code: int
    output: str
    errors: str = ""
    seconds: float = 0.0

    @property
    def told(self) -> str:
        """Both streams."""
        return self.output + self.errors


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a child on the data folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPTSITE_")}
    chosen = {"OPTSITE_PROVIDER": "demo", "OPTSITE_DATA_DIR": str(data_dir), **settings}
    return {**kept, "PYTHONUNBUFFERED": "1", "COLUMNS": "300", **chosen}


def start(
    data_dir: Path, *arguments: str, faults: dict[str, Any] | None = None, **settings: str
) -> subprocess.Popen[str]:
    """Start `manage.py` with the arguments, as it is or under faults; Ctrl-C reaches it as it does in a terminal."""
    line = ["manage.py"] if faults is None else ["-m", CHILD, json.dumps(faults)]
    return subprocess.Popen(
        [sys.executable, *line, *arguments],
        cwd=ROOT,
        env=environment(data_dir, **settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(process: subprocess.Popen[str], seconds: float = 90) -> Ran:
    """Wait for a command's end."""
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Ran(process.returncode, output, errors)


def manage(data_dir: Path, *arguments: str, faults: dict[str, Any] | None = None, **settings: str) -> Ran:
    """Run `manage.py` with the arguments to its end."""
    return finish(start(data_dir, *arguments, faults=faults, **settings))


class CommandServer:
    """Runs commands in forked children of one preloaded process."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self._errors = data_dir.with_name(f"server-errors-{id(self)}.txt").open("w+")
        self._server = subprocess.Popen(
            [sys.executable, "-m", CHILD],
            cwd=ROOT,
            env=environment(data_dir, **settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._output = data_dir.with_name(f"output-{self._server.pid}.txt")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.stdin.close()  # type: ignore[union-attr]
        self._server.wait(30)
        self._server.stdout.close()  # type: ignore[union-attr]
        self._errors.close()

    def run(self, arguments: Sequence[str], **order: Any) -> Ran:
        """Run one command; ``order`` holds faults, or ``kill_after`` so many seconds."""
        line = json.dumps({"arguments": list(arguments), "output": str(self._output), **order})
        self._server.stdin.write(line + "\n")  # type: ignore[union-attr]
        self._server.stdin.flush()  # type: ignore[union-attr]
        answer = self._server.stdout.readline()  # type: ignore[union-attr]
        if not answer:
            self._errors.seek(0)
            raise AssertionError(f"the server died: {self._errors.read()[-3000:]}")
        told = json.loads(answer)
        return Ran(told["code"], told["output"], seconds=told["seconds"])
