"""What of the log reaches the terminal, and what the log file alone holds: the site's own settings in a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.site.processes import start_python

SETUP = "import logging, django; django.setup(); "


def logged(data_dir: Path, code: str) -> tuple[list[str], str]:
    """The terminal's lines and the log file's text after the code has run under the site's settings."""
    ran = start_python("-c", SETUP + code, OPTSITE_DATA_DIR=str(data_dir), DJANGO_SETTINGS_MODULE="optsite.settings")
    told, _ = ran.communicate(timeout=60)
    assert ran.returncode == 0, told
    return told.splitlines(), (data_dir / "logs" / "option_chain_dashboard.log").read_text()


def test_a_failed_task_is_one_line_and_its_traceback_is_in_the_file(data_dir: Path) -> None:
    result = "scan ended with exit code 1: AAPL: not_found : Traceback (most recent call last):\\n  File x\\nBoom"
    code = f"logging.getLogger('django-q').error(\"Failed 'optsite.tasks.run' (one-two) - {result}\")"
    lines, file = logged(data_dir, code)
    assert len(lines) == 1
    assert lines[0].endswith("Failed 'optsite.tasks.run' (one-two) - scan ended with exit code 1: AAPL: not_found")
    assert "Traceback (most recent call last):\n  File x\nBoom" in file


def test_an_exception_is_named_in_one_line_and_whole_in_the_file(data_dir: Path) -> None:
    code = """
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("api").exception("no answer")
"""
    lines, file = logged(data_dir, code)
    assert len(lines) == 1
    assert lines[0].endswith("api: no answer: ZeroDivisionError: division by zero")
    assert "Traceback (most recent call last):" in file


REQUEST = "from django.test import Client; Client(raise_request_exception=False).get({address!r}, {headers})"


def test_a_host_that_is_not_served_is_one_line_that_names_the_setting(data_dir: Path) -> None:
    lines, file = logged(data_dir, REQUEST.format(address="/healthz/live", headers="HTTP_HOST='evil.example'"))
    assert len(lines) == 1
    assert "'evil.example'" in lines[0]
    assert lines[0].endswith("to OPTSITE_ALLOWED_HOSTS.")
    assert "Traceback" not in file


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (REQUEST.format(address="/no/such/page", headers="HTTP_HOST='localhost'"), "Not Found: /no/such/page"),
        ("logging.getLogger('yfinance').error('Cookie/crumb fetch failed')", "Cookie/crumb fetch failed"),
    ],
)
def test_what_nobody_at_the_terminal_can_act_on_is_in_the_file_alone(data_dir: Path, code: str, words: str) -> None:
    lines, file = logged(data_dir, code)
    assert lines == []
    assert words in file
