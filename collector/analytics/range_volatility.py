"""Realised volatility from opens, highs, lows and closes: less noise from the same number of sessions.

Sources: M. Parkinson, Journal of Business 53 (1980) 61-65; M. B. Garman and M. J. Klass, Journal of Business 53 (1980)
67-78; L. C. G. Rogers and S. E. Satchell, Annals of Applied Probability 1 (1991) 504-512; D. Yang and Q. Zhang, Journal
of Business 73 (2000) 477-491.

The first three see the session alone, not the gap before it, and Parkinson and Garman-Klass assume no drift; Yang-Zhang
sees both and allows for drift. A range between few trades is too narrow, so all of them read low on thin markets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.analytics.realised_volatility import TRADING_DAYS
from collector.analytics.terms import Floats

Figure = tuple[float | None, str | None]

NAMES = ("parkinson", "garman_klass", "rogers_satchell", "yang_zhang")
_LN_2 = np.log(2.0)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Prices of successive sessions as printed, shape (n,), NaN where missing, with the split factor of each session.

    The first session gives nothing but the close before the second's open.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    split_factor: Floats


def range_volatilities(bars: Sessions, window: int) -> dict[str, Figure]:
    """Return the estimate of each of NAMES over the last ``window`` sessions, decimal per year.

    None with ``short_history`` where one of those sessions, or the close before them, is missing;
    ``inconsistent_bars`` where a high is below, or a low above, another price of its session.
    """
    if len(bars.close) < window + 1:
        return dict.fromkeys(NAMES, (None, "short_history"))
    tail = {name: np.asarray(getattr(bars, name), dtype=np.float64)[-window:] for name in ("open", "high", "low")}
    closes = np.asarray(bars.close, dtype=np.float64)[-window - 1 :]
    prices = np.concatenate([*tail.values(), closes])
    if not (np.isfinite(prices).all() and (prices > 0).all()):
        return dict.fromkeys(NAMES, (None, "short_history"))
    opened, high, low, close = np.log(tail["open"]), np.log(tail["high"]), np.log(tail["low"]), np.log(closes[1:])
    if (high < np.maximum(opened, close)).any() or (low > np.minimum(opened, close)).any():
        return dict.fromkeys(NAMES, (None, "inconsistent_bars"))
    gap = opened + np.log(np.asarray(bars.split_factor, dtype=np.float64)[-window:]) - np.log(closes[:-1])
    body, width = close - opened, high - low
    satchell = float(np.mean((high - close) * (high - opened) + (low - close) * (low - opened)))
    daily = {
        "parkinson": float(np.mean(width**2)) / (4.0 * _LN_2),
        "garman_klass": float(np.mean(width**2 / 2 - (2 * _LN_2 - 1) * body**2)),
        "rogers_satchell": satchell,
        "yang_zhang": _yang_zhang(gap, body, satchell, window),
    }
    return {name: (float(np.sqrt(max(variance, 0.0) * TRADING_DAYS)), None) for name, variance in daily.items()}


def _yang_zhang(gap: Floats, body: Floats, satchell: float, window: int) -> float:
    """Return the daily variance: overnight, and the mixture of open-to-close and range that varies least."""
    share = 0.34 / (1.34 + (window + 1) / (window - 1))
    overnight, day = float(np.var(gap, ddof=1)), float(np.var(body, ddof=1))
    return overnight + share * day + (1 - share) * satchell
