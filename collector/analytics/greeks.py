"""Greeks, in the units that documents state: those of European options by the derivatives of Black-76.

The forward moves with the spot: dF/dS = F / (S - present value of the cash dividends), so delta is the spot delta.
Theta holds the forward fixed (and the spot with it, but for its drift): what a holder loses in a day on which the
forward does not move. Rho moves the rate of carry and of discounting together, the spot fixed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.special import ndtr

from collector.analytics.terms import Floats, Integers, Terms

DAYS_A_YEAR = 365.0
POINT = 0.01
_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)


@dataclass(frozen=True, slots=True)
class Greeks:
    """Sensitivities of n contracts, shape (n,), NaN where there is no volatility.

    Attributes:
        delta: change of value for one of spot; negative for puts.
        gamma: change of delta for one of spot.
        theta: change of value for one calendar day.
        vega: change of value for one volatility point (0.01).
        rho: change of value for one rate point (0.01).
        vanna: change of delta for one volatility point.
        charm: change of delta for one calendar day.
    """

    delta: Floats
    gamma: Floats
    theta: Floats
    vega: Floats
    rho: Floats
    vanna: Floats
    charm: Floats


GREEK_NAMES = tuple(field.name for field in fields(Greeks))


def european(terms: Terms, chain: Integers, sign: Floats, strike: Floats, sigma: Floats) -> Greeks:
    """Return the Greeks of European options.

    Args:
        terms: what the chains share.
        chain: each contract's chain, shape (n,).
        sign: 1.0 for calls, -1.0 for puts.
        strike: above 0.
        sigma: decimal per year, above 0; NaN gives NaN.
    """
    forward, tenor, discount = terms.forward[chain], terms.tenor[chain], terms.discount[chain]
    growth = forward / terms.escrowed_spot[chain]
    root = np.sqrt(tenor)
    total = sigma * root
    with np.errstate(invalid="ignore", divide="ignore"):
        d1 = np.log(forward / strike) / total + total / 2
        d2 = d1 - total
        bell = np.exp(-d1 * d1 / 2) / _ROOT_TWO_PI
        delta = sign * discount * growth * ndtr(sign * d1)
        gamma = discount * growth**2 * bell / (forward * total)
        vega = discount * forward * bell * root
        value = sign * discount * (forward * ndtr(sign * d1) - strike * ndtr(sign * d2))
        rate = terms.rate[chain]
        theta = rate * value - vega * sigma / (2.0 * tenor)
        # A higher rate makes the cash dividends worth less, and with the spot fixed the rest of it more.
        rho = tenor * (sign * discount * forward * ndtr(sign * d1) - value) + delta * terms.dividend_duration[chain]
        vanna = -discount * growth * bell * d2 / sigma
        # d1 with the forward fixed: d(d1)/dT = sigma / (4 root) - ln(F/K) / (2 sigma T root); a day takes tenor away.
        turn = total / (4.0 * tenor) - np.log(forward / strike) / (2.0 * total * tenor)
        charm = rate * delta - discount * growth * bell * turn
    return Greeks(
        delta=delta,
        gamma=gamma,
        theta=theta / DAYS_A_YEAR,
        vega=vega * POINT,
        rho=rho * POINT,
        vanna=vanna * POINT,
        charm=charm / DAYS_A_YEAR,
    )
