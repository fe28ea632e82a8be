"""What a killed scan left: joined, resumed or published by the next start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings

from collector.configuration import detectors
from collector.market.calendar import sessions_of
from collector.models import ScanJob
from collector.pipeline import publish as publication
from collector.pipeline.join import Joined, join
from collector.pipeline.plan import ScanKind, ScanPlan
from collector.store.database import open_store, store_revision
from collector.store.staging import Staging, open_stagings
from exports.folders import MarketFolder


def recover(folder: MarketFolder, resumed: ScanPlan | None = None) -> list[str]:
    """Join what earlier scans collected and never joined, but for the one that is resumed; return one line each.

    The caller holds the scan lock, so nobody works on these stagings. One without a plan died before it began.
    """
    lines: list[str] = []
    kept = resumed.scan_id if resumed else None
    stagings = [Staging(folder, scan_id) for scan_id in open_stagings(folder) if scan_id != kept]
    for staging in [staging for staging in stagings if staging.plan() is None]:
        staging.drop()
        stagings.remove(staging)
    if not stagings:
        return lines
    with open_store(folder, "join of earlier scans") as connection:
        for staging in stagings:
            staging.clean()
            joined = join(connection, folder, staging, detectors(settings.OPTSITE.config), sessions_of(folder.market))
            lines.append(f"Scan {staging.scan_id} was interrupted; what it had is joined ({joined.scan['status']}).")
            _close_job(folder, joined)
    return lines


def catch_up(folder: MarketFolder) -> publication.Published | None:
    """Publish where a crash left the documents or the outbox behind the store; None where nothing was behind."""
    if not folder.store_path.exists():
        return None
    with open_store(folder, "look at the revision") as connection:
        revision = store_revision(connection)
    return publication.publish(folder) if revision and publication.is_behind(folder, revision) else None


def resumable(folder: MarketFolder, kind: ScanKind, tickers: Sequence[str], slot: datetime | None) -> ScanPlan | None:
    """Return the plan of a killed scan that the scan now asked for would repeat, None where there is none.

    It is resumed while its deadline has not come: what is collected is not fetched again.
    """
    now = datetime.now(UTC)
    for scan_id in open_stagings(folder):
        staging = Staging(folder, scan_id)
        content = staging.plan()
        if content is None or staging.outcome() is not None:
            continue
        plan = ScanPlan.from_json(content)
        same = plan.kind == kind and plan.slot == slot and (not tickers or plan.tickers == tuple(tickers))
        if same and plan.moment is None and now < plan.deadline:
            return plan
    return None


def _close_job(folder: MarketFolder, joined: Joined) -> None:
    """Close the row of a scan that died."""
    ScanJob.objects.filter(market=folder.market, scan_id=joined.scan["id"]).exclude(
        state__in=(ScanJob.State.DONE, ScanJob.State.FAILED)
    ).update(
        state=ScanJob.State.FAILED,
        status=joined.scan["status"],
        finished_at=datetime.now(UTC),
        detail="It was interrupted; what it had is joined.",
    )
