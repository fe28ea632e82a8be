"""options/{ticker}/: the expirations of a ticker, and one chain with its contracts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from rest_framework.request import Request
from rest_framework.response import Response

from api.answers import list_answer, page_of, record_answer
from api.chain_choice import choose_chain
from api.errors import BadParameter
from api.parameters import DTE, EXPIRATION, GENERATION, PAGE, ROOT, SIDE, path_ticker
from api.schema import EXPIRATION_FIELDS, answers_list, answers_record
from api.selection import equal, select
from api.viewsets.documents import DocumentViewSet, open_request
from exports.reader import DocumentReader

COLUMN_OF_FIELD = {"grade": "quality.grade", "volume": "totals.volume", "open_interest": "totals.open_interest"}
WHOLE_NUMBERS = ("dte", "volume", "open_interest")
SNAPSHOT_PARAMETERS = (EXPIRATION, DTE, ROOT, SIDE, GENERATION)


class OptionViewSet(DocumentViewSet):
    """The option chains of one ticker."""

    @answers_list("Expiration", "Expirations of one ticker, nearest first", PAGE, path=("ticker",))
    def expirations(self, request: Request, ticker: str) -> Response:
        """Answer one row for each expiration and root, from the index alone."""
        values, export = open_request(request, PAGE)
        name = path_ticker(ticker)
        document = export.document("chains")
        conditions = [equal(document, "ticker", name)] if document is not None else []
        positions = select(document, ("expiration", "root"), *conditions)
        rows = _expiration_rows(document, page_of(positions, values)) if document is not None else []
        return list_answer(request, export, values, len(positions), rows)

    @answers_record("Snapshot", "One chain with its contracts", SNAPSHOT_PARAMETERS, path=("ticker",))
    def snapshot(self, request: Request, ticker: str) -> Response:
        """Answer one chain: the nearest expiration unless the parameters name another."""
        values, export = open_request(request, SNAPSHOT_PARAMETERS)
        if values["expiration"] is not None and values["dte"] is not None:
            raise BadParameter("expiration and dte exclude each other.", field="dte", help="Give one of the two.")
        name = path_ticker(ticker)
        chosen = choose_chain(export, name, values["expiration"], values["dte"], values["root"])
        record = chosen.document.records([chosen.position])[0]
        return record_answer(export, one_side(record, values["side"]) if values["side"] else record)


def one_side(record: bytes, side: str) -> bytes:
    """Return a chain's record with the contracts of the other side left out."""
    chain = orjson.loads(record)
    chain["puts" if side == "call" else "calls"] = []
    return orjson.dumps(chain)


def _expiration_rows(document: DocumentReader, positions: Sequence[int]) -> list[bytes]:
    columns = {name: document.index.column(COLUMN_OF_FIELD.get(name, name)) for name in EXPIRATION_FIELDS}
    return [
        orjson.dumps({name: _plain(name, column[position]) for name, column in columns.items()})
        for position in positions
    ]


def _plain(name: str, value: Any) -> Any:
    """Return an index's value as the record holds it: no NaN, whole numbers whole."""
    if value is None or isinstance(value, str):
        return value
    if np.isnan(value):
        return None
    return int(value) if name in WHOLE_NUMBERS else float(value)
