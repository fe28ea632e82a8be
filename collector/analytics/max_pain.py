"""Max pain: the settlement price at which all holders of a chain's options together would get least.

Source: the definition in use at exchanges and in the press: argmin over listed strikes S of
sum OI_call max(0, S - K) + sum OI_put max(0, K - S), within one root. A convention, not a forecast.
"""

from __future__ import annotations

import numpy as np

from collector.analytics.strike_places import strike_places
from collector.analytics.terms import Booleans, Floats


def max_pain(strike: Floats, is_call: Booleans, open_interest: Floats, spot: float | None) -> float | None:
    """Return the strike of least payout of one chain.

    Args:
        strike, is_call, open_interest: the chain's contracts outside quarantine, shape (n,); NaN open interest is
            unknown and counts for nothing. A strike where one side alone is listed counts with that side.
        spot: breaks ties: of equal strikes the one nearest to it, and the lowest without it.

    Returns:
        None where no open interest above 0 is known.
    """
    held = np.where(np.isnan(open_interest), 0.0, open_interest)
    if not (held > 0).any():
        return None
    strikes, place = strike_places(strike)
    calls = np.bincount(place, weights=held * is_call, minlength=strikes.size)
    puts = np.bincount(place, weights=held * ~is_call, minlength=strikes.size)
    # Payout at a strike, from running sums: calls struck below it, puts struck above it.
    paid_calls = strikes * np.cumsum(calls) - np.cumsum(calls * strikes)
    paid_puts = np.cumsum((puts * strikes)[::-1])[::-1] - strikes * np.cumsum(puts[::-1])[::-1]
    payout = paid_calls + paid_puts
    least = payout.min()
    ties = strikes[payout <= least + 1e-9 * max(abs(least), 1.0)]
    return float(ties[np.argmin(np.abs(ties - spot))] if spot is not None else ties[0])
