"""The search for the volatility of American prices.

The premium of early exercise moves little with volatility, and nearly along a line: with the line in its place the
European part is solved for by Halley's steps of its logarithm, and the premium computed anew where the line's own
error could still be seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from collector.analytics.contract_rows import Rows
from collector.analytics.early_exercise import EarlyExercise
from collector.analytics.iv_status import IvStatus
from collector.analytics.terms import Booleans, Floats, Integers

ROUNDS = 10
# After how many rounds a price that says next to nothing of volatility is given up: where of the European vega less
# than a share is left with the premium's.
PATIENCE, SHALLOW = 4, 0.01
HALLEY_STEPS = 2
# The last Halley step that is followed by no other: its error is of the third order.
SMALL_STEP = 2e-3
# How much the premium's slope changes, as a share of it, for each share by which volatility moves, at the most.
BEND = 3.0
# What share of the slope may be wrong of calls around ex-dates, before a second round.
ABOUT = 0.3
# No round moves volatility further than by these factors.
LEAST, MOST = 0.4, 3.0
LIMIT = 1.0 + 1e-9
# A price, as a share of the strike, that is met to this part of the tolerance is met, whatever it says of volatility.
PRICE_PART = 2e-4

_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)


@dataclass(frozen=True, slots=True)
class Start:
    """Where searches begin, shape (n,): a volatility, NaN where none is known, the premium there in dollars a share and
    its slope by volatility, NaN where these are not known.
    """

    sigma: Floats
    premium: Floats
    slope: Floats

    def of(self, rows: Integers) -> Start:
        """Return some of the rows."""
        return Start(self.sigma[rows], self.premium[rows], self.slope[rows])


@dataclass(slots=True)
class _Sought:
    """What is known of rows while their volatility is looked for, shape (n,).

    Prices and premiums are undiscounted, over the geometric mean of forward and strike, ``price`` of the
    out-of-the-money side; ``x`` is -|ln(F / K)|. ``before`` is the volatility one round ago, with its premium's slope.
    """

    at: Integers
    rows: Rows
    price: Floats
    scale: Floats
    x: Floats
    sigma: Floats
    before: Floats
    premium_before: Floats
    slope_before: Floats

    def of(self, keep: Integers) -> _Sought:
        """Return some of the rows."""
        return _Sought(
            self.at[keep],
            self.rows.of(keep),
            self.price[keep],
            self.scale[keep],
            self.x[keep],
            self.sigma[keep],
            self.before[keep],
            self.premium_before[keep],
            self.slope_before[keep],
        )


@dataclass(frozen=True, slots=True)
class _Parabola:
    """The premium near a volatility: its value, slope and bend by volatility, what is in doubt of its slope and how
    much its bend may change, each for 1 of volatility.
    """

    value: Floats
    slope: Floats
    bend: Floats
    doubt: Floats
    change: Floats


def search(
    tables: EarlyExercise, rows: Rows, price: Floats, start: Start, tolerance: float
) -> tuple[Floats, NDArray[np.int8]]:
    """Return volatilities, NaN where none was found, and statuses SOLVED or NOT_CONVERGED.

    Args:
        tables: of the chains.
        rows: sorted contracts that are exercised early at times, shape (n,).
        price: dollars a share, above what exercise pays now.
        start: where to begin.
        tolerance: the share of the volatility by which it may be off.
    """
    found, status = np.full(len(price), np.nan), np.full(len(price), IvStatus.NOT_CONVERGED, dtype=np.int8)
    sought = _begin(rows, price, start.sigma)
    for number in range(ROUNDS):
        premium = _parabola(sought, *_premium(tables, sought, None if number else start))
        after, vega, inner = _halley(sought, premium)
        moved = np.abs(after - sought.sigma)
        off = premium.doubt * moved + premium.change * moved * moved
        left_vega = vega + premium.slope
        close = off <= np.maximum(tolerance * after * left_vega, PRICE_PART * tolerance)
        free = (after > LEAST * LIMIT * sought.sigma) & (after * LIMIT < MOST * sought.sigma)
        done = close & free & (inner <= SMALL_STEP * after)
        found[sought.at[done]], status[sought.at[done]] = after[done], IvStatus.SOLVED
        given_up = (left_vega < SHALLOW * vega) & (number >= PATIENCE)
        left = np.flatnonzero(~done & ~given_up)
        if not left.size:
            break
        sought.before, sought.premium_before, sought.slope_before = sought.sigma, premium.value, premium.slope
        sought.sigma = after
        sought = sought.of(left)
    return found, status


def _begin(rows: Rows, price: Floats, start: Floats) -> _Sought:
    scale = rows.discount * np.sqrt(rows.forward * rows.strike)
    parity = rows.discount * np.maximum(rows.sign * (rows.forward - rows.strike), 0.0)
    unknown = np.full(len(price), np.nan)
    return _Sought(
        at=np.arange(len(price)),
        rows=rows,
        price=(price - parity) / scale,
        scale=scale,
        x=-np.abs(np.log(rows.forward / rows.strike)),
        sigma=start,
        before=unknown,
        premium_before=unknown,
        slope_before=unknown,
    )


def _premium(tables: EarlyExercise, sought: _Sought, start: Start | None) -> tuple[Floats, Floats, Booleans]:
    """Return the premium and its slope, normalised, at the volatilities, or at the start what is known of them there,
    and of which rows the slope is sure.
    """
    rows, sigma = sought.rows, sought.sigma
    sure = ~(rows.dividends & rows.puts.call)
    if start is None:
        value, slope = tables.value_and_slope(rows, sigma)
    else:
        value, slope = start.premium.copy(), start.slope.copy()
        known = np.isfinite(value) & np.isfinite(slope)
        sure |= known
        unknown = np.flatnonzero(~known)
        if unknown.size:
            value[unknown], slope[unknown] = tables.value_and_slope(rows.of(unknown), sigma[unknown])
    return value / sought.scale, slope / sought.scale, sure


def _parabola(sought: _Sought, value: Floats, slope: Floats, sure: Booleans) -> _Parabola:
    """Return the premium near the volatilities; ``sure`` is false where the slope is only about right."""
    sigma, width = sought.sigma, sought.sigma - sought.before
    known = np.isfinite(width) & (width != 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Better than a slope that is about right is that since the last round.
        secant = (value - sought.premium_before) / width
        slope = np.where(known & ~sure, secant, slope)
        bend = np.where(known & sure, (slope - sought.slope_before) / width, 0.0)
    turn = BEND * np.abs(slope) / sigma
    moved = np.where(known, np.abs(width), 0.0)
    doubt = np.where(sure, 0.0, np.where(known, turn * moved, ABOUT * np.abs(slope)))
    change = np.where(known & sure, np.maximum(BEND * np.abs(bend), turn) * moved / sigma, turn)
    return _Parabola(value, slope, bend, doubt, change)


def _halley(sought: _Sought, premium: _Parabola) -> tuple[Floats, Floats, Floats]:
    """Solve with the premium on its parabola; return volatility, the European part's vega, and the last step."""
    root = np.sqrt(sought.rows.tenor)
    rest, fall, curve = sought.price - premium.value, premium.slope / root, premium.bend / sought.rows.tenor
    begin = sought.sigma * root
    deviation = begin
    lowest, highest = LEAST * begin, MOST * begin
    with np.errstate(all="ignore"):
        half = np.exp(sought.x / 2)
        for _ in range(HALLEY_STEPS):
            h, t = sought.x / deviation, deviation / 2
            value = half * ndtr(h + t) - ndtr(h - t) / half
            vega = np.exp(-0.5 * (h * h + t * t)) / _ROOT_TWO_PI
            moved = deviation - begin
            target = rest - (fall + 0.5 * curve * moved) * moved
            up, down = vega / value, (fall + curve * moved) / target
            first = up + down
            second = up * (h * h / deviation - deviation / 4 - up) + down * down + curve / target
            gap = np.log(target) - np.log(value)
            newton = gap / first
            step = newton / np.maximum(1.0 + 0.5 * newton * second / first, 0.5)
            # Where the premium falls as fast as the European part grows, exercise is optimal: only up from there, if
            # the price is worth more. Where the premium takes all of the price the volatility was too high.
            usable = np.isfinite(step) & (first > 0)
            step = np.where(usable, step, np.where(gap > 0, deviation, -0.5 * deviation))
            after = np.clip(deviation + step, lowest, highest)
            step, deviation = np.abs(after - deviation), after
    return deviation / root, vega * root, step / root
