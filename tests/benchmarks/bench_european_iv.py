"""European volatilities on one core: `python -m tests.benchmarks.bench_european_iv [--contracts 200000] [--rounds 7]`.

Two populations: chains as they are quoted, and a hard grid of strikes to 3 deviations and total deviations of .001 to
4. Prints the median contracts a second of ours and of a loop over vollib's function for prices on a forward, as many
of the same contracts as it does in a comparable time, and the median of the rounds' ratios. Rounds take turns, so
that a busy machine bears on both. All arguments are made before the clock starts: vollib is given plain floats.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from dataclasses import dataclass

# One thread: set before numpy is imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
from vollib.black.implied_volatility import implied_volatility as vollib_volatility

from collector.analytics import black76
from collector.analytics import implied_volatility as inversion

LEAST_RATIO = 50.0
# A ticker's contracts are inverted together, not a market's.
AT_ONCE = 1500
LOOPED = 5_000


@dataclass(frozen=True)
class Contracts:
    """Out-of-the-money prices with their true volatilities, shape (n,) each."""

    price: np.ndarray
    forward: np.ndarray
    strike: np.ndarray
    tenor: np.ndarray
    rate: np.ndarray
    sign: np.ndarray
    sigma: np.ndarray

    def ours(self) -> tuple[float, np.ndarray]:
        """Return the seconds that ours took, and its volatilities."""
        found = []
        began = time.perf_counter()
        for first in range(0, len(self.price), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            tenor = self.tenor[some]
            discount = np.exp(-self.rate[some] * tenor)
            one = inversion.european(
                self.price[some], self.forward[some], self.strike[some], tenor, discount, self.sign[some]
            )
            found.append(one.sigma)
        return time.perf_counter() - began, np.concatenate(found)

    def theirs(self, count: int) -> tuple[float, np.ndarray]:
        """Return the seconds that vollib took for ``count`` contracts, and its volatilities."""
        some = np.linspace(0, len(self.price) - 1, count).astype(int)
        columns = (self.price, self.forward, self.strike, self.rate, self.tenor)
        sides = ["c" if sign > 0 else "p" for sign in self.sign[some]]
        rows = list(zip(*(column[some].tolist() for column in columns), sides, strict=True))
        found = []
        began = time.perf_counter()
        for row in rows:
            found.append(vollib_volatility(*row))
        taken = time.perf_counter() - began
        return taken, np.abs(np.array(found) - self.sigma[some])


def contracts(forward: np.ndarray, deviations: np.ndarray, tenor: np.ndarray, sigma: np.ndarray) -> Contracts:
    """Return contracts so many deviations from their forward."""
    strike = forward * np.exp(deviations * sigma * np.sqrt(tenor))
    sign, rate = np.where(strike >= forward, 1.0, -1.0), np.full(len(forward), 0.04)
    price = black76.price(forward, strike, tenor, sigma, np.exp(-rate * tenor), sign)
    return Contracts(price, forward, strike, tenor, rate, sign, sigma)


def quoted(count: int) -> Contracts:
    """Return what chains hold: a day to two years and a half, strikes within 2.5 deviations."""
    random = np.random.default_rng(1)
    tenor = np.exp(random.uniform(np.log(1 / 365), np.log(2.5), count))
    return contracts(
        random.uniform(20, 600, count), random.uniform(-2.5, 2.5, count), tenor, random.uniform(0.08, 1.0, count)
    )


def hard(count: int) -> Contracts:
    """Return contracts of total deviations .001 to 4, strikes within 3 of them."""
    random = np.random.default_rng(2)
    total = np.exp(random.uniform(np.log(1e-3), np.log(4.0), count))
    tenor = np.full(count, 0.25)
    return contracts(np.full(count, 100.0), random.uniform(-3.0, 3.0, count), tenor, total / np.sqrt(tenor))


def measure(name: str, some: Contracts, rounds: int) -> float:
    """Print a population's figures; return the median ratio."""
    some.ours()
    some.theirs(100)
    ours, theirs = [], []
    for _ in range(rounds):
        taken, found = some.ours()
        ours.append(len(found) / taken)
        taken, their_error = some.theirs(LOOPED)
        theirs.append(LOOPED / taken)
    ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
    error = np.abs(found - some.sigma)
    print(
        f"{name}: {len(some.price):,} contracts, {np.isfinite(found).mean():.2%} solved\n"
        f"  ours   {statistics.median(ours):12,.0f} contracts/s, largest error {np.nanmax(error):.1e}\n"
        f"  vollib {statistics.median(theirs):12,.0f} contracts/s, largest error {their_error.max():.1e}\n"
        f"  ratio  {ratio:12.0f} times, median of {rounds} rounds"
    )
    return ratio


def main() -> None:
    """Print the figures; exit with 1 where a ratio falls short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contracts", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    ratios = [
        measure(name, made(options.contracts), options.rounds)
        for name, made in (("quoted chains", quoted), ("hard grid", hard))
    ]
    met = min(ratios) >= LEAST_RATIO
    print(f"must reach {LEAST_RATIO:.0f} times: {'met' if met else 'MISSED'}")
    if not met:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
