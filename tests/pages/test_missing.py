from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.api.sample_market import alert, publish_market

Documents = dict[str, list[dict[str, Any]]]


def missing(client: Client, address: str) -> str:
    """Return the page of a 404 in the admin's frame."""
    answer = client.get(address)
    assert answer.status_code == 404
    page = answer.content.decode()
    assert "Option chains" in page
    assert 'href="/admin/collector/watchedticker/"' in page
    return page


def test_a_ticker_that_no_document_names(staff: Client, market: Documents) -> None:
    page = missing(staff, "/staff/ticker/AAPL/")
    assert "Nothing of AAPL is exported." in page
    for name in ("QUIL", "ZORA", "%5ESPX"):
        assert f'href="/staff/ticker/{name}/"' in page


def test_a_text_that_is_no_ticker(staff: Client, market: Documents) -> None:
    assert "not a ticker" in missing(staff, "/staff/ticker/not a ticker/")


@pytest.mark.parametrize("address", ["/staff/nothing/", "/staff/ticker/", "/staff/ticker/ZORA/chain/"])
def test_an_address_that_is_none(staff: Client, market: Documents, address: str) -> None:
    assert f"{address} is no address of this site." in missing(staff, address)


def test_where_nothing_was_exported(staff: Client, export_dir: Path) -> None:
    assert "Nothing is exported yet." in missing(staff, "/staff/ticker/ZORA/")


def test_a_ticker_off_the_watchlist_is_shown_by_what_is_left_of_it(staff: Client, export_dir: Path) -> None:
    publish_market(export_dir, {"alerts": [alert(1, "ZORA")]})
    answer = staff.get("/staff/ticker/ZORA/")
    assert answer.status_code == 200
    assert "1001 contracts traded against an open interest of 101." in answer.content.decode()


def test_an_unknown_address_asks_for_a_login_first(api: Client, export_dir: Path) -> None:
    answer = api.get("/staff/nothing/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/login/?next=/staff/nothing/")


def test_an_address_without_its_last_slash(staff: Client, market: Documents) -> None:
    answer = staff.get("/staff/ticker/ZORA")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/staff/ticker/ZORA/")


def test_the_icon_that_browsers_ask_for(api: Client) -> None:
    answer = api.get("/favicon.ico")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/static/optsite/favicon.svg")
