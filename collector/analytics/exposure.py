"""What open interest would have dealers trade: gamma, vanna and charm exposures, their walls, and the gamma flip.

Every figure rests on one naive assumption, stated wherever it is shown: dealers are long all calls and short all puts.
So calls count +, puts -. Gamma exposure is the change of the dealers' dollar delta for a move of the spot by 1 %:

    gamma x open interest x multiplier x spot² x 0.01

The flip is the spot at which that sum crosses zero when gamma is revalued there, each contract at its own volatility
(sticky strike) and the forward moving with the spot; it is not where the sum over strikes changes sign. The revaluation
uses the European gamma for American contracts too: near a zero the premium of early exercise moves it by less than the
spacing of strikes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collector.analytics.strike_places import strike_places
from collector.analytics.terms import Booleans, Floats, Integers, Terms

ONE_PER_CENT = 0.01
# How far from the spot a flip is looked for, and in how many steps of equal ratio.
REACH = 0.25
STEPS = 50
REFINEMENTS = 8
_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)


@dataclass(frozen=True, slots=True)
class Holdings:
    """The contracts whose exposure is summed, shape (n,): rows without a gamma or known open interest are left out.

    ``chain`` is the row's chain in the Terms; ``held`` is open interest times multiplier, in shares.
    """

    chain: Integers
    sign: Floats
    strike: Floats
    sigma: Floats
    gamma: Floats
    vanna: Floats
    charm: Floats
    held: Floats

    def of(self, rows: Booleans) -> Holdings:
        """Return some of the rows."""
        return Holdings(
            self.chain[rows],
            self.sign[rows],
            self.strike[rows],
            self.sigma[rows],
            self.gamma[rows],
            self.vanna[rows],
            self.charm[rows],
            self.held[rows],
        )


@dataclass(frozen=True, slots=True)
class StrikeExposures:
    """Signed sums over a chain's contracts of each strike, strikes ascending; shape (k,)."""

    strikes: Floats
    gamma: Floats
    vanna: Floats
    charm: Floats


@dataclass(frozen=True, slots=True)
class Exposure:
    """The exposures of one chain, or of all of a ticker.

    Attributes:
        gamma: dollars of delta for a move of 1 %.
        vanna: dollars of delta for one volatility point.
        charm: dollars of delta for one calendar day.
        call_wall, put_wall: strike of the largest gamma exposure of calls, of puts; None without any.
        flip: spot at which gamma exposure crosses zero, the crossing nearest to the spot; None where it crosses nowhere
            within 25 %.
    """

    gamma: float
    vanna: float
    charm: float
    call_wall: float | None
    put_wall: float | None
    flip: float | None


def holdings(
    terms: Terms,
    chain: Integers,
    sign: Floats,
    strike: Floats,
    sigma: Floats,
    gamma: Floats,
    vanna: Floats,
    charm: Floats,
    open_interest: Floats,
    multiplier: Floats,
) -> Holdings:
    """Return the rows that exposures are summed over.

    Args:
        terms: of the chains.
        chain, sign, strike, sigma, gamma, vanna, charm: one row a contract, shape (n,); NaN for null.
        open_interest: contracts, NaN where it is not known.
        multiplier: shares a contract.
    """
    counted = np.isfinite(gamma) & np.isfinite(sigma) & (open_interest > 0) & (chain >= 0)
    counted[counted] &= np.isfinite(terms.forward[chain[counted]])
    return Holdings(
        chain=chain[counted],
        sign=sign[counted],
        strike=strike[counted],
        sigma=sigma[counted],
        gamma=gamma[counted],
        vanna=np.nan_to_num(vanna[counted]),
        charm=np.nan_to_num(charm[counted]),
        held=open_interest[counted] * multiplier[counted],
    )


def chain_exposures(terms: Terms, held: Holdings) -> dict[int, tuple[Exposure, StrikeExposures]]:
    """Return the exposures of each chain that has any, by its number."""
    found: dict[int, tuple[Exposure, StrikeExposures]] = {}
    if not held.chain.size:
        return found
    flips = _flips(terms, held, held.chain, len(terms.tenor), terms.spot)
    gamma, vanna, charm = _dollars(terms, held)
    chains, starts = _chains(held)
    stops = np.append(starts[1:], len(held.chain))
    for number, start, stop in zip(chains.tolist(), starts.tolist(), stops.tolist(), strict=True):
        found[number] = _exposure(held, slice(start, stop), gamma, vanna, charm, flips[number])
    return found


def ticker_exposure(terms: Terms, held: Holdings, spot: float) -> Exposure | None:
    """Return the exposures over all chains of a ticker; None where no row counts.

    Args:
        terms: of the chains.
        held: see holdings.
        spot: the ticker's spot, from which the flip is looked for.
    """
    if not held.chain.size:
        return None
    everything = np.zeros_like(held.chain)
    flip = _flips(terms, held, everything, 1, np.array([spot]))[0]
    return _exposure(held, slice(None), *_dollars(terms, held), flip)[0]


