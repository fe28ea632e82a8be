"""The figures of single sessions and scans, as outcomes look at them, and the splits between sessions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

import duckdb
import pandas as pd

from collector.alerts.outcomes import Standing
from collector.store.daily_features import daily_features
from collector.store.json_rows import json_rows

# A ticker's session, and a scan's ticker.
Day = tuple[str, date]
OfScan = tuple[str, str]
Key = TypeVar("Key")


def features_of_scans(connection: duckdb.DuckDBPyConnection, scans: Iterable[OfScan]) -> dict[OfScan, dict[str, Any]]:
    """Return the features of single tickers of single scans, with scan_id and ticker among them."""
    listed = sorted(scans)
    rows = json_rows(
        connection,
        "features",
        "SELECT {columns} FROM features t WHERE list_contains($scans, t.scan_id) AND list_contains($tickers, t.ticker)",
        {"scans": sorted({scan for scan, _ in listed}), "tickers": sorted({ticker for _, ticker in listed})},
    )
    found = {(row["scan_id"], row["ticker"]): row for row in rows}
    return {key: found[key] for key in listed if key in found}


def standing_features(
    connection: duckdb.DuckDBPyConnection, provider: str, days: Iterable[Day], known_at: datetime
) -> dict[Day, dict[str, Any]]:
    """Return the features that stand for tickers' sessions, those that are known."""
    wanted = pd.DataFrame(sorted(days), columns=["ticker", "day"])
    wanted["day"] = wanted["day"].astype("datetime64[s]")
    connection.register("wanted_days", wanted)
    known = daily_features(
        "f.provider = $provider AND f.recorded_at <= $known_at "
        "AND (f.ticker, f.market_date) IN (SELECT ticker, CAST(day AS DATE) FROM wanted_days)"
    )
    rows = json_rows(
        connection,
        "features",
        f"SELECT {{columns}} FROM ({known}) t",
        {"provider": provider, "known_at": known_at},
    )
    connection.unregister("wanted_days")
    return {(row["ticker"], date.fromisoformat(row["market_date"])): row for row in rows}


def with_chains(
    connection: duckdb.DuckDBPyConnection, rows: Mapping[Key, Mapping[str, Any]], symbols: set[str]
) -> dict[Key, Standing]:
    """Return features with their scans' at-the-money volatilities, and the mids of the contracts asked for."""
    scans = sorted({row["scan_id"] for row in rows.values()})
    chains = connection.execute(
        "SELECT scan_id, ticker, expiration, root, atm_iv FROM chains WHERE list_contains(?, scan_id)", [scans]
    ).fetchall()
    volatilities: dict[OfScan, dict[str, float | None]] = {}
    for scan_id, ticker, expiration, root, sigma in chains:
        volatilities.setdefault((scan_id, ticker), {})[f"{expiration}:{root}"] = sigma
    mids: dict[OfScan, dict[str, float]] = {}
    if symbols:
        for scan_id, ticker, symbol, mid in connection.execute(
            "SELECT scan_id, ticker, contract_symbol, mid FROM contracts WHERE list_contains(?, scan_id) "
            "AND list_contains(?, contract_symbol) AND mid IS NOT NULL AND isfinite(mid)",
            [scans, sorted(symbols)],
        ).fetchall():
            mids.setdefault((scan_id, ticker), {})[symbol] = mid
    return {
        key: Standing(
            date.fromisoformat(row["market_date"]),
            row,
            volatilities.get((row["scan_id"], row["ticker"]), {}),
            mids.get((row["scan_id"], row["ticker"]), {}),
        )
        for key, row in rows.items()
    }


def known_splits(
    connection: duckdb.DuckDBPyConnection, provider: str, known_at: datetime
) -> dict[str, dict[date, float]]:
    """Return the splits that are known, by ticker and first session."""
    rows = connection.execute(
        """
        SELECT ticker, date, arg_max(split_factor, (recorded_at, inserted_at)) AS factor FROM bars
        WHERE provider = ? AND recorded_at <= ? GROUP BY ticker, date HAVING factor <> 1.0 ORDER BY ticker, date
        """,
        [provider, known_at],
    ).fetchall()
    found: dict[str, dict[date, float]] = {}
    for ticker, day, factor in rows:
        found.setdefault(ticker, {})[day] = factor
    return found


def split_between(splits: Mapping[date, float], after: date, until: date) -> float:
    """Return the product of the ratios of splits after a session, through another."""
    factor = 1.0
    for day, ratio in splits.items():
        if after < day <= until:
            factor *= ratio
    return factor
