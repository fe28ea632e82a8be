"""What detectors see of a ticker, from a provider's chains through the scan's own steps, without a store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import orjson
import pandas as pd

from collector.detectors.base import TickerView
from collector.market.rates import constant
from collector.pipeline.analyse import Fetched, analyse, normalise_fetched
from collector.pipeline.detect import Known, ticker_view
from collector.pipeline.staged_contracts import staged_contracts
from collector.pipeline.ticker_record import full_record
from collector.providers.base import Provider
from collector.store.past_sessions import NOTHING
from collector.store.staging import VIEWED
from collector.store.usual_volume import Usual
from tests.detectors.views import history


def view_of(provider: Provider, ticker: str, expirations: Sequence[date] | None = None) -> TickerView:
    """The view of a ticker whose chains a provider serves, all or those of some expirations."""
    listed = provider.expirations(ticker)
    fetched = Fetched(ticker, provider.quote(ticker), listed)
    fetched.chains = [provider.chain(ticker, day) for day in (listed if expirations is None else expirations)]
    fetched.events = provider.events(ticker)
    normalised = normalise_fetched(fetched, provider, None)
    analysis = analyse(normalised, fetched.events, constant(0.04), provider.sessions())
    record = orjson.loads(orjson.dumps(full_record(fetched, analysis, provider.feed)))
    frame = pd.DataFrame(staged_contracts(analysis))
    frame["expiration"] = frame["expiration"].dt.date
    seen = frame[[name for name in VIEWED if name in frame]]
    return ticker_view(
        provider.feed, record, seen, Known({ticker: Usual(None, history({}))}, {ticker: NOTHING}, {ticker: ()})
    )
