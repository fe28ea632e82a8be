"""The README against what it describes: the commands, the settings, the addresses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.urls import Resolver404, resolve

from collector.providers.demo.universe import UNIVERSE
from optsite.environment import BASE_DIR, Environment, variable
from tests.site.processes import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
TWO_COMMANDS = """\
    python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python manage.py up
    python3 -m venv .venv && .venv/bin/pip install -r requirements-dev.txt && .venv/bin/pytest
"""


def shown_default(value: object) -> str:
    """A default as a reader would type it."""
    if value is None or value == "" or value == ():
        return "–"
    if isinstance(value, bool):
        return f"`{int(value)}`"
    if isinstance(value, tuple):
        return f"`{','.join(value)}`"
    if isinstance(value, Path):
        return f"`{value.relative_to(BASE_DIR)}/`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def settings_table() -> str:
    """The README's table of settings, from the table in the code."""
    rows = ["| variable | default | what it decides | takes |", "| --- | --- | --- | --- |"]
    for name, row in Environment.model_fields.items():
        assert isinstance(row.json_schema_extra, dict)
        accepts = row.json_schema_extra["accepts"]
        rows.append(f"| `{variable(name)}` | {shown_default(row.default)} | {row.description} | {accepts} |")
    return "\n".join(rows) + "\n"


def test_the_two_commands_come_first_and_verbatim() -> None:
    assert TWO_COMMANDS in README
    assert README.index(TWO_COMMANDS) < 600


def test_the_table_of_settings_is_that_of_the_code() -> None:
    assert settings_table() in README, f"The README's table should read:\n\n{settings_table()}"


def test_every_address_that_curl_is_shown_with_exists() -> None:
    shown = re.findall(r"http://127\.0\.0\.1:8000(/[^\s'\"?`]*)", README)
    assert len(shown) > 10
    for address in shown:
        try:
            match = resolve(address)
        except Resolver404:
            pytest.fail(f"{address} leads nowhere")
        assert match.view_name != "api:unknown", address


def test_every_command_that_is_named_exists() -> None:
    from django.core.management import get_commands

    named = set(re.findall(r"manage\.py ([a-z_]+)", README))
    assert {"up", "scan", "export", "schedules", "verify_exports", "qcluster", "runserver"} <= named
    assert named <= set(get_commands())


def test_every_ticker_that_curl_is_shown_with_is_one_of_the_demos() -> None:
    shown = set(re.findall(r"curl \S*(?:ticker/|options/|features/|ticker=)([A-Z.^-]+)", README))
    assert shown
    assert shown <= {one.name for one in UNIVERSE}
