"""The volatilities of a ticker's chains: what the quotes allow, checked against no-arbitrage, with the reason of every
null."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector import quality
from collector.analytics import arbitrage
from collector.analytics.forward import EQUAL_IV, PARITY, Forwards
from collector.analytics.forward_search import forwards
from collector.analytics.greeks import GREEK_NAMES
from collector.analytics.iv_status import IvStatus
from collector.analytics.quote_rows import ChainInput, QuoteRows
from collector.analytics.terms import Booleans, Floats, Integers
from collector.analytics.ticker_volatility import TickerVolatility, volatilities
from collector.market import dividends
from collector.market.calendar import Sessions
from collector.market.dividends import ExDividend
from collector.market.events import Event
from collector.market.rates import RateCurve
from collector.normalise import ChainHead, NormalisedTicker

SECONDS_A_YEAR = 365 * 86_400
# A chain of this grade by its quotes alone is dead: nothing is computed from it.
DEAD = "F"
IV_NAMES = ("bid_iv", "implied_volatility", "ask_iv")
COMPUTED = (*IV_NAMES, *GREEK_NAMES)
# Where the quotes show a forward or a rate, see analytics/forward.py.
FROM_QUOTES = frozenset({PARITY, EQUAL_IV})
# How far off a forward may be, of itself, and a rate, a year: quotes of one chain are not of one instant, a stated spot
# is newer than they are, and a curve is not what the market makers fund at.
FORWARD_ERROR, CARRIED_ERROR = 0.0005, 0.01
RATE_ERROR, CURVE_ERROR = 0.002, 0.01
_CODES = {status: status.reason for status in IvStatus}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a ticker's contracts as arrays, shape (n,), NaN for null."""

    strike: Floats
    option_type: NDArray[Any]
    is_call: Booleans
    adjusted: Booleans
    bid: Floats
    ask: Floats
    mid: Floats
    bid_size: Floats
    ask_size: Floats
    volume: Floats
    volume_known: Booleans
    open_interest: Floats
    multiplier: Floats
    vendor_implied_volatility: Floats

    def counts(self, rows: slice) -> dict[str, NDArray[Any]]:
        """Return of some rows what analytics.open_interest sums."""
        return {
            "option_type": self.option_type[rows],
            "adjusted": self.adjusted[rows],
            "volume": self.volume[rows],
            "volume_known": self.volume_known[rows],
            "open_interest": self.open_interest[rows],
        }


@dataclass(frozen=True, slots=True)
class Volatility:
    """What was computed of a ticker's chains.

    Attributes:
        chains: places of the chains that were looked at, among the ticker's; the Terms' chain i is ``chains[i]``.
        computed: their volatilities and Greeks, over all rows of the ticker in their order (NaN in the others).
        at_fault: shape (n,), rows that break no-arbitrage bounds.
        breaches: of each chain looked at.
        dividends: cash dividends to come, None where nothing is known of them.
    """

    chains: tuple[int, ...]
    computed: TickerVolatility
    at_fault: Booleans
    breaches: tuple[arbitrage.Breaches | None, ...]
    dividends: tuple[ExDividend, ...] | None


def columns(normalised: NormalisedTicker) -> Columns:
    """Return the columns of a ticker's contracts."""
    frame = normalised.contracts

    def numbers(name: str) -> Floats:
        """Return a column of numbers."""
        return np.asarray(frame[name].to_numpy(dtype=np.float64), dtype=np.float64)

    option_type = frame["option_type"].to_numpy()
    return Columns(
        strike=numbers("strike"),
        option_type=option_type,
        is_call=np.asarray(option_type == "call", dtype=np.bool_),
        adjusted=frame["adjusted"].to_numpy(dtype=np.bool_),
        bid=numbers("bid"),
        ask=numbers("ask"),
        mid=numbers("mid"),
        bid_size=numbers("bid_size"),
        ask_size=numbers("ask_size"),
        volume=numbers("volume"),
        volume_known=frame["volume_known"].to_numpy(dtype=np.bool_),
        open_interest=numbers("open_interest"),
        multiplier=numbers("multiplier"),
        vendor_implied_volatility=numbers("vendor_implied_volatility"),
    )


