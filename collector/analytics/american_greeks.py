"""Greeks of American options: those of the European value plus those of the premium.

Delta and gamma differentiate the premium's integral, theta follows from the pricing equation with the spot held fixed,
charm from the same equation differentiated once more. Volatility and rate move the boundary too, so vega, vanna and rho
bump the tables. Where exercise is optimal now the value is S - K or K - S and stays so: delta 1 or -1, the rest 0.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from collector.analytics.american_premium import Premium, Puts, Tables, as_puts, premium, premium_value, settled
from collector.analytics.greeks import DAYS_A_YEAR, POINT, Greeks
from collector.analytics.terms import Floats, Integers, Terms

# Half-widths of the bumps: relative of volatility, absolute of the rate.
SIGMA_BUMP = 0.01
RATE_BUMP = 5e-5
_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)


def american(
    terms: Terms, chain: Integers, sign: Floats, strike: Floats, sigma: Floats, tables: Tables, up: Tables
) -> Greeks:
    """Return the Greeks of American options with continuous carry; see greeks.Greeks.

    Args:
        terms: what the chains share.
        chain, sign, strike: shape (n,), sorted by chain and side.
        sigma: decimal per year, above 0 and finite, shape (n,).
        tables: for these terms.
        up: for the terms at_rate(terms, RATE_BUMP).
    """
    puts, key = as_puts(terms, chain, sign, strike), (2 * chain + (sign > 0)).astype(np.intp)
    base = _premium(tables, puts, key, sigma)
    spot, rate, tenor = terms.escrowed_spot[chain], terms.rate[chain], terms.tenor[chain]
    carry_yield, forward = settled(terms.carry_yield)[chain], terms.forward[chain]
    value, delta, gamma, speed = _with_european(
        base, puts, sign, strike, forward, terms.discount[chain], spot, sigma, tenor
    )
    drift = rate - carry_yield
    theta = rate * value - drift * spot * delta - 0.5 * (sigma * spot) ** 2 * gamma
    charm = carry_yield * delta - (drift + sigma**2) * spot * gamma - 0.5 * (sigma * spot) ** 2 * speed
    bumped = [_premium(tables, puts, key, sigma * (1.0 + side * SIGMA_BUMP), curved=False) for side in (1.0, -1.0)]
    width = 2.0 * SIGMA_BUMP * sigma
    own_vega, own_vanna, own_rho = _european_bumps(sign, strike, forward, terms.discount[chain], spot, sigma, tenor)
    vega = own_vega + puts.scale * (bumped[0].value - bumped[1].value) / width
    vanna = own_vanna + (_delta(bumped[0], puts, sign) - _delta(bumped[1], puts, sign)) / width
    rho = own_rho + (_rate_premium(terms, chain, sign, strike, sigma, key, up) - puts.scale * base.value) / RATE_BUMP
    now = base.now

    def settle(figure: Floats, exercised: Floats | float = 0.0) -> Floats:
        """Return the figure, or what it is where exercise is optimal now."""
        return np.where(now, exercised, figure)

    return Greeks(
        delta=settle(np.clip(delta, np.where(sign > 0, 0.0, -1.0), np.where(sign > 0, 1.0, 0.0)), sign),
        gamma=settle(np.maximum(gamma, 0.0)),
        theta=settle(theta / DAYS_A_YEAR),
        vega=settle(np.maximum(vega, 0.0) * POINT),
        rho=settle(rho * POINT),
        vanna=settle(vanna * POINT),
        charm=settle(charm / DAYS_A_YEAR),
    )


def at_rate(terms: Terms, bump: float) -> Terms:
    """Return the terms with the rate moved, spot, yield and cash dividends as they are."""
    moved = Terms(
        tenor=terms.tenor,
        rate=terms.rate + bump,
        forward=terms.forward,
        spot=terms.spot,
        american=terms.american,
        dividends=terms.dividends,
    )
    carried = moved.escrowed_spot * np.exp((moved.rate - terms.carry_yield) * terms.tenor)
    return Terms(moved.tenor, moved.rate, carried, moved.spot, moved.american, moved.dividends)


def _premium(tables: Tables, puts: Puts, key: Integers, sigma: Floats, *, curved: bool = True) -> Premium:
    """Return the premium of puts of strike 1; nothing where nothing is exercised early."""
    size = len(key)
    nothing = np.zeros(size)
    columns = [nothing.copy() for _ in range(4)]
    now = np.zeros(size, dtype=bool)
    rows = np.flatnonzero(tables.exercised[key])
    if rows.size:
        found = premium(puts.of(rows), sigma[rows], tables.log_boundary(key[rows], sigma[rows]), curved=curved)
        for column, figures in zip(columns, (found.value, found.first, found.second, found.third), strict=True):
            if figures is not None:
                column[rows] = figures
        now[rows] = found.now
    return Premium(columns[0], columns[1], columns[2], columns[3], now)


def _delta(found: Premium, puts: Puts, sign: Floats) -> Floats:
    """Return the premium's derivative by the contract's spot."""
    delta: Floats = np.where(sign > 0, found.value - puts.spot * found.first, found.first)
    return delta


def _with_european(
    found: Premium,
    puts: Puts,
    sign: Floats,
    strike: Floats,
    forward: Floats,
    discount: Floats,
    spot: Floats,
    sigma: Floats,
    tenor: Floats,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return value, delta, gamma and speed, European value and premium together."""
    total = sigma * np.sqrt(tenor)
    d1 = np.log(forward / strike) / total + total / 2
    carry = discount * forward / spot
    bell = np.exp(-d1 * d1 / 2) / _ROOT_TWO_PI
    own_delta = sign * carry * ndtr(sign * d1)
    own_gamma = carry * bell / (spot * total)
    own_speed = -own_gamma / spot * (d1 / total + 1.0)
    own_value = spot * own_delta - sign * discount * strike * ndtr(sign * (d1 - total))
    assert found.second is not None
    assert found.third is not None
    x, call = puts.spot, sign > 0
    gamma = np.where(call, x * x * found.second / spot, found.second / strike)
    speed = np.where(call, -((x / spot) ** 2) * (3.0 * found.second + x * found.third), found.third / strike**2)
    return (
        own_value + puts.scale * found.value,
        own_delta + _delta(found, puts, sign),
        own_gamma + gamma,
        own_speed + speed,
    )


def _european_bumps(
    sign: Floats, strike: Floats, forward: Floats, discount: Floats, spot: Floats, sigma: Floats, tenor: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return vega, vanna and rho of the European value, per 1 of volatility and rate."""
    root = np.sqrt(tenor)
    total = sigma * root
    d1 = np.log(forward / strike) / total + total / 2
    bell = np.exp(-d1 * d1 / 2) / _ROOT_TWO_PI
    vega = discount * forward * bell * root
    vanna = -discount * forward / spot * bell * (d1 - total) / sigma
    rho = sign * discount * strike * tenor * ndtr(sign * (d1 - total))
    return vega, vanna, rho


def _rate_premium(
    terms: Terms, chain: Integers, sign: Floats, strike: Floats, sigma: Floats, key: Integers, up: Tables
) -> Floats:
    """Return the premium in dollars with the rate moved up."""
    moved = as_puts(at_rate(terms, RATE_BUMP), chain, sign, strike)
    value = np.zeros(len(key))
    rows = np.flatnonzero(up.exercised[key])
    if rows.size:
        value[rows] = premium_value(moved.of(rows), sigma[rows], up.log_boundary(key[rows], sigma[rows]))
    return moved.scale * value
