"""The speeds that volatilities and scans are held to, one after the other: `python -m tests.benchmarks`.

Each is a process of its own, so that none finds the memory or the caches of another.
"""

from __future__ import annotations

import subprocess
import sys

SPEEDS = ("bench_european_iv", "bench_american", "bench_scan")


def main() -> int:
    codes = []
    for name in SPEEDS:
        print(f"-- {name}", flush=True)
        codes.append(subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=False).returncode)
    return max(codes)


if __name__ == "__main__":
    raise SystemExit(main())
