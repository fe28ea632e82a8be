"""What is known of a ticker's sessions before the one that is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Figures of the options count only from sessions whose chains around 30 days earned the grade that history asks for.
OF_OPTIONS = (
    "iv_7d",
    "iv_30d",
    "iv_90d",
    "iv_rank",
    "volatility_risk_premium",
    "skew_25d",
    "risk_reversal_25d",
    "butterfly_25d",
    "term_slope",
    "expected_move_30d",
    "implied_earnings_move",
    "gamma_exposure",
    "gamma_flip",
)
OF_TRADING = (
    "price",
    "realised_volatility_10d",
    "realised_volatility_20d",
    "realised_volatility_60d",
    "volume",
    "open_interest",
    "put_call_volume_ratio",
    "put_call_open_interest_ratio",
    # Calendar days from the session to the next earnings date that it knew of.
    "days_to_earnings",
)
FIGURES = OF_TRADING + OF_OPTIONS


@dataclass(frozen=True, slots=True)
class EarningsMove:
    """What a share did over a past release: ln of the first close after it over the last one before, splits undone."""

    date: date
    move: float


@dataclass(frozen=True, slots=True)
class PastSessions:
    """A ticker's figures by session, oldest first, as they were known then: one row a session, NaN for null.

    ``figures`` holds an array of shape (sessions,) for each name of FIGURES; ``earnings`` its past releases.
    """

    dates: tuple[date, ...] = ()
    figures: Mapping[str, Floats] = field(default_factory=dict)
    earnings: tuple[EarningsMove, ...] = ()

    def last(self, name: str, sessions: int) -> Floats:
        """Return the known values of a figure within the last ``sessions`` sessions, oldest first."""
        values = self.figures.get(name, _EMPTY)[-sessions:]
        known: Floats = values[np.isfinite(values)]
        return known

    def newest(self, name: str) -> float | None:
        """Return the figure of the session before, None where it is not known."""
        values = self.figures.get(name, _EMPTY)
        return float(values[-1]) if values.size and np.isfinite(values[-1]) else None


_EMPTY: Floats = np.zeros(0)
NO_PAST = PastSessions()
