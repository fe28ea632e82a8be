"""Times as browsers of many languages write them: each is the right moment or is refused, never another moment."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from babel import localedata
from babel.dates import format_date, format_time

from collector.providers.recorded.calendar_words import BROWSER_LANGUAGES
from collector.providers.recorded.written_time import read_written_time

AFTERNOON = datetime(2023, 6, 12, 20, 35, tzinfo=UTC)  # 16:35 in New York


@pytest.mark.clock
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("July 12, 2022, 11:55 AM EDT", datetime(2022, 7, 12, 15, 55, tzinfo=UTC)),
        ("January 6, 2025 at 9:30 PM EST", datetime(2025, 1, 7, 2, 30, tzinfo=UTC)),
        ("12 June 2023, 4:35 PM EDT", AFTERNOON),
        ("10 novembre 2023 à 18:55 UTC−5", datetime(2023, 11, 10, 23, 55, tzinfo=UTC)),
        ("10\u202fnovembre\u202f2023 à 18\u202f:\u202f55 UTC\u22125", datetime(2023, 11, 10, 23, 55, tzinfo=UTC)),
    ],
    ids=["english", "english-at", "day-first", "french", "narrow-spaces"],
)
def test_times_of_real_tables(machine_zone: str | None, text: str, moment: datetime) -> None:
    assert read_written_time(text).moment == moment


@pytest.mark.parametrize(
    "text",
    [
        "12. Juni 2023 um 16:35 GMT-4",
        "12. JUNI 2023, 22:35 Uhr MESZ",
        "12.06.2023, 22:35 MESZ",
        "12 de junio de 2023, 16:35 GMT-4",
        "12 de junio de 2023 a las 4:35 p. m. GMT-4",
        "12 jun 2023 4:35\u202fp.\u00a0m. GMT−4",
        "12 giugno 2023 alle ore 16:35 GMT-4",
        "12 de junho de 2023 às 16:35 GMT-4",
        "12 de jun. de 2023 17:35 BRT",
        "12 juin 2023 à 16 h 35 HAE",
        "12 juni 2023 om 16:35 GMT-4",
        "12 juni 2023 kl. 16:35 GMT-4",
        "12. juni 2023 kl. 16.35 GMT-4",
        "12. kesäkuuta 2023 klo 16.35 UTC-4",
        "12 czerwca 2023 16:35 GMT-4",
        "12. června 2023 v 16:35 GMT-4",
        "12 июня 2023 г. в 16:35 GMT-4",
        "12 Haziran 2023 16:35 GMT-4",
        "2023. június 12. du. 4:35 GMT-4",
        "12 Ιουνίου 2023 στις 4:35 μ.μ. GMT-4",
        "2023年6月12日 16:35 GMT-4",
        "2023年6月12日 午後4:35 GMT-4",
        "2023年6月13日 5:35 JST",
        "2023年6月12日 16時35分 GMT-4",
        "2023年6月12日 GMT-4 16:35",
        "2023年6月12日 下午4:35 [GMT-4]",
        "2023년 6월 12일 오후 4:35 GMT-4",
        "lúc 16:35 GMT-4 12 tháng 6, 2023",
        "12 มิถุนายน 2566 เวลา 16:35 GMT-4",
        "12 ביוני 2023 בשעה 16:35 GMT-4\u200e",
        "١٢ يونيو ٢٠٢٣ في ٤:٣٥ م غرينتش-٤",
        "Mon, 12 Jun 2023 20:35:00 GMT",
        "2023-06-12 3:35 PM CT",
        "2023/06/12 13:35 PDT",
        "Monday, June 12, 2023 at 4:35:00 PM ET",
        "13 June 2023, 2:05 AM GMT+5:30",
        "2023-06-12T16:35-04:00",
    ],
)
def test_one_moment_in_many_languages(text: str) -> None:
    assert read_written_time(text).moment == AFTERNOON


@pytest.mark.parametrize(
    ("text", "day", "problem"),
    [
        ("", None, "it names no month"),
        ("yesterday", None, "it names no month"),
        ("6/12/2023, 4:35 PM EDT", None, "'6/12/2023' may be two dates"),
        ("6/12/23, 4:35 PM EDT", None, "no year of four digits"),
        ("12 June 23, 4:35 PM EDT", None, "a year of four digits"),
        ("June 31, 2023, 4:35 PM EDT", None, "day 31 of month 6 of 2023 is no date"),
        ("10 listopada 2023 16:35 GMT-5", None, "'listopada' is another month in another language"),
        ("June July 12 2023, 4:35 PM EDT", None, "it names two months"),
        ("22 خرداد 1402 ساعت 16:35 UTC-4", None, "it names no month"),
        ("1402/3/22, 16:35 UTC-4", None, "1402 is no year of this calendar"),
        ("12 June 2023, 4:35 PM", date(2023, 6, 12), "it names no zone"),
        ("12 June 2023, 4:35 PM XYT", date(2023, 6, 12), "the word 'xyt' is not known"),
        ("12 June 2023, 4:35 PM UTC-15", date(2023, 6, 12), "is no zone"),
        ("12 June 2023, 4:35 PM EDT CDT", date(2023, 6, 12), "it names two zones"),
        ("12 June 2023 EDT", date(2023, 6, 12), "it names no time of day"),
        ("12 June 2023, 4:35 5:35 PM EDT", date(2023, 6, 12), "it names two times of day"),
        ("12 June 2023, 4:75 PM EDT", date(2023, 6, 12), "'4:75' is no time of day"),
        ("12 June 2023, 14:35 AM EDT", date(2023, 6, 12), "there is no 14 o'clock 'am'"),
        ("12 June 2023, 4:35 after lunch EDT", date(2023, 6, 12), "the word 'after' is not known"),
        ("12 June 2023, PM 4:35 AM EDT", date(2023, 6, 12), "it names two halves of the day"),
    ],
)
def test_what_is_not_one_moment_is_refused_with_why(text: str, day: date | None, problem: str) -> None:
    read = read_written_time(text)
    assert (read.moment, read.day) == (None, day)
    assert problem in read.problem


@pytest.mark.parametrize(
    ("text", "hour"),
    [("12:05 AM", 0), ("12:05 PM", 12), ("1:05 AM", 1), ("11:05 PM", 23), ("0:05", 0), ("16:05 PM", 16)],
)
def test_halves_of_the_day_begin_at_twelve(text: str, hour: int) -> None:
    read = read_written_time(f"12 June 2023, {text} UTC").moment
    assert read == datetime(2023, 6, 12, hour, 5, tzinfo=UTC)


def test_a_zone_that_changes_its_clocks_is_read_by_the_date() -> None:
    assert read_written_time("6 January 2025, 4:00 PM ET").moment == datetime(2025, 1, 6, 21, tzinfo=UTC)
    assert read_written_time("6 July 2025, 4:00 PM ET").moment == datetime(2025, 7, 6, 20, tzinfo=UTC)
    assert read_written_time("6 July 2025, 4:00 PM EST").moment == datetime(2025, 7, 6, 21, tzinfo=UTC)


def test_no_browsers_language_is_misread() -> None:
    """What Babel's own formatter writes, in every country of the languages, is read as that moment or refused."""
    locales = [name for name in localedata.locale_identifiers() if name.split("_")[0] in BROWSER_LANGUAGES]
    moments: dict[str, datetime] = {}
    for locale in locales:
        for month in range(1, 13):
            for hour in (9, 16):
                moment = datetime(2023, month, 12, hour, 31, tzinfo=ZoneInfo("America/New_York"))
                offset = moment.strftime("%z")[:3]
                day, clock = format_date(moment.date(), "long", locale), format_time(moment, "short", locale=locale)
                moments[f"{day} {clock} GMT{offset}"] = moment
    read = {text: read_written_time(text).moment for text in moments}
    assert {text: told for text, told in read.items() if told not in (None, moments[text])} == {}
    told = sum(moment is not None for moment in read.values())
    print(f"{told} of {len(read)} texts of {len(locales)} locales read")
    assert told >= 0.95 * len(read)
