"""Quiet hours: the hours of a day, in a zone, in which a channel is not disturbed."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo


def is_quiet(now: datetime, start: time | None, end: time | None, zone: str) -> bool:
    """Say whether an instant lies in the quiet hours.

    They begin at ``start`` and last until just before ``end``, on the clocks of ``zone``; where ``end`` is the earlier
    one they span midnight. Without both there are none. On the days when clocks are set, the clocks decide.

    Raises:
        ValueError: ``now`` has no zone.
        ZoneInfoNotFoundError: there is no such zone.
    """
    if now.tzinfo is None:
        raise ValueError(f"now {now} has no time zone")
    if start is None or end is None:
        return False
    clock = now.astimezone(ZoneInfo(zone)).time()
    return start <= clock < end if start < end else clock >= start or clock < end
