"""Bids, asks and what a feed says beside them, on the demo's ticks.

The tick is 0.01 below 3 dollars and 0.05 from there on. Bid and ask lie on either side of the true price, so the mid
is within half a spread of it; a contract worth less than a tick beyond half its spread is bid 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from collector.providers.demo.draws import FloatArray, IntArray, Purpose, four_uniforms, uniform
from collector.providers.demo.path import PricePath
from collector.providers.demo.strikes import Ladder
from collector.providers.demo.surface import Term, implied_volatility
from collector.providers.demo.trading import Trading

SMALL_TICK, LARGE_TICK, LARGE_FROM = 0.01, 0.05, 3.0
PLACEHOLDERS = np.array([0.00001, 0.0625, 0.125, 0.25, 0.5])
_LEAST_HALF_SPREAD = 0.004
_STAGED_SPREAD = 0.006
_VENDOR_ERROR = 0.01
_PLACEHOLDER_SHARE = 0.01
_UNBID_PLACEHOLDER_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Quotes:
    """Rows as in the Ladder: dollars a share, contracts, decimal per year."""

    bid: FloatArray
    ask: FloatArray
    bid_size: IntArray
    ask_size: IntArray
    vendor_implied_volatility: FloatArray


def quotes(path: PricePath, rows: Ladder, common: Term, price: FloatArray, trading: Trading, ordinal: int) -> Quotes:
    """Return the quotes of an expiration's contracts, worth ``price``, at the instant of ``common``."""
    ticker = path.ticker
    sigma = implied_volatility(path, common, rows.strike)
    width = np.where(trading.staged, _STAGED_SPREAD, ticker.spread)
    half = _LEAST_HALF_SPREAD + width / 2 * price
    lean, bids, asks, _ = four_uniforms(Purpose.QUOTE, rows.identity, ordinal)
    lean = 0.6 * (2.0 * lean - 1.0)
    bid = down_to_tick(np.maximum(price - half * (1.0 + lean), 0.0))
    ask = np.maximum(up_to_tick(price + half * (1.0 - lean)), SMALL_TICK)
    depth = 12.0 + ticker.liquidity / 50.0
    bid_size, ask_size = (1 + (-depth * np.log(draw)).astype(np.int64) for draw in (bids, asks))
    return Quotes(bid, ask, np.where(bid > 0, bid_size, 0), ask_size, _vendor(rows, sigma, bid, ordinal))


def dark(rows: Ladder) -> Quotes:
    """Return the quotes of a chain that the feed has none of: zeros, and its smallest fill-in volatility."""
    nothing, none = np.zeros(len(rows.strike)), np.zeros(len(rows.strike), dtype=np.int64)
    return Quotes(nothing, nothing, none, none, np.full(len(rows.strike), PLACEHOLDERS[0]))


def down_to_tick(price: FloatArray) -> FloatArray:
    """Return the highest price on a tick that is not above ``price``."""
    tick = _tick(price)
    return np.round(np.floor(price / tick) * tick, 2)


def up_to_tick(price: FloatArray) -> FloatArray:
    """Return the lowest price on a tick that is not below ``price``."""
    tick = _tick(price)
    return np.round(np.ceil(price / tick) * tick, 2)


def traded_price(price: FloatArray, rows: Ladder, ordinal: IntArray, spread: float) -> FloatArray:
    """Return the price on a tick at which a trade was done when the true price was ``price``; at least one tick."""
    side = uniform(Purpose.LAST_PRICE, rows.identity, ordinal) - 0.5
    return np.maximum(down_to_tick(price * (1.0 + side * spread)), SMALL_TICK)


def _tick(price: FloatArray) -> FloatArray:
    return np.where(price < LARGE_FROM, SMALL_TICK, LARGE_TICK)


def _vendor(rows: Ladder, sigma: FloatArray, bid: FloatArray, ordinal: int) -> FloatArray:
    error, draw, which, _ = four_uniforms(Purpose.VENDOR, rows.identity, ordinal)
    noisy = sigma * np.exp(_VENDOR_ERROR * ndtri(error))
    share = np.where(bid > 0, _PLACEHOLDER_SHARE, _UNBID_PLACEHOLDER_SHARE)
    fill_in = PLACEHOLDERS[(which * len(PLACEHOLDERS)).astype(np.int64)]
    return np.where(draw < share, fill_in, noisy)
