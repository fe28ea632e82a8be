"""The Yahoo provider against a loopback server that stands in for Yahoo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yfinance.cache
import yfinance.data

from collector.providers.call_budget import CallBudget
from collector.providers.yahoo import YahooProvider
from collector.providers.yahoo_transport import Timeouts
from tests.providers.yahoo_server import RECORDED, YahooServer, read_bodies

QUICK = Timeouts(connect=1.0, read=0.5, operation=3.0)

Make = Callable[..., YahooProvider]


@pytest.fixture
def fresh_yfinance() -> Iterator[None]:
    """Forget what yfinance keeps for the whole process, as a new process would."""
    yfinance.data.SingletonMeta._instances.clear()
    yfinance.data.YfData.cache_get.cache_clear()
    yfinance.cache._CookieCacheManager._Cookie_cache = None
    yield
    yfinance.cache._CookieDBManager.close_db()


@pytest.fixture
def server() -> Iterator[YahooServer]:
    with YahooServer(read_bodies(RECORDED)) as running:
        yield running


@pytest.fixture
def make(server: YahooServer, tmp_path: Path) -> Make:
    """Make a provider that asks the loopback server."""

    def made(budget: CallBudget | None = None, timeouts: Timeouts = QUICK) -> YahooProvider:
        return YahooProvider(tmp_path / "cache", budget, server.url, timeouts)

    return made
