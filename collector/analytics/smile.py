"""The smile of one expiration: volatility at the forward, and a fit over the quotes.

The fit is raw SVI, w(k) = a + b (rho (k - m) + sqrt((k - m)² + s²)), total variance over k = ln(K / F). For given m and
s it is linear in the rest: a grid over m and s with least squares inside, narrowed three times, finds it without a
start. It serves interpolation and charts, never in place of a quote's own volatility.

Sources: J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14 (2014) 59-71;
Zeliade Systems, "Quasi-explicit calibration of Gatheral's SVI model" (2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.analytics.terms import Booleans, Floats

LEAST_POINTS = 5
GRID = 9
NARROWINGS = 4
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
    """Return raw SVI fitted by least squares in volatility, tight quotes weighing more.

    None with ``too_few_quotes`` below five strikes, or ``extrapolation`` where they do not surround the forward.

    Args:
        points: the smile's quotes.
        tenor: years.
    """
    k = points.moneyness
    if k.size < LEAST_POINTS:
        return None, "too_few_quotes"
    if k[0] > 0 or k[-1] < 0:
        return None, "extrapolation"
    variance = points.sigma**2 * tenor
    spread = np.where(np.isfinite(points.spread), points.spread, np.nanmedian(np.append(points.spread, LEAST_SPREAD)))
    weight = 1.0 / np.maximum(spread, LEAST_SPREAD) / (2.0 * points.sigma * tenor)
    weight = np.minimum(weight, 20.0 * np.median(weight))
    m, s, linear = _search(k, variance, weight / weight.max())
    a, d, c = linear
    b = c / s
    rho = float(np.clip(d / c, -1.0, 1.0)) if c > _EPSILON else 0.0
    fitted = np.sqrt(np.maximum(_svi(a, b, rho, m, s, k), 0.0) / tenor)
    residual = np.abs(fitted - points.sigma)
    fit = SmileFit(
        a=a,
        b=b,
        rho=rho,
        m=m,
        sigma=s,
        residual_rms=float(np.sqrt(np.mean(residual**2))),
        residual_max=float(residual.max()),
        points=int(k.size),
        arbitrage_free=_density_is_positive(a, b, rho, m, s, k),
    )
    return fit, None


def _svi(a: float, b: float, rho: float, m: float, s: float, k: Floats) -> Floats:
    shifted = k - m
    variance: Floats = a + b * (rho * shifted + np.sqrt(shifted**2 + s**2))
    return variance


def _search(k: Floats, variance: Floats, weight: Floats) -> tuple[float, float, tuple[float, float, float]]:
    """Return m, s and the linear parameters (a, rho b s, b s) of the best fit on narrowing grids."""
    width = float(k[-1] - k[0])
    low_m, high_m = float(k[0]), float(k[-1])
    low_s, high_s = np.log(1e-3 * width + _EPSILON), np.log(2.0 * width)
    best = (np.inf, 0.0, 1.0, (0.0, 0.0, 0.0))
    for _ in range(NARROWINGS):
        across, up = np.meshgrid(np.linspace(low_m, high_m, GRID), np.linspace(low_s, high_s, GRID))
        m, s = across.ravel(), np.exp(up.ravel())
        linear, error = _linear(k, variance, weight, m, s)
        place = int(np.argmin(error))
        if error[place] < best[0]:
            best = (float(error[place]), float(m[place]), float(s[place]), tuple(linear[place].tolist()))
        reach_m, reach_s = (high_m - low_m) / (GRID - 1) * 1.5, (high_s - low_s) / (GRID - 1) * 1.5
        low_m, high_m = best[1] - reach_m, best[1] + reach_m
        low_s, high_s = np.log(best[2]) - reach_s, np.log(best[2]) + reach_s
    return best[1], best[2], best[3]


def _linear(k: Floats, variance: Floats, weight: Floats, m: Floats, s: Floats) -> tuple[Floats, Floats]:
    """Return a, d = rho b s and c = b s for each (m, s), shape (g, 3), and the squared errors, shape (g,).

    Where the free solution breaks c >= 0 or |d| <= c, d is held at its bound.
    """
    y = (k[None, :] - m[:, None]) / s[:, None]
    z = np.sqrt(y * y + 1.0)
    free = _solve([np.ones_like(y), y, z], variance, weight)
    bent = (free[:, 2] < 0) | (np.abs(free[:, 1]) > free[:, 2])
    if bent.any():
        for side in (1.0, -1.0):
            held = _solve([np.ones_like(y[bent]), z[bent] + side * y[bent]], variance, weight)
            held[:, 1] = np.maximum(held[:, 1], 0.0)
            held[:, 0] = _mean(variance - held[:, 1, None] * (z[bent] + side * y[bent]), weight)
            full = np.stack([held[:, 0], side * held[:, 1], held[:, 1]], axis=1)
            better = (
                np.ones(len(full), dtype=bool)
                if side > 0
                else _error(full, y[bent], z[bent], variance, weight)
                < (_error(free[bent], y[bent], z[bent], variance, weight))
            )
            chosen = free[bent]
            chosen[better] = full[better]
            free[bent] = chosen
    return free, _error(free, y, z, variance, weight)


def _mean(values: Floats, weight: Floats) -> Floats:
    """Return the weighted mean of each row."""
    mean: Floats = (values * weight**2).sum(axis=1) / (weight**2).sum()
    return mean


def _error(linear: Floats, y: Floats, z: Floats, variance: Floats, weight: Floats) -> Floats:
    fitted = linear[:, 0, None] + linear[:, 1, None] * y + linear[:, 2, None] * z
    error: Floats = (((fitted - variance) * weight) ** 2).sum(axis=1)
    return error


def _solve(columns: list[Floats], variance: Floats, weight: Floats) -> Floats:
    """Return the weighted least-squares solution of each row of the grid, a little damped."""
    design = np.stack([column * weight for column in columns], axis=-1)
    normal = np.einsum("gni,gnj->gij", design, design)
    scale = np.einsum("gii->gi", normal)
    normal += np.eye(len(columns)) * (1e-12 * scale.max(axis=1)[:, None, None] + _EPSILON)
    right = np.einsum("gni,n->gi", design, variance * weight)
    solved: Floats = np.linalg.solve(normal, right[..., None])[..., 0]
    return solved


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
