from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.api.sample_market import chain, publish_market

Documents = dict[str, list[dict[str, Any]]]


def test_expirations_nearest_first(api: Client, market: Documents) -> None:
    rows = api.get("/api/v1/options/SPX/expirations/").json()["results"]
    assert [(row["expiration"], row["root"], row["settlement"]) for row in rows] == [
        ("2026-02-20", "SPX", "AM"),
        ("2026-02-20", "SPXW", "PM"),
        ("2026-03-20", "SPXW", "PM"),
    ]
    assert rows[0] == {
        "expiration": "2026-02-20",
        "root": "SPX",
        "dte": 24,
        "settlement": "AM",
        "as_of": "2026-01-27T14:55:00Z",
        "grade": "A",
        "atm_iv": None,
        "volume": 1400,
        "open_interest": 4760,
    }


def test_snapshot_is_the_record_of_the_nearest_expiration(api: Client, market: Documents) -> None:
    answer = api.get("/api/v1/options/ZORA/snapshot/")
    assert answer.json() == market["chains"][1]


def test_snapshot_of_an_expiration(api: Client, market: Documents) -> None:
    assert api.get("/api/v1/options/ZORA/snapshot/?expiration=2026-02-20").json() == market["chains"][2]


@pytest.mark.parametrize(
    ("dte", "expiration"), [(0, "2026-01-30"), (13, "2026-01-30"), (14, "2026-02-20"), (400, "2026-02-20")]
)
def test_snapshot_nearest_to_a_number_of_days(api: Client, market: Documents, dte: int, expiration: str) -> None:
    # 3 and 24 days are listed: the middle is 13.5.
    assert api.get("/api/v1/options/ZORA/snapshot/", {"dte": dte}).json()["expiration"] == expiration


def test_two_roots_on_one_date_mean_the_afternoon_one(api: Client, market: Documents) -> None:
    assert api.get("/api/v1/options/^SPX/snapshot/").json()["root"] == "SPXW"
    assert api.get("/api/v1/options/^SPX/snapshot/?root=spx").json()["settlement"] == "AM"


def test_a_root_chooses_among_its_own_expirations(api: Client, export_dir: Path) -> None:
    publish_market(
        export_dir, {"chains": [chain("^SPX", "2026-02-13", "SPXW"), chain("^SPX", "2026-02-20", "SPX", "AM")]}
    )
    assert api.get("/api/v1/options/SPX/snapshot/?root=SPX").json()["expiration"] == "2026-02-20"


def regular(record: dict[str, Any], contracts: int) -> dict[str, Any]:
    """Return the chain as one with so many contracts outside quarantine; with none its grade is F."""
    quality = record["quality"]
    facts = quality["facts"] | {"contracts": contracts}
    return record | {"quality": quality | {"facts": facts, "grade": "B" if contracts else "F"}}


def test_a_root_in_quarantine_is_not_meant_where_another_shares_its_date(api: Client, export_dir: Path) -> None:
    chains = [
        regular(chain("DOVREK", "2026-02-20", "DOVRE1"), 0),
        regular(chain("DOVREK", "2026-02-20", "DOVREK"), 14),
        regular(chain("DOVREK", "2026-02-20", "DOVREL"), 6),
    ]
    publish_market(export_dir, {"chains": chains})
    address = "/api/v1/options/DOVREK/snapshot/?expiration=2026-02-20"
    assert api.get(address).json() == chains[1]
    assert api.get(f"{address}&root=DOVRE1").json() == chains[0]


def test_the_afternoon_comes_before_the_number_of_contracts(api: Client, export_dir: Path) -> None:
    chains = [
        regular(chain("^SPX", "2026-02-20", "SPX", "AM"), 400),
        regular(chain("^SPX", "2026-02-20", "SPXW", "PM"), 20),
    ]
    publish_market(export_dir, {"chains": chains})
    assert api.get("/api/v1/options/SPX/snapshot/").json()["root"] == "SPXW"


def test_the_nearest_expiration_is_one_with_contracts_outside_quarantine(api: Client, export_dir: Path) -> None:
    chains = [
        regular(chain("DOVREK", "2026-01-30", "DOVRE1"), 0),
        regular(chain("DOVREK", "2026-02-20", "DOVREK"), 14),
    ]
    publish_market(export_dir, {"chains": chains})
    for query in ("", "?dte=3"):
        assert api.get(f"/api/v1/options/DOVREK/snapshot/{query}").json()["expiration"] == "2026-02-20"
    assert api.get("/api/v1/options/DOVREK/snapshot/?expiration=2026-01-30").json()["root"] == "DOVRE1"
    publish_market(export_dir, {"chains": chains[:1]}, revision=2)
    assert api.get("/api/v1/options/DOVREK/snapshot/").json()["root"] == "DOVRE1"


@pytest.mark.parametrize(("side", "kept", "left_out"), [("call", "calls", "puts"), ("put", "puts", "calls")])
def test_one_side(api: Client, market: Documents, side: str, kept: str, left_out: str) -> None:
    body = api.get("/api/v1/options/ZORA/snapshot/", {"side": side}).json()
    assert body[kept] == market["chains"][1][kept]
    assert body[left_out] == []


@pytest.mark.parametrize(
    ("address", "field", "there"),
    [
        ("/api/v1/options/NOSUCH/snapshot/", "ticker", "Exported: QUIL, ZORA, ^SPX (3)."),
        ("/api/v1/options/ZORA/snapshot/?expiration=2026-02-21", "expiration", "Exported: 2026-01-30, 2026-02-20 (2)."),
        ("/api/v1/options/ZORA/snapshot/?root=ZOR", "root", "Exported: ZORA (1)."),
    ],
)
def test_a_chain_that_no_document_names(api: Client, market: Documents, address: str, field: str, there: str) -> None:
    answer = api.get(address)
    assert (answer.status_code, answer.json()["field"]) == (404, field)
    assert answer.json()["help"].startswith(there)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("expiration=2026-02-30", "expiration"),
        ("expiration=20260220", "expiration"),
        ("dte=-1", "dte"),
        ("dte=30&expiration=2026-02-20", "dte"),
        ("root=%2A", "root"),
        ("side=both", "side"),
        ("limit=5", "limit"),
    ],
)
def test_a_bad_parameter_is_named(api: Client, market: Documents, query: str, field: str) -> None:
    answer = api.get(f"/api/v1/options/ZORA/snapshot/?{query}")
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_chains_are_without_contracts(api: Client, market: Documents) -> None:
    rows = api.get("/api/v1/chains/?ticker=zora").json()["results"]
    expected = [{k: v for k, v in record.items() if k not in ("calls", "puts")} for record in market["chains"][1:3]]
    assert rows == expected


def test_chains_say_that_a_newer_attempt_was_worse(api: Client, market: Documents) -> None:
    row = api.get("/api/v1/chains/?ticker=QUIL").json()["results"][0]
    assert row["newest_attempt"]["grade"] == "F"
    assert row["quality"]["grade"] == "A"


def test_a_ticker_of_a_path_that_is_none(api: Client, market: Documents) -> None:
    answer = api.get("/api/v1/options/a b c/expirations/")
    assert (answer.status_code, answer.json()["field"]) == (400, "ticker")
