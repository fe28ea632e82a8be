"""The two kinds of answer: a page of a list, and one record. Both are made of the records' own bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from django.utils.http import urlencode
from rest_framework.request import Request
from rest_framework.response import Response

from api.selection import Positions
from api.source import Export


def page_of(positions: Positions, values: dict[str, Any]) -> list[int]:
    """Return the positions of the page that ``limit`` and ``offset`` ask for."""
    start = values["offset"]
    return [int(position) for position in positions[start : start + values["limit"]]]


def list_answer(
    request: Request, export: Export, values: dict[str, Any], count: int, records: Sequence[bytes]
) -> Response:
    """Return the list envelope around ``records``, which are one page of ``count`` results."""
    limit, offset = values["limit"], values["offset"]
    head = {
        "count": count,
        "next": _page_url(request, export, offset + limit, limit) if offset + limit < count else None,
        "previous": _page_url(request, export, max(0, offset - limit), limit) if offset else None,
        "export_timestamp": export.timestamp,
        "generation": export.name,
        "provider": export.provider,
        "stale": export.stale,
    }
    body = b"".join((orjson.dumps(head)[:-1], b',"results":[', b",\n".join(records), b"]}"))
    return _with_headers(Response(body), export)


def record_answer(export: Export, record: bytes) -> Response:
    """Return one record's bytes."""
    return _with_headers(Response(record), export)


def _page_url(request: Request, export: Export, offset: int, limit: int) -> str:
    """Return the address of another page, of the same generation."""
    query: dict[str, str | int] = {name: request.query_params[name] for name in request.query_params}
    query |= {"limit": limit, "offset": offset, "generation": export.name or ""}
    if not offset:
        del query["offset"]
    return request.build_absolute_uri(f"{request.path}?{urlencode(query)}")


def _with_headers(response: Response, export: Export) -> Response:
    """Say in headers, too, what the bytes come from: a single record has no envelope."""
    if export.generation is not None:
        response["X-Generation"] = export.generation.name
        response["X-Export-Timestamp"] = export.generation.export_timestamp
    response["X-Provider"] = export.provider
    response["X-Stale"] = "true" if export.stale else "false"
    return response
