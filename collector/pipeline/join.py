"""Join: one short transaction that puts a scan into the store, with the alerts that it raises.

All or nothing, idempotent by scan id. Where the store is held by another, the staging stays and the next join takes it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from collector.alerts.lifecycle import AlertEvent
from collector.configuration import Alerting, alerting_of
from collector.market.calendar import Sessions
from collector.market.settlement import settlement
from collector.pipeline.detect import detect, known_before
from collector.pipeline.plan import ScanPlan
from collector.pipeline.scan_row import scan_row
from collector.pipeline.staged_bars import bars_of
from collector.store import history, records
from collector.store.database import Connection, store_revision, transaction
from collector.store.event_sets import append_event_sets, events_digest
from collector.store.staging import Staging, staged_rows
from collector.store.track_records import append_outcomes
from exports.folders import MarketFolder

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Joined:
    """A scan that is in the store: its row, and its store revision."""

    scan: dict[str, Any]
    store_revision: int
    fresh: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """A collected scan, read and put in columns before the store is opened."""

    plan: ScanPlan
    collected: list[dict[str, Any]]
    rows: dict[str, pd.DataFrame]
    bars: records.Batch
    chains: dict[str, records.Batch]


def prepare(staging: Staging) -> Prepared:
    """Read a collected scan: what the join does with it then holds the store for less.

    DuckDB reads the contracts while the records are read here.
    """
    content = staging.plan()
    assert content is not None, f"staging {staging.scan_id} has no plan"
    with ThreadPoolExecutor(1, thread_name_prefix="contracts") as reader:
        rows = reader.submit(staged_rows, staging.parquet_files())
        collected = list(staging.records())
        chains = {
            feed: records.batch(
                [
                    {**chain, "ticker": record["ticker"], "recorded_at": record["recorded_at"]}
                    for record in of_feed
                    for chain in record["chains"]
                ]
            )
            for feed, of_feed in _by_feed(collected).items()
        }
        bars = bars_of(collected)
        return Prepared(ScanPlan.from_json(content), collected, rows.result(), bars, chains)


def _by_feed(collected: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the records of each feed, feeds in order."""
    feeds = sorted({record["feed"] for record in collected})
    return {feed: [record for record in collected if record["feed"] == feed] for feed in feeds}


def join(
    connection: Connection,
    folder: MarketFolder,
    staging: Staging,
    sessions: Sessions,
    prepared: Prepared | None = None,
    alerting: Alerting | None = None,
) -> Joined:
    """Put one collected scan into the open store, then move its Parquet to the history.

    Args:
        connection: the open store.
        folder: whose store and history.
        staging: the collected scan; its outcome may be missing (the scan was killed): then it is joined as
            interrupted, with what it has.
        sessions: the provider's calendar.
        prepared: the scan as read before the store was opened; read now without it.
        alerting: by what it is judged; without it by what its plan fixed.
    """
    prepared = prepared or prepare(staging)
    plan, collected = prepared.plan, prepared.collected
    status = history.scan_status(connection, plan.scan_id)
    if status is not None:
        logger.info("Scan %s is in the store already", plan.scan_id)
        joined = Joined({"id": plan.scan_id, "status": status}, store_revision(connection), fresh=False)
    else:
        judges = alerting or alerting_of(plan.configuration)
        joined = _transact(connection, staging, prepared, judges, sessions)
    dates = {record["ticker"]: record["market_date"] for record in collected if record["market_date"]}
    staging.move_to_history(folder, plan.provider, dates)
    return joined


def _transact(
    connection: Connection,
    staging: Staging,
    prepared: Prepared,
    alerting: Alerting,
    sessions: Sessions,
) -> Joined:
    """Run the transaction."""
    started = time.perf_counter()
    plan, collected = prepared.plan, prepared.collected
    provenance = records.Provenance(plan.scan_id, plan.provider, plan.feed, datetime.now(UTC))
    with transaction(connection), ThreadPoolExecutor(1, thread_name_prefix="detect") as beside:
        revision = store_revision(connection) + 1
        found = [record for record in collected if record["chains"]]
        recorded = {record["ticker"]: datetime.fromisoformat(record["recorded_at"]) for record in found}
        before = history.last_coverages(connection, plan.provider, recorded)
        coverage = {record["ticker"]: _coverage(before[record["ticker"]], record, sessions) for record in found}
        known = known_before(connection, plan, found, sessions, alerting)
        # Judged while the contracts are inserted: neither needs the other.
        judged = beside.submit(detect, known, plan, found, prepared.rows, alerting, sessions)
        records.append_contracts(connection, staging.parquet_files(), provenance)
        _append_facts(connection, collected, prepared, provenance)
        detected = judged.result()
        _append_chains(connection, collected, prepared, provenance)
        _append_alerts(connection, plan, detected.events, found, provenance, revision)
        stamps = {record["ticker"]: record["recorded_at"] for record in found}
        append_outcomes(connection, detected.outcomes, detected.track_records, stamps, provenance.columns)
        scan = scan_row(staging, plan, collected, list(coverage.values()), detected)
        scan["alerts"] = _standing(connection, plan)
        scan["seconds"]["join"] = round(time.perf_counter() - started, 3)
        whose = replace(provenance, feed=scan["feed"])
        records.append(connection, "scans", [{**scan, "store_revision": revision}], whose.columns)
        records.append_revision(connection, revision, provenance)
    return Joined({**scan, "id": plan.scan_id}, revision, fresh=True)


