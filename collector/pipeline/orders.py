"""What a user or the schedule orders of scanning, carried out under the scan lock, to an exit code."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, cast

from django.conf import settings

from collector.heartbeat import refresh
from collector.market.calendar import new_york_date
from collector.models import ScanJob, WatchedTicker
from collector.pipeline.backfill import backfill
from collector.pipeline.collect import Progress
from collector.pipeline.join import Joined
from collector.pipeline.plan import TIME_LIMIT, Scan, ScanPlan
from collector.pipeline.publish import Published, publish
from collector.pipeline.recovery import catch_up, in_store, recover, resumable, set_aside_unreadable
from collector.pipeline.run import record_skipped, run_scan
from collector.providers.base import Provider
from collector.providers.catalogue import ProviderOptions, call_budget, make_provider
from collector.scan_ids import new_scan_id
from collector.schedules import Kind, claim_slot, cron_of, finish_slot, slot_at
from collector.store.database import StoreBusy
from exports.folders import MarketFolder
from exports.locks import KernelLock, LockHeld
from exports.writer import PublicationError

logger = logging.getLogger(__name__)

DONE, FAILED, BAD_USAGE, UNREACHABLE, LOCKED, PARTIAL = range(6)

SCAN_LOCK = "scan.lock"
LOCK_SECONDS = 30.0
# A scan that a person asked for waits behind one that runs; a slot that comes late is better left to the next.
REQUEST_LOCK_SECONDS = 300.0
# A close scan belongs to a close that lies this far back: 20 minutes, and what the cluster is late.
CLOSE_AFTER = timedelta(minutes=20)
SLOT_LEASE = TIME_LIMIT + timedelta(minutes=1)


class OrderError(Exception):
    """An order that can't be carried out as it stands; the message names what is wrong and what would do."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order. ``folder`` holds the provider's name; see the scan command for the rest."""

    folder: MarketFolder
    tickers: tuple[str, ...] = ()
    recordings: Path | None = None
    as_of: datetime | None = None
    each: bool = False
    scheduled: Kind | None = None
    request: str | None = None
    backfill: int = 0
    export: bool = True


@dataclass(slots=True)
class Report:
    """What came of an order: the scans, the publication, lines for a person, and the exit code."""

    scans: list[dict[str, Any]] = field(default_factory=list)
    published: Published | None = None
    lines: list[str] = field(default_factory=list)
    exit_code: int = DONE


class _Recordings(Protocol):
    """What a provider of recordings has beside the protocol."""

    unreadable: tuple[str, ...]

    def moments(self) -> tuple[datetime, ...]: ...

    def at(self, moment: datetime) -> Provider: ...


def carry_out(order: Order, bar: Progress, report: Report) -> None:
    """Carry out an order; ``report`` holds what came of it, as far as it came where this raises.

    Raises OrderError, EmptyWatchlist, LockHeld, StoreError, PublicationError, ProviderError, ConfigError: see the
    command for their exit codes. Nothing collected is lost by any of them.
    """
    try:
        provider = make_provider(order.folder, _options(order, order.as_of))
    except ValueError as error:
        raise OrderError(str(error)) from error
    order.folder.create()
    report.lines += getattr(provider, "unreadable", ())
    with KernelLock(order.folder.lock_dir / SCAN_LOCK, _purpose(order)).acquire(_patience(order)):
        scan = _scan(order)
        resumed, hindered = _settle(order, scan, report)
        if order.backfill:
            _backfill(order, report, bar)
        elif order.each:
            _each(order, cast("_Recordings", provider), report, bar)
        elif order.scheduled:
            _scheduled(order, provider, scan, report, bar, resumed)
        elif scan.scan_id and in_store(order.folder, scan.scan_id):
            report.lines.append(f"Scan {scan.scan_id} ran already.")
        else:
            joined = run_scan(order.folder, provider, scan, budget=_budget(order, provider), bar=bar, resumed=resumed)
            _note(order, report, joined)
        if hindered:
            report.lines += recover(order.folder)
        if order.export and (report.scans or hindered):
            bar.begin("publish", 1)
            report.published = publish(order.folder)
            bar.done()
    if report.published:
        report.lines += report.published.problems
        refresh(order.folder)  # the scan lock is free now


def _patience(order: Order) -> float:
    """Return how long the order waits for the scan lock, in seconds."""
    return REQUEST_LOCK_SECONDS if order.request else LOCK_SECONDS


def _settle(order: Order, scan: Scan, report: Report) -> tuple[ScanPlan | None, bool]:
    """Join and publish what earlier scans left.

    Return the plan that the scan goes on with, if it is one that was killed, and whether something was in the way: a
    store or a disk that is not to be had now stops no scan from collecting.
    """
    resumed = None
    try:
        report.lines += set_aside_unreadable(order.folder)
        resumed = resumable(order.folder, scan)
        report.lines += recover(order.folder, resumed)
        if order.export:
            report.published = catch_up(order.folder)
    except (StoreBusy, LockHeld, PublicationError) as error:
        logger.info("what earlier scans left has to wait: %s", error)
        return resumed, True
    return resumed, False


def _options(order: Order, as_of: datetime | None) -> ProviderOptions:
    """Return what the provider is made with."""
    return ProviderOptions(
        recordings=order.recordings or settings.OPTSITE.recordings,
        as_of=as_of,
        calls_per_hour=settings.OPTSITE.calls_per_hour,
        calls_per_day=settings.OPTSITE.calls_per_day,
    )


def _purpose(order: Order) -> str:
    """Return what the lock's holder file says."""
    return f"{order.scheduled or 'manual'} scan" if not order.backfill else "backfill"


