"""The ticker page of real scans in Chromium: our smile beside the feed's, the fit, the term structure."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from exports.folders import MarketFolder
from exports.reader import ExportReader
from tests.pages.site_process import SiteProcess
from tests.pages.test_browser import DRAWN

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

POINTS = """id => Chart.getChart(id).data.datasets.map(one => [one.label, one.data])"""
LABELS = """id => Chart.getChart(id).data.labels"""


@pytest.fixture(scope="module", params=["demo", pytest.param("recorded", marks=pytest.mark.recordings)])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """Serve what a scan of the demo, or of a table of Cboe's, has published."""
    folder = tmp_path_factory.mktemp(request.param)
    process = SiteProcess(folder / "data")
    if request.param == "recorded":
        (folder / "recordings").mkdir()
        shared_data: Path = request.getfixturevalue("shared_data")
        shutil.copy(shared_data / "cboe" / "nvda-2025-01-06.csv", folder / "recordings")
        process.environment |= {"OPTSITE_PROVIDER": "recorded", "OPTSITE_RECORDINGS": str(folder / "recordings")}
    process.prepare_database()
    process.manage("scan")
    process.start()
    yield process
    process.stop()


@pytest.fixture
def market(site: SiteProcess) -> str:
    return site.environment["OPTSITE_PROVIDER"]


def published(site: SiteProcess, market: str, name: str) -> list[dict[str, Any]]:
    current = ExportReader(MarketFolder(site.data_dir, market).export_dir).current()
    assert current is not None
    document = current.document(name)
    assert document is not None
    return [document.record(position) for position in range(document.count)]


def fullest_chain(site: SiteProcess, market: str, ticker: str) -> dict[str, Any]:
    """Return the chain of the most volatilities."""
    known = [one for one in published(site, market, "chains") if one["ticker"] == ticker and one["forward"] is not None]
    return max(known, key=lambda chain: len(of_the_money(chain, "implied_volatility")))


def of_the_money(chain: dict[str, Any], name: str) -> dict[float, float]:
    """Return a volatility by strike, of the out-of-the-money sides, as the published chain has it."""
    calls = {one["strike"]: one[name] for one in chain["calls"] if one["strike"] >= chain["forward"]}
    puts = {one["strike"]: one[name] for one in chain["puts"] if one["strike"] < chain["forward"]}
    return {strike: value for strike, value in (calls | puts).items() if value is not None}


def years(chain: dict[str, Any]) -> float:
    """Years from the chain's moment to its settlement."""
    ends, begins = (datetime.fromisoformat(chain[name]) for name in ("settlement_time", "as_of"))
    return (ends - begins).total_seconds() / (365 * 86400)


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_the_smile_of_ours_stands_beside_the_feeds(page: Page, site: SiteProcess, market: str) -> None:
    ticker, feed = {"demo": ("ALDREN", "demo"), "recorded": ("NVDA", "cboe")}[market]
    chain = fullest_chain(site, market, ticker)
    page.goto(f"{site.address}/staff/ticker/{ticker}/?expiration={chain['expiration']}&root={chain['root']}")
    page.wait_for_load_state("load")
    drawn = {
        label: {point["x"]: point["y"] for point in points} for label, points in page.evaluate(POINTS, "smile-chart")
    }
    assert set(drawn) == {"Ours", f"{feed} states", "Fit"}
    assert drawn["Ours"] == of_the_money(chain, "implied_volatility")
    assert len(drawn["Ours"]) > 10
    theirs = of_the_money(chain, "vendor_implied_volatility")
    assert drawn[f"{feed} states"].items() <= theirs.items()
    # Wherever ours is, a volatility of the feed's that is one is drawn.
    seen = {strike for strike in drawn["Ours"] if 0.01 <= theirs.get(strike, 0.0) <= 1.3 * max(drawn["Ours"].values())}
    assert len(seen) > 10
    assert len(seen - set(drawn[f"{feed} states"])) <= len(seen) // 5
    # The fit runs through the points near the money: the largest distance within 2.5 deviations is stated.
    fit = chain["analytics"]["smile"]
    reach = 2.5 * chain["atm_iv"] * math.sqrt(years(chain))
    near = {
        strike: value
        for strike, value in drawn["Fit"].items()
        if strike in drawn["Ours"] and abs(math.log(strike / chain["forward"])) <= reach
    }
    assert len(near) > 5
    assert max(abs(value - drawn["Ours"][strike]) for strike, value in near.items()) <= fit["residual_max"] + 1e-4
    assert page.locator("#smile-chart").evaluate(DRAWN) > 0.005
    assert (
        f"{chain['expiration']} · {chain['root']} · forward"
        in page.locator("section", has_text="Smile").last.inner_text()
    )


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_the_term_structure_is_that_of_the_features(page: Page, site: SiteProcess, market: str) -> None:
    ticker = {"demo": "ALDREN", "recorded": "NVDA"}[market]
    (feature,) = [one for one in published(site, market, "features") if one["ticker"] == ticker]
    page.goto(f"{site.address}/staff/ticker/{ticker}/")
    page.wait_for_load_state("load")
    term = [point for point in feature["term_structure"] if point["atm_iv"] is not None]
    assert len(term) > 2
    assert page.evaluate(LABELS, "term-chart") == [point["expiration"] for point in term]
    (money, between) = page.evaluate(POINTS, "term-chart")
    assert money == ["At the forward", [point["atm_iv"] for point in term]]
    assert between == ["Between expirations", [point["forward_volatility"] for point in term]]
    assert page.locator("#term-chart").evaluate(DRAWN) > 0.005
    chip = page.locator("#figures .chip")
    told = f"partial: {feature['expirations_used']} of {feature['expirations_listed']} expirations"
    assert chip.all_inner_texts() == ([told] if feature["partial"] else [])
