"""What a request gets that no view answered: the API's error shape under /api/, else Django's page."""

from __future__ import annotations

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponseBase
from django.views import defaults

from api.errors import plain_answer

API = "/api/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer 400."""
    if request.path.startswith(API) and isinstance(exception, DisallowedHost):
        host = request.META.get("HTTP_HOST", "")[:60]
        return plain_answer("host_not_served", f"This site does not answer to the host {host}.", 400)
    if request.path.startswith(API):
        return plain_answer("bad_request", "The request cannot be read.", 400)
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer 403."""
    if request.path.startswith(API):
        return plain_answer("permission_denied", "This is not allowed.", 403)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer 404."""
    if request.path.startswith(API):
        return plain_answer("not_found", f"{request.path} is no address of this API.", 404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer 500."""
    if request.path.startswith(API):
        return plain_answer("error", "The server failed to answer this request.", 500)
    return defaults.server_error(request)
