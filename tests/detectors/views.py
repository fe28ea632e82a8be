"""Views of one ticker made row by row, for tests of detectors and alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd

from collector.detectors.base import ChainView, TickerView
from collector.market.contract import build_occ

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
) -> ChainView:
    return ChainView(
        root=root,
        expiration=expiration,
        dte=dte,
        settlement_time=settlement_time,
        grade=grade,
        underlying_price=98.0,
        reference_price=100.0,
    )


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
    )
