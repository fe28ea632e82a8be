"""What a killed scan left: joined, resumed or published by the next start."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from django.db.models import Q

from collector.market.calendar import sessions_of
from collector.models import ScanJob
from collector.pipeline import publish as publication
from collector.pipeline.join import join
from collector.pipeline.plan import Scan, ScanPlan
from collector.schedules import finish_slot
from collector.store import history
from collector.store.database import Connection, open_store, store_revision
from collector.store.staging import Staging, UnreadableStaging, open_stagings
from exports.folders import MarketFolder

logger = logging.getLogger(__name__)


def set_aside_unreadable(folder: MarketFolder) -> list[str]:
    """Move what can't be joined out of the way, loudly: it would stop every scan to come. Return one line each."""
    lines: list[str] = []
    for scan_id in open_stagings(folder):
        staging = Staging(folder, scan_id)
        try:
            staging.check()
            content = staging.plan()
            if content is not None:
                ScanPlan.from_json(content)
        except (UnreadableStaging, KeyError, TypeError, ValueError) as error:
            why = str(error) if isinstance(error, UnreadableStaging) else f"plan.json: {error!r}"
            line = f"What scan {scan_id} collected can't be read ({why}); it was moved to {staging.set_aside(folder)}."
            logger.error(line)
            lines.append(line)
    return lines


def recover(folder: MarketFolder, resumed: ScanPlan | None = None) -> list[str]:
    """Join what earlier scans collected and never joined, but for the one that is resumed; return one line each.

    The caller holds the scan lock, so nobody works on these stagings, and a row that says running is a dead scan's: it
    is closed. A staging without a plan died before it began, or after it was joined. A session that a backfill had
    half is dropped: it is collected anew, whole.
    """
    kept = resumed.scan_id if resumed else None
    stagings = [Staging(folder, scan_id) for scan_id in open_stagings(folder) if scan_id != kept]
    for staging in [staging for staging in stagings if not _is_worth_joining(staging)]:
        staging.drop()
        stagings.remove(staging)
    ended = Q(state=ScanJob.State.RUNNING) | Q(
        state=ScanJob.State.QUEUED, scan_id__in=[staging.scan_id for staging in stagings]
    )
    dead = ScanJob.objects.filter(ended, market=folder.market).exclude(scan_id=kept)
    if not stagings and not dead.exists():
        return []
    lines: list[str] = []
    with open_store(folder, "join of earlier scans") as connection:
        for staging in stagings:
            lines.append(_join_or_set_aside(connection, folder, staging))
        for job in dead:
            _close_job(job, history.scan_status(connection, job.scan_id))
    return lines


def _is_worth_joining(staging: Staging) -> bool:
    """Say whether a staging has what the store should keep."""
    plan = staging.plan()
    return plan is not None and (plan["kind"] != "backfill" or staging.outcome() is not None)


def _join_or_set_aside(connection: Connection, folder: MarketFolder, staging: Staging) -> str:
    """Join one staging; what is readable and of a shape that no join takes would stop every scan to come."""
    try:
        return _join(connection, folder, staging)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        logger.exception("Scan %s can't be joined", staging.scan_id)
        line = f"What scan {staging.scan_id} collected can't be joined ({error!r}); it was moved to "
        return f"{line}{staging.set_aside(folder)}."


def _join(connection: Connection, folder: MarketFolder, staging: Staging) -> str:
    """Join one staging, close its slot, and say so in a line."""
    plan = ScanPlan.from_json(staging.plan() or {})
    staging.clean()
    joined = join(connection, folder, staging, sessions_of(folder.market))
    status = joined.scan["status"]
    if plan.slot is not None:
        finish_slot(folder.market, plan.kind, plan.slot, plan.scan_id, status)
    return f"Scan {staging.scan_id} was interrupted; what it had is joined ({status})."


def catch_up(folder: MarketFolder) -> publication.Published | None:
    """Publish where a crash left the documents or the outbox behind the store; None where nothing was behind."""
    if not folder.store_path.exists():
        return None
    with open_store(folder, "look at the revision") as connection:
        revision = store_revision(connection)
    return publication.publish(folder) if revision and publication.is_behind(folder, revision) else None


def resumable(folder: MarketFolder, scan: Scan) -> ScanPlan | None:
    """Return the plan of a killed scan that was asked for by the same order, None where there is none.

    It is resumed while its deadline has not come: what is collected is not fetched again.
    """
    if not scan.order:
        return None
    now = datetime.now(UTC)
    for scan_id in open_stagings(folder):
        staging = Staging(folder, scan_id)
        content = staging.plan()
        if content is None or staging.outcome() is not None:
            continue
        plan = ScanPlan.from_json(content)
        same = (plan.kind, plan.slot, plan.order) == (scan.kind, scan.slot, scan.order)
        # One that was joined as interrupted and killed before its staging was gone has nothing to go on with.
        if same and now < plan.deadline and not in_store(folder, scan_id):
            return plan
    return None


def in_store(folder: MarketFolder, scan_id: str) -> bool:
    """Say whether a scan has been joined."""
    if not folder.store_path.exists():
        return False
    with open_store(folder, "look for a scan") as connection:
        return history.is_joined(connection, scan_id)


def _close_job(job: ScanJob, status: str | None) -> None:
    """Close the row of a scan that died: by what the store says of it, None where it is not there."""
    whole = status not in (None, "failed", "interrupted")
    job.state = ScanJob.State.DONE if whole else ScanJob.State.FAILED
    job.status, job.finished_at = status or "interrupted", datetime.now(UTC)
    job.phase = job.current_ticker = ""
    job.detail = "It was interrupted; what it had is joined." if status else "Its process ended before it was done."
    job.save()
