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
# A hundred lists in one another, far from what stops tomllib.
DEEP_LIST = re.compile(r"\[(?:\s*\[){99}")


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
        place = _place(text, LONG_NUMBER)
        what = f"{place}a whole number of thousands of digits; write a shorter one" if place else str(error)
        raise ValueError(what) from error
    except RecursionError:
        raise ValueError(f"{_place(text, DEEP_LIST)}lists or tables are nested too deep") from None


def _place(text: str, pattern: re.Pattern[str]) -> str:
    """Return where a pattern is first found, by key, as it is written, and line; '' where it is not."""
    found = pattern.search(text)
    if found is None:
        return ""
    before = text[: found.start()]
    key = KEY_BEFORE.search(before)
    line = before.count("\n") + 1
    return f"{key[1]} (at line {line}): " if key else f"at line {line}: "


def shown(value: Any) -> str:
    """Return a value for a message of one line: as Python writes it, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:
        return "a number of thousands of digits"
    except RecursionError:
        return "what is nested too deep"
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}…"
