"""How long a detector takes."""

from __future__ import annotations

import time
from collections.abc import Callable


def microseconds(call: Callable[[], object], rounds: int = 30, calls: int = 50) -> float:
    """Return the least time that a call took, in the mean of ``calls``: what else runs only ever adds to it."""

    def once() -> float:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        return time.perf_counter() - start

    return min(once() for _ in range(rounds)) / calls * 1e6
