"""Volatility over tenor: constant maturities and forward volatilities, from the volatilities at the forward.

Everything is linear in total variance (volatility² times tenor) between expirations, and nothing is extrapolated.
Total variance cannot fall with tenor: of points that break this the longest non-decreasing run is kept and the rest
left out, so that one bad expiration moves no figure; of runs equally long the one whose volatility varies least, then
the one that ends last. Variance of known events makes it rise in steps, which is no breach. What neither falls nor is
fallen from, a first point too low or a last one too high, cannot be told from such a step and stays.

Source: Cboe, "Volatility index methodology: Cboe Volatility Index" (interpolation of total variance between terms).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.analytics.terms import Booleans, Floats, Integers

MATURITIES = (7, 14, 30, 60, 90, 180)
DAYS_A_YEAR = 365.0
# A fall of total variance within this share is the noise of quotes.
TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class TermStructure:
    """Volatilities at the forward of one ticker's expirations, tenors ascending, shape (m,).

    Attributes:
        tenor: years.
        sigma: decimal per year.
        used: whether the point is part of the longest run without falling total variance.
    """

    tenor: Floats
    sigma: Floats
    used: Booleans

    @property
    def total_variance(self) -> Floats:
        """Volatility² times tenor, shape (m,)."""
        variance: Floats = self.sigma**2 * self.tenor
        return variance


def term_structure(tenor: Floats, sigma: Floats) -> TermStructure:
    """Return the points in order, with those marked that figures rest on; NaN volatilities are never used."""
    order = np.argsort(tenor, kind="stable")
    tenor, sigma = tenor[order], sigma[order]
    used = np.zeros(tenor.shape, dtype=bool)
    known = np.flatnonzero(np.isfinite(sigma) & (sigma > 0) & (tenor > 0))
    used[known[_longest_rise(sigma[known] ** 2 * tenor[known], sigma[known])]] = True
    return TermStructure(tenor, sigma, used)


def constant_maturity(terms: TermStructure, days: float) -> tuple[float | None, str | None]:
    """Return the volatility of a maturity of ``days`` calendar days.

    None with ``no_implied_volatility`` without points, ``extrapolation`` where the maturity is not between two.
    """
    around = bracket(terms, days)
    if around is None:
        return None, "extrapolation" if terms.used.any() else "no_implied_volatility"
    return interpolated(terms, terms.sigma, around, days), None


def bracket(terms: TermStructure, days: float) -> tuple[int, int] | None:
    """Return the places of the used points before and after a maturity (one twice where it is met), None without."""
    at = days / DAYS_A_YEAR
    places = np.flatnonzero(terms.used)
    before, after = places[terms.tenor[places] <= at], places[terms.tenor[places] >= at]
    if not before.size or not after.size:
        return None
    return int(before[-1]), int(after[0])


def interpolated(terms: TermStructure, sigma: Floats, around: tuple[int, int], days: float) -> float | None:
    """Return a volatility at a maturity, linear in total variance between two points; None where one is NaN.

    Args:
        terms: whose tenors.
        sigma: the volatilities to interpolate, shape (m,).
        around: see bracket.
        days: the maturity.
    """
    first, second = around
    at, near, far = days / DAYS_A_YEAR, terms.tenor[first], terms.tenor[second]
    low, high = sigma[first] ** 2 * near, sigma[second] ** 2 * far
    share = 0.0 if far == near else (at - near) / (far - near)
    variance = low + share * (high - low)
    return float(np.sqrt(variance / at)) if np.isfinite(variance) and variance >= 0 else None


def forward_volatilities(terms: TermStructure) -> Floats:
    """Return at each used point the volatility between the used point before and it (from now for the first).

    NaN elsewhere, and where variance does not rise. Shape (m,).
    """
    forward = np.full(terms.tenor.shape, np.nan)
    places = np.flatnonzero(terms.used)
    variance, tenor = terms.total_variance[places], terms.tenor[places]
    gained, spent = np.diff(variance, prepend=0.0), np.diff(tenor, prepend=0.0)
    rises = (gained > 0) & (spent > 0)
    forward[places[rises]] = np.sqrt(gained[rises] / spent[rises])
    return forward


def _longest_rise(variance: Floats, sigma: Floats) -> Integers:
    """Return the places of the longest run that does not fall; see the module for which of equals.

    Args:
        variance: total variance by tenor, shape (k,).
        sigma: volatility, above 0, shape (k,).
    """
    size = len(variance)
    if not size:
        return np.zeros(0, dtype=np.intp)
    length, varied = np.ones(size, dtype=np.intp), np.zeros(size)
    before = np.full(size, -1, dtype=np.intp)
    level = np.log(sigma)
    for place in range(size):
        fits = np.flatnonzero(variance[:place] * (1.0 - TOLERANCE) <= variance[place])
        if fits.size:
            path = varied[fits] + np.abs(level[place] - level[fits])
            best = np.lexsort((-fits, path, -length[fits]))[0]
            length[place], varied[place], before[place] = length[fits[best]] + 1, path[best], fits[best]
    place = int(np.lexsort((-np.arange(size), varied, -length))[0])
    run: list[int] = []
    while place >= 0:
        run.append(place)
        place = int(before[place])
    return np.array(run[::-1], dtype=np.intp)
