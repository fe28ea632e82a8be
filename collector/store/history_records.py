"""history.json from the store: one record a ticker, arrays over its last 400 closed sessions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, groupby
from operator import itemgetter, mul
from typing import Any

import pandas as pd

from collector.market.calendar import sessions_of
from collector.store.daily_features import VOLATILITY_GRADE, daily_features
from collector.store.database import Connection
from collector.store.moment import StoreMoment
from collector.store.record_sql import BATCH, expression, ticker_clocks
from exports.documents import FEATURES, HISTORY

SESSIONS_KEPT = 400
FROM_VOLATILITY = ("iv_30d", "skew_25d", "term_slope")
FROM_FEATURES = (
    "realised_volatility_20d",
    *FROM_VOLATILITY,
    "volume",
    "open_interest",
    "put_call_volume_ratio",
    "put_call_open_interest_ratio",
)
ARRAYS = tuple(field.name for field in HISTORY.fields if field.type == "array")


def clock(moment: StoreMoment) -> str:
    """Return what moves when a session ends: its date; recordings move by their scans alone."""
    if moment.market == "recorded":
        return "0"
    return f"{sessions_of(moment.market).last_closed(moment.now).date:%Y%m%d}"


def history(moment: StoreMoment) -> Iterator[dict[str, Any]]:
    """Yield one record a watched ticker.

    A session's option figures are those of its close scan, else of its last scan of grade B or better, else null; its
    close is the newest bar's. A session that has not ended is not in it.
    """
    moment.connection.register("ends", _ends(moment))
    figures = ", ".join(f'{_figure(name)} AS "{name}"' for name in FROM_FEATURES)
    rows = moment.connection.execute(
        f"""
        WITH closes AS (
            SELECT * FROM bars WHERE list_contains($watched, ticker)
            QUALIFY row_number() OVER (PARTITION BY ticker, date ORDER BY recorded_at DESC, inserted_at DESC) = 1
        ), daily AS (
            {daily_features("list_contains($watched, f.ticker)")}
        ), sessions AS (
            SELECT ticker, date FROM closes UNION SELECT ticker, market_date FROM daily
        )
        SELECT d.ticker, strftime(d.date, '%Y-%m-%d') AS dates,
               CASE WHEN isfinite(b.close) THEN b.close END AS close,
               coalesce(b.split_factor, 1.0) AS split, b.volume AS underlying_volume, {figures},
               f.grade, coalesce(f.source, b.source) AS source
        FROM sessions d JOIN ends e USING (ticker) LEFT JOIN closes b USING (ticker, date)
            LEFT JOIN daily f ON f.ticker = d.ticker AND f.market_date = d.date
        WHERE d.date <= e.last
        QUALIFY row_number() OVER (PARTITION BY d.ticker ORDER BY d.date DESC) <= {SESSIONS_KEPT}
        ORDER BY d.ticker, d.date
        """,
        {"watched": list(moment.watched)},
    )
    names = [column[0] for column in rows.description or ()]
    for ticker, days in groupby(_each(rows), key=itemgetter(names.index("ticker"))):
        columns = dict(zip(names, map(list, zip(*days, strict=True)), strict=True))
        yield _record(ticker, moment.provider, columns)


def _each(rows: Connection) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query."""
    while batch := rows.fetchmany(BATCH):
        yield from batch


def _figure(name: str) -> str:
    """Return the SQL of a session's figure."""
    text = expression(FEATURES.field(name), f"f.{name}")
    return f"CASE WHEN f.iv_grade <= '{VOLATILITY_GRADE}' THEN {text} END" if name in FROM_VOLATILITY else text


def _ends(moment: StoreMoment) -> pd.DataFrame:
    """Return for each watched ticker the date of the newest session that has ended by its clock."""
    clocks = ticker_clocks(moment.connection, moment.market, moment.now, moment.watched)
    sessions = sessions_of(moment.market)
    last = [sessions.last_closed(clocks.get(ticker, moment.now)).date for ticker in moment.watched]
    return pd.DataFrame(
        {
            "ticker": pd.Series(list(moment.watched), dtype="object"),
            "last": pd.Series(last, dtype="datetime64[s]"),
        }
    )


def _record(ticker: str, provider: str, columns: dict[str, list[Any]]) -> dict[str, Any]:
    """Return a ticker's record from the columns of its sessions; split factors accumulate from the newest one back."""
    splits = columns["split"]
    factors = accumulate(reversed(splits[1:]), mul, initial=1.0)
    arrays = {name: columns[name] for name in ARRAYS if name in columns}
    nothing: list[Any] = [None] * len(splits)
    record = {name: arrays.get(name, nothing) for name in ARRAYS} | {"split_factor": list(factors)[::-1]}
    return {"ticker": ticker, "provider": provider, **record}
