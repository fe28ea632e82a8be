"""What each contract of a ticker traded in this session, where that can be known: the facts that detectors judge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from collector.analytics.open_interest import open_interest_known
from collector.detectors.base import TickerView

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class ContractActivity:
    """The contracts that can be judged, as arrays of one length, in the order of the view's rows.

    ``row`` is the position in ``view.contracts``, ``chain`` in ``view.chains``. ``usual`` is the mean volume over
    ``sessions`` earlier sessions, NaN without one, in ``by_time`` of them by this time of the session. ``rest`` is how
    many times its own usual volume the rest of the ticker trades, NaN where that is not known. ``premium`` is mid times
    volume times multiplier in dollars, ``spread`` is (ask - bid) / mid.
    """

    row: Integers
    chain: Integers
    symbol: NDArray[np.object_]
    option_type: NDArray[np.object_]
    strike: Floats
    volume: Floats
    open_interest: Floats
    usual: Floats
    sessions: Floats
    by_time: Floats
    rest: Floats
    mid: Floats
    premium: Floats
    spread: Floats


def contract_activity(view: TickerView, minimum_grade: str, min_dte: int) -> ContractActivity | str:
    """Return the activity of the contracts that can be judged, or the reason code why there is none.

    A contract can be judged where its chain has ``minimum_grade`` or better, has not settled by ``view.as_of`` and
    states some open interest, ``min_dte`` days or more are left, it is not adjusted, its volume is of this session,
    and its quote is two-sided. One that is known not to have traded in this session has traded 0.
    """
    frame = view.contracts
    chain = chain_of_row(view)
    usable = np.array(
        [c.grade <= minimum_grade and c.dte >= min_dte and c.settlement_time > view.as_of for c in view.chains]
        + [False]
    )
    interest = frame["open_interest"].to_numpy(dtype=np.float64)
    untraded = frame["untraded"].to_numpy(dtype=np.bool_)
    volume = np.where(untraded, 0.0, frame["volume"].to_numpy(dtype=np.float64))
    mid = frame["mid"].to_numpy(dtype=np.float64)
    rows = usable[chain] & ~frame["adjusted"].to_numpy(dtype=np.bool_)
    stated = np.where(rows, interest, np.nan)
    for known, reason in (
        (rows, "no_usable_chain"),
        (open_interest_known(stated, np.where(chain < 0, len(view.chains), chain)), "open_interest_unknown"),
        ((frame["volume_known"].to_numpy(dtype=np.bool_) | untraded) & np.isfinite(volume), "volume_unknown"),
        (mid > 0, "no_two_sided_quote"),
    ):
        rows = rows & known
        if not rows.any():
            return reason
    row = np.flatnonzero(rows)
    usual, sessions, by_time = _history(view, row)
    multiplier = frame["multiplier"].to_numpy(dtype=np.float64)[row]
    width = frame["ask"].to_numpy(dtype=np.float64)[row] - frame["bid"].to_numpy(dtype=np.float64)[row]
    return ContractActivity(
        row=row,
        chain=chain[row],
        symbol=frame["contract_symbol"].to_numpy()[row],
        option_type=frame["option_type"].to_numpy()[row],
        strike=frame["strike"].to_numpy(dtype=np.float64)[row],
        volume=volume[row],
        open_interest=interest[row],
        usual=usual,
        sessions=sessions,
        by_time=by_time,
        rest=_rest(view, volume[row], usual),
        mid=mid[row],
        premium=mid[row] * volume[row] * multiplier,
        spread=width / mid[row],
    )


def untraded_subjects(view: TickerView, minimum_grade: str, volume_to_open_interest: float) -> frozenset[str]:
    """Return the standing subjects whose volume over open interest is known to lie below a level, quoted or not.

    What nobody bids for any more has no mid, and still shows that it does not trade.
    """
    frame = view.contracts
    if view.standing is not None and not view.standing:
        return frozenset()
    usable = np.array([c.grade <= minimum_grade and c.settlement_time > view.as_of for c in view.chains] + [False])
    interest = frame["open_interest"].to_numpy(dtype=np.float64)
    untraded = frame["untraded"].to_numpy(dtype=np.bool_)
    volume = np.where(untraded, 0.0, frame["volume"].to_numpy(dtype=np.float64))
    known = (frame["volume_known"].to_numpy(dtype=np.bool_) | untraded) & np.isfinite(volume) & np.isfinite(interest)
    rows = known & usable[chain_of_row(view)] & ~frame["adjusted"].to_numpy(dtype=np.bool_)
    rows &= volume < volume_to_open_interest * np.maximum(interest, 1.0)
    symbols = frame["contract_symbol"].to_numpy()[rows].tolist()
    return frozenset(symbol for symbol in symbols if view.matters(symbol, False))


def chain_of_row(view: TickerView) -> Integers:
    """Return the position of each row's chain in view.chains, -1 where there is none; shape (rows,)."""
    positions = {(chain.root, chain.expiration): position for position, chain in enumerate(view.chains)}
    roots, days = view.contracts["root"].to_numpy(dtype=object), view.contracts["expiration"].to_numpy(dtype=object)
    changes = (roots[1:] != roots[:-1]) | (days[1:] != days[:-1])
    begins = np.flatnonzero(np.append(True, changes)[: len(roots)])
    # The rows of a chain stand together: it is looked up once.
    found = [positions.get((roots[begin], days[begin]), -1) for begin in begins]
    return np.repeat(np.array(found, dtype=np.intp), np.diff(begins, append=len(roots)))


def _history(view: TickerView, row: Integers) -> tuple[Floats, Floats, Floats]:
    """Return each judged contract's mean volume, how many sessions are behind it, and in how many by this time."""
    usual = np.full(row.shape, np.nan)
    sessions, by_time = np.zeros(row.shape), np.zeros(row.shape)
    history = view.contract_history
    if history.empty:
        return usual, sessions, by_time
    symbols = view.contracts["contract_symbol"].to_numpy()[row]
    position = history.index.get_indexer(pd.Index(symbols))
    found = position >= 0
    usual[found] = history["mean_volume"].to_numpy(dtype=np.float64)[position[found]]
    sessions[found] = history["sessions"].to_numpy(dtype=np.float64)[position[found]]
    by_time[found] = history["by_time"].to_numpy(dtype=np.float64)[position[found]]
    sessions[~np.isfinite(usual)] = 0
    return usual, sessions, by_time


def _rest(view: TickerView, volume: Floats, usual: Floats) -> Floats:
    """Return for each judged contract the volume of all others over what they usually trade, NaN where unknown."""
    traded, mean = view.features.get("volume"), view.usual_volume
    if traded is None or mean is None:
        return np.full(volume.shape, np.nan)
    others = np.where(mean.mean - usual >= 1.0, mean.mean - usual, np.nan)
    rest: Floats = np.maximum(traded - volume, 0.0) / others
    return rest
