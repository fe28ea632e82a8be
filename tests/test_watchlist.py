"""What the watchlist gives a scan, and what a scan notes on it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from collector import watchlist
from collector.models import WatchedTicker

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 24, 17, 0, tzinfo=UTC)


def test_adding_keeps_what_is_there_and_drops_doubles() -> None:
    assert watchlist.add("demo", ["ZZTA", "ZZTB", "ZZTA"]) == 2
    WatchedTicker.objects.filter(ticker="ZZTA").update(state=WatchedTicker.State.PAUSED)
    assert watchlist.add("demo", ["ZZTA", "ZZTC"]) == 1
    assert watchlist.active("demo") == ["ZZTB", "ZZTC"]


def test_who_was_served_goes_to_the_end() -> None:
    watchlist.add("demo", ["ZZTA", "ZZTB", "ZZTC"])
    watchlist.note_served("demo", ["ZZTA"], NOW)
    assert watchlist.active("demo") == ["ZZTB", "ZZTC", "ZZTA"]


def test_markets_are_apart() -> None:
    watchlist.add("demo", ["ZZTA"])
    watchlist.add("recorded", ["ZZTA", "ZZTB"])
    watchlist.note_served("recorded", ["ZZTA"], NOW)
    assert watchlist.active("demo") == ["ZZTA"]
    assert watchlist.active("live") == []
    assert WatchedTicker.objects.get(market="demo", ticker="ZZTA").last_served_at is None


@pytest.mark.parametrize("state", [state for state in WatchedTicker.State if state != WatchedTicker.State.ACTIVE])
def test_only_active_tickers_are_asked_for(state: WatchedTicker.State) -> None:
    WatchedTicker.objects.create(market="demo", ticker="ZZTA", state=state)
    assert watchlist.active("demo") == []
