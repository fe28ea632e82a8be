"""Several processes collect the tickers of a scan that spends no calls.

The work there is computing, which threads of one interpreter can't share. Each process is forked from the scan before
any database is opened, serves tickers into the common staging, and dies with the scan, kill -9 included. What a ticker
came to is in its staged record, as it is for a scan of one process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from collector.parent_death import child_setup

# Fewer tickers are served as fast by one process.
WORTH_IT = 16
MOST = 4

_serve: Callable[[str], str | None]


def processes(tickers: int) -> int:
    """Return how many processes serve so many tickers well."""
    if tickers < WORTH_IT or "fork" not in multiprocessing.get_all_start_methods():
        return 1
    return min(len(os.sched_getaffinity(0)), MOST)


def serve_in_processes(
    tickers: Sequence[str], serve: Callable[[str], str | None], count: int
) -> Iterator[tuple[str, str | None]]:
    """Serve tickers in ``count`` processes; yield each with what its service returned, as they are done.

    Ctrl-C in the terminal reaches this process alone, which ends the others.

    Args:
        tickers: in the order in which they are begun.
        serve: called with a ticker in one of the processes; what it holds is as it was at the fork.
        count: how many processes.
    """
    global _serve
    _serve = serve
    prepare = child_setup(signal.SIGKILL)

    def begin() -> None:
        prepare()
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    pool = ProcessPoolExecutor(count, multiprocessing.get_context("fork"), initializer=begin)
    try:
        waiting = {pool.submit(_serve_one, ticker): ticker for ticker in tickers}
        for future in as_completed(waiting):
            yield waiting[future], future.result()
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown(wait=True)


def _serve_one(ticker: str) -> str | None:
    """Serve one ticker in a forked process."""
    return _serve(ticker)
