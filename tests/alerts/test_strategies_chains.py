"""Strategies of whole markets: the demo's chains, and those that the exchange and Yahoo served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from collector.alerts.strategies import strategies
from collector.detectors.base import TickerView
from collector.market.contract import parse_occ
from collector.providers.base import NotRecorded, Provider
from collector.providers.demo import DemoProvider
from collector.providers.recorded import RecordedProvider
from exports.conformity import faults
from exports.documents import STRATEGY_FIELDS
from tests.alerts.chain_views import view_of
from tests.alerts.option_frames import EVERY

# What is sold and limited lies outside the money, so it keeps its credit more often than not.
SELDOM_LOSE = {"iron_condor", "bull_put_spread", "bear_call_spread"}
RISE = {"bull_call_spread", "bull_put_spread", "bullish_spread_risk_reversal"}
FALL = {"bear_put_spread", "bear_call_spread", "bearish_spread_risk_reversal"}
VEGA_SOLD = {"iron_condor", "iron_butterfly"}
VEGA_BOUGHT = {"long_straddle", "long_strangle", "reverse_iron_condor", "call_calendar", "put_calendar"}

# Nothing paid for a risk reversal of spreads leaves a level stretch with two ends; far above its strike the interest on
# it may be more than a calendar cost.
ZEROS = {
    **dict.fromkeys(("bull_call_spread", "bull_put_spread", "bear_put_spread", "bear_call_spread"), (1,)),
    **dict.fromkeys(("bullish_spread_risk_reversal", "bearish_spread_risk_reversal"), (1, 2)),
    "call_calendar": (2, 3),
}


def all_of(seen: TickerView) -> Iterator[dict[str, Any]]:
    """Strategies of a ticker: for each intention and direction, and as its subject nothing or a chain, ten at most."""
    some = seen.chains[:: -(-len(seen.chains) // 10) or 1]
    subjects = ["", *(f"{one.expiration}:{one.root}" for one in some)]
    for (intention, direction), subject in product(EVERY, subjects):
        yield from strategies(seen, intention, direction, subject)


def hold_against_the_chains(seen: TickerView) -> Counter[str]:
    """Hold every strategy of a ticker against its quotes and against what its name says; count them."""
    rows = {row["contract_symbol"]: row for row in seen.contracts.to_dict("records")}
    grades = {(one.expiration, one.root): one.grade for one in seen.chains}
    names: Counter[str] = Counter()
    for found in all_of(seen):
        assert list(faults(STRATEGY_FIELDS, found)) == []
        for leg in found["legs"]:
            row, occ = rows[leg["contract_symbol"]], parse_occ(leg["contract_symbol"])
            assert not row["adjusted"]
            assert 0 < row["bid"] <= row["ask"]
            assert (leg["bid"], leg["ask"]) == (row["bid"], row["ask"])
            assert grades[occ.expiration, occ.root] <= "C"
        judge(found)
        names[found["name"]] += 1
    return names


def judge(found: dict[str, Any]) -> None:
    """Hold a strategy against what a trader knows of it."""
    name = found["name"]
    assert 0 < found["max_loss"] < float("inf")
    assert found["net_crossing"] >= found["net_mid"] - 1e-9
    if found["payoff_model"] == "at_expiration" and found["max_profit"] is not None:
        strikes = [parse_occ(leg["contract_symbol"]).strike for leg in found["legs"]]
        assert found["max_profit"] + found["max_loss"] <= 200 * (max(strikes) - min(strikes)) + 0.01
    if name in SELDOM_LOSE:
        assert found["net_crossing"] < 0
        assert found["probability_of_profit"] > 0.45
    assert 0.02 < found["probability_of_profit"] < 0.98
    assert (found["delta"] > 0) or name not in RISE
    assert (found["delta"] < 0) or name not in FALL
    assert (found["vega"] < 0) or name not in VEGA_SOLD
    assert (found["vega"] > 0) or name not in VEGA_BOUGHT
    assert len(found["break_evens"]) in ZEROS.get(name, (2,))


@pytest.mark.parametrize("ticker", ["ALDREN", "BRAMLO", "DOVREK"])
def test_the_demo_market_has_structures_for_every_intention(ticker: str) -> None:
    seen = view_of(DemoProvider(datetime(2026, 3, 11, 18, tzinfo=UTC)), ticker)
    assert all(strategies(seen, *asked, "") for asked in EVERY if asked != ("directional", "neutral"))
    assert len(hold_against_the_chains(seen)) >= 14


def views(provider: Provider, tickers: tuple[str, ...]) -> Iterator[TickerView]:
    for ticker in tickers:
        recorded = []
        for day in provider.expirations(ticker):
            try:
                provider.chain(ticker, day)
            except NotRecorded:
                continue
            recorded.append(day)
        yield view_of(provider, ticker, recorded)


@pytest.mark.recordings
@pytest.mark.parametrize("ticker", ["NVDA", "TSLA", "^XSP"])
def test_the_exchange_s_chains(shared_data: Path, ticker: str) -> None:
    (seen,) = views(RecordedProvider(shared_data / "cboe"), (ticker,))
    names = hold_against_the_chains(seen)
    assert {"iron_condor", "long_straddle", "bull_call_spread", "bear_put_spread"} <= names.keys()
    assert ("call_calendar" in names) == (ticker != "^XSP")


@pytest.mark.recordings
def test_yahoo_s_chains_in_the_session(shared_data: Path) -> None:
    for seen in views(RecordedProvider(shared_data / "yfinance"), ("NVDA", "QQQ")):
        assert sum(hold_against_the_chains(seen).values()) > 20


@pytest.mark.recordings
def test_chains_before_the_open_bring_nothing(shared_data: Path) -> None:
    provider = RecordedProvider(shared_data / "yahoo")
    for seen in views(provider, ("AAPL", "QQQ", "GOOG")):
        assert list(all_of(seen)) == []
