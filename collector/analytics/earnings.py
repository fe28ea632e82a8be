"""The move that options expect of an earnings release.

The first expiration after the release holds the variance of the days until then and that of the release itself. The
variance of a day without a release is read between that expiration and the next one; what is left is the release's.
Days count by the calendar. The figure is a standard deviation: the mean absolute move is 0.8 of it.

Source: the additivity of variance; worked by hand in tests/analytics/test_earnings.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from collector.analytics.term_structure import TermStructure


@dataclass(frozen=True, slots=True)
class EarningsMove:
    """What the options expect of a release.

    Attributes:
        move: standard deviation of the log return on the release; None where ``reason`` says why.
        place: place in the term structure of the first expiration after it, None where there is none.
    """

    move: float | None
    place: int | None
    reason: str | None


def implied_earnings_move(terms: TermStructure, release: float) -> EarningsMove:
    """Return the implied move.

    Args:
        terms: volatilities at the forward.
        release: years from now to the release.

    None with ``no_expiration_after`` without two used expirations after the release, ``variance_falls`` where total
    variance does not rise between these, so that no ordinary day can be told, ``no_event_variance`` where the
    expiration after it holds no more variance than ordinary days would.
    """
    places = np.flatnonzero(terms.used)
    after = places[terms.tenor[places] > release]
    if after.size < 2:
        return EarningsMove(None, int(after[0]) if after.size else None, "no_expiration_after")
    variance, tenor = terms.total_variance, terms.tenor
    first, second = int(after[0]), int(after[1])
    spent = tenor[second] - tenor[first]
    ordinary = (variance[second] - variance[first]) / spent if spent > 0 else 0.0
    if not ordinary > 0:
        return EarningsMove(None, first, "variance_falls")
    before = places[terms.tenor[places] <= release]
    since, held = (tenor[before[-1]], variance[before[-1]]) if before.size else (0.0, 0.0)
    event = variance[first] - held - ordinary * (tenor[first] - since)
    if not event > 0:
        return EarningsMove(None, first, "no_event_variance")
    return EarningsMove(math.sqrt(event), first, None)
