"""American options: prices, implied volatilities and Greeks.

The value is the European one by Black-76 on the forward plus the premium of early exercise (early_exercise.py). The
volatility is that of the spot less the present value of the cash dividends before settlement.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collector.analytics import american_greeks, black76
from collector.analytics import implied_volatility as inversion
from collector.analytics.american_search import Start, search
from collector.analytics.contract_rows import Rows
from collector.analytics.early_exercise import EarlyExercise
from collector.analytics.greeks import GREEK_NAMES, Greeks
from collector.analytics.iv_status import Implied, IvStatus
from collector.analytics.terms import Booleans, Floats, Integers, Terms

Statuses = NDArray[np.int8]

# The share of the volatility by which the search may be off.
TOLERANCE = 1e-7
# How far beyond volatilities that were beyond the tables the new ones reach.
WIDENED = 0.25
# A price this close to what exercise pays now, as a share of the strike, says nothing of volatility.
EXERCISE_ROUNDING = 1e-6


def price(
    terms: Terms, chain: Integers, sign: Floats, strike: Floats, sigma: Floats, *, tables: EarlyExercise | None = None
) -> Floats:
    """Return the price of American options, dollars a share.

    Args:
        terms: what the chains share.
        chain, sign, strike: shape (n,).
        sigma: decimal per year, above 0; NaN gives NaN.
        tables: for these terms; made for the range of ``sigma`` where there are none.

    Returns:
        Shape (n,); NaN where two boundaries bound the exercise region (see exercise_boundary.py), and for calls with
        cash dividends and a high yield beside them (see early_exercise.py).
    """
    value = np.full(np.shape(sigma), np.nan)
    known = np.isfinite(sigma) & np.isfinite(terms.forward[chain])
    if not known.any():
        return value
    tables = tables or EarlyExercise(terms, *sigma_range(terms, chain, sigma))
    at = _sorted(np.flatnonzero(known), chain, sign)
    rows = tables.rows(chain[at], sign[at], strike[at])
    worth = black76.price(rows.forward, rows.strike, rows.tenor, sigma[at], rows.discount, rows.sign)
    worth += tables.value(rows, sigma[at])
    worth = np.where(tables.now(rows, sigma[at]), rows.intrinsic, np.maximum(worth, rows.intrinsic))
    value[at] = np.where(tables.unsure(rows), np.nan, worth)
    return value


def implied_volatility(
    terms: Terms,
    chain: Integers,
    sign: Floats,
    strike: Floats,
    price: Floats,
    *,
    tables: EarlyExercise | None = None,
    start: Start | Floats | None = None,
    widenings: int = 2,
    tolerance: float = TOLERANCE,
) -> Implied:
    """Return the implied volatility of American prices.

    Args:
        terms: what the chains share.
        chain, sign, strike: shape (n,).
        price: dollars a share, NaN for none.
        tables: for these terms; made for the range of the prices' European volatilities where there are none.
        start: a volatility near the one looked for, NaN where none is known; with the premium there where that is known
            (from greeks_and_start).
        widenings: how often the tables may be made anew for volatilities that turn out beyond them.
        tolerance: the share of the volatility by which it may be off.

    Returns:
        As implied_volatility.european, and EXERCISE_REGION where the price is what exercise pays now or the search
        comes down to that, NOT_CONVERGED where it did not settle, UNDETERMINED where early exercise is not computed
        (see price).
    """
    sigma = np.full(np.shape(price), np.nan)
    status = np.where(price > 0, IvStatus.NO_FORWARD, IvStatus.NO_PRICE).astype(np.int8)
    priced = np.flatnonzero((price > 0) & (terms.forward[chain] > 0))
    if not priced.size:
        return Implied(sigma, status)
    at = _sorted(priced, chain, sign)
    near = _start(start, len(price)).of(at)
    if tables is None:
        european = _european(terms, chain[at], sign[at], strike[at], price[at])
        near = replace(near, sigma=np.where(np.isfinite(near.sigma), near.sigma, european.sigma))
        tables = EarlyExercise(terms, *sigma_range(terms, chain[at], european.sigma))
    rows = tables.rows(chain[at], sign[at], strike[at])
    sigma[at], status[at] = _invert(tables, rows, price[at], near, tolerance)
    solved = np.flatnonzero(status == IvStatus.SOLVED)
    beyond = solved[~tables.tables.covers(chain[solved], sigma[solved])]
    if beyond.size and widenings:
        # Found by the boundary of another volatility: once more, with tables that reach there.
        chains, place = np.unique(chain[beyond], return_inverse=True)
        some = terms.of(chains)
        low, high = sigma_range(some, place, sigma[beyond])
        again = implied_volatility(
            some,
            place,
            sign[beyond],
            strike[beyond],
            price[beyond],
            tables=EarlyExercise(some, low * (1.0 - WIDENED), high * (1.0 + WIDENED)),
            start=sigma[beyond],
            widenings=widenings - 1,
            tolerance=tolerance,
        )
        sigma[beyond], status[beyond] = again.sigma, again.status
    return Implied(sigma, status)


def greeks(
    terms: Terms,
    chain: Integers,
    sign: Floats,
    strike: Floats,
    sigma: Floats,
    *,
    tables: EarlyExercise | None = None,
) -> Greeks:
    """Return the Greeks of American options, theta with the spot held fixed; see greeks.Greeks.

    Args:
        terms: what the chains share.
        chain, sign, strike: shape (n,).
        sigma: decimal per year, above 0; NaN gives NaN.
        tables: for these terms; made for the range of ``sigma`` where there are none.
    """
    return greeks_and_start(terms, chain, sign, strike, sigma, tables=tables)[0]


def greeks_and_start(
    terms: Terms,
    chain: Integers,
    sign: Floats,
    strike: Floats,
    sigma: Floats,
    *,
    tables: EarlyExercise | None = None,
) -> tuple[Greeks, Start]:
    """Return the Greeks, and from where to look for the volatilities of other prices of the contracts; see greeks."""
    columns = {name: np.full(np.shape(sigma), np.nan) for name in GREEK_NAMES}
    premium, slope = np.full(np.shape(sigma), np.nan), np.full(np.shape(sigma), np.nan)
    known = np.isfinite(sigma) & np.isfinite(terms.forward[chain])
    if known.any():
        tables = tables or EarlyExercise(terms, *sigma_range(terms, chain, sigma))
        at = _sorted(np.flatnonzero(known), chain, sign)
        rows = tables.rows(chain[at], sign[at], strike[at])
        early = tables.derivatives(rows, sigma[at])
        found = american_greeks.american(rows, sigma[at], tables.terms, early)
        for name, column in columns.items():
            column[at] = np.where(tables.unsure(rows), np.nan, getattr(found, name))
        premium[at], slope[at] = early.value, early.by_sigma
    return Greeks(**columns), Start(sigma, premium, slope)


def sigma_range(terms: Terms, chain: Integers, sigma: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and highest of each chain's volatilities, NaN for a chain without any; shape (m,)."""
    low, high = np.full(len(terms.tenor), np.inf), np.full(len(terms.tenor), -np.inf)
    known = np.isfinite(sigma)
    np.minimum.at(low, chain[known], sigma[known])
    np.maximum.at(high, chain[known], sigma[known])
    return np.where(np.isfinite(low), low, np.nan), np.where(np.isfinite(high), high, np.nan)


