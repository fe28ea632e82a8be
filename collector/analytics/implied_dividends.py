"""Cash dividends that nobody stated, read off the quotes of American chains where these show them plainly.

Two marks. A share that goes ex before the nearest expiration: calls deep in the money are exercised at once and cost
what the share costs, puts deep in the money wait and cost what the strike costs above the share without the dividend,
so K + C - P is higher at low strikes than at high ones by the dividend, at every short tenor alike. A share that goes
ex between two expirations: discounted forwards step down there. The step is taken from strikes above the forward, whose
calls are not exercised for the dividend, the puts' early exercise computed with the dividend in place.

One dividend found is expected to recur every thirteen weeks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from collector.analytics.early_exercise import EarlyExercise
from collector.analytics.exercise_gaps import exercise_gaps
from collector.analytics.robust_lines import group_medians, weighted_medians
from collector.analytics.strike_pairs import StrikePairs
from collector.analytics.terms import Dividend, Floats, Integers, Terms

QUARTER = 91 / 365
SESSION = 6.5 / 24 / 365
WEEKEND = 4.5 / 365
# Dividends are looked for from this share of the spot to that.
LEAST, MOST = 1e-3, 0.03
# Strikes that are called low and high, in standard deviations from the forward.
LOW, HIGH = (-5.0, -1.2), (1.0, 5.0)
# Chains this short show a dividend before the nearest expiration, at least so many of them.
SHORT, LEAST_SHORT = 9 / 365, 2
# Steps: strikes above the forward, chains to either side, how far ahead, and how many deviations make one plain.
ABOVE = (0.2, 1.5)
SIDES, LEAST_SIDES, AHEAD, PLAIN = 4, 2, 92 / 365, 4.0
# Chains this close after a step show it best.
NEAR = 14 / 365
# Discounted forwards scatter by this share of the spot at least.
SCATTER = 3e-4
# A step in forwards made without the dividend is about half of it.
GLIMPSE = 0.3
# Forwards that fall or rise by more than this share of the spot a year, but for the step, are those of a share that is
# dear to borrow: what early exercise makes of that looks like a step.
STEEPEST = 0.08
STEPS = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a ticker's American chains before dividends: ``terms`` with continuous carry, the deviation of
    each chain, the strikes quoted on both sides.
    """

    terms: Terms
    deviation: Floats
    pairs: StrikePairs

    @property
    def place(self) -> Floats:
        """Return where each strike lies, in standard deviations from the forward."""
        chain = self.pairs.chain
        away: Floats = np.log(self.pairs.strike / self.terms.forward[chain]) / self.deviation[chain]
        return away


