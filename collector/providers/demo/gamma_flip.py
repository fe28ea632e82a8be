"""The demo's true gamma flip: the spot at which the gamma of dealers, long all calls and short all puts, is zero.

Gamma is that of Black-76 at each contract's own true volatility (sticky strike), by the forward that belongs to the
other spot: the cash dividends stay, what is left grows at the rate. Open interest is what the market states. What is in
its last hour is left out: its gamma is a spike at each strike, and what changes its sign beside one is no flip.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from scipy.optimize import brentq

from collector.market.calendar import new_york_date
from collector.providers.demo.draws import FloatArray
from collector.providers.demo.expirations import ListedExpiration
from collector.providers.demo.month_volatility import quoted_expirations
from collector.providers.demo.path import PricePath, price_path
from collector.providers.demo.strikes import ladder
from collector.providers.demo.surface import implied_volatility, term
from collector.providers.demo.timeline import timeline
from collector.providers.demo.trading import trading
from collector.providers.demo.universe import find

LAST_HOUR = timedelta(hours=1)
_REACH = 0.25
# Far closer together than the crossings that open interest on a ladder of strikes can make.
_LOOKS = 1001
_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)


@dataclass(frozen=True, slots=True)
class _Book:
    """An expiration's contracts, what the dealers hold of them (calls +, puts -), and its terms.

    ``growth`` is forward over escrowed spot, ``dividends`` the present value of those before settlement.
    """

    strike: FloatArray
    deviation: FloatArray
    held: FloatArray
    discount: float
    growth: float
    dividends: float

    def gamma(self, spot: float) -> float:
        """Return the contracts' gamma at a spot, each times what is held of it."""
        forward = self.growth * (spot - self.dividends)
        if forward <= 0:
            return 0.0
        d1 = np.log(forward / self.strike) / self.deviation + self.deviation / 2
        density = np.exp(-d1 * d1 / 2) / (_ROOT_TWO_PI * forward * self.deviation)
        return self.discount * self.growth**2 * float((self.held * density).sum())


def gamma_flip(ticker: str, moment: datetime) -> float | None:
    """Return the crossing nearest to the spot over what is quoted, None where there is none within 25 %.

    Raises:
        TickerNotFound: the market has no such ticker.
        ValueError: ``moment`` is naive or outside the market.
    """
    path = price_path(find(ticker).name)
    books = [
        _book(path, expiration, moment)
        for expiration in quoted_expirations(path.ticker, moment)
        if expiration.settles - moment > LAST_HOUR
    ]

    def gamma(spot: float) -> float:
        """Return the gamma of all."""
        return sum(book.gamma(spot) for book in books)

    spot = float(path.price(timeline().instant(moment))[0])
    return _nearest_root(gamma, spot, spot * np.geomspace(1.0 - _REACH, 1.0 + _REACH, _LOOKS))


def _book(path: PricePath, expiration: ListedExpiration, moment: datetime) -> _Book:
    at = path.timeline.instant(moment)
    rows = ladder(path, expiration, int(at.ordinal[0]))
    common = term(path, expiration.settles, at)
    state = trading(path, expiration, rows, at, path.timeline.ordinal_of(new_york_date(moment)))
    return _Book(
        strike=rows.strike,
        deviation=implied_volatility(path, common, rows.strike) * np.sqrt(common.tenor),
        held=rows.sign * state.open_interest,
        discount=float(common.discount[0]),
        growth=float(common.forward[0] / common.escrowed[0]),
        dividends=float(common.spot[0] - common.escrowed[0]),
    )


def _nearest_root(function: Callable[[float], float], centre: float, points: FloatArray) -> float | None:
    """Return the root nearest to ``centre`` of those between two neighbouring points, None without one."""
    values = np.array([function(float(point)) for point in points])
    roots = [
        float(brentq(function, float(points[place]), float(points[place + 1])))
        for place in np.flatnonzero(values[:-1] * values[1:] < 0).tolist()
    ]
    return min(roots, key=lambda root: abs(np.log(root / centre)), default=None)
