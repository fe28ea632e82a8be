"""The site as a process of its own, and a browser that may reach nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.api.conftest import api, export_dir, market, staff, staff_user  # noqa: F401
from tests.api.sample_market import market_documents, publish_market
from tests.pages.site_process import PASSWORD, USER, SiteProcess

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """Serve the invented market from a process in which no collecting library can be imported."""
    process = SiteProcess(tmp_path_factory.mktemp("site") / "data")
    publish_market(process.export_dir, market_documents())
    process.prepare_database()
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium once; skip where it is not installed."""
    sync_api = pytest.importorskip("playwright.sync_api")
    executable = shutil.which("chromium") or CHROMIUM
    if not Path(executable).exists():
        pytest.skip("Chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def signed_in(browser: Browser, site: SiteProcess) -> Any:
    """Sign in by the login page; return the browser's state afterwards."""
    context = browser.new_context()
    shown = context.new_page()
    shown.goto(f"{site.address}/")
    shown.fill("#id_username", USER)
    shown.fill("#id_password", PASSWORD)
    shown.click("button[type=submit]")
    shown.wait_for_url("**/staff/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def page(browser: Browser, site: SiteProcess, signed_in: Any, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Return the overview, signed in as staff; a request beyond this machine or an error on the page fails the test.

    ``@pytest.mark.parametrize("page", ["dark"], indirect=True)`` chooses the theme.
    """
    context = browser.new_context(
        viewport={"width": 1500, "height": 1000},
        color_scheme=getattr(request, "param", "light"),
        storage_state=signed_in,
    )
    outside: list[str] = []
    errors: list[str] = []

    def guard(route: Any) -> None:
        if urlsplit(route.request.url).hostname in ("127.0.0.1", "localhost"):
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    context.route("**/*", guard)
    shown = context.new_page()
    shown.on("pageerror", lambda error: errors.append(str(error)))
    shown.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    shown.goto(f"{site.address}/")
    shown.wait_for_url("**/staff/")
    yield shown
    screenshots = os.environ.get("SCREENSHOTS")
    if screenshots:
        shown.screenshot(path=str(Path(screenshots) / f"{request.node.name}.png"), full_page=True)
    context.close()
    assert outside == []
    assert errors == []
