"""A bar on a terminal; a line now and then elsewhere, where there is much to do."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LINE_EVERY = 15


class ProgressBar:
    """Shows the phases of a scan (collector/pipeline/collect.py Progress) on standard error."""

    def __init__(self, *, shown: bool) -> None:
        console = Console(file=sys.stderr)
        self._progress = Progress(
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not (shown and console.is_terminal),
        )
        self._lines = shown and not console.is_terminal
        self._done = self._total = 0
        self._task = self._progress.add_task("", total=None)
        self._phase = ""

    def __enter__(self) -> Self:
        """Show it."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave it as it stands."""
        self._progress.stop()

    def begin(self, phase: str, total: int) -> None:
        """Begin a phase."""
        self._phase, self._total, self._done = phase, total, 0
        self._progress.reset(self._task, total=total, description=phase)

    def step(self, ticker: str) -> None:
        """Name what is worked on."""
        self._progress.update(self._task, description=f"{self._phase} {ticker}")

    def done(self) -> None:
        """Count a step."""
        self._progress.advance(self._task)
        self._done += 1
        if self._lines and self._total > LINE_EVERY and self._done % LINE_EVERY == 0:
            print(f"{self._phase}: {self._done} of {self._total}", file=sys.stderr, flush=True)  # noqa: T201
