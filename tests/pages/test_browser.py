"""The pages in Chromium: nothing from outside, charts drawn, both themes, the live row, the button."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exports.live import write_live
from tests.api.sample_market import alert, chain, market_documents, publish_market
from tests.pages.site_process import SiteProcess

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

DRAWN = """canvas => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let painted = 0;
    for (let i = 3; i < pixels.length; i += 4) { painted += pixels[i] > 0; }
    return painted / (pixels.length / 4);
}"""


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_overview(page: Page, site: SiteProcess) -> None:
    assert page.locator(".market-banner").inner_text() == "Demo market: invented tickers, simulated prices."
    assert page.locator("#tickers tbody tr").count() == 3
    assert page.locator("#alerts article").count() == 8
    page.click("#tickers a.symbol >> text=ZORA")
    page.wait_for_url("**/staff/ticker/ZORA/")


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_ticker_page_draws_its_charts(page: Page, site: SiteProcess) -> None:
    page.goto(f"{site.address}/staff/ticker/ZORA/")
    page.wait_for_load_state("load")
    for canvas in ("#close-chart", "#strike-chart"):
        box = page.locator(canvas).bounding_box()
        assert box is not None
        assert box["width"] > 300
        assert page.locator(canvas).evaluate(DRAWN) > 0.01


def test_puts_stand_beside_calls(page: Page, site: SiteProcess) -> None:
    page.goto(f"{site.address}/staff/ticker/ZORA/")
    page.wait_for_load_state("load")
    edges = """number => {
        const bar = Chart.getChart("strike-chart").getDatasetMeta(number).data[3];
        return [bar.x - bar.width / 2, bar.x + bar.width / 2];
    }"""
    call, put = page.evaluate(edges, 0), page.evaluate(edges, 1)
    assert call[0] < call[1] <= put[0] + 0.01 < put[1]


def test_the_theme_is_the_visitors(page: Page, site: SiteProcess) -> None:
    background = "element => getComputedStyle(element).backgroundColor"
    light = page.locator("#main").evaluate(background)
    page.emulate_media(color_scheme="dark")
    page.reload()
    page.wait_for_load_state("load")
    assert page.locator("html").evaluate("element => element.classList.contains('dark')")
    assert page.locator("#main").evaluate(background) != light


def test_a_chain_has_an_address_of_its_own(page: Page, site: SiteProcess) -> None:
    page.goto(f"{site.address}/staff/ticker/ZORA/")
    page.click("#chains a.symbol >> text=2026-02-20")
    page.wait_for_url("**/staff/ticker/ZORA/?expiration=2026-02-20&root=ZORA#chain")
    assert "24 days" in page.locator("#chain h2").inner_text()
    assert page.locator("#chain tbody tr").count() == 7
    assert page.locator("#at-the-money th").inner_text() == "102.50"


@pytest.mark.parametrize(("ticker", "strikes"), [("ZORA", 7), ("QUIL", 81)])
def test_the_chain_opens_with_a_whole_row_and_the_money_in_sight(
    page: Page, site: SiteProcess, ticker: str, strikes: int
) -> None:
    documents = market_documents()
    documents["chains"][0] = chain("QUIL", "2026-02-06", strikes=81)
    publish_market(site.export_dir, documents, revision=5)
    page.goto(f"{site.address}/staff/ticker/{ticker}/")
    page.wait_for_load_state("load")
    assert page.locator("#chain tbody tr").count() == strikes
    tops = page.evaluate("""() => {
        const box = element => element.getBoundingClientRect();
        const frame = document.getElementById("chain-scroll");
        const rows = [...frame.querySelectorAll("tbody tr")].map(row => box(row).top);
        const head = box(frame.querySelector("thead tr:last-child th")).bottom;
        const middle = box(document.getElementById("at-the-money"));
        return { rows, head, middle: [middle.top, middle.bottom], bottom: box(frame).bottom };
    }""")
    assert min(abs(top - tops["head"]) for top in tops["rows"]) <= 1
    assert tops["head"] <= tops["middle"][0] + 1
    assert tops["middle"][1] <= tops["bottom"]
    publish_market(site.export_dir, market_documents(), revision=6)


def test_a_long_list_of_tickers_is_one_line_on_a_phone(page: Page, site: SiteProcess) -> None:
    tickers = [f"TICKER{number}" for number in range(30)]
    job = {"scan_id": "20260127T150500Z-abc123", "kind": "manual", "state": "done", "status": "ok", "tickers": tickers}
    write_live(site.export_dir, {"jobs": [job]})
    page.set_viewport_size({"width": 390, "height": 800})
    page.reload()
    cell = page.locator("#jobs tbody tr .clipped")
    assert cell.get_attribute("title") == ", ".join(tickers)
    row = page.locator("#jobs tbody tr").bounding_box()
    assert row is not None
    assert row["height"] < 60
    for number in range(3):
        line = page.locator("#tickers tbody tr").nth(number).bounding_box()
        assert line is not None
        assert line["height"] < 40
    write_live(site.export_dir, {})


def test_a_new_generation_renews_the_page(page: Page, site: SiteProcess) -> None:
    documents = market_documents()
    documents["features"] = documents["features"][:2]
    publish_market(site.export_dir, documents, revision=3)
    page.wait_for_function("document.querySelectorAll('#tickers tbody tr').length === 2", timeout=15_000)
    publish_market(site.export_dir, market_documents(), revision=4)
    page.wait_for_function("document.querySelectorAll('#tickers tbody tr').length === 3", timeout=15_000)


def test_scan_now_shows_a_queued_scan(page: Page, site: SiteProcess) -> None:
    page.click("text=Scan now")
    page.wait_for_url("**/staff/")
    row = page.locator("#jobs tbody tr").first
    assert "queued" in row.inner_text()
    scan_id = row.locator("a").inner_text()
    page.click("text=Scan now")
    page.wait_for_load_state("load")
    assert page.locator("#jobs tbody tr").count() == 1
    page.goto(f"{site.address}/api/v1/scans/{scan_id}/")
    assert "queued" in page.locator(".response-info").inner_text()


@pytest.mark.parametrize(
    "path", ["/api/v1/", "/api/v1/scans/", "/api/v1/options/ZORA/snapshot/", "/api/v1/docs/", "/admin/"]
)
def test_other_pages_ask_nothing_of_the_outside(page: Page, site: SiteProcess, path: str) -> None:
    page.goto(f"{site.address}{path}")
    page.wait_for_load_state("networkidle")
    assert "invented tickers" in page.locator("body").inner_text()


def test_long_text_is_wrapped_in_the_browsable_api(page: Page, site: SiteProcess) -> None:
    documents = market_documents()
    documents["alerts"] = [alert(1, reason="A sentence of many words. " * 40, key="k" * 600)]
    publish_market(site.export_dir, documents, revision=7)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{site.address}/api/v1/alerts/alert00001/")
    width = "document.querySelector('.response-info pre').scrollWidth"
    assert page.evaluate(width) <= page.evaluate(width.replace("scrollWidth", "clientWidth"))
    publish_market(site.export_dir, market_documents(), revision=8)


def test_the_browsable_form_asks_for_a_scan(page: Page, site: SiteProcess) -> None:
    page.goto(f"{site.address}/api/v1/scans/")
    page.fill("input[name=tickers]", "zora, QUIL")
    page.click("#post-object-form button:has-text('POST')")
    page.wait_for_load_state("load")
    assert "HTTP 202 Accepted" in page.locator(".response-info").inner_text()
