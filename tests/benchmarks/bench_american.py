"""American volatilities and Greeks: `python -m tests.benchmarks.bench_american [--tickers 500] [--processes 2]`.

Tickers of 1,500 contracts in 20 chains, quotes made before the clock starts. Prints contracts a second for the mid's
volatility with all Greeks, and for bid and ask added, each in all processes together; the same for tickers that pay
cash dividends; peak memory of all processes; and how often QuantLib's impliedVolatility() does one meanwhile.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import time
from dataclasses import dataclass

# One thread a process: set before numpy is imported, in this process and the ones it starts.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
import QuantLib as ql

from collector.analytics import american
from collector.analytics.early_exercise import EarlyExercise
from collector.analytics.terms import Dividend, Terms
from collector.analytics.ticker_volatility import BAND_TOLERANCE, MID_TOLERANCE
from tests.analytics import quantlib_options as quantlib
from tests.exports.process_memory import memory_kib

CHAINS, CONTRACTS = 20, 1500
MODELS = 10
# The kinds of ticker, one round each.
KINDS = ("continuous carry", "cash dividends")


@dataclass(frozen=True)
class Quotes:
    """The contracts of a ticker: true volatility, mid, and half a spread."""

    terms: Terms
    chain: np.ndarray
    sign: np.ndarray
    strike: np.ndarray
    sigma: np.ndarray
    mid: np.ndarray
    half: np.ndarray


@dataclass(frozen=True)
class Took:
    """What a process measured, in seconds; ``error`` are the volatilities' where a tick moves them by less than .01."""

    mid: float
    greeks: float
    sides: float
    solved: int
    error: np.ndarray
    peak_mib: float


