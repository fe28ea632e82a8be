"""Analyse: what came of a ticker, normalised, graded, summed; its rows and its record for the staging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import numpy as np
import orjson
import pandas as pd

from collector import quality
from collector.analytics.features import features
from collector.analytics.open_interest import chain_totals
from collector.normalise import ChainHead, NormalisedTicker, normalise
from collector.providers.base import Bar, Event, OptionChain, Provider, Quote
from collector.providers.feeds import joined

# What the chain's own record says of fields that this version does not compute.
NOT_COMPUTED = ("forward", "forward_source", "rate", "discount_factor", "atm_iv")
CONTRACT_NOT_COMPUTED = (
    "bid_iv",
    "implied_volatility",
    "ask_iv",
    "delta",
    "gamma",
    "theta",
    "vega",
    "rho",
    "vanna",
    "charm",
)
# Columns that many feeds never state: told once a chain.
OFTEN_UNSTATED = ("bid_size", "ask_size", "vendor_implied_volatility", "vendor_delta", "in_the_money")
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
    """A ticker's chains, normalised and graded; ``grades`` belong to ``normalised.chains``."""

    normalised: NormalisedTicker
    grades: tuple[quality.Quality, ...]


def grade_chains(fetched: Fetched, provider: Provider, earlier: pd.DataFrame | None) -> Analysis:
    """Normalise and grade what came."""
    normalised = normalise(fetched.ticker, fetched.chains, fetched.quote, provider.sessions(), provider.delay, earlier)
    return Analysis(normalised, _grades(normalised))


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
    record["bars"] = [asdict(bar) for bar in fetched.bars]
    record["events"] = [asdict(event) for event in fetched.events]
    heads = analysis.normalised.chains
    if not heads:
        record["outcome"], record["reason"], record["detail"] = _without_chains(analysis.normalised.rejections)
        return record
    newest = max((head.moment for head in heads), key=lambda moment: (moment.as_of, moment.quote_time))
    record["as_of"], record["market_date"] = newest.as_of.isoformat(), newest.market_date.isoformat()
    record["chains"] = [
        _chain_row(analysis.normalised, head, graded) for head, graded in zip(heads, analysis.grades, strict=True)
    ]
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
    )
    return {
        **computed,
        "grade": min(graded.grade for graded in analysis.grades),
        "as_of": newest.as_of,
        "quote_time": newest.quote_time,
        "market_date": newest.market_date,
    }


def _grades(normalised: NormalisedTicker) -> tuple[quality.Quality, ...]:
    """Grade the chains of a ticker."""
    frame = normalised.contracts
    numbers = {name: frame[name].to_numpy(dtype=float) for name in ("strike", "bid", "ask", "mid", "open_interest")}
    is_call = (frame["option_type"] == "call").to_numpy(dtype=bool)
    adjusted = frame["adjusted"].to_numpy(dtype=bool)
    faults = np.array([not QUOTE_FAULTS.isdisjoint(flags) for flags in frame["flags"]], dtype=bool)
    grades = []
    for head in normalised.chains:
        rows = slice(head.start, head.stop)
        quotes = quality.Quotes(
            is_call=is_call[rows],
            adjusted=adjusted[rows],
            flagged=faults[rows],
            **{name: column[rows] for name, column in numbers.items()},
        )
        grades.append(quality.grade(quotes, head.underlying.price, head.moment))
    return tuple(grades)


def _chain_row(normalised: NormalisedTicker, head: ChainHead, graded: quality.Quality) -> dict[str, Any]:
    """Return the chain's row, JSON-ready, without what the whole scan shares."""
    totals, reasons = chain_totals(normalised.contracts.iloc[head.start : head.stop])
    reasons = {f"totals.{name}": reason for name, reason in reasons.items()}
    reasons.update(dict.fromkeys(NOT_COMPUTED, "not_computed"))
    reasons.update({f"contracts.{name}": "not_computed" for name in CONTRACT_NOT_COMPUTED})
    rows = normalised.contracts.iloc[head.start : head.stop]
    reasons.update({f"contracts.{name}": "not_stated" for name in OFTEN_UNSTATED if rows[name].isna().all()})
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
        "totals": totals,
        "grade": graded.grade,
        "grade_reasons": list(graded.reasons),
        "facts": graded.facts,
        "received": head.stop - head.start,
        "reasons": reasons,
    }


def staged_contracts(analysis: Analysis) -> pd.DataFrame:
    """Return the rows as the staging keeps them, without what the whole ticker shares: see staging.CONTRACT_COLUMNS.

    Flags are joined by commas, reasons JSON text, dates midnights: what DuckDB reads fast.
    """
    heads = analysis.normalised.chains
    sizes = [head.stop - head.start for head in heads]

    def spread(values: Sequence[Any], kind: str) -> pd.Series[Any]:
        """Repeat each chain's value over its rows."""
        return pd.Series(np.repeat(np.array(values, dtype=kind), sizes))

    def times(name: str) -> pd.Series[Any]:
        """Repeat a moment of each chain over its rows."""
        moments = [getattr(head.moment, name).replace(tzinfo=None) for head in heads]
        localised: pd.Series[Any] = spread(moments, "datetime64[us]").dt.tz_localize("UTC")
        return localised

    frame = analysis.normalised.contracts.drop(columns=["ticker"])
    prices = [np.nan if head.underlying.price is None else head.underlying.price for head in heads]
    return frame.assign(
        expiration=spread([head.expiration for head in heads], "datetime64[s]"),
        as_of=times("as_of"),
        quote_time=times("quote_time"),
        market_date=spread([head.moment.market_date for head in heads], "datetime64[s]"),
        dte=spread([head.dte for head in heads], "int64"),
        grade=spread([graded.grade for graded in analysis.grades], "object"),
        underlying_price=spread(prices, "float64"),
        flags=[",".join(flags) for flags in frame["flags"]],
        reasons=[orjson.dumps(reasons).decode() if reasons else "{}" for reasons in frame["reasons"]],
    )
