"""What detectors see of a ticker, from a provider's chains through the scan's own steps, without a store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd

from collector.detectors.base import ChainView, TickerView
from collector.market.rates import constant
from collector.pipeline.analyse import Fetched, analyse, normalise_fetched
from collector.pipeline.staged_contracts import staged_contracts
from collector.pipeline.ticker_record import full_record
from collector.providers.base import Provider
from tests.detectors.views import history


def view_of(provider: Provider, ticker: str, expirations: Sequence[date] | None = None) -> TickerView:
    """The view of a ticker whose chains a provider serves, all or those of some expirations."""
    listed = provider.expirations(ticker)
    fetched = Fetched(ticker, provider.quote(ticker), listed)
    fetched.chains = [provider.chain(ticker, day) for day in (listed if expirations is None else expirations)]
    fetched.events = provider.events(ticker)
    analysis = analyse(normalise_fetched(fetched, provider, None), fetched.events, constant(0.04), provider.sessions())
    record = full_record(fetched, analysis, provider.feed)
    frame = pd.DataFrame(staged_contracts(analysis))
    frame["expiration"] = frame["expiration"].dt.date
    return TickerView(
        ticker=ticker,
        provider="test",
        as_of=datetime.fromisoformat(record["as_of"]),
        market_date=date.fromisoformat(record["market_date"]),
        chains=tuple(_chain(one) for one in record["chains"]),
        contracts=frame,
        contract_history=history({}),
        features=record["feature"],
    )


def _chain(record: dict[str, Any]) -> ChainView:
    settles = datetime.fromisoformat(record["settlement_time"])
    return ChainView(
        root=record["root"],
        expiration=date.fromisoformat(record["expiration"]),
        dte=record["dte"],
        settlement_time=settles,
        grade=record["grade"],
        underlying_price=record["underlying_price"],
        reference_price=record["facts"]["reference_price"],
        tenor=(settles - datetime.fromisoformat(record["as_of"])).total_seconds() / (365 * 86_400),
        forward=record["forward"],
        discount_factor=record["discount_factor"],
        atm_iv=record["atm_iv"],
        analytics=record["analytics"],
        totals=record["totals"],
    )
