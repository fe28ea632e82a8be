"""How volatility leans: figures by delta of the out-of-the-money sides.

The volatility of a delta lies between the two quoted strikes whose deltas surround it, linear in delta; nothing is
extrapolated. Deltas are spot deltas as the contracts carry them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.analytics.terms import Booleans, Floats

WINGS = (25, 10)


@dataclass(frozen=True, slots=True)
class DeltaVolatilities:
    """Volatilities by delta of one chain, decimal per year, NaN where no two strikes surround the delta."""

    iv_50d: float
    put_iv_25d: float
    call_iv_25d: float
    put_iv_10d: float
    call_iv_10d: float


NAMES = ("iv_50d", "put_iv_25d", "call_iv_25d", "put_iv_10d", "call_iv_10d")


def delta_volatilities(
    strike: Floats, is_call: Booleans, sigma: Floats, delta: Floats, forward: float
) -> DeltaVolatilities:
    """Return the volatilities by delta of one chain's rows, shape (n,); NaN for null."""
    known = np.isfinite(sigma) & np.isfinite(delta)
    calls, puts = known & is_call, known & ~is_call
    out_calls, out_puts = calls & (strike >= forward), puts & (strike <= forward)
    (iv_50d,) = _at(delta[calls], sigma[calls], (0.50,))
    put_iv_25d, put_iv_10d = _at(-delta[out_puts], sigma[out_puts], (0.25, 0.10))
    call_iv_25d, call_iv_10d = _at(delta[out_calls], sigma[out_calls], (0.25, 0.10))
    return DeltaVolatilities(iv_50d, put_iv_25d, call_iv_25d, put_iv_10d, call_iv_10d)


def skew_figures(by_delta: DeltaVolatilities, at_the_money: float | None) -> dict[str, float | None]:
    """Return skew, risk reversal and butterfly at 25 and 10 delta; None where a volatility behind one is missing.

    skew = (put - call) / iv_50d, risk reversal = call - put, butterfly = (call + put) / 2 - at the money.
    """
    figures: dict[str, float | None] = {}
    money = np.nan if at_the_money is None else at_the_money
    for wing in WINGS:
        put, call = getattr(by_delta, f"put_iv_{wing}d"), getattr(by_delta, f"call_iv_{wing}d")
        figures[f"skew_{wing}d"] = _finite((put - call) / by_delta.iv_50d)
        figures[f"risk_reversal_{wing}d"] = _finite(call - put)
        figures[f"butterfly_{wing}d"] = _finite((call + put) / 2 - money)
    return figures


def _at(delta: Floats, sigma: Floats, wanted: tuple[float, ...]) -> list[float]:
    """Return the volatility at each of some deltas, NaN where it is not surrounded."""
    if delta.size < 2:
        return [float("nan")] * len(wanted)
    order = np.argsort(delta, kind="stable")
    found: list[float] = np.interp(wanted, delta[order], sigma[order], left=np.nan, right=np.nan).tolist()
    return found


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
