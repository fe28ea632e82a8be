"""A scan without the network, end to end: `python -m tests.benchmarks.bench_scan [--tickers 500] [--contracts 1500]`.

Normalise, grade, analyse, join, publish; the quotes are made before the clock starts. Prints contracts a second, the
seconds of each phase, how long the store was held, and peak memory (of all processes) over the base.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

from tests.exports.process_memory import memory_kib


def measure(tickers: int, contracts: int) -> list[str]:
    """Return the lines to print."""
    from django.conf import settings

    from collector import watchlist
    from collector.pipeline.join import join, prepare
    from collector.pipeline.plan import Scan, plan_scan
    from collector.pipeline.run import collect
    from collector.store.database import open_store
    from collector.store.export_source import StoreExportSource
    from collector.store.staging import Staging
    from exports.exporter import JSONExporter
    from tests.benchmarks.market_of_many import MarketOfMany
    from tests.benchmarks.silence import Silent

    folder = settings.MARKET_FOLDER
    folder.create()
    provider = MarketOfMany(tickers, contracts)
    watchlist.add(folder.market, provider.tickers())
    plan = plan_scan(folder, provider, Scan(kind="manual", tickers=provider.tickers()), None)
    staging = Staging(folder, plan.scan_id)
    staging.write_plan(plan.to_json())
    base = memory_kib("VmRSS")
    started = time.perf_counter()
    collect(folder, provider, plan, staging, Silent(), forks=True)
    collected = time.perf_counter()
    prepared = prepare(staging)
    opened = time.perf_counter()
    with open_store(folder, "join") as connection:
        joined = join(connection, folder, staging, provider.sessions(), prepared)
    in_store = time.perf_counter()
    held = _held(StoreExportSource)
    JSONExporter(folder).export_all()
    published = time.perf_counter()
    total = joined.scan["contracts"]
    peak = memory_kib("VmHWM") - base
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return [
        f"{tickers} tickers, {total:,} contracts, {joined.scan['chains']} chains, grades {joined.scan['grades']}",
        f"collect {collected - started:6.2f} s   {total / (collected - started):10,.0f} contracts/s",
        f"read    {opened - collected:6.2f} s",
        f"join    {in_store - opened:6.2f} s   store held",
        f"publish {published - in_store:6.2f} s   store held {held[0]:.2f} s of it",
        f"in all  {published - started:6.2f} s   {total / (published - started):10,.0f} contracts/s",
        f"peak    +{peak / 1024:,.0f} MiB over base; {children / 1024:,.0f} MiB in the largest of its processes",
    ]


def _held(source: Any) -> list[float]:
    """Have a source note how long its snapshots are open; return where."""
    seconds: list[float] = []
    snapshot = source.snapshot

    @contextmanager
    def timed(self: Any) -> Iterator[Any]:
        with snapshot(self) as opened:
            started = time.perf_counter()
            yield opened
            seconds.append(time.perf_counter() - started)

    source.snapshot = timed
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tickers", type=int, default=500)
    parser.add_argument("--contracts", type=int, default=1500)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.update(
            DJANGO_SETTINGS_MODULE="optsite.settings",
            OPTSITE_DATA_DIR=str(Path(scratch) / "data"),
            OPTSITE_PROVIDER="demo",
        )
        django.setup()
        call_command("migrate", verbosity=0)
        for line in measure(asked.tickers, asked.contracts):
            print(line)


if __name__ == "__main__":
    main()
