"""chains.json from the store: the newest usable chain of each watched ticker, expiration and root."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from itertools import pairwise
from operator import itemgetter
from typing import Any

import numpy as np
import orjson
import pandas as pd

from collector.market.calendar import sessions_of
from collector.store.database import EXPORT_MEMORY_LIMIT, Connection
from collector.store.moment import StoreMoment
from collector.store.record_sql import RFC_3339, expression, objects, rounded, ticker_clocks
from exports.documents import CHAIN_ANALYTICS, CHAIN_TOTALS, CHAINS, CONTRACT_FIELDS, QUALITY_FACTS, Field

SESSIONS_KEPT = 5
CONTRACTS_A_QUERY = 12000
# Enough for so many contracts; more would only cache pages that are read once.
STREAM_MEMORY_LIMIT = "60MB"
# What the joins already ask, as ranges: DuckDB skips the blocks that lie outside them.
WITHIN = "c.scan_id BETWEEN $first_scan AND $last_scan AND c.ticker BETWEEN $first_ticker AND $last_ticker"
NESTED = ("analytics", "dividends", "quality", "coverage", "newest_attempt", "calls", "puts")

_PLAIN = tuple(field for field in CHAINS.fields if field.name not in NESTED)
_NAMES = tuple(field.name for field in CHAINS.fields)
_DIVIDENDS = CHAINS.field("dividends").fields
# JSON text of the contracts by the chain's position and type.
Contracts = dict[tuple[int, str], orjson.Fragment]
_NONE = orjson.Fragment("[]")
# Of a chain that was recorded before there were analytics.
_NO_ANALYTICS = orjson.Fragment(orjson.dumps(dict.fromkeys(field.name for field in CHAIN_ANALYTICS)))


def clock(moment: StoreMoment) -> str:
    """Return what moves when a chain expires or falls out of the window: the settlements passed, the session begun."""
    if moment.market == "recorded":
        return "0"
    dead = moment.connection.execute(
        "SELECT max(settlement_time) FROM chains WHERE settlement_time <= ?", [moment.now]
    ).fetchone()
    sessions = sessions_of(moment.market)
    session = sessions.session_at(moment.now) or sessions.last_closed(moment.now)
    return f"{session.date:%Y%m%d}.{dead[0]:%Y%m%d%H%M}" if dead and dead[0] else f"{session.date:%Y%m%d}"


def chains(moment: StoreMoment) -> Iterator[dict[str, Any]]:
    """Yield the chain records by ticker, expiration and root, read a few at a time: memory stays flat."""
    _choose(moment)
    moment.connection.execute(f"SET memory_limit = '{STREAM_MEMORY_LIMIT}'")
    for heads, contracts in _read_ahead(moment):
        for position, head in enumerate(heads):
            calls, puts = contracts.get((position, "call"), _NONE), contracts.get((position, "put"), _NONE)
            record = {**head, "calls": calls, "puts": puts}
            yield {name: record[name] for name in _NAMES}
    moment.connection.execute(f"SET memory_limit = '{EXPORT_MEMORY_LIMIT}'")


def _read_ahead(moment: StoreMoment) -> Iterator[tuple[list[dict[str, Any]], Contracts]]:
    """Yield a few chains at a time with their contracts; those of the next few are read while the last are written.

    The contracts come through a second connection to the same open store, which no one writes to meanwhile.
    """
    with closing(moment.connection.cursor()) as second, ThreadPoolExecutor(1, thread_name_prefix="contracts") as reader:
        second.execute("USE store")
        waiting: deque[tuple[list[dict[str, Any]], Future[Contracts]]] = deque()
        for first, last in _spans(moment):
            heads = _heads(moment, first, last)
            waiting.append((heads, reader.submit(_contracts, second, heads)))
            if len(waiting) > 1:
                ready, contracts = waiting.popleft()
                yield ready, contracts.result()
        for ready, contracts in waiting:
            yield ready, contracts.result()


def _oldest(moment: StoreMoment) -> list[tuple[str, datetime, datetime]]:
    """Return for each watched ticker its 'now' and the open of the fifth session back."""
    sessions = sessions_of(moment.market)
    result = []
    for ticker, now in ticker_clocks(moment.connection, moment.market, moment.now, moment.watched).items():
        current = sessions.session_at(now) or sessions.last_closed(now)
        result.append((ticker, now, sessions.offset(current.date, 1 - SESSIONS_KEPT).open))
    return result


def _spans(moment: StoreMoment) -> list[tuple[int, int]]:
    """Return the first and the last position of the chosen chains that are read together: of so many contracts."""
    rows = moment.connection.execute("SELECT position, received FROM chosen ORDER BY position").fetchall()
    spans: list[tuple[int, int]] = []
    contracts = 0
    for position, received in rows:
        if not spans or contracts + received > CONTRACTS_A_QUERY:
            spans.append((position, position))
            contracts = 0
        spans[-1] = (spans[-1][0], position)
        contracts += received
    return spans


def _choose(moment: StoreMoment) -> None:
    """Put the chosen chains into the temporary table ``chosen``, numbered in their order.

    Of each ticker, expiration and root the newest usable one, else the newest; ``attempt_`` columns tell of a newer
    one that was worse. The table holds their keys, not what they hold: it stays in memory while they are read.
    """
    limits = pd.DataFrame(_oldest(moment), columns=["ticker", "now", "oldest"])
    if limits.empty:
        moment.connection.execute("CREATE OR REPLACE TEMP TABLE chosen AS SELECT 0 AS position, 0 AS received LIMIT 0")
        return
    moment.connection.register("limits", limits)
    moment.connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE chosen AS
        WITH alive AS (
            SELECT c.scan_id, c.ticker, c.expiration, c.root, c.as_of, c.quote_time, c.grade, c.grade_reasons,
                   c.received, c.grade <= 'D' AS usable
            FROM chains c JOIN limits l ON l.ticker = c.ticker
            WHERE c.settlement_time > l.now AND c.as_of >= l.oldest AND c.as_of <= l.now
        ), ranked AS (
            SELECT *, row_number() OVER (PARTITION BY ticker, expiration, root
                       ORDER BY usable DESC, as_of DESC, quote_time DESC, scan_id DESC) AS best,
                   row_number() OVER (PARTITION BY ticker, expiration, root
                       ORDER BY as_of DESC, quote_time DESC, scan_id DESC) AS newest
            FROM alive
        )
        SELECT row_number() OVER (ORDER BY k.ticker, k.expiration, k.root) - 1 AS position,
               k.scan_id, k.ticker, k.expiration, k.root, k.received,
               n.as_of AS attempt_as_of, n.quote_time AS attempt_quote_time, n.scan_id AS attempt_scan_id,
               n.grade AS attempt_grade, n.grade_reasons AS attempt_reasons
        FROM (SELECT * FROM ranked WHERE best = 1) k LEFT JOIN ranked n ON n.newest = 1 AND k.newest <> 1
            AND n.ticker = k.ticker AND n.expiration = k.expiration AND n.root = k.root
        """
    )
    moment.connection.unregister("limits")


