"""The configuration file as TOML, and its values in messages of one line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

SHOWN_LENGTH = 40
# Python reads no whole number of more digits; tomllib says neither where it stands nor that the file is at fault.
LONG_NUMBER = re.compile(r"[0-9][0-9_]{4299,}")
KEY_BEFORE = re.compile(r"([^\s={,]+)\s*=[^=]*$")
TOO_DEEP = "lists or tables are nested too deep"


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds.

    Raises:
        OSError: it can't be read.
        ValueError: it is not UTF-8 or not TOML, a number in it is too long to be read, or it is nested too deep.
    """
    text = path.read_text(encoding="utf-8")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as error:
        raise ValueError(_long_number(text) or str(error)) from error
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def _long_number(text: str) -> str | None:
    """Return what is wrong with a number that is too long to be read: its key, as it is written, and its line."""
    found = LONG_NUMBER.search(text)
    if found is None:
        return None
    before = text[: found.start()]
    key = KEY_BEFORE.search(before)
    line = before.count("\n") + 1
    what = f"a whole number of thousands of digits (at line {line}); write a shorter one"
    return f"{key[1]}: {what}" if key else what


def shown(value: Any) -> str:
    """Return a value for a message of one line: as Python writes it, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:
        return "a number of thousands of digits"
    except RecursionError:
        return "what is nested too deep"
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}…"
