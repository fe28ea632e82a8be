"""What early exercise adds to calls: it only ever pays just before an ex-date.

From the last ex-date back, the premium of each date is the larger of what exercise brings over the European call and of
what the later dates promise; between dates it is carried by the lognormal density of the escrowed spot, summed over
equidistant nodes, which is exact to rounding for smooth functions. The kink where exercise begins is put right by Euler
and Maclaurin's formula.
"""

from __future__ import annotations

import numpy as np

from collector.providers.demo.draws import FloatArray
from collector.providers.demo.options import Options
from collector.providers.demo.pricing import black_76

_SPACING = 0.08
_NODES = np.arange(-62, 63) * _SPACING
_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)


def call_premium(options: Options) -> FloatArray:
    """Return what early exercise adds to calls of one chain, dollars a share, shape (n,).

    Args:
        options: calls that share tenor, rate and dividends.
    """
    strike, rate, tenor, sigma = (
        column[:, None] for column in (options.strike, options.rate, options.tenor, options.sigma)
    )
    times = options.time[:, 0]
    worth = np.cumsum((options.amount * np.exp(-options.rate * options.time))[::-1], axis=0)[::-1]
    promised = np.zeros((len(options.strike), 1))
    for place in range(len(times) - 1, -1, -1):
        time = times[place]
        if place < len(times) - 1:
            promised = promised @ _carried(time, times[place + 1]) * np.exp(-rate * (times[place + 1] - time))
        escrowed = options.escrowed[:, None] * np.exp(sigma * np.sqrt(time) * _NODES + (rate - sigma**2 / 2) * time)
        left = tenor - time
        discount = np.exp(-rate * left)
        european = black_76(escrowed / discount, strike, left, sigma, discount, np.ones_like(strike))
        exercise = escrowed + worth[place][:, None] * np.exp(rate * time) - strike - european
        promised = _larger(exercise, promised)
    first = np.exp(-(_NODES**2) / 2) * (_SPACING / _ROOT_TWO_PI)
    added: FloatArray = promised @ first * np.exp(-options.rate * times[0])
    return added


def _carried(earlier: float, later: float) -> FloatArray:
    """Return the weights of the nodes at ``later``, one row each, for those at ``earlier``, one column each."""
    deviation = np.sqrt(later - earlier)
    away = (np.sqrt(later) * _NODES[:, None] - np.sqrt(earlier) * _NODES) / deviation
    weights: FloatArray = np.exp(-(away**2) / 2) * (_SPACING * np.sqrt(later) / (deviation * _ROOT_TWO_PI))
    return weights


def _larger(exercise: FloatArray, promised: FloatArray) -> FloatArray:
    """Return the larger of both, shape (n, nodes), so that its sum over nodes sees where one overtakes the other.

    The sum over nodes of a function with a kink is off its integral by slope change x (1/6 - t (1 - t)) / 2, t being
    how far the kink lies from one node to the next.
    """
    gain = exercise - promised
    larger = np.maximum(exercise, promised)
    rows, before = np.nonzero((gain[:, :-1] <= 0) & (gain[:, 1:] > 0))
    after = before + 1
    bend = gain[rows, after] - gain[rows, before]
    place = -gain[rows, before] / bend
    short = bend * (1.0 / 6.0 - place * (1.0 - place)) / 2.0
    larger[rows, before] += short * (1.0 - place)
    larger[rows, after] += short * place
    return larger
