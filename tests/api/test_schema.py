from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from exports.documents import ALERTS
from tests.api.test_queries import EVERY_ADDRESS

JSON_TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
}


@pytest.fixture
def schema(api: Client, export_dir: Any) -> dict[str, Any]:
    answer = api.get("/api/v1/schema/?format=json")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def resolve(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    found: dict[str, Any] = schema["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
    return found


def mismatches(schema: dict[str, Any], part: dict[str, Any], value: Any, path: str = "") -> list[str]:
    """Return where ``value`` is not what ``part`` of the schema says: types, nulls, required members."""
    part = resolve(schema, part)
    for alternative in part.get("allOf", []):
        part = {**resolve(schema, alternative), **{k: v for k, v in part.items() if k != "allOf"}}
    if value is None:
        return [] if part.get("nullable") or "type" not in part else [f"{path} is null"]
    kind = part.get("type")
    if kind and (not isinstance(value, JSON_TYPES[kind]) or (kind != "boolean" and isinstance(value, bool))):
        return [f"{path} is no {kind}"]
    found = []
    if kind == "object":
        found += [f"{path}.{name} is missing" for name in part.get("required", []) if name not in value]
        known = part.get("properties", {})
        for name, member in value.items():
            if name in known:
                found += mismatches(schema, known[name], member, f"{path}.{name}")
            elif "additionalProperties" not in part:
                found.append(f"{path}.{name} is not in the schema")
    if kind == "array":
        for number, item in enumerate(value):
            found += mismatches(schema, part["items"], item, f"{path}[{number}]")
    return found


def test_the_schema_names_every_endpoint(schema: dict[str, Any]) -> None:
    assert set(schema["paths"]) == {
        "/api/v1/alerts/",
        "/api/v1/alerts/latest/",
        "/api/v1/alerts/ticker/{ticker}/",
        "/api/v1/alerts/{alert_id}/",
        "/api/v1/chains/",
        "/api/v1/options/{ticker}/expirations/",
        "/api/v1/options/{ticker}/snapshot/",
        "/api/v1/scans/",
        "/api/v1/scans/latest/",
        "/api/v1/scans/{scan_id}/",
        "/api/v1/features/",
        "/api/v1/features/{ticker}/latest/",
        "/api/v1/features/{ticker}/history/",
        "/api/v1/status/",
        "/api/v1/meta/",
    }
    assert set(schema["paths"]["/api/v1/scans/"]) == {"get", "post"}


def test_records_are_generated_from_the_list_of_fields(schema: dict[str, Any]) -> None:
    alert = schema["components"]["schemas"]["Alert"]
    assert list(alert["properties"]) == [field.name for field in ALERTS.fields]
    assert alert["properties"]["first_seen"]["format"] == "date-time"


def test_list_parameters_are_described(schema: dict[str, Any]) -> None:
    parameters = {one["name"]: one for one in schema["paths"]["/api/v1/alerts/"]["get"]["parameters"]}
    assert {"ticker", "min_score", "limit", "offset", "generation"} <= set(parameters)
    assert parameters["limit"]["schema"]["maximum"] == 500
    assert parameters["limit"]["schema"]["default"] == 50


@pytest.mark.parametrize("address", [a for a in EVERY_ADDRESS if "schema" not in a and "docs" not in a])
def test_answers_are_what_the_schema_says(api: Client, market: Any, schema: dict[str, Any], address: str) -> None:
    generic = address.replace("ZORA", "{ticker}").replace("alert00042", "{alert_id}")
    generic = generic.replace("20260127T145500Z-0a1b2c", "{scan_id}")
    if generic == "/api/v1/":
        assert generic not in schema["paths"]
        return
    answers = schema["paths"][generic]["get"]["responses"]
    part = answers["200"]["content"]["application/json"]["schema"]
    assert mismatches(schema, part, api.get(address).json()) == []


def test_an_error_is_what_the_schema_says(api: Client, market: Any, schema: dict[str, Any]) -> None:
    part = schema["paths"]["/api/v1/alerts/"]["get"]["responses"]["400"]["content"]["application/json"]["schema"]
    assert part == {"$ref": "#/components/schemas/Error"}
    assert mismatches(schema, part, api.get("/api/v1/alerts/?x=1").json()) == []


def test_the_documentation_comes_from_this_site(api: Client, export_dir: Any) -> None:
    page = api.get("/api/v1/docs/").content.decode()
    assert "/static/drf_spectacular_sidecar/" in page
    assert "cdn" not in page
