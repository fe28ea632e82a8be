"""A ticker's record for the staging: how it went, its chains, features, bars and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from collector import quality
from collector.analytics.features import features
from collector.analytics.open_interest import chain_totals
from collector.analytics.term_structure import term_structure
from collector.analytics.volatility_features import ChainPoint, ChainsView
from collector.market.calendar import exchange_sessions, new_york_date
from collector.pipeline.analyse import Analysis, Fetched
from collector.pipeline.staged_bars import staged_bars
from collector.pipeline.volatility import (
    COMPUTED,
    SECONDS_A_YEAR,
    Volatility,
)
from collector.providers.base import Event

EVENT_FIELDS = tuple(one.name for one in fields(Event))


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
        "bars": staged_bars(()),
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
    record["bars"] = staged_bars(fetched.bars)
    # Flat objects: asdict would copy each of them deeply.
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
