"""The smile of one expiration: volatility at the forward, and a fit over the quotes.

The fit is raw SVI (see svi.py). It serves interpolation and charts, never in place of a quote's own volatility: five
numbers do not hold the far wings of a chain, so quotes near the money weigh most. A fit whose variance falls below 0 is
taken only if nothing else is; butterfly arbitrage is told, not forbidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collector.analytics import svi
from collector.analytics.median import median
from collector.analytics.svi import Svi
from collector.analytics.terms import Booleans, Floats

LEAST_POINTS = 5
# Points of smiles that are fitted together.
TOGETHER = 1600
# Spreads below this say no more of where the smile is.
LEAST_SPREAD = 0.002
# The tightest quotes count for no more than this many times the usual one, those far from the money for no less than
# this share of the best.
MOST_TIGHT = 20.0
LEAST_WEIGHT = 1e-3
# Standard deviations from the forward within which a fit's residual is told.
NEAR = 2.5


@dataclass(frozen=True, slots=True)
class Points:
    """The smile's quotes: one a strike, strikes ascending, shape (k,).

    Attributes:
        moneyness: ln(strike / forward).
        sigma: implied volatility of the out-of-the-money side, decimal per year.
        spread: ask_iv - bid_iv of that side, NaN where it is not known.
    """

    moneyness: Floats
    sigma: Floats
    spread: Floats


@dataclass(frozen=True, slots=True)
class SmileFit(Svi):
    """Raw SVI and how well it fits.

    Attributes:
        residual_rms, residual_max: of fit less quotes, in volatility, over the strikes within 2.5 standard deviations
            of the forward.
        points: quotes behind it.
        arbitrage_free: whether the fitted density is nowhere negative over the quoted strikes.
    """

    residual_rms: float
    residual_max: float
    points: int
    arbitrage_free: bool


def smile_points(
    strike: Floats, is_call: Booleans, sigma: Floats, bid_iv: Floats, ask_iv: Floats, forward: float
) -> Points:
    """Return the smile's quotes of one chain: of each strike the out-of-the-money side, else the other.

    Args:
        strike, is_call, sigma, bid_iv, ask_iv: the chain's rows, shape (n,); NaN for null.
        forward: of the chain.
    """
    known = np.flatnonzero(np.isfinite(sigma) & (sigma > 0))
    out = is_call[known] == (strike[known] >= forward)
    order = known[np.lexsort((~out, strike[known]))]
    ordered = strike[order]
    first = np.append(True, ordered[1:] != ordered[:-1])[: ordered.size]
    strikes, rows = ordered[first], order[first]
    return Points(np.log(strikes / forward), sigma[rows], ask_iv[rows] - bid_iv[rows])


def at_the_money(points: Points) -> tuple[float | None, str | None]:
    """Return the volatility at the forward: total variance is linear in moneyness between the strikes around it.

    None with ``no_implied_volatility`` without any quote, ``extrapolation`` where all strikes lie on one side.
    """
    k, variance = points.moneyness, points.sigma**2
    if not k.size:
        return None, "no_implied_volatility"
    if k[0] > 0 or k[-1] < 0:
        return None, "extrapolation"
    return float(np.sqrt(np.interp(0.0, k, variance))), None


def spread_at_the_money(points: Points) -> float:
    """Return ask less bid of the volatility at the forward, linear between the strikes around it; NaN without them."""
    k = points.moneyness
    if not k.size or k[0] > 0 or k[-1] < 0:
        return float("nan")
    return float(np.interp(0.0, k, points.spread))


def fit_smile(points: Points, tenor: float) -> tuple[SmileFit | None, str | None]:
    """Return the fit of one chain; see fit_smiles."""
    return fit_smiles([points], np.array([tenor]))[0]


def fit_smiles(chains: Sequence[Points], tenor: Floats) -> list[tuple[SmileFit | None, str | None]]:
    """Return raw SVI of each chain fitted by least squares in volatility, tight quotes weighing more.

    None with ``too_few_quotes`` below five strikes, or ``extrapolation`` where they do not surround the forward.

    Args:
        chains: the smiles' quotes.
        tenor: years, one a chain.
    """
    found: list[tuple[SmileFit | None, str | None]] = [(None, _unfit(points)) for points in chains]
    fit = [place for place, (_, reason) in enumerate(found) if reason is None]
    # Those of like length together, few enough for the processor's cache.
    fit.sort(key=lambda place: chains[place].moneyness.size)
    while fit:
        longest = chains[fit[-1]].moneyness.size
        count = max(1, TOGETHER // longest)
        together, fit = fit[-count:], fit[:-count]
        fitted = _fit([chains[place] for place in together], tenor[together], longest)
        for place, one in zip(together, fitted, strict=True):
            found[place] = (one, None)
    return found


def _fit(chains: Sequence[Points], tenor: Floats, longest: int) -> list[SmileFit]:
    """Return the fits of chains of ``longest`` points at most."""
    k, variance, weight = (np.zeros((len(chains), longest)) for _ in range(3))
    for row, points in enumerate(chains):
        size = points.moneyness.size
        k[row, :size], k[row, size:] = points.moneyness, points.moneyness[-1]
        variance[row, :size] = points.sigma**2 * tenor[row]
        weight[row, :size] = _weights(points, float(tenor[row]))
    return [
        _described(points, float(tenor[row]), fitted)
        for row, (points, fitted) in enumerate(zip(chains, svi.fit(k, variance, weight), strict=True))
    ]


def _unfit(points: Points) -> str | None:
    """Return why no smile can be fitted."""
    k = points.moneyness
    if k.size < LEAST_POINTS:
        return "too_few_quotes"
    return "extrapolation" if k[0] > 0 or k[-1] < 0 else None


def _weights(points: Points, tenor: float) -> Floats:
    """Return weights in total variance: by the root of vega, and by how tight the quote's band of volatility is.

    Where a band has an end without volatility it counts as the widest: a bid below the bound leaves nearly all open.
    """
    known = points.spread[np.isfinite(points.spread)]
    widest = float(known.max()) if known.size else LEAST_SPREAD
    spread = np.maximum(np.where(np.isfinite(points.spread), points.spread, widest), LEAST_SPREAD)
    tight = 1.0 / (spread * points.sigma)
    # Vega falls off by exp(-z²/2), its root by half of that.
    far = np.exp(-0.25 * points.moneyness**2 / (points.sigma**2 * tenor))
    weight = np.minimum(tight, MOST_TIGHT * median(tight)) * far
    weight = np.maximum(weight / weight.max(), LEAST_WEIGHT)
    return np.asarray(weight, dtype=np.float64)


def _described(points: Points, tenor: float, fitted: Svi) -> SmileFit:
    """Return a fit with how good it is."""
    k = points.moneyness
    residual = np.abs(np.sqrt(np.maximum(fitted.total_variance(k), 0.0) / tenor) - points.sigma)
    near = np.abs(k) <= NEAR * np.interp(0.0, k, points.sigma) * np.sqrt(tenor)
    near |= np.abs(k) == np.abs(k).min()
    return SmileFit(
        a=fitted.a,
        b=fitted.b,
        rho=fitted.rho,
        m=fitted.m,
        sigma=fitted.sigma,
        residual_rms=float(np.sqrt(np.mean(residual[near] ** 2))),
        residual_max=float(residual[near].max()),
        points=int(k.size),
        arbitrage_free=fitted.density_is_positive(float(k[0]), float(k[-1])),
    )
