"""Rows of a scan as the join appends them, written out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from collector.market.rates import constant
from collector.pipeline.analyse import Fetched, analyse, normalise_fetched
from collector.pipeline.staged_contracts import ticker_contracts
from collector.pipeline.ticker_record import full_record
from collector.providers.base import OptionChain, Provider
from collector.store.records import Provenance, append
from collector.store.staging import Staging
from exports.folders import MarketFolder

MOMENT = datetime(2026, 3, 24, 16, 45, tzinfo=UTC)


def provenance(scan_id: str = "scan-1", provider: str = "demo") -> Provenance:
    return Provenance(scan_id, provider, "demo", MOMENT)


def stage(
    folder: MarketFolder,
    scan_id: str,
    fetched: Fetched,
    provider: Provider,
    earlier: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Put a ticker into the staging of a scan as the collector does; return its record."""
    staging = Staging(folder, scan_id)
    normalised = normalise_fetched(fetched, provider, earlier)
    analysis = analyse(normalised, fetched.events, constant(0.04), provider.sessions())
    record = full_record(fetched, analysis, provider.feed)
    staging.write_contracts([ticker_contracts(analysis, record, scan_id)])
    staging.write_record(fetched.ticker, record)
    staging.close()
    return record


def contract_row(
    day: date, symbol: str, volume: int | None, *, known: bool = True, hour: int = 16, **changes: Any
) -> dict[str, Any]:
    """Return a contract of one scan of a session: quoted at ``hour`` UTC and recorded then."""
    moment = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    return {
        "ticker": "ZZTA",
        "root": "ZZTA",
        "as_of": moment,
        "market_date": day,
        "expiration": date(2026, 6, 19),
        "contract_symbol": symbol,
        "option_type": "call",
        "strike": 100.0,
        "multiplier": 100,
        "adjusted": False,
        "volume": volume,
        "volume_known": known,
        "untraded": False,
        "recorded_at": moment,
        "reasons": {},
        **changes,
    }


def append_contract_rows(
    connection: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]], scan_id: str = "scan-1"
) -> None:
    """Append contract rows; their flags are empty."""
    append(connection, "contracts", [{**row, "flags": []} for row in rows], provenance(scan_id).columns)


def alert_row(key: str, kind: str, at: datetime, revision: int, **changes: Any) -> dict[str, Any]:
    """Return an alert event of ZZTA; its record holds what the life of an alert needs."""
    stamp = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    row = {
        "event_id": f"{key}-{kind}-{revision}",
        "store_revision": revision,
        "scan_id": f"scan-{revision}",
        "provider": "demo",
        "alert_id": key,
        "key": key,
        "ticker": "ZZTA",
        "kind": kind,
        "happened_at": at,
        "market_date": at.date(),
        "alert": {
            "id": key,
            "key": key,
            "provider": "demo",
            "ticker": "ZZTA",
            "detector": "low_iv",
            "subject": "",
            "direction": "neutral",
            "state": kind,
            "session": f"{at:%Y-%m-%d}",
            "first_scan_id": f"scan-{revision}",
            "last_scan_id": f"scan-{revision}",
            "first_seen": stamp,
            "last_seen": stamp,
            "reason": "It is low.",
            "trigger": {"metric": "iv_rank", "value": 4.0, "threshold": 10.0, "comparison": "<="},
            "metrics": {},
            "revision": revision,
        },
        "source": "demo",
        "recorded_at": at,
        "inserted_at": at,
    }
    return row | changes


def days_before(day: date, count: int) -> list[date]:
    """Return ``count`` weekdays before a date, newest first."""
    found: list[date] = []
    while len(found) < count:
        day -= timedelta(days=1)
        if day.weekday() < 5:
            found.append(day)
    return found


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def fetched_of(ticker: str, chains: Sequence[OptionChain], spot: Any, **more: Any) -> Fetched:
    return Fetched(ticker, spot, tuple(chain.expiration for chain in chains), list(chains), **more)
