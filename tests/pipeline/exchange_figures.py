"""Published chains of Cboe's tables beside what the tables state: the population that is judged, and the errors."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

SECONDS_A_DAY = 86_400
TICKS = {"^SPX": 0.05}


@dataclass
class Compared:
    """The rows of a ticker that are judged, and how far they are from the exchange's own figures.

    ``errors`` are of all rows, ``out`` of those out of the money with two ticks of time value, ``days`` their tenors.
    """

    rows: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    errors: list[float] = field(default_factory=list)
    out: list[float] = field(default_factory=list)
    days: list[float] = field(default_factory=list)
    expirations: list[str] = field(default_factory=list)
    deltas: list[float] = field(default_factory=list)

    @property
    def coverage(self) -> float:
        return 1 - sum(self.missing.values()) / self.rows

    def beyond(self, days: float = 0.0, but: Sequence[str] = ()) -> np.ndarray:
        """Return the errors out of the money of expirations more than so many days away."""
        kept = [day > days and one not in but for day, one in zip(self.days, self.expirations, strict=True)]
        return np.array(self.out)[kept]


def compare(chains: Sequence[dict[str, Any]], ticker: str) -> Compared:
    """Compare a ticker's published chains with what the feed stated.

    Judged are rows with a bid above 0 and an ask not below it, whose stated volatility is above 0 and whose stated
    delta lies between .02 and .98 in size.
    """
    found = Compared()
    for chain in (one for one in chains if one["ticker"] == ticker):
        for sign, side in ((1.0, "calls"), (-1.0, "puts")):
            for row in chain[side]:
                _one(found, chain, row, sign)
    return found


def _one(found: Compared, chain: dict[str, Any], row: dict[str, Any], sign: float) -> None:
    theirs, delta = row["vendor_implied_volatility"], row["vendor_delta"]
    quoted = row["bid"] and row["ask"] is not None and row["ask"] >= row["bid"] > 0
    if not (quoted and theirs and delta is not None and 0.02 < abs(delta) < 0.98):
        return
    found.rows += 1
    ours = row["implied_volatility"]
    if ours is None:
        reason = row["reasons"].get("implied_volatility") or chain["reasons"].get("contracts.implied_volatility")
        found.missing[str(reason)] += 1
        return
    found.errors.append(abs(ours - theirs))
    found.deltas.append(abs(row["delta"] - delta))
    in_the_money = max(sign * (chain["forward"] - row["strike"]), 0.0) * chain["discount_factor"]
    if in_the_money == 0 and row["mid"] >= 2 * TICKS.get(chain["ticker"], 0.01):
        settles, now = (datetime.fromisoformat(chain[name]) for name in ("settlement_time", "as_of"))
        found.out.append(abs(ours - theirs))
        found.days.append((settles - now).total_seconds() / SECONDS_A_DAY)
        found.expirations.append(chain["expiration"])


def told(errors: Sequence[float] | np.ndarray) -> str:
    """Return median and 95th percentile in words."""
    return f"median {np.median(errors):.5f} p95 {np.percentile(errors, 95):.5f}"


def on_whole_days(chain: dict[str, Any], sigma: float) -> float:
    """Return a volatility as it is where the last day is held to end at 16:00, half days too."""
    settles, now = (datetime.fromisoformat(chain[name]) for name in ("settlement_time", "as_of"))
    tenor = (settles - now).total_seconds()
    return sigma * math.sqrt(tenor / (tenor + 3 * 3600))
