"""The figures of each chain that stand on its volatilities: what chains.json holds under ``analytics``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from collector.analytics.arbitrage import calendar_breaches
from collector.analytics.expected_move import expected_move, straddle_move
from collector.analytics.exposure import Exposure, StrikeExposures, chain_exposures, holdings, ticker_exposure
from collector.analytics.liquidity import Book, liquidity
from collector.analytics.max_pain import max_pain
from collector.analytics.skew import NAMES, DeltaVolatilities, delta_volatilities, skew_figures
from collector.analytics.smile import (
    Points,
    SmileFit,
    at_the_money,
    fit_smiles,
    smile_points,
    spread_at_the_money,
)
from collector.analytics.term_structure import TermStructure, forward_volatilities, term_structure
from collector.analytics.terms import Floats, Integers
from collector.normalise import ChainHead, NormalisedTicker
from collector.pipeline.volatility import Columns, Volatility
from exports.documents import CHAIN_ANALYTICS, PARAMETER_DIGITS

DIGITS = 6
MINIMUM_DEVIATION = 0.05


@dataclass(frozen=True, slots=True)
class ChainFigures:
    """What a chain's volatilities came to.

    ``analytics`` is JSON-ready in the document's digits, ``reasons`` say why a member is null (``analytics.smile``).
    """

    atm_iv: float | None
    by_delta: DeltaVolatilities | None
    straddle: float | None
    max_pain: float | None
    liquidity: Mapping[str, float | None]
    analytics: dict[str, Any]
    reasons: dict[str, str]


@dataclass(frozen=True, slots=True)
class TickerFigures:
    """The figures of all chains of a ticker, in their order, and what stands on several of them.

    ``term`` holds the chains that were looked at, by tenor; ``order`` is each one's place among the ticker's chains.
    """

    chains: tuple[ChainFigures, ...]
    term: TermStructure
    order: tuple[int, ...]
    exposure: Exposure | None
    exposed: tuple[int, ...]


def dead_figures(open_pain: float | None, reason: str) -> ChainFigures:
    """Return the figures of a chain without volatilities: max pain alone, which needs none."""
    analytics: dict[str, Any] = dict.fromkeys(field.name for field in CHAIN_ANALYTICS)
    reasons = {f"analytics.{name}": reason for name in analytics}
    analytics["max_pain"] = open_pain
    reasons["analytics.max_pain"] = "open_interest_unknown"
    if open_pain is not None:
        del reasons["analytics.max_pain"]
    return ChainFigures(None, None, None, open_pain, {}, analytics, reasons)


def ticker_figures(
    normalised: NormalisedTicker,
    held: Columns,
    found: Volatility | None,
    dead_reason: Sequence[str],
    known: Sequence[bool],
    usable: Sequence[bool],
) -> TickerFigures:
    """Return the figures of a ticker's chains.

    Args:
        normalised: the ticker.
        held: its columns.
        found: its volatilities, None where no chain is alive.
        dead_reason: for each chain the reason code of why nothing could be computed, where nothing could.
        known: for each chain whether its open interest is known.
        usable: for each chain whether its grade lets it into the ticker's figures.
    """
    pains = [_max_pain(head, held, known[place]) for place, head in enumerate(normalised.chains)]
    if found is None:
        dead = tuple(dead_figures(pain, reason) for pain, reason in zip(pains, dead_reason, strict=True))
        return TickerFigures(dead, term_structure(np.zeros(0), np.zeros(0)), (), None, ())
    smiles = [_Smile(normalised, held, found, number) for number in range(len(found.chains))]
    with_points = [(one, one.points) for one in smiles if one.points is not None]
    fits = fit_smiles([points for _, points in with_points], np.array([one.tenor for one, _ in with_points]))
    for (one, _), fitted in zip(with_points, fits, strict=True):
        one.fit, one.fit_reason = fitted
    tenor = found.computed.terms.tenor
    at_money = np.array([np.nan if one.atm_iv is None else one.atm_iv for one in smiles])
    order = np.argsort(tenor, kind="stable")
    term = term_structure(tenor, at_money)
    exposures, whole = _exposures(normalised, held, found, known, usable)
    forward = np.full(len(order), np.nan)
    forward[order] = forward_volatilities(term)
    falls = np.zeros(len(order), dtype=bool)
    spreads = np.array([np.nan if one.points is None else spread_at_the_money(one.points) for one in smiles])
    falls[order] = calendar_breaches(term.tenor, term.sigma, spreads[order])
    figures: list[ChainFigures] = []
    for place in range(len(normalised.chains)):
        if place not in found.chains:
            figures.append(dead_figures(pains[place], dead_reason[place]))
            continue
        number = found.chains.index(place)
        figures.append(
            _figures(
                smiles[number],
                found,
                number,
                pains[place],
                exposures.get(number),
                float(forward[number]),
                bool(falls[number]),
                known[place],
            )
        )
    return TickerFigures(
        tuple(figures),
        term,
        tuple(found.chains[number] for number in order),
        whole,
        tuple(found.chains[number] for number in sorted(exposures) if usable[found.chains[number]]),
    )


class _Smile:
    """One chain's smile and what is read off it."""

    def __init__(self, normalised: NormalisedTicker, held: Columns, found: Volatility, number: int) -> None:
        self.head = normalised.chains[found.chains[number]]
        rows = _regular(self.head, held)
        computed, terms = found.computed, found.computed.terms
        forward = float(terms.forward[number])
        self.forward = forward if np.isfinite(forward) else None
        self.spot = float(terms.spot[number]) if np.isfinite(terms.spot[number]) else None
        self.tenor = float(terms.tenor[number])
        self.atm_iv: float | None = None
        self.atm_reason: str | None = "no_forward"
        self.points: Points | None = None
        self.fit: SmileFit | None = None
        self.fit_reason: str | None = "no_forward"
        self.by_delta: DeltaVolatilities | None = None
        sigma, strike, is_call = computed.implied_volatility[rows], held.strike[rows], held.is_call[rows]
        near = np.zeros(strike.shape, dtype=bool)
        if self.forward is not None:
            points = smile_points(strike, is_call, sigma, computed.bid_iv[rows], computed.ask_iv[rows], self.forward)
            self.atm_iv, self.atm_reason = at_the_money(points)
            self.points = points
            self.by_delta = delta_volatilities(strike, is_call, sigma, computed.greeks.delta[rows], self.forward)
            width = max((self.atm_iv or 0.0) * np.sqrt(self.tenor), MINIMUM_DEVIATION)
            near = np.abs(np.log(strike / self.forward)) <= width
        self.straddle, self.straddle_reason = straddle_move(strike, is_call, held.mid[rows], self.forward)
        self.book = Book(
            strike=strike,
            is_call=is_call,
            near=near,
            bid=held.bid[rows],
            ask=held.ask[rows],
            mid=held.mid[rows],
            bid_size=held.bid_size[rows],
            ask_size=held.ask_size[rows],
            bid_iv=computed.bid_iv[rows],
            ask_iv=computed.ask_iv[rows],
            volume=np.where(held.volume_known[rows], held.volume[rows], np.nan),
            open_interest=held.open_interest[rows],
            multiplier=held.multiplier[rows],
        )


