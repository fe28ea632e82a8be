"""Option symbols as the OCC writes them, the roots of a ticker, and what makes a contract non-standard."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from exports.tickers import INDEX_ROOTS

_SYMBOL = re.compile(r"(?P<root>[A-Z0-9]+) *(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d)(?P<side>[CP])(?P<strike>\d{8})")
_ROOT = re.compile(r"(?=\d*[A-Z])[A-Z0-9]{1,6}")
_CENTURY = 2000
_THOUSANDTHS = 1000
_MAX_THOUSANDTHS = 99_999_999
_STANDARD_SIZE = 100
_ROUNDING = 1e-4
_SHOWN = 40

_DEFAULT_INDEX_ROOTS = {"^SPX": "SPXW", "^NDX": "NDXP", "^VIX": "VIX", "^RUT": "RUTW", "^XSP": "XSP"}


class ContractError(ValueError):
    """A text or terms that make no option symbol; the message is one line that names them."""


@dataclass(frozen=True, slots=True)
class OccSymbol:
    """The terms that an OCC symbol states; ``strike`` in dollars."""

    root: str
    expiration: date
    option_type: Literal["call", "put"]
    strike: float


def parse_occ(symbol: str) -> OccSymbol:
    """Return the terms of an OCC symbol, compact (AAPL260116C00150000) or padded (AAPL  260116C00150000).

    Read from the right, where each part has a fixed width: eight digits of strike in thousandths, C or P, YYMMDD; the
    rest is the root, digits included (AMD1). Lower case is accepted.

    Raises:
        ContractError: the text is no such symbol; the message names it and the part at fault.
    """
    match = _SYMBOL.fullmatch(symbol.strip().upper()) if symbol.isascii() else None
    if match is None:
        raise _unreadable(symbol, "write root, YYMMDD, C or P, and eight digits of strike, such as AAPL260116C00150000")
    if _ROOT.fullmatch(match["root"]) is None:
        raise _unreadable(symbol, f"the root {match['root']!r} is not one to six letters and digits")
    try:
        expiration = date(_CENTURY + int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError as error:
        raise _unreadable(symbol, f"{match['year']}{match['month']}{match['day']} is no date") from error
    thousandths = int(match["strike"])
    if thousandths == 0:
        raise _unreadable(symbol, "the strike is 0")
    return OccSymbol(
        root=match["root"],
        expiration=expiration,
        option_type="call" if match["side"] == "C" else "put",
        strike=thousandths / _THOUSANDTHS,
    )


def build_occ(root: str, expiration: date, option_type: Literal["call", "put"], strike: float) -> str:
    """Return the compact OCC symbol of these terms; ``strike`` in dollars.

    Raises:
        ContractError: a root, year, type or strike that the symbol has no room for.
    """
    if _ROOT.fullmatch(root) is None:
        raise ContractError(f"root {root!r} must be one to six capital letters and digits")
    if not _CENTURY <= expiration.year < _CENTURY + 100:
        raise ContractError(f"expiration {expiration} must lie in 2000 to 2099")
    if option_type not in ("call", "put"):
        raise ContractError(f"option_type {option_type!r} must be call or put")
    side = "C" if option_type == "call" else "P"
    return f"{root}{expiration:%y%m%d}{side}{_thousandths(strike):08d}"


def roots(ticker: str) -> tuple[str, ...]:
    """Return the roots under which standard contracts of the canonical ticker are listed (BRK-B: BRKB)."""
    return INDEX_ROOTS.get(ticker) or (re.sub(r"[^A-Z0-9]", "", ticker),)


def default_root(ticker: str) -> str:
    """Return the root to assume where a feed gives no symbols: of an index the one settled in the afternoon.

    VIX has only roots settled in the morning; its monthly one is taken.
    """
    return _DEFAULT_INDEX_ROOTS.get(ticker) or roots(ticker)[0]


def is_adjusted(ticker: str, root: str, contract_size: int | None) -> bool:
    """Return whether a contract does not deliver the standard 100 of the canonical ticker.

    So it is with a root that ends in a digit (AMD1) or is not the ticker's own, and with a stated size other than 100.
    A size that is not stated (None) says nothing.
    """
    return root[-1:].isdigit() or root not in roots(ticker) or contract_size not in (None, _STANDARD_SIZE)


def _thousandths(strike: float) -> int:
    thousandths = round(strike * _THOUSANDTHS) if math.isfinite(strike) else 0
    if not 0 < thousandths <= _MAX_THOUSANDTHS:
        raise ContractError(f"strike {strike} must be a number from 0.001 to 99999.999")
    if abs(strike * _THOUSANDTHS - thousandths) > _ROUNDING:
        raise ContractError(f"strike {strike} must have at most three decimals")
    return thousandths


def _unreadable(symbol: str, reason: str) -> ContractError:
    shown = symbol if len(symbol) <= _SHOWN else symbol[:_SHOWN] + "…"
    return ContractError(f"{shown!r} is not an OCC option symbol: {reason}")
