"""The curve of interest rates that prices and forwards are discounted by.

A bill is quoted by its bank discount d: it costs 1 - d days / 360. A bond is quoted by a yield y compounded twice a
year. Both become continuous rates on 365 days. Source of the conventions: U.S. Treasury, "Treasury bills: price, yield
and rate calculations"; Hull, Options, Futures, and Other Derivatives, "Interest rates".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RateBasis = Literal["discount", "bond_equivalent", "continuous"]

DAYS_A_YEAR = 365.0
BANK_YEAR = 360.0
# Beyond this a rate is per cent read as a decimal: no dollar rate was ever there.
LARGEST = 0.2
# Where neither a curve nor a setting is there. An assumption, and called one: forwards and rates come from the quotes
# themselves wherever they show them.
ASSUMED_RATE = 0.04


@dataclass(frozen=True, slots=True)
class TreasuryYield:
    """What a government's paper of one maturity yields on a day.

    ``rate`` is decimal per year, in the ``basis`` that the market quotes: a bill's bank discount (360 days), a bond's
    yield (compounded twice a year), or continuous. ``known_at`` is when the source stated it.
    """

    date: date
    days: int
    rate: float
    basis: RateBasis
    source: str
    known_at: datetime


class RateError(ValueError):
    """A rate that cannot be one; the message names it and the remedy."""


@dataclass(frozen=True, slots=True)
class RateCurve:
    """Continuous rates by tenor.

    Attributes:
        source: treasury, demo, recorded, setting or assumed.
        date: the New York date that the yields are of, None for a constant.
        tenors: years of 365 days, ascending.
        rates: continuous, decimal per year, of those tenors.
    """

    source: str
    date: date | None
    tenors: tuple[float, ...]
    rates: tuple[float, ...]

    def rate(self, tenor: Floats) -> Floats:
        """Return the continuous rate to each tenor: rate times tenor is linear between the curve's, the rate flat
        beyond its ends.
        """
        known, rates = np.array(self.tenors), np.array(self.rates)
        inside = np.clip(tenor, known[0], known[-1])
        accrued: Floats = np.interp(inside, known, known * rates) / inside
        return accrued

    def to_json(self) -> dict[str, Any]:
        """Return the curve for a scan's row."""
        return {
            "source": self.source,
            "date": self.date.isoformat() if self.date else None,
            "tenors": list(self.tenors),
            "rates": list(self.rates),
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> RateCurve:
        """Return the curve that to_json wrote."""
        day = date.fromisoformat(content["date"]) if content["date"] else None
        return cls(content["source"], day, tuple(content["tenors"]), tuple(content["rates"]))


def constant(rate: float, source: str = "setting") -> RateCurve:
    """Return one rate for all tenors; raise RateError where it cannot be one."""
    return RateCurve(source, None, (1.0,), (_checked(rate, source),))


def assumed() -> RateCurve:
    """Return the curve of where nothing is known: ASSUMED_RATE, source ``assumed``."""
    return constant(ASSUMED_RATE, "assumed")


def from_yields(yields: Sequence[TreasuryYield]) -> RateCurve:
    """Return the curve through yields of one source, continuous.

    Raises:
        RateError: no yields, two of one maturity, or one that cannot be a rate.
    """
    if not yields:
        raise RateError("rates: no yields to make a curve of")
    days = {one.days for one in yields}
    if len(days) < len(yields) or min(days) <= 0:
        raise RateError("rates: each maturity must be above 0 days and stated once")
    points = sorted((one.days / DAYS_A_YEAR, continuous(one)) for one in yields)
    tenors = tuple(tenor for tenor, _ in points)
    newest = max(one.date for one in yields)
    return RateCurve(yields[0].source, newest, tenors, tuple(rate for _, rate in points))


def continuous(quoted: TreasuryYield) -> float:
    """Return a yield as a continuous rate on 365 days, decimal; raise RateError where it cannot be one."""
    rate = _checked(quoted.rate, f"{quoted.source} {quoted.days} days")
    if quoted.basis == "discount":
        price = 1.0 - rate * quoted.days / BANK_YEAR
        if price <= 0:
            raise RateError(f"rate {rate:g} ({quoted.source} {quoted.days} days): a discount that leaves no price")
        return -math.log(price) * DAYS_A_YEAR / quoted.days
    if quoted.basis == "bond_equivalent":
        return 2.0 * math.log1p(rate / 2.0)
    return rate


def _checked(rate: float, name: str) -> float:
    if not math.isfinite(rate) or abs(rate) > LARGEST:
        raise RateError(f"rate {rate:g} ({name}): must be a decimal from -0.2 to 0.2; 4.5 per cent is 0.045")
    return rate
