"""The smile of one chain as a chart: our volatilities, the feed's own beside them, the fit through ours."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

SECONDS_A_YEAR = 365 * 86_400
# A feed's volatility beyond these is a fill-in or a failure, and would flatten the rest of the chart.
SHOWN = (0.01, 3.0)
# The fit is of the quotes within so many deviations of the forward: further out it shows nothing of them.
FITTED_DEVIATIONS = 2.5


def smile(chain: dict[str, Any]) -> dict[str, Any] | None:
    """Return strikes with the volatility of the out-of-the-money side, ours and the feed's, and the fit; None without
    a forward.

    Each is null where the contract has none. ``feed`` is the feed's name, None where it states no volatility.
    """
    forward = chain["forward"]
    if forward is None:
        return None
    sides = {
        "call": {contract["strike"]: contract for contract in chain["calls"] if not contract["adjusted"]},
        "put": {contract["strike"]: contract for contract in chain["puts"] if not contract["adjusted"]},
    }
    strikes = sorted(sides["call"].keys() | sides["put"].keys())
    rows = [_out_of_the_money(sides, strike, forward) for strike in strikes]
    ours = [row["implied_volatility"] for row in rows]
    theirs = [_shown(row["vendor_implied_volatility"], row["flags"]) for row in rows]
    kept = [place for place, pair in enumerate(zip(ours, theirs, strict=True)) if pair != (None, None)]
    # Beyond the points it was fitted to, the fit says nothing that a reader should see.
    points = [place for place, value in enumerate(ours) if value is not None]
    fitted = range(points[0], points[-1] + 1) if points else range(0)
    return {
        "strikes": [strikes[place] for place in kept],
        "ours": [ours[place] for place in kept],
        "theirs": [theirs[place] for place in kept],
        "fit": [_fitted(chain, strikes[place]) if place in fitted else None for place in kept],
        "feed": chain["feed"] if any(value is not None for value in theirs) else None,
        "forward": forward,
    }


def _out_of_the_money(sides: dict[str, dict[float, Any]], strike: float, forward: float) -> dict[str, Any]:
    """Return the contract of a strike that is out of the money, else the other."""
    first, second = ("call", "put") if strike >= forward else ("put", "call")
    contract: dict[str, Any] = sides[first].get(strike) or sides[second][strike]
    return contract


def _shown(value: float | None, flags: list[str]) -> float | None:
    """Return a feed's volatility where it is one."""
    if value is None or "placeholder_iv" in flags or not SHOWN[0] <= value <= SHOWN[1]:
        return None
    return value


def _fitted(chain: dict[str, Any], strike: float) -> float | None:
    """Return the fit's volatility at a strike, None without a fit or beyond what it was fitted to."""
    fit = (chain.get("analytics") or {}).get("smile")
    if not fit or chain["atm_iv"] is None:
        return None
    seconds = (
        datetime.fromisoformat(chain["settlement_time"]) - datetime.fromisoformat(chain["as_of"])
    ).total_seconds()
    moneyness = math.log(strike / chain["forward"])
    if seconds <= 0 or abs(moneyness) > FITTED_DEVIATIONS * chain["atm_iv"] * math.sqrt(seconds / SECONDS_A_YEAR):
        return None
    shifted = moneyness - fit["m"]
    variance = fit["a"] + fit["b"] * (fit["rho"] * shifted + math.hypot(shifted, fit["sigma"]))
    return math.sqrt(variance * SECONDS_A_YEAR / seconds) if variance > 0 else None
