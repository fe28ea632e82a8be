"""Tickers: the one spelling that the store, the documents and every input use.

Upper case; a share class after a hyphen (BRK-B); an index behind a caret (^SPX). Providers translate into their own
spellings at their own door.
"""

from __future__ import annotations

import re

INDEX_ROOTS: dict[str, tuple[str, ...]] = {
    "^SPX": ("SPX", "SPXW"),
    "^NDX": ("NDX", "NDXP"),
    "^VIX": ("VIX", "VIXW"),
    "^RUT": ("RUT", "RUTW"),
    "^XSP": ("XSP",),
}
"""Index families by canonical ticker, with the option roots that are listed on each."""

_INDEX_OF_ROOT = {root: index for index, family in INDEX_ROOTS.items() for root in family}

_TICKER = re.compile(r"(?P<index>[\^_]?)(?P<symbol>[A-Z][A-Z0-9]{0,9})(?:(?P<mark>[-./])(?P<suffix>[A-Z0-9]{1,4}))?")
_SEPARATORS = re.compile(r"[,\s]+")
_SHOWN = 40


class TickerError(ValueError):
    """A text that is no ticker; the message is one line that names it and says what a ticker looks like."""

    def __init__(self, text: str) -> None:
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
        super().__init__(f"{shown!r} is not a ticker: write one such as AAPL, BRK-B or ^SPX")


def canonical(text: str) -> str:
    """Return the canonical spelling of a ticker as people and feeds write it.

    BRK.B, BRK/B and brk-b are BRK-B; SPX, _SPX, ^SPX and the root SPXW are ^SPX. A suffix of two letters and more
    behind a dot names a foreign exchange and keeps its dot (SAP.DE). Canonical tickers come back as they are.

    Raises:
        TickerError: the text is empty or no ticker.
    """
    stripped = text.strip()
    match = _TICKER.fullmatch(stripped.upper()) if stripped.isascii() else None
    if match is None:
        raise TickerError(text)
    symbol, suffix = match["symbol"], match["suffix"]
    if suffix is None:
        return _INDEX_OF_ROOT.get(symbol) or (f"^{symbol}" if match["index"] else symbol)
    if match["index"]:
        raise TickerError(text)
    mark = "." if match["mark"] == "." and len(suffix) > 1 else "-"
    return f"{symbol}{mark}{suffix}"


def canonical_list(text: str) -> tuple[str, ...]:
    """Return the tickers of a list separated by commas or spaces: canonical, in order, each once.

    An empty text gives an empty tuple.

    Raises:
        TickerError: one of them is no ticker.
    """
    return tuple(dict.fromkeys(canonical(part) for part in _SEPARATORS.split(text) if part))
