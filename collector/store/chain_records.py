"""chains.json from the store: the newest usable chain of each watched ticker, expiration and root."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd

from collector.market.calendar import sessions_of
from collector.store.record_sql import JSON_TYPES, expression, objects, ticker_clock
from exports.documents import CHAINS, CONTRACT_FIELDS, Field

if TYPE_CHECKING:
    from collector.store.export_source import StoreSnapshot

SESSIONS_KEPT = 5
CHAINS_A_QUERY = 40
NESTED = ("quality", "coverage", "newest_attempt", "calls", "puts")

_PLAIN = tuple(field for field in CHAINS.fields if field.name not in NESTED)
_CONTRACT = tuple(field for field in CONTRACT_FIELDS if field.name not in ("flags", "reasons"))
_CONTRACT_NAMES = tuple(field.name for field in _CONTRACT)


def clock(snapshot: StoreSnapshot) -> str:
    """Return what moves when a chain expires or falls out of the window: the settlements and sessions passed."""
    if snapshot.market == "recorded":
        return "0"
    dead = snapshot.connection.execute(
        "SELECT max(settlement_time) FROM chains WHERE settlement_time <= ?", [snapshot.now]
    ).fetchone()
    session = sessions_of(snapshot.market).last_closed(snapshot.now)
    return f"{session.date:%Y%m%d}.{dead[0]:%Y%m%d%H%M}" if dead and dead[0] else f"{session.date:%Y%m%d}"


def chains(snapshot: StoreSnapshot) -> Iterator[dict[str, Any]]:
    """Yield the chain records by ticker, expiration and root, contracts read for a few dozen chains at a time."""
    heads = _heads(snapshot)
    for start in range(0, len(heads), CHAINS_A_QUERY):
        batch = heads[start : start + CHAINS_A_QUERY]
        contracts = _contracts(snapshot, batch)
        for position, head in enumerate(batch):
            calls, puts = contracts.get((position, "call"), []), contracts.get((position, "put"), [])
            yield {**head, "calls": calls, "puts": puts}


def _oldest(snapshot: StoreSnapshot) -> list[tuple[str, datetime, datetime]]:
    """Return for each watched ticker its 'now' and the open of the fifth session back."""
    rows = snapshot.connection.execute(
        f"WITH clock AS ({ticker_clock(snapshot.market)}) "
        "SELECT ticker, epoch_us(now) FROM clock WHERE list_contains($watched, ticker)",
        {"now": snapshot.now, "watched": list(snapshot.watched)},
    ).fetchall()
    sessions = sessions_of(snapshot.market)
    result = []
    for ticker, micros in rows:
        now = datetime.fromtimestamp(micros / 1_000_000, tz=snapshot.now.tzinfo)
        current = sessions.session_at(now) or sessions.last_closed(now)
        result.append((ticker, now, sessions.offset(current.date, 1 - SESSIONS_KEPT).open))
    return result


def _heads(snapshot: StoreSnapshot) -> list[dict[str, Any]]:
    """Return the chosen chains without their contracts."""
    limits = pd.DataFrame(_oldest(snapshot), columns=["ticker", "now", "oldest"])
    if limits.empty:
        return []
    snapshot.connection.register("limits", limits)
    columns = ", ".join(f'{expression(field, f"k.{field.name}")} AS "{field.name}"' for field in _PLAIN)
    rows = snapshot.connection.execute(
        f"""
        WITH alive AS (
            SELECT c.*, c.grade <= 'D' AS usable
            FROM chains c JOIN limits l ON l.ticker = c.ticker
            WHERE c.settlement_time > l.now AND c.as_of >= l.oldest AND c.as_of <= l.now
        ), ranked AS (
            SELECT *, row_number() OVER (PARTITION BY ticker, expiration, root
                       ORDER BY usable DESC, as_of DESC, quote_time DESC, scan_id DESC) AS best,
                   row_number() OVER (PARTITION BY ticker, expiration, root
                       ORDER BY as_of DESC, quote_time DESC, scan_id DESC) AS newest
            FROM alive
        ), k AS (SELECT * FROM ranked WHERE best = 1)
        SELECT {columns}, k.grade AS quality_grade, k.grade_reasons, k.facts, k.listed, k.received,
               strftime(n.as_of, '%Y-%m-%dT%H:%M:%SZ') AS attempt_as_of,
               strftime(n.quote_time, '%Y-%m-%dT%H:%M:%SZ') AS attempt_quote_time, n.scan_id AS attempt_scan_id,
               n.grade AS attempt_grade, n.grade_reasons AS attempt_reasons
        FROM k LEFT JOIN ranked n ON n.newest = 1 AND k.newest <> 1
            AND n.ticker = k.ticker AND n.expiration = k.expiration AND n.root = k.root
        ORDER BY k.ticker, k.expiration, k.root
        """
    )
    heads = [_head(row) for row in objects(rows)]
    snapshot.connection.unregister("limits")
    return heads


def _head(row: dict[str, Any]) -> dict[str, Any]:
    """Return a chain's record, without contracts, from its row."""
    attempt = None
    if row["attempt_scan_id"] is not None:
        attempt = {name: row[f"attempt_{name}"] for name in ("as_of", "quote_time", "scan_id", "grade", "reasons")}
    record = {field.name: row[field.name] for field in _PLAIN}
    record["quality"] = {"grade": row["quality_grade"], "reasons": row["grade_reasons"], "facts": row["facts"]}
    record["coverage"] = {"listed": row["listed"], "received": row["received"]}
    record["newest_attempt"] = attempt
    return record


def _contracts(snapshot: StoreSnapshot, heads: list[dict[str, Any]]) -> dict[tuple[int, str], list[dict[str, Any]]]:
    """Return the contracts of a few chains by position and type, in strike order."""
    wanted = pd.DataFrame(
        [
            (position, head["scan_id"], head["ticker"], head["root"], head["expiration"])
            for position, head in enumerate(heads)
        ],
        columns=["position", "scan_id", "ticker", "root", "expiration"],
    )
    snapshot.connection.register("wanted", wanted)
    columns = ", ".join(_contract_expression(field) for field in _CONTRACT)
    rows = snapshot.connection.execute(
        f"""
        SELECT w.position, c.option_type, {columns}, c.flags, c.reasons
        FROM contracts c JOIN wanted w
          ON c.scan_id = w.scan_id AND c.ticker = w.ticker AND c.root = w.root
             AND c.expiration = CAST(w.expiration AS DATE)
        WHERE list_contains($scans, c.scan_id) AND list_contains($tickers, c.ticker)
        ORDER BY w.position, c.option_type, c.strike, c.contract_symbol
        """,
        {
            "scans": sorted({head["scan_id"] for head in heads}),
            "tickers": sorted({head["ticker"] for head in heads}),
        },
    )
    found: dict[tuple[int, str], list[dict[str, Any]]] = {}
    while batch := rows.fetchmany(2048):
        for position, option_type, *values, flags, reasons in batch:
            contract = dict(zip(_CONTRACT_NAMES, values, strict=True))
            contract["flags"] = flags
            contract["reasons"] = orjson.loads(reasons) if reasons != "{}" else {}
            found.setdefault((position, option_type), []).append(contract)
    snapshot.connection.unregister("wanted")
    return found


def _contract_expression(field: Field) -> str:
    """Return the SQL of a contract's field."""
    assert field.type not in JSON_TYPES, field.name
    return f'{expression(field, f"c.{field.name}")} AS "{field.name}"'
