"""The watchlist: filled once, then its page is the truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from collector.models import ScanJob, WatchedTicker

REFUSED = (WatchedTicker.State.NO_OPTIONS, WatchedTicker.State.NOT_FOUND, WatchedTicker.State.NOT_USD)
LIVE_TICKERS = ("SPY", "QQQ", "AAPL", "NVDA", "TSLA", "AMD", "MSFT")


def first_tickers(chosen: Sequence[str], held: Sequence[str]) -> tuple[str, ...]:
    """Return what an empty watchlist is filled with.

    ``held`` is what a provider holds that knows all its tickers (demo, recorded): those of them that OPTSITE_WATCHLIST
    (``chosen``) names, else all. Elsewhere what it names, else seven liquid US tickers, two index ETFs among them.
    """
    if held:
        return tuple(ticker for ticker in chosen if ticker in set(held)) or tuple(held)
    return tuple(chosen) or LIVE_TICKERS


def fill(market: str, chosen: Sequence[str], held: Sequence[str] = ()) -> int:
    """Fill the market's watchlist where it was never filled; return how many tickers were added.

    A list that was emptied by hand stays empty: once a scan has started in the market, nothing is filled in.
    """
    with transaction.atomic():
        scanned = ScanJob.objects.filter(market=market, started_at__isnull=False)
        if WatchedTicker.objects.filter(market=market).exists() or scanned.exists():
            return 0
        return add(market, first_tickers(chosen, held))


def active(market: str) -> list[str]:
    """Return the tickers that scans ask for, the longest unserved first."""
    rows = WatchedTicker.objects.filter(market=market, state=WatchedTicker.State.ACTIVE)
    oldest_first = rows.order_by(F("last_served_at").asc(nulls_first=True), "ticker")
    return list(oldest_first.values_list("ticker", flat=True))


def note_served(market: str, tickers: Iterable[str], at: datetime) -> None:
    """Note that the tickers were served at ``at``; one that was set aside as refused is watched again."""
    served = WatchedTicker.objects.filter(market=market, ticker__in=list(tickers))
    served.update(last_served_at=at)
    served.filter(state__in=REFUSED).update(state=WatchedTicker.State.ACTIVE, reason="")


def note_refused(market: str, refusals: Mapping[str, tuple[str, str]]) -> None:
    """Set aside tickers that a provider refuses for good; ``refusals`` holds reason code and detail by ticker.

    A ticker that was served before stays: the refusal may be the provider's own fault.
    """
    for ticker, (reason, detail) in refusals.items():
        WatchedTicker.objects.filter(
            market=market, ticker=ticker, state=WatchedTicker.State.ACTIVE, last_served_at__isnull=True
        ).update(state=reason, reason=detail[:200])


def add(market: str, tickers: Iterable[str]) -> int:
    """Add the tickers that the market's watchlist lacks; return how many."""
    there = set(WatchedTicker.objects.filter(market=market).values_list("ticker", flat=True))
    new = [WatchedTicker(market=market, ticker=ticker) for ticker in dict.fromkeys(tickers) if ticker not in there]
    WatchedTicker.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)
