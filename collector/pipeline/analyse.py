"""Analyse: what came of a ticker, normalised, graded, its volatilities and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from collector import quality
from collector.market.calendar import Sessions
from collector.market.rates import RateCurve
from collector.normalise import NormalisedTicker, normalise
from collector.pipeline.chain_figures import TickerFigures, ticker_figures
from collector.pipeline.volatility import (
    Columns,
    Volatility,
    columns,
    compute,
    evidence,
)
from collector.providers.base import Bar, Event, OptionChain, Provider, Quote
from collector.providers.feeds import joined

# Columns that many feeds never state: told once a chain where they state none, else of each row.
OFTEN_UNSTATED = (
    "bid_size",
    "ask_size",
    "last_trade_time",
    "vendor_implied_volatility",
    "vendor_delta",
    "in_the_money",
)
# Flags against a row's quote; that a contract did not trade today is no fault of its quote.
QUOTE_FAULTS = frozenset({"no_bid", "no_ask", "crossed", "negative_price"})


@dataclass(slots=True)
class Fetched:
    """What the provider gave for a ticker.

    ``failed`` are expirations with the reason code of their failure, ``not_asked`` those that are listed and were not
    chosen.
    """

    ticker: str
    quote: Quote
    expirations: tuple[date, ...]
    chains: list[OptionChain] = field(default_factory=list)
    not_recorded: list[date] = field(default_factory=list)
    not_asked: list[date] = field(default_factory=list)
    failed: dict[date, str] = field(default_factory=dict)
    bars: tuple[Bar, ...] = ()
    events: tuple[Event, ...] = ()

    def feed(self, own: str) -> str:
        """Return whose numbers these are: what the chains state, else the provider's ``own``."""
        return joined(chain.feed or own for chain in self.chains) or own


@dataclass(frozen=True, slots=True)
class Analysis:
    """A ticker's chains: normalised, their volatilities, grades and figures, in the order of ``normalised.chains``.

    ``unstated`` are for each chain the columns that its feed did not state.
    """

    normalised: NormalisedTicker
    held: Columns
    found: Volatility | None
    grades: tuple[quality.Quality, ...]
    figures: TickerFigures
    unstated: tuple[tuple[str, ...], ...]

    @property
    def usable(self) -> tuple[bool, ...]:
        """Whether each chain's grade lets it into the ticker's figures."""
        return tuple(quality.is_usable(graded.grade) for graded in self.grades)


def normalise_fetched(fetched: Fetched, provider: Provider, earlier: pd.DataFrame | None) -> NormalisedTicker:
    """Normalise what came."""
    return normalise(fetched.ticker, fetched.chains, fetched.quote, provider.sessions(), provider.delay, earlier)


def analyse(normalised: NormalisedTicker, events: Sequence[Event], curve: RateCurve, sessions: Sessions) -> Analysis:
    """Compute a ticker's volatilities, grade its chains, and compute what stands on both.

    Args:
        normalised: the ticker.
        events: what is known of it.
        curve: rates for where the quotes show none.
        sessions: the calendar that it trades by.
    """
    held, heads = columns(normalised), normalised.chains
    quotes = _quotes(normalised, held)
    references = [quality.reference_price(one, head.underlying.price) for one, head in zip(quotes, heads, strict=True)]

    def graded(found: Volatility | None) -> tuple[quality.Quality, ...]:
        """Grade the chains by their quotes and, where there are any, by their volatilities."""
        return tuple(
            quality.grade(own, head.underlying.price, head.moment, evidence(found, place, head, held), reference)
            for place, (own, head, reference) in enumerate(zip(quotes, heads, references, strict=True))
        )

    by_quotes = graded(None)
    found = compute(normalised, held, by_quotes, curve, events, sessions)
    grades = by_quotes if found is None else graded(found)
    known = [bool(graded.facts["open_interest_known"]) for graded in grades]
    reasons = [graded.reasons[0] if graded.reasons else "no_usable_chain" for graded in by_quotes]
    usable = [quality.is_usable(graded.grade) for graded in grades]
    figures = ticker_figures(normalised, held, found, reasons, known, usable)
    return Analysis(normalised, held, found, grades, figures, _unstated(normalised))


def _unstated(normalised: NormalisedTicker) -> tuple[tuple[str, ...], ...]:
    """Return for each chain the columns that its feed often does not state and did not."""
    stated = {name: normalised.contracts[name].notna().to_numpy() for name in OFTEN_UNSTATED}
    return tuple(
        tuple(name for name, column in stated.items() if not column[head.start : head.stop].any())
        for head in normalised.chains
    )


def _quotes(normalised: NormalisedTicker, held: Columns) -> tuple[quality.Quotes, ...]:
    """Return what a grade looks at of each chain."""
    faults = np.array([not QUOTE_FAULTS.isdisjoint(flags) for flags in normalised.contracts["flags"]], dtype=bool)
    slices = [slice(head.start, head.stop) for head in normalised.chains]
    return tuple(
        quality.Quotes(
            strike=held.strike[rows],
            is_call=held.is_call[rows],
            bid=held.bid[rows],
            ask=held.ask[rows],
            mid=held.mid[rows],
            open_interest=held.open_interest[rows],
            adjusted=held.adjusted[rows],
            flagged=faults[rows],
        )
        for rows in slices
    )