def gamma_profile(terms: Terms, held: Holdings, group: Integers, spots: Floats) -> Floats:
    """Return the gamma exposure of each row's group at other spots.

    Args:
        terms: of the chains.
        held: the rows.
        group: shape (n,), the group that a row is summed into; the rows of a chain stand together, in one group.
        spots: shape (g, k), for each group the spots at which to revalue.

    Returns:
        Shape (g, k), dollars for a move of 1 % of each of those spots.
    """
    chains, starts = _chains(held)
    at = spots[group[starts]]
    growth = (terms.forward / terms.escrowed_spot)[chains][:, None]
    forward = growth * (at - terms.present_dividends[chains][:, None])
    alive = forward > 0
    with np.errstate(divide="ignore"):
        # What is the same for all contracts of a chain is taken out of the sum over them.
        scale = terms.discount[chains][:, None] * growth**2 * at**2 * (ONE_PER_CENT / _ROOT_TWO_PI) / forward
    total = held.sigma * np.sqrt(terms.tenor[held.chain])
    log_forward = np.log(np.where(alive, forward, 1.0))
    row = np.repeat(np.arange(len(chains)), np.diff(starts, append=len(held.chain)))
    d1 = log_forward[row]
    d1 -= (np.log(held.strike) - total * total / 2)[:, None]
    d1 /= total[:, None]
    np.multiply(d1, d1, out=d1)
    d1 *= -0.5
    density = np.exp(d1, out=d1)
    density *= (held.sign * held.held / total)[:, None]
    summed = np.where(alive, scale * np.add.reduceat(density, starts, axis=0), 0.0)
    profile = np.zeros(spots.shape)
    np.add.at(profile, group[starts], summed)
    return profile


def _chains(held: Holdings) -> tuple[Integers, Integers]:
    """Return the chains of the rows in their order, and where each begins; the rows of a chain stand together."""
    starts = np.flatnonzero(np.diff(held.chain, prepend=-1))
    return held.chain[starts], starts


def _flips(terms: Terms, held: Holdings, group: Integers, groups: int, spot: Floats) -> Floats:
    """Return for each group the crossing nearest to its spot, NaN where there is none; shape (g,)."""
    ratios = np.exp(np.linspace(np.log(1 - REACH), np.log(1 + REACH), STEPS + 1))
    grid = spot[:, None] * ratios[None, :]
    profile = gamma_profile(terms, held, group, grid)
    crosses = profile[:, :-1] * profile[:, 1:] < 0
    distance = np.where(crosses, np.abs(np.log(ratios[:-1] * ratios[1:]) / 2)[None, :], np.inf)
    best = np.argmin(distance, axis=1)
    at = np.arange(groups)
    found = np.isfinite(distance[at, best])
    if not found.any():
        return np.full(groups, np.nan)
    # The Illinois method: regula falsi that halves the value of an end that stays.
    ends, values = grid[at[:, None], best[:, None] + [0, 1]], profile[at[:, None], best[:, None] + [0, 1]]
    for _ in range(REFINEMENTS):
        span = values[:, 1] - values[:, 0]
        chord = (ends[:, 0] * values[:, 1] - ends[:, 1] * values[:, 0]) / np.where(span == 0, 1.0, span)
        middle = np.where(span == 0, ends[:, 0], chord)
        value = gamma_profile(terms, held, group, middle[:, None])[:, 0]
        replaced = np.where(value * values[:, 1] > 0, 1, 0)
        values[at, 1 - replaced] /= 2
        ends[at, replaced], values[at, replaced] = middle, value
    flips: Floats = np.where(found, middle, np.nan)
    return flips


def _dollars(terms: Terms, held: Holdings) -> tuple[Floats, Floats, Floats]:
    """Return each row's signed gamma, vanna and charm exposure in dollars."""
    spot = terms.spot[held.chain]
    shares = held.sign * held.held
    return shares * held.gamma * spot**2 * ONE_PER_CENT, shares * held.vanna * spot, shares * held.charm * spot


def _exposure(
    held: Holdings, rows: slice, gamma: Floats, vanna: Floats, charm: Floats, flip: float
) -> tuple[Exposure, StrikeExposures]:
    """Sum the chosen rows, all together and by strike."""
    strikes, place = strike_places(held.strike[rows])
    by_strike = StrikeExposures(strikes, *(_sums(strikes, place, column[rows]) for column in (gamma, vanna, charm)))
    summed = Exposure(
        gamma=float(gamma[rows].sum()),
        vanna=float(vanna[rows].sum()),
        charm=float(charm[rows].sum()),
        call_wall=_wall(strikes, place, gamma[rows] * (held.sign[rows] > 0)),
        put_wall=_wall(strikes, place, -gamma[rows] * (held.sign[rows] < 0)),
        flip=float(flip) if np.isfinite(flip) else None,
    )
    return summed, by_strike


def _wall(strikes: Floats, place: Integers, gamma: Floats) -> float | None:
    """Return the strike of the largest sum, the lowest of equals; None where nothing is above 0."""
    sums = _sums(strikes, place, gamma)
    return float(strikes[np.argmax(sums)]) if sums.size and sums.max() > 0 else None


def _sums(strikes: Floats, place: Integers, figures: Floats) -> Floats:
    """Return the sum of the figures at each strike."""
    return np.asarray(np.bincount(place, weights=figures, minlength=strikes.size), dtype=np.float64)
