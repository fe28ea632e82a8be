"""One shape for every error under /api/: ``{"code", "message", "field", "help"}``.

``code`` is for programs, ``message`` says in one line what is wrong, ``field`` names the parameter or member at fault
(null where none is), ``help`` says what would do.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from rest_framework import exceptions, status
from rest_framework.response import Response

logger = logging.getLogger(__name__)

SCHEMA_HELP = "/api/v1/ lists the endpoints, /api/v1/docs/ describes them."

HELP_OF_CODE = {
    "not_authenticated": "Sign in at /admin/login/ as a staff user.",
    "permission_denied": "Sign in at /admin/login/ as a staff user, and send the CSRF token with a session.",
    "not_found": SCHEMA_HELP,
    "method_not_allowed": "OPTIONS on this address names the methods that it answers.",
    "not_acceptable": "Ask for application/json or text/html.",
    "unsupported_media_type": "Send application/json.",
    "parse_error": 'Send a JSON object, such as {"tickers": ["AAPL"]}.',
    "error": "The server's log holds the cause.",
}


class ApiError(exceptions.APIException):
    """An error that this API answers itself, with the field at fault and what would do."""

    def __init__(self, message: str, *, field: str | None = None, help: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.help = help


class BadParameter(ApiError):
    """A parameter or member is unknown, given twice, or has a value that cannot be read."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "bad_parameter"


class NoSuchRecord(ApiError):
    """No document names the single object that was asked for."""

    status_code = status.HTTP_404_NOT_FOUND
    default_code = "not_found"


class GenerationGone(ApiError):
    """The generation that a page of a list belongs to is not kept any more."""

    status_code = status.HTTP_410_GONE
    default_code = "generation_gone"


def answer(error: Exception, context: Mapping[str, Any]) -> Response:
    """Return the response to ``error``: DRF's exception handler. What nobody expected is logged and answers 500."""
    known = _as_api_exception(error)
    if known is None:
        request = context.get("request")
        logger.error("%s failed", getattr(request, "path", "a request"), exc_info=error)
        return Response(
            _body("error", "The server failed to answer this request."), status=status.HTTP_500_INTERNAL_SERVER_ERROR
        )
    code, message, field = _first_detail(known)
    if isinstance(known, ApiError):
        field = known.field
    body = _body(code, message, field, getattr(known, "help", ""))
    return Response(body, status=known.status_code, headers=_headers(known))


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


def _body(code: str, message: str, field: str | None = None, help: str = "") -> dict[str, str | None]:
    return {"code": code, "message": message, "field": field, "help": help or HELP_OF_CODE.get(code, SCHEMA_HELP)}


def plain_answer(code: str, message: str, status_code: int) -> HttpResponse:
    """Return the same shape for what fails outside of a DRF view, such as in a middleware."""
    return HttpResponse(orjson.dumps(_body(code, message)), status=status_code, content_type="application/json")
