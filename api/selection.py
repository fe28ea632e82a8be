"""Which records a list holds, and in which order: numpy over the index's columns, no record is parsed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from exports.documents import DOCUMENTS
from exports.reader import DocumentReader

Positions = npt.NDArray[np.intp]

# Orders of a document are computed once for its content, whatever generation refers to it.
_KEPT_ORDERS = 64
_orders: OrderedDict[tuple[str, str, tuple[str, ...]], Positions] = OrderedDict()
_lock = threading.Lock()


def equal(document: DocumentReader, column: str, value: str) -> npt.NDArray[np.bool_]:
    """Return, for each record, whether ``column`` is ``value``."""
    return np.asarray(document.index.column(column) == value, dtype=bool)


def at_least(document: DocumentReader, column: str, value: float) -> npt.NDArray[np.bool_]:
    """Return, for each record, whether ``column`` is ``value`` or more; a missing number is not."""
    return np.asarray(document.index.column(column) >= value, dtype=bool)


def select(document: DocumentReader | None, order: Sequence[str], *conditions: npt.NDArray[np.bool_]) -> Positions:
    """Return the positions of the records that meet all ``conditions``, in ``order``.

    ``order`` names columns, "-" before one for descending; the document's identity is added as the last keys, so
    that an order never leaves two records undecided. Without a document there are no positions.
    """
    if document is None:
        return np.empty(0, dtype=np.intp)
    positions = _ordered(document, order)
    for condition in conditions:
        positions = positions[condition[positions]]
    return positions


def _ordered(document: DocumentReader, order: Sequence[str]) -> Positions:
    named = {key.lstrip("-") for key in order}
    keys = (*order, *(name for name in DOCUMENTS[document.name].identity if name not in named))
    cache_key = (document.name, document.sha256, keys)
    with _lock:
        found = _orders.get(cache_key)
        if found is not None:
            _orders.move_to_end(cache_key)
            return found
    positions = np.lexsort([_ranks(document, key) for key in reversed(keys)])
    with _lock:
        _orders[cache_key] = positions
        while len(_orders) > _KEPT_ORDERS:
            _orders.popitem(last=False)
    return positions


def _ranks(document: DocumentReader, key: str) -> npt.NDArray[np.float64]:
    """Return numbers that sort as the column does, missing values last in both directions."""
    column = document.index.column(key.lstrip("-"))
    if column.dtype == object:
        missing = np.array([value is None for value in column], dtype=bool)
        texts = np.array(["" if value is None else value for value in column], dtype=str)
        ranks: npt.NDArray[Any] = np.unique(texts, return_inverse=True)[1].astype(float)
    else:
        ranks = column.astype(float)
        missing = np.isnan(ranks)
    ranks = -ranks if key.startswith("-") else ranks
    return np.where(missing, np.inf, ranks)
