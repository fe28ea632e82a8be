"""How likely the underlying ends below a price, by what its options cost: risk-neutral, and no forecast.

From the smile: the slope of undiscounted call prices in strike is minus the probability of ending above it,
P(S > K) = N(d2) - n(d2) s'(k), with s the root of total variance over k = ln(K / F). Source: D. Breeden and R.
Litzenberger, "Prices of state-contingent claims implicit in option prices", Journal of Business 51 (1978) 621-651.
Without a usable smile: lognormal around the forward at the at-the-money volatility.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log, pi, sqrt
from typing import Any

from scipy.special import ndtr

from collector.analytics.svi import Svi

LOGNORMAL = "risk_neutral_lognormal"
SMILE = "risk_neutral_svi"
# A fit is usable where its residual is at most this, or this share of the volatility, and its density is nowhere
# negative within this many deviations of the forward; what lies beyond them counts to the end of that range.
MOST_RESIDUAL, MOST_RESIDUAL_SHARE = 0.01, 0.05
DEVIATIONS = 4.0
PARAMETERS = ("a", "b", "rho", "m", "sigma")


@dataclass(frozen=True, slots=True)
class TerminalPrice:
    """The risk-neutral distribution of the underlying's price at settlement.

    Attributes:
        forward: its mean.
        deviation: the at-the-money volatility times the root of the tenor.
        smile: raw SVI of total variance, None for lognormal.
    """

    forward: float
    deviation: float
    smile: Svi | None = None

    @property
    def model(self) -> str:
        """The name of the model."""
        return LOGNORMAL if self.smile is None else SMILE

    def below(self, price: float) -> float:
        """Return the probability that the price ends below ``price`` (0 or more, infinity included)."""
        if price <= 0:
            return 0.0
        if price == inf:
            return 1.0
        k = log(price) - log(self.forward)
        root, slope = self.deviation, 0.0
        if self.smile is not None:
            reach = DEVIATIONS * self.deviation
            k = min(max(k, -reach), reach)
            root, slope = _root_and_slope(self.smile, k)
        d2 = -k / root - root / 2
        above = float(ndtr(d2)) - exp(-d2 * d2 / 2) / sqrt(2 * pi) * slope
        return min(max(1.0 - above, 0.0), 1.0)

    def within(self, ranges: Sequence[tuple[float, float]]) -> float:
        """Return the probability that the price ends in one of the ranges, which do not overlap."""
        return min(max(sum(self.below(high) - self.below(low) for low, high in ranges), 0.0), 1.0)


def terminal_price(forward: float, atm_iv: float, tenor: float, smile: Mapping[str, Any] | None) -> TerminalPrice:
    """Return the distribution by the smile where it is usable, else lognormal.

    Args:
        forward: dollars a share, above 0.
        atm_iv: decimal per year, above 0.
        tenor: years, above 0.
        smile: the chain's fit, ``documents.SMILE_FIELDS``.
    """
    deviation = atm_iv * sqrt(tenor)
    numbers = [] if smile is None else [smile[name] for name in (*PARAMETERS, "residual_rms")]
    if numbers and None not in numbers and numbers[-1] <= max(MOST_RESIDUAL, MOST_RESIDUAL_SHARE * atm_iv):
        fitted, reach = Svi(*numbers[:-1]), DEVIATIONS * deviation
        if fitted.density_is_positive(-reach, reach):
            return TerminalPrice(forward, deviation, fitted)
    return TerminalPrice(forward, deviation)


def _root_and_slope(smile: Svi, k: float) -> tuple[float, float]:
    """Return the root of total variance at ``k``, and its slope there."""
    shifted = k - smile.m
    bend = sqrt(shifted * shifted + smile.sigma**2)
    variance = smile.a + smile.b * (smile.rho * shifted + bend)
    root = sqrt(max(variance, 1e-12))
    return root, smile.b * (smile.rho + shifted / bend) / (2 * root)
