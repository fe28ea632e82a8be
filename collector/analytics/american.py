"""American options: prices, implied volatilities and Greeks.

The value is the European one by Black-76 on the forward plus the premium of early exercise (early_exercise.py). The
volatility is that of the spot less the present value of the cash dividends before settlement.
"""

from __future__ import annotations

import numpy as np

from collector.analytics import american_greeks, black76
from collector.analytics import implied_volatility as inversion
from collector.analytics.discrete_dividends import Calendar, least
from collector.analytics.early_exercise import EarlyExercise, Rows
from collector.analytics.greeks import GREEK_NAMES, Greeks
from collector.analytics.iv_status import Implied, IvStatus
from collector.analytics.terms import Floats, Integers, Terms

ITERATIONS = 8
# The search ends where a step moves the volatility by less than this share of it.
TOLERANCE = 1e-7
# How many steps a price may say next to nothing of volatility where the search is, before it is given up.
PATIENCE = 3
# How far short of the root of what may be left Newton's last step has to be.
HALF_STEP = 0.5
# Of the European vega the least share left with the premium's that a step is divided by.
SHALLOW = 0.05
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
    at = np.flatnonzero(known)[_order(chain[known], sign[known])]
    rows = tables.rows(chain[at], sign[at], strike[at])
    worth = black76.price(rows.forward, rows.strike, rows.tenor, sigma[at], rows.discount, rows.sign)
    worth += tables.value(rows, sigma[at])
    value[at] = np.where(tables.unsure(rows), np.nan, np.maximum(worth, rows.intrinsic))
    return value