def _coverage(before: dict[tuple[date, str], int], record: dict[str, Any], sessions: Sessions) -> dict[str, Any]:
    """Compare a ticker's chains with those of its last scan; add to each chain what was listed before.

    A chain that has settled since is not missed, nor is one that is still listed and was not asked for.
    """
    as_of = datetime.fromisoformat(record["as_of"])
    now = {(date.fromisoformat(chain["expiration"]), chain["root"]): chain for chain in record["chains"]}
    for key, chain in now.items():
        chain["listed"] = before.get(key)
    alive = [
        (expiration, root)
        for expiration, root in before
        if settlement(root, record["ticker"], expiration, sessions).time > as_of
    ]
    both = [key for key in alive if key in now]
    not_asked = set(record["not_asked"])
    gone = {str(expiration) for expiration, root in alive if (expiration, root) not in now}
    return {
        "ticker": record["ticker"],
        "chains": len(now),
        "contracts": sum(chain["received"] for chain in record["chains"]),
        "missing": sorted(gone - not_asked),
        "not_recorded": record["not_recorded"],
        "contracts_before": sum(before[key] for key in both) if before else None,
    }


def _append_facts(
    connection: Connection, collected: Sequence[dict[str, Any]], prepared: Prepared, provenance: records.Provenance
) -> None:
    """Append bars, events and yields; they are of the provider's own feed."""
    events = []
    for record in collected:
        shared = {"ticker": record["ticker"], "recorded_at": record["recorded_at"]}
        events += [
            {**event, **shared, "ticker": event["ticker"], "source": event.get("source") or provenance.feed}
            for event in record["events"]
        ]
    records.append_bars(connection, prepared.bars, provenance)
    records.append_events(connection, events, provenance)
    yields = {(row["date"], row["days"]): row for record in collected for row in record["rates"]}
    recorded = max((record["recorded_at"] for record in collected), default=None)
    records.append_rates(connection, [{**row, "recorded_at": recorded} for row in yields.values()], provenance)


def _append_chains(
    connection: Connection, collected: Sequence[dict[str, Any]], prepared: Prepared, provenance: records.Provenance
) -> None:
    """Append chains and features; what was listed before, and what the detectors saw, is known only now."""
    for feed, of_feed in _by_feed(collected).items():
        whose = replace(provenance, feed=feed)
        listed = [chain.get("listed") for record in of_feed for chain in record["chains"]]
        features = [
            {
                **record["feature"],
                "ticker": record["ticker"],
                "recorded_at": record["recorded_at"],
                "events_digest": events_digest(record["events"]),
            }
            for record in of_feed
            if record["feature"]
        ]
        records.append(connection, "chains", prepared.chains[feed].with_column("listed", listed), whose.columns)
        records.append(connection, "features", features, whose.columns)
        append_event_sets(connection, [_event_set(record) for record in of_feed if record["feature"]], whose.columns)


def _event_set(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ticker": record["ticker"],
        "digest": events_digest(record["events"]),
        "events": record["events"],
        "recorded_at": record["recorded_at"],
    }


def _append_alerts(
    connection: Connection,
    plan: ScanPlan,
    events: Sequence[AlertEvent],
    found: Sequence[dict[str, Any]],
    provenance: records.Provenance,
    revision: int,
) -> None:
    """Append the alert events of the tickers found; a digest is of none."""
    record_of = {record["ticker"]: record for record in found}
    newest = max((record["recorded_at"] for record in found), default=None)
    rows = [
        {
            "event_id": event.event_id,
            "store_revision": revision,
            "scan_id": plan.scan_id,
            "provider": plan.provider,
            "alert_id": event.alert_id,
            "key": event.key,
            "ticker": event.ticker,
            "kind": event.kind,
            "happened_at": event.at,
            "market_date": event.market_date,
            "alert": event.alert,
            "source": record_of[event.ticker]["feed"] if event.ticker else provenance.feed,
            "recorded_at": record_of[event.ticker]["recorded_at"] if event.ticker else newest,
            "inserted_at": provenance.inserted_at,
        }
        for event in events
    ]
    records.append(connection, "alert_events", rows)


def _standing(connection: Connection, plan: ScanPlan) -> int:
    """Return how many alerts of the provider stand after the scan."""
    row = connection.execute(
        "SELECT count(*) FROM (SELECT arg_max(alert->>'state', (happened_at, store_revision)) AS state "
        "FROM alert_events WHERE provider = ? AND kind <> 'digest' GROUP BY alert_id) WHERE state <> 'ended'",
        [plan.provider],
    ).fetchone()
    return int(row[0]) if row else 0
