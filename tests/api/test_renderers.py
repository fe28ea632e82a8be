from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.api.test_queries import EVERY_ADDRESS

BROWSABLE = [address for address in EVERY_ADDRESS if "schema" not in address and "docs" not in address]


@pytest.mark.parametrize("address", BROWSABLE)
def test_every_endpoint_is_browsable(api: Client, market: Any, address: str) -> None:
    answer = api.get(address, headers={"accept": "text/html"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "invented tickers" in page
    assert "binary content" not in page


def test_bytes_are_shown_indented(api: Client, market: Any) -> None:
    page = api.get("/api/v1/alerts/?limit=1&format=api").content.decode()
    assert "&quot;count&quot;: 120,\n" in page


def test_json_is_the_default(api: Client, market: Any) -> None:
    for headers in ({}, {"accept": "*/*"}, {"accept": "application/json"}):
        assert api.get("/api/v1/alerts/", headers=headers).headers["Content-Type"] == "application/json"


def test_a_browser_sees_an_error_as_a_page(api: Client, market: Any) -> None:
    answer = api.get("/api/v1/alerts/?x=1", headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "bad_parameter" in answer.content.decode()


def test_options_names_the_methods(api: Client, market: Any) -> None:
    answer = api.options("/api/v1/scans/")
    assert answer.status_code == 200
    assert answer.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_head_has_no_body(api: Client, market: Any) -> None:
    answer = api.head("/api/v1/alerts/")
    assert (answer.status_code, answer.content) == (200, b"")