def _sorted(at: Integers, chain: Integers, sign: Floats) -> Integers:
    """Return the rows ``at`` by chain and side, in which order a table is read once."""
    return at[np.argsort(2 * chain[at] + (sign[at] > 0), kind="stable")]


def _start(start: Start | Floats | None, size: int) -> Start:
    """Return where to begin, with all that is not known NaN."""
    if isinstance(start, Start):
        return start
    unknown = np.full(size, np.nan)
    return Start(unknown if start is None else start, unknown, unknown)


def _european(terms: Terms, chain: Integers, sign: Floats, strike: Floats, price: Floats) -> Implied:
    """Return the volatilities of prices as if they were European."""
    return inversion.european(price, terms.forward[chain], strike, terms.tenor[chain], terms.discount[chain], sign)


def _invert(tables: EarlyExercise, rows: Rows, price: Floats, near: Start, tolerance: float) -> tuple[Floats, Statuses]:
    """Return volatilities and statuses of the prices of sorted rows."""
    early, unsure = tables.exercised(rows), tables.unsure(rows)
    status = _outside(tables.terms, rows, price)
    status[unsure & (status == IvStatus.SOLVED)] = IvStatus.UNDETERMINED
    sigma = np.full(len(price), np.nan)
    cold = np.flatnonzero(~unsure & (~early | ((status == IvStatus.SOLVED) & np.isnan(near.sigma))))
    if cold.size:
        some = rows.of(cold)
        found = inversion.european(price[cold], some.forward, some.strike, some.tenor, some.discount, some.sign)
        late = ~early[cold]
        sigma[cold[late]], status[cold[late]] = found.sigma[late], found.status[late]
        # More than a European option can be worth: from the highest down.
        highest = tables.tables.range[1][some.chain]
        begin = near.sigma.copy()
        begin[cold] = np.where(np.isfinite(found.sigma), found.sigma, highest)
        near = replace(near, sigma=begin)
    sought = np.flatnonzero(early & (status == IvStatus.SOLVED))
    if sought.size:
        some = rows.of(sought)
        sigma[sought], status[sought] = search(tables, some, price[sought], near.of(sought), tolerance)
        held = (status[sought] == IvStatus.NOT_CONVERGED) & (some.intrinsic > 0)
        status[sought[held]] = IvStatus.EXERCISE_REGION
    return sigma, status


def _outside(terms: Terms, rows: Rows, price: Floats) -> Statuses:
    """Return what speaks against an inversion of prices of options that are exercised early at times."""
    european = rows.discount * np.maximum(rows.sign * (rows.forward - rows.strike), 0.0)
    most: Floats = np.where(rows.puts.call, terms.spot[rows.chain], rows.strike)
    rounding = rows.strike * EXERCISE_ROUNDING
    held: Booleans = (rows.intrinsic > 0) & (price <= rows.intrinsic + rounding)
    status = np.full(len(price), IvStatus.SOLVED, dtype=np.int8)
    status[price >= most] = IvStatus.ABOVE_BOUND
    status[held] = IvStatus.EXERCISE_REGION
    # What volatility is worth is lost in the price's own rounding.
    lost = (european > 0) & (price - european < inversion.LEAST_DIGITS * inversion.ROUNDING * price)
    status[lost] = IvStatus.UNDETERMINED
    below = np.maximum(rows.intrinsic - rounding, european * (1.0 - inversion.ROUNDING))
    status[price < below] = IvStatus.BELOW_BOUND
    return status


__all__ = ["EarlyExercise", "Start", "greeks", "greeks_and_start", "implied_volatility", "price", "sigma_range"]
