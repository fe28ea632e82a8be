"""Lines and levels through points of many groups at once, each holding against a minority of bad points.

Weighted least squares, repeated with the weights of points that lie far off taken down (Cauchy's weights at twice the
group's own scale, which is settled in the first rounds).

Source: P. J. Huber and E. M. Ronchetti, Robust Statistics, 2nd ed. (2009), chapter 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.analytics.terms import Floats, Integers

ROUNDS, SCALED = 6, 2
# Residuals are taken in units of their stated errors; their scale is taken for no smaller than this.
LEAST_SCALE = 0.3
TUNING = 2.0
MEDIAN_TO_DEVIATION = 1.4826


@dataclass(frozen=True, slots=True)
class Lines:
    """y = level + slope x of each group, shape (m,), NaN where a group has too few points.

    ``slope_error`` takes the points' errors for wholly alike: it does not shrink with their number.
    """

    level: Floats
    slope: Floats
    slope_error: Floats


@dataclass(frozen=True, slots=True)
class Levels:
    """The level of each group and its standard error, shape (m,), NaN for a group without points."""

    level: Floats
    error: Floats


def group_medians(values: Floats, group: Integers, groups: int) -> Floats:
    """Return the median of each group's values, NaN for a group without any."""
    order = np.lexsort((values, group))
    counts = np.bincount(group, minlength=groups)
    starts = np.cumsum(counts) - counts
    medians = np.full(groups, np.nan)
    some = counts > 0
    ordered = values[order]
    low, high = starts[some] + (counts[some] - 1) // 2, starts[some] + counts[some] // 2
    medians[some] = (ordered[low] + ordered[high]) / 2
    return medians


def weighted_medians(values: Floats, weight: Floats, group: Integers, groups: int) -> Floats:
    """Return the value of each group below which half its weight lies, NaN for a group without any."""
    order = np.lexsort((values, group))
    ordered = group[order]
    below = np.cumsum(weight[order])
    total = _sums(weight, group, groups)
    before = np.cumsum(total) - total
    reached = np.flatnonzero(below - before[ordered] >= (1.0 - 1e-9) * total[ordered] / 2.0)
    found, first = np.unique(ordered[reached], return_index=True)
    medians = np.full(groups, np.nan)
    medians[found] = values[order[reached[first]]]
    return medians


def robust_lines(x: Floats, y: Floats, error: Floats, group: Integers, guess: Floats, least: int = 4) -> Lines:
    """Return the line of each group with at least ``least`` points.

    Args:
        x, y: shape (n,).
        error: standard error of each y, above 0.
        group: each point's group.
        guess: a slope near each group's, shape (m,): where the search begins, so that one far point does not turn it.
        least: fewer points give no line.
    """
    groups = len(guess)
    enough = np.bincount(group, minlength=groups) >= least
    kept = enough[group]
    x, y, error, group = x[kept], y[kept], error[kept], group[kept]
    trusted = 1.0 / error**2
    rest = y - guess[group] * x
    residual = (rest - weighted_medians(rest, 1.0 / error, group, groups)[group]) / error
    with np.errstate(invalid="ignore", divide="ignore"):
        for number in range(ROUNDS):
            if number < SCALED:
                scale = TUNING * _scale(residual, group, groups)[group]
            weights = trusted / (1.0 + (residual / scale) ** 2)
            total, mean_x, mean_y, spread = _moments(x, y, weights, group, groups)
            slope = _sums((x - mean_x[group]) * (y - mean_y[group]) * weights, group, groups) / total / spread
            residual = (y - mean_y[group] - slope[group] * (x - mean_x[group])) / error
        alike = np.sqrt(np.bincount(group, minlength=groups) / _sums(trusted, group, groups))
        own = np.maximum(group_medians(np.abs(residual), group, groups) * MEDIAN_TO_DEVIATION, 1.0)
        slope_error = own * alike / np.sqrt(spread)
    usable = enough & (spread > 0)
    return Lines(
        np.where(usable, mean_y - slope * mean_x, np.nan),
        np.where(usable, slope, np.nan),
        np.where(usable, slope_error, np.nan),
    )


def robust_levels(y: Floats, error: Floats, group: Integers, groups: int) -> Levels:
    """Return the level of each group's points; ``error`` is the standard error of each y."""
    trusted = 1.0 / error**2
    counts = np.bincount(group, minlength=groups)
    level = weighted_medians(y, 1.0 / error, group, groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        for number in range(ROUNDS):
            residual = (y - level[group]) / error
            if number < SCALED:
                scale = TUNING * _scale(residual, group, groups)[group]
            weights = trusted / (1.0 + (residual / scale) ** 2)
            level = _sums(weights * y, group, groups) / _sums(weights, group, groups)
        own = np.maximum(group_medians(np.abs(residual), group, groups) * MEDIAN_TO_DEVIATION, LEAST_SCALE)
        deviation = own * np.sqrt(1.0 / _sums(weights, group, groups))
    return Levels(np.where(counts > 0, level, np.nan), np.where(counts > 0, deviation, np.nan))


def _scale(residual: Floats, group: Integers, groups: int) -> Floats:
    medians = group_medians(np.abs(residual), group, groups)
    return np.maximum(medians * MEDIAN_TO_DEVIATION, LEAST_SCALE)


def _sums(values: Floats, group: Integers, groups: int) -> Floats:
    return np.asarray(np.bincount(group, weights=values, minlength=groups), dtype=np.float64)


def _moments(
    x: Floats, y: Floats, weights: Floats, group: Integers, groups: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return each group's total weight, means of x and y, and variance of x."""
    total = _sums(weights, group, groups)
    mean_x, mean_y = _sums(weights * x, group, groups) / total, _sums(weights * y, group, groups) / total
    spread = _sums(weights * (x - mean_x[group]) ** 2, group, groups) / total
    return total, mean_x, mean_y, spread
