"""Raw SVI: total variance of one expiration, and its least-squares fit.

w(k) = a + b (rho (k - m) + sqrt((k - m)² + s²)), total variance over k = ln(K / F). For given m and s it is linear in
a, d = rho b s and c = b s: least squares with c >= |d| inside a grid over m and s that is narrowed and then descended
from, so that no start is asked for. Chains are fitted side by side.

Sources: J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14 (2014) 59-71;
Zeliade Systems, "Quasi-explicit calibration of Gatheral's SVI model" (2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.analytics.terms import Floats

GRID = 8
# How far each next grid reaches, of the distance to the nodes beside the best.
REACHES = (2.0, 1.4, 1.2)
DESCENTS = 4
DAMPINGS = (1e-6, 1e-3, 0.1, 3.0, 100.0)
# How far beyond the strikes m is looked for at first, of their range.
BEYOND = 0.1
# Bounds of s, of the range of the strikes.
LEAST_BEND, MOST_BEND = 1e-3, 4.0
# What a fit's squared error counts for where its variance falls below 0 somewhere: it is taken if nothing else is.
NEGATIVE = 1e6
DENSITY_POINTS = 101
_EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class Svi:
    """The five parameters; b >= 0, |rho| <= 1, sigma (s above) > 0."""

    a: float
    b: float
    rho: float
    m: float
    sigma: float

    def total_variance(self, moneyness: Floats) -> Floats:
        """Return w(k), the shape of ``moneyness``."""
        shifted = moneyness - self.m
        variance: Floats = self.a + self.b * (self.rho * shifted + np.sqrt(shifted**2 + self.sigma**2))
        return variance

    def density_is_positive(self, low: float, high: float) -> bool:
        """Say whether the density that prices by this smile imply is nowhere negative between two moneynesses.

        That is no butterfly arbitrage: Durrleman's g(k) >= 0, equation 2.1 of Gatheral and Jacquier.
        """
        at = np.linspace(low, high, DENSITY_POINTS)
        w = self.total_variance(at)
        if (w <= 0).any():
            return False
        root = np.sqrt((at - self.m) ** 2 + self.sigma**2)
        slope, bend = self.b * (self.rho + (at - self.m) / root), self.b * self.sigma**2 / root**3
        density = (1.0 - at * slope / (2.0 * w)) ** 2 - slope**2 / 4.0 * (1.0 / w + 0.25) + bend / 2.0
        return bool((density >= 0).all())


def fit(k: Floats, variance: Floats, weight: Floats) -> list[Svi]:
    """Return the fits of c chains by weighted least squares in total variance.

    Args:
        k, variance, weight: shape (c, n), a chain a row, k ascending, padded with points of weight 0 at its last k.
    """
    m, s, linear = _search(k, variance, weight)
    found = []
    for centre, bend, (a, d, c) in zip(m.tolist(), s.tolist(), linear.tolist(), strict=True):
        rho = min(max(d / c, -1.0), 1.0) if c > _EPSILON else 0.0
        found.append(Svi(a, max(c, 0.0) / bend, rho, centre, bend))
    return found


def _search(k: Floats, variance: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return m, s, each (c,), and the linear parameters (a, rho b s, b s), (c, 3), of the best fits.

    Args:
        k, variance, weight: shape (c, n), a chain a row, padded with points of weight 0.
    """
    width = k[:, -1] - k[:, 0]
    centres = _first_centres(k, weight, width)
    levels = np.log(np.geomspace(LEAST_BEND, MOST_BEND, GRID)) + np.log(width)[:, None]
    m, level = _best(k, variance, weight, np.repeat(centres, GRID, axis=1), np.tile(levels, GRID))
    for reach in REACHES:
        centres, levels = _around(centres, m, reach), _around(levels, level, reach)
        offered_m = np.column_stack([m, np.repeat(centres, GRID, axis=1)])
        m, level = _best(k, variance, weight, offered_m, np.column_stack([level, np.tile(levels, GRID)]))
    for _ in range(DESCENTS):
        tried_m, tried_level = _descents(k, variance, weight, m, level)
        lowest, highest = np.log(LEAST_BEND * width)[:, None], np.log(MOST_BEND * width)[:, None]
        m, level = _best(k, variance, weight, tried_m, np.clip(tried_level, lowest, highest))
    linear, _ = _linear(k, variance, weight, m[:, None], np.exp(level)[:, None])
    return m, np.exp(level), linear[:, 0]