def compute(
    normalised: NormalisedTicker,
    held: Columns,
    graded: Sequence[quality.Quality],
    curve: RateCurve,
    events: Sequence[Event],
    sessions: Sessions,
) -> Volatility | None:
    """Return the volatilities of the chains that are alive by their quotes, None where none is.

    Args:
        normalised: the ticker.
        held: its columns.
        graded: its chains' grades by their quotes alone.
        curve: rates for where the quotes show none.
        events: what is known of the ticker.
        sessions: the calendar that it trades by.
    """
    alive = [place for place, one in enumerate(graded) if one.grade != DEAD]
    if not alive:
        return None
    heads = [normalised.chains[place] for place in alive]
    newest = max(heads, key=lambda head: head.moment.as_of)
    as_of, quote = newest.moment.as_of, newest.underlying
    until = max(head.expiration for head in heads) + timedelta(days=1)
    coming = dividends.schedule(events, normalised.ticker, as_of, until, sessions, quote.dividend_rate)
    rows, at = _quote_rows(heads, held)
    known = forwards(
        rows,
        [_input(head) for head in heads],
        spot=quote.price if quote.price is not None and quote.price > 0 else None,
        curve=curve,
        dividends=dividends.in_years(coming, as_of, sessions),
    )
    at_fault, breaches = _breaches(heads, held, known)
    computed = volatilities(rows, known, at_fault[at])
    return Volatility(tuple(alive), _spread(computed, at, at_fault, held), at_fault, breaches, coming)


def evidence(found: Volatility | None, place: int, head: ChainHead, held: Columns) -> quality.Evidence | None:
    """Return what its volatilities say of a chain's quotes, None for a chain that was not looked at."""
    if found is None or place not in found.chains:
        return None
    number, rows = found.chains.index(place), slice(head.start, head.stop)
    forward = float(found.computed.terms.forward[number])
    overlap = found.computed.facts[number].overlap if found.computed.facts else np.nan
    return quality.Evidence(
        forward=forward if np.isfinite(forward) else None,
        at_fault=found.at_fault[rows],
        band_overlap_share=float(overlap) if np.isfinite(overlap) else None,
        implied_volatility=found.computed.implied_volatility[rows],
        vendor_implied_volatility=held.vendor_implied_volatility[rows],
    )


def row_reasons(found: Volatility, rows: Integers) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield those of the rows of which a computed figure is null, and why each is.

    Rows that lack the same for the same reasons share one object: of a whole market's rows few kinds are told apart.
    """
    computed = found.computed
    kind = np.zeros(len(rows), dtype=np.int64)
    for name in IV_NAMES:
        status = getattr(computed, f"{name}_status")[rows]
        kind = kind * (len(IvStatus) + 1) + np.where(np.isnan(getattr(computed, name)[rows]), status + 1, 0)
    for name in GREEK_NAMES:
        kind = kind * 2 + np.isnan(getattr(computed.greeks, name)[rows])
    lacking = np.flatnonzero(kind)
    _, first, kinds = np.unique(kind[lacking], return_index=True, return_inverse=True)
    lines = [_why_null(computed, position) for position in rows[lacking[first]].tolist()]
    for position, number in zip(rows[lacking].tolist(), kinds.tolist(), strict=True):
        yield position, lines[number]


def _why_null(computed: TickerVolatility, position: int) -> dict[str, str]:
    """Return why the computed figures of one row are null, where they are."""
    line: dict[str, str] = {}
    for name in IV_NAMES:
        if np.isnan(getattr(computed, name)[position]):
            status = IvStatus(int(getattr(computed, f"{name}_status")[position]))
            line[name] = _CODES[status] or "no_implied_volatility"
    of_greeks = line.get("implied_volatility", "no_implied_volatility")
    return line | {name: of_greeks for name in GREEK_NAMES if np.isnan(getattr(computed.greeks, name)[position])}


def _input(head: ChainHead) -> ChainInput:
    """Return what a chain's volatilities need to know of it."""
    seconds = (head.settlement.time - head.moment.as_of).total_seconds()
    return ChainInput(tenor=seconds / SECONDS_A_YEAR, american=head.settlement.style == "american")


