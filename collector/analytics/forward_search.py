"""Forward and rate of every chain of a ticker, from its own quotes.

A strike K quoted on both sides shows C - P = D (F - K) + what early exercise adds to the call - what it adds to the
put. European chains have no such addition (put-call parity): the slope of C - P against K is the discount factor D,
its zero the forward F. Of American ones the additions are computed at the volatility of the strike's out-of-the-money
side, which makes call and put agree on one volatility, and taken off; they grow with the rate and are themselves known
to a fifth only, so strikes with small additions, the lower ones, speak the louder.

The rates that the chains' slopes show are drawn into one curve by tenor together with the curve that was given
(term_curves.py), because days before settlement a slope says nothing. Discounted forwards with the dividends put back
lie on a curve by tenor too: it ends at the spot, and a chain whose forward the others contradict is left out.

Where the nearest chain settles too late for that end to be read, the stated spot is a point of the curve: without it a
yield, or what the share costs to borrow, would be read as a lower spot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from collector.analytics import implied_volatility as inversion
from collector.analytics import term_curves
from collector.analytics.early_exercise import EarlyExercise
from collector.analytics.exercise_gaps import exercise_gaps
from collector.analytics.forward import (
    ASSUMED,
    CARRY,
    EQUAL_IV,
    FORWARDS,
    IMPLIED,
    NEIGHBOURS,
    PARITY,
    STATED,
    Forwards,
    SingleForwards,
)
from collector.analytics.implied_dividends import Seen, implied_dividends
from collector.analytics.median import median
from collector.analytics.quote_rows import ChainInput, Curve, QuoteRows
from collector.analytics.robust_lines import robust_levels, robust_lines
from collector.analytics.strike_pairs import FirstLook, first_look, strike_pairs, within_reach
from collector.analytics.term_curves import RatePrior
from collector.analytics.terms import Booleans, Dividend, Floats, Terms

# Strikes that are looked at, in standard deviations of the tenor from the forward, and how many a chain at most.
EUROPEAN_REACH, AMERICAN_REACH = (-2.0, 4.0), (-3.0, 1.0)
EUROPEAN_MOST, AMERICAN_MOST = 60, 24
# Errors of one strike's C - P: of the mids as a share of half the band, of early exercise as a share of it, of ticks.
EUROPEAN_MID_ERROR, AMERICAN_MID_ERROR, EXERCISE_ERROR, TICK_ERROR = 0.4, 0.15, 0.2, 0.005
# Errors of rates that all American chains share, at no tenor and more a year: in-the-money mids lean to one side, and
# early exercise is worth less than one volatility for all prices makes it.
COMMON_ERROR, COMMON_ERROR_A_YEAR = 0.003, 0.004
# How well the rate is known when a strike away from the forward is read.
RATE_SLACK = 0.002
# A curve that nobody stated may be anywhere; a stated one is off by what traders pay over a government.
EUROPEAN_ASSUMED, AMERICAN_ASSUMED = RatePrior(0.01, 0.005), RatePrior(0.01, 0.01)
STATED_CURVE = RatePrior(0.002, 0.002)
# The quotes of a chain are not of one instant.
FORWARD_ERROR = 2e-4
# So many passes at most, and while a forward still moves by more than this share of it.
PASSES, MOST_PASSES, UNSETTLED = 5, 12, 2e-4
# From this pass on forwards that move by more than this share go where two passes point, by slopes within these.
HASTENED_AFTER, HASTENED, SECANT_SLOPES = 4, 2e-4, (-3.0, 0.6)
# How often the exercise boundaries are solved anew at least, and by what share forwards then move before they are once
# more; how far beyond the volatilities of mids they reach.
SOLVED, SOLVED_AGAIN = 2, 2e-3
REACH_BELOW, REACH_ABOVE = 1.3, 1.3
# A pass that moves no forward by more than this share of it, times the root of its tenor, is the last: of volatility
# that is about as much.
SETTLED = 3e-5
# A forward read off the others' curve is called so while it is known this well; further away it is carry.
NEIGHBOURS_DEVIATION = 0.004
# How far a stated spot may be off its quotes; it speaks where the forwards tell the spot no better, and lets no yield
# be read above so much a year.
STATED_ERROR, MOST_YIELD = 0.005, 1.0
# A carried forward this share of it beyond the bands of most strikes is contradicted, and none.
CONTRADICTION = 0.005


def forwards(
    rows: QuoteRows,
    chains: Sequence[ChainInput],
    *,
    spot: float | None,
    curve: Curve,
    dividends: tuple[Dividend, ...] | None,
) -> Forwards:
    """Return the terms of the chains; see ticker_volatility.ticker_volatility for the arguments."""
    search = _Search(rows, chains, spot, curve, dividends)
    search.run()
    return search.result()


class _Search:
    """The forwards and rates of a ticker while they are looked for.

    The arrays of strikes, shape (k,), belong to ``used``; those of chains have shape (m,).
    """

    def __init__(
        self,
        rows: QuoteRows,
        chains: Sequence[ChainInput],
        stated_spot: float | None,
        curve: Curve,
        dividends: tuple[Dividend, ...] | None,
    ) -> None:
        self.tenor = np.array([chain.tenor for chain in chains], dtype=np.float64)
        self.american = np.array([chain.american for chain in chains], dtype=bool)
        self.curve, self.prior = curve, np.asarray(curve.rate(self.tenor), dtype=np.float64)
        self.cash, self.unknown = dividends or (), dividends is None
        self.pairs = strike_pairs(rows)
        look = first_look(self.pairs, len(chains))
        low, high, most = (
            np.where(self.american, early, late)
            for early, late in zip((*AMERICAN_REACH, AMERICAN_MOST), (*EUROPEAN_REACH, EUROPEAN_MOST), strict=True)
        )
        self.used = self.pairs.of(within_reach(self.pairs, look, low, high, most))
        self.forward, self.rate = look.forward, self.prior
        self.deviation = look.deviation
        self.exercise: EarlyExercise | None = None
        self.passes, self.tried = 0, (look.forward, look.forward)
        self.solved, self.solved_at = 0, np.full(len(chains), np.nan)
        if self.american.any():
            self.reach = _volatility_range(rows, look, self.prior, self.tenor)
        self.stated = stated_spot if stated_spot is not None and stated_spot > 0 else np.nan
        self.spot = np.nan
        self.spot_source: str | None = None
        self.early_gap = np.zeros(len(self.used.chain))
        self.early_size = np.zeros(len(self.used.chain))
        self.sigma = np.full(len(self.used.chain), np.nan)

    def run(self) -> None:
        """Look for rates and forwards until they no longer move."""
        self._fit()
        if not self.american.any():
            return
        moving = self.american
        for number in range(MOST_PASSES):
            if number == 1 and self.unknown:
                self.cash = self._dividends()
            before, self.passes = self.forward, number
            self._exercise(moving)
            self._fit()
            with np.errstate(invalid="ignore"):
                moved = np.abs(self.forward / before - 1.0)
                far = moved > SETTLED * np.sqrt(self.tenor)
            # Rates are settled after the second pass, but for what early exercise still moves.
            moving = far & self.american if number else self.american
            if not moving.any() or (number + 1 >= PASSES and not (moved[moving] > UNSETTLED).any()):
                break

    def _dividends(self) -> tuple[Dividend, ...]:
        """Return the dividends that the quotes show."""
        own = np.flatnonzero(self.american & np.isfinite(self.forward) & np.isfinite(self.spot))
        if not own.size:
            return ()
        terms = replace(self.terms(), forward=self.forward).of(own)
        number = np.full(len(self.tenor), -1)
        number[own] = np.arange(len(own))
        pairs = self.pairs.of(number[self.pairs.chain] >= 0)
        found = implied_dividends(Seen(terms, self.deviation[own], replace(pairs, chain=number[pairs.chain])))
        if found:
            self.solved = 0
        return found

    def terms(self) -> Terms:
        """Return the terms as they stand; where a chain shows no forward, that of the spot."""
        taken = tuple(tuple(one for one in self.cash if one.time <= tenor) for tenor in self.tenor)
        spot = np.full(len(self.tenor), self.spot)
        bare = Terms(self.tenor, self.rate, spot, spot, self.american, taken)
        carried = (self.carried - bare.present_dividends) / bare.discount
        return Terms(self.tenor, self.rate, np.where(self.shown, self.forward, carried), spot, self.american, taken)

    def _fit(self) -> None:
        """Draw the rates, with them the forwards, and the curve that the forwards lie on."""
        used, chains = self.used, len(self.tenor)
        gap = used.gap + self.early_gap
        mid_error = np.where(self.american, AMERICAN_MID_ERROR, EUROPEAN_MID_ERROR)[used.chain] * used.half
        error = np.sqrt(mid_error**2 + (EXERCISE_ERROR * self.early_size) ** 2 + TICK_ERROR**2)
        known = np.isfinite(gap) & np.isfinite(error)
        gap, error, chain = gap[known], error[known], used.chain[known]
        beyond = used.strike[known] - self.forward[chain]
        lines = robust_lines(beyond, gap, error, chain, -np.exp(-self.rate * self.tenor))
        self._draw_rates(lines.slope, lines.slope_error)
        discount = np.exp(-self.rate * self.tenor)
        slack = RATE_SLACK * self.tenor[chain] * beyond
        levels = robust_levels(
            used.strike[known] + gap / discount[chain], np.hypot(error / discount[chain], slack), chain, chains
        )
        sound = levels.level > 0
        self.forward = self._nearer(np.where(sound, levels.level, self.forward))
        self._draw_carry(np.where(sound, levels.error / self.forward, np.nan))

    def _nearer(self, found: Floats) -> Floats:
        """Return the forwards to go on with; of those that still move much, where the last two passes point (secant).

        Where early exercise is most of C - P each pass undoes much of the one before it.
        """
        before, (from_before, from_found) = self.forward, self.tried
        self.tried = before, found
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = np.clip((found - from_found) / (before - from_before), *SECANT_SLOPES)
            hastened = (np.abs(found / before - 1.0) > HASTENED) & np.isfinite(slope) & self.american
        return np.where(hastened & (self.passes >= HASTENED_AFTER), before + (found - before) / (1.0 - slope), found)

    def _draw_rates(self, slope: Floats, slope_error: Floats) -> None:
        with np.errstate(invalid="ignore", divide="ignore"):
            shown = -np.log(np.where(slope < 0, -slope, np.nan)) / self.tenor
            error = slope_error / np.abs(slope) / self.tenor
        common = np.where(self.american, COMMON_ERROR + COMMON_ERROR_A_YEAR * self.tenor, 0.0)
        assumed = AMERICAN_ASSUMED if self.american.any() else EUROPEAN_ASSUMED
        trust = assumed if self.curve.source == ASSUMED else STATED_CURVE
        drawn = term_curves.rates(self.tenor, shown, error, common, self.prior, trust)
        self.rate = drawn.mean
        held = np.hypot(trust.level, trust.shape)
        # The quotes speak where they leave less than half of what the prior left open.
        self.rate_shown = drawn.deviation**2 < held**2 / 2

    def _draw_carry(self, relative_error: Floats) -> None:
        taken = tuple(tuple(one for one in self.cash if one.time <= tenor) for tenor in self.tenor)
        bare = Terms(self.tenor, self.rate, self.forward, self.forward, self.american, taken)
        with np.errstate(invalid="ignore"):
            shown = np.log(self.forward * bare.discount + bare.present_dividends)
        error = np.hypot(relative_error, FORWARD_ERROR)
        wander = term_curves.WANDER_KNOWN if self.cash else term_curves.WANDER_UNKNOWN
        drawn = self._curve(shown, error, wander, np.nan)
        self.spot_source = FORWARDS
        if drawn.deviation[-1] > STATED_ERROR and self._plausible(shown):
            held = self._curve(shown, error, wander, np.log(self.stated))
            if held.used[-1] and held.used[drawn.used].all():
                drawn, self.spot_source = held, STATED
        self.carried, self.spot = np.exp(drawn.mean[:-1]), float(np.exp(drawn.mean[-1]))
        self.shown = drawn.used[:-1]
        self.carried_deviation = drawn.deviation[:-1]

    def _curve(self, shown: Floats, error: Floats, wander: float, spot: float) -> term_curves.Curve:
        """Return the curve at the tenors and last at 0; ``spot`` is ln of the stated one, NaN for none."""
        at = np.append(self.tenor, 0.0)
        return term_curves.carried_spot(at, np.append(shown, spot), np.append(error, STATED_ERROR), wander, at)[0]

    def _plausible(self, shown: Floats) -> bool:
        """Say whether the stated spot may be that of these forwards."""
        with np.errstate(invalid="ignore"):
            yields = np.abs(shown - np.log(self.stated)) / self.tenor
        known = yields[np.isfinite(yields)]
        return bool(known.size) and median(known) < MOST_YIELD

    def _exercise(self, chains: Booleans) -> None:
        """Compute what early exercise adds to call and put of the strikes used of some chains."""
        used = self.used
        at = np.flatnonzero(chains[used.chain] & np.isfinite(self.spot))
        if not at.size:
            return
        gaps = exercise_gaps(self._boundaries(self.terms()), used.of(at), self.sigma[at])
        self.sigma[at], self.early_gap[at], self.early_size[at] = gaps.sigma, gaps.early, gaps.size

    def _boundaries(self, terms: Terms) -> EarlyExercise:
        """Return the exercise boundaries, which are solved anew while rates and forwards still move much."""
        with np.errstate(invalid="ignore"):
            again = (np.abs(terms.forward / self.solved_at - 1.0) > SOLVED_AGAIN).any()
        if self.exercise is None or self.solved < SOLVED or again:
            self.exercise = EarlyExercise(terms, *self.reach)
            self.solved += 1
            self.solved_at = terms.forward
        self.exercise = self.exercise.moved(terms)
        return self.exercise

    def result(self) -> Forwards:
        """Return what was found; where no chain shows a forward, the stated spot carried to settlement."""
        if not self.shown.any():
            self.spot, self.spot_source = self.stated, STATED if np.isfinite(self.stated) else None
            self.carried = np.full(len(self.tenor), self.spot)
        terms = self.terms()
        source = [self._source(number, forward) for number, forward in enumerate(terms.forward)]
        carried = np.array([one == CARRY for one in source], dtype=bool)
        refused = carried & self._contradicted(terms)
        terms = replace(terms, forward=np.where(refused, np.nan, terms.forward))
        return Forwards(
            terms=terms,
            source=tuple(None if no else one for one, no in zip(source, refused, strict=True)),
            rate_source=tuple(
                self.curve.source if not shown else EQUAL_IV if american else PARITY
                for shown, american in zip(self.rate_shown, self.american, strict=True)
            ),
            spot_source=self.spot_source,
            dividend_source=STATED if not self.unknown else IMPLIED if self.cash else None,
            deviation=self.deviation,
            pairs=self.pairs,
            singles=self._singles(terms),
            exercise=None if self.exercise is None else self.exercise.moved(terms),
        )

    def _contradicted(self, terms: Terms) -> Booleans:
        """Say of which chains most strikes looked at leave the forward no room between bid and ask, shape (m,)."""
        used, chains = self.used, len(self.tenor)
        chain = used.chain
        single = used.strike + (used.gap + self.early_gap) / terms.discount[chain]
        room = (used.half + EXERCISE_ERROR * self.early_size) / terms.discount[chain]
        off = np.abs(single - terms.forward[chain]) > room + CONTRADICTION * terms.forward[chain]
        known = np.isfinite(single)
        counts = (np.bincount(chain, weights=mark, minlength=chains) for mark in (known & off, known))
        against, seen = (np.asarray(count, dtype=np.float64) for count in counts)
        return np.asarray(against > seen / 2.0, dtype=np.bool_)

    def _singles(self, terms: Terms) -> SingleForwards:
        used, discount = self.used, terms.discount[self.used.chain]
        single = used.strike + (used.gap + self.early_gap) / discount
        known = np.isfinite(single) & self.shown[used.chain]
        return SingleForwards(used.chain[known], used.strike[known], single[known], (used.half / discount)[known])

    def _source(self, chain: int, forward: float) -> str | None:
        if not forward > 0:
            return None
        if self.shown[chain]:
            return EQUAL_IV if self.american[chain] else PARITY
        near = self.shown.any() and self.carried_deviation[chain] < NEIGHBOURS_DEVIATION
        return NEIGHBOURS if near else CARRY


def _volatility_range(rows: QuoteRows, look: FirstLook, prior: Floats, tenor: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and highest volatility of each chain that its out-of-the-money mids imply, as if European."""
    with np.errstate(invalid="ignore"):
        outside = rows.sign * (rows.strike - look.forward[rows.chain]) > 0
    at = np.flatnonzero(rows.two_sided & outside)
    chain = rows.chain[at]
    found = inversion.european(
        (rows.bid[at] + rows.ask[at]) / 2,
        look.forward[chain],
        rows.strike[at],
        tenor[chain],
        np.exp(-prior * tenor)[chain],
        rows.sign[at],
    )
    low, high = np.full(len(tenor), np.inf), np.full(len(tenor), -np.inf)
    known = np.isfinite(found.sigma)
    np.minimum.at(low, chain[known], found.sigma[known])
    np.maximum.at(high, chain[known], found.sigma[known])
    seen = high > 0
    return np.where(seen, low / REACH_BELOW, np.nan), np.where(seen, high * REACH_ABOVE, np.nan)
