"""A ticker's daily bars as its record keeps them, a list a column, and those of a scan as the store takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

import numpy as np

from collector.providers.base import Bar
from collector.store.records import Batch, batch_of

NAMES = tuple(one.name for one in fields(Bar))


def staged_bars(bars: Sequence[Bar]) -> dict[str, list[Any]]:
    """Return the columns of bars."""
    return {name: list(map(attrgetter(name), bars)) for name in NAMES}


def bars_of(collected: Sequence[dict[str, Any]]) -> Batch:
    """Return the bars of all records of a scan."""
    staged = [_in_columns(record["bars"]) for record in collected]
    columns: dict[str, Any] = {name: [figure for bars in staged for figure in bars[name]] for name in NAMES}
    sizes = [len(bars["date"]) for bars in staged]
    columns["date"] = np.array(columns["date"], dtype="datetime64[s]")
    for name in ("ticker", "recorded_at"):
        columns[name] = np.repeat(np.array([record[name] for record in collected], dtype=object), sizes)
    return batch_of(columns)


def _in_columns(bars: dict[str, list[Any]] | list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return the bars a list a column; an older version, whose scan was never joined, staged an object a bar."""
    return {name: [bar[name] for bar in bars] for name in NAMES} if isinstance(bars, list) else bars
