"""The web server where importing duckdb, pandas, scipy or yfinance raises."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.api.sample_market import market_documents, publish_market
from tests.api.test_queries import EVERY_ADDRESS
from tests.pages.site_process import FORBIDDEN, SERVER, SiteProcess

PAGES = ["/", "/staff/", "/staff/ticker/ZORA/", "/admin/", "/admin/login/", "/healthz/live", "/healthz/ready"]


@pytest.fixture(scope="module")
def bare_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """Serve the documents from a folder without a database."""
    process = SiteProcess(tmp_path_factory.mktemp("bare") / "data")
    publish_market(process.export_dir, market_documents())
    process.start()
    yield process
    process.stop()


@pytest.mark.parametrize("name", FORBIDDEN)
def test_the_guard_refuses(name: str) -> None:
    code = SERVER.replace("from gunicorn.app.wsgiapp import run\nrun()", f"import {name}")
    assert code != SERVER
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert child.returncode == 1
    assert f"{name} is imported in the web process" in child.stderr


@pytest.mark.parametrize("address", [*EVERY_ADDRESS, "/healthz/live", "/healthz/ready"])
def test_every_address_of_the_api_answers(bare_site: SiteProcess, address: str) -> None:
    status, _, body = bare_site.get(address)
    assert status == 200, bare_site.output()
    assert body


def test_anonymous_reads_make_no_database(bare_site: SiteProcess) -> None:
    for address in EVERY_ADDRESS:
        assert bare_site.get(address)[0] == 200
        assert bare_site.get(address, Accept="text/html")[0] in (200, 406)
    assert not list(bare_site.data_dir.glob("db.sqlite3*"))


@pytest.mark.parametrize("address", PAGES)
def test_every_page_answers(site: SiteProcess, address: str) -> None:
    status, headers, _ = site.get(address)
    assert status in (200, 302), site.output()
    if status == 302:
        assert headers["location"].startswith(("/staff/", "/admin/login/?next=/"))


def test_static_files_are_served(site: SiteProcess) -> None:
    for path in ("optsite/pages.css", "optsite/charts.js", "unfold/css/styles.css", "rest_framework/css/default.css"):
        assert site.get(f"/static/{path}")[0] == 200


def test_a_new_generation_is_served_without_a_restart(site: SiteProcess) -> None:
    before = site.get("/api/v1/status/")[1]["x-generation"]
    publication = publish_market(site.export_dir, market_documents(), revision=2)
    after = site.get("/api/v1/status/")[1]["x-generation"]
    assert after == publication.manifest.generation != before


def test_log_lines_name_no_failure(bare_site: SiteProcess) -> None:
    assert bare_site.get("/api/v1/alerts/")[0] == 200
    assert "Traceback" not in bare_site.output()
