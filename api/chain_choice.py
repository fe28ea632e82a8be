"""Which chain a request for one chain means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from api.errors import NoSuchRecord, exported
from api.selection import Positions, equal, select
from api.source import Export, no_ticker
from exports.reader import DocumentReader

# A chain without a contract outside quarantine never has a better one.
WORST_GRADE = "F"


@dataclass(frozen=True, slots=True)
class ChosenChain:
    """One chain of chains.json: the document and the record's position in it."""

    document: DocumentReader
    position: int


def chains_of(export: Export, ticker: str) -> tuple[DocumentReader | None, Positions]:
    """Return chains.json and the positions of the ticker's chains: by expiration, then root."""
    document = export.document("chains")
    conditions = [equal(document, "ticker", ticker)] if document is not None else []
    return document, select(document, ("expiration", "root"), *conditions)


def choose_chain(
    export: Export, ticker: str, expiration: str | None = None, dte: int | None = None, root: str | None = None
) -> ChosenChain:
    """Return the ticker's chain of ``expiration``, or of the one nearest to ``dte`` days, else the nearest of all.

    A chain whose contracts are all in quarantine is meant only where no other meets the wishes. Of several roots on
    one date it is the one settled in the afternoon, then the one with more contracts outside quarantine, then the
    first by name. NoSuchRecord says which of the wishes no chain meets.
    """
    document, positions = chains_of(export, ticker)
    if document is None or not positions.size:
        raise no_ticker(document, f"No chain of {ticker} is exported.")
    if root is not None:
        positions = _narrowed(document, positions, "root", root, f"No chain of {ticker} has the root {root}.")
    if expiration is not None:
        missing = f"No chain of {ticker} expires on {expiration}."
        positions = _narrowed(document, positions, "expiration", expiration, missing)
    positions = _with_contracts(document, positions)
    days = document.index.column("dte")[positions]
    nearest = 0 if dte is None else int(np.argmin(np.abs(days - dte)))
    return ChosenChain(document, _of_one_date(document, positions[days == days[nearest]]))


def _narrowed(document: DocumentReader, positions: Positions, column: str, value: str, missing: str) -> Positions:
    """Return the positions whose ``column`` is ``value``; NoSuchRecord says ``missing`` and what is there."""
    values = document.index.column(column)[positions]
    if value not in values:
        raise NoSuchRecord(missing, field=column, help=exported(values))
    narrowed: Positions = positions[values == value]
    return narrowed


def _with_contracts(document: DocumentReader, positions: Positions) -> Positions:
    """Return the positions of the chains with contracts outside quarantine; all of them where none has any."""
    grades = document.index.column("quality.grade")[positions]
    suspects = grades == WORST_GRADE
    counts = _regular_contracts(document, positions[suspects])
    keep = np.ones(len(positions), dtype=bool)
    keep[suspects] = [count > 0 for count in counts]
    return positions[keep] if keep.any() else positions


def _of_one_date(document: DocumentReader, positions: Positions) -> int:
    """Return the position that is meant of several roots on one date."""
    if len(positions) == 1:
        return int(positions[0])
    counts = _regular_contracts(document, positions)
    settlements = document.index.column("settlement")
    roots = document.index.column("root")
    ranked = zip(positions, counts, strict=True)
    return int(min(ranked, key=lambda one: (settlements[one[0]] != "PM", -one[1], roots[one[0]]))[0])


def _regular_contracts(document: DocumentReader, positions: Positions) -> Sequence[int]:
    """Return how many contracts outside quarantine each chain holds: in the record only, so few are read."""
    records = document.records([int(position) for position in positions])
    return [orjson.loads(record)["quality"]["facts"]["contracts"] for record in records]
