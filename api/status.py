"""The state of the system in one object: what status/ answers and the pages show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from api.selection import select
from api.source import Export, current_reader
from exports.documents import DOCUMENT_NAMES
from exports.folders import MARKET_OF_PROVIDER

DEMO_BANNER = "Demo market: invented tickers, simulated prices."
RECORDED_BANNER = "Recorded market: quotes of the past. Ages and days count by the recording's own time."
BANNERS = {"demo": DEMO_BANNER, "recorded": RECORDED_BANNER}

LIVE_PARTS = ("market_state", "next_scan_at", "budget", "health", "last_export_error")

_TEXT = {"type": "string", "nullable": True}
_TIME = {**_TEXT, "format": "date-time"}
_SECONDS = {"type": "number", "nullable": True, "description": "seconds"}
_ANY = {"type": "object", "nullable": True, "additionalProperties": {}}
_MEMBERS: dict[str, Any] = {
    "now": {"type": "string", "format": "date-time"},
    "provider": {"type": "string"},
    "market": {"type": "string", "enum": ["live", "demo", "recorded"]},
    "demo": {"type": "boolean"},
    "banner": {**_TEXT, "description": "What every page has to say about the data; null for real data."},
    "generation": _TEXT,
    "export_timestamp": _TIME,
    "stale": {"type": "boolean"},
    "next_scan_expected_at": _TIME,
    "next_export_expected_at": _TIME,
    "ages": {
        "type": "object",
        "properties": dict.fromkeys(("export", "quotes", "last_scan", "live", "heartbeat"), _SECONDS),
        "description": "Seconds since the export, the newest quotes, the newest scan, live.json, the heartbeat.",
    },
    "documents": {"type": "object", "additionalProperties": {"type": "integer"}, "description": "Records in each."},
    "last_scan": {
        "nullable": True,
        "allOf": [{"$ref": "#/components/schemas/Scan"}],
        "description": "The newest scan that ran; skipped slots are left out.",
    },
    "jobs": {"type": "array", "items": _ANY, "description": "Queued and running scans, and the last ones."},
    "next_scan_at": _TIME,
    "market_state": _ANY,
    "budget": _ANY,
    "health": _ANY,
    "last_export_error": _TEXT,
}
STATUS_SCHEMA: dict[str, Any] = {"type": "object", "required": list(_MEMBERS), "properties": _MEMBERS}


def compose_status(export: Export, now: datetime | None = None) -> dict[str, Any]:
    """Return generation, ages, last scan, jobs, budget, market state and health; null where nothing says it."""
    moment = now or datetime.now(UTC)
    live = current_reader().live()
    scan = _last_scan(export)
    manifest = export.generation.manifest if export.generation else None
    return {
        "now": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "provider": export.provider,
        "market": MARKET_OF_PROVIDER[export.provider],
        "demo": export.provider == "demo",
        "banner": banner(export.provider),
        "generation": export.name,
        "export_timestamp": export.timestamp,
        "stale": export.stale,
        "next_scan_expected_at": manifest.next_scan_expected_at if manifest else None,
        "next_export_expected_at": manifest.next_export_expected_at if manifest else None,
        "ages": _ages(export, scan, live, moment),
        "documents": _counts(export),
        "last_scan": scan,
        "jobs": live.get("jobs", []),
        **{name: live.get(name) for name in LIVE_PARTS},
    }


def banner(provider: str) -> str | None:
    """Return what every page has to say about the data: that its tickers are invented, or its quotes of the past."""
    return BANNERS.get(provider)


def _last_scan(export: Export) -> dict[str, Any] | None:
    """Return the newest scan that ran: a slot skipped because of the hour says nothing of the data."""
    document = export.document("scans")
    if document is None:
        return None
    positions = select(document, ("-started_at",), document.index.column("status") != "skipped")
    if not positions.size:
        return None
    record: dict[str, Any] = orjson.loads(document.records([int(positions[0])])[0])
    return record


def _counts(export: Export) -> dict[str, int]:
    documents = {name: export.document(name) for name in DOCUMENT_NAMES}
    return {name: document.count for name, document in documents.items() if document is not None}


def _ages(export: Export, scan: dict[str, Any] | None, live: dict[str, Any], now: datetime) -> dict[str, float | None]:
    moments = {
        "export": export.timestamp,
        "quotes": _newest_as_of(export),
        "last_scan": (scan.get("finished_at") or scan["started_at"]) if scan else None,
        "live": live.get("written_at"),
        "heartbeat": (live.get("health") or {}).get("heartbeat_at"),
    }
    return {name: _age(moment, now) for name, moment in moments.items()}


def _newest_as_of(export: Export) -> str | None:
    document = export.document("chains")
    moments = [] if document is None else [text for text in document.index.column("as_of") if text is not None]
    return max(moments, default=None)


def _age(moment: str | None, now: datetime) -> float | None:
    if not moment:
        return None
    return round((now - datetime.fromisoformat(moment)).total_seconds(), 1)
