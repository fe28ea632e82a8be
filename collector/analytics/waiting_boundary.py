"""How far a put's exercise boundary falls before a wait for an ex-date.

Exercise that loses a dividend gains interest on the strike until the ex-date: it pays only earlier than the wait, the
time in which that interest is what the dividend is. The nearer the wait, the deeper in the money must the put be.

Close to the boundary the put's time value, in interest on the strike over one wait w, is a function v(x, t) of the
distance x to the boundary after the ex-date in deviations sigma sqrt(w), and of the time t before the ex-date in waits,
with one equation for all puts:

    dv/dt = v''/2 - 1 while v > 0, v(x, 0) = 1 + max(x, 0)²

1 being the dividend, and the parabola what smooth pasting leaves of any boundary from near enough. The region in which
v is 0 begins at t = 1, and its edge comes back to x = 0 like -1 / sqrt(2 pi t). The table is that edge, by implicit
finite differences (a grid of .004, the active set iterated at each step); the tests solve the problem by another way.

That is of a boundary after the ex-date that does not move. One that moves by b deviations a wait, as it does near
settlement, adds b dv/dx and begins with the profile that moves along with it. To first order in b the edge then stays
behind by b h: h is .69 close to the wait, .59 at t = 1.35, .53 at 2 and 1/2 long before. So the fall is from where the
boundary is when that share of a wait is over.
"""

from __future__ import annotations

import numpy as np

from collector.analytics.terms import Floats

# The edge times -sqrt(2 pi t), at equal steps of ln(t - 1).
_FIRST, _STEP = -9.0, 0.5
# fmt: off
_EDGE = np.array([
    7.832, 7.503, 7.169, 6.821, 6.465, 6.099, 5.723, 5.337, 4.937,
    4.531, 4.118, 3.704, 3.295, 2.898, 2.525, 2.186, 1.891, 1.645,
    1.453, 1.309, 1.206, 1.134, 1.088, 1.056, 1.036, 1.022, 1.013,
])
# fmt: on
# h in the middle of where exercise before a wait is worth anything.
STILL = 0.57
_PLACES = _FIRST + _STEP * np.arange(len(_EDGE))


def fall(waits: Floats) -> Floats:
    """Return how far below the boundary after an ex-date it lies before it, in deviations over one wait.

    Args:
        waits: time to the ex-date in waits; any shape. At or under 1, where nothing is exercised, the figure is that
            of a moment earlier.
    """
    before = np.log(np.maximum(waits - 1.0, np.exp(_FIRST)))
    fallen: Floats = np.interp(before, _PLACES, _EDGE) / np.sqrt(2.0 * np.pi * np.maximum(waits, 1.0))
    return fallen
