"""What every test may ask for: the recordings, folders of its own, the size of a soak, other clocks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exports.folders import MarketFolder

REQUIRE_ALL = os.environ.get("OPTSITE_REQUIRE_ALL") == "1"
OTHER_CLOCKS = ("Asia/Tokyo", "America/Los_Angeles")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test marked ``clock`` in the machine's own zone and again in two others."""
    if metafunc.definition.get_closest_marker("clock"):
        metafunc.parametrize("machine_zone", (None, *OTHER_CLOCKS), indirect=True, ids=lambda zone: zone or "own-zone")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Turn a skip into a failure where OPTSITE_REQUIRE_ALL=1: nothing may be missing there."""
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and OPTSITE_REQUIRE_ALL=1: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Turn a module's skip into a failure likewise."""
    report = yield
    if REQUIRE_ALL and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped, and OPTSITE_REQUIRE_ALL=1: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the figures of the accuracy tests where they were asked for: ``pytest -m accuracy``."""
    if "accuracy" not in str(config.getoption("-m")):
        return
    lines = [
        str(value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        for name, value in report.user_properties
        if name == "accuracy"
    ]
    terminalreporter.write_sep("-", "accuracy")
    for line in sorted(lines):
        terminalreporter.write_line(line)


# Autouse, because pytest drops a fixture that only pytest_generate_tests asked for.
@pytest.fixture(autouse=True)
def machine_zone(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Set the machine's time zone for one test marked ``clock``; None leaves it."""
    zone: str | None = getattr(request, "param", None)
    if zone is None:
        yield None
        return
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    yield zone
    if before is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.fixture(scope="session", autouse=True)
def children_use_the_site_settings() -> None:
    """Let processes that tests start run with the site's own settings, in the folder that the test gives them."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "optsite.settings"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of recordings that OPTSITE_SHARED_DATA names, or skip."""
    named = os.environ.get("OPTSITE_SHARED_DATA", "")
    if not named or not Path(named).is_dir():
        pytest.skip("OPTSITE_SHARED_DATA names no folder of recordings")
    return Path(named).resolve()


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return what notes a figure of an accuracy test, for ``pytest -m accuracy`` to print."""

    def note(line: str) -> None:
        request.node.user_properties.append(("accuracy", line))
        print(line)

    return note


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Return a data folder of the test's own, 0700."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def market_folder(data_dir: Path) -> MarketFolder:
    """Return the demo market's folder in the test's own data folder, made."""
    folder = MarketFolder(data_dir, "demo")
    folder.create()
    return folder


@pytest.fixture(scope="session")
def soak_full() -> bool:
    """Return whether OPTSITE_SOAK=full asks for the long version of tests marked ``soak``."""
    return os.environ.get("OPTSITE_SOAK") == "full"
