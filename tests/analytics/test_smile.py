"""The smile's fit finds what made it, says how far it is off, and is not asked beyond its quotes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import differential_evolution

from collector.analytics.smile import (
    Points,
    at_the_money,
    fit_smile,
    fit_smiles,
    smile_points,
    spread_at_the_money,
)


def svi(k: np.ndarray, a: float, b: float, rho: float, m: float, s: float) -> np.ndarray:
    return a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + s**2))


def points(k: np.ndarray, variance: np.ndarray, tenor: float, spread: float = 0.01) -> Points:
    return Points(k, np.sqrt(variance / tenor), np.full(k.shape, spread))


@pytest.mark.parametrize(
    ("tenor", "parameters"),
    [
        (0.25, (0.008, 0.06, -0.6, -0.01, 0.12)),
        (0.02, (0.0004, 0.012, -0.3, 0.0, 0.03)),
        (1.5, (0.03, 0.12, -0.7, 0.05, 0.4)),
        (0.5, (0.02, 0.05, 0.4, 0.02, 0.2)),
    ],
)
def test_a_smile_of_the_model_is_found_again(tenor: float, parameters: tuple[float, ...]) -> None:
    width = 2.5 * math.sqrt(svi(np.array([0.0]), *parameters)[0])
    k = np.linspace(-width, width, 41)
    fit, reason = fit_smile(points(k, svi(k, *parameters), tenor), tenor)
    assert reason is None
    assert fit is not None
    assert fit.residual_max < 5e-4
    between = np.linspace(-width, width, 333)
    difference = np.sqrt(fit.total_variance(between) / tenor) - np.sqrt(svi(between, *parameters) / tenor)
    assert np.abs(difference).max() < 5e-4
    assert fit.arbitrage_free


def test_a_surface_of_another_parametrisation_is_followed() -> None:
    # SSVI: w = theta / 2 (1 + rho phi k + sqrt((phi k + rho)² + 1 - rho²)).
    theta, rho, phi, tenor = 0.03, -0.55, 6.0, 0.4
    k = np.linspace(-0.4, 0.3, 51)
    variance = theta / 2 * (1 + rho * phi * k + np.sqrt((phi * k + rho) ** 2 + 1 - rho**2))
    fit, _ = fit_smile(points(k, variance, tenor), tenor)
    assert fit is not None
    assert fit.residual_max < 5e-4


def test_noise_is_fitted_as_well_as_a_global_search_does() -> None:
    tenor, true = 0.3, (0.01, 0.08, -0.5, 0.0, 0.15)
    k = np.linspace(-0.45, 0.35, 35)
    sigma = np.sqrt(svi(k, *true) / tenor) + np.random.default_rng(4).normal(0, 0.003, k.size)
    quoted = Points(k, sigma, np.full(k.shape, 0.01))
    fit, _ = fit_smile(quoted, tenor)
    assert fit is not None

    def error(x: np.ndarray) -> float:
        variance = svi(k, *x)
        # Quotes equally tight weigh by the root of vega, in volatility.
        weight = np.exp(-(k**2) / (4 * sigma**2 * tenor)) / sigma
        return float(np.sum((weight * (variance - sigma**2 * tenor)) ** 2)) if (variance > 0).all() else 1.0

    bounds = [(0.0, 0.05), (0.001, 0.5), (-0.99, 0.99), (-0.3, 0.3), (0.01, 0.5)]
    best = differential_evolution(error, bounds, seed=1, tol=1e-10, maxiter=400)
    ours = error(np.array([fit.a, fit.b, fit.rho, fit.m, fit.sigma]))
    assert ours < best.fun * 1.001
    assert fit.residual_rms == pytest.approx(0.003, rel=0.3)


def test_tight_quotes_weigh_more() -> None:
    tenor = 0.3
    k = np.linspace(-0.3, 0.3, 21)
    sigma = np.full(k.shape, 0.2)
    sigma[::2] += 0.02
    spread = np.where(np.arange(21) % 2 == 0, 0.2, 0.004)
    fit, _ = fit_smile(Points(k, sigma, spread), tenor)
    assert fit is not None
    assert math.sqrt(fit.total_variance(np.array([0.0]))[0] / tenor) == pytest.approx(0.2, abs=0.001)


def test_a_quote_without_a_bid_volatility_hardly_weighs() -> None:
    k = np.linspace(-0.3, 0.3, 31)
    sigma = np.where(k < -0.2, 0.5, 0.2)
    spread = np.where(k < -0.2, np.nan, np.where(np.abs(k) > 0.19, 0.3, 0.004))
    fit, _ = fit_smile(Points(k, sigma, spread), 1.0)
    assert fit is not None
    at = np.abs(k) <= 0.15
    assert np.sqrt(fit.total_variance(k[at])) == pytest.approx(sigma[at], abs=0.003)


def test_the_residual_is_that_of_the_strikes_near_the_forward() -> None:
    # Standard deviation .1: a quote at -.3 is three of them away, one at .2 two.
    k = np.round(np.linspace(-0.4, 0.4, 33), 10)
    far, near = np.full(33, 0.2), np.full(33, 0.2)
    far[k == -0.3] = 0.45
    near[k == 0.2] = 0.24
    spread = np.full(33, 0.01)
    with_far, _ = fit_smile(Points(k, far, np.where(far > 0.3, 0.3, spread)), 0.25)
    with_near, _ = fit_smile(Points(k, near, spread), 0.25)
    assert with_far is not None
    assert with_near is not None
    assert with_far.residual_max < 0.01
    assert 0.02 < with_near.residual_max < 0.045


def test_a_density_below_zero_is_told() -> None:
    # Axel Vogt's parameters, a well-known smile with butterfly arbitrage (Gatheral and Jacquier, section 2.2).
    k = np.linspace(-1.5, 1.5, 61)
    fit, _ = fit_smile(points(k, svi(k, -0.0410, 0.1331, 0.3060, 0.3586, 0.4153), 1.0), 1.0)
    assert fit is not None
    assert fit.residual_max < 1e-5
    assert not fit.arbitrage_free


@pytest.mark.parametrize("seed", range(4))
def test_variance_is_not_below_zero_even_where_quotes_would_have_it_so(seed: int) -> None:
    # Two straight wings that meet below zero, with noise: the free least squares dip under the axis.
    k = np.linspace(-0.2, 0.2, 41)
    variance = np.abs(k) * 0.3 + 0.0002
    sigma = np.sqrt(variance / 0.1) + np.random.default_rng(seed).normal(0, 0.02, k.size)
    fit, _ = fit_smile(Points(k, np.maximum(sigma, 0.01), np.full(k.shape, 0.02)), 0.1)
    assert fit is not None
    assert (fit.total_variance(np.linspace(-1.0, 1.0, 501)) >= 0).all()


def test_what_can_not_be_fitted_says_why() -> None:
    k = np.linspace(-0.2, 0.2, 9)
    flat = np.full(9, 0.04)
    assert fit_smile(points(k[:4], flat[:4], 0.5), 0.5) == (None, "too_few_quotes")
    assert fit_smile(points(k + 0.3, flat, 0.5), 0.5) == (None, "extrapolation")
    assert at_the_money(points(k + 0.3, flat, 0.5)) == (None, "extrapolation")
    assert at_the_money(points(k[:0], flat[:0], 0.5)) == (None, "no_implied_volatility")


def test_chains_fitted_together_are_what_they_are_alone() -> None:
    chains = [
        points(np.linspace(-0.3, 0.3, size), svi(np.linspace(-0.3, 0.3, size), 0.01, 0.07, -0.5, 0.0, 0.1), tenor)
        for size, tenor in ((9, 0.1), (41, 0.2), (25, 0.9))
    ]
    short = points(np.linspace(-0.1, 0.1, 3), np.full(3, 0.01), 0.1)
    together = fit_smiles([chains[0], short, chains[1], chains[2]], np.array([0.1, 0.1, 0.2, 0.9]))
    assert together[1] == (None, "too_few_quotes")
    for (fit, _), chain, tenor in zip([together[0], *together[2:]], chains, (0.1, 0.2, 0.9), strict=True):
        alone, _ = fit_smile(chain, tenor)
        assert fit is not None
        assert alone is not None
        grid = np.linspace(-0.3, 0.3, 50)
        assert fit.total_variance(grid) == pytest.approx(alone.total_variance(grid), rel=1e-6)


def test_the_spread_at_the_forward_lies_between_those_of_the_strikes_around() -> None:
    quoted = Points(np.array([-0.02, 0.01, 0.05]), np.array([0.22, 0.20, 0.19]), np.array([0.012, 0.006, 0.5]))
    assert spread_at_the_money(quoted) == pytest.approx(0.008)
    assert np.isnan(spread_at_the_money(Points(quoted.moneyness + 0.1, quoted.sigma, quoted.spread)))
    assert np.isnan(spread_at_the_money(Points(*(np.zeros(0),) * 3)))


def test_at_the_forward_variance_is_linear_between_the_strikes_around() -> None:
    quoted = Points(np.array([-0.02, 0.01, 0.05]), np.array([0.22, 0.20, 0.19]), np.full(3, 0.01))
    expected = math.sqrt(0.22**2 + (0.20**2 - 0.22**2) * 2 / 3)
    assert at_the_money(quoted)[0] == pytest.approx(expected)


def test_each_strike_speaks_by_its_out_of_the_money_side() -> None:
    strike = np.array([95.0, 100.0, 105.0, 95.0, 100.0, 105.0])
    is_call = np.array([True, True, True, False, False, False])
    sigma = np.array([0.9, 0.2, 0.19, 0.22, 0.8, np.nan])
    found = smile_points(strike, is_call, sigma, sigma - 0.01, sigma + 0.01, 99.0)
    assert np.exp(found.moneyness) * 99.0 == pytest.approx([95.0, 100.0, 105.0])
    assert list(found.sigma) == [0.22, 0.2, 0.19]
    assert found.spread == pytest.approx([0.02] * 3)
    # Where it has none, the other side does.
    sigma[3] = np.nan
    assert list(smile_points(strike, is_call, sigma, sigma, sigma, 99.0).sigma) == [0.9, 0.2, 0.19]
