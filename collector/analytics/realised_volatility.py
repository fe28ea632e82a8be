"""Realised volatility of the underlying from daily closes, with splits undone.

Closes are as printed that day. A split of ratio ``f`` stands at the first session of the new shares, so every earlier
close is divided by ``f`` to be comparable with it.

Source: Hull, Options, Futures, and Other Derivatives, "Estimating volatility from historical data" (close to close,
sample standard deviation of log returns, 252 trading days a year).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

TRADING_DAYS = 252
WINDOW = 20

Floats = NDArray[np.float64]


def split_divisors(split_factors: ArrayLike) -> Floats:
    """Return what divides each close to make it comparable with the newest one.

    Args:
        split_factors: shape (n,), oldest first; the ratio of a split at its first session, else 1.

    Returns:
        Shape (n,); the product of the factors of all later sessions, so the last element is 1.
    """
    factors = np.asarray(split_factors, dtype=np.float64)
    divisors = np.ones_like(factors)
    divisors[:-1] = np.cumprod(factors[:0:-1])[::-1]
    return divisors


def log_returns(closes: ArrayLike, split_factors: ArrayLike) -> Floats:
    """Return the log return of each session against the one before, splits undone.

    Args:
        closes: shape (n,), price, oldest first; NaN, 0 and below count as missing.
        split_factors: shape (n,).

    Returns:
        Shape (n - 1,), NaN where either close is missing.

    Raises:
        ValueError: the shapes differ, or a split factor is not above 0.
    """
    prices = np.asarray(closes, dtype=np.float64)
    factors = np.asarray(split_factors, dtype=np.float64)
    if prices.shape != factors.shape or prices.ndim != 1:
        raise ValueError(f"closes {prices.shape} and split_factors {factors.shape}: give two arrays of one length")
    if not np.all(factors > 0):
        raise ValueError("split_factors: every factor must be above 0 (1 on a day without a split)")
    logs = np.full(prices.shape, np.nan)
    np.log(prices, out=logs, where=prices > 0)
    returns: Floats = np.diff(logs) + np.log(factors[1:])
    return returns


def realised_volatility(
    closes: Sequence[float] | Floats, split_factors: Sequence[float] | Floats, window: int = WINDOW
) -> tuple[float | None, str | None]:
    """Return the annualised close-to-close volatility of the last ``window`` returns.

    Args:
        closes: shape (n,), price, oldest first, NaN for a session whose close is missing.
        split_factors: shape (n,).
        window: number of returns, at least 2.

    Returns:
        Decimal per year and None; or None and ``short_history`` where there are fewer than ``window`` + 1 closes or
        one of the last ``window`` + 1 is missing. Closes that never moved give 0.

    Raises:
        ValueError: a window below 2, or arguments that log_returns refuses.
    """
    if window < 2:
        raise ValueError(f"window {window}: a standard deviation needs at least 2 returns")
    if len(closes) <= window:
        return None, "short_history"
    returns = log_returns(closes[-window - 1 :], split_factors[-window - 1 :])
    if not np.isfinite(returns).all():
        return None, "short_history"
    return float(np.std(returns, ddof=1) * np.sqrt(TRADING_DAYS)), None


def rolling_realised_volatility(closes: ArrayLike, split_factors: ArrayLike, window: int = WINDOW) -> Floats:
    """Return realised_volatility as of each session.

    Args:
        closes: shape (n,), price, oldest first.
        split_factors: shape (n,).
        window: number of returns, at least 2.

    Returns:
        Shape (n,), decimal per year, NaN where realised_volatility would be None.
    """
    if window < 2:
        raise ValueError(f"window {window}: a standard deviation needs at least 2 returns")
    returns = log_returns(closes, split_factors)
    volatility = np.full(np.asarray(closes).shape, np.nan)
    if returns.size >= window:
        windows = np.lib.stride_tricks.sliding_window_view(returns, window)
        volatility[window:] = np.std(windows, axis=1, ddof=1) * np.sqrt(TRADING_DAYS)
    return volatility