def _figures(
    smile: _Smile,
    found: Volatility,
    number: int,
    pain: float | None,
    exposed: tuple[Exposure, StrikeExposures] | None,
    forward_volatility: float,
    falls: bool,
    known: bool,
) -> ChainFigures:
    """Return one chain's figures."""
    move, move_reason = expected_move(smile.spot, smile.atm_iv, smile.tenor)
    traded = liquidity(smile.book, smile.forward)
    reasons = {
        f"analytics.liquidity.{name}": reason
        for name, (value, reason) in traded.items()
        if value is None and reason is not None
    }
    missing: dict[str, str | None] = {
        "smile": smile.fit_reason if smile.fit is None else None,
        "skew": "no_forward" if smile.by_delta is None else None,
        "expected_move": move_reason,
        "expected_move_straddle": smile.straddle_reason,
        "forward_volatility": None if np.isfinite(forward_volatility) else smile.atm_reason or "variance_falls",
        "max_pain": None if pain is not None else "open_interest_unknown",
        "exposure": None if exposed else "no_implied_volatility" if known else "open_interest_unknown",
        "arbitrage": None if found.breaches[number] else "no_forward",
    }
    skew = _skew(smile, reasons)
    if exposed:
        if exposed[0].flip is None:
            reasons["analytics.exposure.flip"] = "no_crossing"
        walls = {"call_wall": exposed[0].call_wall, "put_wall": exposed[0].put_wall}
        reasons |= {f"analytics.exposure.{name}": "no_wall" for name, strike in walls.items() if strike is None}
    analytics = {
        "smile": _smile(smile.fit),
        "skew": skew,
        "expected_move": six(move),
        "expected_move_straddle": six(smile.straddle),
        "forward_volatility": six(forward_volatility),
        "max_pain": pain,
        "exposure": _exposure(exposed),
        "liquidity": {name: six(value) for name, (value, _) in traded.items()},
        "arbitrage": _arbitrage(found, number, falls),
    }
    reasons |= {f"analytics.{name}": reason for name, reason in missing.items() if reason is not None}
    if smile.atm_iv is None:
        reasons["atm_iv"] = smile.atm_reason or "no_implied_volatility"
    return ChainFigures(
        smile.atm_iv,
        smile.by_delta,
        smile.straddle,
        pain,
        {name: value for name, (value, _) in traded.items()},
        analytics,
        reasons,
    )


