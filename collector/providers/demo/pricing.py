"""Black-76 on arrays: what the demo's options are worth.

The demo keeps its own, apart from the analytics, so that its true values can judge them.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from collector.providers.demo.draws import FloatArray


def black_76(
    forward: FloatArray,
    strike: FloatArray,
    tenor: FloatArray,
    sigma: FloatArray,
    discount: FloatArray,
    sign: FloatArray,
) -> FloatArray:
    """Return the price of European options on a forward.

    Source: F. Black, "The pricing of commodity contracts", Journal of Financial Economics 3 (1976), 167-179.

    Args:
        forward: forward price for the expiration, per share.
        strike: strike, per share.
        tenor: years to settlement, above 0.
        sigma: volatility, decimal per year, above 0.
        discount: discount factor to settlement.
        sign: 1.0 for calls, -1.0 for puts.
    """
    total = sigma * np.sqrt(tenor)
    d1 = np.log(forward / strike) / total + total / 2
    d2 = d1 - total
    price: FloatArray = discount * sign * (forward * ndtr(sign * d1) - strike * ndtr(sign * d2))
    # Far from the money the difference of two tiny products can fall below 0 by rounding.
    return np.maximum(price, 0.0)
