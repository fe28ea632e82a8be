"""Gunicorn serving the site in a process that cannot import what only the collecting side may."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
USER, PASSWORD = "mara", "quiet-harbour-71"
FORBIDDEN = ("duckdb", "pandas", "scipy", "yfinance", "exchange_calendars")
START_SECONDS = 40

SERVER = f"""
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {FORBIDDEN!r}:
            raise ImportError(f"{{name}} is imported in the web process")

sys.meta_path.insert(0, Refuse())
from gunicorn.app.wsgiapp import run
run()
"""


class SiteProcess:
    """The site in a data folder of its own; ``address`` is where it answers once it is started."""

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(mode=0o700, parents=True)
        self.data_dir = data_dir
        self.export_dir = data_dir / "demo" / "exports"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OPTSITE_")},
            "OPTSITE_DATA_DIR": str(data_dir),
            "OPTSITE_PROVIDER": "demo",
            "DJANGO_SETTINGS_MODULE": "optsite.settings",
        }
        self.environment.pop("DATABASE_URL", None)
        self.port = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def manage(self, *arguments: str, **environment: str) -> None:
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY,
            env=self.environment | environment,
            check=True,
            capture_output=True,
        )

    def prepare_database(self) -> None:
        """Create the tables and a staff user."""
        self.manage("migrate", "-v", "0")
        self.manage(
            "createsuperuser", "--noinput", "--username", USER, "--email", "mara@example.org",
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )  # fmt: skip

    def start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = open(self.data_dir / "web.log", "w+b")  # noqa: SIM115
        arguments = ["-c", "python:optsite.web_server", "-b", f"127.0.0.1:{self.port}", "--workers", "1"]
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the web server did not start: {self.output()}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return self.get("/healthz/live")[0] == 200
        except OSError:
            return False

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of a GET without a session."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def output(self) -> str:
        self.log.flush()
        return (self.data_dir / "web.log").read_text(errors="replace")[-4000:]

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.log.close()
