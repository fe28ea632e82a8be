"""The task cluster's sign of life, once a minute: its row, and live.json with what the clock alone changes."""

from __future__ import annotations

import logging
import socket
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from collector.live import renew_live, timestamp
from collector.market.calendar import Sessions, continuous_sessions, exchange_sessions
from collector.models import Heartbeat
from collector.scan_jobs import close_dead_jobs
from collector.schedules import next_slot, scan_cron
from exports.folders import MarketFolder
from exports.locks import LockHeld

logger = logging.getLogger(__name__)


def sessions_of(folder: MarketFolder) -> Sessions:
    """Return the calendar that the folder's market trades by."""
    return continuous_sessions() if folder.market == "demo" else exchange_sessions()


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


def beat(folder: MarketFolder | None = None) -> str:
    """Write the heartbeat's row and renew live.json; return the moment. The row comes first: it is the proof of life.

    Where live.json cannot be written now (somebody publishes, the disk is full), that is logged and the next beat
    tries again.
    """
    folder = folder or settings.MARKET_FOLDER
    now = datetime.now(UTC)
    Heartbeat.objects.update_or_create(market=folder.market, host=socket.gethostname(), defaults={"at": now})
    close_dead_jobs(folder.market, now)
    sessions = sessions_of(folder)
    try:
        renew_live(folder, market_state(sessions, now), next_scan(folder, sessions, now))
    except (LockHeld, OSError) as error:
        logger.warning("live.json was not renewed: %s", error)
    return f"{now:%Y-%m-%dT%H:%M:%SZ}"
