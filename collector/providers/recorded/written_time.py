"""A date with its time as somebody's browser wrote it, such as 10 novembre 2023 à 18:55 UTC−5.

Nothing is guessed: every word has to be known, every number to have its place, the zone to be named. What can be read
two ways (6/12/2023) cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache

from collector.providers.recorded.calendar_words import (
    BROWSER_LANGUAGES,
    ENGLISH,
    LETTERS,
    CalendarWords,
    calendar_words,
    half_name,
    plain,
)

_OFFSET = r"(?P<sign>[+-]) ?(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?(?!\d)"
_CLOCKS = (
    re.compile(r"(?<![\d:])(\d{1,2}) ?: ?(\d{2})(?::(\d{2}))?(?![\d:])"),
    re.compile(r"(?<!\d)(\d{1,2}) ?[h時时시] ?(\d{2})(?!\d)(?: ?(?:min|[分분]))?(?: ?(\d{2}) ?[s秒초])?"),
    re.compile(r"(?<![\d.])(\d{1,2})\.(\d{2})(?:\.(\d{2}))?(?!\.?\d)"),
)
_NUMERIC = re.compile(r"(?<!\d)(\d{1,4})( ?[./-] ?)(\d{1,2})\2(\d{1,4})(?!\d)\.?")
_NUMBER = re.compile(r"\d+")
_YEARS = range(1990, 2100)
_BUDDHIST_YEARS = range(2450, 2650)
_BUDDHIST_ERA = 543
_NO_ZONE = "it names no zone"
_IDEOGRAPHS = "\u2e80"


class Unreadable(ValueError):
    """A text that names no moment, or more than one; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class WrittenTime:
    """What a text says: ``moment`` in UTC, or None with ``problem`` saying why.

    ``day`` is the date as it is written, in whatever zone, where that much can be read.
    """

    moment: datetime | None
    day: date | None
    problem: str = ""


def read_written_time(text: str) -> WrittenTime:
    """Return the moment that a text names, in any language of BROWSER_LANGUAGES or as ISO 8601 with an offset."""
    stated = _iso(text)
    if stated is not None:
        return WrittenTime(stated.astimezone(UTC), stated.date())
    english = _read(text, ENGLISH)
    if english.moment is not None or not text.strip():
        return english
    other = _read(text, BROWSER_LANGUAGES)
    return other if other.moment or other.day or not english.day else english


def _iso(text: str) -> datetime | None:
    try:
        stated = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return None if stated.tzinfo is None else stated


def _read(text: str, languages: tuple[str, ...]) -> WrittenTime:
    """Return what a text says in some languages; the date is looked for where time or zone cannot be read too."""
    words = calendar_words(languages)
    zone, rest = _zone(plain(text), languages)
    clock, rest = _clock(rest.casefold(), languages)
    try:
        day, rest = _day(rest, languages)
    except Unreadable as error:
        return WrittenTime(None, None, str(error))
    left = _what_is_left(rest, words)
    if isinstance(zone, str):
        # A word that is not known may be the zone that is missing.
        return WrittenTime(None, day, left if left and zone == _NO_ZONE else zone)
    if isinstance(clock, str) or left:
        return WrittenTime(None, day, clock if isinstance(clock, str) else left)
    return WrittenTime(datetime.combine(day, clock, zone).astimezone(UTC), day)


def _zone(text: str, languages: tuple[str, ...]) -> tuple[tzinfo | str, str]:
    """Return the zone that a text names, or what is wrong with it, and the text without zones."""
    pattern = _zone_pattern(languages)
    found = list(pattern.finditer(text))
    rest = pattern.sub(" ", text)
    if len(found) != 1:
        return "it names two zones" if found else _NO_ZONE, rest
    match = found[0]
    if match["named"]:
        return calendar_words(languages).zones[match["named"]], rest
    if not match["sign"]:
        return UTC, rest
    hours, minutes = int(match["hours"]), int(match["minutes"] or 0)
    if hours > 14 or minutes > 59:
        return f"{match[0].strip()!r} is no zone", rest
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if match["sign"] == "-" else offset), rest


@lru_cache(maxsize=2)
def _zone_pattern(languages: tuple[str, ...]) -> re.Pattern[str]:
    """Return what finds a zone's abbreviation, or Greenwich with an offset."""
    words = calendar_words(languages)
    before, named = _either(words.greenwich), _either(words.zones)
    return re.compile(rf"(?<![^\W\d_])(?:(?:{before}) ?(?:{_OFFSET})?|(?P<named>{named}))(?![^\W\d_])")


def _clock(text: str, languages: tuple[str, ...]) -> tuple[time | str, str]:
    """Return the time of day in a text, or what is wrong with it, and the text without times."""
    pattern = next((clock for clock in _CLOCKS if clock.search(text)), None)
    if pattern is None:
        return "it names no time of day", text
    found = list(pattern.finditer(text))
    if len(found) != 1:
        return "it names two times of day", pattern.sub(" ", text)
    match = found[0]
    before, after = text[: match.start()], text[match.end() :]
    marker_before, marker_after = _markers(languages)
    behind = marker_after.match(after)
    ahead = marker_before.search(before)
    rest = f"{before[: ahead.start()] if ahead else before} {after[behind.end() :] if behind else after}"
    if behind and ahead:
        return "it names two halves of the day", rest
    marker = behind or ahead
    try:
        hour = _of_half(int(match[1]), half_name(marker["half"]), languages) if marker else int(match[1])
        return time(hour, int(match[2]), int(match[3] or 0)), rest
    except Unreadable as error:
        return str(error), rest
    except ValueError:
        return f"{match[0].strip()!r} is no time of day", rest


