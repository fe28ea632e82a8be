"""Everything in one command: checks, database, schedules, first scan, web server and task cluster."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from collector.models import Heartbeat
from collector.schedules import sync_schedules
from exports.folders import MarketFolder
from exports.locks import KernelLock, LockHeld
from optsite.configuration_check import check_configuration
from optsite.data_folder import secret_key
from optsite.first_steps import (
    BACKFILL_SESSIONS,
    STAFF_USER,
    Choice,
    NoMarket,
    child_environment,
    choose_market,
    first_scans,
    first_words,
    make_staff_user,
    note_start,
    published,
    run_on_terminal,
)
from optsite.health import check_environment, reachable
from optsite.supervisor import Program, Supervisor

FAILED, BAD_USAGE, LOCKED, INTERRUPTED = 1, 2, 4, 130
PROVIDERS = ("yahoo", "demo", "recorded")
HOST = "127.0.0.1"
HEARTBEAT_SECONDS = 150.0
UP_LOCK = "up.lock"


class Command(BaseCommand):
    """Start the monitor on this machine and keep it running until Ctrl-C."""

    help = "Start everything: checks, database, schedules, first scan, web server and task cluster."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the port, the provider and its recordings."""
        parser.add_argument("--port", type=int, default=8000, help="port of the pages and the API (8000)")
        parser.add_argument("--provider", choices=PROVIDERS, help="whose quotes; default OPTSITE_PROVIDER, else yahoo")
        parser.add_argument("--recordings", type=Path, metavar="DIR", help="folder for --provider recorded")
        parser.add_argument(
            "--backfill",
            type=sessions,
            default=BACKFILL_SESSIONS,
            metavar="N",
            help="demo: sessions of its past that are there, 0 to 90 (90)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Take the data folder's lock, do the first steps, run the programs."""
        # Before the programs run a plain SIGTERM ends the start as Ctrl-C does, and Ctrl-C does so even where a shell
        # had it ignored (a job in the background).
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        lock = KernelLock(settings.OPTSITE.data_dir / "locks" / UP_LOCK, "manage.py up")
        try:
            with lock.acquire():
                self._start(options)
        except LockHeld as error:
            raise CommandError(
                f"{settings.OPTSITE.data_dir} is in use: {error}. Stop that one, or set OPTSITE_DATA_DIR.",
                returncode=LOCKED,
            ) from error
        except KeyboardInterrupt:
            self._say("stopped")
            sys.exit(INTERRUPTED)

    def _start(self, options: dict[str, Any]) -> None:
        choice = self._choose(options)
        folder, port = choice.folder, options["port"]
        folder.create()
        self._check_machine(folder, port)
        environment = child_environment(choice)
        check_configuration(environment)
        secret_key(folder.data_dir)
        password = make_staff_user()
        sync_schedules(folder)
        if password is not None:
            self._say(f"staff user {STAFF_USER}, password {password} (shown this once)")
        self._first_documents(choice, environment, options["backfill"])
        connection.close()
        Supervisor(
            programs(folder, port),
            sys.stdout,
            environment,
            on_ready=lambda: self._invite(choice, port),
        ).run()

    def _choose(self, options: dict[str, Any]) -> Choice:
        asked = options["provider"] or (settings.OPTSITE.provider if os.environ.get("OPTSITE_PROVIDER") else None)
        recordings = options["recordings"] or settings.OPTSITE.recordings
        if options["recordings"] is not None and not options["recordings"].is_dir():
            raise CommandError(f"--recordings {options['recordings']}: no such folder.", returncode=BAD_USAGE)
        try:
            choice = choose_market(
                settings.OPTSITE.data_dir, asked, recordings.resolve() if recordings else None, reachable
            )
        except NoMarket as error:
            raise CommandError(str(error), returncode=BAD_USAGE) from error
        if choice.remark:
            self._say(choice.remark)
        return choice

    def _check_machine(self, folder: MarketFolder, port: int) -> None:
        """Say what the machine lacks; stop where that can't do."""
        findings = check_environment(folder.data_dir, port)
        for finding in findings:
            if finding.verdict == "warning":
                self._say(f"note: {finding.text}")
        failed = [finding.text for finding in findings if finding.verdict == "failed"]
        if failed:
            raise CommandError("; ".join(failed), returncode=FAILED)

    def _first_documents(self, choice: Choice, environment: dict[str, str], backfill: int) -> None:
        """Scan where the documents are missing or old, then export; a scan that fails stops nothing."""
        if not published(choice.folder):
            self._say(first_words(choice.folder, backfill))
        for command in (*first_scans(choice.folder, choice.recordings, backfill=backfill), ["export"]):
            if command == ["export"]:
                # The export puts it before readers.
                note_start(choice.folder)
            code = run_on_terminal(command, environment)
            if code == -signal.SIGINT or code == INTERRUPTED:
                raise KeyboardInterrupt
            if code not in (0, 5):
                self._say(f"manage.py {' '.join(command)} ended with exit code {code}; the pages show what there is.")

    def _invite(self, choice: Choice, port: int) -> None:
        """Print what another terminal needs, and the address last."""
        lines = [
            f"export OPTSITE_DATA_DIR={choice.folder.data_dir}",
            f"export OPTSITE_PROVIDER={choice.folder.provider}",
        ]
        if choice.recordings is not None:
            lines.append(f"export OPTSITE_RECORDINGS={choice.recordings}")
        self._say("for commands in another terminal:")
        for line in lines:
            self.stdout.write(f"    {line}")
        self.stdout.write(f"Ctrl-C ends it. Pages and API: http://{HOST}:{port}/")
        self.stdout.flush()

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def sessions(text: str) -> int:
    """Return the number that --backfill names; ArgumentTypeError says which would do."""
    if not text.isdecimal() or int(text) > BACKFILL_SESSIONS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of sessions from 0 to {BACKFILL_SESSIONS}")
    return int(text)


def programs(folder: MarketFolder, port: int) -> tuple[Program, Program]:
    """Return the web server and the task cluster."""
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    gunicorn = ("-m", "gunicorn", "-c", "python:optsite.web_server", "--bind", f"{HOST}:{port}")
    return (
        Program("web", (sys.executable, *gunicorn), ready=lambda: answers(port)),
        Program(
            "tasks",
            (sys.executable, manage, "qcluster"),
            unhealthy=lambda seconds: missing_heartbeat(folder.market, seconds),
        ),
    )


def answers(port: int) -> bool:
    """Return whether the web server answers a request, by whatever status."""
    web = HTTPConnection(HOST, port, timeout=2)
    try:
        web.request("GET", "/healthz/live")
        web.getresponse()
    except (OSError, HTTPException):
        return False
    finally:
        web.close()
    return True


def missing_heartbeat(market: str, running_seconds: float) -> str | None:
    """Return a complaint where the cluster has run for 150 s and its heartbeat is older than that, else None."""
    if running_seconds < HEARTBEAT_SECONDS:
        return None
    try:
        newest = Heartbeat.objects.filter(market=market).order_by("-at").values_list("at", flat=True).first()
    except DatabaseError:
        # A database that answers nothing now says nothing about the cluster.
        return None
    finally:
        connection.close()
    age = (datetime.now(UTC) - newest).total_seconds() if newest is not None else running_seconds
    return f"gave no heartbeat for {age:.0f} s" if age > HEARTBEAT_SECONDS else None
