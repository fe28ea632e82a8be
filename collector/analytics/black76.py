"""European options on a forward.

Source: F. Black, "The pricing of commodity contracts", Journal of Financial Economics 3 (1976) 167-179.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from collector.analytics.terms import Floats


def price(forward: Floats, strike: Floats, tenor: Floats, sigma: Floats, discount: Floats, sign: Floats) -> Floats:
    """Return the price of European options, dollars a share.

    Args:
        forward, strike: above 0.
        tenor: years to settlement, 0 or more.
        sigma: decimal per year, 0 or more.
        discount: discount factor to settlement.
        sign: 1.0 for calls, -1.0 for puts.

    Returns:
        The arguments' common shape; the discounted payoff where ``sigma`` or ``tenor`` is 0, NaN where any is NaN.
    """
    total = sigma * np.sqrt(tenor)
    alive = total > 0
    safe = np.where(alive, total, 1.0)
    d1 = np.log(forward / strike) / safe + safe / 2
    value = sign * (forward * ndtr(sign * d1) - strike * ndtr(sign * (d1 - safe)))
    payoff = np.maximum(sign * (forward - strike), 0.0)
    # Far from the money the difference of two tiny products can fall below what it is worth without volatility.
    worth: Floats = discount * np.where(alive, np.maximum(value, payoff), np.where(total == 0, payoff, np.nan))
    return worth