def _budget(order: Order, provider: Provider) -> Any:
    """Return the budget of a provider whose calls are counted."""
    return call_budget(order.folder, _options(order, None)) if provider.pays_per_expiration else None


def _scan(order: Order) -> Scan:
    """Return the one scan that an order asks for."""
    if order.request:
        job = ScanJob.objects.filter(market=order.folder.market, scan_id=order.request).first()
        if job is None:
            raise OrderError(f"--request: there is no scan {order.request} in the {order.folder.market} market")
        words = {"request": order.request}
        return Scan(kind="request", tickers=tuple(job.tickers), scan_id=job.scan_id, order=words)
    if order.scheduled:
        slot = slot_at(datetime.now(UTC), cron_of(order.scheduled, order.folder.provider))
        return Scan(kind=order.scheduled, slot=slot, order={"scheduled": order.scheduled})
    if order.backfill or order.each:
        return Scan(tickers=order.tickers)
    asked: dict[str, Any] = {"tickers": list(order.tickers)}
    if order.folder.market == "recorded":
        asked |= {"recordings": str(_options(order, None).recordings), "as_of": str(order.as_of)}
    return Scan(tickers=order.tickers, order=asked)


def _backfill(order: Order, report: Report, bar: Progress) -> None:
    """Fill the demo's past."""
    if order.folder.market != "demo":
        raise OrderError("--backfill fills the demo market's past: no other provider can be asked for it")

    def as_of(moment: datetime) -> Provider:
        """Make the provider of a moment."""
        return make_provider(order.folder, _options(order, moment))

    added = backfill(order.folder, as_of, order.backfill, datetime.now(UTC), bar)
    report.lines.append(f"Backfilled {added} sessions.")
    if order.export and added:
        report.published = publish(order.folder)


def _each(order: Order, recordings: _Recordings, report: Report, bar: Progress) -> None:
    """Scan every moment of a folder of recordings, oldest first."""
    if order.folder.provider != "recorded":
        raise OrderError("--each goes through recordings: use it with --provider recorded")
    moments = recordings.moments()
    bar.begin("moments", len(moments))
    for moment in moments:
        bar.step(f"{moment:%Y-%m-%dT%H:%MZ}")
        joined = run_scan(order.folder, recordings.at(moment), Scan(tickers=order.tickers, moment=moment))
        _note(order, report, joined)
        bar.done()


