"""Whether a record is what documents.py says: a quick check for the writer, a deep one for verify_exports."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from exports.documents import Document, Field, FieldType
from exports.index import value_at

DATE = r"\d{4}-\d{2}-\d{2}"
DATETIME = rf"{DATE}T\d{{2}}:\d{{2}}:\d{{2}}(\.\d{{1,6}})?Z"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and value == int(value)


def _matches(pattern: str) -> Callable[[Any], bool]:
    fullmatch = re.compile(pattern).fullmatch
    return lambda value: isinstance(value, str) and fullmatch(value) is not None


HAS_TYPE: dict[FieldType, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": _is_integer,
    "boolean": lambda value: isinstance(value, bool),
    "date": _matches(DATE),
    "datetime": _matches(DATETIME),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}


class RecordCheck:
    """The writer's check: top-level fields, and numbers of the index.

    Cheap on purpose. A non-finite number deeper inside is written as null by orjson, never as NaN; that the source
    gives null and a reason there is the source's duty.
    """

    def __init__(self, document: Document) -> None:
        self._names = frozenset(field.name for field in document.fields)
        self._never_null = tuple(field.name for field in document.fields if not field.nullable)
        self._numbers = tuple(field.name for field in document.fields if field.type in ("number", "integer"))
        self._deep_numbers = tuple(
            path.split(".") for path in document.index if "." in path and document.field(path).type != "string"
        )

    def fault(self, record: dict[str, Any]) -> str | None:
        """Return what is wrong with the record, None where nothing is."""
        if record.keys() != self._names:
            missing, unknown = self._names - record.keys(), record.keys() - self._names
            return "; ".join(
                f"{word} field {', '.join(sorted(map(str, names)))}"
                for word, names in (("missing", missing), ("unknown", unknown))
                if names
            )
        for name in self._never_null:
            if record[name] is None:
                return f"field {name} is null"
        for name in self._numbers:
            if _not_finite(record[name]):
                return f"field {name} is not finite"
        for path in self._deep_numbers:
            if _not_finite(value_at(record, path)):
                return f"field {'.'.join(path)} is not finite"
        return None


def _not_finite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def faults(fields: Sequence[Field], record: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield everything in the record that differs from ``fields``, members of objects and arrays included."""
    names = {field.name for field in fields}
    for name in sorted(record.keys() - names):
        yield f"{path}{name} is in no list of fields"
    for field in fields:
        if field.name not in record:
            yield f"{path}{field.name} is missing"
        else:
            yield from _value_faults(field, record[field.name], f"{path}{field.name}")


def _value_faults(field: Field, value: Any, path: str) -> Iterator[str]:
    if value is None:
        if not field.nullable:
            yield f"{path} is null"
    elif not HAS_TYPE[field.type](value):
        yield f"{path} is no {field.type}: {str(value)[:40]!r}"
    elif field.type == "object" and field.fields:
        yield from faults(field.fields, value, f"{path}.")
    elif field.type == "array" and field.items is not None:
        for place, item in enumerate(value):
            yield from _item_faults(field, field.items, item, f"{path}[{place}]")


def _item_faults(field: Field, items: FieldType, item: Any, path: str) -> Iterator[str]:
    if item is None and field.items_nullable:
        return
    if not HAS_TYPE[items](item):
        yield f"{path} is no {items}: {str(item)[:40]!r}"
    elif field.fields:
        yield from faults(field.fields, item, f"{path}.")
