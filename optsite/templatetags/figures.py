"""How figures of the documents are written on a page: a missing one is a dash that says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from exports.reasons import explain

register = template.Library()

NO_REASON = "Not stated."
NOT_KNOWN = "Not known yet."

NEW_YORK = ZoneInfo("America/New_York")

# Flags as a narrow column has room for; the sentence is the tooltip's.
FLAG_WORDS = {
    "negative_price": "negative",
    "stale_last_trade": "old trade",
    "volume_carried": "old volume",
    "placeholder_iv": "vendor IV is a fill-in",
    "symbol_mismatch": "mismatch",
}


def _price(value: float) -> str:
    return f"{value:,.2f}"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _percent(value: float) -> str:
    return f"{100 * value:,.1f} %"


def _change(value: float) -> str:
    return f"{100 * value:+,.2f} %"


def _ratio(value: float) -> str:
    return f"{value:,.2f}"


def _dollars(value: float) -> str:
    """Return dollars in the largest unit that leaves a whole one: -$3.6M."""
    size, sign = abs(value), "-" if value < 0 else ""
    for scale, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if size >= scale:
            return f"{sign}${size / scale:,.1f}{letter}"
    return f"{sign}${size:,.0f}"


def _strike(value: float) -> str:
    return f"{value:,.2f}".removesuffix(".00")


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _plain(value: object) -> str:
    return str(value)


STYLES: dict[str, Callable[[Any], str]] = {
    "price": _price,
    "whole": _whole,
    "percent": _percent,
    "change": _change,
    "ratio": _ratio,
    "dollars": _dollars,
    "strike": _strike,
    "yes": _yes,
    "plain": _plain,
}


def sentence(code: str | None) -> str:
    """Return the sentence of a reason code; the code itself where no list holds it."""
    if not code:
        return NO_REASON
    try:
        return explain(code)
    except KeyError:
        return code


@register.simple_tag
def figure(record: Mapping[str, Any] | None, name: str, style: str = "plain") -> SafeString:
    """Return field ``name`` of ``record`` written in ``style``; a dash with its reason where it is null."""
    value = record.get(name) if record else None
    if value is None or value == "":
        reasons = record.get("reasons") if record else None
        return dash(sentence((reasons or {}).get(name)))
    tone = ""
    if style == "change":
        tone = "is-up" if value > 0 else "is-down" if value < 0 else ""
    return format_html('<span class="figure {}">{}</span>', tone, STYLES[style](value))


def dash(why: str) -> SafeString:
    """Return the dash of a missing figure."""
    return format_html('<span class="missing" title="{}">–</span>', why)


@register.filter
def reason(code: str | None) -> str:
    """Return the sentence of a reason code."""
    return sentence(code)


@register.filter
def flag_word(flag: str) -> str:
    """Return a flag in as few words as a narrow column has room for."""
    return FLAG_WORDS.get(flag, words(flag))


@register.filter
def moment(text: str | None) -> SafeString:
    """Return a time of the documents, to the minute, in New York; UTC is the tooltip's."""
    return _time(text, "%d %b %H:%M ET", "%d %b %Y %H:%M ET")


@register.filter
def clock(text: str | None) -> SafeString:
    """Return the time of day of a time of the documents, in New York; UTC is the tooltip's."""
    return _time(text, "%H:%M ET", "%d %b %Y %H:%M ET")


@register.filter
def day(text: str | None) -> SafeString:
    """Return the date of a time of the documents, in New York; UTC is the tooltip's."""
    return _time(text, "%d %b", "%d %b %Y")


def _time(text: str | None, style: str, other_year: str) -> SafeString:
    if not text:
        return dash(NOT_KNOWN)
    read = datetime.fromisoformat(text)
    utc = f"{read.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    local = read.astimezone(NEW_YORK)
    # Recordings are of years past: their times name the year.
    shown = local.strftime(style if local.year == timezone.localtime(timezone=NEW_YORK).year else other_year)
    return format_html('<time datetime="{}" title="{}">{}</time>', text, utc, shown)


@register.filter
def duration(seconds: float | None) -> str:
    """Return seconds as people say them: 45 s, 12 min, 3 h 5 min, 2 d 4 h."""
    if seconds is None:
        return "–"
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


@register.filter
def gigabytes(count: float | None) -> str:
    """Return bytes in GB; a dash where a template found none."""
    return f"{count / 1e9:,.1f} GB" if isinstance(count, (int, float)) else "–"


@register.filter
def label(name: str) -> str:
    """Return a field's name as a row's label."""
    spelled = [word.upper() if word == "iv" else word for word in name.split("_")]
    return " ".join((spelled[0][:1].upper() + spelled[0][1:], *spelled[1:]))


@register.filter
def words(code: str | None) -> str:
    """Return a snake_case name as words."""
    return (code or "").replace("_", " ")
