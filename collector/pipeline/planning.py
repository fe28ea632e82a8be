"""Makes a scan's plan from the settings, the watchlist and the calls that are left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from collector import watchlist
from collector.configuration import effective
from collector.pipeline.plan import ScanKind, ScanPlan, calls_for_slot, configuration_hash, deadline
from collector.providers.base import Provider
from collector.providers.call_budget import CallBudget
from collector.scan_ids import new_scan_id
from collector.schedules import cron_of, next_slot
from exports.folders import MarketFolder

TIME_LIMIT = timedelta(seconds=600)
SLOTS_AN_HOUR = 6.0


class EmptyWatchlist(Exception):
    """There is nothing to scan."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What is asked of one scan. ``order`` are the words it was asked in, JSON-ready; without it, it never resumes."""

    kind: ScanKind = "manual"
    tickers: tuple[str, ...] = ()
    scan_id: str | None = None
    slot: datetime | None = None
    moment: datetime | None = None
    order: dict[str, Any] = field(default_factory=dict)


def plan_scan(folder: MarketFolder, provider: Provider, scan: Scan, budget: CallBudget | None) -> ScanPlan:
    """Plan a scan: its tickers, its calls, its deadline, its effective configuration.

    Raises EmptyWatchlist where there is nothing to scan.
    """
    options = settings.OPTSITE
    now = datetime.now(UTC)
    served = provider.tickers()
    if folder.market == "recorded":
        watchlist.add(folder.market, served)
    else:
        watchlist.fill(folder.market, options.watchlist, served)
    watched = tuple(watchlist.active(folder.market))
    tickers = scan.tickers or _default_tickers(provider, watched)
    if not tickers:
        raise EmptyWatchlist(
            "The watchlist is empty: add tickers on the admin's watchlist page, or set OPTSITE_WATCHLIST."
        )
    pays = provider.pays_per_expiration
    scheduled = scan.kind in ("scheduled", "close")
    configuration = effective(
        options.config,
        folder.provider,
        {
            "max_expirations": options.max_expirations if pays else None,
            "calls_per_hour": options.calls_per_hour,
            "calls_per_day": options.calls_per_day,
            "risk_free_rate": options.risk_free_rate,
        },
    )
    upcoming = next_slot(now, cron_of("scheduled", folder.provider)) if scan.kind == "scheduled" else None
    return ScanPlan(
        scan_id=scan.scan_id or new_scan_id(now),
        kind=scan.kind,
        provider=folder.provider,
        feed=provider.feed,
        started_at=now,
        deadline=deadline(now, TIME_LIMIT, upcoming),
        tickers=tuple(tickers),
        watchlist=watched,
        configuration=configuration,
        config_hash=configuration_hash(configuration),
        slot=scan.slot,
        moment=scan.moment,
        order=scan.order,
        calls=(
            calls_for_slot(budget.left(now), options.calls_per_hour, SLOTS_AN_HOUR, scheduled and scan.kind != "close")
            if budget is not None
            else None
        ),
        max_expirations=options.max_expirations if pays else None,
        fetch_bars=not pays or scan.kind != "scheduled",
    )


def _default_tickers(provider: Provider, watched: Sequence[str]) -> tuple[str, ...]:
    """Return what a scan without --tickers serves: a recording all that it holds, else the watchlist."""
    if provider.market != "recorded":
        return tuple(watched)
    bars_alone = tuple(getattr(provider, "bar_tickers", tuple)())
    return tuple(dict.fromkeys([*provider.tickers(), *bars_alone]))
