"""Numbers as people's browsers write them: thousands set apart by commas, spaces or apostrophes."""

from __future__ import annotations

import re

_MINUS = re.compile("^[\u2012\u2013\u2212]")
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(?P<mark>[,\s'’])\d{3}(?:(?P=mark)\d{3})*(?:\.\d+)?")
_MARKS = re.compile(r"[,\s'’]")


def ungrouped(text: str) -> str:
    """Return a number's text without what sets its thousands apart and with an ASCII minus; other texts as they are.

    The decimal mark is a point: 1,234.5 is a number, 0,05 is none.
    """
    if text.isascii() and "," not in text and " " not in text and "'" not in text:
        return text
    signed = _MINUS.sub("-", text)
    return _MARKS.sub("", signed) if _GROUPED.fullmatch(signed) else signed