def _quote_rows(
    heads: Sequence[ChainHead], held: Columns
) -> tuple[QuoteRows, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """Return the rows of the chains, and their places among all rows of the ticker."""
    at = np.concatenate([np.arange(head.start, head.stop) for head in heads])
    chain = np.repeat(np.arange(len(heads)), [head.stop - head.start for head in heads])
    rows = QuoteRows(
        chain=chain,
        sign=np.where(held.is_call[at], 1.0, -1.0),
        strike=held.strike[at],
        bid=held.bid[at],
        ask=held.ask[at],
        usable=~held.adjusted[at],
    )
    return rows, at


def _breaches(
    heads: Sequence[ChainHead], held: Columns, known: Forwards
) -> tuple[Booleans, tuple[arbitrage.Breaches | None, ...]]:
    """Return the rows at fault, and the breaches of each chain; None for one without a forward."""
    at_fault = np.zeros(held.strike.shape, dtype=bool)
    terms = known.terms
    sound = np.isfinite(terms.forward)
    at = np.concatenate([np.arange(head.start, head.stop) for head in heads])
    chain = np.repeat(np.arange(len(heads)), [head.stop - head.start for head in heads])
    regular = sound[chain] & ~held.adjusted[at]
    at, chain = at[regular], chain[regular]
    found = arbitrage.breaches(held.strike[at], held.is_call[at], held.bid[at], held.ask[at], chain, _value(known))
    for number, one in enumerate(found):
        at_fault[at[chain == number][one.at_fault]] = True
    return at_fault, tuple(one if is_sound else None for one, is_sound in zip(found, sound, strict=True))


def _value(known: Forwards) -> arbitrage.Value:
    """Return what bounds the worth of the contracts of each chain, and how well that is known."""
    terms = known.terms
    seen = np.array([source in FROM_QUOTES for source in known.source])
    rate_seen = np.array([source in FROM_QUOTES for source in known.rate_source])
    return arbitrage.Value(
        forward=terms.forward,
        discount=terms.discount,
        spot=terms.spot,
        present_dividends=terms.present_dividends,
        american=terms.american,
        forward_error=np.where(seen, FORWARD_ERROR, CARRIED_ERROR) * terms.forward,
        discount_error=np.where(rate_seen, RATE_ERROR, CURVE_ERROR) * terms.tenor * terms.discount,
    )


def _spread(
    computed: TickerVolatility, at: np.ndarray[tuple[int], np.dtype[np.intp]], at_fault: Booleans, held: Columns
) -> TickerVolatility:
    """Return the figures over all rows of the ticker; those of rows at fault are null, but for the other side's."""
    size = len(held.strike)
    own = at_fault[at] & ~computed.from_other_side

    def whole(figures: Floats, blank: Booleans) -> Floats:
        """Return a column over all rows."""
        column = np.full(size, np.nan)
        column[at] = np.where(blank, np.nan, figures)
        return column

    def statuses(
        codes: np.ndarray[tuple[int, ...], np.dtype[np.int8]], blank: Booleans
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
        """Return a column of statuses over all rows."""
        column = np.full(size, IvStatus.NO_FORWARD, dtype=np.int8)
        column[at] = np.where(blank, IvStatus.OUT_OF_LINE, codes)
        return column

    from_other_side = np.zeros(size, dtype=bool)
    from_other_side[at] = computed.from_other_side
    faulty = at_fault[at]
    return TickerVolatility(
        terms=computed.terms,
        forward_source=computed.forward_source,
        rate_source=computed.rate_source,
        spot_source=computed.spot_source,
        dividend_source=computed.dividend_source,
        bid_iv=whole(computed.bid_iv, faulty),
        implied_volatility=whole(computed.implied_volatility, own),
        ask_iv=whole(computed.ask_iv, faulty),
        bid_iv_status=statuses(computed.bid_iv_status, faulty),
        implied_volatility_status=statuses(computed.implied_volatility_status, own),
        ask_iv_status=statuses(computed.ask_iv_status, faulty),
        from_other_side=from_other_side,
        greeks=type(computed.greeks)(*(whole(getattr(computed.greeks, name), own) for name in GREEK_NAMES)),
        facts=computed.facts,
    )