def implied_volatility(
    terms: Terms,
    chain: Integers,
    sign: Floats,
    strike: Floats,
    price: Floats,
    *,
    tables: EarlyExercise | None = None,
    start: Floats | None = None,
    widenings: int = 2,
    tolerance: float = TOLERANCE,
) -> Implied:
    """Return the implied volatility of American prices.

    Secant steps on European(price - premium(sigma)) - sigma: the premium moves little with volatility, so two or three
    evaluations of it do.

    Args:
        terms: what the chains share.
        chain, sign, strike: shape (n,).
        price: dollars a share, NaN for none.
        tables: for these terms; made for the range of the prices' European volatilities where there are none.
        start: a volatility near the one looked for, NaN where none is known.
        widenings: how often the tables may be made anew for volatilities that turn out beyond them.
        tolerance: the search ends where a step moves the volatility by less than this share of it; what is left then
            is a small part of that step.

    Returns:
        As implied_volatility.european, and EXERCISE_REGION where the price is what exercise pays now, NOT_CONVERGED
        where the steps did not settle.
    """
    sigma = np.full(np.shape(price), np.nan)
    forward = terms.forward[chain]
    upper = inversion.european(price, forward, strike, terms.tenor[chain], terms.discount[chain], sign)
    status = upper.status.copy()
    calendar = Calendar(terms) if tables is None else tables.calendar
    intrinsic = least(terms, calendar, chain, sign, strike)
    priced = (price > 0) & (forward > 0)
    rounding = strike * EXERCISE_ROUNDING
    status[priced & (price < intrinsic - rounding)] = IvStatus.BELOW_BOUND
    held = priced & (intrinsic > 0) & (np.abs(price - intrinsic) <= rounding)
    status[held] = IvStatus.EXERCISE_REGION
    solvable = (status == IvStatus.SOLVED) & np.isfinite(upper.sigma)
    if not solvable.any():
        return Implied(sigma, status)
    tables = tables or EarlyExercise(terms, *sigma_range(terms, chain[solvable], upper.sigma[solvable]))
    order = _order(chain[solvable], sign[solvable])
    at = np.flatnonzero(solvable)[order]
    rows = tables.rows(chain[at], sign[at], strike[at])
    first = upper.sigma[at] if start is None else np.where(np.isfinite(start[at]), start[at], upper.sigma[at])
    sigma[at], status[at] = _search(tables, rows, price[at], first, upper.sigma[at], tolerance)
    solved = np.flatnonzero((status == IvStatus.SOLVED) & np.isfinite(sigma))
    beyond = solved[~tables.tables.covers(chain[solved], sigma[solved])]
    if beyond.size and widenings:
        # Found by the boundary of another volatility: once more, with tables that reach there.
        chains, place = np.unique(chain[beyond], return_inverse=True)
        some = terms.of(chains)
        low, high = sigma_range(some, place, sigma[beyond])
        wider = EarlyExercise(some, low * (1.0 - WIDENED), high * (1.0 + WIDENED))
        again = implied_volatility(
            some,
            place,
            sign[beyond],
            strike[beyond],
            price[beyond],
            tables=wider,
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
    columns = {name: np.full(np.shape(sigma), np.nan) for name in GREEK_NAMES}
    known = np.isfinite(sigma) & np.isfinite(terms.forward[chain])
    if known.any():
        tables = tables or EarlyExercise(terms, *sigma_range(terms, chain, sigma))
        at = np.flatnonzero(known)[_order(chain[known], sign[known])]
        rows = tables.rows(chain[at], sign[at], strike[at])
        found = american_greeks.american(rows, sigma[at], tables)
        for name, column in columns.items():
            column[at] = np.where(tables.unsure(rows), np.nan, getattr(found, name))
    return Greeks(**columns)


def sigma_range(terms: Terms, chain: Integers, sigma: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and highest of each chain's volatilities, NaN for a chain without any; shape (m,)."""
    low, high = np.full(len(terms.tenor), np.inf), np.full(len(terms.tenor), -np.inf)
    known = np.isfinite(sigma)
    np.minimum.at(low, chain[known], sigma[known])
    np.maximum.at(high, chain[known], sigma[known])
    return np.where(np.isfinite(low), low, np.nan), np.where(np.isfinite(high), high, np.nan)


def _order(chain: Integers, sign: Floats) -> Integers:
    """Return the order by chain and side, in which a table is read once."""
    return np.argsort(2 * chain + (sign > 0), kind="stable")


def _search(
    tables: EarlyExercise, rows: Rows, price: Floats, start: Floats, upper: Floats, tolerance: float
) -> tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.int8]]]:
    """Return volatilities and statuses of sorted rows; ``upper`` are those of the prices as if they were European."""
    status = np.full(len(price), IvStatus.SOLVED, dtype=np.int8)
    unsure, exercised = tables.unsure(rows), tables.exercised(rows)
    status[unsure] = IvStatus.UNDETERMINED
    found = np.where(exercised, np.nan, upper)
    left = np.flatnonzero(exercised & ~unsure)
    now = np.minimum(start, upper)[left]
    before, gap_before = np.full(len(left), np.nan), np.full(len(left), np.nan)
    for iteration in range(ITERATIONS):
        if not left.size:
            break
        some = rows.of(left)
        target, share = _less_premium(tables, some, price[left], now)
        gap = target - now
        with np.errstate(invalid="ignore", divide="ignore"):
            secant = -(gap - gap_before) / (now - before)
        exact = ~some.dividends
        share = np.where(exact | ~np.isfinite(secant), share, secant)
        steep = share > SHALLOW
        after = now + gap / np.where(steep, share, 1.0)
        after = np.clip(after, 0.2 * now, np.minimum(5.0 * now, upper[left] * (1.0 + 1e-9)))
        # Newton's step leaves about its square, more where the price depends less on volatility; where it hardly does
        # no step says what is left.
        by_newton = HALF_STEP * np.sqrt(tolerance) * np.minimum(share, 1.0)
        enough = np.where(steep, np.where(exact, by_newton, tolerance), TOLERANCE)
        done = np.abs(after - now) <= enough * now
        given_up = ~steep & ~done & (iteration >= PATIENCE)
        found[left[done]] = after[done]
        status[left[given_up]] = IvStatus.NOT_CONVERGED
        keep = ~done & ~given_up
        before, gap_before, now, left = now[keep], gap[keep], after[keep], left[keep]
    status[left] = IvStatus.NOT_CONVERGED
    region = rows.intrinsic > 0
    nearly = np.isnan(found) & region & (status != IvStatus.UNDETERMINED)
    status[nearly] = IvStatus.EXERCISE_REGION
    return np.where(status == IvStatus.SOLVED, found, np.nan), status


def _less_premium(tables: EarlyExercise, rows: Rows, price: Floats, sigma: Floats) -> tuple[Floats, Floats]:
    """Return the European volatility of what is left of the price without the premium at ``sigma``, and of the vega
    there what is left with the premium's.

    Where nothing is left of the price the volatility, and with it the premium, was too high: half of it.
    """
    premium, slope = tables.value_and_slope(rows, sigma)
    left = inversion.european(price - premium, rows.forward, rows.strike, rows.tenor, rows.discount, rows.sign).sigma
    target = np.where(np.isfinite(left), left, 0.5 * sigma)
    total = target * np.sqrt(rows.tenor)
    d1 = np.log(rows.forward / rows.strike) / total + total / 2
    vega = rows.discount * rows.forward * np.exp(-d1 * d1 / 2) * np.sqrt(rows.tenor / (2.0 * np.pi))
    return target, np.where(np.isfinite(left), 1.0 + slope / np.maximum(vega, 1e-300), 1.0)


__all__ = ["EarlyExercise", "greeks", "implied_volatility", "price", "sigma_range"]
