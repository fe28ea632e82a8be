"""Checks of the machine before a start."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from optsite import health


class Refusing(BaseHTTPRequestHandler):
    """Answers everything with 429, as a provider may."""

    def do_HEAD(self) -> None:
        self.send_response(429)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def answering() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_any_answer_means_reachable(answering: str) -> None:
    assert health.reachable(answering)


def test_a_closed_port_and_an_unknown_host_mean_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert not health.reachable(f"http://127.0.0.1:{port}/")
    assert not health.reachable("http://no-such-host.invalid/")


def test_a_host_that_says_nothing_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        assert not health.reachable(f"http://127.0.0.1:{silent.getsockname()[1]}/", seconds=0.5)
        assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    ("version", "verdict"), [((3, 10, 9), "failed"), ((3, 11, 0), "ok"), ((3, 13, 5), "ok"), ((3, 14, 0), "failed")]
)
def test_python(version: tuple[int, ...], verdict: str) -> None:
    assert health.check_python(version).verdict == verdict


def test_a_port_that_is_taken_fails_and_names_the_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finding = health.check_port(port)
        assert finding.verdict == "failed"
        assert f"port {port} can't be used" in finding.text
        assert "--port" in finding.text
    assert health.check_port(port).verdict == "ok"


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_fails(port: int) -> None:
    assert health.check_port(port).verdict == "failed"


def test_the_data_folder(data_dir: Path) -> None:
    assert health.check_data_folder(data_dir).verdict == "ok"
    data_dir.chmod(0o755)
    finding = health.check_data_folder(data_dir)
    assert finding.verdict == "warning"
    assert "chmod 700" in finding.text
    missing = health.check_data_folder(data_dir / "none")
    assert missing.verdict == "failed"
    assert "OPTSITE_DATA_DIR" in missing.text


@pytest.mark.parametrize(("free", "verdict"), [(1e8, "failed"), (1e9, "warning"), (1e11, "ok")])
def test_space(free: float, verdict: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": int(free)})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    assert health.check_space(data_dir).verdict == verdict
