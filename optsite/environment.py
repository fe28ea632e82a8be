"""The one typed table of what the environment decides: a field is a variable, with its type, default and help.

A value that will not do, and a variable of ours that there is not, stops the start with one line that names it
(``ImproperlyConfigured``; manage.py exits 2).
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import dj_database_url
from croniter import CroniterBadDateError, croniter
from django.core.exceptions import ImproperlyConfigured
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from collector.toml_file import read_toml
from exports.tickers import canonical_list

BASE_DIR = Path(__file__).resolve().parent.parent
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
PREFIX = "OPTSITE_"
# What the tests and the Yahoo provider read for themselves.
OF_TESTS = ("OPTSITE_REQUIRE_ALL", "OPTSITE_SHARED_DATA", "OPTSITE_SOAK", "OPTSITE_YAHOO_URL")


def setting(default: Any, help_text: str, accepts: str, **bounds: Any) -> Any:
    """Return a row of the table: default, help, and the words that say which values would do."""
    return Field(default, description=help_text, json_schema_extra={"accepts": accepts}, **bounds)


class Environment(BaseSettings):
    """What the environment decides: the one table of settings. Empty counts as unset."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore")

    data_dir: Path = setting(
        BASE_DIR / "data",
        "Where everything is kept: database, store, exports, logs.",
        "a folder that can be written",
    )
    provider: Literal["yahoo", "demo", "recorded"] = setting(
        "yahoo",
        "Where quotes come from, and so which of the three markets is scanned and served.",
        "yahoo, demo or recorded",
    )
    recordings: Path | None = setting(
        None, "Folder of recorded option chains, for the provider recorded.", "a folder that exists"
    )
    watchlist: Annotated[tuple[str, ...], NoDecode] = setting(
        (),
        "Tickers that fill an empty watchlist once; then the watchlist page is the truth. "
        "Unset: SPY QQQ AAPL NVDA TSLA AMD MSFT for yahoo, everything that demo and recorded hold.",
        "tickers with commas or spaces between, such as SPY,AAPL,BRK.B",
    )
    secret_key: str = setting(
        "",
        "Signs sessions and tokens. Unset: made once and kept in the data folder (0600).",
        "50 or more random characters",
    )
    debug: bool = setting(False, "Django's debug pages; never where others can reach.", "1 or 0")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = setting(
        LOOPBACK_HOSTS,
        "Host names that are served. A name beyond loopback means deployed: HTTPS only, secure cookies, API by token.",
        "host names with commas between, such as options.example.org",
    )
    api_public: bool = setting(False, "Anonymous API reads also where deployed.", "1 or 0")
    database_url: str = setting(
        "",
        "Django's own database. Unset: SQLite in the data folder.",
        "a URL such as postgres://user:password@host/name",
        validation_alias="DATABASE_URL",
    )
    scan_cron: str = setting(
        "",
        "When scans are due, New York time. Unset: `*/10 9-16 * * 1-5`, for demo `*/10 * * * *`.",
        "a cron line of five fields",
    )
    export_minutes: int = setting(5, "Minutes between exports.", "a whole number from 1 to 60", ge=1, le=60)
    risk_free_rate: float | None = setting(
        None,
        "One interest rate for all tenors, decimal, in place of the curve.",
        "a decimal from -0.2 to 0.2: 4.5 per cent is 0.045",
        ge=-0.2,
        le=0.2,
    )
    max_expirations: int = setting(
        5, "Expirations a ticker where each costs a call (yahoo).", "a whole number from 1 to 60", ge=1, le=60
    )
    calls_per_hour: int = setting(250, "Calls an hour that the provider may be asked.", "a whole number above 0", gt=0)
    calls_per_day: int = setting(2000, "Calls a day that the provider may be asked.", "a whole number above 0", gt=0)
    keep_contract_days: int = setting(
        180, "Days that single contracts stay in the store.", "a whole number above 0", gt=0
    )
    keep_parquet_days: int = setting(
        0, "Days that Parquet history stays; 0 is for ever.", "a whole number, 0 or more", ge=0
    )
    archive_max_gb: float = setting(
        20.0, "Size that the export archive is held under, in GB.", "a number above 0", gt=0, allow_inf_nan=False
    )
    config: Path | None = setting(
        None, "TOML file of thresholds, rules and events.", "a TOML file that exists and can be read"
    )

    @field_validator("data_dir", "recordings", "config")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().resolve()

    @field_validator("data_dir")
    @classmethod
    def _not_a_file(cls, path: Path) -> Path:
        if path.exists() and not path.is_dir():
            raise ValueError("it is a file")
        return path

    @field_validator("recordings")
    @classmethod
    def _folder(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_dir():
            raise ValueError("no such folder")
        return path

    @field_validator("config")
    @classmethod
    def _toml(cls, path: Path | None) -> Path | None:
        if path is not None:
            try:
                read_toml(path)
            except (OSError, ValueError) as error:
                raise ValueError(str(error)) from error
        return path

    @field_validator("watchlist", mode="before")
    @classmethod
    def _tickers(cls, text: object) -> object:
        return canonical_list(text) if isinstance(text, str) else text

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _hosts(cls, text: object) -> object:
        if not isinstance(text, str):
            return text
        hosts = tuple(host.strip() for host in text.split(",") if host.strip())
        if not hosts or "*" in hosts or any("/" in host or " " in host for host in hosts):
            raise ValueError("each is a host name, and * is not one")
        return hosts

    @field_validator("secret_key")
    @classmethod
    def _long(cls, key: str) -> str:
        if key and len(key) < 50:
            raise ValueError("too short")
        return key

    @field_validator("scan_cron")
    @classmethod
    def _cron(cls, line: str) -> str:
        if line and (len(line.split()) != 5 or not croniter.is_valid(line)):
            raise ValueError("not a cron line")
        if line:
            try:
                croniter(line, datetime(2026, 1, 1, tzinfo=UTC)).get_next(datetime)
            except CroniterBadDateError:
                raise ValueError("it names no date that comes") from None
        return line

    @field_validator("database_url")
    @classmethod
    def _database(cls, url: str) -> str:
        if url:
            try:
                dj_database_url.parse(url)
            except (ValueError, dj_database_url.ParseError, dj_database_url.UnknownSchemeError) as error:
                raise ValueError("not a database URL") from error
        return url

    @property
    def deployed(self) -> bool:
        """Whether a name beyond loopback is served."""
        return not set(self.allowed_hosts) <= {*LOOPBACK_HOSTS, "::1"}


def variable(name: str) -> str:
    """Return the environment variable of the table's row ``name``."""
    return "DATABASE_URL" if name == "database_url" else f"{PREFIX}{name.upper()}"


def _complaint(error: ValidationError) -> str:
    """Return the one line that says which variable will not do, why, and what would."""
    first = error.errors()[0]
    name = str(first["loc"][0]).lower()
    extra = Environment.model_fields[name].json_schema_extra
    accepts = extra["accepts"] if isinstance(extra, dict) else ""
    shown = "" if name in ("secret_key", "database_url") else f"={str(first['input'])!r}"
    why = f" ({first['msg'].removeprefix('Value error, ')})" if first["type"] == "value_error" else ""
    return f"{variable(name)}{shown} will not do{why}. It takes {accepts}."


def _refuse_unknown(names: Iterable[str]) -> None:
    """Raise ImproperlyConfigured for the first name that begins as ours do and is none, with the nearest that is."""
    rows = {name.upper(): variable(name) for name in Environment.model_fields}
    for name in sorted(names):
        ours = name.upper()
        if ours.startswith(PREFIX) and ours not in rows.values() and ours not in OF_TESTS:
            row = difflib.get_close_matches(ours.removeprefix(PREFIX), rows, n=1, cutoff=0.0)[0]
            raise ImproperlyConfigured(f"{name} is no setting; the nearest is {rows[row]}. Unset it, or name it right.")


def read_environment() -> Environment:
    """Return the table as the environment fills it; ImproperlyConfigured with one line where that will not do."""
    _refuse_unknown(os.environ)
    try:
        return Environment()
    except ValidationError as error:
        raise ImproperlyConfigured(_complaint(error)) from None
