from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from django.test import Client

from tests.api.sample_market import alert, feature, market_documents, publish_market

Documents = dict[str, list[dict[str, Any]]]


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def charts(page: str) -> dict[str, Any]:
    data = page.split('<script id="chart-data" type="application/json">', 1)[1].split("</script>", 1)[0]
    parsed: dict[str, Any] = orjson.loads(data)
    return parsed


def test_ticker_page_shows_the_documents(staff: Client, market: Documents) -> None:
    page = text(staff, "/staff/ticker/ZORA/")
    assert "101.37" in page
    assert 'title="Best grade among its chains: A, of A (best) to F"' in page
    assert '<span class="quiet">best grade</span>' in page
    assert ">2 A</span>" in page
    assert "Too few sessions of history." in page
    assert "2026-01-30" in page
    assert "2026-02-20" in page
    assert "1000 contracts traded against an open interest of 100." in page
    assert "invented tickers" in page


@pytest.mark.parametrize(("spelling", "address"), [("zora", "ZORA"), ("SPX", "%5ESPX"), ("_spx", "%5ESPX")])
def test_other_spellings_lead_to_the_one_address(staff: Client, market: Documents, spelling: str, address: str) -> None:
    answer = staff.get(f"/staff/ticker/{spelling}/")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/staff/ticker/{address}/")


def test_an_ended_alert_says_of_which_session_it_speaks(staff: Client, export_dir: Path) -> None:
    facts = {"market_date": "2026-01-23", "ended_at": "2026-01-26T19:10:00Z", "ended_by": "rearm"}
    ended = alert(1, state="ended", session="2026-01-22", metrics=facts)
    old = alert(2, state="ended", session="2026-01-21", metrics={})
    publish_market(export_dir, {"alerts": [ended, old, alert(3)], "features": [feature("ZORA")]})
    page = " ".join(text(staff, "/staff/ticker/ZORA/").split())
    assert "On 2026-01-23: Calls 1 trade above" in page
    assert ">26 Jan 14:10 ET</time>" in page
    assert "On 2026-01-21: Calls 2 trade above" in page
    assert '<p class="alert-summary"> Calls 3 trade above' in page


def test_a_chain_is_chosen_by_the_address(staff: Client, market: Documents) -> None:
    page = text(staff, "/staff/ticker/^SPX/?expiration=2026-02-20&root=SPX")
    assert "SPX · 24 days · AM" in page
    assert "SPXW · 24 days · PM" in text(staff, "/staff/ticker/^SPX/?expiration=2026-02-20")


def test_a_chain_that_is_not_there(staff: Client, market: Documents) -> None:
    page = text(staff, "/staff/ticker/ZORA/?expiration=2030-01-01")
    assert "No chain of ZORA expires on 2030-01-01." in page


def test_a_newer_worse_attempt_is_shown(staff: Client, market: Documents) -> None:
    assert "No contract near the money has a bid and an ask." in text(staff, "/staff/ticker/QUIL/")


def test_charts_are_given_the_documents_figures(staff: Client, market: Documents) -> None:
    drawn = charts(text(staff, "/staff/ticker/ZORA/"))
    assert drawn["history"] == {"dates": market["history"][0]["dates"], "close": market["history"][0]["close"]}
    assert drawn["strikes"]["strikes"] == [92.5, 95.0, 97.5, 100.0, 102.5, 105.0, 107.5]
    assert drawn["strikes"]["calls"] == [120] * 7
    assert drawn["strikes"]["puts"] == [80] * 7


def test_closes_before_a_split_are_made_comparable(staff: Client, export_dir: Path) -> None:
    documents = market_documents()
    record = documents["history"][0]
    record["close"] = [400.0] * 20 + [100.0] * 20
    record["split_factor"] = [4.0] * 20 + [1.0] * 20
    publish_market(export_dir, documents)
    assert set(charts(text(staff, "/staff/ticker/ZORA/"))["history"]["close"]) == {100.0}


def test_figures_without_a_usable_chain_say_so(staff: Client, export_dir: Path) -> None:
    record = feature("EPAC", grade=None, volume=None, reasons={"volume": "no_usable_chain"})
    publish_market(export_dir, {"features": [record]})
    page = text(staff, "/staff/ticker/EPAC/")
    assert "No chain of the ticker is usable." in page
    assert "No chain of EPAC is exported." in page


def test_sums_over_fewer_expirations_than_are_listed_are_shown_as_partial(staff: Client, export_dir: Path) -> None:
    some = feature("ZORA", partial=True, expirations_used=5, expirations_listed=30)
    publish_market(export_dir, {"features": [some, feature("QUIL", partial=False, expirations_used=7)]})
    page = text(staff, "/staff/ticker/ZORA/")
    assert ">partial: 5 of 30 expirations</span>" in page
    assert "partial: " not in text(staff, "/staff/ticker/QUIL/")


def test_exposures_are_dollars_per_move(staff: Client, export_dir: Path) -> None:
    publish_market(
        export_dir, {"features": [feature("ZORA", gamma_exposure=-3_638_280.0, implied_earnings_move=0.043)]}
    )
    page = " ".join(text(staff, "/staff/ticker/ZORA/").split())
    assert '-$3.6M</span></td> <td class="quiet">per 1 %</td>' in page
    assert ">4.3 %</span>" in page


def test_a_history_of_sessions_without_closes_is_none_to_draw(staff: Client, export_dir: Path) -> None:
    documents = market_documents()
    documents["history"][0]["close"] = [None] * 40
    publish_market(export_dir, documents)
    assert set(charts(text(staff, "/staff/ticker/ZORA/"))["history"]["close"]) == {None}
