"""What the machine must offer: Python, room, a data folder, a free port, a way to the provider."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PYTHON_FROM, PYTHON_BELOW = (3, 11), (3, 14)
LITTLE_SPACE = 5_000_000_000
NO_SPACE = 500_000_000
YAHOO = "https://query2.finance.yahoo.com/"
REACH_SECONDS = 5.0

Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, in one line; ``failed`` stops a start."""

    verdict: Verdict
    text: str


def check_python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Finding:
    """Check the interpreter's version."""
    found = ".".join(str(part) for part in version[:3])
    if PYTHON_FROM <= version[:2] < PYTHON_BELOW:
        return Finding("ok", f"Python {found}")
    return Finding("failed", f"Python {found}: 3.11, 3.12 or 3.13 is needed")


def check_space(data_dir: Path) -> Finding:
    """Check the free space of the data folder's disk."""
    free = shutil.disk_usage(data_dir).free
    text = f"{free / 1e9:.1f} GB free in {data_dir}"
    if free < NO_SPACE:
        return Finding("failed", f"{text}: make room, or set OPTSITE_DATA_DIR to another disk")
    return Finding("warning" if free < LITTLE_SPACE else "ok", text)


def check_data_folder(data_dir: Path) -> Finding:
    """Check that a file can be written in the data folder and that it is its owner's alone."""
    try:
        with tempfile.TemporaryFile(dir=data_dir) as file:
            file.write(b"\0")
    except OSError as error:
        return Finding(
            "failed", f"{data_dir} can't be written ({error.strerror}): set OPTSITE_DATA_DIR to another folder"
        )
    mode = data_dir.stat().st_mode & 0o777
    if os.name == "posix" and mode & 0o077:
        return Finding("warning", f"{data_dir} is open to others (mode {mode:o}): chmod 700 it")
    return Finding("ok", f"{data_dir} can be written")


def check_port(port: int, host: str = "127.0.0.1") -> Finding:
    """Check that the port is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the web server does it: a port that only lingers from the last run is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            return Finding("failed", f"port {port} can't be used ({error}): choose another by --port")
    return Finding("ok", f"port {port} is free")


def reachable(address: str = YAHOO, seconds: float = REACH_SECONDS) -> bool:
    """Return whether an HTTPS request to the address is answered, by whatever status, within ``seconds`` a step.

    The environment's proxies are used, as the provider's library uses them.
    """
    request = urllib.request.Request(address, method="HEAD")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=seconds):  # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False


def check_environment(data_dir: Path, port: int) -> list[Finding]:
    """Check all that a start needs of the machine, the provider apart."""
    return [check_python(), check_data_folder(data_dir), check_space(data_dir), check_port(port)]
