"""What every viewset over the published documents shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from api.answers import list_answer, page_of
from api.errors import NoSuchRecord
from api.parameters import Parameter, read_parameters
from api.renderers import BrowsableRenderer
from api.selection import equal, select
from api.source import Export, no_ticker, open_export
from exports.reader import DocumentReader

Condition = Callable[[DocumentReader], npt.NDArray[np.bool_]]


class DocumentViewSet(ViewSet):
    """A viewset that reads one generation of the documents, and no database."""

    def perform_authentication(self, request: Request) -> None:
        """Leave the user to whoever asks for it: an open read in JSON needs none, so it makes no query."""
        if isinstance(request.accepted_renderer, BrowsableRenderer):
            # The page asks which forms this user may see, by trying their methods: too late to read a session.
            super().perform_authentication(request)


def open_request(request: Request, declared: Sequence[Parameter]) -> tuple[dict[str, Any], Export]:
    """Return the parameters of a request, and the export that its ``generation`` names, else the current one."""
    values = read_parameters(request, declared)
    return values, open_export(values.get("generation"))


def answer_page(
    request: Request,
    export: Export,
    values: dict[str, Any],
    document_name: str,
    order: Sequence[str],
    *conditions: Condition,
    row: Callable[[bytes], bytes] | None = None,
) -> Response:
    """Return one page of a document's records that meet all ``conditions``, each shortened by ``row`` where given."""
    document = export.document(document_name)
    met = [condition(document) for condition in conditions] if document is not None else []
    positions = select(document, order, *met)
    page = page_of(positions, values)
    records = document.records(page) if document is not None and page else []
    return list_answer(request, export, values, len(positions), [row(record) for record in records] if row else records)


def find_record(export: Export, document_name: str, column: str, value: str, missing: str) -> bytes:
    """Return the bytes of the record whose ``column`` is ``value``; NoSuchRecord says ``missing``."""
    document = export.document(document_name)
    if document is not None:
        found = np.flatnonzero(equal(document, column, value))
        if found.size:
            return document.records([int(found[0])])[0]
    if column == "ticker":
        raise no_ticker(document, missing)
    raise NoSuchRecord(missing, field=column, help=f"/api/v1/{document_name}/ lists what there is.")


def column_is(column: str, value: str | None) -> list[Condition]:
    """Return the condition that ``column`` is ``value``; none where there is no value to hold it against."""
    return [] if value is None else [lambda document: equal(document, column, value)]
