"""The demo's past: each session once, whole, in the order in which it happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collector.market.calendar import continuous_sessions
from collector.models import OutboxMessage
from collector.pipeline.backfill import BEFORE_CLOSE, backfill, pending
from collector.pipeline.publish import publish
from collector.providers.base import OptionChain
from collector.providers.demo import DemoProvider
from collector.store.database import open_store
from exports.folders import MarketFolder
from tests.pipeline.test_collect import Watcher

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 25, 12, tzinfo=UTC)


class TwoTickers(DemoProvider):
    """The demo market cut down to two tickers."""

    def tickers(self) -> tuple[str, ...]:
        return super().tickers()[:2]


def rows(folder: MarketFolder, query: str) -> list[Any]:
    with open_store(folder, "test") as connection:
        return connection.execute(query).fetchall()


def closes(sessions: int) -> list[float]:
    """Return the moments just before the last closes before NOW, oldest first."""
    calendar = continuous_sessions()
    last = calendar.last_closed(NOW)
    days = calendar.between(calendar.offset(last.date, 1 - sessions).date, last.date)
    return [(session.close - timedelta(seconds=1)).timestamp() for session in days]


def test_the_last_sessions_are_scanned_just_before_their_close(market_folder: MarketFolder) -> None:
    watcher = Watcher()
    assert backfill(market_folder, TwoTickers, 3, NOW, watcher) == 3
    scans = rows(market_folder, "SELECT kind, status, epoch(as_of) FROM scans ORDER BY store_revision")
    assert scans == [("backfill", "ok", moment) for moment in closes(3)]
    assert (watcher.steps[0], watcher.count) == ("backfill 3", 3)
    assert rows(market_folder, "SELECT count(DISTINCT ticker), count(DISTINCT market_date) FROM contracts") == [(2, 3)]
    # recorded_at is the simulated time: the past is known as of then.
    assert rows(market_folder, "SELECT bool_and(recorded_at = as_of) FROM contracts") == [(True,)]
    assert list(market_folder.staging_dir.iterdir()) == []


def test_it_goes_on_where_it_was_stopped_and_adds_nothing_twice(market_folder: MarketFolder) -> None:
    moments: list[datetime] = []

    class Interrupted(TwoTickers):
        def chain(self, ticker: str, expiration: Any) -> OptionChain:
            if self._now() == moments[1]:
                raise KeyboardInterrupt
            return super().chain(ticker, expiration)

    moments += pending(market_folder, 3, NOW)
    with pytest.raises(KeyboardInterrupt):
        backfill(market_folder, Interrupted, 3, NOW, Watcher())
    assert pending(market_folder, 3, NOW) == moments[1:]
    assert backfill(market_folder, TwoTickers, 3, NOW, Watcher()) == 2
    assert backfill(market_folder, TwoTickers, 3, NOW, Watcher()) == 0
    assert [moment for (moment,) in rows(market_folder, "SELECT epoch(as_of) FROM scans ORDER BY as_of")] == closes(3)


def test_a_backfill_tells_nobody(market_folder: MarketFolder) -> None:
    backfill(market_folder, TwoTickers, 2, NOW, Watcher())
    publish(market_folder)
    assert OutboxMessage.objects.count() == 0


def test_pending_moments_lie_a_second_before_each_close(market_folder: MarketFolder) -> None:
    assert timedelta(seconds=1) == BEFORE_CLOSE
    assert [moment.timestamp() for moment in pending(market_folder, 5, NOW)] == closes(5)


@pytest.mark.soak
def test_ninety_sessions_are_filled(market_folder: MarketFolder, soak_full: bool) -> None:
    sessions = 90 if soak_full else 8
    make = DemoProvider if soak_full else TwoTickers
    assert backfill(market_folder, make, sessions, NOW, Watcher()) == sessions
    tickers = len(make(NOW).tickers())
    per_session = rows(market_folder, "SELECT market_date, count(DISTINCT ticker) FROM chains GROUP BY ALL")
    assert sorted(count for _, count in per_session) == [tickers] * sessions
    assert rows(market_folder, "SELECT DISTINCT status FROM scans") == [("ok",)]
    published = publish(market_folder)
    assert published.documents["history"] == tickers
