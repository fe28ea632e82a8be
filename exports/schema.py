"""The JSON Schema (2020-12) of each document, made from documents.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exports.conformity import DATE, DATETIME
from exports.documents import SCHEMA_VERSION, Document, Field, FieldType
from exports.manifest import GENERATION

DIALECT = "https://json-schema.org/draft/2020-12/schema"

TYPES: dict[FieldType, dict[str, Any]] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date", "pattern": f"^{DATE}$"},
    "datetime": {"type": "string", "format": "date-time", "pattern": f"^{DATETIME}$"},
    "object": {"type": "object"},
    "array": {"type": "array"},
}

ERROR: dict[str, Any] = {
    "type": "object",
    "description": "What makes the content incomplete.",
    "properties": {
        "ticker": {"type": ["string", "null"], "description": "The ticker it is about."},
        "reason": {"type": "string", "description": "A code of meta.json's reasons."},
        "detail": {"type": ["string", "null"], "description": "What happened, in words."},
    },
    "required": ["reason", "detail"],
}


def document_schema(document: Document) -> dict[str, Any]:
    """Return the schema of a whole document: envelope and records."""
    envelope: dict[str, dict[str, Any]] = {
        "export_timestamp": {**TYPES["datetime"], "description": "When it was written."},
        "generation": {
            "type": "string",
            "pattern": f"^{GENERATION.pattern}$",
            "description": "The generation that it was written for.",
        },
        "schema_version": {"const": SCHEMA_VERSION},
        "provider": {"type": "string", "description": "The provider whose market this is."},
        document.count_key: {"type": "integer", "minimum": 0, "description": "Number of records."},
        "errors": {"type": "array", "items": ERROR},
        document.name: {"type": "array", "description": document.help, "items": {"$ref": "#/$defs/record"}},
    }
    return {
        "$schema": DIALECT,
        "title": f"{document.name}.json",
        "description": document.help,
        **_object(envelope),
        "$defs": {"record": record_schema(document)},
    }


def record_schema(document: Document) -> dict[str, Any]:
    """Return the schema of one record."""
    return _fields(document.fields)


def _fields(fields: Sequence[Field]) -> dict[str, Any]:
    return _object({field.name: _field(field) for field in fields})


def _object(properties: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _field(field: Field) -> dict[str, Any]:
    schema = dict(TYPES[field.type])
    if field.type == "object" and field.fields:
        schema = _fields(field.fields)
    if field.type == "array" and field.items is not None:
        items = _fields(field.fields) if field.fields else dict(TYPES[field.items])
        schema["items"] = _or_null(items) if field.items_nullable else items
    schema["description"] = field.help
    if field.unit:
        schema["x-unit"] = field.unit
    if field.significant is not None:
        schema["x-significant-digits"] = field.significant
    return _or_null(schema) if field.nullable else schema


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}
