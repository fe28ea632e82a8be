"""Which code ran: the version and the commit, or a hash of the package's files."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__version__ = "0.1.0"

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("collector", "exports")
LIBRARIES = ("django", "duckdb", "yfinance", "pandas", "numpy", "scipy", "exchange_calendars", "orjson")


@cache
def code_version() -> str:
    """Return such as ``0.1.0+3f2a91c0``: the commit's first digits, or ``files.`` and a hash of our files."""
    return f"{__version__}+{_commit() or 'files.' + _files_hash()}"


def _commit() -> str | None:
    """Return the first 12 digits of the checkout's commit, None where there is no checkout."""
    git = ROOT / ".git"
    try:
        head = (git / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head[:12]
        reference = head.removeprefix("ref: ")
        loose = git / reference
        if loose.exists():
            return loose.read_text(encoding="ascii").strip()[:12]
        for line in (git / "packed-refs").read_text(encoding="ascii").splitlines():
            if line.endswith(" " + reference):
                return line.split(" ", 1)[0][:12]
    except (OSError, UnicodeDecodeError):
        return None
    return None


def _files_hash() -> str:
    """Return a hash of our packages' source files."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that shape the numbers."""
    found: dict[str, str] = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
