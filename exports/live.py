"""live.json: what is queued and running now. The one file that changes between generations.

Every write happens under the publish lock (``exports.locks.publish_lock``), which the caller holds.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from exports.durable_files import write_durably

logger = logging.getLogger(__name__)

LIVE = "live.json"


def read_live(export_dir: Path) -> dict[str, Any]:
    """Return what live.json says, {} where there is none or it cannot be read."""
    try:
        told = orjson.loads((export_dir / LIVE).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as error:
        logger.warning("%s cannot be read: %s", LIVE, error)
        return {}
    if not _is_sound(told):
        logger.warning("%s has not the shape of a live.json; it is taken for none", LIVE)
        return {}
    live: dict[str, Any] = told
    return live


def _is_sound(told: Any) -> bool:
    """Return whether the parts that readers look into are what they take them for."""
    if not isinstance(told, dict):
        return False
    jobs = told.get("jobs") or []
    parts = [told.get(name) or {} for name in ("health", "market_state", "budget")]
    return (
        isinstance(jobs, list)
        and all(isinstance(job, dict) for job in jobs)
        and all(isinstance(part, dict) for part in parts)
    )


def write_live(export_dir: Path, live: Mapping[str, Any]) -> None:
    """Put ``live`` in the place of live.json, whole or not at all; raise OSError. Call it under the publish lock."""
    content = orjson.dumps(dict(live), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    write_durably(export_dir / LIVE, content)


def record_export_error(export_dir: Path, error: str | None) -> None:
    """Say in live.json what the last export failed of, None after one that did not. Call it under the publish lock.

    A disk that takes no export may not take this either: then the log is the only place.
    """
    live = read_live(export_dir)
    if live.get("last_export_error") == error and "last_export_error" in live:
        return
    try:
        write_live(export_dir, {**live, "last_export_error": error})
    except OSError as refused:
        logger.error("the last export error could not be kept in %s (%s): %s", LIVE, refused, error)
