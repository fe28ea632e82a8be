"""What early exercise adds to calls around cash dividends.

Calls are exercised, if ever, just before a share goes ex. Where one date pays, or others are worth nothing beside it,
that date speaks (ex_date.py), else all that pay together (ex_dates.py). The spot less the present value of the
dividends is lognormal, as everywhere here.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from collector.analytics.discrete_dividends import Calendar
from collector.analytics.ex_date import ExDate
from collector.analytics.ex_dates import DatesGrid, ExDates
from collector.analytics.terms import Booleans, Floats, Integers, Terms

# A second date adds to the first one where it is itself worth this share of the spot.
SECOND = 1e-5


class CallExercise:
    """The premiums of calls of some chains.

    Args:
        terms: of the chains.
        calendar: their dividends.
    """

    def __init__(self, terms: Terms, calendar: Calendar) -> None:
        self.terms, self.calendar = terms, calendar
        self._ahead = calendar.ahead(terms.rate)
        self._known: dict[tuple[int, bytes], ExDates] = {}

    def premium(self, chain: Integers, strike: Floats, spots: Floats, sigma: Floats) -> Floats:
        """Return what early exercise adds to calls at some spots, dollars a share, shape (n, s).

        Args:
            chain, strike, sigma: shape (n,), the chains ascending.
            spots: less the present value of the dividends, shape (n, s), near each other.
        """
        return self.premium_and_slope(chain, strike, spots, sigma, sloped=False)[0]

    def premium_and_slope(
        self, chain: Integers, strike: Floats, spots: Floats, sigma: Floats, *, sloped: bool = True
    ) -> tuple[Floats, Floats]:
        """Return the same and nearly its derivative by volatility at the first spot (n,): that of the best date."""
        most = int(self.calendar.counts[chain].max(initial=0))
        gains = self._gains(chain, strike)[:, :most]
        rows, dates = np.nonzero(gains > 0)
        alone, slopes = np.zeros((most, *spots.shape)), np.zeros((most, len(chain)))
        if rows.size:
            own = chain[rows]
            time, paid = self.calendar.time[own, dates], self._ahead[own, dates]
            carry_yield, after = self.terms.carry_yield[own], self.terms.tenor[own] - time
            date = ExDate(strike[rows], sigma[rows], self.terms.rate[own], carry_yield, after)
            found = date.premium_and_slope(paid, time, spots[rows], sloped=sloped)
            alone[dates, rows], slopes[dates, rows] = found
        best: Floats = alone.max(axis=0, initial=0.0)
        slope = slopes[alone[:, :, 0].argmax(axis=0), np.arange(len(chain))] if most else np.zeros(len(chain))
        if most < 2:
            return best, slope
        second = np.partition(alone[:, :, 0], -2, axis=0)[-2]
        several = np.flatnonzero(second > SECOND * spots[:, 0])
        left = self._left(chain[several], gains[several], strike[several], spots[several, 0], sigma[several])
        several = several[left * second[several] > SECOND * spots[several, 0]]
        if several.size:
            together = self._several(
                chain[several], gains[several] > 0, strike[several], spots[several], sigma[several]
            )
            best[several] = np.maximum(best[several], together)
        return best, slope

    def _gains(self, chain: Integers, strike: Floats) -> Floats:
        """Return what each dividend is more than the interest on the strike until the next, or settlement; (n, k)."""
        time, amount = self.calendar.time[chain], self.calendar.amount[chain]
        following = np.concatenate([time[:, 1:], self.terms.tenor[chain][:, None]], axis=1)
        interest = -strike[:, None] * np.expm1(-self.terms.rate[chain][:, None] * (following - time))
        return np.where(amount > 0, amount - interest, 0.0)

    def _left(self, chain: Integers, gains: Floats, strike: Floats, spot: Floats, sigma: Floats) -> Floats:
        """Return at most how likely calls are to live on after the first date that pays, shape (n,).

        To wait from there for the next date gives up what this one gains over that, and keeps at most the put.
        """
        first = np.argmax(gains > 0, axis=1)
        time, gain = self.calendar.time[chain, first], gains[np.arange(len(chain)), first]
        rate, carry_yield = self.terms.rate[chain], self.terms.carry_yield[chain]
        date = ExDate(strike, sigma, rate, carry_yield, self.terms.tenor[chain] - time)
        critical = date.critical(gain - strike * np.expm1(-rate * date.after))
        centre = np.log(spot) + (rate - carry_yield - sigma**2 / 2) * time
        return np.asarray(ndtr((critical - centre) / (sigma * np.sqrt(time))), dtype=np.float64)

    def _several(self, chain: Integers, pays: Booleans, strike: Floats, spots: Floats, sigma: Floats) -> Floats:
        """Return the premium of calls for which more than one date counts; ``pays`` says which, shape (n, k)."""
        starts = np.flatnonzero(np.diff(chain, prepend=-1))
        dates = [
            self._dates(int(chain[start]), np.asarray(pays[start:stop].any(axis=0)))
            for start, stop in zip(starts, np.append(starts[1:], len(chain)), strict=True)
        ]
        sizes = np.diff(np.append(starts, len(chain)))
        found = np.zeros(spots.shape)
        counts = np.array([one.count for one in dates])
        for count in np.unique(counts):
            some = np.flatnonzero(np.repeat(counts == count, sizes))
            own = [one for one in dates if one.count == count]
            grid = DatesGrid(own, sizes[counts == count], strike[some], sigma[some], spots[some])
            found[some] = grid.premium()
        return found

    def _dates(self, chain: int, pays: Booleans) -> ExDates:
        """Return the dates of a chain that pay for any of its contracts."""
        key = (chain, pays.tobytes())
        if key not in self._known:
            paying = np.flatnonzero(pays)
            self._known[key] = ExDates(
                rate=float(self.terms.rate[chain]),
                carry_yield=float(self.terms.carry_yield[chain]),
                tenor=float(self.terms.tenor[chain]),
                time=self.calendar.time[chain, paying],
                ahead=self._ahead[chain, paying],
            )
        return self._known[key]
