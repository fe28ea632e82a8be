"""Views of one ticker made row by row, for tests of detectors and alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from collector.detectors.base import ChainView, TickerView
from collector.detectors.past import FIGURES, NO_PAST, EarningsMove, PastSessions
from collector.market.contract import build_occ
from collector.market.events import Event, EventKind
from exports.documents import FEATURE_FIELDS

MARKET_DATE = date(2026, 2, 18)
NOON = datetime(2026, 2, 18, 17, 0, tzinfo=UTC)
NEAR = date(2026, 3, 20)
SETTLED = datetime(2026, 3, 20, 20, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """One contract; the defaults are a quiet one: 100 of 1,000 traded at 2.00, quoted 1.95 to 2.05."""

    strike: float = 100.0
    option_type: str = "call"
    volume: float = 100.0
    open_interest: float = 1_000.0
    bid: float = 1.95
    ask: float = 2.05
    volume_known: bool = True
    untraded: bool = False
    adjusted: bool = False
    root: str = "QLMT"
    expiration: date = NEAR
    multiplier: float = 100.0

    @property
    def symbol(self) -> str:
        return build_occ(self.root, self.expiration, self.option_type, self.strike)


def chain(
    root: str = "QLMT",
    expiration: date = NEAR,
    *,
    dte: int = 30,
    grade: str = "A",
    settlement_time: datetime = SETTLED,
    **more: Any,
) -> ChainView:
    return ChainView(
        root=root,
        expiration=expiration,
        dte=dte,
        settlement_time=settlement_time,
        grade=grade,
        underlying_price=98.0,
        reference_price=100.0,
        **more,
    )


def past(
    sessions: int, earnings: Sequence[float] = (), last_release: date = date(2025, 11, 19), **figures: Any
) -> PastSessions:
    """Sessions before MARKET_DATE, day by day; a figure is one value of all or a sequence, NaN where none is named.

    ``earnings`` are moves over releases a quarter apart, the newest last.
    """
    arrays = {name: np.full(sessions, np.nan) for name in FIGURES}
    for name, values in figures.items():
        arrays[name] = np.broadcast_to(np.asarray(values, dtype=np.float64), (sessions,)).copy()
    days = tuple(MARKET_DATE - timedelta(days=sessions - place) for place in range(sessions))
    dated = [last_release - timedelta(days=91 * age) for age in range(len(earnings))][::-1]
    return PastSessions(days, arrays, tuple(map(EarningsMove, dated, earnings)))


def around(mean: float, spread: float, sessions: int) -> np.ndarray:
    """So many values (an even number), half of them ``spread`` below and half above a mean, by turns.

    Their standard deviation is ``spread`` times sqrt(n / (n - 1)).
    """
    return np.where(np.arange(sessions) % 2 == 0, mean - spread, mean + spread)


def features(**figures: Any) -> dict[str, Any]:
    """A ticker's figures: null where none is named."""
    names = {field.name for field in FEATURE_FIELDS}
    assert figures.keys() <= names, figures.keys() - names
    return {**dict.fromkeys(names), "reasons": {}, **figures}


def event(kind: EventKind, day: date, *, confirmed: bool | None = True, ticker: str | None = "QLMT") -> Event:
    return Event(kind, day, known_at=NOON - timedelta(days=60), ticker=ticker, confirmed=confirmed)


def history(usual: Mapping[str, tuple[float, int] | tuple[float, int, int]]) -> pd.DataFrame:
    """Mean volume, sessions, and in how many of them by this time (none unless said), by contract symbol."""
    return pd.DataFrame(
        {
            "mean_volume": np.array([facts[0] for facts in usual.values()], dtype=np.float64),
            "sessions": np.array([facts[1] for facts in usual.values()], dtype=np.int64),
            "by_time": np.array([facts[2] if len(facts) > 2 else 0 for facts in usual.values()], dtype=np.int64),
        },
        index=pd.Index(list(usual), dtype=object, name="contract_symbol"),
    )


def view(
    rows: Sequence[Row],
    chains: Sequence[ChainView] | None = None,
    usual: Mapping[str, tuple[float, int] | tuple[float, int, int]] | None = None,
    *,
    as_of: datetime = NOON,
    market_date: date = MARKET_DATE,
    features: Mapping[str, Any] | None = None,
    past: PastSessions = NO_PAST,
    events: Sequence[Event] = (),
    standing: frozenset[str] | None = None,
) -> TickerView:
    frame = pd.DataFrame(
        {
            "contract_symbol": [row.symbol for row in rows],
            "root": [row.root for row in rows],
            "expiration": [row.expiration for row in rows],
            "option_type": [row.option_type for row in rows],
            "strike": np.array([row.strike for row in rows], dtype=np.float64),
            "multiplier": np.array([row.multiplier for row in rows], dtype=np.float64),
            "adjusted": np.array([row.adjusted for row in rows], dtype=bool),
            "bid": np.array([row.bid for row in rows], dtype=np.float64),
            "ask": np.array([row.ask for row in rows], dtype=np.float64),
            "mid": np.array(
                [(row.bid + row.ask) / 2 if 0 < row.bid <= row.ask else np.nan for row in rows], dtype=np.float64
            ),
            "volume": np.array([row.volume for row in rows], dtype=np.float64),
            "volume_known": np.array([row.volume_known for row in rows], dtype=bool),
            "untraded": np.array([row.untraded for row in rows], dtype=bool),
            "open_interest": np.array([row.open_interest for row in rows], dtype=np.float64),
        }
    )
    return TickerView(
        ticker="QLMT",
        provider="demo",
        as_of=as_of,
        market_date=market_date,
        chains=tuple([chain()] if chains is None else chains),
        contracts=frame,
        contract_history=history(usual or {}),
        features=features or {},
        past=past,
        events=tuple(events),
        standing=standing,
    )
