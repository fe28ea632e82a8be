"""Why a contract has an implied volatility, or has none: codes of arrays, and what they are called in documents."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class IvStatus(IntEnum):
    """The outcome of an inversion; ``reason`` is the code that documents show."""

    SOLVED = 0
    NO_PRICE = 1
    BELOW_BOUND = 2
    ABOVE_BOUND = 3
    UNDETERMINED = 4
    EXERCISE_REGION = 5
    NO_FORWARD = 6
    NOT_CONVERGED = 7
    QUARANTINED = 8
    NO_BID = 9
    NO_ASK = 10
    OUT_OF_LINE = 11

    @property
    def reason(self) -> str | None:
        """The reason code of exports/reasons.py; None where it was solved."""
        return _REASONS[self]


_REASONS: dict[IvStatus, str | None] = {
    IvStatus.SOLVED: None,
    IvStatus.NO_PRICE: "no_two_sided_quote",
    IvStatus.BELOW_BOUND: "below_bound",
    IvStatus.ABOVE_BOUND: "above_bound",
    IvStatus.UNDETERMINED: "iv_undetermined",
    IvStatus.EXERCISE_REGION: "exercise_region",
    IvStatus.NO_FORWARD: "no_forward",
    IvStatus.NOT_CONVERGED: "not_converged",
    IvStatus.QUARANTINED: "quarantined",
    IvStatus.NO_BID: "no_bid_quote",
    IvStatus.NO_ASK: "no_ask_quote",
    IvStatus.OUT_OF_LINE: "quote_out_of_line",
}


@dataclass(frozen=True, slots=True)
class Implied:
    """Implied volatilities of n prices: ``sigma`` decimal per year, NaN where ``status`` is not SOLVED."""

    sigma: Floats
    status: NDArray[np.int8]
