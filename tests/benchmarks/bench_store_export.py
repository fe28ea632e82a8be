"""Export of 1,000 chains of 200 contracts out of the real store: `python -m tests.benchmarks.bench_store_export`.

Fills a store with synthetic chains by SQL, then prints seconds, MB/s and peak memory over base of an export, beside
the least that any export has to do in the same process: the same bytes written to one file and forced to the disk.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django
import orjson
from django.core.management import call_command

from exports.documents import CHAIN_ANALYTICS
from tests.exports.process_memory import memory_kib

TICKER_CHAINS = 10


def analytics(strikes: int) -> str:
    """Return the analytics of a chain as the analysis writes them."""
    arrays = {name: [round(1e6 / (n + 3.7), 1) for n in range(strikes)] for name in ("gamma", "vanna", "charm")}
    found = {field.name: None for field in CHAIN_ANALYTICS}
    found["exposure"] = {
        **dict.fromkeys(("gamma", "vanna", "charm", "call_wall", "put_wall", "flip"), 123456.0),
        "strikes": [50.0 + n for n in range(strikes)],
        **{f"{name}_by_strike": values for name, values in arrays.items()},
    }
    return orjson.dumps(found).decode()


def fill(folder: object, chains: int, contracts: int, strikes: int) -> None:
    """Put one scan of ``chains`` chains into the store: 10 a ticker, half calls and half puts."""
    from collector.models import WatchedTicker
    from collector.store.database import open_store

    now = datetime.now(UTC)
    day = now.date()
    with open_store(folder, "benchmark") as connection:
        connection.execute("SET memory_limit = '4GB'")
        connection.execute(
            """
            INSERT INTO chains (scan_id, ticker, root, provider, feed, as_of, quote_time, market_date,
                open_interest_date, expiration, dte, settlement, settlement_time, exercise_style, underlying_price,
                underlying_time,
                forward, forward_source, rate, discount_factor, atm_iv, totals, analytics, grade, grade_reasons, facts,
                listed, received, reasons, source, recorded_at, inserted_at, spot, spot_source, rate_source, dividends,
                theta_convention)
            SELECT 'bench', 'T' || (i // 10), 'T' || (i // 10), 'demo', 'demo', $now, $now, $day, $day,
                   $day + 30 + CAST(i % 10 AS INTEGER), 30, 'PM', CAST($later AS TIMESTAMPTZ), 'american', 100.0, $now,
                   101.0, 'parity', 0.04, 0.99, 0.25,
                   '{"call_volume": 1, "put_volume": 1, "volume": 2, "call_open_interest": 1, "put_open_interest": 1,
                     "open_interest": 2, "put_call_volume_ratio": 1.0, "put_call_open_interest_ratio": 1.0}',
                   $analytics, 'A', '[]',
                   '{"contracts": 200, "near_the_money": 100, "two_sided": 100, "two_sided_share": 1.0,
                     "median_relative_spread": 0.01, "deviation": 0.05, "reference_price": 100.0,
                     "reference_source": "parity", "quote_age_seconds": 1.0, "open_interest_known": true,
                     "adjusted": 0, "flagged_rows": 0}',
                   NULL, $contracts, '{}', 'demo', $now, $now, 100.0, 'forwards', 'treasury', '[]', 'spot_fixed'
            FROM range($chains) t(i)
            """,
            {
                "now": now,
                "day": day,
                "later": now + timedelta(days=30),
                "contracts": contracts,
                "chains": chains,
                "analytics": analytics(strikes),
            },
        )
        connection.execute(
            """
            INSERT INTO contracts (scan_id, ticker, root, provider, feed, as_of, market_date, expiration,
                contract_symbol, option_type, strike, multiplier, adjusted, bid, ask, mid, bid_size, ask_size,
                last_price, last_trade_time, volume, volume_known, untraded, open_interest, bid_iv, implied_volatility,
                ask_iv, delta, gamma, theta, vega, rho, vanna, charm, vendor_implied_volatility, in_the_money, flags,
                reasons, source, recorded_at, inserted_at)
            SELECT 'bench', 'T' || (i // 10), 'T' || (i // 10), 'demo', 'demo', $now, $day,
                   $day + 30 + CAST(i % 10 AS INTEGER), 'T' || i || 'C' || lpad(CAST(j AS VARCHAR), 8, '0'),
                   CASE WHEN j % 2 = 0 THEN 'call' ELSE 'put' END, 50 + j, 100, false, random() * 10,
                   random() * 10 + 10, random() * 20, 10, 10, random() * 10, $now,
                   CAST(random() * 1000 AS BIGINT), true, false,
                   CAST(random() * 1000 AS BIGINT), random(), random(), random(), random(), random(), random(),
                   random(), random(), random(), random(), random(), false,
                   ['stale_last_trade'], '{}', 'demo', $now, $now
            FROM range($chains) t(i), range($contracts) u(j)
            """,
            {"now": now, "day": day, "chains": chains, "contracts": contracts},
        )
        connection.execute("INSERT INTO revisions VALUES (1, 'bench', $now)", {"now": now})
    WatchedTicker.objects.bulk_create(
        WatchedTicker(market="demo", ticker=f"T{number}") for number in range((chains + 9) // TICKER_CHAINS)
    )


def _in_a_child(work: Callable[[], None]) -> None:
    """Run it in a child process, whose memory does not count here."""
    child = os.fork()
    if not child:
        work()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def measure(chains: int, contracts: int, rounds: int, strikes: int) -> list[str]:
    """Return the lines to print."""
    from django.conf import settings

    from exports.exporter import JSONExporter
    from exports.folders import MarketFolder

    folder = settings.MARKET_FOLDER
    folder.create()
    _in_a_child(lambda: fill(folder, chains, contracts, strikes))
    # The base is a process that has exported once, an empty store: libraries and calendar are loaded.
    JSONExporter(MarketFolder(folder.data_dir / "empty", folder.provider)).export_all()
    exporter = JSONExporter(folder, archive_max_gb=1000)
    base = memory_kib("VmRSS")
    exports, cpu, writes = [], [], []
    for number in range(rounds):
        began = time.perf_counter(), time.process_time()
        answer = exporter.export_chains()
        exports.append(time.perf_counter() - began[0])
        cpu.append(time.process_time() - began[1])
        assert answer["success"], answer
        if not number:
            over = (memory_kib("VmHWM") - base) / 1024
        content = (folder.export_dir / "chains.json").read_bytes()
        began = time.perf_counter()
        with open(folder.root / "plain.json", "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        writes.append(time.perf_counter() - began)
    megabytes, export, write = len(content) / 1e6, statistics.median(exports), statistics.median(writes)
    return [
        f"store to chains.json: {chains:,} chains x {contracts} contracts, {megabytes:.1f} MB, median of {rounds}",
        f"  export      {export:.3f} s  {megabytes / export:.0f} MB/s  peak +{over:.0f} MiB over base",
        f"              {statistics.median(cpu):.3f} s of CPU",
        f"  plain write {write:.3f} s  (write and fsync of the same bytes)",
        f"  ratio       {export / write:.1f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chains", type=int, default=1000)
    parser.add_argument("--contracts", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--strikes", type=int, help="in the analytics; default: half the contracts")
    chosen = parser.parse_args()
    strikes = chosen.contracts // 2 if chosen.strikes is None else chosen.strikes
    with tempfile.TemporaryDirectory() as data_dir:
        os.environ.update(
            OPTSITE_DATA_DIR=str(Path(data_dir)), OPTSITE_PROVIDER="demo", DJANGO_SETTINGS_MODULE="optsite.settings"
        )
        django.setup()
        call_command("migrate", verbosity=0)
        print("\n".join(measure(chosen.chains, chosen.contracts, chosen.rounds, strikes)))


if __name__ == "__main__":
    main()
