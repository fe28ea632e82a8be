from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

READS = ["/api/v1/", "/api/v1/alerts/", "/api/v1/status/", "/api/v1/schema/", "/api/v1/docs/", "/api/v1/scans/latest/"]


def serve(settings: Any, *hosts: str, public: bool = False) -> None:
    settings.OPTSITE = settings.OPTSITE.model_copy(update={"allowed_hosts": hosts, "api_public": public})


@pytest.mark.parametrize("address", READS)
def test_anonymous_reads_while_only_loopback_is_served(api: Client, market: Any, settings: Any, address: str) -> None:
    serve(settings, "localhost", "127.0.0.1", "[::1]")
    assert api.get(address).status_code == 200


@pytest.mark.parametrize("address", READS)
def test_no_anonymous_reads_where_another_name_is_served(api: Client, market: Any, settings: Any, address: str) -> None:
    serve(settings, "localhost", "options.example.org")
    answer = api.get(address)
    assert answer.status_code == 403
    assert answer.json()["code"] == "not_authenticated"


def test_the_peers_address_opens_nothing(api: Client, market: Any, settings: Any) -> None:
    serve(settings, "options.example.org")
    assert api.get("/api/v1/alerts/", REMOTE_ADDR="127.0.0.1").status_code == 403


@pytest.mark.parametrize("address", READS)
def test_staff_read_where_another_name_is_served(staff: Client, market: Any, settings: Any, address: str) -> None:
    serve(settings, "options.example.org")
    assert staff.get(address).status_code == 200


def test_public_reads(api: Client, market: Any, settings: Any) -> None:
    serve(settings, "options.example.org", public=True)
    assert api.get("/api/v1/alerts/").status_code == 200
    assert api.post("/api/v1/scans/", {}, content_type="application/json").status_code == 403
