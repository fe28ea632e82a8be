"""The task cluster's sign of life, once a minute: its row, and live.json with what the clock alone changes."""

from __future__ import annotations

import logging
import socket
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from collector.live import renew_live, timestamp
from collector.market.calendar import Sessions, sessions_of
from collector.models import Heartbeat
from collector.providers.base import ProviderError
from collector.providers.catalogue import PROVIDER_FACTS, ProviderOptions, call_budget
from collector.scan_jobs import close_dead_jobs
from collector.schedules import next_slot, scan_cron
from exports.folders import MarketFolder
from exports.locks import LockHeld

logger = logging.getLogger(__name__)


def market_state(sessions: Sessions, now: datetime) -> dict[str, Any]:
    """Return whether the market is open at ``now``, and the open and close of this session or the next."""
    current = sessions.session_at(now)
    session = current or sessions.next_open(now)
    return {
        "state": "closed" if current is None else "open",
        "session": session.date.isoformat(),
        "opens_at": timestamp(session.open),
        "closes_at": timestamp(session.close),
    }


def next_scan(folder: MarketFolder, sessions: Sessions, now: datetime) -> datetime | None:
    """Return when the next scheduled scan is due; None for recordings, which no clock scans."""
    if folder.market == "recorded":
        return None
    return next_slot(now, scan_cron(folder.provider), sessions)


def budget_state(folder: MarketFolder, now: datetime) -> dict[str, Any] | None:
    """Return the calls of a paying provider, spent and allowed; None where calls are free."""
    if not PROVIDER_FACTS[folder.provider]["pays_per_expiration"]:
        return None
    options = ProviderOptions(
        calls_per_hour=settings.OPTSITE.calls_per_hour, calls_per_day=settings.OPTSITE.calls_per_day
    )
    used = call_budget(folder, options).used(now)
    return {
        "per_hour": options.calls_per_hour,
        "used_hour": used.hour,
        "per_day": options.calls_per_day,
        "used_day": used.day,
    }


def refresh(folder: MarketFolder) -> None:
    """Renew live.json with what the clock and the budget say now.

    Where it cannot be written (somebody publishes, the disk is full), that is logged and the next beat tries again.
    """
    now = datetime.now(UTC)
    sessions = sessions_of(folder.market)
    try:
        renew_live(
            folder, market_state(sessions, now), next_scan(folder, sessions, now), budget=budget_state(folder, now)
        )
    except (LockHeld, OSError, ProviderError) as error:
        logger.warning("live.json was not renewed: %s", error)


def beat(folder: MarketFolder | None = None) -> str:
    """Write the heartbeat's row, the proof of life, then renew live.json; return the moment."""
    folder = folder or settings.MARKET_FOLDER
    now = datetime.now(UTC)
    Heartbeat.objects.update_or_create(market=folder.market, host=socket.gethostname(), defaults={"at": now})
    close_dead_jobs(folder.market, now)
    refresh(folder)
    return f"{now:%Y-%m-%dT%H:%M:%SZ}"
