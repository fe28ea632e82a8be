"""What early exercise adds to American options on a share that pays cash dividends, by trinomial trees.

The escrowed spot (the spot less the present value of the dividends before settlement) is lognormal; exercise gets the
spot with the dividends that are still to come. The tree is of the Brownian motion behind it, in units of the root of
the tenor: its nodes are the same for all volatilities, so all contracts of a chain share it. Its steps meet every
ex-date. The last step is Black-76, which makes the values smooth; American less European value of the same tree is then
extrapolated from a tree and one of twice the steps (M. Broadie and J. Detemple, "American option valuation", Review of
Financial Studies 9 (1996), 1211-1250, do both with binomial trees).

The demo keeps its own pricing, apart from the analytics, so that its true values can judge them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collector.providers.demo.draws import FloatArray, IntArray
from collector.providers.demo.options import Options
from collector.providers.demo.pricing import black_76

# Steps of the smaller tree for a tenor of one year; the premium in units of vega goes with the root of the tenor.
STEPS_A_YEAR = 40.0
LEAST_STEPS = 6
# Nodes reach this many standard deviations of the tenor; a trinomial step of 1/6, 2/3, 1/6 is 3 variances wide.
_REACH = 4.5
_VARIANCES = 3.0


def premium(options: Options, steps_a_year: float = STEPS_A_YEAR) -> FloatArray:
    """Return what early exercise adds, dollars a share, shape (n,); exactly 0 where it never pays.

    Not for negative rates. ``steps_a_year`` is the smaller tree's; its steps go with the root of the tenor.
    """
    added = np.zeros(len(options.strike))
    pays = may_pay(options)
    if pays.any():
        some = options.of(pays)
        counts = _counts(some, steps_a_year)
        coarse, fine = _difference(some, counts), _difference(some, 2 * counts)
        extrapolated = 2.0 * fine - coarse
        added[pays] = np.maximum(extrapolated, 0.0)
    return added


def may_pay(options: Options) -> NDArray[np.bool_]:
    """Say which options early exercise can pay for: puts, and calls before a dividend above the strike's interest."""
    until = np.concatenate([options.time[1:], options.tenor[None, :]])
    interest = -options.strike * np.expm1(-options.rate * (until - options.time))
    called = np.any(options.amount > interest, axis=0)
    pays: NDArray[np.bool_] = (options.sign < 0) & (options.rate > 0) | called & (options.sign > 0)
    return pays


def _counts(options: Options, steps_a_year: float) -> IntArray:
    """Return how many steps each stretch between ex-dates gets."""
    ends = np.concatenate([np.zeros((1, len(options.tenor))), options.time, options.tenor[None, :]])
    share = (np.diff(ends, axis=0) / options.tenor).max(axis=1)
    total = max(LEAST_STEPS, steps_a_year * float(np.sqrt(options.tenor.max())))
    counts: IntArray = np.maximum(np.ceil(share * total), 1).astype(np.int64)
    return counts


def _difference(options: Options, counts: IntArray) -> FloatArray:
    """Return American less European value of one tree with ``counts`` steps in the stretches between ex-dates."""
    tenor, rate, sigma, sign = options.tenor, options.rate, options.sigma, options.sign
    ends = np.concatenate([np.zeros((1, len(tenor))), options.time, tenor[None, :]])
    steps = np.repeat(np.diff(ends, axis=0) / counts[:, None], counts, axis=0)
    width = np.sqrt(_VARIANCES * steps.max(axis=0))
    total = len(steps)
    reach = min(total - 1, int(np.ceil(_REACH * np.sqrt((tenor / width**2).max()))))
    spread = options.escrowed * np.exp(sigma * width * np.arange(-reach, reach + 1)[:, None])
    drift, signed, bound = rate - sigma**2 / 2, sign * spread, sign * options.strike
    worth = _Worth(options, counts)
    elapsed = tenor - steps[-1]
    european = black_76(
        spread * np.exp(drift * elapsed + rate * steps[-1]),
        options.strike,
        steps[-1],
        sigma,
        np.exp(-rate * steps[-1]),
        sign,
    )
    american = np.maximum(european, signed * np.exp(drift * elapsed) + (sign * worth.at(total - 1, elapsed) - bound))
    for number in range(total - 2, -1, -1):
        step = steps[number]
        elapsed = elapsed - step
        discount = np.exp(-rate * step)
        outer = discount * step / (2.0 * width**2)
        inner = discount - 2.0 * outer
        near = min(number, reach)
        european, american = (_back(values, outer, inner, near) for values in (european, american))
        exercise = signed[reach - near : reach + near + 1] * np.exp(drift * elapsed)
        exercise += sign * worth.at(number, elapsed) - bound
        np.maximum(american, exercise, out=american)
    found: FloatArray = american[0] - european[0]
    return found


def _back(values: FloatArray, outer: FloatArray, inner: FloatArray, near: int) -> FloatArray:
    """Return the discounted expectation one step earlier, at the nodes -near to near."""
    earlier = values[2:] + values[:-2]
    earlier *= outer
    earlier += inner * values[1:-1]
    if len(earlier) == 2 * near + 1:
        return earlier
    # At the tree's edge the values are drawn on straight.
    whole = np.empty((2 * near + 1, values.shape[1]))
    whole[1:-1] = earlier
    whole[0], whole[-1] = 2.0 * earlier[0] - earlier[1], 2.0 * earlier[-1] - earlier[-2]
    return whole


class _Worth:
    """What the dividends still to come are worth at the tree's moments."""

    def __init__(self, options: Options, counts: IntArray) -> None:
        self._rate = options.rate
        self._called = options.sign > 0
        now = options.amount * np.exp(-options.rate * options.time)
        later = np.cumsum(now[::-1], axis=0)[::-1]
        self._from = np.concatenate([later, np.zeros((1, len(options.rate)))])
        self._ends = np.cumsum(counts)

    def at(self, number: int, elapsed: FloatArray) -> FloatArray:
        """Return it at the beginning of a step: on an ex-date a call is exercised before it, a put after it."""
        following = int(np.searchsorted(self._ends, number, side="right"))
        ahead = self._from[following]
        if following and self._ends[following - 1] == number:
            ahead = np.where(self._called, self._from[following - 1], ahead)
        worth: FloatArray = ahead * np.exp(self._rate * elapsed)
        return worth
