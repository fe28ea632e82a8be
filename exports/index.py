"""The index beside each document: its columns, and where each record lies, so that no reader parses the document."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from exports.documents import DOCUMENTS, Document

INDEX_VERSION = 1
NUMERIC = frozenset({"number", "integer", "boolean"})

Column = npt.NDArray[np.float64] | npt.NDArray[np.object_]


class IndexReadError(Exception):
    """An index that cannot be read or does not fit its document."""


class IndexBuilder:
    """Collects columns and places while a document is written.

    Columns are flat lists, places 8-byte integers: a few bytes a record, whatever the record's size.
    """

    def __init__(self, document: Document, generation: str) -> None:
        self._document = document
        self._generation = generation
        self._paths = [(name, name.split(".")) for name in document.index]
        self._columns: dict[str, list[Any]] = {name: [] for name in document.index}
        self._offsets = array("q")
        self._lengths = array("q")

    @property
    def count(self) -> int:
        """Return how many records were added."""
        return len(self._offsets)

    def add(self, record: dict[str, Any], offset: int, length: int) -> None:
        """Add a record whose ``length`` bytes begin at ``offset`` of the document."""
        for name, path in self._paths:
            self._columns[name].append(value_at(record, path))
        self._offsets.append(offset)
        self._lengths.append(length)

    def shift(self, distance: int) -> None:
        """Move every record by ``distance`` bytes, as when the document's head grew."""
        self._offsets = array("q", (offset + distance for offset in self._offsets))

    def dump(self, errors: Sequence[dict[str, Any]]) -> bytes:
        """Return the index as JSON. ``errors`` are the document's, so that no reader parses it for them."""
        return orjson.dumps(
            {
                "index_version": INDEX_VERSION,
                "document": self._document.name,
                "generation": self._generation,
                "count": self.count,
                "errors": list(errors),
                "columns": self._columns,
                "offset": self._offsets.tolist(),
                "length": self._lengths.tolist(),
            }
        )


def value_at(record: dict[str, Any], path: Sequence[str]) -> Any:
    """Return the value at ``path`` of a record, None where a member on the way is null or absent."""
    value: Any = record
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


@dataclass(frozen=True, slots=True)
class Index:
    """A loaded index: ``count`` records, ``offset`` and ``length`` of each in bytes, its columns as arrays."""

    document: str
    generation: str
    count: int
    errors: list[dict[str, Any]]
    columns: dict[str, Column]
    offset: list[int]
    length: list[int]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return tuple(self.columns)

    def column(self, name: str) -> Column:
        """Return a column of ``count`` values; KeyError where there is none of that name.

        Numbers, integers and booleans are float64 with NaN for null; texts, dates and times objects: str or None.
        """
        return self.columns[name]

    def agrees(self, name: str, position: int, record: dict[str, Any]) -> bool:
        """Return whether the column's value at ``position`` is the record's."""
        told, found = value_at(record, name.split(".")), self.columns[name][position]
        return told is None if found is None or found != found else bool(told == found)


def load_index(content: bytes) -> Index:
    """Read an index; raise IndexReadError where it is none, of another version, or of uneven length."""
    try:
        told: dict[str, Any] = orjson.loads(content)
        if told["index_version"] != INDEX_VERSION:
            raise ValueError(f"index_version {told['index_version']}, this reader knows {INDEX_VERSION}")
        document = DOCUMENTS[told["document"]]
        count = told["count"]
        sequences = [*told["columns"].values(), told["offset"], told["length"]]
        if any(len(values) != count for values in sequences):
            raise ValueError(f"columns of uneven length for {count} records")
        # What an earlier version wrote lacks the columns that came since: null there, until the next export.
        absent = [None] * count
        if missing := [name for name in document.identity if name not in told["columns"]]:
            raise KeyError(missing[0])
        columns = {name: _column(document, name, told["columns"].get(name, absent)) for name in document.index}
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise IndexReadError(f"not an index ({type(error).__name__}: {error})") from None
    return Index(document.name, told["generation"], count, told["errors"], columns, told["offset"], told["length"])


def _column(document: Document, name: str, values: list[Any]) -> Column:
    if document.field(name).type in NUMERIC:
        return np.array(values, dtype=np.float64)
    column = np.empty(len(values), dtype=np.object_)
    column[:] = values
    return column
