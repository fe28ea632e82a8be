from __future__ import annotations

from typing import Any

from django.test import Client

Documents = dict[str, list[dict[str, Any]]]


def test_features_by_ticker(api: Client, market: Documents) -> None:
    assert api.get("/api/v1/features/").json()["results"] == market["features"]


def test_features_of_one_ticker_in_the_list(api: Client, market: Documents) -> None:
    assert api.get("/api/v1/features/?ticker=spx").json()["results"] == [market["features"][2]]


def test_latest_features_of_a_ticker(api: Client, market: Documents) -> None:
    assert api.get("/api/v1/features/zora/latest/").json() == market["features"][1]


def test_history_of_a_ticker(api: Client, market: Documents) -> None:
    assert api.get("/api/v1/features/ZORA/history/").json() == market["history"][0]


def test_a_ticker_that_no_document_names(api: Client, market: Documents) -> None:
    for address in ("/api/v1/features/NOSUCH/latest/", "/api/v1/features/QUIL/history/"):
        answer = api.get(address)
        assert (answer.status_code, answer.json()["field"]) == (404, "ticker")


def test_meta_of_one_kind(api: Client, market: Documents) -> None:
    assert [row["name"] for row in api.get("/api/v1/meta/?kind=reason").json()["results"]] == ["short_history"]
    assert api.get("/api/v1/meta/?kind=colour").status_code == 400
