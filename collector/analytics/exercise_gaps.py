"""What early exercise adds to C - P of a strike, at the volatility of its out-of-the-money side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.analytics import implied_volatility as inversion
from collector.analytics.early_exercise import EarlyExercise
from collector.analytics.strike_pairs import StrikePairs
from collector.analytics.terms import Floats, Integers


@dataclass(frozen=True, slots=True)
class ExerciseGaps:
    """Of k strikes, NaN where it cannot be computed.

    Attributes:
        early: dollars a share: to be added to C - P for what it would be without early exercise.
        size: dollars a share: what early exercise adds to call and put together.
        sigma: the volatility of the out-of-the-money side.
    """

    early: Floats
    size: Floats
    sigma: Floats


def exercise_gaps(exercise: EarlyExercise, pairs: StrikePairs, sigma: Floats) -> ExerciseGaps:
    """Return what early exercise adds.

    Args:
        exercise: of the terms of the chains that ``pairs.chain`` numbers.
        pairs: k strikes of American chains.
        sigma: volatilities near those of the strikes, NaN where none is known.
    """
    terms, chain, strike = exercise.terms, pairs.chain, pairs.strike
    forward, tenor, discount = terms.forward[chain], terms.tenor[chain], terms.discount[chain]
    sign = np.where(strike > forward, 1.0, -1.0)
    price = np.where(sign > 0, pairs.call_mid, pairs.put_mid)
    unknown = ~np.isfinite(sigma)
    if unknown.any():
        sigma = np.where(unknown, inversion.european(price, forward, strike, tenor, discount, sign).sigma, sigma)
    own, other = (_premium(exercise, chain, side, strike, sigma) for side in (sign, -sign))
    return ExerciseGaps(
        early=sign * (other - own),
        size=own + other,
        sigma=inversion.european(price - own, forward, strike, tenor, discount, sign).sigma,
    )


def _premium(exercise: EarlyExercise, chain: Integers, sign: Floats, strike: Floats, sigma: Floats) -> Floats:
    """Return what early exercise adds to contracts, NaN without a volatility or with two boundaries."""
    order = np.lexsort((sign, chain))
    rows = exercise.rows(chain[order], sign[order], strike[order])
    value = np.full(len(chain), np.nan)
    known = np.isfinite(sigma[order]) & ~exercise.double(rows)
    value[order[known]] = exercise.value(rows.of(known), sigma[order][known])
    return value
