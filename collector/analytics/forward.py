"""The forwards and rates of a ticker's chains, and where each comes from; forward_search.py finds them.

Codes of ``source``, the forward's: ``parity``, ``equal_iv`` (American), ``neighbours`` (read off the other chains'
curve), ``carry`` (spot, rate and dividends; with the stated spot where no chain shows a forward), None where a carried
forward is contradicted by most of the chain's own two-sided strikes, or nothing is known. Codes of
``rate_source``: ``parity`` and ``equal_iv`` where the quotes moved the rate more than the given curve holds it, else
the curve's own source.
"""

from __future__ import annotations

from dataclasses import dataclass

from collector.analytics.early_exercise import EarlyExercise
from collector.analytics.strike_pairs import StrikePairs
from collector.analytics.terms import Floats, Integers, Terms

PARITY, EQUAL_IV, CARRY, NEIGHBOURS = "parity", "equal_iv", "carry", "neighbours"
FORWARDS, STATED, IMPLIED = "forwards", "stated", "implied"
ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class SingleForwards:
    """Forwards of single strikes, dollars a share, shape (k,): the quotes leave each ``half`` to either side."""

    chain: Integers
    strike: Floats
    forward: Floats
    half: Floats


@dataclass(frozen=True, slots=True)
class Forwards:
    """The terms of m chains and where they come from.

    Attributes:
        terms: of the chains; forward NaN where none can be found.
        source: code of each forward, None without one.
        rate_source: code of each rate.
        spot_source: ``forwards``; ``stated`` where the forwards tell it no better; None without a spot.
        dividend_source: ``stated``, ``implied``, None where none are known: continuous carry.
        deviation: standard deviation of ln(price) to settlement by the straddles near the money, shape (m,).
        pairs: the strikes quoted on both sides.
        singles: what the strikes that the forwards were drawn through show, each by itself.
        exercise: the boundaries of these terms, over the volatilities of all their quotes; None where no chain is
            American or none has a quote.
    """

    terms: Terms
    source: tuple[str | None, ...]
    rate_source: tuple[str, ...]
    spot_source: str | None
    dividend_source: str | None
    deviation: Floats
    pairs: StrikePairs
    singles: SingleForwards
    exercise: EarlyExercise | None
