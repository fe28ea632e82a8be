"""Answers as bytes, and the same bytes shown in a browser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer

from api.errors import BadParameter

OPTIONS = orjson.OPT_NON_STR_KEYS


class JSONBytesRenderer(BaseRenderer):
    """Pass JSON bytes through; dump what is no bytes (errors, OPTIONS)."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return ``data`` as JSON."""
        if data is None:
            return b""
        return data if isinstance(data, bytes) else orjson.dumps(data, default=str, option=OPTIONS)


class BrowsableRenderer(BrowsableAPIRenderer):
    """The browsable API over answers that are bytes already."""

    def get_content(
        self, renderer: Any, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any]
    ) -> str:
        """Return ``data`` indented."""
        if data is None:
            return ""
        parsed = orjson.loads(data) if isinstance(data, bytes) else data
        return orjson.dumps(parsed, default=str, option=OPTIONS | orjson.OPT_INDENT_2).decode()

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        """Return the raw form, filled with what the view's ``example_body`` says could be sent."""
        form = super().get_raw_data_form(data, view, method, request)
        example = getattr(view, "example_body", None)
        if form is not None and example is not None:
            form.fields["_content"].initial = orjson.dumps(example(), option=orjson.OPT_INDENT_2).decode()
        return form


class FormatNegotiation(DefaultContentNegotiation):
    """DRF's negotiation, but an unknown ``format`` is a bad parameter and no missing page."""

    def filter_renderers(self, renderers: Iterable[BaseRenderer], format: str) -> list[BaseRenderer]:
        """Return the renderers of ``format``; raise BadParameter where there is none."""
        known = list(renderers)
        found = [renderer for renderer in known if renderer.format == format]
        if not found:
            offered = " or ".join(sorted({renderer.format for renderer in known}))
            raise BadParameter(f"format={format} is not offered.", field="format", help=f"Use {offered}.")
        return found
