"""Analyse: what came of a ticker, normalised, graded, summed; its rows and its record for the staging."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd

from collector import quality
from collector.analytics.features import features
from collector.analytics.greeks import GREEK_NAMES
from collector.analytics.open_interest import chain_totals
from collector.analytics.term_structure import term_structure
from collector.analytics.volatility_features import ChainPoint, ChainsView
from collector.market.calendar import Sessions, exchange_sessions, new_york_date
from collector.market.rates import RateCurve
from collector.normalise import NormalisedTicker, normalise
from collector.pipeline.chain_figures import TickerFigures, ticker_figures
from collector.pipeline.volatility import (
    COMPUTED,
    IV_NAMES,
    SECONDS_A_YEAR,
    Columns,
    Volatility,
    columns,
    compute,
    evidence,
    row_reasons,
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
BAR_FIELDS = tuple(one.name for one in fields(Bar))
EVENT_FIELDS = tuple(one.name for one in fields(Event))
# Columns that the staging keeps in another form, or once for all rows.
REWRITTEN = frozenset({"ticker", "expiration", "last_trade_time", "flags", "reasons"})
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


def _unstated_here(analysis: Analysis) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row that lacks columns which its chain's feed states of others, and the reasons of these."""
    frame = analysis.normalised.contracts
    lacks = np.zeros(len(frame), dtype=np.int64)
    for bit, name in enumerate(OFTEN_UNSTATED):
        missing = np.array(frame[name].isna(), dtype=np.bool_)
        for head, unstated in zip(analysis.normalised.chains, analysis.unstated, strict=True):
            if name in unstated:
                missing[head.start : head.stop] = False
        lacks |= missing.astype(np.int64) << bit
    reasons = {
        kind: {name: "not_stated" for bit, name in enumerate(OFTEN_UNSTATED) if kind >> bit & 1}
        for kind in np.unique(lacks).tolist()
    }
    positions = np.flatnonzero(lacks)
    for position, kind in zip(positions.tolist(), lacks[positions].tolist(), strict=True):
        yield position, reasons[kind]


def bare_record(
    ticker: str, feed: str, recorded_at: str, outcome: str, reason: str | None, detail: str | None
) -> dict[str, Any]:
    """Return a record that holds no quotes."""
    return {
        "ticker": ticker,
        "outcome": outcome,
        "reason": reason,
        "detail": detail,
        "feed": feed,
        "recorded_at": recorded_at,
        "as_of": None,
        "market_date": None,
        "expirations_listed": 0,
        "not_recorded": [],
        "not_asked": [],
        "failed_expirations": {},
        "chains": [],
        "feature": None,
        "bars": [],
        "events": [],
        "rates": [],
        "rate_curve": None,
        "rejections": {},
    }


def full_record(fetched: Fetched, analysis: Analysis, feed: str) -> dict[str, Any]:
    """Return the record of a ticker whose quotes came; ``feed`` is the provider's own."""
    stamp = max([chain.stamp for chain in fetched.chains], default=fetched.quote.stamp)
    record = bare_record(fetched.ticker, fetched.feed(feed), stamp.isoformat(), "ok", None, None)
    record["rejections"] = analysis.normalised.rejections
    record["expirations_listed"] = len(fetched.expirations)
    record["not_recorded"] = [day.isoformat() for day in fetched.not_recorded]
    record["not_asked"] = [day.isoformat() for day in fetched.not_asked]
    record["failed_expirations"] = {day.isoformat(): reason for day, reason in fetched.failed.items()}
    # Flat objects: asdict would copy each of them deeply.
    record["bars"] = [{name: getattr(bar, name) for name in BAR_FIELDS} for bar in fetched.bars]
    record["events"] = [{name: getattr(event, name) for name in EVENT_FIELDS} for event in fetched.events]
    heads = analysis.normalised.chains
    if not heads:
        record["outcome"], record["reason"], record["detail"] = _without_chains(analysis.normalised.rejections)
        return record
    newest = max((head.moment for head in heads), key=lambda moment: (moment.as_of, moment.quote_time))
    record["as_of"], record["market_date"] = newest.as_of.isoformat(), newest.market_date.isoformat()
    record["chains"] = [_chain_row(analysis, place) for place in range(len(heads))]
    record["feature"] = _feature(fetched, analysis)
    return record


def _without_chains(rejections: Mapping[str, int]) -> tuple[str, str, str]:
    """Return outcome, reason and detail of a ticker of which no contract is left."""
    told = ", ".join(f"{count} {reason}" for reason, count in sorted(rejections.items())) or "none came"
    if set(rejections) == {"expired"}:
        return "skipped", "all_expired", f"left out: {told}"
    return "failed", "empty_answer", f"left out: {told}"


