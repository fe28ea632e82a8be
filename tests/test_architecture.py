"""The direction of imports: each sentence of the house is a contract in pyproject.toml, and each is kept."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
WEB_FORBIDS = ("duckdb", "pandas", "scipy", "yfinance", "exchange_calendars", "apprise")


@pytest.fixture(scope="module")
def verdicts() -> dict[str, str]:
    """The linter's verdict on each contract, by its name."""
    linted = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "400", "NO_COLOR": "1"},
        check=False,
    )
    found = re.findall(r"^(.+) (KEPT|BROKEN)(?: |$)", linted.stdout, flags=re.MULTILINE)
    assert found, linted.stdout + linted.stderr
    return {name: verdict if verdict == "KEPT" else linted.stdout for name, verdict in found}


@pytest.mark.parametrize("name", [contract["name"] for contract in CONTRACTS])
def test_contract_is_kept(name: str, verdicts: dict[str, str]) -> None:
    assert verdicts[name] == "KEPT", verdicts[name]


def test_the_web_application_loads_where_these_libraries_cannot_be_imported() -> None:
    refuse = f"import sys; sys.modules.update(dict.fromkeys({WEB_FORBIDS!r})); "
    load = "import optsite.wsgi; from django.urls import get_resolver; print(len(get_resolver().url_patterns))"
    loaded = subprocess.run(
        [sys.executable, "-c", refuse + load], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert loaded.returncode == 0, loaded.stderr
    assert int(loaded.stdout) > 0
