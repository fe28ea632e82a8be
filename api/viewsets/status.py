"""status/ and meta/: how the system fares, and what its fields and detectors mean."""

from __future__ import annotations

from typing import Any

import orjson
from rest_framework.request import Request
from rest_framework.response import Response

from api.answers import record_answer
from api.parameters import KIND, PAGE
from api.schema import answers_list, answers_object
from api.status import STATUS_SCHEMA, compose_status
from api.viewsets.documents import DocumentViewSet, answer_page, column_is, open_request


class StatusViewSet(DocumentViewSet):
    """How old the data is, what runs, and what is left of the budget."""

    @answers_object(STATUS_SCHEMA, "State of the system")
    def list(self, request: Request) -> Response:
        """Answer the state of the system, also where nothing was exported yet."""
        _, export = open_request(request, ())
        state: dict[str, Any] = compose_status(export)
        return record_answer(export, orjson.dumps(state))


class MetaViewSet(DocumentViewSet):
    """What detectors, providers, fields and reason codes mean."""

    @answers_list("Meta", "Detectors, providers, fields, reason codes", (KIND, *PAGE))
    def list(self, request: Request) -> Response:
        """Answer the records of the kind that is asked for, by kind and name."""
        values, export = open_request(request, (KIND, *PAGE))
        return answer_page(request, export, values, "meta", ("kind", "name"), *column_is("kind", values["kind"]))