def _heads(moment: StoreMoment, first: int, last: int) -> list[dict[str, Any]]:
    """Return a few of the chosen chains, without their contracts."""
    columns = ", ".join(f'{expression(field, f"c.{field.name}")} AS "{field.name}"' for field in _PLAIN)
    (span,) = moment.connection.execute(
        """
        SELECT {'first_scan': min(scan_id), 'last_scan': max(scan_id),
                'first_ticker': min(ticker), 'last_ticker': max(ticker)}
        FROM chosen WHERE position BETWEEN ? AND ?
        """,
        [first, last],
    ).fetchall()[0]
    rows = moment.connection.execute(
        f"""
        SELECT k.position, {columns}, c.grade AS quality_grade, c.grade_reasons, c.facts, c.listed, c.received,
               c.dividends, CAST(c.analytics AS VARCHAR) AS analytics,
               strftime(k.attempt_as_of, '{RFC_3339}') AS attempt_as_of,
               strftime(k.attempt_quote_time, '{RFC_3339}') AS attempt_quote_time,
               k.attempt_scan_id, k.attempt_grade, k.attempt_reasons
        FROM chains c JOIN chosen k USING (scan_id, ticker, root, expiration)
        WHERE k.position BETWEEN $first AND $last AND {WITHIN}
        """,
        {"first": first, "last": last, **span},
    )
    # Sorted here: DuckDB would hold all the texts at once for it.
    return [_head(row) for row in sorted(objects(rows), key=itemgetter("position"))]


