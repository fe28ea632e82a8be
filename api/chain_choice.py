"""Which chain a request for one chain means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from api.errors import NoSuchRecord
from api.selection import Positions, equal, select
from api.source import Export
from exports.reader import DocumentReader


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

    Where two roots share the date and none is named, the chain settled in the afternoon is meant. NoSuchRecord says
    which of the wishes no chain meets.
    """
    document, positions = chains_of(export, ticker)
    if document is None or not positions.size:
        raise NoSuchRecord(f"No chain of {ticker} is exported.", field="ticker", help="chains/ lists the chains.")
    here = f"options/{ticker}/expirations/ lists what is there."
    if root is not None:
        positions = positions[document.index.column("root")[positions] == root]
        if not positions.size:
            raise NoSuchRecord(f"No chain of {ticker} has the root {root}.", field="root", help=here)
    dates = document.index.column("expiration")[positions]
    if expiration is None:
        days = document.index.column("dte")[positions]
        expiration = str(dates[0 if dte is None else int(np.argmin(np.abs(days - dte)))])
    positions = positions[dates == expiration]
    if not positions.size:
        raise NoSuchRecord(f"No chain of {ticker} expires on {expiration}.", field="expiration", help=here)
    afternoon = positions[document.index.column("settlement")[positions] == "PM"]
    return ChosenChain(document, int((afternoon if afternoon.size else positions)[0]))
