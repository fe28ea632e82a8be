"""The OpenAPI schema of records and answers, generated from the one list of fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema

from api.parameters import Parameter
from exports.documents import ALERTS, CHAINS, FEATURES, HISTORY, META, SCANS, Field

View = TypeVar("View", bound=Callable[..., Any])

JSON_TYPES: dict[str, dict[str, Any]] = {
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
}

# Fields of chains.json that a list of chains leaves out.
CONTRACT_LISTS = ("calls", "puts")

ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["code", "message", "field", "help"],
    "properties": {
        "code": {"type": "string", "description": "For programs."},
        "message": {"type": "string", "description": "What is wrong, in one line."},
        "field": {"type": "string", "nullable": True, "description": "The parameter or member at fault."},
        "help": {"type": "string", "description": "What would do."},
    },
}

SCAN_REQUEST: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "tickers": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Tickers to scan; empty or left out: the whole watchlist.",
        }
    },
}

SCAN_ACCEPTED: dict[str, Any] = {
    "type": "object",
    "required": ["id", "created", "help", "url"],
    "properties": {
        "id": {"type": "string", "description": "Id of the scan; of the one that is queued already where one is."},
        "created": {"type": "boolean", "description": "False where another scan waits: nothing was added, id is its."},
        "help": {"type": "string", "nullable": True, "description": "Where created is false: what the other scans."},
        "url": {"type": "string", "format": "uri", "description": "Where the scan is shown from now on."},
    },
}

EXPIRATION_FIELDS = ("expiration", "root", "dte", "settlement", "as_of", "grade", "atm_iv", "volume", "open_interest")


class EnvelopeSchema(AutoSchema):  # type: ignore[misc]
    """drf-spectacular's schema of a view, for lists that are described with their envelope."""

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Return False: an answer is what its view describes, and is not wrapped into an array."""
        return False

    def get_operation_id(self) -> str:
        """Return the family and what is asked of it: alerts_list, options_snapshot."""
        return f"{self.get_tags()[0]}_{self.view.action}"


def field_schema(field: Field) -> dict[str, Any]:
    """Return the schema of one field: type, unit, help, members."""
    schema = dict(JSON_TYPES.get(field.type, {"type": field.type}))
    if field.type == "object" and field.fields:
        schema |= object_schema(field.fields)
    if field.type == "object" and not field.fields:
        schema["additionalProperties"] = {}
    if field.type == "array":
        item = JSON_TYPES.get(field.items or "", {"type": field.items})
        schema["items"] = object_schema(field.fields) if field.fields else {**item, "nullable": True}
    schema["description"] = f"{field.help} Unit: {field.unit}." if field.unit else field.help
    if field.nullable:
        schema["nullable"] = True
    return schema


def object_schema(fields: Sequence[Field]) -> dict[str, Any]:
    """Return the schema of an object that holds all ``fields``."""
    return {
        "type": "object",
        "required": [field.name for field in fields],
        "properties": {field.name: field_schema(field) for field in fields},
    }


def components() -> dict[str, Any]:
    """Return the schema of each record that an answer may hold."""
    contract_fields = next(field for field in CHAINS.fields if field.name == "calls").fields
    contracts = {"type": "array", "items": {"$ref": "#/components/schemas/Contract"}}
    snapshot = object_schema([field for field in CHAINS.fields if field.name not in CONTRACT_LISTS])
    snapshot["required"] = [*snapshot["required"], *CONTRACT_LISTS]
    snapshot["properties"] |= dict.fromkeys(CONTRACT_LISTS, contracts)
    return {
        "Error": ERROR,
        "Alert": object_schema(ALERTS.fields),
        "Contract": object_schema(contract_fields),
        "Chain": object_schema([field for field in CHAINS.fields if field.name not in CONTRACT_LISTS]),
        "Snapshot": snapshot,
        "Expiration": object_schema([_expiration_field(name) for name in EXPIRATION_FIELDS]),
        "ScanRequest": SCAN_REQUEST,
        "ScanAccepted": SCAN_ACCEPTED,
        "Scan": object_schema(SCANS.fields),
        "Feature": object_schema(FEATURES.fields),
        "History": object_schema(HISTORY.fields),
        "Meta": object_schema(META.fields),
    }


def _expiration_field(name: str) -> Field:
    path = {"grade": "quality.grade", "volume": "totals.volume", "open_interest": "totals.open_interest"}
    return CHAINS.field(path.get(name, name))


def add_record_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the records' schemas to the generated OpenAPI document: drf-spectacular's post-processing hook."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(components())
    return result


def reference(component: str) -> dict[str, Any]:
    """Return a reference to a component."""
    return {"$ref": f"#/components/schemas/{component}"}


def list_schema(component: str) -> dict[str, Any]:
    """Return the schema of the list envelope around records of ``component``."""
    text = {"type": "string", "nullable": True}
    address = {**text, "format": "uri"}
    properties = {
        "count": {"type": "integer", "description": "Results on all pages."},
        "next": {**address, "description": "The next page, of the same generation."},
        "previous": {**address, "description": "The page before, of the same generation."},
        "export_timestamp": {**text, "format": "date-time", "description": "null where nothing was exported yet."},
        "generation": {**text, "description": "Generation of the documents."},
        "provider": {"type": "string", "description": "Provider behind the documents."},
        "stale": {"type": "boolean", "description": "Whether the next export is overdue."},
        "results": {"type": "array", "items": reference(component)},
    }
    return {"type": "object", "required": list(properties), "properties": properties}


def _path_parameters(names: Sequence[str]) -> list[OpenApiParameter]:
    return [OpenApiParameter(name, type={"type": "string"}, location=OpenApiParameter.PATH) for name in names]


def _describe(
    schema: dict[str, Any], summary: str, parameters: Sequence[Parameter], path: Sequence[str], errors: Sequence[int]
) -> Callable[[View], View]:
    answers: dict[int, Any] = {200: schema} | {code: reference("Error") for code in errors}
    declared = [*_path_parameters(path), *(parameter.openapi() for parameter in parameters)]
    decorate: Callable[[View], View] = extend_schema(summary=summary, parameters=declared, responses=answers)
    return decorate


def answers_list(
    component: str, summary: str, parameters: Sequence[Parameter], *, path: Sequence[str] = ()
) -> Callable[[View], View]:
    """Describe a view that answers a list of ``component``."""
    return _describe(list_schema(component), summary, parameters, path, (400, 403, 406, 410))


def answers_record(
    component: str, summary: str, parameters: Sequence[Parameter] = (), *, path: Sequence[str] = ()
) -> Callable[[View], View]:
    """Describe a view that answers one record of ``component``."""
    return _describe(reference(component), summary, parameters, path, (400, 403, 404, 406, 410))


def answers_scan_request(summary: str) -> Callable[[View], View]:
    """Describe the view that takes a request for a scan."""
    answers: dict[int, Any] = {202: reference("ScanAccepted")} | {code: reference("Error") for code in (400, 403, 415)}
    decorate: Callable[[View], View] = extend_schema(
        summary=summary, request={"application/json": reference("ScanRequest")}, responses=answers
    )
    return decorate


def answers_object(schema: dict[str, Any], summary: str) -> Callable[[View], View]:
    """Describe a view that answers one object of its own shape."""
    return _describe(schema, summary, (), (), (400, 403, 406))
