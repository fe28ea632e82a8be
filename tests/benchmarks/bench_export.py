"""Export of 1,000 chains of 200 contracts: `python -m tests.benchmarks.bench_export`.

Prints seconds, MB/s and peak memory over base, beside the least that any export has to do in the same process: the
same records through orjson into one file, forced to the disk. Rounds take turns, so that a busy machine bears on
both; the figures are medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from exports.folders import MarketFolder
from tests.exports.process_memory import memory_kib
from tests.exports.synthetic import EmptySnapshot, exporter, wide_chains


class WideSnapshot(EmptySnapshot):
    """A snapshot of nothing but chains."""

    def __init__(self, chains: int, contracts: int) -> None:
        super().__init__()
        self.chains, self.contracts = chains, contracts

    def records(self, document: str) -> Iterator[dict[str, Any]]:
        return wide_chains(self.chains, self.contracts) if document == "chains" else iter(())


def plain_dump(path: Path, chains: int, contracts: int) -> None:
    """Write the same records, one a line, and force them to the disk: no index, no hash, no manifest."""
    with open(path, "wb") as stream:
        for record in wide_chains(chains, contracts):
            stream.write(orjson.dumps(record))
            stream.write(b",\n")
        stream.flush()
        os.fsync(stream.fileno())


def seconds(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def measure(folder: Path, chains: int, contracts: int, rounds: int) -> list[str]:
    """Return the lines to print."""
    market = MarketFolder(folder, "demo")
    exporter(market, EmptySnapshot()).export_all()
    made = exporter(market, WideSnapshot(chains, contracts), gb=1000)
    plain = folder / "plain.json"
    base = memory_kib("VmRSS")
    exports, dumps = [seconds(made.export_chains)], []
    over = (memory_kib("VmHWM") - base) / 1024
    for _ in range(rounds):
        dumps.append(seconds(lambda: plain_dump(plain, chains, contracts)))
        exports.append(seconds(made.export_chains))
    megabytes = (market.export_dir / "chains.json").stat().st_size / 1e6
    export, dump = statistics.median(exports), statistics.median(dumps)
    return [
        f"export of {chains:,} chains x {contracts} contracts, {megabytes:.1f} MB, median of {len(exports)}",
        f"  export      {export:.3f} s  {megabytes / export:.0f} MB/s  peak +{over:.0f} MiB over base",
        f"  plain dump  {dump:.3f} s  {megabytes / dump:.0f} MB/s  (orjson, write, fsync of the same bytes)",
        f"  ratio       {export / dump:.2f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chains", type=int, default=1000)
    parser.add_argument("--contracts", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dir", type=Path, help="where to write (default: a temporary folder)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.dir) as folder:
        print("\n".join(measure(Path(folder), chosen.chains, chosen.contracts, chosen.rounds)))


if __name__ == "__main__":
    main()
