"""From the quotes of a ticker to implied volatilities and Greeks of every contract, and the terms of every chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collector.analytics import american, greeks
from collector.analytics import implied_volatility as inversion
from collector.analytics.american_search import Start
from collector.analytics.chain_facts import ChainFacts, Sides, chain_facts
from collector.analytics.early_exercise import EarlyExercise
from collector.analytics.forward import Forwards
from collector.analytics.forward_search import forwards
from collector.analytics.greeks import GREEK_NAMES, Greeks
from collector.analytics.iv_status import Implied, IvStatus
from collector.analytics.quote_rows import ChainInput, Curve, QuoteRows
from collector.analytics.strike_pairs import StrikePairs
from collector.analytics.terms import Booleans, Dividend, Floats, Integers, Terms

Statuses = NDArray[np.int8]

# Where the search for an American volatility ends, as shares of it; what is left is a tenth of it and less.
MID_TOLERANCE, BAND_TOLERANCE = 5e-5, 5e-4
# A bid's volatility above the mid's by less than this share of it is the search's error and taken for the mid's; above
# that it did not settle. So with an ask's below.
ORDER_TOLERANCE = 2e-3


@dataclass(frozen=True, slots=True)
class TickerVolatility:
    """Volatilities and Greeks of n contracts in m chains; NaN where there is none.

    Attributes:
        terms: of the m chains; forward NaN where none could be found. Its dividends are those used.
        forward_source: for each chain parity, equal_iv, carry or neighbours (see forward.py); None without a forward.
        rate_source: for each chain parity, equal_iv, or the curve's own source.
        spot_source: forwards, where the spot of the terms is the short end of the curve of forwards; stated where no
            chain settles soon enough for that and the stated spot speaks; None where there is neither.
        dividend_source: stated, implied (from the forward curve's steps), or None: continuous carry.
        bid_iv, implied_volatility, ask_iv: decimal per year, shape (n,). bid_iv and ask_iv are of the contract's own
            quotes; implied_volatility is of the mid of the strike's out-of-the-money side where both sides are quoted.
        bid_iv_status, implied_volatility_status, ask_iv_status: codes of IvStatus, shape (n,), whose ``reason`` says
            why one is NaN.
        from_other_side: shape (n,), whether the implied volatility is of the other side of the strike.
        greeks: at implied_volatility, shape (n,) each. Of European contracts with the dividends as cash, which do not
            move with the spot: delta is the normal probability of d1, as the exchange states it.
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

    def sides(self) -> Sides:
        """Return what the facts of chains are taken from."""
        return Sides(self.bid_iv, self.ask_iv, self.bid_iv_status, self.greeks)


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
        spot: dollars a share as the feed states it, None for none. Used only where no chain shows a forward, or none
            soon enough to tell the spot: a feed's spot may be newer than its quotes.
        curve: the rates to use where the quotes themselves do not show one.
        dividends: cash dividends that are known, by time (years from the quotes to the ex-date's open), of which every
            chain takes those before it settles; () where none is paid, None where nothing is known of them.
    """
    return volatilities(rows, forwards(rows, chains, spot=spot, curve=curve, dividends=dividends))


def volatilities(rows: QuoteRows, found: Forwards, at_fault: Booleans | None = None) -> TickerVolatility:
    """Return the volatilities and Greeks of a ticker's contracts at forwards that were found.

    Args:
        rows: the quotes of all its contracts.
        found: by forward_search.forwards, of these rows.
        at_fault: shape (n,), rows whose quotes contradict others: no other side takes its volatility from one.
    """
    terms, other = found.terms, _other_sides(rows, found.pairs)
    if at_fault is not None:
        other = np.where(at_fault[other], -1, other)
    in_the_money = rows.sign * (terms.forward[rows.chain] - rows.strike) > 0
    from_other_side = in_the_money & (other >= 0)
    model = _Model(terms, rows, found.exercise)
    mid = np.where(rows.two_sided, (rows.bid + rows.ask) / 2, np.nan)
    own = model.implied(np.where(from_other_side, np.nan, mid))
    sigma, status = own.sigma.copy(), own.status.copy()
    sigma[from_other_side] = own.sigma[other[from_other_side]]
    status[from_other_side] = own.status[other[from_other_side]]
    crossed = (rows.bid > 0) & (rows.ask < rows.bid) & (rows.ask > 0)
    sensitivities, near = model.greeks(sigma)
    bid, ask = model.bands(np.where(crossed, np.nan, rows.bid), np.where(crossed, np.nan, rows.ask), near)
    bid, ask = _ordered(bid, np.where(from_other_side, np.nan, sigma), ask)
    computed = TickerVolatility(
        terms=terms,
        forward_source=found.source,
        rate_source=found.rate_source,
        spot_source=found.spot_source,
        dividend_source=found.dividend_source,
        bid_iv=bid.sigma,
        implied_volatility=sigma,
        ask_iv=ask.sigma,
        bid_iv_status=_status(rows, bid, crossed, IvStatus.NO_BID),
        implied_volatility_status=_status(rows, Implied(sigma, status), crossed, IvStatus.NO_PRICE),
        ask_iv_status=_status(rows, ask, crossed, IvStatus.NO_ASK),
        from_other_side=from_other_side & rows.usable,
        greeks=sensitivities,
        facts=(),
    )
    return replace(computed, facts=chain_facts(found, computed.sides()))


def _other_sides(rows: QuoteRows, pairs: StrikePairs) -> Integers:
    """Return the row of the other side of each row's strike where both are quoted on both sides, else -1."""
    other = np.full(len(rows.chain), -1, dtype=np.intp)
    other[pairs.call], other[pairs.put] = pairs.put, pairs.call
    return other


def _ordered(bid: Implied, mid: Floats, ask: Implied) -> tuple[Implied, Implied]:
    """Return the volatilities of bid and ask in order: bid at most mid at most ask; ``mid`` is NaN for not its own."""
    between = np.where(np.isfinite(mid), mid, ask.sigma)
    bid = _on_its_side(bid, np.fmin(bid.sigma, between), between)
    between = np.where(np.isfinite(mid), mid, bid.sigma)
    return bid, _on_its_side(ask, np.fmax(ask.sigma, between), between)


def _on_its_side(found: Implied, moved: Floats, between: Floats) -> Implied:
    """Return volatilities moved to their side of ``between``, NaN where they were further off than the search errs."""
    sigma = np.where(np.isfinite(found.sigma), moved, np.nan)
    with np.errstate(invalid="ignore"):
        off = np.abs(found.sigma - sigma) > ORDER_TOLERANCE * between
    status = np.where(off, IvStatus.NOT_CONVERGED, found.status).astype(np.int8)
    return Implied(np.where(off, np.nan, sigma), status)


def _status(rows: QuoteRows, found: Implied, crossed: Booleans, missing: IvStatus) -> Statuses:
    """Return the statuses, with what is known of a missing price: quarantine, a crossed quote, the side that lacks."""
    status = np.where(found.status == IvStatus.NO_PRICE, missing, found.status)
    status = np.where(crossed, IvStatus.NO_PRICE, status)
    return np.where(rows.usable, status, IvStatus.QUARANTINED).astype(np.int8)


def _paid_in_cash(terms: Terms) -> Terms:
    """Return the terms of European chains for their Greeks: what the forward lies below the carried spot is cash.

    An index pays so many dollars, which do not move with the spot; so the forward moves with it by e^(rate tenor).
    """
    return replace(terms, spot=terms.forward * terms.discount, dividends=((),) * len(terms.tenor))


class _Model:
    """The pricing model of each row: European, or American on tables that all its inversions share."""

    def __init__(self, terms: Terms, rows: QuoteRows, exercise: EarlyExercise | None) -> None:
        self.terms, self.rows, self.exercise = terms, rows, exercise
        known = rows.usable & np.isfinite(terms.forward[rows.chain])
        early = terms.american[rows.chain]
        self.european, self.american = known & ~early, known & early

    def implied(self, price: Floats) -> Implied:
        """Return the volatilities of prices, shape (n,)."""
        return self._implied(np.arange(len(price)), price, None)

    def bands(self, bid: Floats, ask: Floats, near: Start) -> tuple[Implied, Implied]:
        """Return the volatilities of bids and asks, all at once, looked for from ``near``."""
        size = len(bid)
        both = self._implied(np.tile(np.arange(size), 2), np.concatenate([bid, ask]), near)
        return (
            Implied(both.sigma[:size], both.status[:size]),
            Implied(both.sigma[size:], both.status[size:]),
        )

    def _implied(self, rows: Integers, price: Floats, near: Start | None) -> Implied:
        """Return the volatilities of prices of some rows; ``near`` is of all rows."""
        own, terms = self.rows, self.terms
        sigma = np.full(len(price), np.nan)
        status = np.where(price > 0, IvStatus.NO_FORWARD, IvStatus.NO_PRICE).astype(np.int8)
        at = np.flatnonzero(self.european[rows])
        if at.size:
            row = rows[at]
            chain = own.chain[row]
            solved = inversion.european(
                price[at],
                terms.forward[chain],
                own.strike[row],
                terms.tenor[chain],
                terms.discount[chain],
                own.sign[row],
            )
            sigma[at], status[at] = solved.sigma, solved.status
        at = np.flatnonzero(self.american[rows])
        if at.size:
            row = rows[at]
            solved = american.implied_volatility(
                terms,
                own.chain[row],
                own.sign[row],
                own.strike[row],
                price[at],
                tables=self.exercise,
                start=None if near is None else near.of(row),
                widenings=1 if near is None else 0,
                tolerance=MID_TOLERANCE if near is None else BAND_TOLERANCE,
            )
            sigma[at], status[at] = solved.sigma, solved.status
        return Implied(sigma, status)

    def greeks(self, sigma: Floats) -> tuple[Greeks, Start]:
        """Return the Greeks at these volatilities, shape (n,) each, and whence to look for those of other prices."""
        columns = {name: np.full(len(sigma), np.nan) for name in GREEK_NAMES}
        premium, slope = np.full(len(sigma), np.nan), np.full(len(sigma), np.nan)
        rows = self.rows
        at = np.flatnonzero(self.european)
        if at.size:
            cash = _paid_in_cash(self.terms)
            found = greeks.european(cash, rows.chain[at], rows.sign[at], rows.strike[at], sigma[at])
            for name, column in columns.items():
                column[at] = getattr(found, name)
        at = np.flatnonzero(self.american)
        if at.size:
            own = (self.terms, rows.chain[at], rows.sign[at], rows.strike[at])
            found, near = american.greeks_and_start(*own, sigma[at], tables=self.exercise)
            for name, column in columns.items():
                column[at] = getattr(found, name)
            premium[at], slope[at] = near.premium, near.slope
        return Greeks(**columns), Start(sigma, premium, slope)
