"""Plan: who is served, with which expirations, within which calls and until when."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import orjson
from django.conf import settings

from collector import watchlist
from collector.configuration import effective
from collector.market.calendar import new_york_date
from collector.providers.base import Provider
from collector.providers.call_budget import CallBudget
from collector.rule_book import rules_of
from collector.scan_ids import new_scan_id
from collector.schedules import cron_of, next_slot
from exports.folders import MarketFolder

ScanKind = Literal["scheduled", "close", "manual", "request", "backfill"]

CALLS_TO_BEGIN = 2  # cookie and crumb, once a process
CALLS_FOR_BARS = 1  # a ticker
CALLS_FOR_RATES = 2  # once a session
TARGET_DAYS = (60, 90)
TIME_LIMIT = timedelta(seconds=600)
SLOTS_AN_HOUR = 6.0


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """What a scan is to do; kept in its staging, so that an interrupted one resumes with the same plan.

    ``tickers`` are in the order in which they are served. ``calls`` are the calls it may spend, None where the
    provider's calls are free. ``configuration`` is the whole effective configuration, ``config_hash`` its hash.
    ``order`` is what was asked for: an interrupted scan goes on only under the same order.
    """

    scan_id: str
    kind: ScanKind
    provider: str
    feed: str
    started_at: datetime
    deadline: datetime
    tickers: tuple[str, ...]
    watchlist: tuple[str, ...]
    configuration: dict[str, Any]
    config_hash: str
    slot: datetime | None = None
    moment: datetime | None = None
    calls: int | None = None
    max_expirations: int | None = None
    fetch_bars: bool = True
    skipped: dict[str, str] = field(default_factory=dict)
    order: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the plan for the staging."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> ScanPlan:
        """Return the plan that the staging holds."""
        times = {
            name: datetime.fromisoformat(content[name]) if content[name] else None
            for name in ("started_at", "deadline", "slot", "moment")
        }
        lists = {name: tuple(content[name]) for name in ("tickers", "watchlist")}
        return cls(**{**content, **times, **lists})


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
        rules_of(folder.market),
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


def configuration_hash(configuration: dict[str, Any]) -> str:
    """Return the first 12 hex digits of the SHA-256 of the configuration's canonical JSON."""
    text = orjson.dumps(configuration, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.sha256(text).hexdigest()[:12]


def deadline(now: datetime, time_limit: timedelta, next_slot: datetime | None) -> datetime:
    """Return when a scan has to end: a minute before its time limit, or at the next slot if that comes first."""
    limit = now + time_limit - timedelta(seconds=60)
    return limit if next_slot is None else min(limit, next_slot)


def choose_expirations(
    expirations: Sequence[date], as_of: datetime, limit: int | None, earnings: date | None = None
) -> tuple[date, ...]:
    """Choose the expirations that a paying provider is asked for, by role, at most ``limit``.

    Roles, in the order in which they are filled: the nearest; the two around 30 days; the two around the next
    earnings; about 60 and about 90 days. What is left of the limit goes to the nearest ones.

    Args:
        expirations: listed, ascending.
        as_of: from when days are counted.
        limit: how many; None for all.
        earnings: next earnings date.
    """
    today = new_york_date(as_of)
    listed = [day for day in expirations if day >= today]
    if limit is None or len(listed) <= limit:
        return tuple(listed)
    wanted: list[date] = listed[:1]
    wanted += _around(listed, today + timedelta(days=30))
    if earnings is not None and earnings >= today:
        wanted += _around(listed, earnings)
    for days in TARGET_DAYS:
        wanted.append(min(listed, key=lambda day: abs((day - today).days - days)))
    chosen = list(dict.fromkeys(wanted))[:limit]
    chosen += [day for day in listed if day not in chosen][: limit - len(chosen)]
    return tuple(sorted(chosen))


def _around(listed: Sequence[date], target: date) -> list[date]:
    """Return the last expiration before the target and the first at or after it, those that exist."""
    before = [day for day in listed if day < target][-1:]
    after = [day for day in listed if day >= target][:1]
    return before + after


def calls_for_slot(left: int, per_hour: int, slots_per_hour: float, scheduled: bool) -> int:
    """Return the calls that one scan may spend: its share of the hour, or all that is left for a scan by hand."""
    if not scheduled:
        return left
    return min(left, int(per_hour / max(slots_per_hour, 1.0)))