def _scheduled(
    order: Order, provider: Provider, scan: Scan, report: Report, bar: Progress, resumed: ScanPlan | None
) -> None:
    """Fill a slot, once."""
    kind, slot = order.scheduled, scan.slot
    assert kind is not None
    assert slot is not None
    scan_id = resumed.scan_id if resumed else new_scan_id(datetime.now(UTC))
    if not resumed and not claim_slot(order.folder.market, kind, slot, scan_id, SLOT_LEASE):
        report.lines.append(f"The {kind} slot {slot:%Y-%m-%dT%H:%MZ} is taken: another scan fills or filled it.")
        return
    wanted = replace(scan, scan_id=scan_id)
    reason = _why_closed(provider, kind, slot)
    if reason:
        joined = record_skipped(order.folder, provider, wanted, reason)
    else:
        asked = _at_close(order, provider, slot) if kind == "close" else provider
        joined = run_scan(order.folder, asked, wanted, budget=_budget(order, provider), bar=bar, resumed=resumed)
    finish_slot(order.folder.market, kind, slot, scan_id, joined.scan["status"])
    _note(order, report, joined)


def _why_closed(provider: Provider, kind: Kind, slot: datetime) -> str | None:
    """Return why a slot asks nobody anything, None where it is to be filled."""
    sessions = provider.sessions()
    if kind == "scheduled":
        return None if sessions.session_at(slot) is not None else "closed"
    today = sessions.session(new_york_date(slot))
    if today is None:
        return "closed"
    return None if today.close + CLOSE_AFTER == slot else "not_this_close"


def _at_close(order: Order, provider: Provider, slot: datetime) -> Provider:
    """Return the provider of the close: the demo, whose next session has begun by then, is asked as it was."""
    if order.folder.market != "demo":
        return provider
    closed = provider.sessions().last_closed(slot)
    return make_provider(order.folder, _options(order, closed.close - timedelta(seconds=1)))


def _note(order: Order, report: Report, joined: Joined) -> None:
    """Add a scan to the report: its line, its exit code, and the tickers that nobody watches."""
    scan = joined.scan
    report.scans.append(scan)
    report.lines.append(summary(scan))
    report.exit_code = max(report.exit_code, exit_code(scan), key=_worse)
    if not order.each:
        report.lines += _ticker_lines(scan)
    unwatched = set(order.tickers) - set(
        WatchedTicker.objects.filter(market=order.folder.market, state=WatchedTicker.State.ACTIVE).values_list(
            "ticker", flat=True
        )
    )
    recorded = sorted(unwatched & set(scan["tickers"]["ok"]))
    if recorded:
        report.lines.append(
            f"{', '.join(recorded)}: recorded, and not exported, since not on the watchlist (admin: Watched tickers)."
        )


def summary(scan: dict[str, Any]) -> str:
    """Return a scan in one line."""
    grades = " ".join(f"{grade}:{count}" for grade, count in scan["grades"].items()) or "none"
    why = f" ({scan['reason']})" if scan["reason"] else ""
    missing = sum(len(row["missing"]) for row in scan["coverage"])
    absent = f", {missing} expirations absent against the last scan" if missing else ""
    return (
        f"Scan {scan['id']} {scan['status']}{why}: {len(scan['tickers']['ok'])} of "
        f"{len(scan['tickers']['requested'])} tickers, {scan['chains']} chains ({grades}), "
        f"{scan['contracts']} contracts, {scan['new_alerts']} new alerts{absent}"
    )


def _ticker_lines(scan: dict[str, Any]) -> Iterator[str]:
    """Return a line a ticker that was not recorded."""
    for group in ("failed", "skipped", "not_recorded"):
        for row in scan["tickers"][group]:
            detail = f" ({row['detail']})" if row["detail"] else ""
            yield f"{row['ticker']}: {row['reason']}{detail}"


def exit_code(scan: dict[str, Any]) -> int:
    """Return a scan's exit code."""
    if scan["status"] in ("ok", "skipped"):
        return DONE
    if scan["status"] == "partial":
        return PARTIAL
    return UNREACHABLE if scan["reason"] == "unreachable" else FAILED


def _worse(code: int) -> int:
    """Order exit codes: done, partial, then the rest."""
    return {DONE: 0, PARTIAL: 1}.get(code, 2)
