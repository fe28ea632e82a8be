"""How far the options let one expect the underlying to move, two ways, each under its own name."""

from __future__ import annotations

import math

import numpy as np

from collector.analytics.strike_places import strike_places
from collector.analytics.terms import Booleans, Floats

# A straddle is worth the mean absolute move, about 0.8 deviations; 0.85 of it is the desk's rule for the move.
STRADDLE_SHARE = 0.85


def expected_move(spot: float | None, sigma: float | None, tenor: float) -> tuple[float | None, str | None]:
    """Return one standard deviation in dollars: spot times volatility times the root of the tenor in years."""
    if sigma is None:
        return None, "no_implied_volatility"
    if spot is None:
        return None, "no_spot"
    return spot * sigma * math.sqrt(tenor), None


def straddle_move(
    strike: Floats, is_call: Booleans, mid: Floats, forward: float | None
) -> tuple[float | None, str | None]:
    """Return 0.85 times the straddle struck nearest to the forward, both sides two-sided.

    Args:
        strike, is_call, mid: one chain's rows, shape (n,), NaN for null.
        forward: of the chain.
    """
    if forward is None:
        return None, "no_forward"
    quoted = np.isfinite(mid)
    listed, place = strike_places(strike)
    if not listed.size:
        return None, "no_two_sided_quote"
    # Of equal distances the lower strike. A straddle that is not at the money is mostly intrinsic value.
    here = quoted & (place == np.argmin(np.abs(np.log(listed / forward))))
    calls, puts = mid[here & is_call], mid[here & ~is_call]
    if not (calls.size and puts.size):
        return None, "no_two_sided_quote"
    return STRADDLE_SHARE * float(calls[0] + puts[0]), None
