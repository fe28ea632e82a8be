"""The forward of each chain: by put-call parity where contracts are European."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collector.analytics.quote_rows import ChainInput, Curve, QuoteRows
from collector.analytics.terms import Dividend, Floats, Integers, Terms

PARITY, EQUAL_IV, CARRY, NEIGHBOURS = "parity", "equal_iv", "carry", "neighbours"


@dataclass(frozen=True, slots=True)
class Forwards:
    """The terms of m chains and where they come from."""

    terms: Terms
    source: tuple[str | None, ...]
    rate_source: tuple[str, ...]
    spot_source: str | None


@dataclass(frozen=True, slots=True)
class Pairs:
    """Strikes of which call and put are quoted on both sides, shape (k,), sorted by chain and strike.

    ``call`` and ``put`` are row numbers. ``half`` is half the width of the band that the quotes leave C - P.
    """

    chain: Integers
    strike: Floats
    call: Integers
    put: Integers
    gap: Floats
    half: Floats


def pairs(rows: QuoteRows) -> Pairs:
    """Return the strikes quoted on both sides; of a contract listed twice the first counts."""
    at = np.flatnonzero(rows.two_sided & (rows.strike > 0))
    order = at[np.lexsort((at, rows.sign[at], rows.strike[at], rows.chain[at]))]
    chain, strike, sign = rows.chain[order], rows.strike[order], rows.sign[order]
    same = (chain[1:] == chain[:-1]) & (strike[1:] == strike[:-1])
    # Puts stand before calls: a put whose next row is the call of its strike.
    puts = np.flatnonzero(same & (sign[:-1] < 0) & (sign[1:] > 0))
    call, put = order[puts + 1], order[puts]
    bid_gap = rows.bid[call] - rows.ask[put]
    ask_gap = rows.ask[call] - rows.bid[put]
    return Pairs(rows.chain[call], rows.strike[call], call, put, (bid_gap + ask_gap) / 2, (ask_gap - bid_gap) / 2)


def forwards(
    rows: QuoteRows,
    chains: Sequence[ChainInput],
    *,
    spot: float | None,
    curve: Curve,
    dividends: tuple[Dividend, ...] | None,
) -> Forwards:
    """Return the terms of the chains; see ticker_volatility.ticker_volatility for the arguments."""
    tenor = np.array([chain.tenor for chain in chains], dtype=np.float64)
    rate = curve.rate(tenor)
    discount = np.exp(-rate * tenor)
    offered = pairs(rows)
    level = np.full(len(chains), np.nan)
    source: list[str | None] = [None] * len(chains)
    for number in range(len(chains)):
        at = np.flatnonzero(offered.chain == number)
        if at.size:
            near = at[np.argsort(np.abs(offered.gap[at]))[:8]]
            level[number] = np.median(offered.strike[near] + offered.gap[near] / discount[number])
            source[number] = PARITY
    stated = np.nan if spot is None else spot
    american = np.array([chain.american for chain in chains], dtype=bool)
    taken = tuple(tuple(d for d in dividends or () if d.time <= chain.tenor) for chain in chains)
    terms = Terms(tenor, rate, level, np.full(len(chains), stated), american, taken)
    return Forwards(terms, tuple(source), (curve.source,) * len(chains), "stated")
