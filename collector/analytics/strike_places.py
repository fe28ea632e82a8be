"""Rows by strike."""

from __future__ import annotations

import numpy as np

from collector.analytics.terms import Floats, Integers


def strike_places(strike: Floats) -> tuple[Floats, Integers]:
    """Return the strikes of rows, ascending, each once, and for each row the place of its strike among them.

    What np.unique returns with ``return_inverse``, at a fraction of its cost for the few rows of a chain.
    """
    order = np.argsort(strike, kind="stable")
    ordered = strike[order]
    first = np.empty(ordered.shape, dtype=np.bool_)
    first[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    place = np.empty(ordered.shape, dtype=np.intp)
    place[order] = np.cumsum(first) - 1
    return ordered[first], place
