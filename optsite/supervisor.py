"""Programs that run together: started, restarted, told to end, and never left behind.

Each program is its own session and process group. SIGTERM goes to its main process alone (django-q's main hangs when
its whole group is told); the group is for SIGKILL, before each restart and at the end.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TextIO

from collector.parent_death import child_setup

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
HEALTH_SECONDS = 10.0
GRACE_SECONDS = 3.0
STABLE_SECONDS = 60.0
LONGEST_DELAY = 60.0


@dataclass(frozen=True, slots=True)
class Program:
    """What is kept running.

    ``unhealthy`` is asked now and then with the seconds since its start; a sentence means that it hangs, and it is
    killed and started again. ``ready`` is asked until it answers True once.
    """

    name: str
    command: tuple[str, ...]
    unhealthy: Callable[[float], str | None] | None = None
    health_every: float = HEALTH_SECONDS
    ready: Callable[[], bool] | None = None


@dataclass(slots=True)
class _Run:
    """One program's present: its process, and when it may be started again."""

    program: Program
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    failures: int = 0
    start_after: float = 0.0
    next_health_check: float = 0.0
    readers: list[threading.Thread] = field(default_factory=list)


class Supervisor:
    """Keeps programs running until it is told to stop. Call ``run`` from the main thread: the chain needs it."""

    def __init__(
        self,
        programs: Sequence[Program],
        output: TextIO,
        environment: Mapping[str, str] | None = None,
        on_ready: Callable[[], None] | None = None,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self._runs = [_Run(program) for program in programs]
        self._output = output
        self._output_lock = threading.Lock()
        self._environment = dict(os.environ if environment is None else environment)
        self._on_ready = on_ready
        self._grace = grace
        self._stopping = False
        self._width = max(len(program.name) for program in programs)

    def run(self) -> int:
        """Start all, keep them running until SIGINT or SIGTERM, end all; return 0."""
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            while not self._stopping:
                for run in self._runs:
                    self._tend(run)
                self._announce()
                time.sleep(POLL_SECONDS)
            self._say("stopping")
        finally:
            self._end_all()
            for number, handler in before.items():
                signal.signal(number, handler)
        return 0

    def _stop(self, number: int, frame: object) -> None:
        self._stopping = True

    def _tend(self, run: _Run) -> None:
        """Start what is due, notice what died, kill what hangs."""
        now = time.monotonic()
        if run.process is None:
            if now >= run.start_after:
                self._start(run)
            return
        code = run.process.poll()
        if code is not None:
            self._bury(run, f"ended ({_ending(code)})")
        elif run.program.unhealthy is not None and now >= run.next_health_check:
            run.next_health_check = now + run.program.health_every
            complaint = run.program.unhealthy(now - run.started_at)
            if complaint:
                _kill_group(run.process)
                run.process.wait()
                self._bury(run, complaint)

    def _start(self, run: _Run) -> None:
        run.process = subprocess.Popen(
            run.program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=self._environment,
            start_new_session=True,
            preexec_fn=child_setup(signal.SIGKILL),
        )
        run.started_at = time.monotonic()
        run.next_health_check = run.started_at + run.program.health_every
        reader = threading.Thread(target=self._relay, args=(run.program.name, run.process.stdout), daemon=True)
        reader.start()
        run.readers = [*(thread for thread in run.readers if thread.is_alive()), reader]

    def _bury(self, run: _Run, why: str) -> None:
        """Clear what the program left behind and set when it starts again: 1, 2, 4, 8 … seconds, at most 60."""
        if run.process is None:
            return
        _kill_group(run.process)
        now = time.monotonic()
        if now - run.started_at >= STABLE_SECONDS:
            run.failures = 0
        delay = min(2.0**run.failures, LONGEST_DELAY)
        run.failures += 1
        run.start_after = now + delay
        run.process = None
        self._say(f"{run.program.name} {why}, starts again in {delay:.0f} s")

    def _announce(self) -> None:
        if self._on_ready is not None and all(
            run.process is not None and (run.program.ready is None or run.program.ready()) for run in self._runs
        ):
            announce, self._on_ready = self._on_ready, None
            with self._output_lock:
                announce()

    def _end_all(self) -> None:
        running = [run.process for run in self._runs if run.process is not None]
        for process in running:
            if process.poll() is None:
                process.terminate()
        until = time.monotonic() + self._grace
        while time.monotonic() < until and any(process.poll() is None for process in running):
            time.sleep(0.05)
        for process in running:
            _kill_group(process)
            process.wait()
        for run in self._runs:
            for reader in run.readers:
                reader.join(timeout=1)

    def _relay(self, name: str, lines: TextIO) -> None:
        with lines:
            for line in lines:
                self._write(f"{name:<{self._width}} | {line.rstrip()}")

    def _say(self, text: str) -> None:
        logger.info(text)
        self._write(f"{'up':<{self._width}} | {text}")

    def _write(self, line: str) -> None:
        # The terminal may be gone (a closed pipe); the programs go on, and the log has the line.
        with self._output_lock, suppress(OSError, ValueError):
            self._output.write(line + "\n")
            self._output.flush()


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"


def _kill_group(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
