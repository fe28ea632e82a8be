"""The watchlist: filled once, by what was chosen or what the provider holds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from collector import watchlist
from collector.models import ScanJob, WatchedTicker

NOON = datetime(2026, 1, 27, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("chosen", "held", "filled"),
    [
        ((), (), ["AAPL", "AMD", "MSFT", "NVDA", "QQQ", "SPY", "TSLA"]),
        (("IWM", "SPY"), (), ["IWM", "SPY"]),
        ((), ("ZORB", "QUAX"), ["QUAX", "ZORB"]),
        (("QUAX", "SPY"), ("ZORB", "QUAX"), ["QUAX"]),
        (("SPY",), ("ZORB", "QUAX"), ["QUAX", "ZORB"]),
    ],
)
def test_what_fills_an_empty_watchlist(chosen: tuple[str, ...], held: tuple[str, ...], filled: list[str]) -> None:
    assert watchlist.fill("live", chosen, held) == len(filled)
    assert watchlist.active("live") == filled
    assert watchlist.active("demo") == []


def test_it_is_filled_once() -> None:
    watchlist.fill("live", ("SPY", "QQQ"))
    assert watchlist.fill("live", ("AAPL",)) == 0
    WatchedTicker.objects.all().delete()
    ScanJob.objects.create(market="live", scan_id="s", kind="manual", requested_at=NOON, started_at=NOON)
    assert watchlist.fill("live", ("AAPL",)) == 0
    assert watchlist.active("live") == [], "emptied by hand stays empty"


def test_a_scan_that_only_waits_does_not_keep_it_empty() -> None:
    ScanJob.objects.create(market="live", scan_id="s", kind="request", requested_at=NOON)
    assert watchlist.fill("live", ("AAPL",)) == 1


def test_the_longest_unserved_come_first_and_paused_ones_not_at_all() -> None:
    watchlist.add("live", ["A", "B", "C", "D", "B"])
    assert watchlist.add("live", ["A"]) == 0
    watchlist.note_served("live", ["A"], NOON)
    watchlist.note_served("live", ["C"], datetime(2026, 1, 27, 11, tzinfo=UTC))
    WatchedTicker.objects.filter(ticker="D").update(state=WatchedTicker.State.PAUSED)
    assert watchlist.active("live") == ["B", "C", "A"]