def _feature(fetched: Fetched, analysis: Analysis) -> dict[str, Any]:
    """Return the ticker's features; option figures come from the usable chains alone."""
    normalised, heads = analysis.normalised, analysis.normalised.chains
    usable = [head for head, graded in zip(heads, analysis.grades, strict=True) if quality.is_usable(graded.grade)]
    rows = np.zeros(len(normalised.contracts), dtype=bool)
    for head in usable:
        rows[head.start : head.stop] = True
    rows &= ~normalised.contracts["adjusted"].to_numpy(dtype=bool)
    newest = max((head.moment for head in heads), key=lambda moment: (moment.as_of, moment.quote_time))
    quote = heads[0].underlying
    computed = features(
        ticker=fetched.ticker,
        price=quote.price,
        price_time=quote.time,
        contracts=normalised.contracts[rows],
        bars=fetched.bars,
        market_date=newest.market_date,
        expirations_used=len({head.expiration for head in usable}),
        expirations_listed=len(fetched.expirations) or None,
        events=fetched.events,
        as_of=newest.as_of,
        chains=_view(analysis, _years_to_earnings(fetched, newest.as_of)),
    )
    return {
        **computed,
        "grade": min(graded.grade for graded in analysis.grades),
        "as_of": newest.as_of,
        "quote_time": newest.quote_time,
        "market_date": newest.market_date,
    }


def _years_to_earnings(fetched: Fetched, as_of: datetime) -> float | None:
    """Return the years to the next release; one without a time is taken for after the close of its day."""
    moments = []
    for event in fetched.events:
        if event.kind != "earnings" or event.ticker != fetched.ticker:
            continue
        session = exchange_sessions().session(event.date) if event.time is None else None
        moment = event.time or (session.close if session else None)
        if moment is not None and moment > as_of:
            moments.append(moment)
    return (min(moments) - as_of).total_seconds() / SECONDS_A_YEAR if moments else None


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


def _points(analysis: Analysis) -> list[ChainPoint]:
    """Return what the usable chains bring to the ticker's figures, by tenor."""
    points = []
    for place in analysis.figures.order:
        if not analysis.usable[place] or analysis.found is None:
            continue
        head, figures = analysis.normalised.chains[place], analysis.figures.chains[place]
        points.append(
            ChainPoint(
                expiration=head.expiration,
                root=head.root,
                tenor=float(analysis.found.computed.terms.tenor[analysis.found.chains.index(place)]),
                grade=analysis.grades[place].grade,
                atm_iv=figures.atm_iv,
                by_delta=figures.by_delta,
                straddle=figures.straddle,
                max_pain=figures.max_pain,
                relative_spread=analysis.grades[place].facts["median_relative_spread"],
                spread_in_volatility=figures.liquidity.get("spread_in_volatility"),
            )
        )
    return points


def _view(analysis: Analysis, release: float | None) -> ChainsView:
    """Return the usable chains of a ticker as its figures look at them."""
    points = _points(analysis)
    tenor = np.array([point.tenor for point in points], dtype=np.float64)
    sigma = np.array([np.nan if point.atm_iv is None else point.atm_iv for point in points], dtype=np.float64)
    spots = analysis.found.computed.terms.spot if analysis.found else np.zeros(0)
    spots = spots[np.isfinite(spots)]
    exposed = {analysis.normalised.chains[place].expiration for place in analysis.figures.exposed}
    return ChainsView(
        points=tuple(points),
        term=term_structure(tenor, sigma),
        spot=float(spots[0]) if spots.size else None,
        exposure=analysis.figures.exposure,
        exposed=len(exposed),
        release=release,
    )


def _terms(analysis: Analysis, place: int, reasons: dict[str, str]) -> dict[str, Any]:
    """Return a chain's terms as its row holds them; note why one is null."""
    found = analysis.found
    sourced = ("spot", "forward", "rate")
    names = (*sourced, *(f"{name}_source" for name in sourced), "discount_factor", "theta_convention")
    row: dict[str, Any] = dict.fromkeys(names) | {"dividends": []}
    if found is None or place not in found.chains:
        why = analysis.grades[place].reasons
        reasons |= dict.fromkeys((*names, *(f"contracts.{name}" for name in COMPUTED)), why[0] if why else "no_forward")
        return row
    number, terms = found.chains.index(place), found.computed.terms
    settles = analysis.normalised.chains[place].settlement.time
    row |= {
        "rate": float(terms.rate[number]),
        "rate_source": found.computed.rate_source[number],
        "discount_factor": float(terms.discount[number]),
        "theta_convention": "spot_fixed" if terms.american[number] else "forward_fixed",
        "dividends": _dividends(found, number, settles),
    }
    for name, value in (("spot", float(terms.spot[number])), ("forward", float(terms.forward[number]))):
        row[name] = value if np.isfinite(value) else None
        if row[name] is None:
            reasons[name] = "no_forward"
    row["forward_source"], row["spot_source"] = found.computed.forward_source[number], found.computed.spot_source
    for name in ("forward_source", "spot_source"):
        if row[name] is None:
            reasons[name] = "no_forward"
    return row


def _dividends(found: Volatility, number: int, settles: datetime) -> list[dict[str, Any]]:
    """Return the cash dividends that a chain was valued with."""
    used = found.computed.terms.dividends[number]
    if found.computed.dividend_source == "implied" or found.dividends is None:
        tenor = float(found.computed.terms.tenor[number])
        return [
            {
                "date": new_york_date(settles - timedelta(days=365 * (tenor - one.time))).isoformat(),
                "amount": one.amount,
                "source": "implied",
            }
            for one in used
        ]
    return [
        {"date": one.date.isoformat(), "amount": one.amount, "source": one.source}
        for one in found.dividends[: len(used)]
    ]


