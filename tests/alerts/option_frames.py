"""Chains for tests of strategies: rows written by hand, and rows priced by vollib's Black-76."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from typing import Any, get_args

import numpy as np
import pandas as pd
from vollib.black import black
from vollib.black.greeks import analytical

from collector.detectors.base import ChainView, Direction, Intention, TickerView
from collector.market.contract import build_occ, parse_occ
from tests.detectors.views import history

AS_OF = datetime(2026, 2, 18, 17, 0, tzinfo=UTC)
TODAY = date(2026, 2, 18)
NEAR, FAR = date(2026, 3, 27), date(2026, 4, 24)
NAN = float("nan")
EVERY: tuple[tuple[Intention, Direction], ...] = tuple(product(get_args(Intention), get_args(Direction)))
NUMBERS = (
    "strike",
    "multiplier",
    "bid",
    "ask",
    "mid",
    "implied_volatility",
    "delta",
    "gamma",
    "theta",
    "vega",
)


@dataclass(frozen=True)
class Row:
    """One contract of QLMT; the Greeks are those stated, whatever the quotes say."""

    option_type: Any = "call"
    strike: float = 100.0
    bid: float = 1.95
    ask: float = 2.05
    delta: float = 0.5
    implied_volatility: float = 0.2
    gamma: float = 0.03
    theta: float = -0.02
    vega: float = 0.12
    expiration: date = NEAR
    root: str = "QLMT"
    multiplier: float = 100.0
    adjusted: bool = False

    @property
    def mid(self) -> float:
        return (self.bid + self.ask) / 2 if 0 < self.bid <= self.ask else NAN

    @property
    def symbol(self) -> str:
        return build_occ(self.root, self.expiration, self.option_type, self.strike)


CONDOR = [
    Row("put", 90.0, 0.50, 0.60, delta=-0.13, gamma=0.01, theta=-0.01, vega=0.05),
    Row("put", 95.0, 1.40, 1.50, delta=-0.27, gamma=0.02, theta=-0.02, vega=0.10),
    Row("call", 105.0, 1.30, 1.40, delta=0.27, gamma=0.02, theta=-0.02, vega=0.10),
    Row("call", 110.0, 0.40, 0.50, delta=0.12, gamma=0.01, theta=-0.01, vega=0.05),
]


def settles(expiration: date) -> datetime:
    return datetime.combine(expiration, time(20), UTC)


def chain(expiration: date = NEAR, *, root: str = "QLMT", grade: str = "A", **more: Any) -> ChainView:
    """A chain of the forward 100; volatility at the money 20 %, no interest, no smile, but for what is given."""
    whole: dict[str, Any] = {
        "root": root,
        "expiration": expiration,
        "dte": (expiration - TODAY).days,
        "settlement_time": settles(expiration),
        "grade": grade,
        "underlying_price": 100.0,
        "reference_price": 100.0,
        "tenor": (settles(expiration) - AS_OF) / timedelta(days=365),
        "forward": 100.0,
        "discount_factor": 1.0,
        "atm_iv": 0.2,
        "analytics": {"smile": None},
    }
    return ChainView(**(whole | more))


def view(rows: Sequence[Row], chains: Sequence[ChainView], ticker: str = "QLMT") -> TickerView:
    records = [asdict(row) | {"contract_symbol": row.symbol, "mid": row.mid} for row in rows]
    names = ("contract_symbol", "root", "expiration", "option_type")
    columns: dict[str, Any] = {name: np.array([one[name] for one in records], dtype=object) for name in names}
    columns |= {name: np.array([one[name] for one in records], dtype=np.float64) for name in NUMBERS}
    columns["adjusted"] = np.array([one["adjusted"] for one in records], dtype=bool)
    return TickerView(
        ticker=ticker,
        provider="demo",
        as_of=AS_OF,
        market_date=TODAY,
        chains=tuple(chains),
        contracts=pd.DataFrame(columns),
        contract_history=history({}),
    )


def priced_row(seen: ChainView, option_type: str, strike: float, sigma: float, spread: float) -> Row:
    """A contract at Black-76's price, ``spread`` of the mid wide (a cent at least), below a cent without a bid."""
    assert seen.tenor is not None
    assert seen.forward is not None
    assert seen.discount_factor is not None
    rate = -float(np.log(seen.discount_factor)) / seen.tenor
    terms = (option_type[0], seen.forward, strike, seen.tenor, rate, sigma)
    mid = float(black(*terms))
    half = max(mid * spread / 2, 0.005)
    bid, ask = round(mid - half, 4), round(mid + half, 4)
    greeks: Mapping[str, float] = {
        name: float(getattr(analytical, name)(*terms)) for name in ("delta", "gamma", "theta", "vega")
    }
    return Row(
        option_type,
        strike,
        bid=bid if bid >= 0.01 else 0.0,
        ask=ask,
        implied_volatility=sigma,
        expiration=seen.expiration,
        root=seen.root,
        **greeks,
    )


def priced_rows(seen: ChainView, strikes: Sequence[float], sigma: float = 0.2, spread: float = 0.01) -> list[Row]:
    return [priced_row(seen, kind, strike, sigma, spread) for kind in ("call", "put") for strike in strikes]


STRIKES = tuple(np.arange(75.0, 126.0).tolist())


def priced_view(
    chains: Sequence[ChainView], strikes: Sequence[float] = STRIKES, spread: float = 0.01, ticker: str = "QLMT"
) -> TickerView:
    """Chains whose quotes are Black-76's at their volatility at the money."""
    rows = [row for seen in chains for row in priced_rows(seen, strikes, seen.atm_iv or 0.2, spread)]
    return view(rows, chains, ticker)


def names(found: Sequence[dict[str, Any]]) -> list[str]:
    return [one["name"] for one in found]


def legs(found: dict[str, Any]) -> list[tuple[str, str, float, int]]:
    parsed = [(leg["side"], parse_occ(leg["contract_symbol"]), leg["quantity"]) for leg in found["legs"]]
    return [(side, occ.option_type, occ.strike, quantity) for side, occ, quantity in parsed]