def implied_dividends(seen: Seen) -> tuple[Dividend, ...]:
    """Return the dividends up to the longest tenor, by time; () where the quotes show none plainly."""
    order = np.argsort(seen.terms.tenor)
    apart = _apart(seen)
    first = _imminent(seen, order, apart) or _first_step(seen, order, apart)
    if first is None:
        return ()
    until = float(seen.terms.tenor.max())
    count = int((until - first.time) // QUARTER) + 1
    return tuple(Dividend(first.time + number * QUARTER, first.amount) for number in range(count))


def _apart(seen: Seen) -> Floats:
    """Return how far K + C - P of low strikes lies above that of high ones, NaN of chains without both; shape (m,)."""
    level, place, chain = seen.pairs.strike + seen.pairs.gap, seen.place, seen.pairs.chain
    low, high = (
        group_medians(level[marked], chain[marked], len(seen.terms.tenor))
        for marked in ((place > one) & (place < other) for one, other in (LOW, HIGH))
    )
    apart: Floats = low - high
    return apart


def _imminent(seen: Seen, order: Integers, apart: Floats) -> Dividend | None:
    """Return the dividend that goes ex before the nearest expiration."""
    terms = seen.terms
    short = order[(terms.tenor[order] <= SHORT) & np.isfinite(apart[order])]
    if len(short) < LEAST_SHORT:
        return None
    spot = float(terms.spot[0])
    unexplained = apart[short] - _interest(terms)[short]
    amount = float(np.median(apart[short]))
    steady = unexplained[0] > 0.6 * amount and bool((unexplained > 0.5 * LEAST * spot).all())
    if not (steady and LEAST * spot < np.median(unexplained) and amount < MOST * spot):
        return None
    first = float(terms.tenor.min())
    return Dividend(first - SESSION if first > 1.5 * SESSION else first / 2.0, amount)


def _interest(terms: Terms) -> Floats:
    """Return by how much low strikes lie above high ones without a dividend: puts that are exercised earn it."""
    earned: Floats = np.maximum(terms.rate, 0.0) * terms.tenor * terms.spot
    return earned


def _first_step(seen: Seen, order: Integers, apart: Floats) -> Dividend | None:
    """Return the dividend at the plainest step between two expirations."""
    terms = seen.terms
    spot, tenor = float(terms.spot[0]), terms.tenor[order]
    carried = (terms.forward * terms.discount)[order]
    unexplained = (apart - _interest(terms))[order]
    best: tuple[float, Dividend] | None = None
    for place in range(1, len(order)):
        if tenor[place] > AHEAD or tenor[place] - tenor[place - 1] < SESSION:
            continue
        # One expiration before the step is enough where the first after it shows the dividend by itself.
        itself = unexplained[place] > LEAST * spot / 2.0 > unexplained[place - 1]
        close = int(np.searchsorted(tenor, tenor[place] + NEAR, side="right"))
        before = slice(max(place - SIDES, 0), place)
        after = slice(place, min(place + SIDES, close if itself else max(close, place + LEAST_SIDES)))
        glimpse = float(np.median(carried[before]) - np.median(carried[after]))
        if (min(place, len(order) - place) < LEAST_SIDES and not itself) or (
            glimpse < GLIMPSE * LEAST * spot and not itself
        ):
            continue
        time = _ex_time(float(tenor[place - 1]), float(tenor[place]))
        guess = float(unexplained[place]) if itself else max(2.0 * glimpse, LEAST * spot)
        drift = _drift(tenor, carried, place)
        if abs(drift) > STEEPEST * spot:
            continue
        found = _step(seen, order[before], order[after], Dividend(time, guess), drift)
        if found is not None and (best is None or found[0] > best[0]):
            best = found
    return None if best is None else best[1]


def _ex_time(before: float, after: float) -> float:
    """Return when the share goes ex between two settlements: at the open of the later one's day, or in the middle."""
    return after - SESSION if after - before < WEEKEND else (before + after) / 2.0


def _drift(tenor: Floats, carried: Floats, place: int) -> float:
    """Return by how much discounted forwards rise a year but for the step before ``place``: the yield, or the rate's
    error; the weighted median of the rises between neighbours.
    """
    rises, years = np.diff(carried), np.diff(tenor)
    kept = (np.arange(1, len(tenor)) != place) & (years > 0)
    if not kept.any():
        return 0.0
    nobody = np.zeros(int(kept.sum()), dtype=np.intp)
    return float(weighted_medians(rises[kept] / years[kept], years[kept], nobody, 1)[0])


def _step(
    seen: Seen, before: Integers, after: Integers, guess: Dividend, drift: float
) -> tuple[float, Dividend] | None:
    """Return the step of discounted forwards at the time of ``guess`` and how plain it is, None where it is none."""
    terms, spot, time = seen.terms, float(seen.terms.spot[0]), guess.time
    level = (terms.forward * terms.discount)[before] + drift * (time - terms.tenor[before])
    amount = guess.amount
    for _ in range(STEPS):
        beyond = _after(seen, after, Dividend(time, amount), float(np.median(level)))
        beyond = (beyond + drift * (time - terms.tenor[after]))[np.isfinite(beyond)]
        if not beyond.size:
            return None
        amount = float(np.median(level) - np.median(beyond)) * float(np.exp(terms.rate[after[0]] * time))
        amount = max(amount, LEAST * spot)
    if not LEAST * spot < amount < MOST * spot:
        return None
    scatter = [max(float(np.std(values)), SCATTER * spot) / np.sqrt(len(values)) for values in (level, beyond)]
    plain = amount / float(np.hypot(*scatter))
    return (plain, Dividend(time, amount)) if plain > PLAIN else None


def _after(seen: Seen, chains: Integers, dividend: Dividend, level: float) -> Floats:
    """Return the discounted forwards of chains after a dividend, by strikes above the forward, NaN without any.

    Early exercise is computed at the forwards that ``level``, the discounted ones before it, and the dividend leave.
    """
    place = seen.place
    number = np.full(len(seen.terms.tenor), -1)
    number[chains] = np.arange(len(chains))
    used = np.flatnonzero((number[seen.pairs.chain] >= 0) & (place > ABOVE[0]) & (place < ABOVE[1]))
    pairs = seen.pairs.of(used)
    pairs = replace(pairs, chain=number[pairs.chain])
    own = seen.terms.of(chains)
    left = level - dividend.amount * np.exp(-own.rate * dividend.time)
    paid = tuple((dividend,) for _ in range(len(chains)))
    terms = Terms(own.tenor, own.rate, left / own.discount, np.full(len(chains), level), own.american, paid)
    middle = seen.deviation[chains] / np.sqrt(own.tenor)
    exercise = EarlyExercise(terms, middle / 2.0, middle * 2.0)
    gaps = exercise_gaps(exercise, pairs, np.full(len(used), np.nan))
    carried = pairs.gap + gaps.early + pairs.strike * terms.discount[pairs.chain]
    known = np.isfinite(carried)
    return group_medians(carried[known], pairs.chain[known], len(chains))
