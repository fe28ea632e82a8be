"""A ticker's figures that stand on implied volatility: constant maturities, skew, moves, exposures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from collector.analytics.earnings import implied_earnings_move
from collector.analytics.expected_move import expected_move
from collector.analytics.exposure import Exposure
from collector.analytics.skew import NAMES, DeltaVolatilities, skew_figures
from collector.analytics.term_structure import (
    DAYS_A_YEAR,
    MATURITIES,
    TermStructure,
    bracket,
    constant_maturity,
    forward_volatilities,
    interpolated,
)
from collector.analytics.volatility_cone import WINDOWS

Figure = tuple[Any, str | None]

MONTH = 30
SKEW_FIGURES = ("skew_25d", "risk_reversal_25d", "butterfly_25d", "skew_10d", "risk_reversal_10d", "butterfly_10d")


@dataclass(frozen=True, slots=True)
class ChainPoint:
    """What a usable chain brings to its ticker's figures; None for null."""

    expiration: date
    root: str
    tenor: float
    grade: str
    atm_iv: float | None
    by_delta: DeltaVolatilities | None
    straddle: float | None
    max_pain: float | None
    relative_spread: float | None
    spread_in_volatility: float | None


@dataclass(frozen=True, slots=True)
class ChainsView:
    """All usable chains of a ticker, by tenor, as ``term`` has them.

    ``exposure`` is that of ``exposed`` expirations. ``release`` is years to the next earnings, None without one.
    """

    points: tuple[ChainPoint, ...]
    term: TermStructure
    spot: float | None
    exposure: Exposure | None
    exposed: int
    release: float | None


def volatility_features(view: ChainsView, cone: Sequence[dict[str, Any]] | None) -> dict[str, Figure]:
    """Return the figures by their names in documents.FEATURE_FIELDS, each with its reason where it is None.

    Args:
        view: the usable chains; of none every figure is None with ``no_usable_chain``.
        cone: rows of the volatility cone, to which the implied volatilities are added.
    """
    figures: dict[str, Figure] = {}
    levels: dict[int, float | None] = {}
    for days in MATURITIES:
        levels[days], reason = constant_maturity(view.term, days)
        figures[f"iv_{days}d"] = (levels[days], reason)
    figures |= _around_a_month(view, levels[MONTH])
    far, near = levels[90], levels[MONTH]
    slope = far - near if far is not None and near is not None else None
    figures["term_slope"] = (slope, figures["iv_90d"][1] or figures["iv_30d"][1])
    figures["term_structure"] = (_points(view), None)
    move, why = expected_move(view.spot, levels[MONTH], MONTH / DAYS_A_YEAR)
    figures["expected_move_30d"] = (move, figures["iv_30d"][1] or why)
    figures |= _nearest(view) | _exposure(view) | _earnings(view) | _liquidity(view)
    figures["volatility_cone"] = ([{**row, "implied": levels[WINDOWS[row["sessions"]]]} for row in cone or ()], None)
    if not view.points:
        figures = {name: (value, "no_usable_chain" if value is None else None) for name, (value, _) in figures.items()}
    return figures


def _around_a_month(view: ChainsView, level: float | None) -> dict[str, Figure]:
    """Return the figures by delta at 30 days, and the worse grade of the chains around."""
    around = bracket(view.term, MONTH)
    if around is None:
        missing = "extrapolation" if view.points else "no_usable_chain"
        return dict.fromkeys(("iv_grade", *SKEW_FIGURES), (None, missing))
    by_delta = []
    for name in NAMES:
        sigma = np.array([getattr(point.by_delta, name) if point.by_delta else np.nan for point in view.points])
        value = interpolated(view.term, sigma, around, MONTH)
        by_delta.append(np.nan if value is None else value)
    figures = skew_figures(DeltaVolatilities(*by_delta), level)
    grade = max(view.points[place].grade for place in around)
    return {"iv_grade": (grade, None)} | {name: (figures[name], "extrapolation") for name in SKEW_FIGURES}


def _points(view: ChainsView) -> list[dict[str, Any]]:
    """Return the term structure as the document shows it."""
    forward = forward_volatilities(view.term)
    return [
        {
            "expiration": point.expiration,
            "root": point.root,
            "days": point.tenor * DAYS_A_YEAR,
            "atm_iv": point.atm_iv,
            "forward_volatility": float(forward[place]) if np.isfinite(forward[place]) else None,
            "used": bool(view.term.used[place]),
        }
        for place, point in enumerate(view.points)
    ]


def _nearest(view: ChainsView) -> dict[str, Figure]:
    """Return the straddle's move and max pain, each of the nearest expiration that has one."""
    figures: dict[str, Figure] = {}
    for name, label, member, missing in (
        ("expected_move_straddle", "expected_move_expiration", "straddle", "no_two_sided_quote"),
        ("max_pain", "max_pain_expiration", "max_pain", "open_interest_unknown"),
    ):
        point = next((point for point in view.points if getattr(point, member) is not None), None)
        figures[name] = (getattr(point, member) if point else None, missing)
        figures[label] = (point.expiration if point else None, missing)
    return figures


def _exposure(view: ChainsView) -> dict[str, Figure]:
    """Return the exposures over all chains."""
    one, missing = view.exposure, "open_interest_unknown"
    return {
        "gamma_exposure": (one.gamma if one else None, missing),
        "gamma_flip": (one.flip if one else None, "no_crossing" if one else missing),
        "call_wall": (one.call_wall if one else None, "no_wall" if one else missing),
        "put_wall": (one.put_wall if one else None, "no_wall" if one else missing),
        "vanna_exposure": (one.vanna if one else None, missing),
        "charm_exposure": (one.charm if one else None, missing),
        "exposure_expirations_used": (view.exposed, None),
    }


def _earnings(view: ChainsView) -> dict[str, Figure]:
    """Return the move that the options expect of the next release."""
    if view.release is None:
        return dict.fromkeys(("implied_earnings_move", "implied_earnings_expiration"), (None, "no_event"))
    found = implied_earnings_move(view.term, view.release)
    expiration = None if found.place is None else view.points[found.place].expiration
    return {
        "implied_earnings_move": (found.move, found.reason),
        "implied_earnings_expiration": (expiration, "no_expiration_after"),
    }


def _liquidity(view: ChainsView) -> dict[str, Figure]:
    """Return the medians of the chains' spreads."""
    figures: dict[str, Figure] = {}
    for name, member in (
        ("median_relative_spread", "relative_spread"),
        ("spread_in_volatility", "spread_in_volatility"),
    ):
        known = [value for point in view.points if (value := getattr(point, member)) is not None]
        figures[name] = (float(np.median(known)) if known else None, "no_two_sided_quote")
    return figures
