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
    columns: dict[str, Any] = {
        name: [figure for record in collected for figure in record["bars"][name]] for name in NAMES
    }
    sizes = [len(record["bars"]["date"]) for record in collected]
    columns["date"] = np.array(columns["date"], dtype="datetime64[s]")
    for name in ("ticker", "recorded_at"):
        columns[name] = np.repeat(np.array([record[name] for record in collected], dtype=object), sizes)
    return batch_of(columns)
