"""What Django REST framework and drf-spectacular are told: imported by the settings, imports nothing of Django."""

from __future__ import annotations

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    # The bytes renderer comes first: it is what a client without an Accept header gets.
    "DEFAULT_RENDERER_CLASSES": ["api.renderers.JSONBytesRenderer", "api.renderers.BrowsableRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["api.permissions.ReadsOrStaff"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.renderers.FormatNegotiation",
    "EXCEPTION_HANDLER": "api.exception_handler.answer",
    "DEFAULT_SCHEMA_CLASS": "api.schema.EnvelopeSchema",
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Option chain dashboard",
    "DESCRIPTION": "Option chains, alerts, scans and features, read from the published JSON documents.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["api.permissions.ReadsOrStaff"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v[0-9]+",
    "POSTPROCESSING_HOOKS": ["api.schema.add_record_components"],
}
