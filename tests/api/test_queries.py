"""Anonymous reads ask the database nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from api.urls import urlpatterns
from tests.api.sample_market import SCAN_ID

ARGUMENTS = {"ticker": "ZORA", "alert_id": "alert00042", "scan_id": SCAN_ID}


def addresses() -> Iterator[str]:
    """Yield every address of the API, with the market's own names in it."""
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        names = pattern.pattern.converters
        if pattern.name != "unknown":
            yield reverse(f"api:{pattern.name}", kwargs={name: ARGUMENTS[name] for name in names})


EVERY_ADDRESS = sorted(addresses())


@pytest.mark.parametrize("accept", ["application/json", "text/html", "*/*"])
@pytest.mark.parametrize("address", EVERY_ADDRESS)
def test_an_anonymous_read_opens_no_connection(api: Client, market: Any, address: str, accept: str) -> None:
    # Without the mark django_db every use of the database raises, and the answer would be a 500.
    accept = "*/*" if address.endswith(("docs/", "schema/")) else accept
    assert api.get(address, headers={"accept": accept}).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("address", EVERY_ADDRESS)
def test_an_anonymous_read_runs_no_query(
    api: Client,
    market: Any,
    django_assert_num_queries: Callable[[int], AbstractContextManager[Any]],
    address: str,
) -> None:
    with django_assert_num_queries(0):
        assert api.get(address).status_code == 200


@pytest.mark.django_db
def test_an_open_read_in_json_does_not_look_at_the_session(
    staff: Client, market: Any, django_assert_num_queries: Callable[[int], AbstractContextManager[Any]]
) -> None:
    with django_assert_num_queries(0):
        assert staff.get("/api/v1/alerts/").status_code == 200
