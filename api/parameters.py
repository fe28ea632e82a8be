"""Query parameters: each declared once, with how it is read and what the schema says of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from api.errors import BadParameter
from exports.tickers import TickerError, canonical

# Read by DRF's content negotiation on every address.
FORMAT = "format"

# What float() also takes is no number of a query: nan, 1_0, other scripts' digits, blanks around it.
NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[-+]?[0-9]{1,3})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter. ``read`` turns its text into a value, or raises ValueError with what would do."""

    name: str
    read: Callable[[str], Any]
    help: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})
    default: Any = None

    def openapi(self) -> OpenApiParameter:
        """Return what the OpenAPI schema says of it."""
        return OpenApiParameter(self.name, type=self.schema, description=self.help, default=self.default)


def read_parameters(request: Request, declared: Iterable[Parameter]) -> dict[str, Any]:
    """Return each declared parameter's value; BadParameter names one that is unknown, doubled or unreadable."""
    parameters = {parameter.name: parameter for parameter in declared}
    given = request.query_params
    for name in given:
        if name not in parameters and name != FORMAT:
            offered = ", ".join(sorted(parameters)) or "none"
            raise BadParameter(
                f"{name} is not a parameter of this address.", field=name, help=f"Parameters here: {offered}."
            )
        if len(given.getlist(name)) > 1:
            raise BadParameter(f"{name} is given more than once.", field=name, help="Give it once.")
    values: dict[str, Any] = {}
    for name, parameter in parameters.items():
        text = given.get(name)
        values[name] = parameter.default if text is None else _read(parameter, text)
    return values


def _read(parameter: Parameter, text: str) -> Any:
    try:
        return parameter.read(text)
    except ValueError as error:
        shown = text if len(text) <= 60 else text[:57] + "..."
        raise BadParameter(
            f"{parameter.name}={shown} cannot be read.", field=parameter.name, help=str(error)
        ) from error


def read_ticker(text: str) -> str:
    """Return the canonical ticker: SPX, _SPX and ^SPX are one."""
    return canonical(text)


def path_ticker(text: str) -> str:
    """Return the canonical ticker of a path; BadParameter where the text is none."""
    try:
        return canonical(text)
    except TickerError as error:
        raise BadParameter(str(error), field="ticker", help="A ticker looks like AAPL, BRK-B or ^SPX.") from error


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from ``low`` to ``high``."""

    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(f"Give a whole number from {low} to {high}.")
        return int(text)

    return read


def number(low: float, high: float) -> Callable[[str], float]:
    """Return a reader of finite numbers from ``low`` to ``high``."""

    def read(text: str) -> float:
        if not NUMBER.fullmatch(text) or not low <= float(text) <= high:
            raise ValueError(f"Give a number from {low:g} to {high:g}.")
        return float(text)

    return read


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a reader that takes one of ``choices``."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"Give one of: {', '.join(choices)}.")
        return text

    return read


def read_date(text: str) -> str:
    """Return a date as the documents write it, YYYY-MM-DD."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError("Give a date as YYYY-MM-DD.")
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ValueError("Give a date of the calendar as YYYY-MM-DD.") from error


def _root(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]{1,6}", text):
        raise ValueError("Give an option root, such as SPXW.")
    return text.upper()


def _generation(text: str) -> str:
    if not re.fullmatch(r"\d{8}T\d{6}Z-\d{6,}", text):
        raise ValueError("Give a generation as the answers name it, such as 20260127T120000Z-000042.")
    return text


GENERATION = Parameter(
    "generation", _generation, "Answer from this generation, as long as it is kept; `next` carries it."
)
LIMIT = Parameter(
    "limit",
    whole_number(1, 500),
    "Results a page.",
    {"type": "integer", "minimum": 1, "maximum": 500},
    default=50,
)
OFFSET = Parameter(
    "offset",
    whole_number(0, 10**9),
    "Results to leave out before the first.",
    {"type": "integer", "minimum": 0},
    default=0,
)
TICKER = Parameter("ticker", read_ticker, "Only this ticker; SPX, ^SPX and _SPX are one.")
MIN_SCORE = Parameter(
    "min_score",
    number(0, 100),
    "Only alerts of at least this score.",
    {"type": "number", "minimum": 0, "maximum": 100},
)
KIND = Parameter(
    "kind",
    one_of("detector", "provider", "field", "reason"),
    "Only records of this kind.",
    {"type": "string", "enum": ["detector", "provider", "field", "reason"]},
)
EXPIRATION = Parameter("expiration", read_date, "This expiration.", {"type": "string", "format": "date"})
DTE = Parameter(
    "dte",
    whole_number(0, 5000),
    "The expiration nearest to this many days.",
    {"type": "integer", "minimum": 0, "maximum": 5000},
)
ROOT = Parameter("root", _root, "The chain of this option root; the default is the one settled in the afternoon.")
SIDE = Parameter("side", one_of("call", "put"), "Only calls or only puts.", {"type": "string", "enum": ["call", "put"]})

PAGE = (LIMIT, OFFSET, GENERATION)
