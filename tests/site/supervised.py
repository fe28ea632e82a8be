"""Run as a program: a supervisor over the programs that the arguments name, or one of those programs itself.

Every process notes its id as a file in the folder.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from collector.parent_death import signal_forks
from optsite.supervisor import Program, Supervisor


def note(folder: Path) -> None:
    (folder / str(os.getpid())).write_text(str(time.monotonic()))


def run_program(folder: Path, kind: str) -> None:
    note(folder)
    if kind == "family":
        signal_forks()
        for _ in range(2):
            if os.fork() == 0:
                note(folder)
                os.fork()
                note(folder)
                break
    elif kind == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            note(folder)
    elif kind == "failing":
        print("no luck")
        sys.exit(3)
    elif kind == "talking":
        print("one line")
    time.sleep(600)


def hangs_after_a_second(seconds: float) -> str | None:
    return "hangs" if seconds > 1 else None


def main(folder: Path, kinds: list[str]) -> None:
    here = str(Path(__file__).resolve())
    programs = [
        Program(
            kind,
            (sys.executable, here, "program", str(folder), kind),
            unhealthy=hangs_after_a_second if kind == "hanging" else None,
            health_every=0.5,
        )
        for kind in kinds
    ]
    Supervisor(programs, sys.stdout, on_ready=lambda: print("all ready", flush=True), grace=1.0).run()


if __name__ == "__main__":
    role, folder, *kinds = sys.argv[1:]
    run_program(Path(folder), kinds[0]) if role == "program" else main(Path(folder), kinds)