def _chain_row(analysis: Analysis, place: int) -> dict[str, Any]:
    """Return the chain's row, JSON-ready, without what the whole scan shares."""
    head, graded = analysis.normalised.chains[place], analysis.grades[place]
    totals, total_reasons = chain_totals(analysis.held.counts(slice(head.start, head.stop)))
    figures = analysis.figures.chains[place]
    reasons = {f"totals.{name}": reason for name, reason in total_reasons.items()}
    terms = _terms(analysis, place, reasons)
    reasons |= figures.reasons
    if figures.atm_iv is None:
        reasons.setdefault("atm_iv", graded.reasons[0] if graded.reasons else "no_forward")
    reasons.update({f"contracts.{name}": "not_stated" for name in analysis.unstated[place]})
    if head.underlying.price is None:
        reasons["underlying_price"] = "no_spot"
    if head.underlying.time is None:
        reasons["underlying_time"] = "not_stated"
    return {
        "root": head.root,
        "expiration": head.expiration.isoformat(),
        "dte": head.dte,
        "as_of": head.moment.as_of.isoformat(),
        "quote_time": head.moment.quote_time.isoformat(),
        "market_date": head.moment.market_date.isoformat(),
        "open_interest_date": head.moment.open_interest_date.isoformat(),
        "settlement": head.settlement.kind,
        "settlement_time": head.settlement.time.isoformat(),
        "exercise_style": head.settlement.style,
        "underlying_price": head.underlying.price,
        "underlying_time": head.underlying.time.isoformat() if head.underlying.time else None,
        **terms,
        "atm_iv": figures.atm_iv,
        "analytics": figures.analytics,
        "totals": totals,
        "grade": graded.grade,
        "grade_reasons": list(graded.reasons),
        "facts": graded.facts,
        "received": head.stop - head.start,
        "reasons": reasons,
    }


def staged_contracts(analysis: Analysis) -> dict[str, npt.NDArray[Any]]:
    """Return the rows as the staging keeps them, without what the whole ticker shares: see staging.CONTRACT_COLUMNS.

    Columns of shape (n,), NaN, NaT and None for null; flags joined by commas, reasons JSON text, times in UTC, dates
    midnights: what DuckDB reads fast.
    """
    heads = analysis.normalised.chains
    sizes = [head.stop - head.start for head in heads]

    def spread(values: Sequence[Any], kind: str) -> npt.NDArray[Any]:
        """Repeat each chain's value over its rows."""
        return np.repeat(np.array(values, dtype=kind), sizes)

    def times(name: str) -> npt.NDArray[Any]:
        """Repeat a moment of each chain over its rows."""
        return spread([getattr(head.moment, name).replace(tzinfo=None) for head in heads], "datetime64[us]")

    frame = analysis.normalised.contracts
    computed, flags, reasons = _computed_columns(analysis)
    prices = [np.nan if head.underlying.price is None else head.underlying.price for head in heads]
    return {
        **{str(name): column.to_numpy() for name, column in frame.items() if name not in REWRITTEN},
        "last_trade_time": frame["last_trade_time"].dt.tz_localize(None).to_numpy(),
        "expiration": spread([head.expiration for head in heads], "datetime64[s]"),
        "as_of": times("as_of"),
        "quote_time": times("quote_time"),
        "market_date": spread([head.moment.market_date for head in heads], "datetime64[s]"),
        "dte": spread([head.dte for head in heads], "int64"),
        "grade": spread([graded.grade for graded in analysis.grades], "object"),
        "underlying_price": spread(prices, "float64"),
        **computed,
        "flags": np.array([",".join(own) for own in flags], dtype=object),
        "reasons": np.array([orjson.dumps(own).decode() if own else "{}" for own in reasons], dtype=object),
    }


def _computed_columns(analysis: Analysis) -> tuple[dict[str, Any], list[list[str]], list[dict[str, str]]]:
    """Return the computed columns, and each row's flags and reasons with those that they bring."""
    frame, found = analysis.normalised.contracts, analysis.found
    flags, reasons = list(frame["flags"]), list(frame["reasons"])
    for position, own in _unstated_here(analysis):
        reasons[position] = reasons[position] | own
    if found is None:
        return {name: np.full(len(frame), np.nan) for name in COMPUTED}, flags, reasons
    computed = {name: getattr(found.computed, name) for name in IV_NAMES}
    computed |= {name: getattr(found.computed.greeks, name) for name in GREEK_NAMES}
    for name, marked in (("iv_from_other_side", found.computed.from_other_side), ("arbitrage", found.at_fault)):
        for position in np.flatnonzero(marked).tolist():
            flags[position] = [*flags[position], name]
    for place in found.chains:
        head = analysis.normalised.chains[place]
        for position, own in enumerate(row_reasons(found, slice(head.start, head.stop)), start=head.start):
            if own:
                reasons[position] = reasons[position] | own
    return computed, flags, reasons
