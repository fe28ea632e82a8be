"""Replay: an alert recomputed from the store, by the code that runs live, and held against what was recorded.

Each scan that made an event of the alert is judged again: its rows as they were recorded, what scans joined before it
had brought, the configuration of its row. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
import pandas as pd

from collector.alerts.track_record import unproven
from collector.code_version import code_version, library_versions
from collector.configuration import Alerting, alerting_of
from collector.market.calendar import sessions_of
from collector.pipeline.collect import Progress
from collector.pipeline.detect import Known, detect, known_before
from collector.pipeline.plan import ScanPlan
from collector.pipeline.replay_levels import levels_told, table_of
from collector.store.database import open_store
from collector.store.records import json_text
from collector.store.replay_contracts import NoContracts, recorded_contracts
from collector.store.replay_records import (
    RecordedEvent,
    RecordedScan,
    UnreadablePast,
    before_scan,
    recorded_events,
    recorded_scan,
    staged_record,
)
from exports.folders import MarketFolder

# What published figures are rounded to: six significant digits.
ROUNDING = 1e-5
# Of structures, whose legs' rounded figures cancel: what is left of the digits.
ROUNDING_OF_NETS = 1e-3
NETS = "strategies"
ABSENT = "(absent)"


class UnknownAlert(Exception):
    """The store holds no such alert; the message is one line."""


class DamagedAlert(Exception):
    """No record of the alert can be used; the message is one line."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A member of an alert that came out otherwise. ``path`` is dotted."""

    path: str
    recorded: Any
    replayed: Any


@dataclass(frozen=True, slots=True)
class Step:
    """One scan of the alert: what it recorded against what came out now.

    ``problem`` says why the scan can't be judged again, ``notes`` what is not as it was then. ``rounded``: it was
    compared to the rounding of published figures.
    """

    scan_id: str
    kinds: tuple[str, ...]
    at: datetime
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str | None = None
    rounded: bool = False

    @property
    def identical(self) -> bool:
        """Whether it was judged again and came out the same."""
        return self.problem is None and not self.differences


@dataclass(frozen=True, slots=True)
class Replay:
    """An alert, replayed: its newest record, and each of its scans."""

    alert: Mapping[str, Any]
    steps: tuple[Step, ...]

    @property
    def identical(self) -> bool:
        """Whether every scan came out the same."""
        return all(step.identical for step in self.steps)


@dataclass(frozen=True, slots=True)
class _Rebuilt:
    """What a scan had: all that detect takes, and what is not as it was."""

    plan: ScanPlan
    alerting: Alerting
    record: dict[str, Any]
    rows: pd.DataFrame
    known: Known
    rounded: bool
    notes: tuple[str, ...]


def replay(folder: MarketFolder, alert_id: str, bar: Progress) -> Replay:
    """Recompute an alert and compare.

    The store is held for the reading of one scan at a time, so that scans get their turn.

    Args:
        folder: whose alert.
        alert_id: its id.
        bar: who watches, a step a scan.

    Raises:
        UnknownAlert: there is none of that id.
        DamagedAlert: none of its records can be used.
        StoreError: the store can't be opened.
    """
    # Years of sessions take a moment to be made: before the store is held.
    sessions_of(folder.market)
    events = _events(folder, alert_id)
    by_scan: dict[str, list[RecordedEvent]] = {}
    for event in events:
        by_scan.setdefault(event.scan_id, []).append(event)
    bar.begin("replay", len(by_scan))
    steps = []
    for scan_id, recorded in by_scan.items():
        bar.step(scan_id)
        steps.append(_step(folder, scan_id, recorded))
        bar.done()
    return Replay(next(event.alert for event in reversed(events) if event.fault is None), tuple(steps))


def _events(folder: MarketFolder, alert_id: str) -> list[RecordedEvent]:
    """Return the recorded events; raise UnknownAlert where there is none."""
    events: list[RecordedEvent] = []
    if folder.store_path.exists():
        with open_store(folder, f"replay of alert {alert_id}") as connection:
            events = recorded_events(connection, alert_id)
    if not events:
        raise UnknownAlert(
            f"There is no alert {alert_id!r} in the {folder.market} market's store; ids are the `id` of alerts.json "
            "and /api/v1/alerts/."
        )
    if all(event.fault is not None for event in events):
        raise DamagedAlert(
            f"The record of alert {alert_id!r} in the {folder.market} market's store can't be used: {events[-1].fault}."
        )
    return events


def _step(folder: MarketFolder, scan_id: str, recorded: list[RecordedEvent]) -> Step:
    """Judge one scan again."""
    first, kinds = recorded[0], tuple(event.kind for event in recorded)
    fault = next((event.fault for event in recorded if event.fault is not None), None)
    if fault is not None:
        return Step(scan_id, kinds, first.at, problem=f"its record of the alert can't be used: {fault}")
    ticker = first.alert["ticker"]
    rebuilt = _rebuilt(folder, scan_id, ticker, first.alert["detector"])
    if isinstance(rebuilt, str):
        return Step(scan_id, kinds, first.at, problem=rebuilt)
    detected = detect(
        rebuilt.known,
        rebuilt.plan,
        [rebuilt.record],
        {ticker: rebuilt.rows},
        rebuilt.alerting,
        sessions_of(folder.market),
        str(rebuilt.plan.order["code_version"]),
    )
    replayed = {event.kind: event.alert for event in detected.events if event.alert_id == first.alert["id"]}
    differences: list[Difference] = []
    for event in recorded:
        if event.kind not in replayed:
            differences.append(Difference(event.kind, "this event", ABSENT))
            continue
        after = orjson.loads(json_text(replayed[event.kind]))
        differences += compared(event.alert, after, ROUNDING if rebuilt.rounded else 0.0)
    added = sorted({one.path for one in differences if _added_since(one, rebuilt.alerting)})
    differences = [one for one in differences if one.path not in added]
    notes = [*rebuilt.notes]
    if added:
        notes.append(f"recorded by an older version without: {', '.join(added)}")
    differences += [Difference(kind, ABSENT, "this event") for kind in replayed if kind not in kinds]
    return Step(scan_id, kinds, first.at, tuple(differences), tuple(notes), rounded=rebuilt.rounded)