def _head(row: dict[str, Any]) -> dict[str, Any]:
    """Return a chain's record, without contracts, from its row."""
    attempt = None
    if row["attempt_scan_id"] is not None:
        attempt = {name: row[f"attempt_{name}"] for name in ("as_of", "quote_time", "scan_id", "grade", "reasons")}
    record = {field.name: row[field.name] for field in _PLAIN}
    record["totals"] = rounded(CHAIN_TOTALS, row["totals"])
    # The analysis wrote it in the document's digits: it passes as it is.
    record["analytics"] = _NO_ANALYTICS if row["analytics"] == "{}" else orjson.Fragment(row["analytics"])
    record["dividends"] = [rounded(_DIVIDENDS, dividend) for dividend in row["dividends"] or ()]
    facts = rounded(QUALITY_FACTS, row["facts"])
    record["quality"] = {"grade": row["quality_grade"], "reasons": row["grade_reasons"], "facts": facts}
    record["coverage"] = {"listed": row["listed"], "received": row["received"]}
    record["newest_attempt"] = attempt
    return record


def _contracts(connection: Connection, heads: list[dict[str, Any]]) -> Contracts:
    """Return the contracts of a few chains by position and type, in strike order, as JSON text that DuckDB wrote."""
    wanted = pd.DataFrame(
        [
            (position, head["scan_id"], head["ticker"], head["root"], head["expiration"])
            for position, head in enumerate(heads)
        ],
        columns=["position", "scan_id", "ticker", "root", "expiration"],
    )
    connection.register("wanted", wanted)
    members = ", ".join(f"'{field.name}': {_contract_expression(field)}" for field in CONTRACT_FIELDS)
    rows = connection.execute(
        f"""
        SELECT w.position, c.option_type = 'put' AS put, c.strike, c.contract_symbol AS symbol,
               CAST(to_json({{{members}}}) AS VARCHAR) AS text
        FROM contracts c JOIN wanted w
          ON c.scan_id = w.scan_id AND c.ticker = w.ticker AND c.root = w.root
             AND c.expiration = CAST(w.expiration AS DATE)
        WHERE {WITHIN}
        """,
        {
            "first_scan": min(head["scan_id"] for head in heads),
            "last_scan": max(head["scan_id"] for head in heads),
            "first_ticker": min(head["ticker"] for head in heads),
            "last_ticker": max(head["ticker"] for head in heads),
        },
    )
    columns = rows.fetchnumpy()
    connection.unregister("wanted")
    position, put, strike, symbol, text = (
        np.asarray(columns[name]) for name in ("position", "put", "strike", "symbol", "text")
    )
    if not position.size:
        return {}
    # Sorted here: DuckDB would hold all the texts at once for it.
    order = np.lexsort((symbol.astype(np.str_), strike, put, position))
    position, put, text = position[order], put[order], text[order]
    begins = np.flatnonzero(np.diff(2 * position + put, prepend=-1)).tolist()
    return {
        (int(position[begin]), "put" if put[begin] else "call"): orjson.Fragment(f"[{','.join(text[begin:end])}]")
        for begin, end in pairwise([*begins, len(position)])
    }


def _contract_expression(field: Field) -> str:
    """Return the SQL of a contract's field."""
    assert field.type != "object" or field.name == "reasons", field.name
    return expression(field, f"c.{field.name}")
