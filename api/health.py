"""The two probes: the process answers, and it has documents to answer from."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from api.source import open_export


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Answer 200: the process takes requests."""
    return _answer({"status": "live"}, 200)


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 where a generation of the documents can be read, else 503."""
    export = open_export()
    body = {"generation": export.name, "stale": export.stale}
    if export.generation is None:
        return _answer({"status": "not ready", "reason": "Nothing has been exported yet.", **body}, 503)
    return _answer({"status": "ready", **body}, 200)


def _answer(body: dict[str, Any], status: int) -> HttpResponse:
    return HttpResponse(orjson.dumps(body), status=status, content_type="application/json")
