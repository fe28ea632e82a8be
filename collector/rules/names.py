"""What a condition may name: the single values of features.json, and those of chains.json after ``chain.``."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from exports.documents import CHAIN_FIELDS, FEATURE_FIELDS, Field, FieldType

ValueType = Literal["number", "text", "boolean", "date"]
Value = float | str | bool | date

CHAIN = "chain."
TYPES: dict[FieldType, ValueType] = {
    "number": "number",
    "integer": "number",
    "string": "text",
    "boolean": "boolean",
    "date": "date",
}
TYPE_WORDS: dict[ValueType, str] = {
    "number": "a number",
    "text": "a text",
    "boolean": "true or false",
    "date": "a date",
}
# Where a record comes from, or what no scan knows of a chain while it judges.
NOT_OF_FEATURES = frozenset({"provider", "feed", "scan_id", "detectors", "reasons"})
NOT_OF_CHAINS = frozenset(
    {"ticker", "provider", "feed", "scan_id", "coverage", "newest_attempt", "reasons", "calls", "puts"}
)
UNSUITED: dict[FieldType, str] = {
    "object": "holds several values; name one of them",
    "array": "is a list; a rule compares single values",
    "datetime": "is a time; a rule compares numbers, texts, true or false, and dates",
}
NOTHING = frozenset({"null", "none", "nan"})


@dataclass(frozen=True, slots=True)
class Named:
    """One value that a condition may name. ``path`` leads to it in the record; ``unit`` is its field's."""

    name: str
    type: ValueType
    path: tuple[str, ...]
    unit: str = ""
    whole: bool = False

    @property
    def of_chain(self) -> bool:
        """Whether each chain has its own."""
        return self.name.startswith(CHAIN)

    def read(self, record: Mapping[str, Any]) -> Value | None:
        """Return its value in a feature or chain record, None where that is null, missing or of another type."""
        found: Any = record
        for part in self.path:
            found = found.get(part) if isinstance(found, Mapping) else None
        return _typed(self.type, found)


def _typed(kind: ValueType, value: Any) -> Value | None:
    if kind == "number":
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if number and math.isfinite(value) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if not isinstance(value, str):
        return None
    return value if kind == "text" else as_date(value)


def as_date(text: str) -> date | None:
    """Return the date that a text such as 2026-10-29 states, None where it states none."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _walk(fields: Sequence[Field], path: tuple[str, ...], skipped: frozenset[str]) -> Iterator[tuple[str, Field]]:
    for field in fields:
        if not path and field.name in skipped:
            continue
        here = (*path, field.name)
        yield ".".join(here), field
        if field.type == "object":
            yield from _walk(field.fields, here, skipped)


_FIELDS: dict[str, Field] = {
    **dict(_walk(FEATURE_FIELDS, (), NOT_OF_FEATURES)),
    **{f"{CHAIN}{name}": field for name, field in _walk(CHAIN_FIELDS, (), NOT_OF_CHAINS)},
}
NAMES: dict[str, Named] = {
    name: Named(
        name,
        TYPES[field.type],
        tuple(name.removeprefix(CHAIN).split(".")),
        field.unit,
        whole=field.type == "integer",
    )
    for name, field in _FIELDS.items()
    if field.type in TYPES
}


def why_not(name: str) -> str:
    """Return why a name can't stand in a condition, with the nearest that can."""
    field = _FIELDS.get(name)
    if field is not None and field.type in UNSUITED:
        return f"{name} {UNSUITED[field.type]}"
    if name.lower() in NOTHING:
        return f"{name} can't stand here: a rule is not judged where a field that it names is null"
    return f"{name} is no field; the nearest is {nearest(name)}"


def nearest(name: str) -> str:
    """Return the name that is most like one that there is not: one with its last part, else one spelt like it."""
    last = name.rsplit(".", 1)[-1].lower()
    alike = [known for known in NAMES if known.rsplit(".", 1)[-1] == last]
    candidates = alike or list(NAMES)
    return difflib.get_close_matches(name.lower(), candidates, n=1, cutoff=0.0)[0]


def chain_record(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a scan's chain, as its ticker was staged, in the shape of a record of chains.json."""
    return {**row, "quality": {"grade": row.get("grade"), "facts": row.get("facts")}}
