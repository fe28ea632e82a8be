"""One shape for every error under /api/: ``{"code", "message", "field", "help"}``.

``code`` is for programs, ``message`` says in one line what is wrong, ``field`` names the parameter or member at fault
(null where none is), ``help`` says what would do.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson
from django.http import HttpResponse
from rest_framework import exceptions, status

SCHEMA_HELP = "/api/v1/ lists the endpoints, /api/v1/docs/ describes them."

SIGN_IN = (
    "As a staff user sign in at /admin/login/, or send a token (Authorization: Token …, made at "
    "/admin/authtoken/tokenproxy/)"
)

# Names that a sentence has room for.
NAMED = 12

HELP_OF_CODE = {
    "not_authenticated": f"{SIGN_IN}.",
    "permission_denied": f"{SIGN_IN}; with a session, send the CSRF token too.",
    "host_not_served": "Add the name to OPTSITE_ALLOWED_HOSTS and start the site again, or use a name that is served.",
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


def exported(names: Iterable[str]) -> str:
    """Return the sentence that says what there is: the first names in order, and how many there are."""
    known = sorted(set(names))
    if not known:
        return "Nothing is exported yet; /api/v1/status/ shows what is queued or running."
    more = ["…"] if len(known) > NAMED else []
    return f"Exported: {', '.join(known[:NAMED] + more)} ({len(known)})."


def error_body(code: str, message: str, field: str | None = None, help: str = "") -> dict[str, str | None]:
    """Return the one shape; without ``help`` the code's own."""
    return {"code": code, "message": message, "field": field, "help": help or HELP_OF_CODE.get(code, SCHEMA_HELP)}


def plain_answer(code: str, message: str, status_code: int) -> HttpResponse:
    """Return the same shape for what fails outside of a DRF view, such as in a middleware."""
    return HttpResponse(orjson.dumps(error_body(code, message)), status=status_code, content_type="application/json")
