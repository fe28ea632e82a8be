"""A ticker's contracts as the staging keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from collector.analytics.greeks import GREEK_NAMES
from collector.pipeline.analyse import OFTEN_UNSTATED, Analysis
from collector.pipeline.volatility import (
    COMPUTED,
    IV_NAMES,
    row_reasons,
)
from collector.store.contract_columns import TickerContracts

# Columns that the staging keeps in another form, or once for all rows.
REWRITTEN = frozenset({"ticker", "expiration", "last_trade_time", "flags", "reasons"})


def ticker_contracts(analysis: Analysis, record: Mapping[str, Any], scan_id: str) -> TickerContracts:
    """Return a ticker's rows as the staging keeps them; ``record`` is the ticker's."""
    shared = {
        "scan_id": scan_id,
        "ticker": record["ticker"],
        "feed": record["feed"],
        "source": record["feed"],
        "recorded_at": record["recorded_at"],
    }
    return TickerContracts(record["ticker"], staged_contracts(analysis), shared)


def staged_contracts(analysis: Analysis) -> dict[str, npt.NDArray[Any]]:
    """Return the columns that rows do not share: see TickerContracts.

    Reasons are JSON text, dates midnights: what DuckDB reads fast.
    """
    heads = analysis.normalised.chains
    sizes = [head.stop - head.start for head in heads]

    def spread(values: Sequence[Any], kind: str) -> npt.NDArray[Any]:
        """Repeat each chain's value over its rows."""
        return np.repeat(np.array(values, dtype=kind), sizes)

    def times(name: str) -> npt.NDArray[Any]:
        """Repeat a moment of each chain over its rows."""
        return spread([getattr(head.moment, name).replace(tzinfo=None) for head in heads], "datetime64[us]")

    frame = analysis.normalised.contracts
    computed, flags, reasons = _computed_columns(analysis)
    prices = [np.nan if head.underlying.price is None else head.underlying.price for head in heads]
    return {
        **{str(name): column.to_numpy() for name, column in frame.items() if name not in REWRITTEN},
        "last_trade_time": frame["last_trade_time"].dt.tz_localize(None).to_numpy(),
        "expiration": spread([head.expiration for head in heads], "datetime64[s]"),
        "as_of": times("as_of"),
        "quote_time": times("quote_time"),
        "market_date": spread([head.moment.market_date for head in heads], "datetime64[s]"),
        "dte": spread([head.dte for head in heads], "int64"),
        "grade": spread([graded.grade for graded in analysis.grades], "object"),
        "underlying_price": spread(prices, "float64"),
        **computed,
        "flags": np.array([",".join(own) for own in flags], dtype=object),
        "reasons": np.array([orjson.dumps(own).decode() if own else "{}" for own in reasons], dtype=object),
    }


def _computed_columns(analysis: Analysis) -> tuple[dict[str, Any], list[list[str]], list[dict[str, str]]]:
    """Return the computed columns, and each row's flags and reasons with those that they bring."""
    frame, found = analysis.normalised.contracts, analysis.found
    flags, reasons = list(frame["flags"]), list(frame["reasons"])
    for position, own in _unstated_here(analysis):
        reasons[position] = reasons[position] | own
    if found is None:
        return {name: np.full(len(frame), np.nan) for name in COMPUTED}, flags, reasons
    computed = {name: getattr(found.computed, name) for name in IV_NAMES}
    computed |= {name: getattr(found.computed.greeks, name) for name in GREEK_NAMES}
    for name, marked in (("iv_from_other_side", found.computed.from_other_side), ("arbitrage", found.at_fault)):
        for position in np.flatnonzero(marked).tolist():
            flags[position] = [*flags[position], name]
    heads = [analysis.normalised.chains[place] for place in found.chains]
    for position, own in row_reasons(found, np.concatenate([np.arange(head.start, head.stop) for head in heads])):
        reasons[position] = reasons[position] | own
    return computed, flags, reasons


def _unstated_here(analysis: Analysis) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row that lacks columns which its chain's feed states of others, and the reasons of these."""
    frame = analysis.normalised.contracts
    lacks = np.zeros(len(frame), dtype=np.int64)
    for bit, name in enumerate(OFTEN_UNSTATED):
        missing = np.array(frame[name].isna(), dtype=np.bool_)
        for head, unstated in zip(analysis.normalised.chains, analysis.unstated, strict=True):
            if name in unstated:
                missing[head.start : head.stop] = False
        lacks |= missing.astype(np.int64) << bit
    reasons = {
        kind: {name: "not_stated" for bit, name in enumerate(OFTEN_UNSTATED) if kind >> bit & 1}
        for kind in np.unique(lacks).tolist()
    }
    positions = np.flatnonzero(lacks)
    for position, kind in zip(positions.tolist(), lacks[positions].tolist(), strict=True):
        yield position, reasons[kind]
