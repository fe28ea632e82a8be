"""When scans, exports, heartbeats and deliveries are due: the cluster's schedules, their slots, and who fills a slot.

A slot is a moment of a cron line in New York time. ``kind`` is "scheduled" for the scans of the day and "close" for
the close scan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from croniter import croniter
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django_q.models import Schedule

from collector.models import ScanSlot
from exports.folders import MarketFolder

if TYPE_CHECKING:
    # The calendar brings pandas with it, which whoever only syncs schedules has no use for.
    from collector.market.calendar import Sessions

Kind = Literal["scheduled", "close"]

# The zone that the cluster fires in: New York.
CLUSTER_ZONE = ZoneInfo(settings.Q_CLUSTER["time_zone"])

LIVE_CRON = "*/10 9-16 * * 1-5"
DEMO_CRON = "*/10 * * * *"
# 20 minutes after the close of a half day and of a whole one; the scan records the one that is not today's as skipped.
CLOSE_CRON = "20 13,16 * * 1-5"
NAME_PREFIX = "optsite:"
DELIVERY_TASK = "collector.notifications.delivery.deliver_due"
# A due row that the cluster has not seen for this long was missed while it was off.
MISSED_AFTER = timedelta(seconds=90)
SESSIONS_SEARCHED = 30


def scan_cron(provider: str) -> str:
    """Return the cron line of the provider's scans, New York time: OPTSITE_SCAN_CRON or its market's own."""
    return settings.OPTSITE.scan_cron or (DEMO_CRON if provider == "demo" else LIVE_CRON)


def cron_of(kind: Kind, provider: str) -> str:
    """Return the cron line of the provider's scans of ``kind``, New York time."""
    return CLOSE_CRON if kind == "close" else scan_cron(provider)


def slot_at(now: datetime, cron: str) -> datetime:
    """Return the newest moment of the cron line at or before ``now``, in UTC."""
    # Added in UTC: in New York's own time the sum would forget which of autumn's two hours it is.
    next_minute = now.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    moment: datetime = croniter(cron, next_minute.astimezone(CLUSTER_ZONE)).get_prev(datetime)
    return moment.astimezone(UTC)


def next_slot(after: datetime, cron: str, sessions: Sessions | None = None) -> datetime | None:
    """Return the first moment of the cron line after ``after``, in UTC; with ``sessions`` the first inside one.

    None where no moment of the line falls into the next 30 sessions.
    """
    moment = _next_moment(after, cron)
    if sessions is None:
        return moment
    for _ in range(SESSIONS_SEARCHED):
        if sessions.session_at(moment) is not None:
            return moment
        opening = sessions.next_open(moment).open
        moment = _next_moment(opening - timedelta(seconds=1), cron)
    return None


def _next_moment(after: datetime, cron: str) -> datetime:
    moment: datetime = croniter(cron, after.astimezone(CLUSTER_ZONE)).get_next(datetime)
    return moment.astimezone(UTC)


def claim_slot(market: str, kind: str, slot: datetime, scan_id: str, lease: timedelta) -> bool:
    """Take the slot for a scan, where it is free or its lease has run out; False where another one has it.

    Exactly one of any number of claimants gets it: the row is unique, and the lease is taken by one conditional
    update, which adds 1 to the fence.
    """
    now = datetime.now(UTC)
    ScanSlot.objects.get_or_create(market=market, kind=kind, slot=slot)
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    taken = ScanSlot.objects.filter(free, market=market, kind=kind, slot=slot, status="").update(
        lease_until=now + lease, fence=F("fence") + 1, scan_id=scan_id
    )
    return taken == 1


def finish_slot(market: str, kind: str, slot: datetime, scan_id: str, status: str) -> bool:
    """Close the slot with the scan's ``status``; False where another scan has taken it meanwhile."""
    if not status:
        raise ValueError("A finished slot has a status")
    closed = ScanSlot.objects.filter(market=market, kind=kind, slot=slot, scan_id=scan_id).update(
        status=status, lease_until=None
    )
    return closed == 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """A schedule that should be there: its row's name, what it calls, and a cron line or a number of minutes."""

    name: str
    func: str
    cluster: str
    args: str | None = None
    cron: str | None = None
    minutes: int | None = None

    @property
    def columns(self) -> dict[str, object]:
        """Return the row's columns but for its name and next run."""
        return {
            "func": self.func,
            "args": self.args,
            "kwargs": None,
            "hook": None,
            "repeats": -1,
            "cluster": self.cluster,
            "cron": self.cron,
            "minutes": self.minutes,
            "schedule_type": Schedule.CRON if self.cron else Schedule.MINUTES,
        }

    def first_run(self, now: datetime) -> datetime:
        """Return when it runs next, counted from now: a cron line at its next moment, minutes from the next check."""
        return _next_moment(now, self.cron) if self.cron else now


def cluster_name(market: str) -> str:
    """Return the name of the market's task cluster: each takes only tasks of its own market."""
    return f"optsite-{market}"


def wanted_schedules(folder: MarketFolder) -> tuple[Wanted, ...]:
    """Return the market's schedules: scan, close scan, export, heartbeat, delivery; recordings are not scanned."""
    cluster, prefix = cluster_name(folder.market), f"{NAME_PREFIX}{folder.market}:"
    scans = (
        Wanted(
            f"{prefix}scan",
            "optsite.tasks.run_scheduled_scan",
            cluster,
            args="('scheduled',)",
            cron=scan_cron(folder.provider),
        ),
        Wanted(f"{prefix}close", "optsite.tasks.run_scheduled_scan", cluster, args="('close',)", cron=CLOSE_CRON),
    )
    rest = (
        Wanted(f"{prefix}export", "optsite.tasks.run_export", cluster, minutes=settings.OPTSITE.export_minutes),
        Wanted(f"{prefix}heartbeat", "collector.heartbeat.beat", cluster, minutes=1),
        Wanted(f"{prefix}delivery", DELIVERY_TASK, cluster, minutes=1),
    )
    # A recording does not move: scanning it again on a clock would add the same moment over and over.
    return rest if folder.market == "recorded" else (*scans, *rest)


def sync_schedules(folder: MarketFolder) -> list[str]:
    """Make the cluster's schedules those of the market; return the names, in order.

    Idempotent, and safe beside others that do the same: rows of ours that are no longer wanted go, changed ones get
    a new next run, and schedules that a user added are left alone.
    """
    wanted = wanted_schedules(folder)
    try:
        _sync(wanted)
    except IntegrityError:
        # Another one made the same rows first, where no row was there to lock; now there is.
        _sync(wanted)
    return [one.name for one in wanted]


def _sync(wanted: tuple[Wanted, ...]) -> None:
    now = datetime.now(UTC)
    with transaction.atomic():
        ours = Schedule.objects.select_for_update().filter(name__startswith=NAME_PREFIX)
        rows = {row.name: row for row in ours}
        for one in wanted:
            row = rows.pop(one.name, None) or Schedule(name=one.name)
            differs = row.pk is None or any(getattr(row, name) != value for name, value in one.columns.items())
            missed = one.cron is not None and row.next_run is not None and row.next_run < now - MISSED_AFTER
            if differs or missed or row.next_run is None:
                for name, value in one.columns.items():
                    setattr(row, name, value)
                row.next_run = one.first_run(now)
                row.save()
        for row in rows.values():
            row.delete()
