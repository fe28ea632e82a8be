"""Exercise of calls just before one ex-date.

To exercise then rather than hold to settlement gains what the dividends to come are worth, less the interest on the
strike, less a put: the right to let the call lapse. The right to it is worth that gain beyond the spot at which it is
0: the price of Roll, Geske and Whaley, summed instead of read from the bivariate normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from collector.analytics.terms import Floats

POINTS = 16
NEWTON_STEPS = 6
# How many standard deviations are summed on each side.
REACH = 5.5

_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)
_Y, _W = np.polynomial.legendre.leggauss(POINTS)
_AT, _WEIGHTS = (_Y + 1.0) / 2.0, _W / 2.0


@dataclass(frozen=True, slots=True)
class ExDate:
    """Calls at one ex-date, shape (n,): ``after`` is the time from it to settlement."""

    strike: Floats
    sigma: Floats
    rate: Floats
    carry_yield: Floats
    after: Floats

    def gain_of_spot(self) -> Floats:
        """Return what of a share is gained by owning it from here: its yield until settlement."""
        return np.asarray(-np.expm1(-self.carry_yield * self.after), dtype=np.float64)

    def gain(self, paid: Floats) -> Floats:
        """Return what exercise gains but for the spot's part and the put, dollars a share."""
        return np.asarray(paid + self.strike * np.expm1(-self.rate * self.after), dtype=np.float64)

    def put(self, log_spot: Floats) -> tuple[Floats, Floats]:
        """Return European puts at the date and minus their delta; ``log_spot`` is (n, j)."""
        value, short, _ = self._put(log_spot)
        return value, short

    def _put(self, log_spot: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the same and d1."""
        total = (self.sigma * np.sqrt(np.maximum(self.after, 1e-12)))[:, None]
        strike, after = self.strike[:, None], self.after[:, None]
        d1 = (log_spot - np.log(strike) + (self.rate - self.carry_yield)[:, None] * after) / total + total / 2
        short = np.exp(-self.carry_yield[:, None] * after) * ndtr(-d1)
        value = strike * np.exp(-self.rate[:, None] * after) * ndtr(total - d1) - np.exp(log_spot) * short
        return value, short, d1

    def critical(self, paid: Floats) -> Floats:
        """Return ln of the spot (without the dividends) above which exercise is optimal."""
        gain, part = self.gain(paid), self.gain_of_spot()
        at = np.log(np.maximum(self.strike - paid, 1e-3 * self.strike))
        furthest = np.log(self.strike) + 9.0 * self.sigma * np.sqrt(self.after) + 1.0
        for _ in range(NEWTON_STEPS):
            put, short = (column[:, 0] for column in self.put(at[:, None]))
            spot = np.exp(at)
            rest, put = np.maximum(gain + part * spot, 1e-12 * self.strike), np.maximum(put, 1e-200)
            slope = -spot * short / put - part * spot / rest
            # The logarithm of a put is concave in that of the spot: from the right Newton's step never goes too far.
            at = np.minimum(at + np.log(put / rest) / np.maximum(-slope, 1e-6), furthest)
        return at

    def ending(self) -> Floats:
        """Return ln of the spot beyond which the put is worth nothing."""
        drift = np.maximum(self.carry_yield - self.rate, 0.0) * self.after
        return np.asarray(np.log(self.strike) + REACH * self.sigma * np.sqrt(self.after) + drift, dtype=np.float64)

    def premium(self, paid: Floats, time: Floats, spots: Floats) -> Floats:
        """Return the value of the right to exercise at this date alone, ``time`` from now, at spots (n, s)."""
        return self.premium_and_slope(paid, time, spots, sloped=False)[0]

    def premium_and_slope(
        self, paid: Floats, time: Floats, spots: Floats, *, sloped: bool = True
    ) -> tuple[Floats, Floats]:
        """Return the same and its derivative by volatility at the first spot, shape (n,), 0 unless ``sloped``."""
        deviation = (self.sigma * np.sqrt(time))[:, None]
        drift = (self.rate - self.carry_yield - self.sigma**2 / 2)[:, None] * time[:, None]
        centre = np.log(spots) + drift
        lowest = (self.critical(paid)[:, None] - centre) / deviation
        begin = np.clip(lowest, -REACH, REACH)
        width = np.clip((self.ending()[:, None] - centre) / deviation, begin, REACH) - begin
        z = begin[:, :, None] + width[:, :, None] * _AT
        at = centre[:, :, None] + deviation[:, :, None] * z
        put, short, d1 = (figures.reshape(at.shape) for figures in self._put(at.reshape(len(spots), -1)))
        bell = np.exp(-0.5 * z * z)
        lapses = ((put * bell) @ _WEIGHTS) * width / _ROOT_TWO_PI
        shares = self.gain_of_spot()[:, None] * np.exp(centre + deviation**2 / 2) * ndtr(deviation - lowest)
        worth = self.gain(paid)[:, None] * ndtr(-lowest) + shares - lapses
        discount = np.exp(-self.rate * time)
        slope = np.zeros(len(spots))
        if sloped:
            # The critical spot moves too, but there nothing is gained. More volatility spreads the spot, and makes the
            # put dearer; a yield's part is left out.
            spread = np.sqrt(time)[:, None] * z[:, 0] - (self.sigma * time)[:, None]
            vega = np.exp(-(self.carry_yield * self.after)[:, None] - 0.5 * d1[:, 0] ** 2) / _ROOT_TWO_PI
            moved = np.exp(at[:, 0]) * (short[:, 0] * spread - vega * np.sqrt(self.after)[:, None])
            slope = discount * ((moved * bell[:, 0]) @ _WEIGHTS) * width[:, 0] / _ROOT_TWO_PI
        return np.asarray(np.maximum(discount[:, None] * worth, 0.0), dtype=np.float64), slope
