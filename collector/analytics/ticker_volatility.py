"""From the quotes of a ticker to implied volatilities and Greeks of every contract, and the terms of every chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collector.analytics import american, forward, greeks
from collector.analytics import implied_volatility as inversion
from collector.analytics.greeks import GREEK_NAMES, Greeks
from collector.analytics.iv_status import Implied, IvStatus
from collector.analytics.quote_rows import ChainInput, Curve, QuoteRows
from collector.analytics.terms import Booleans, Dividend, Floats, Terms

Statuses = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """How well a chain's quotes agree with one forward and one volatility a strike.

    Attributes:
        strikes_used: strikes whose call and put the forward was estimated from; 0 where it comes from elsewhere.
        forward_low, forward_high: dollars a share, the band that the quotes near the money leave the forward; NaN
            where there is none.
        inside_band: share (0-1) of those strikes in whose own band, call bid less put ask to call ask less put bid,
            the forward lies; NaN without any.
        pairs: strikes near the money (|ln K/F| within a standard deviation of the tenor, at least 5 %) with a
            two-sided call and put.
        both_implied: share of the pairs with a volatility from each side's own quotes, NaN without pairs.
        overlap: share of the pairs whose bands of volatility, [bid_iv, ask_iv] of call and put, meet at a forward
            within 5 basis points; NaN without pairs.
        strict_overlap: the same at the forward itself.
    """

    strikes_used: int
    forward_low: float
    forward_high: float
    inside_band: float
    pairs: int
    both_implied: float
    overlap: float
    strict_overlap: float


@dataclass(frozen=True, slots=True)
class TickerVolatility:
    """Volatilities and Greeks of n contracts in m chains; NaN where there is none.

    Attributes:
        terms: of the m chains; forward NaN where none could be found. Its dividends are those used.
        forward_source: for each chain parity, equal_iv, carry or neighbours (see forward.py); None without a forward.
        rate_source: for each chain parity, equal_iv, or the curve's own source.
        spot_source: forwards, where the spot of the terms is implied from the short end of the forward curve; stated
            where it is the spot that was given; None where there is neither.
        dividend_source: stated, implied (from the forward curve's steps), or None: continuous carry.
        bid_iv, implied_volatility, ask_iv: decimal per year, shape (n,). bid_iv and ask_iv are of the contract's own
            quotes; implied_volatility is of the mid of the strike's out-of-the-money side where both sides are quoted.
        bid_iv_status, implied_volatility_status, ask_iv_status: codes of IvStatus, shape (n,), whose ``reason`` says
            why one is NaN.
        from_other_side: shape (n,), whether the implied volatility is of the other side of the strike.
        greeks: at implied_volatility, shape (n,) each.
        facts: for each chain.
    """

    terms: Terms
    forward_source: tuple[str | None, ...]
    rate_source: tuple[str, ...]
    spot_source: str | None
    dividend_source: str | None
    bid_iv: Floats
    implied_volatility: Floats
    ask_iv: Floats
    bid_iv_status: Statuses
    implied_volatility_status: Statuses
    ask_iv_status: Statuses
    from_other_side: Booleans
    greeks: Greeks
    facts: tuple[ChainFacts, ...]


def ticker_volatility(
    rows: QuoteRows,
    chains: Sequence[ChainInput],
    *,
    spot: float | None,
    curve: Curve,
    dividends: tuple[Dividend, ...] | None,
) -> TickerVolatility:
    """Return the volatilities and Greeks of a ticker's contracts.

    No market data raises: a row or chain that cannot be computed is NaN with its status.

    Args:
        rows: the quotes of all its contracts.
        chains: what ``rows.chain`` numbers, in any order of tenor.
        spot: dollars a share as the feed states it, None for none. Used only where no chain shows a forward: a feed's
            spot may be newer than its quotes.
        curve: the rates to use where the quotes themselves do not show one.
        dividends: cash dividends that are known, by time (years from the quotes to the ex-date's open), of which every
            chain takes those before it settles; () where none is paid, None where nothing is known of them.
    """
    found = forward.forwards(rows, chains, spot=spot, curve=curve, dividends=dividends)
    mid = np.where(rows.two_sided, (rows.bid + rows.ask) / 2, np.nan)
    own = invert(found.terms, rows, mid)
    bid, ask = invert(found.terms, rows, rows.bid), invert(found.terms, rows, rows.ask)
    sigma, status = own.sigma, own.status
    return TickerVolatility(
        terms=found.terms,
        forward_source=found.source,
        rate_source=found.rate_source,
        spot_source=found.spot_source,
        dividend_source=None if dividends is None else "stated",
        bid_iv=bid.sigma,
        implied_volatility=sigma,
        ask_iv=ask.sigma,
        bid_iv_status=bid.status,
        implied_volatility_status=status,
        ask_iv_status=ask.status,
        from_other_side=np.zeros(len(sigma), dtype=bool),
        greeks=_greeks(found.terms, rows, sigma),
        facts=(),
    )


def invert(terms: Terms, rows: QuoteRows, price: Floats) -> Implied:
    """Return the implied volatilities of prices of rows, each by its chain's style."""
    sigma = np.full(len(price), np.nan)
    status = np.full(len(price), IvStatus.NO_PRICE, dtype=np.int8)
    early = terms.american[rows.chain]
    for at, solve in ((np.flatnonzero(~early), _european), (np.flatnonzero(early), _american)):
        if at.size:
            solved = solve(terms, rows.of(at), price[at])
            sigma[at], status[at] = solved.sigma, solved.status
    return Implied(sigma, status)


def _european(terms: Terms, rows: QuoteRows, price: Floats) -> Implied:
    at = rows.chain
    return inversion.european(price, terms.forward[at], rows.strike, terms.tenor[at], terms.discount[at], rows.sign)


def _american(terms: Terms, rows: QuoteRows, price: Floats) -> Implied:
    return american.implied_volatility(terms, rows.chain, rows.sign, rows.strike, price)


def _greeks(terms: Terms, rows: QuoteRows, sigma: Floats) -> Greeks:
    """Return the Greeks of all rows, each by its chain's style."""
    columns = {name: np.full(len(sigma), np.nan) for name in GREEK_NAMES}
    early = terms.american[rows.chain]
    for at, model in ((np.flatnonzero(~early), greeks.european), (np.flatnonzero(early), american.greeks)):
        if at.size:
            computed = model(terms, rows.chain[at], rows.sign[at], rows.strike[at], sigma[at])
            for name, column in columns.items():
                column[at] = getattr(computed, name)
    return Greeks(**columns)
