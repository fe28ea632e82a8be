"""The contracts of one chain that can be traded: two-sided quotes, outside quarantine, with a delta to choose by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from collector.alerts.structures import Contract, OptionType
from collector.alerts.terminal_price import TerminalPrice, terminal_price
from collector.analytics.terms import Booleans, Floats, Integers
from collector.detectors.base import ChainView, TickerView
from collector.market.settlement import exercise_style

WORST_GRADE = "C"
NUMBERS = ("strike", "multiplier", "bid", "ask", "mid", "implied_volatility", "delta", "gamma", "theta", "vega")


@dataclass(frozen=True, slots=True)
class Band:
    """Absolute deltas around a target: the nearest to it is taken, none outside."""

    target: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class QuotedChain:
    """One chain's tradable contracts as arrays of one length, strikes ascending within a type.

    ``columns`` holds ``NUMBERS``; ``view`` is what the chain shares.
    """

    view: ChainView
    american: bool
    symbol: tuple[str, ...]
    is_call: Booleans
    columns: dict[str, Floats]

    def nearest(self, option_type: OptionType, band: Band, beyond: float | None = None) -> Contract | None:
        """Return the contract whose absolute delta is nearest to the band's target; None where the band is empty.

        Args:
            option_type: call or put.
            band: absolute deltas.
            beyond: where given, a strike that the contract's has to lie further out of the money than.
        """
        delta, strike = np.abs(self.columns["delta"]), self.columns["strike"]
        fits = self._of_type(option_type) & (delta >= band.low) & (delta <= band.high)
        if beyond is not None:
            fits &= strike > beyond if option_type == "call" else strike < beyond
        return self._least(fits, np.abs(delta - band.target))

    def at(self, option_type: OptionType, strike: float) -> Contract | None:
        """Return the contract of a type and strike, None where it can't be traded."""
        return self._least(self._of_type(option_type) & (self.columns["strike"] == strike), self.columns["strike"])

    def by_symbol(self, symbol: str) -> Contract | None:
        """Return a contract, None where it can't be traded."""
        return self.contract(self.symbol.index(symbol)) if symbol in self.symbol else None

    def strikes(self, option_type: OptionType) -> Floats:
        """Return the strikes of a type, ascending."""
        return self.columns["strike"][self._of_type(option_type)]

    def at_the_money(self, band: Band) -> tuple[Contract, Contract] | None:
        """Return the call and the put of the strike nearest to the forward that has both, the call's delta in a band.

        None where no strike has both, or there is no forward.
        """
        if not self.view.forward:
            return None
        both = np.intersect1d(self.strikes("call"), self.strikes("put"))
        if not both.size:
            return None
        strike = float(both[np.argmin(np.abs(np.log(both / self.view.forward)))])
        call, put = self.at("call", strike), self.at("put", strike)
        if call is None or put is None or not band.low <= call.delta <= band.high:
            return None
        return call, put

    def terminal_price(self) -> TerminalPrice | None:
        """Return the distribution of the price at settlement, None without a forward or a volatility at it."""
        view = self.view
        if not view.forward or not view.atm_iv or not view.tenor:
            return None
        return terminal_price(view.forward, view.atm_iv, view.tenor, view.analytics.get("smile"))

    def contract(self, place: int) -> Contract:
        """Return the contract at a place."""
        numbers = {name: float(column[place]) for name, column in self.columns.items()}
        return Contract(self.symbol[place], "call" if self.is_call[place] else "put", **numbers)

    def _of_type(self, option_type: OptionType) -> Booleans:
        return self.is_call if option_type == "call" else ~self.is_call

    def _least(self, fits: Booleans, by: Floats) -> Contract | None:
        """Return the contract of least ``by`` among those that fit; of equals the first."""
        places = np.flatnonzero(fits)
        return self.contract(int(places[np.argmin(by[places])])) if places.size else None


def usable_chains(view: TickerView) -> list[ChainView]:
    """Return the chains that structures may be built from: grade C or better, and not settled."""
    return [one for one in view.chains if one.grade <= WORST_GRADE and one.settlement_time > view.as_of]


def quoted_chain(view: TickerView, chain: ChainView) -> QuotedChain:
    """Return the tradable contracts of a chain of the view."""
    frame = view.contracts
    of_root = (frame["root"] == chain.root).to_numpy(dtype=np.bool_)
    rows = np.flatnonzero(of_root & (frame["expiration"] == chain.expiration).to_numpy(dtype=np.bool_))
    columns = {name: _numbers(frame, name, rows) for name in NUMBERS}
    is_call = (frame["option_type"].to_numpy()[rows] == "call").astype(np.bool_)
    regular = ~frame["adjusted"].to_numpy(dtype=np.bool_)[rows]
    tradable = _tradable(columns, regular, is_call)
    symbols = frame["contract_symbol"].to_numpy()[rows[tradable]]
    return QuotedChain(
        view=chain,
        american=exercise_style(chain.root, view.ticker) == "american",
        symbol=tuple(symbols.tolist()),
        is_call=is_call[tradable],
        columns={name: column[tradable] for name, column in columns.items()},
    )


def _numbers(frame: pd.DataFrame, name: str, rows: Integers) -> Floats:
    """Return a column's rows, NaN where the frame has no such column."""
    if name not in frame:
        return np.full(rows.shape, np.nan)
    return np.asarray(frame[name].to_numpy(dtype=np.float64)[rows], dtype=np.float64)


def _tradable(columns: dict[str, Floats], regular: Booleans, is_call: Booleans) -> Integers:
    """Return the places of the contracts that can be traded, strikes ascending within a type.

    Those with another multiplier than most stay out: a structure is of one deliverable.
    """
    bid, ask, delta = columns["bid"], columns["ask"], columns["delta"]
    fits = (
        regular
        & (bid > 0)
        & (ask >= bid)
        & np.isfinite(columns["mid"])
        & (columns["strike"] > 0)
        & (columns["multiplier"] > 0)
    )
    fits &= np.where(is_call, delta > 0, delta < 0)
    multipliers, counts = np.unique(columns["multiplier"][fits], return_counts=True)
    if multipliers.size:
        fits &= columns["multiplier"] == multipliers[np.argmax(counts)]
    places = np.flatnonzero(fits)
    ordered: Integers = places[np.lexsort((columns["strike"][places], ~is_call[places]))]
    return ordered
