"""The smile of one expiration: volatility at the forward, and a fit over the quotes.

The fit is raw SVI, w(k) = a + b (rho (k - m) + sqrt((k - m)² + s²)), total variance over k = ln(K / F). For given m and
s it is linear in the rest: a grid over m and s with least squares inside, narrowed three times, finds it without a
start. It serves interpolation and charts, never in place of a quote's own volatility.

Sources: J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14 (2014) 59-71;
Zeliade Systems, "Quasi-explicit calibration of Gatheral's SVI model" (2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collector.analytics.terms import Booleans, Floats

LEAST_POINTS = 5
GRID = 8
NARROWINGS = 5
# How many of a grid's steps the next one reaches either way.
REACH = 1.3
# Spreads below this say no more of where the smile is.
LEAST_SPREAD = 0.002
_EPSILON = 1e-12


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
class SmileFit:
    """Raw SVI and how well it fits; ``residual`` figures in volatility."""

    a: float
    b: float
    rho: float
    m: float
    sigma: float
    residual_rms: float
    residual_max: float
    points: int
    arbitrage_free: bool

    def total_variance(self, moneyness: Floats) -> Floats:
        """Return w(k)."""
        return _svi(self.a, self.b, self.rho, self.m, self.sigma, moneyness)


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
    strikes, first = np.unique(strike[order], return_index=True)
    rows = order[first]
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
    if not fit:
        return found
    longest = max(chains[place].moneyness.size for place in fit)
    k, variance, weight = (np.zeros((len(fit), longest)) for _ in range(3))
    for row, place in enumerate(fit):
        points, size = chains[place], chains[place].moneyness.size
        k[row, :size], k[row, size:] = points.moneyness, points.moneyness[-1]
        variance[row, :size] = points.sigma**2 * tenor[place]
        weight[row, :size] = _weights(points, float(tenor[place]))
    m, s, linear = _search(k, variance, weight)
    for row, place in enumerate(fit):
        parameters = (float(m[row]), float(s[row]), *linear[row].tolist())
        found[place] = (_described(chains[place], float(tenor[place]), *parameters), None)
    return found


def _unfit(points: Points) -> str | None:
    """Return why no smile can be fitted."""
    k = points.moneyness
    if k.size < LEAST_POINTS:
        return "too_few_quotes"
    return "extrapolation" if k[0] > 0 or k[-1] < 0 else None


def _weights(points: Points, tenor: float) -> Floats:
    """Return weights in total variance: the tighter a quote's band of volatility, the more it weighs."""
    known = points.spread[np.isfinite(points.spread)]
    usual = float(np.median(known)) if known.size else LEAST_SPREAD
    spread = np.where(np.isfinite(points.spread), points.spread, usual)
    weight = 1.0 / np.maximum(spread, LEAST_SPREAD) / (2.0 * points.sigma * tenor)
    weight = np.minimum(weight, 20.0 * np.median(weight))
    return np.asarray(weight / weight.max(), dtype=np.float64)


def _described(points: Points, tenor: float, m: float, s: float, a: float, d: float, c: float) -> SmileFit:
    """Return the parameters with how well they fit."""
    b = c / s
    rho = float(np.clip(d / c, -1.0, 1.0)) if c > _EPSILON else 0.0
    fitted = np.sqrt(np.maximum(_svi(a, b, rho, m, s, points.moneyness), 0.0) / tenor)
    residual = np.abs(fitted - points.sigma)
    return SmileFit(
        a=a,
        b=b,
        rho=rho,
        m=m,
        sigma=s,
        residual_rms=float(np.sqrt(np.mean(residual**2))),
        residual_max=float(residual.max()),
        points=int(points.moneyness.size),
        arbitrage_free=_density_is_positive(a, b, rho, m, s, points.moneyness),
    )


def _svi(a: float, b: float, rho: float, m: float, s: float, k: Floats) -> Floats:
    shifted = k - m
    variance: Floats = a + b * (rho * shifted + np.sqrt(shifted**2 + s**2))
    return variance


