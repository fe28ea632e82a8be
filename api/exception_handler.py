"""From an exception to the answer that tells it: every error under /api/ passes here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import ApiError, error_body
from api.renderers import BrowsableRenderer, JSONBytesRenderer

logger = logging.getLogger(__name__)


def answer(error: Exception, context: Mapping[str, Any]) -> Response:
    """Return the response to ``error``: DRF's exception handler. What nobody expected is logged and answers 500."""
    request = context.get("request")
    if request is not None:
        _choose_renderer(request)
    known = _as_api_exception(error)
    if known is None:
        logger.error("%s failed", getattr(request, "path", "a request"), exc_info=error)
        body = error_body("error", "The server failed to answer this request.")
        return Response(body, status=status.HTTP_500_INTERNAL_SERVER_ERROR)
    code, message, field = _first_detail(known)
    if isinstance(known, ApiError):
        field = known.field
    body = error_body(code, message, field, getattr(known, "help", ""))
    return Response(body, status=known.status_code, headers=_headers(known))


def _choose_renderer(request: Request) -> None:
    """Answer in JSON where the request was to be answered in a form that holds no error: YAML, a template, none."""
    if not isinstance(getattr(request, "accepted_renderer", None), (JSONBytesRenderer, BrowsableRenderer)):
        request.accepted_renderer = JSONBytesRenderer()
        request.accepted_media_type = JSONBytesRenderer.media_type


def _as_api_exception(error: Exception) -> exceptions.APIException | None:
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    return None


def _first_detail(error: exceptions.APIException) -> tuple[str, str, str | None]:
    """Return code, message and field of the first detail: serializers nest theirs by field and position."""
    detail: Any = error.detail
    field: str | None = None
    while isinstance(detail, (dict, list)):
        if isinstance(detail, dict):
            name, detail = next(iter(detail.items()))
            field = field if field or name == "non_field_errors" else str(name)
        else:
            detail = detail[0]
    code = "bad_parameter" if isinstance(error, exceptions.ValidationError) else getattr(detail, "code", "error")
    return str(code), str(detail), field


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers: dict[str, str] = {}
    challenge = getattr(error, "auth_header", None)
    if challenge:
        headers["WWW-Authenticate"] = challenge
    wait = getattr(error, "wait", None)
    if wait:
        headers["Retry-After"] = str(int(wait))
    return headers
