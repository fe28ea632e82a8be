"""Whose volume a contract's volume is: Yahoo leaves that of the day on which a contract last traded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
TimeArray = npt.NDArray[np.datetime64]


def volume_known(
    numbers: dict[str, FloatArray],
    last_trade: TimeArray,
    in_session: BoolArray,
    symbols: Sequence[str],
    earlier: pd.DataFrame | None,
) -> BoolArray:
    """Say whose volume is this session's.

    Yahoo leaves the volume of the day on which a contract last traded. It is this session's where the last trade lies
    in it; without that time, where the change is not 0; without both, where volume or last price differs from the
    newest scan of an earlier session. A stated 0 is a fact of any session.
    """
    volume, change = numbers["volume"], numbers["change"]
    known = in_session.copy()
    by_change = np.isnat(last_trade) & ~np.isnan(change)
    known[by_change] = change[by_change] != 0
    blind = np.isnat(last_trade) & np.isnan(change)
    if blind.any() and earlier is not None and len(earlier):
        before = earlier.drop_duplicates("contract_symbol").set_index("contract_symbol").reindex(list(symbols))
        was_there = before.index.isin(earlier["contract_symbol"])
        moved = _differs(volume, before["volume"].to_numpy(dtype=float)) | _differs(
            numbers["last_price"], before["last_price"].to_numpy(dtype=float)
        )
        known[blind] = (was_there & moved)[blind]
    known |= volume == 0
    return np.asarray(known & ~np.isnan(volume), dtype=bool)


def untraded(change: FloatArray, last_trade: TimeArray, opened: TimeArray) -> BoolArray:
    """Say which contracts did not trade in this session: their last trade is older, or nothing changed."""
    before = ~np.isnat(last_trade) & (last_trade < opened)
    return np.asarray(before | (np.isnat(last_trade) & (change == 0)), dtype=bool)


def _differs(now: FloatArray, before: FloatArray) -> BoolArray:
    """Say where two columns differ, NaN being equal to NaN."""
    return np.asarray((now != before) & ~(np.isnan(now) & np.isnan(before)), dtype=bool)