def _search(k: Floats, variance: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return m, s, each (c,), and the linear parameters (a, rho b s, b s), (c, 3), of the best fits.

    Args:
        k, variance, weight: shape (c, n), a chain a row, padded with points of weight 0.
    """
    width = k[:, -1] - k[:, 0]
    low_m, high_m = k[:, 0].copy(), k[:, -1].copy()
    low_s, high_s = np.log(1e-3 * width + _EPSILON), np.log(2.0 * width)
    steps = np.linspace(0.0, 1.0, GRID)
    across, up = (axis.ravel() for axis in np.meshgrid(steps, steps))
    rows = np.arange(len(k))
    best_error = np.full(len(k), np.inf)
    best_m, best_s, best = np.zeros(len(k)), np.ones(len(k)), np.zeros((len(k), 3))
    for _ in range(NARROWINGS):
        m = low_m[:, None] + (high_m - low_m)[:, None] * across
        s = np.exp(low_s[:, None] + (high_s - low_s)[:, None] * up)
        linear, error = _linear(k, variance, weight, m, s)
        place = np.argmin(error, axis=1)
        better = error[rows, place] < best_error
        chosen = rows[better], place[better]
        best_error[better], best_m[better], best_s[better] = error[chosen], m[chosen], s[chosen]
        best[better] = linear[chosen]
        reach_m, reach_s = (high_m - low_m) * REACH / (GRID - 1), (high_s - low_s) * REACH / (GRID - 1)
        low_m, high_m = best_m - reach_m, best_m + reach_m
        low_s, high_s = np.log(best_s) - reach_s, np.log(best_s) + reach_s
    return best_m, best_s, best


def _linear(k: Floats, variance: Floats, weight: Floats, m: Floats, s: Floats) -> tuple[Floats, Floats]:
    """Return a, d = rho b s and c = b s for each (m, s), shape (c, g, 3), and the squared errors, shape (c, g).

    Where the free solution breaks c >= |d|, d is held at its bound.
    """
    y = (k[:, None, :] - m[:, :, None]) / s[:, :, None]
    z = np.sqrt(y * y + 1.0)
    squared, target = weight**2, weight**2 * variance
    total = squared.sum(axis=1)[:, None]
    # Sums over the points: weights, y, z, their products, and each with the target.
    sums = {
        "y": (y @ squared[:, :, None])[:, :, 0],
        "z": (z @ squared[:, :, None])[:, :, 0],
        "yy": ((y * y) @ squared[:, :, None])[:, :, 0],
        "yz": ((y * z) @ squared[:, :, None])[:, :, 0],
        "ty": (y @ target[:, :, None])[:, :, 0],
        "tz": (z @ target[:, :, None])[:, :, 0],
        "t": np.broadcast_to(target.sum(axis=1)[:, None], m.shape),
    }
    # z² = y² + 1.
    sums["zz"] = sums["yy"] + total
    a, d, c = _three(sums, total)
    for side in (1.0, -1.0):
        bent = (side * d > c) | ((c < 0) & (side * d >= 0))
        held_a, held_c = _two(sums, total, side)
        a, c = np.where(bent, held_a, a), np.where(bent, held_c, c)
        d = np.where(bent, side * held_c, d)
    fitted = a[:, :, None] + d[:, :, None] * y + c[:, :, None] * z
    error = (((fitted - variance[:, None, :]) ** 2) @ squared[:, :, None])[:, :, 0]
    return np.stack([a, d, c], axis=-1), error


def _three(sums: dict[str, Floats], total: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the weighted least-squares solution in a, d, c, by elimination of a."""
    yy = sums["yy"] - sums["y"] ** 2 / total
    zz = sums["zz"] - sums["z"] ** 2 / total
    yz = sums["yz"] - sums["y"] * sums["z"] / total
    ty = sums["ty"] - sums["t"] * sums["y"] / total
    tz = sums["tz"] - sums["t"] * sums["z"] / total
    determinant = yy * zz - yz**2
    safe = np.where(np.abs(determinant) > 1e-14 * np.abs(yy * zz) + _EPSILON**2, determinant, np.inf)
    d, c = (ty * zz - tz * yz) / safe, (tz * yy - ty * yz) / safe
    return (sums["t"] - d * sums["y"] - c * sums["z"]) / total, d, c


def _two(sums: dict[str, Floats], total: Floats, side: float) -> tuple[Floats, Floats]:
    """Return the solution in a and c with d = side c, c not below 0."""
    first = sums["z"] + side * sums["y"]
    second = sums["zz"] + sums["yy"] + 2.0 * side * sums["yz"] - first**2 / total
    cross = sums["tz"] + side * sums["ty"] - sums["t"] * first / total
    c = np.maximum(cross / np.maximum(second, _EPSILON), 0.0)
    return (sums["t"] - c * first) / total, c


def _density_is_positive(a: float, b: float, rho: float, m: float, s: float, k: Floats) -> bool:
    """Say whether Durrleman's condition holds over the quoted strikes."""
    at = np.linspace(k[0], k[-1], 101)
    w = _svi(a, b, rho, m, s, at)
    if (w <= 0).any():
        return False
    root = np.sqrt((at - m) ** 2 + s**2)
    slope, bend = b * (rho + (at - m) / root), b * s**2 / root**3
    density = (1.0 - at * slope / (2.0 * w)) ** 2 - slope**2 / 4.0 * (1.0 / w + 0.25) + bend / 2.0
    return bool((density >= 0).all())
