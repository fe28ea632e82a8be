"""The list of endpoints, and the answer to every other address."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.errors import SCHEMA_HELP, NoSuchRecord
from api.parameters import read_parameters
from api.viewsets.documents import DocumentViewSet

ENDPOINTS = (
    "alerts",
    "alerts-latest",
    "chains",
    "scans",
    "scans-latest",
    "features",
    "status",
    "meta",
    "schema",
    "docs",
)
ENDPOINTS_OF_TICKER = ("alerts-ticker", "expirations", "snapshot", "features-latest", "features-history")


@extend_schema(exclude=True)
class RootViewSet(DocumentViewSet):
    """Every endpoint by name; {ticker} stands for a ticker such as AAPL."""

    def list(self, request: Request) -> Response:
        """Answer the addresses of the endpoints."""
        read_parameters(request, ())
        plain = {name: request.build_absolute_uri(reverse(f"api:{name}")) for name in ENDPOINTS}
        return Response(plain | {name: _template(request, name) for name in ENDPOINTS_OF_TICKER})


@extend_schema(exclude=True)
class UnknownAddress(APIView):
    """What is asked for is no endpoint."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send a read without its last slash to the address with it, as the rest of the site does."""
        if request.method in ("GET", "HEAD") and not request.path.endswith("/") and _is_endpoint(f"{request.path}/"):
            query = request.META.get("QUERY_STRING", "")
            return redirect(f"{request.path}/" + (f"?{query}" if query else ""), permanent=True)
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer 404 to every method."""
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request, force=True)
        raise NoSuchRecord(f"{request.path} is no address of this API.", help=_help(request.path))


_answer_unknown = UnknownAddress.as_view()


@csrf_exempt
def unknown_address(request: HttpRequest) -> HttpResponseBase:
    """Answer an address that is none. A plain function: as a view of DRF's it would show in every breadcrumb."""
    return _answer_unknown(request)


def _template(request: Request, name: str) -> str:
    address = reverse(f"api:{name}", kwargs={"ticker": "TICKER"}).replace("TICKER", "{ticker}")
    return f"{request.scheme}://{request.get_host()}{address}"


def _is_endpoint(path: str) -> bool:
    try:
        return resolve(path).url_name != "unknown"
    except Resolver404:
        return False


def _help(path: str) -> str:
    if not path.endswith("/") and _is_endpoint(f"{path}/"):
        return f"The address ends in a slash: {path}/"
    return SCHEMA_HELP
