"""The JSON documents: what they hold, how they are published, how they are read. Knows no store and no market."""

from __future__ import annotations

from exports.exporter import JSONExporter
from exports.loaders import (
    get_export_dir,
    load_alerts_from_json,
    load_chains_from_json,
    load_features_from_json,
    load_scans_from_json,
)

__all__ = [
    "JSONExporter",
    "get_export_dir",
    "load_alerts_from_json",
    "load_chains_from_json",
    "load_features_from_json",
    "load_scans_from_json",
]
