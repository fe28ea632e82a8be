"""A ticker's dated facts: what the provider states now, with those that came with its bars before."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson

from collector.providers.base import Event, Provider
from exports.durable_files import write_durably
from exports.folders import MarketFolder

logger = logging.getLogger(__name__)


def corporate_events(folder: MarketFolder, provider: Provider, ticker: str) -> tuple[Event, ...]:
    """Return the events known of the ticker.

    A provider that pays for calls states dividends and splits with its bars, which a close scan fetches: they are
    kept, and of one kind and date what was stated last counts.

    Raises:
        ProviderError: the provider could not answer.
    """
    stated = provider.events(ticker)
    if not provider.pays_per_expiration:
        return stated
    path = folder.data_dir / "cache" / "events" / folder.market / f"{ticker}.json"
    merged = {(event.kind, event.date): event for event in _kept(path) if event.kind != "earnings"}
    before = dict(merged)
    merged.update({(event.kind, event.date): event for event in stated if event.kind != "earnings"})
    if merged != before:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(path, orjson.dumps([asdict(event) for event in merged.values()]))
    return (*(event for event in stated if event.kind == "earnings"), *merged.values())


def _kept(path: Path) -> tuple[Event, ...]:
    """Return what the provider stated before; () where that is nothing, or can't be read."""
    try:
        return tuple(Event(**_typed(event)) for event in orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return ()
    except (ValueError, TypeError, KeyError) as error:
        logger.warning("The events kept in %s can't be read, the next close scan fetches them anew: %s", path, error)
        return ()


def _typed(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event's members as they were before they became JSON."""
    return {
        **event,
        "date": date.fromisoformat(event["date"]),
        "known_at": datetime.fromisoformat(event["known_at"]),
        "time": datetime.fromisoformat(event["time"]) if event["time"] else None,
    }
