"""Volume and open interest of a chain and of a ticker, and their put/call ratios.

Only what is known is summed: volume of this session (``volume_known``), and open interest of chains that state some.
Feeds write 0 for every contract before the day's open interest is there, so a chain of zeros is unknown, not empty.
Adjusted contracts deliver something else and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.intp]
Totals = tuple[dict[str, Any], dict[str, str]]
# Columns by name, one value a contract: a frame, or arrays.
Contracts = pd.DataFrame | Mapping[str, NDArray[Any]]

_RATIOS = (
    ("put_call_volume_ratio", "put_volume", "call_volume"),
    ("put_call_open_interest_ratio", "put_open_interest", "call_open_interest"),
)


def chain_totals(contracts: Contracts) -> Totals:
    """Return the totals of one chain.

    Args:
        contracts: the columns option_type, volume, volume_known, open_interest and adjusted.

    Returns:
        Every name of ``documents.CHAIN_TOTALS`` (contracts as integers, ratios as numbers or None), and for each None
        its reason: ``volume_unknown`` where no contract of that side has a known volume, ``open_interest_unknown``
        where the chain states no open interest above 0 or that side states none, ``zero_denominator``.
    """
    return _totals(contracts, None)


def ticker_totals(contracts: pd.DataFrame) -> Totals:
    """Return the totals over all chains of a ticker.

    Args:
        contracts: as for chain_totals, with the columns root and expiration beside.

    Returns:
        As chain_totals. Chains without known open interest are left out of the sums; None where no chain has any.
    """
    return _totals(contracts, chain_codes(contracts))


def chain_codes(contracts: pd.DataFrame) -> Integers:
    """Return for each row the number of its chain (root and expiration), counted from 0; shape (n,)."""
    roots, names = pd.factorize(contracts["root"].to_numpy())
    expirations, _ = pd.factorize(contracts["expiration"].to_numpy())
    codes: Integers = (expirations * max(len(names), 1) + roots).astype(np.intp)
    return codes


def open_interest_known(open_interest: Floats, codes: Integers) -> Booleans:
    """Return for each row whether its open interest is stated and its chain states any above 0; shape (n,)."""
    stated = np.isfinite(open_interest)
    if not open_interest.size:
        return stated
    some = np.bincount(codes, weights=stated & (open_interest > 0)) > 0
    known: Booleans = stated & some[codes]
    return known


def _totals(contracts: Contracts, codes: Integers | None) -> Totals:
    regular = ~np.asarray(contracts["adjusted"], dtype=np.bool_)
    calls = np.asarray(np.asarray(contracts["option_type"]) == "call", dtype=np.bool_)
    volume = np.asarray(contracts["volume"], dtype=np.float64)
    interest = np.where(regular, np.asarray(contracts["open_interest"], dtype=np.float64), np.nan)
    traded = regular & np.asarray(contracts["volume_known"], dtype=np.bool_) & np.isfinite(volume)
    held = open_interest_known(interest, np.zeros(calls.shape, dtype=np.intp) if codes is None else codes)
    totals: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    _sides(totals, reasons, "volume", calls, volume, traded)
    _sides(totals, reasons, "open_interest", calls, interest, held)
    for name, numerator, denominator in _RATIOS:
        over, under = totals[numerator], totals[denominator]
        totals[name] = over / under if over is not None and under else None
        if totals[name] is None:
            reasons[name] = reasons.get(denominator) or reasons.get(numerator) or "zero_denominator"
    return totals, reasons


def _sides(
    totals: dict[str, Any], reasons: dict[str, str], name: str, calls: Booleans, figures: Floats, known: Booleans
) -> None:
    for label, rows in ((f"call_{name}", known & calls), (f"put_{name}", known & ~calls), (name, known)):
        totals[label] = int(figures[rows].sum()) if rows.any() else None
        if totals[label] is None:
            reasons[label] = f"{name}_unknown"
