"""Processes that compute beside the scan: threads of one interpreter can't share that work.

Each process is forked from the scan before any database is opened, works into the common staging, and dies with the
scan, kill -9 included. Ctrl-C reaches the scan alone, which ends the others.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Any

from collector.parent_death import child_setup

# Fewer pieces of work are done as fast by one process.
WORTH_IT = 16
MOST = 4

_work: Callable[..., Any]


class WorkerDied(RuntimeError):
    """A process ended in the middle of its work; the message is one line."""


def processes(pieces: int) -> int:
    """Return how many processes do so many pieces of work well."""
    if pieces < WORTH_IT or "fork" not in multiprocessing.get_all_start_methods():
        return 1
    return min(len(os.sched_getaffinity(0)), MOST)


class Workers:
    """Processes that all do the same kind of work; a context manager that ends them.

    They are forked at the first piece: what ``work`` holds is as it was then.

    Args:
        work: called in one of the processes with the arguments of a piece, which are pickled; so is what it returns.
        count: how many processes; 1 is a thread of this one.
    """

    def __init__(self, work: Callable[..., Any], count: int) -> None:
        global _work
        _work = work
        prepare = child_setup(signal.SIGKILL)

        def begin() -> None:
            prepare()
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            # What stands at the fork is never garbage here, and a ticker's frames hold no cycles: the collector of
            # garbage would look through them again and again for nothing.
            gc.freeze()
            gc.set_threshold(200_000, 20, 20)

        self._pool: Executor = (
            ThreadPoolExecutor(1, thread_name_prefix="work")
            if count == 1
            else ProcessPoolExecutor(count, multiprocessing.get_context("fork"), initializer=begin)
        )

    def submit(self, *piece: Any) -> Future[Any]:
        """Give a piece of work to the next process that is free."""
        return self._pool.submit(_do, *piece)

    def __enter__(self) -> Workers:
        """Return this."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes: after their work, or at once where an error goes by."""
        if error is not None:
            for process in list((getattr(self._pool, "_processes", None) or {}).values()):
                process.kill()
        self._pool.shutdown(wait=True, cancel_futures=error is not None)
        if isinstance(error, BrokenProcessPool):
            raise WorkerDied(
                "A process of the scan was killed from outside, perhaps for want of memory; "
                "scan again, and it goes on with what it had."
            ) from error


def serve_in_processes(
    pieces: Sequence[Sequence[str]], serve: Callable[[Sequence[str]], dict[str, str | None]], count: int
) -> Iterator[dict[str, str | None]]:
    """Serve a few tickers at a time in ``count`` processes; yield what each service returned, as they are done."""
    with Workers(serve, count) as workers:
        for future in as_completed([workers.submit(piece) for piece in pieces]):
            yield future.result()


def _do(*piece: Any) -> Any:
    """Do a piece of work in a forked process."""
    return _work(*piece)