def _rebuilt(folder: MarketFolder, scan_id: str, ticker: str, detector: str) -> _Rebuilt | str:
    """Return what the scan had, or why that can't be told."""
    with open_store(folder, f"replay of scan {scan_id}") as connection:
        scan = recorded_scan(connection, scan_id)
        if scan is None:
            return "the store does not hold the scan"
        found = staged_record(connection, scan, ticker)
        if found is None:
            return f"the store does not hold the scan's figures of {ticker}"
        record, notes = found
        market_date = date.fromisoformat(record["market_date"])
        plan, alerting = _plan(scan), alerting_of(scan.configuration)
        try:
            contracts = recorded_contracts(
                connection, folder, scan.provider, scan_id, ticker, market_date, record["chains"]
            )
            with before_scan(connection, folder, scan, ticker, market_date) as unread:
                known = known_before(
                    connection, plan, [record], sessions_of(folder.market), alerting, known_at=scan.known_at
                )
        except (NoContracts, UnreadablePast) as error:
            return str(error)
    notes = [*_versions(scan), *levels_told(scan.configuration, alerting, detector), *notes, *unread]
    if contracts.damaged:
        notes.append(contracts.damaged)
    if contracts.source == "parquet":
        notes.append("contracts from the Parquet history")
    rounded = contracts.source == "archive"
    if rounded:
        notes.append("contracts from the archive of published documents: compared to their rounding (six digits)")
    if contracts.missing:
        notes.append(f"the archive holds no contracts of {', '.join(contracts.missing)}: they were not looked at")
    return _Rebuilt(plan, alerting, record, contracts.rows, known, rounded, tuple(notes))


def _plan(scan: RecordedScan) -> ScanPlan:
    """Return the scan's plan as far as judging looks at it."""
    return ScanPlan(
        scan_id=scan.scan_id,
        kind=scan.kind,  # type: ignore[arg-type]
        provider=scan.provider,
        feed=scan.feed,
        started_at=scan.started_at,
        deadline=scan.started_at,
        tickers=(),
        watchlist=(),
        configuration=table_of(scan.configuration),
        config_hash=scan.config_hash,
        order={"code_version": scan.code_version},
    )


def _versions(scan: RecordedScan) -> Iterator[str]:
    """Yield what ran then and is another now."""
    if scan.code_version != code_version():
        yield f"code: {scan.code_version} then, {code_version()} now"
    now = library_versions()
    for name in sorted(scan.libraries.keys() | now.keys()):
        then, here = scan.libraries.get(name, "none"), now.get(name, "none")
        if then != here:
            yield f"{name}: {then} then, {here} now"


def _added_since(difference: Difference, alerting: Alerting) -> bool:
    """Return whether a member was not there when the record was made and holds its default now.

    Defaults are what is empty; of ``claim`` the detector's own, of ``track_record`` that of one without outcomes.
    """
    if difference.recorded != ABSENT:
        return False
    defaults: list[Any] = [None, [], {}]
    if difference.path == "claim":
        defaults += [detector.claim for detector in alerting.detectors]
    elif difference.path == "track_record":
        defaults += [orjson.loads(json_text(unproven(one.name).to_json())) for one in alerting.detectors]
    return difference.replayed in defaults


def compared(recorded: Any, replayed: Any, tolerance: float = 0.0, path: str = "") -> list[Difference]:
    """Return where two JSON values differ: numbers to the last bit, whole ones from decimal ones too.

    ``tolerance`` is the relative difference of two decimal numbers that passes; where there is one, those of structures
    pass within ROUNDING_OF_NETS.
    """
    if isinstance(recorded, dict) and isinstance(replayed, dict):
        found = []
        for name in [*recorded, *(name for name in replayed if name not in recorded)]:
            inside = f"{path}.{name}" if path else str(name)
            found += compared(recorded.get(name, ABSENT), replayed.get(name, ABSENT), tolerance, inside)
        return found
    if isinstance(recorded, list) and isinstance(replayed, list) and len(recorded) == len(replayed):
        found = []
        for place, (before, after) in enumerate(zip(recorded, replayed, strict=True)):
            found += compared(before, after, tolerance, f"{path}[{place}]")
        return found
    same = type(recorded) is type(replayed) and recorded == replayed
    if not same and tolerance and isinstance(recorded, float) and isinstance(replayed, float):
        size = max(abs(recorded), abs(replayed))
        room = ROUNDING_OF_NETS * max(size, 1.0) if path.startswith(NETS) else tolerance * size
        same = abs(recorded - replayed) <= room
    return [] if same else [Difference(path, recorded, replayed)]
