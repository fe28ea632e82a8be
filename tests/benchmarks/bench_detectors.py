"""What a ticker costs each detector: `python -m tests.benchmarks.bench_detectors`.

Prints the median microseconds of a quiet ticker, and its ratio to asking the view for its features alone.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from collector.detectors.registry import DETECTORS
from tests.detectors.samples import FLAT

CALLS, ROUNDS = 50, 30


def median_microseconds(call: Callable[[], object]) -> float:
    """Return the median of rounds of calls."""
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(CALLS):
            call()
        rounds.append((time.perf_counter() - start) / CALLS * 1e6)
    return statistics.median(rounds)


def main() -> None:
    base = median_microseconds(lambda: dict(FLAT.features))
    print(f"features alone {base:8.1f} us")
    for detector in DETECTORS:
        taken = median_microseconds(lambda one=detector: one.evaluate(FLAT))  # type: ignore[misc]
        print(f"{detector.name:22} {taken:8.1f} us  ratio {taken / base:6.1f}")


if __name__ == "__main__":
    main()
