"""Greeks of American options: those of the European value plus those of the premium.

Delta and gamma differentiate the premium, theta follows from the pricing equation with the spot held fixed, charm from
the same equation differentiated once more. Volatility and rate move the boundary too: see early_exercise.py. Where
exercise is optimal now the value is S - K or K - S and stays so: delta 1 or -1, the rest 0.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from collector.analytics.contract_rows import Rows
from collector.analytics.early_exercise import Derivatives
from collector.analytics.greeks import DAYS_A_YEAR, POINT, Greeks
from collector.analytics.terms import Floats, Terms

_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)


def american(rows: Rows, sigma: Floats, terms: Terms, early: Derivatives) -> Greeks:
    """Return the Greeks of American options; see greeks.Greeks.

    Args:
        rows: shape (n,).
        sigma: decimal per year, above 0 and finite, shape (n,).
        terms: of their chains.
        early: the premium and its derivatives there.
    """
    value, delta, gamma, speed = _with_european(early, rows, sigma)
    rate, spot, variance = terms.rate[rows.chain], rows.spot, (sigma * rows.spot) ** 2
    drift = rate - terms.carry_yield[rows.chain]
    # The share stands still: what is left of it without the dividends falls as their present value grows.
    fall = drift * spot + rate * terms.present_dividends[rows.chain]
    theta = rate * value - fall * delta - 0.5 * variance * gamma
    charm = (rate - drift) * delta - (fall + sigma**2 * spot) * gamma - 0.5 * variance * speed
    vega, vanna, rho = _european_bumps(rows, sigma, terms.dividend_duration[rows.chain])
    vega, vanna, rho = vega + early.by_sigma, vanna + early.delta_by_sigma, rho + early.by_rate
    now, call = early.now, rows.sign > 0

    def settle(figure: Floats, exercised: Floats | float = 0.0) -> Floats:
        """Return the figure, or what it is where exercise is optimal now."""
        return np.where(now, exercised, figure)

    return Greeks(
        delta=settle(np.clip(delta, np.where(call, 0.0, -1.0), np.where(call, 1.0, 0.0)), rows.sign),
        gamma=settle(np.maximum(gamma, 0.0)),
        theta=settle(theta / DAYS_A_YEAR),
        vega=settle(np.maximum(vega, 0.0) * POINT),
        rho=settle(rho * POINT),
        vanna=settle(vanna * POINT),
        charm=settle(charm / DAYS_A_YEAR),
    )


def _with_european(found: Derivatives, rows: Rows, sigma: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return value, delta, gamma and speed, European value and premium together."""
    total = sigma * np.sqrt(rows.tenor)
    d1 = np.log(rows.forward / rows.strike) / total + total / 2
    carry = rows.discount * rows.forward / rows.spot
    bell = np.exp(-d1 * d1 / 2) / _ROOT_TWO_PI
    delta = rows.sign * carry * ndtr(rows.sign * d1)
    gamma = carry * bell / (rows.spot * total)
    speed = -gamma / rows.spot * (d1 / total + 1.0)
    value = rows.spot * delta - rows.sign * rows.discount * rows.strike * ndtr(rows.sign * (d1 - total))
    return value + found.value, delta + found.delta, gamma + found.gamma, speed + found.speed


def _european_bumps(rows: Rows, sigma: Floats, duration: Floats) -> tuple[Floats, Floats, Floats]:
    """Return vega, vanna and rho of the European value, per 1 of volatility and rate.

    ``duration`` is what the present value of the cash dividends falls by for 1 of rate.
    """
    root = np.sqrt(rows.tenor)
    total = sigma * root
    d1 = np.log(rows.forward / rows.strike) / total + total / 2
    bell = np.exp(-d1 * d1 / 2) / _ROOT_TWO_PI
    vega = rows.discount * rows.forward * bell * root
    vanna = -rows.discount * rows.forward / rows.spot * bell * (d1 - total) / sigma
    rho = rows.sign * rows.discount * rows.strike * rows.tenor * ndtr(rows.sign * (d1 - total))
    rho += rows.sign * rows.discount * rows.forward / rows.spot * ndtr(rows.sign * d1) * duration
    return vega, vanna, rho