def _smile(fit: SmileFit | None) -> dict[str, Any] | None:
    """Return the fit as the document shows it."""
    if fit is None:
        return None
    return {
        "model": "svi",
        **{name: significant(getattr(fit, name), PARAMETER_DIGITS) for name in ("a", "b", "rho", "m", "sigma")},
        "residual_rms": six(fit.residual_rms),
        "residual_max": six(fit.residual_max),
        "points": fit.points,
        "arbitrage_free": fit.arbitrage_free,
    }


def _skew(smile: _Smile, reasons: dict[str, str]) -> dict[str, float | None] | None:
    """Return the figures by delta as the document shows them."""
    if smile.by_delta is None:
        return None
    figures = {name: six(getattr(smile.by_delta, name)) for name in NAMES}
    figures |= {name: six(value) for name, value in skew_figures(smile.by_delta, smile.atm_iv).items()}
    reasons |= {f"analytics.skew.{name}": "extrapolation" for name, value in figures.items() if value is None}
    return figures


def _exposure(exposed: tuple[Exposure, StrikeExposures] | None) -> dict[str, Any] | None:
    """Return the exposures as the document shows them."""
    if exposed is None:
        return None
    summed, by_strike = exposed
    return {
        "gamma": six(summed.gamma),
        "vanna": six(summed.vanna),
        "charm": six(summed.charm),
        "call_wall": summed.call_wall,
        "put_wall": summed.put_wall,
        "flip": six(summed.flip),
        "strikes": by_strike.strikes.tolist(),
        "gamma_by_strike": sixes(by_strike.gamma),
        "vanna_by_strike": sixes(by_strike.vanna),
        "charm_by_strike": sixes(by_strike.charm),
    }


def _arbitrage(found: Volatility, number: int, falls: bool) -> dict[str, int] | None:
    """Return the breaches as the document shows them."""
    one = found.breaches[number]
    if one is None:
        return None
    return {
        "bounds": one.bounds,
        "vertical": one.vertical,
        "butterfly": one.butterfly,
        "parity": one.parity,
        "calendar": int(falls),
        "rows": int(one.at_fault.sum()),
    }


def _regular(head: ChainHead, held: Columns) -> slice | Integers:
    """Return a chain's rows outside quarantine."""
    rows = slice(head.start, head.stop)
    adjusted = held.adjusted[rows]
    return head.start + np.flatnonzero(~adjusted) if adjusted.any() else rows


def _max_pain(head: ChainHead, held: Columns, known: bool) -> float | None:
    """Return a chain's max pain."""
    if not known:
        return None
    rows = _regular(head, held)
    return max_pain(held.strike[rows], held.is_call[rows], held.open_interest[rows], head.underlying.price)


def _exposures(
    normalised: NormalisedTicker,
    held: Columns,
    found: Volatility,
    known: Sequence[bool],
    usable: Sequence[bool],
) -> tuple[dict[int, tuple[Exposure, StrikeExposures]], Exposure | None]:
    """Return the exposures of the chains looked at by their number, and of all together."""
    chain = np.full(held.strike.shape, -1, dtype=np.intp)
    for number, place in enumerate(found.chains):
        if known[place]:
            head = normalised.chains[place]
            chain[head.start : head.stop] = number
    computed, greeks = found.computed, found.computed.greeks
    counted = holdings(
        computed.terms,
        chain,
        np.where(held.is_call, 1.0, -1.0),
        held.strike,
        computed.implied_volatility,
        np.where(held.adjusted, np.nan, greeks.gamma),
        greeks.vanna,
        greeks.charm,
        held.open_interest,
        held.multiplier,
    )
    spots = computed.terms.spot[np.isfinite(computed.terms.spot)]
    served = np.array([usable[place] for place in found.chains])[counted.chain]
    whole = ticker_exposure(computed.terms, counted.of(served), float(spots[0])) if spots.size else None
    return chain_exposures(computed.terms, counted), whole


def six(value: float | None) -> float | None:
    """Return a number in six significant digits, None for what is not finite."""
    return significant(value, DIGITS)


def significant(value: float | None, digits: int) -> float | None:
    """Return a number in so many significant digits, None for what is not finite."""
    return float(f"{value:.{digits - 1}e}") if value is not None and isfinite(value) else None


def sixes(values: Floats) -> list[float]:
    """Return numbers in six significant digits; 0 stays 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(np.abs(values))))
        rounded = np.where(values == 0, 0.0, np.round(values * scale) / scale)
    return [float(value) for value in np.where(np.isfinite(rounded), rounded, 0.0)]