def _of_half(hour: int, half: str, languages: tuple[str, ...]) -> int:
    """Return the hour of 24 that an hour of a half of the day is."""
    meant = calendar_words(languages).halves[half]
    if len(meant) != 1:
        raise Unreadable(f"{half!r} is the morning in one language and the afternoon in another")
    (added,) = meant
    if hour > 12 and added:
        return hour  # 16:35 PM is written too
    if hour > 12:
        raise Unreadable(f"there is no {hour} o'clock {half!r}")
    return hour % 12 + added


@lru_cache(maxsize=2)
def _markers(languages: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what finds a marker of the half of the day before, and behind, a time."""
    names = sorted(calendar_words(languages).halves, key=len, reverse=True)
    spread = "|".join(r"[ .]*".join(re.escape(char) for char in name) for name in names)
    ideographs = "|".join(re.escape(name) for name in names if name[0] > _IDEOGRAPHS) or "(?!)"
    ahead = re.compile(rf"(?P<half>(?<![^\W\d_])(?:{spread})|(?:{ideographs}))\.?,? ?$")
    behind = re.compile(rf"[ ,]*(?P<half>{spread})\.?(?![^\W\d_])")
    return ahead, behind


def _day(text: str, languages: tuple[str, ...]) -> tuple[date, str]:
    """Return the date in a text, and the text without it."""
    months = calendar_words(languages).months
    named = list(_month_pattern(languages).finditer(text))
    if not named:
        return _numeric_day(text)
    meant = frozenset.intersection(*(months[match[0]] for match in named))
    if len(named) > 1 and not meant:
        raise Unreadable(f"it names two months: {named[0][0]!r} and {named[1][0]!r}")
    if len(meant) != 1:
        raise Unreadable(f"{named[0][0]!r} is another month in another language")
    rest = _month_pattern(languages).sub(" ", text)
    numbers = _NUMBER.findall(rest)
    years = [number for number in numbers if len(number) == 4]
    days = [number for number in numbers if len(number) < 3]
    if len(years) != 1 or len(days) != 1 or len(numbers) != 2:
        raise Unreadable("it names no day of the month with a year of four digits")
    (month,) = meant
    return _date(int(years[0]), month, int(days[0])), _NUMBER.sub(" ", rest)


@lru_cache(maxsize=2)
def _month_pattern(languages: tuple[str, ...]) -> re.Pattern[str]:
    """Return what finds a month's name, the longest first, with nothing of its own kind beside it."""
    names = sorted(calendar_words(languages).months, key=len, reverse=True)
    return re.compile("|".join(f"{_edge(name[0], '<')}{re.escape(name)}{_edge(name[-1], '')}" for name in names))


def _edge(char: str, behind: str) -> str:
    return rf"(?{behind}!\d)" if char.isdigit() else rf"(?{behind}![^\W\d_])"


def _numeric_day(text: str) -> tuple[date, str]:
    """Return a date in numbers: the year first, or dots (day.month.year), or where only one order is possible."""
    found = list(_NUMERIC.finditer(text))
    if len(found) != 1:
        raise Unreadable("it names no month" if not found else "it names two dates")
    match = found[0]
    rest = f"{text[: match.start()]} {text[match.end() :]}"
    first, second, third = match[1], match[3], match[4]
    if len(first) == 4 and len(third) < 3:
        return _date(int(first), int(second), int(third)), rest
    if len(third) != 4 or len(first) > 2:
        raise Unreadable(f"{match[0].strip()!r} has no year of four digits")
    day, month = int(first), int(second)
    if "." in match[2] or day == month or day > 12:
        return _date(int(third), month, day), rest
    if month > 12:
        return _date(int(third), day, month), rest
    raise Unreadable(f"{match[0].strip()!r} may be two dates")


def _date(year: int, month: int, day: int) -> date:
    if year in _BUDDHIST_YEARS:
        year -= _BUDDHIST_ERA
    if year not in _YEARS:
        raise Unreadable(f"{year} is no year of this calendar in which such a text was written")
    try:
        return date(year, month, day)
    except ValueError:
        raise Unreadable(f"day {day} of month {month} of {year} is no date") from None


def _what_is_left(text: str, words: CalendarWords) -> str:
    """Return what is wrong with what is left of a text, "" where nothing may change its meaning."""
    number = _NUMBER.search(text)
    if number:
        return f"the number {number[0]!r} has no place in it"
    unknown = next((word for word in LETTERS.findall(text) if word not in words.between), None)
    return "" if unknown is None else f"the word {unknown!r} is not known"


def _either(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
