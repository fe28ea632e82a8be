"""The words in which people's browsers write dates: months, halves of the day, zones, and what stands between them.

From Unicode's CLDR, through Babel. Words are compared as ``compared`` returns them. A word that means two months in
two languages (listopada: October in Croatian, November in Polish) keeps both meanings: a reader refuses it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, localedata

ENGLISH = ("en",)
# What browsers are made for; the rarer languages of CLDR abbreviate other months by the same letters.
_BROWSER_LANGUAGES = (
    "af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fil fr ga gl gu he hi hr hu hy id is it ja ka kk km "
    "kn ko ky lo lt lv mk ml mn mr ms my nb ne nl nn no pa pl pt ro ru si sk sl sq sr sv sw ta te th tr uk ur uz vi "
    "zh zu"
)
BROWSER_LANGUAGES = tuple(_BROWSER_LANGUAGES.split())
LETTERS = re.compile(r"[^\W\d_]+")
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_STYLES = ("wide", "abbreviated")
_CONTEXTS = ("format", "stand-alone")
_HALVES = {"am": 0, "pm": 12}
_LENGTHS = ("short", "medium", "long", "full")
# Zones by the names that CLDR gives them; of each the hours of standard time and the zone that changes its clocks.
_METAZONES: dict[str, tuple[int, str]] = {
    "America_Eastern": (-5, "America/New_York"),
    "America_Central": (-6, "America/Chicago"),
    "America_Mountain": (-7, "America/Denver"),
    "America_Pacific": (-8, "America/Los_Angeles"),
    "Alaska": (-9, "America/Anchorage"),
    "Europe_Western": (0, "Europe/Lisbon"),
    "Europe_Central": (1, "Europe/Berlin"),
    "Europe_Eastern": (2, "Europe/Helsinki"),
}
# Abbreviations that no other zone bears among those who write them.
_OTHER_ZONES = {"HST": -10, "BRT": -3, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11}
_NO_NAME = "∅∅∅"
# CLDR's words between a date and its time, which Babel does not carry.
_BETWEEN = (
    "at um uhr à a las la les alle ore às ás om kl klo kell o v u ob у во в о στις pukul jam pada lúc plkst saat ve "
    "בשעה في الساعة ساعت को เวลา nang noong saa në de del"
)


def compared(text: str) -> str:
    """Return a text as texts are compared: as ``plain`` does, in one case."""
    return plain(text).casefold()


def plain(text: str) -> str:
    """Return a text with ASCII digits, plain spaces and dashes, and without marks of direction."""
    normal = unicodedata.normalize("NFKC", text)
    seen = (char for char in normal if unicodedata.category(char) != "Cf")
    digits = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in seen)
    return " ".join(_DASHES.sub("-", digits).split())


@dataclass(frozen=True, slots=True)
class CalendarWords:
    """The words of some languages.

    Attributes:
        months: the numbers of the months that a word may name.
        halves: the hours that a marker may add to one o'clock: 0 or 12; without its dots and spaces.
        zones: zones by abbreviation, in the case that they are written in.
        greenwich: what stands before an offset (UTC, GMT).
        between: words that say nothing: weekdays, and what stands between a date's parts.
    """

    months: Mapping[str, frozenset[int]]
    halves: Mapping[str, frozenset[int]]
    zones: Mapping[str, tzinfo]
    greenwich: frozenset[str]
    between: frozenset[str]


@lru_cache(maxsize=2)
def calendar_words(languages: tuple[str, ...]) -> CalendarWords:
    """Return the words of languages, those of all their countries included."""
    locales = [
        Locale.parse(name) for name in sorted(localedata.locale_identifiers()) if name.split("_")[0] in languages
    ]
    months: defaultdict[str, set[int]] = defaultdict(set)
    halves: defaultdict[str, set[int]] = defaultdict(set)
    between = set(LETTERS.findall(compared(_BETWEEN)))
    greenwich = {"UTC", "GMT"}
    for locale in locales:
        for name, month in _months(locale):
            months[name].add(month)
        for name, hours in _halves(locale):
            halves[name].add(hours)
        between.update(_between(locale))
        greenwich.add(plain(locale.zone_formats["gmt"].partition("%s")[0]))
    return CalendarWords(
        months={name: frozenset(found) for name, found in months.items()},
        halves={name: frozenset(found) for name, found in halves.items()},
        zones=_zones(locales),
        greenwich=frozenset(greenwich - {""}),
        between=frozenset(between),
    )


def half_name(text: str) -> str:
    """Return a marker of the half of the day as it is compared: p. m. is pm."""
    return re.sub(r"[\s.]", "", compared(text))


def _months(locale: Locale) -> Iterator[tuple[str, int]]:
    """Yield the months' names, with what the language puts directly before one (Hebrew's in)."""
    pattern = str(locale.date_formats["long"].pattern)
    before = re.search(r"([^\W\d_a-zA-Z]+)M{3,4}", pattern)
    for context in _CONTEXTS:
        for style in _STYLES:
            for month, name in locale.months[context][style].items():
                told = compared(name).strip(". ")
                yield told, month
                if before:
                    yield compared(before[1]) + told, month


def _halves(locale: Locale) -> Iterator[tuple[str, int]]:
    for context in _CONTEXTS:
        for style in _STYLES:
            names = locale.day_periods.get(context, {}).get(style, {})
            for half, hours in _HALVES.items():
                if half in names:
                    yield half_name(names[half]), hours


def _between(locale: Locale) -> Iterator[str]:
    """Yield the words of a locale's patterns and its weekdays."""
    texts = [_literals(str(locale.date_formats[length].pattern)) for length in _LENGTHS]
    texts += [_literals(str(locale.time_formats[length].pattern)) for length in _LENGTHS]
    texts += [name for context in _CONTEXTS for style in _STYLES for name in locale.days[context][style].values()]
    for text in texts:
        yield from LETTERS.findall(compared(text))


def _literals(pattern: str) -> str:
    """Return what a pattern of CLDR writes as it stands: what is quoted, and letters that are no field's."""
    quoted = " ".join(re.findall(r"'([^']+)'", pattern))
    return quoted + " " + re.sub(r"[a-zA-Z]+", " ", re.sub(r"'[^']*'", " ", pattern))


def _zones(locales: Iterable[Locale]) -> dict[str, tzinfo]:
    """Return zones by abbreviation; one that two zones bear is left out."""
    found: defaultdict[str, set[tzinfo]] = defaultdict(set)
    for locale in locales:
        for metazone, (hours, place) in _METAZONES.items():
            meant = {"standard": _offset(hours), "daylight": _offset(hours + 1), "generic": ZoneInfo(place)}
            for kind, name in locale.meta_zones.get(metazone, {}).get("short", {}).items():
                if name != _NO_NAME:
                    found[name].add(meant[kind])
    # Some languages call standard time by the generic name (MEZ): the fixed offset is what it says.
    zones = {name: _fixed(meant) for name, meant in found.items()}
    zones |= {name: _offset(hours) for name, hours in _OTHER_ZONES.items()}
    return {name: zone for name, zone in zones.items() if zone is not None}


def _fixed(meant: set[tzinfo]) -> tzinfo | None:
    offsets = {zone for zone in meant if isinstance(zone, timezone)}
    chosen = offsets or meant
    return next(iter(chosen)) if len(chosen) == 1 else None


def _offset(hours: int) -> timezone:
    return timezone(timedelta(hours=hours))
