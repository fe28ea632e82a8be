"""How well a chain can be traded: spreads in price and in volatility, depth, and where trading and holdings stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.analytics.median import median
from collector.analytics.strike_places import strike_places
from collector.analytics.terms import Booleans, Floats, Integers

Figure = tuple[float | None, str | None]


@dataclass(frozen=True, slots=True)
class Book:
    """One chain's contracts outside quarantine, shape (n,), NaN for null.

    ``near`` marks those near the money, ``volume`` is NaN where it is not this session's, ``open_interest`` where it
    is not known, ``multiplier`` is shares a contract.
    """

    strike: Floats
    is_call: Booleans
    near: Booleans
    bid: Floats
    ask: Floats
    mid: Floats
    bid_size: Floats
    ask_size: Floats
    bid_iv: Floats
    ask_iv: Floats
    volume: Floats
    open_interest: Floats
    multiplier: Floats


def liquidity(book: Book, forward: float | None) -> dict[str, Figure]:
    """Return the members of ``documents.LIQUIDITY_FIELDS``, each with a reason code where it is None.

    Args:
        book: the chain.
        forward: the chain's forward, None where it has none.
    """
    spread = np.where(np.isfinite(book.mid), (book.ask - book.bid) / book.mid, np.nan)
    dollars = np.minimum(book.bid_size * book.bid, book.ask_size * book.ask) * book.multiplier
    strikes, place = strike_places(book.strike)
    traded_strike, traded_share = _largest(strikes, place, book.volume)
    held_strike, held_share = _largest(strikes, place, book.open_interest)
    return {
        "at_the_money_spread": _at_the_money(book, spread, forward),
        "spread_in_volatility": _median((book.ask_iv - book.bid_iv)[book.near], "no_two_sided_quote"),
        "quoted_dollars": _median(dollars[book.near], "not_stated"),
        "volume_concentration": (traded_share, "volume_unknown"),
        "open_interest_concentration": (held_share, "open_interest_unknown"),
        "most_traded_strike": (traded_strike, "volume_unknown"),
        "most_held_strike": (held_strike, "open_interest_unknown"),
    }


def _at_the_money(book: Book, spread: Floats, forward: float | None) -> Figure:
    """Return the mean relative spread of the call and the put at the strike nearest to the forward."""
    if forward is None:
        return None, "no_forward"
    if not np.isfinite(spread).any():
        return None, "no_two_sided_quote"
    nearest = book.strike[np.argmin(np.abs(np.log(book.strike / forward)))]
    here = spread[book.strike == nearest]
    return (float(here.mean()), None) if np.isfinite(here).all() else (None, "no_two_sided_quote")


def _median(figures: Floats, missing: str) -> Figure:
    """Return the median of the finite ones."""
    known = figures[np.isfinite(figures)]
    return (median(known), None) if known.size else (None, missing)


def _largest(strikes: Floats, place: Integers, figures: Floats) -> tuple[float | None, float | None]:
    """Return the strike with the largest sum (the lowest of equals) and its share of all; None where all are 0."""
    known = np.where(np.isnan(figures), 0.0, figures)
    total = float(known.sum())
    if total <= 0:
        return None, None
    sums = np.bincount(place, weights=known, minlength=strikes.size)
    best = int(np.argmax(sums))
    return float(strikes[best]), float(sums[best]) / total
