"""Values of Yahoo's JSON: what is stated and finite, else None; what has the wrong shape is a BadAnswer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from collector.providers.base import BadAnswer, ProviderError, RateLimited, TickerNotFound, Unauthorised

ERRORS: dict[str, type[ProviderError]] = {
    "not found": TickerNotFound,
    "unauthorized": Unauthorised,
    "forbidden": Unauthorised,
    "too many requests": RateLimited,
}


# Beyond what any market states; sums and products of numbers below stay finite, sums of counts fit 64 bits.
MAX_NUMBER = 1e15
MAX_COUNT = 10**12


def number(value: Any) -> float | None:
    """Return a stated number below 1e15 in size; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < MAX_NUMBER else None


def whole(value: Any) -> int | None:
    """Return a stated count from 0 to 10**12; else None."""
    count = number(value)
    return None if count is None or not 0 <= count <= MAX_COUNT else int(count)


def text(value: Any) -> str | None:
    """Return a stated, non-empty text; else None."""
    return value if isinstance(value, str) and value else None


def moment(value: Any) -> datetime | None:
    """Return an epoch in seconds as UTC; None where it is not stated or not above 0 (Yahoo's "never")."""
    seconds = number(value)
    if seconds is None or not 0 < seconds < 1e11:
        return None
    return datetime.fromtimestamp(seconds, tz=UTC)


def refuse_error(envelope: Mapping[str, Any], what: str) -> None:
    """Raise the error that a 200 carries inside, as ``{"result": null, "error": {"code", "description"}}``."""
    error = envelope.get("error")
    if not error:
        return
    code = str(error.get("code", "")) if isinstance(error, Mapping) else str(error)
    description = str(error.get("description", "")) if isinstance(error, Mapping) else ""
    raise ERRORS.get(code.lower(), BadAnswer)(f"Yahoo's {what} answer says {code}: {description}".rstrip(": "))


def utc_date(value: Any, name: str) -> date:
    """Return the UTC date of an epoch, which expirations are; BadAnswer where it is none."""
    at = moment(value)
    if at is None:
        raise BadAnswer(f"Yahoo's answer holds {value!r} as {name}, not an epoch in seconds")
    return at.date()


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    """Return an object; BadAnswer naming ``name`` where it is none."""
    if not isinstance(value, Mapping):
        raise BadAnswer(f"Yahoo's answer holds no {name}")
    return value


def listing(holder: Mapping[str, Any], name: str) -> list[Any]:
    """Return the list ``name``, empty where it is left out; BadAnswer where it is something else."""
    value = holder.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadAnswer(f"Yahoo's answer holds {name} that is no list")
    return value
