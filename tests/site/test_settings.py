"""The table of settings: what the environment gives, what it may not give, and what Django is told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from optsite.environment import OF_TESTS, Environment, read_environment, variable
from tests.site.processes import ROOT


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("OPTSITE_") or name == "DATABASE_URL":
            monkeypatch.delenv(name)


def test_every_default_works_on_one_machine() -> None:
    table = read_environment()
    assert table.data_dir == ROOT / "data"
    assert table.provider == "yahoo"
    assert table.allowed_hosts == ("localhost", "127.0.0.1", "[::1]")
    assert (table.calls_per_hour, table.calls_per_day) == (250, 2000)
    assert (table.keep_contract_days, table.keep_parquet_days, table.archive_max_gb) == (180, 0, 20.0)
    assert not table.deployed


def test_values_arrive_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "thresholds.toml"
    config.write_text("[unusual_activity]\nmin_volume = 500\n")
    for name, text in {
        "OPTSITE_DATA_DIR": str(tmp_path / "d"),
        "OPTSITE_PROVIDER": "recorded",
        "OPTSITE_RECORDINGS": str(tmp_path),
        "OPTSITE_WATCHLIST": "spy brk.b,SPX",
        "OPTSITE_ALLOWED_HOSTS": "options.example.org, localhost",
        "OPTSITE_API_PUBLIC": "yes",
        "OPTSITE_EXPORT_MINUTES": "15",
        "OPTSITE_RISK_FREE_RATE": "0.0425",
        "OPTSITE_CONFIG": str(config),
        "OPTSITE_SCAN_CRON": "5 10 * * 1-5",
        "OPTSITE_MAX_EXPIRATIONS": "",
    }.items():
        monkeypatch.setenv(name, text)
    table = read_environment()
    assert table.watchlist == ("SPY", "BRK-B", "^SPX")
    assert table.allowed_hosts == ("options.example.org", "localhost")
    assert table.deployed
    assert table.api_public is True
    assert table.export_minutes == 15
    assert table.risk_free_rate == 0.0425
    assert table.config == config
    assert table.recordings == tmp_path
    assert table.max_expirations == 5, "an empty variable counts as unset"


@pytest.mark.parametrize(
    ("name", "text", "remedy"),
    [
        ("OPTSITE_DATA_DIR", __file__, "a folder that can be written"),
        ("OPTSITE_PROVIDER", "bloomberg", "yahoo, demo or recorded"),
        ("OPTSITE_RECORDINGS", "/no/such/folder", "a folder that exists"),
        ("OPTSITE_WATCHLIST", "AAPL,,$$$", "such as SPY,AAPL,BRK.B"),
        ("OPTSITE_SECRET_KEY", "short", "50 or more random characters"),
        ("OPTSITE_DEBUG", "maybe", "1 or 0"),
        ("OPTSITE_ALLOWED_HOSTS", "*", "host names with commas between"),
        ("OPTSITE_ALLOWED_HOSTS", "https://options.example.org", "host names with commas between"),
        ("OPTSITE_API_PUBLIC", "2", "1 or 0"),
        ("DATABASE_URL", "mysterious://host/name", "postgres://user:password@host/name"),
        ("OPTSITE_SCAN_CRON", "every day", "a cron line of five fields"),
        ("OPTSITE_SCAN_CRON", "*/10 9-16 * * 1-5 0", "a cron line of five fields"),
        ("OPTSITE_EXPORT_MINUTES", "0", "a whole number from 1 to 60"),
        ("OPTSITE_RISK_FREE_RATE", "4.25", "4.5 per cent is 0.045"),
        ("OPTSITE_RISK_FREE_RATE", "0.25", "4.5 per cent is 0.045"),
        ("OPTSITE_RISK_FREE_RATE", "-0.618873", "4.5 per cent is 0.045"),
        ("OPTSITE_RISK_FREE_RATE", "nan", "4.5 per cent is 0.045"),
        ("OPTSITE_MAX_EXPIRATIONS", "many", "a whole number from 1 to 60"),
        ("OPTSITE_CALLS_PER_HOUR", "-1", "a whole number above 0"),
        ("OPTSITE_CALLS_PER_DAY", "0", "a whole number above 0"),
        ("OPTSITE_KEEP_CONTRACT_DAYS", "1.5", "a whole number above 0"),
        ("OPTSITE_KEEP_PARQUET_DAYS", "-3", "a whole number, 0 or more"),
        ("OPTSITE_ARCHIVE_MAX_GB", "inf", "a number above 0"),
        ("OPTSITE_CONFIG", "/no/such/file.toml", "a TOML file that exists"),
        ("OPTSITE_CONFIG", __file__, "a TOML file that exists"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable_and_what_would_do(
    name: str, text: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(ImproperlyConfigured) as refused:
        read_environment()
    line = str(refused.value)
    assert "\n" not in line
    assert line.startswith(name)
    assert remedy in line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[alerts]\nstorm = " + "9" * 5000, "storm (at line 2): a whole number of thousands of digits"),
        ("[alerts]\nstorm = " + "[" * 3000, "storm (at line 2): lists or tables are nested too deep"),
    ],
)
def test_a_file_that_can_not_be_read_as_toml_is_one_line(
    text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "levels.toml"
    config.write_text(text)
    monkeypatch.setenv("OPTSITE_CONFIG", str(config))
    with pytest.raises(ImproperlyConfigured) as refused:
        read_environment()
    line = str(refused.value)
    assert line.startswith(f"OPTSITE_CONFIG='{config}' will not do ({says}")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("OPTSITE_PROVIDR", "OPTSITE_PROVIDER"),
        ("OPTSITE_CALL_PER_HOUR", "OPTSITE_CALLS_PER_HOUR"),
        ("optsite_watch_list", "OPTSITE_WATCHLIST"),
        ("OPTSITE_DATABASE_URL", "DATABASE_URL"),
    ],
)
def test_a_variable_that_there_is_not_is_one_line_with_the_nearest_that_is(
    name: str, nearest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "")
    with pytest.raises(ImproperlyConfigured) as refused:
        read_environment()
    assert str(refused.value) == f"{name} is no setting; the nearest is {nearest}. Unset it, or name it right."


def test_what_tests_are_told_by_is_no_unknown_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OF_TESTS:
        monkeypatch.setenv(name, "1")
    assert read_environment().provider == "yahoo"


@pytest.mark.parametrize(
    ("name", "text"),
    [("OPTSITE_SECRET_KEY", "hunter2"), ("DATABASE_URL", "nosuch://user:hunter2@host/name")],
)
def test_a_secret_is_not_repeated_in_the_message(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(ImproperlyConfigured) as refused:
        read_environment()
    assert "hunter2" not in str(refused.value)


def test_every_row_has_help_and_says_what_it_takes() -> None:
    for name, row in Environment.model_fields.items():
        assert row.description, name
        assert isinstance(row.json_schema_extra, dict), name
        assert row.json_schema_extra["accepts"], name
        assert variable(name) == "DATABASE_URL" or variable(name) == f"OPTSITE_{name.upper()}"


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "optsite.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_bad_value_ends_manage_py_with_code_2_and_no_traceback(data_dir: Path) -> None:
    ended = manage("check", OPTSITE_DATA_DIR=str(data_dir), OPTSITE_PROVIDER="bloomberg")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == "OPTSITE_PROVIDER='bloomberg' will not do. It takes yahoo, demo or recorded.\n"


def test_a_misspelt_variable_ends_manage_py_with_code_2(data_dir: Path) -> None:
    ended = manage("check", OPTSITE_DATA_DIR=str(data_dir), OPTSITE_PROVIDR="demo")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert (
        ended.stderr == "OPTSITE_PROVIDR is no setting; the nearest is OPTSITE_PROVIDER. Unset it, or name it right.\n"
    )


def test_deployed_settings_pass_djangos_own_check(data_dir: Path) -> None:
    checked = manage(
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        OPTSITE_DATA_DIR=str(data_dir),
        OPTSITE_ALLOWED_HOSTS="options.example.org",
    )
    assert checked.returncode == 0, checked.stderr


def test_the_task_queue_never_runs_a_running_task_again() -> None:
    queue = settings.Q_CLUSTER
    # The clock of a retry starts at the prefetch: a task may wait for all that were fetched before it.
    assert queue["retry"] > queue["timeout"] * (queue["queue_limit"] + 2) / queue["workers"]
    assert queue["ack_failures"] is True
    assert queue["catch_up"] is False


def test_sqlite_takes_its_write_lock_at_once_and_waits_for_it() -> None:
    options = settings.DATABASES["default"]["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert options["timeout"] == 20


@pytest.mark.django_db
def test_sqlite_writes_ahead() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert cursor.execute("PRAGMA synchronous").fetchone() == (1,), "NORMAL"
