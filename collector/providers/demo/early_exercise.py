"""What early exercise adds to American options on a share that pays cash dividends.

The escrowed spot (the spot less the present value of the dividends before settlement) is lognormal; exercise gets the
spot with the dividends still to come. Calls are only ever exercised just before an ex-date. Puts are exercised after
one, never while the next dividend is worth more than the interest on the strike until then; after the last ex-date
they are those of put_table.py, and before it as if exercise were possible at a few dates only, whose number is then
extrapolated (R. Geske and H. Johnson, "The American put option valued analytically", Journal of Finance 39 (1984)).

From the last date back the premium is the larger of what exercise brings over the European option and of what later
dates promise. Between dates it is carried by the lognormal density, summed over equidistant nodes: exact to rounding
for a smooth function, and the kink where exercise begins is put right by Euler and Maclaurin's formula.

The demo keeps its own pricing, apart from the analytics in code and in method, so that its true values can judge them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from collector.providers.demo.draws import FloatArray
from collector.providers.demo.pricing import black_76
from collector.providers.demo.put_table import put_premium

_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)
_REACH = 5.0
_CALL_SPACING, _PUT_SPACING = 0.08, 0.13
# How many dates stand for a stretch in which puts may be exercised, and twice as many for the extrapolation.
_DATES_A_YEAR, _LEAST_DATES = 16.0, 3


@dataclass(frozen=True, slots=True)
class Options:
    """Calls alone or puts alone of one expiration; times in years, prices in dollars a share.

    Attributes:
        escrowed: spot less the present value of the dividends before settlement.
        tenor, rate: to settlement; the rate continuous, above 0.
        strike, sigma: shape (n,).
        sign: 1.0 for calls, -1.0 for puts.
        dividends: years and dollars of each before settlement, by time.
    """

    escrowed: float
    tenor: float
    rate: float
    strike: FloatArray
    sigma: FloatArray
    sign: float
    dividends: Sequence[tuple[float, float]]

    def worth(self, time: float) -> float:
        """Return what the dividends still to come are worth at ``time``: for calls before an ex-date, puts after."""
        worth: float = sum(
            amount * np.exp(-self.rate * (ex - time))
            for ex, amount in self.dividends
            if ex > time or (ex == time and self.sign > 0)
        )
        return worth


def premium(options: Options) -> FloatArray:
    """Return what early exercise adds, dollars a share, shape (n,); exactly 0 where it never pays."""
    if options.sign > 0:
        return _call_premium(options) if options.dividends else np.zeros(len(options.strike))
    now = np.array([[options.escrowed]])
    if not options.dividends:
        return _without_dividends(options, now, options.tenor)[:, 0]
    european = _european(options, 0.0, now)[:, 0]
    few, more = _put_values(options)
    at_once = options.strike - options.escrowed - options.worth(0.0)
    return np.maximum(2.0 * more - few, at_once) - european


def _call_premium(options: Options) -> FloatArray:
    added = np.zeros(len(options.strike))
    times = [time for time, _ in options.dividends]
    # Exercise gives up interest on the strike: it pays where the dividend is more.
    pays = [
        amount / -np.expm1(-options.rate * (end - time))
        for (time, amount), end in zip(options.dividends, [*times[1:], options.tenor], strict=True)
    ]
    rows = np.flatnonzero(options.strike < max(pays))
    if rows.size:
        some = replace(options, strike=options.strike[rows], sigma=options.sigma[rows])
        added[rows] = _called(some, times)
    return added


def _called(options: Options, times: list[float]) -> FloatArray:
    """Return the premium of calls that may be exercised just before each of ``times``."""
    nodes = _nodes(_CALL_SPACING)
    promised = np.zeros((len(options.strike), len(nodes)))
    later = times[-1]
    for time in reversed(times):
        at = np.sqrt(time) * nodes
        if time < later:
            promised = promised @ _weights(at, np.sqrt(later) * nodes, later - time, options.rate)
        escrowed = _escrowed(options, time, at)
        exercise = escrowed + options.worth(time) - options.strike[:, None]
        promised = _larger(exercise - _european(options, time, escrowed), promised)
        later = time
    return _now(promised, nodes, later, options.rate)


def _put_values(options: Options) -> tuple[FloatArray, FloatArray]:
    """Return the values of puts that are not exercised at once, with few dates before the last ex-date and with twice
    as many.
    """
    nodes, last = _nodes(_PUT_SPACING), options.dividends[-1][0]
    grid = np.sqrt(last) * nodes
    escrowed = _escrowed(options, last, grid)
    after = _european(options, last, escrowed) + _without_dividends(options, escrowed, options.tenor - last)
    few, more = (_put_value(options, nodes, after, _put_dates(options, factor)) for factor in (1, 2))
    return few, more


def _put_value(options: Options, nodes: FloatArray, values: FloatArray, times: list[float]) -> FloatArray:
    """Return the values now of puts worth ``values`` after the last ex-date and exercised at ``times`` before it."""
    later = options.dividends[-1][0]
    grid = np.sqrt(later) * nodes
    weights: dict[float, FloatArray] = {}
    for number in range(len(times) - 1, -1, -1):
        time = times[number]
        step = round(later - time, 12)
        # The first date has nodes of its own: the common ones may lie too far apart for it.
        at = grid if number else np.sqrt(time) * nodes
        if number == 0 or step not in weights:
            weights[step] = _weights(at, grid, later - time, options.rate)
        exercise = options.strike[:, None] - options.worth(time) - _escrowed(options, time, at)
        values = _larger(exercise, values @ weights[step])
        later = time
    return _now(values, nodes, later, options.rate)


def _put_dates(options: Options, factor: int) -> list[float]:
    """Return the dates before the last ex-date at which exercise of some put can be best."""
    found: list[float] = []
    begins, highest, last = 0.0, float(options.strike.max()), options.dividends[-1][0]
    for time, amount in options.dividends:
        wait = -np.log1p(-amount / highest) / options.rate if amount < highest else np.inf
        length = time - wait - begins
        if length > 0:
            # Dates closer than that fall between the nodes.
            most = int(length / (2.0 * _PUT_SPACING**2 * last))
            count = factor * min(max(_LEAST_DATES, int(np.ceil(_DATES_A_YEAR * length))), most)
            found += [begins + length * number / count for number in range(count + 1)] if count else [begins]
        begins = time
    return [time for time in found if time > 0]


def _without_dividends(options: Options, escrowed: FloatArray, tenor: float) -> FloatArray:
    every = np.ones(len(options.strike))
    spot = np.broadcast_to(escrowed, (len(every), escrowed.shape[1]))
    return put_premium(spot, options.strike, tenor * every, options.rate * every, options.sigma)


def _european(options: Options, time: float, escrowed: FloatArray) -> FloatArray:
    """Return the European options at escrowed spots, shape (n, j), at ``time``."""
    left = np.array([options.tenor - time])
    discount: FloatArray = np.exp(-options.rate * left)
    strike, sigma = options.strike[:, None], options.sigma[:, None]
    return black_76(escrowed / discount, strike, left, sigma, discount, np.array([options.sign]))


def _nodes(spacing: float) -> FloatArray:
    count = int(np.ceil(_REACH / spacing))
    nodes: FloatArray = spacing * np.arange(-count, count + 1, dtype=np.float64)
    return nodes


def _escrowed(options: Options, time: float, at: FloatArray) -> FloatArray:
    """Return the escrowed spot at ``time``, shape (n, j), where the Brownian motion behind it is ``at``."""
    sigma = options.sigma[:, None]
    spots: FloatArray = options.escrowed * np.exp(sigma * at + (options.rate - sigma**2 / 2) * time)
    return spots


def _weights(earlier: FloatArray, later: FloatArray, years: float, rate: float) -> FloatArray:
    """Return the discounted weights of the nodes ``later``, one row each, as seen ``years`` before from ``earlier``."""
    away = (later[:, None] - earlier) / np.sqrt(years)
    spacing = (later[1] - later[0]) / np.sqrt(years)
    weights: FloatArray = np.exp(-(away**2) / 2 - rate * years) * (spacing / _ROOT_TWO_PI)
    return weights


def _now(values: FloatArray, nodes: FloatArray, time: float, rate: float) -> FloatArray:
    """Return what values at ``time``, at nodes in deviations of it, are worth now."""
    density = np.exp(-(nodes**2) / 2 - rate * time) * ((nodes[1] - nodes[0]) / _ROOT_TWO_PI)
    worth: FloatArray = values @ density
    return worth


def _larger(exercise: FloatArray, promised: FloatArray) -> FloatArray:
    """Return the larger of both, shape (n, nodes), so that its sum over nodes sees where one overtakes the other.

    The sum over nodes of a function with a kink is off its integral by slope change x (1/6 - t (1 - t)) / 2, t being
    how far the kink lies from one node to the next.
    """
    gain = exercise - promised
    larger = np.maximum(exercise, promised)
    rows, before = np.nonzero((gain[:, :-1] > 0) != (gain[:, 1:] > 0))
    after = before + 1
    bend = np.abs(gain[rows, after] - gain[rows, before])
    place = np.abs(gain[rows, before]) / bend
    short = bend * (1.0 / 6.0 - place * (1.0 - place)) / 2.0
    larger[rows, before] += short * (1.0 - place)
    larger[rows, after] += short * place
    return larger
