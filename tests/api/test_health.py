from __future__ import annotations

from pathlib import Path
from typing import Any

from django.test import Client


def test_live_needs_no_documents(api: Client, export_dir: Path) -> None:
    answer = api.get("/healthz/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})


def test_ready_once_something_is_published(api: Client, export_dir: Path) -> None:
    answer = api.get("/healthz/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")


def test_ready_names_the_generation(api: Client, market: Any) -> None:
    answer = api.get("/healthz/ready")
    assert answer.status_code == 200
    assert answer.json()["generation"] == api.get("/api/v1/status/").json()["generation"]
