"""The legs that trade together: a contract whose volume another one shows too is likely half of a strategy.

- spread: the same expiration and type at another strike
- roll: the same strike and type in another expiration
- straddle: the same strike and expiration of the other type

Both have to stand out among their neighbouring strikes: where all of a chain trades, some volumes are equal by chance.
What is rarer by chance is looked for first: a straddle, then a roll, then a spread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from collector.detectors.base import TickerView
from collector.detectors.contract_activity import chain_of_row

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.intp]
Pattern = Literal["spread", "roll", "straddle"]

# How many times the median volume of the nearest strikes of its chain and type a leg shows at least.
STANDS_OUT = 2.0
NEIGHBOURS = 4


@dataclass(frozen=True, slots=True)
class Legs:
    """A pattern and the symbols of its contracts, the one that was asked for first."""

    pattern: Pattern
    symbols: tuple[str, ...]


class TradedTogether:
    """The contracts of a ticker that traded ``least`` or more in this session, to look for the other leg of one.

    Volumes within ``tolerance`` (a ratio of the larger) of each other count as the same.
    """

    def __init__(self, view: TickerView, least: float, tolerance: float) -> None:
        frame = view.contracts
        known = frame["volume_known"].to_numpy(dtype=np.bool_) & ~frame["adjusted"].to_numpy(dtype=np.bool_)
        chain = chain_of_row(view)
        self._tolerance = tolerance
        self._symbols = frame["contract_symbol"].to_numpy()
        self._volume: Floats = np.where(known & (chain >= 0), frame["volume"].to_numpy(dtype=np.float64), 0.0)
        # Chain and type in one number: calls are odd.
        self._group: Integers = 2 * chain + (frame["option_type"].to_numpy() == "call")
        self._strike: Floats = frame["strike"].to_numpy(dtype=np.float64)
        rows = np.flatnonzero(self._volume >= least * (1.0 - tolerance))
        self._rows: Integers = rows[np.argsort(self._volume[rows], kind="stable")]
        self._sorted: Floats = self._volume[self._rows]
        self._outstanding: dict[int, bool] = {}

    def of(self, row: int) -> Legs | None:
        """Return the pattern that the contract of a row (of the view's contracts) is a leg of, None without one."""
        if not self._stands_out(row):
            return None
        volume, group = float(self._volume[row]), int(self._group[row])
        first = np.searchsorted(self._sorted, volume * (1.0 - self._tolerance), side="left")
        last = np.searchsorted(self._sorted, volume / (1.0 - self._tolerance), side="right")
        near = self._rows[first:last]
        groups, strikes = self._group[near], self._strike[near] == self._strike[row]
        ways: dict[Pattern, Booleans] = {
            "straddle": strikes & (groups == group ^ 1),
            "roll": strikes & (groups != group) & (groups % 2 == group % 2),
            "spread": ~strikes & (groups == group),
        }
        for pattern, fits in ways.items():
            others = [other for other in near[fits].tolist() if other != row and self._stands_out(other)]
            if others:
                symbol = str(self._symbols[min(others, key=lambda other: self._distance(row, other))])
                return Legs(pattern, (str(self._symbols[row]), symbol))
        return None

    def _distance(self, row: int, other: int) -> tuple[float, float, str]:
        """Return how far apart two contracts are: in volume, then in strike; of equals the symbol decides."""
        apart = abs(self._strike[other] - self._strike[row])
        return abs(self._volume[other] - self._volume[row]), apart, str(self._symbols[other])

    def _stands_out(self, row: int) -> bool:
        if row not in self._outstanding:
            # Those of the same volume are the other legs of more than two.
            apart = np.abs(self._volume - self._volume[row]) > self._tolerance * self._volume[row]
            beside = np.flatnonzero((self._group == self._group[row]) & apart)
            away = np.abs(self._strike[beside] - self._strike[row])
            nearest = beside[np.argsort(away, kind="stable")[:NEIGHBOURS]]
            usual = float(np.median(self._volume[nearest])) if nearest.size else 0.0
            self._outstanding[row] = bool(self._volume[row] >= STANDS_OUT * usual)
        return self._outstanding[row]
