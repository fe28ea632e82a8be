"""What chains of many tenors show together: the rate by tenor, and the price of a share for delivery by tenor.

Both are Gaussian processes over the tenor, conditioned on what each chain shows with its error; a chain that the others
contradict is left out.

Source: C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning (2006), chapters 2 and 5 (the
leave-one-out formulas 5.10 to 5.12).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.analytics.median import median
from collector.analytics.robust_lines import weighted_medians
from collector.analytics.terms import Booleans, Floats

# How many deviations from what the others show make a chain one to leave out.
TOO_FAR = 4.0
MEDIAN_TO_DEVIATION = 1.4826
# Rates are alike where ln(tenor + SHORTEST) is within REACH.
SHORTEST, REACH = 0.05, 0.7
LEAST_RATE_ERROR = 1e-4
# What is not known of a yield ahead of any quote, per year (of one that the chains show plainly, so many times that),
# and how prices for delivery wander off a steady yield, per
# root of a year: cash dividends that nobody stated step by half a per cent at a time.
YIELD_DEVIATION, STEEP = 0.03, 2.0
WANDER_UNKNOWN, WANDER_KNOWN = 0.01, 0.004
LEVEL_DEVIATION = 1.0


@dataclass(frozen=True, slots=True)
class RatePrior:
    """How far the rate that quotes show may be off the curve: all tenors together, and each by itself."""

    level: float
    shape: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Mean and standard deviation at each tenor; ``used`` says which chains the curve was drawn through."""

    mean: Floats
    deviation: Floats
    used: Booleans


def rates(tenor: Floats, shown: Floats, error: Floats, common: Floats, prior: Floats, trust: RatePrior) -> Curve:
    """Return the rate to each tenor, shape (m,).

    Args:
        tenor: years.
        shown: the rate that each chain's own quotes show, NaN for none.
        error: its standard error, each chain's own.
        common: the part of its error that all chains share, standard deviation.
        prior: the curve's rate.
        trust: how far off it the rate may be.
    """
    place = np.log(tenor + SHORTEST)
    alike = np.exp(-((place[:, None] - place[None, :]) ** 2) / (2.0 * REACH**2))
    covariance = trust.level**2 + trust.shape**2 * alike
    noise = np.diag(error**2 + LEAST_RATE_ERROR**2) + np.outer(common, common)
    used = np.isfinite(shown) & np.isfinite(error)
    for _ in range(3):
        mean, deviation = _posterior(covariance, covariance, np.diag(covariance), noise, shown - prior, used)
        with np.errstate(invalid="ignore"):
            off = np.abs(shown - prior - mean) / np.sqrt(np.diag(noise) + deviation**2)
        typical = median(off[used]) * MEDIAN_TO_DEVIATION if used.any() else 1.0
        out = used & (off > TOO_FAR * max(typical, 1.0))
        if not out.any():
            break
        used &= ~out
    return Curve(prior + mean, deviation, used)


def carried_spot(tenor: Floats, shown: Floats, error: Floats, wander: float, at: Floats) -> tuple[Curve, Floats]:
    """Return ln of the discounted forward with the dividends put back, at the tenors ``at``, and who contradicts whom.

    At tenor 0 it is ln of the spot.

    Args:
        tenor: years, shape (m,).
        shown: that logarithm by each chain, NaN for none.
        error: its standard error.
        wander: how it wanders off a steady yield, per root of a year.
        at: tenors asked for, shape (j,).

    Returns:
        The curve at ``at`` (``used`` belongs to the m chains), and of each chain how many deviations it lies from what
        the others let one expect, shape (m,), NaN where there is nothing to compare.
    """
    finite = np.isfinite(shown)
    centre = median(shown[finite]) if finite.any() else 0.0
    level = shown - centre
    used = np.isfinite(level) & np.isfinite(error)
    steady = max(YIELD_DEVIATION, STEEP * abs(_steady_slope(tenor[used], level[used])))
    own = _carry_covariance(tenor, tenor, wander, steady)
    noise = np.diag(np.where(np.isfinite(error), error, 1.0) ** 2)
    off = np.full(len(tenor), np.nan)
    while used.sum() >= 3:
        off = _left_out(own, noise, level, used)
        worst = int(np.nanargmax(np.abs(np.where(used, off, 0.0))))
        if abs(off[worst]) <= TOO_FAR:
            break
        used[worst] = False
    across = _carry_covariance(at, tenor, wander, steady)
    mean, deviation = _posterior(own, across, np.diag(_carry_covariance(at, at, wander, steady)), noise, level, used)
    if not used.any():
        mean = np.full(len(at), np.nan)
    return Curve(mean + centre, deviation, used), off


def _steady_slope(tenor: Floats, level: Floats) -> float:
    """Return the slope by tenor that the pairs of points show, 0 without a pair: the median, far pairs counting more.

    Source: P. K. Sen, Journal of the American Statistical Association 63 (1968) 1379-1389, with weights.
    """
    one, other = np.triu_indices(len(tenor), 1)
    years = np.abs(tenor[one] - tenor[other])
    apart = years > 0
    if not apart.any():
        return 0.0
    years, rise = years[apart], (level[one] - level[other])[apart] * np.sign(tenor[one] - tenor[other])[apart]
    nobody = np.zeros(len(years), dtype=np.intp)
    return float(weighted_medians(rise / years, years, nobody, 1)[0])


def _carry_covariance(one: Floats, other: Floats, wander: float, steady: float) -> Floats:
    alike = LEVEL_DEVIATION**2 + steady**2 * one[:, None] * other[None, :]
    return np.asarray(alike + wander**2 * np.minimum(one[:, None], other[None, :]), dtype=np.float64)


def _posterior(
    own: Floats, across: Floats, variance: Floats, noise: Floats, level: Floats, used: Booleans
) -> tuple[Floats, Floats]:
    """Return mean and deviation at the points that ``across`` relates to the observations."""
    at = np.flatnonzero(used)
    if not at.size:
        return np.zeros(len(variance)), np.sqrt(variance)
    seen = own[np.ix_(at, at)] + noise[np.ix_(at, at)]
    solved = np.linalg.solve(seen, np.column_stack([level[at], across[:, at].T]))
    mean = across[:, at] @ solved[:, 0]
    left = variance - np.einsum("ij,ji->i", across[:, at], solved[:, 1:])
    return mean, np.sqrt(np.maximum(left, 0.0))


def _left_out(own: Floats, noise: Floats, level: Floats, used: Booleans) -> Floats:
    """Return how many deviations each used point lies from what the others predict, NaN for the rest."""
    at = np.flatnonzero(used)
    inverse = np.linalg.inv(own[np.ix_(at, at)] + noise[np.ix_(at, at)])
    off = np.full(len(level), np.nan)
    off[at] = (inverse @ level[at]) / np.sqrt(np.diag(inverse))
    return off
