"""For each detector a view in which it arms, and one in which it only keeps an alert; and one in which all is flat."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from collector.detectors.base import ChainView, TickerView
from tests.detectors.views import MARKET_DATE, NEAR, Row, around, chain, features, past, view

FRIDAYS = tuple(date(2026, 2, 27) + timedelta(weeks=week) for week in range(5))
# From Wednesday 2026-02-18: sessions, and a fifth of a day for each without one.
DAYS = (7.4, 12.8, 18.2, 23.6, 29.0)
# Volatility 20 % where nothing moves, of each maturity and window.
FLAT_FIGURES = {
    "price": 100.0,
    "grade": "A",
    "return_1d": 0.0,
    "gamma_flip": 90.0,
    "gamma_exposure": 1e6,
    "iv_grade": "A",
    "median_relative_spread": 0.02,
    "iv_rank_sessions": 100,
    "iv_rank": 50.0,
    "iv_percentile": 50.0,
    **{f"iv_{days}d": 0.20 for days in (7, 30, 90)},
    **{f"realised_volatility_{window}d": 0.18 for window in (10, 20, 60)},
    "skew_25d": 0.20,
    "risk_reversal_25d": -0.04,
    "next_earnings_date": "2026-03-04",
    "next_earnings_confirmed": True,
    "implied_earnings_move": 0.04,
    "implied_earnings_expiration": NEAR.isoformat(),
    "volume": 10_000,
    "open_interest": 100_000,
    "put_call_volume_ratio": 1.0,
    "put_call_open_interest_ratio": 1.0,
}
FLAT_PAST = past(
    100,
    earnings=(0.04, -0.04, 0.04, -0.04),
    price=100.0,
    gamma_flip=90.0,
    gamma_exposure=1e6,
    expected_move_30d=100.0 * 0.20 * math.sqrt(30 / 365),
    iv_rank=50.0,
    **{f"iv_{days}d": around(0.20, 0.02, 100) for days in (7, 30, 90)},
    **{f"realised_volatility_{window}d": around(0.18, 0.02, 100) for window in (10, 20, 60)},
    volatility_risk_premium=around(0.02, 0.02, 100),
    skew_25d=around(0.20, 0.02, 100),
    risk_reversal_25d=around(-0.04, 0.005, 100),
    volume=10_000.0,
    open_interest=100_000.0,
    put_call_volume_ratio=around(1.0, 0.1, 100),
    put_call_open_interest_ratio=around(1.0, 0.05, 100),
)


def term(*forward: float, grade: str = "A") -> list[ChainView]:
    """Return five weekly chains whose intervals hold so many times the variance of a day at 1 %."""
    chains, total, before = [], 0.0, 0.0
    for day, until, one in zip(FRIDAYS, DAYS, forward, strict=True):
        total += 1e-4 * (until - before) * one
        before, dte = until, (day - MARKET_DATE).days
        found = chain(
            expiration=day,
            dte=dte,
            grade=grade,
            settlement_time=datetime(day.year, day.month, day.day, 20, tzinfo=UTC),
            tenor=dte / 365,
            atm_iv=math.sqrt(total / (dte / 365)),
            relative_spread=0.02,
        )
        chains.append(found)
    return chains


def moved(chains: list[ChainView] | None = None, rows: tuple[Row, ...] = (), **figures: object) -> TickerView:
    """Return the flat view with some figures or chains moved."""
    shown = term(1, 1, 1, 1, 1) if chains is None else chains
    return view(rows, shown, features=features(**(FLAT_FIGURES | figures)), past=FLAT_PAST)


FLAT = moved(rows=(Row(),))
_LOW = {"iv_percentile": 3.0, "iv_30d": 0.10}
_PUTS = tuple(Row(strike=90.0 + place, option_type="put") for place in range(10))
ARMED: dict[str, TickerView] = {
    "unusual_activity": view([Row(volume=3_000.0)]),
    "put_call_extreme": moved(rows=(*_PUTS, Row()), put_call_volume_ratio=5.0),
    "expected_move_breach": moved(return_1d=0.05),
    "gamma_flip_crossed": moved(price=88.0),
    "low_iv": moved(iv_rank=5.0, **_LOW),
    "rich_premium": moved(iv_30d=0.40),
    "earnings_crush": moved(implied_earnings_move=0.08),
    "term_kink": moved(term(1, 1, 1.96, 1, 1)),
    "skew_anomaly": moved(skew_25d=0.45),
    "regime_shift": moved(iv_30d=0.40, realised_volatility_20d=0.36),
}
KEPT: dict[str, TickerView] = {
    "unusual_activity": view([Row(volume=800.0)]),
    "put_call_extreme": moved(rows=(*_PUTS, Row()), put_call_volume_ratio=1.45),
    "expected_move_breach": moved(return_1d=0.03),
    "gamma_flip_crossed": moved(price=89.8),
    "low_iv": moved(iv_rank=20.0, **_LOW),
    "rich_premium": moved(iv_30d=0.27),
    "earnings_crush": moved(implied_earnings_move=0.06),
    "term_kink": moved(term(1, 1, 1.44, 1, 1)),
    "skew_anomaly": moved(skew_25d=0.30),
    "regime_shift": moved(iv_30d=0.40, realised_volatility_20d=0.24),
}


def with_grade(seen: TickerView, grade: str) -> TickerView:
    """Return a view whose chains are all of a grade."""
    figures = {**seen.features, "iv_grade": grade, "grade": grade}
    return replace(seen, chains=tuple(replace(one, grade=grade) for one in seen.chains), features=figures)