def _best(k: Floats, variance: Floats, weight: Floats, m: Floats, level: Floats) -> tuple[Floats, Floats]:
    """Return the m and ln s of least error among those offered, shape (c, g) each."""
    rows = np.arange(len(k))
    place = np.argmin(_linear(k, variance, weight, m, np.exp(level))[1], axis=1)
    return m[rows, place], level[rows, place]


def _first_centres(k: Floats, weight: Floats, width: Floats) -> Floats:
    """Return where m is looked for first, shape (c, GRID): among the points by their weights, and beyond both ends."""
    shares = np.cumsum(weight, axis=1) / weight.sum(axis=1)[:, None]
    among = [np.interp(np.linspace(0.02, 0.98, GRID - 2), share, own) for share, own in zip(shares, k, strict=True)]
    return np.column_stack([k[:, 0] - BEYOND * width, np.array(among), k[:, -1] + BEYOND * width])


def _around(nodes: Floats, best: Floats, reach: float) -> Floats:
    """Return nodes from each row's best to beyond the nodes beside it, shape (c, GRID): a minimum may lie between."""
    nearest = np.argmin(np.abs(nodes - best[:, None]), axis=1)
    rows, last = np.arange(len(nodes)), nodes.shape[1] - 1
    below = best - nodes[rows, np.maximum(nearest - 1, 0)]
    above = nodes[rows, np.minimum(nearest + 1, last)] - best
    # At an end there is no node beyond: as far as to the one inside.
    below, above = np.where(nearest == 0, above, below), np.where(nearest == last, below, above)
    steps: Floats = np.linspace(0.0, 1.0, GRID)
    nodes_around: Floats = (best - reach * below)[:, None] + (reach * (below + above))[:, None] * steps
    return nodes_around


def _descents(k: Floats, variance: Floats, weight: Floats, m: Floats, level: Floats) -> tuple[Floats, Floats]:
    """Return m and ln s after steps of Levenberg and Marquardt, one a damping, the point itself first; (c, 1 + d)."""
    bump = 1e-5 * np.exp(level)
    tried_m = np.stack([m, m + bump, m], axis=1)
    tried_level = np.stack([level, level, level + 1e-5], axis=1)
    s = np.exp(tried_level)
    linear, _ = _linear(k, variance, weight, tried_m, s)
    y = (k[:, None, :] - tried_m[:, :, None]) / s[:, :, None]
    fitted = linear[..., 0:1] + linear[..., 1:2] * y + linear[..., 2:3] * np.sqrt(y * y + 1.0)
    left = (fitted - variance[:, None, :]) * weight[:, None, :]
    by_m, by_level = (left[:, 1] - left[:, 0]) / bump[:, None], (left[:, 2] - left[:, 0]) / 1e-5
    down_m, down_level = -(by_m * left[:, 0]).sum(axis=1), -(by_level * left[:, 0]).sum(axis=1)
    damped = 1.0 + np.array(DAMPINGS)
    mm, ss = ((one * one).sum(axis=1)[:, None] * damped for one in (by_m, by_level))
    ms = (by_m * by_level).sum(axis=1)[:, None]
    determinant = mm * ss - ms * ms
    safe = np.where(determinant > 0, determinant, np.inf)
    step_m = (ss * down_m[:, None] - ms * down_level[:, None]) / safe
    step_level = (mm * down_level[:, None] - ms * down_m[:, None]) / safe
    reach = (k[:, -1] - k[:, 0])[:, None]
    return (
        np.column_stack([m, m[:, None] + np.clip(step_m, -reach, reach)]),
        np.column_stack([level, level[:, None] + np.clip(step_level, -1.0, 1.0)]),
    )


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
    least = a + np.sqrt(np.maximum(c * c - d * d, 0.0))
    return np.stack([a, d, c], axis=-1), np.where(least < 0, NEGATIVE * error, error)


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