def quotes(number: int, *, cash: bool) -> Quotes:
    """Return a ticker's quotes: a smile that is steeper the sooner it expires, strikes to two deviations and a half."""
    random = np.random.default_rng(number)
    spot, base = float(random.uniform(20, 600)), float(random.uniform(0.15, 0.7))
    tenor = np.geomspace(2 / 365, 2.4, CHAINS)
    rate = 0.045 - 0.004 * tenor
    carry = np.full(CHAINS, 0.0 if cash else float(random.choice([0.0, 0.006, 0.015, 0.03, -0.01])))
    every, amount = 91 / 365, 0.004 * spot
    times = np.arange(float(random.uniform(0.02, every)), 2.4, every)
    dividends = tuple(
        tuple(Dividend(float(time), amount) for time in times if time <= one) if cash else () for one in tenor
    )
    bare = Terms(tenor, rate, np.full(CHAINS, spot), np.full(CHAINS, spot), np.ones(CHAINS, dtype=bool), dividends)
    terms = Terms(tenor, rate, bare.escrowed_spot * np.exp((rate - carry) * tenor), bare.spot, bare.american, dividends)
    counts = np.full(CHAINS, CONTRACTS // CHAINS // 2)
    counts[: (CONTRACTS // 2) % counts.sum()] += 1
    chain = np.repeat(np.arange(CHAINS), counts)
    place = np.concatenate([np.linspace(-2.5, 2.5, count) for count in counts])
    strike = terms.forward[chain] * np.exp(place * base * np.sqrt(tenor[chain]))
    sigma = base * (1.0 - 0.08 * place / (1.0 + tenor[chain]) + 0.04 * place**2)
    sign = np.repeat([1.0, -1.0], len(chain))
    chain, strike, sigma = np.tile(chain, 2), np.tile(strike, 2), np.tile(sigma, 2)
    mid = american.price(terms, chain, sign, strike, sigma)
    return Quotes(terms, chain, sign, strike, sigma, mid, np.minimum(0.01 + 0.01 * mid, 0.5 * mid))


def ticker(one: Quotes, took: dict[str, float]) -> tuple[int, np.ndarray]:
    """Compute a ticker's volatilities and Greeks; return how many mids were solved, and their errors."""
    own = (one.terms, one.chain, one.sign, one.strike)
    began = time.perf_counter()
    low, high = american.sigma_range(one.terms, one.chain, one.sigma)
    tables = EarlyExercise(one.terms, low * 0.8, high * 1.25)
    mid = american.implied_volatility(*own, one.mid, tables=tables, tolerance=MID_TOLERANCE)
    solved = time.perf_counter()
    greeks, near = american.greeks_and_start(*own, mid.sigma, tables=tables)
    known = time.perf_counter()
    twice = (one.terms, np.tile(one.chain, 2), np.tile(one.sign, 2), np.tile(one.strike, 2))
    both = np.concatenate([one.mid - one.half, one.mid + one.half])
    start = near.of(np.tile(np.arange(len(one.mid)), 2))
    american.implied_volatility(*twice, both, tables=tables, start=start, widenings=0, tolerance=BAND_TOLERANCE)
    took["mid"] += solved - began
    took["greeks"] += known - solved
    took["sides"] += time.perf_counter() - known
    told = np.isfinite(mid.sigma) & (greeks.vega > 1.0 * 0.01) & (one.mid > 0.05)
    return int(np.isfinite(mid.sigma).sum()), np.abs(mid.sigma - one.sigma)[told]


def work(tickers: int, cash: bool, ready: multiprocessing.Barrier, results: multiprocessing.Queue) -> None:  # type: ignore[type-arg, valid-type]
    """Compute some tickers in a process of their own."""
    made = [quotes(number, cash=cash) for number in range(MODELS)]
    ticker(made[0], dict.fromkeys(("mid", "greeks", "sides"), 0.0))
    took = dict.fromkeys(("mid", "greeks", "sides"), 0.0)
    solved, errors = 0, []
    ready.wait()  # type: ignore[attr-defined]
    for number in range(tickers):
        some, error = ticker(made[number % MODELS], took)
        solved += some
        if number < MODELS:
            errors.append(error)
    results.put(Took(**took, solved=solved, error=np.concatenate(errors), peak_mib=memory_kib("VmHWM") / 1024))  # type: ignore[attr-defined]


def measure(tickers: int, processes: int, cash: bool) -> list[Took]:
    """Return what each process measured."""
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(processes), context.Queue()
    share = tickers // processes
    started = [context.Process(target=work, args=(share, cash, ready, results)) for _ in range(processes)]
    for process in started:
        process.start()
    found = [results.get() for _ in started]
    for process in started:
        process.join()
    return found


def quantlib_rate(contracts: int) -> float:
    """Return how many volatilities a second QuantLib's own impliedVolatility() finds, failures counted as found."""
    random = np.random.default_rng(1)
    ql.Settings.instance().evaluationDate = quantlib.TODAY
    taken = 0.0
    for _ in range(contracts):
        strike, sigma, tenor = random.uniform(85, 118), random.uniform(0.15, 0.6), random.uniform(0.1, 2.0)
        sign = float(random.choice([1.0, -1.0]))
        option, process = quantlib.american_option(100.0, strike, 0.04, 0.015, sigma, tenor, sign)
        price = option.NPV()
        began = time.perf_counter()
        with contextlib.suppress(RuntimeError):
            option.impliedVolatility(price, process, 1e-6, 100, 1e-4, 4.0)
        taken += time.perf_counter() - began
    return contracts / taken


def lines(kind: str, found: list[Took], tickers: int) -> list[str]:
    """Return what is printed of a kind of ticker."""
    total = tickers * CONTRACTS
    once, all_three = max(one.mid + one.greeks for one in found), max(one.mid + one.greeks + one.sides for one in found)
    each = {name: 1e6 * sum(getattr(one, name) for one in found) / total for name in ("mid", "greeks", "sides")}
    error = np.percentile(np.concatenate([one.error for one in found]), [50, 99, 100])
    return [
        f"{kind}: {total:,} contracts, {len(found)} processes, {sum(one.solved for one in found) / total:.1%} solved",
        f"  mid IV and Greeks           {total / once:10,.0f} contracts/s",
        f"  bid and ask IV added        {total / all_three:10,.0f} contracts/s",
        "  a contract and core: "
        f"mid IV {each['mid']:.2f}, Greeks {each['greeks']:.2f}, bid and ask {each['sides']:.2f} us",
        f"  round trip of IV: p50 {error[0]:.1e}, p99 {error[1]:.1e}, max {error[2]:.1e}",
        f"  peak memory, all processes  {sum(one.peak_mib for one in found):10,.0f} MiB",
    ]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickers", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--quantlib", type=int, default=300, help="how many contracts QuantLib inverts")
    options = parser.parse_args()
    measured = {kind: measure(options.tickers, options.processes, kind == KINDS[1]) for kind in KINDS}
    theirs = quantlib_rate(options.quantlib)
    for kind, found in measured.items():
        print("\n".join(lines(kind, found, options.tickers // options.processes * options.processes)))
        once = max(one.mid + one.greeks for one in found)
        rate = options.tickers * CONTRACTS / once
        print(f"  against QuantLib's impliedVolatility() alone, {theirs:,.0f}/s: {rate / theirs:,.0f} times")


if __name__ == "__main__":
    main()
