"""The median of a few numbers."""

from __future__ import annotations

import numpy as np

from collector.analytics.terms import Floats


def median(figures: Floats) -> float:
    """Return the median of at least one number, shape (n,), none of them NaN.

    What np.median returns, at a fraction of its cost for the few rows of a chain.
    """
    ordered = np.sort(figures)
    return float(ordered[(ordered.size - 1) // 2] + ordered[ordered.size // 2]) / 2
