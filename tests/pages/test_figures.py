from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine

from optsite.templatetags.figures import clock, day, duration, figure, flag_word, gigabytes, label, moment, reason


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        (1234.5, "price", "1,234.50"),
        (0.25, "percent", "25.0 %"),
        (0.0123, "change", "+1.23 %"),
        (-0.0123, "change", "-1.23 %"),
        (1234567, "whole", "1,234,567"),
        (0, "whole", "0"),
        (100.0, "strike", "100"),
        (97.5, "strike", "97.50"),
        (1_136_350_000.0, "dollars", "$1.1B"),
        (-3_638_280.0, "dollars", "-$3.6M"),
        (12_345.0, "dollars", "$12.3K"),
        (0.0, "dollars", "$0"),
        (True, "yes", "yes"),
        (False, "yes", "no"),
        ("2026-02-20", "plain", "2026-02-20"),
    ],
)
def test_styles(value: object, style: str, text: str) -> None:
    assert f">{text}</span>" in figure({"x": value}, "x", style)


def test_a_missing_figure_says_why() -> None:
    shown = figure({"x": None, "reasons": {"x": "short_history"}}, "x", "price")
    assert "Too few sessions of history." in shown
    assert ">–<" in shown


@pytest.mark.parametrize("record", [None, {}, {"x": None}, {"x": None, "reasons": {}}])
def test_a_missing_figure_without_a_reason(record: dict[str, object] | None) -> None:
    assert "Not stated." in figure(record, "x", "price")


def test_text_of_a_document_is_escaped() -> None:
    assert "<script>" not in figure({"x": "<script>"}, "x")
    assert "<script>" not in figure({"x": None, "reasons": {"x": "<script>"}}, "x")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (-3, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (7500, "2 h 5 min"),
        (187200, "2 d 4 h"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.clock
@pytest.mark.parametrize(
    ("text", "date", "time"),
    [
        ("2026-01-27T14:55:00Z", "27 Jan", "09:55 ET"),
        ("2026-07-01T03:12:00Z", "30 Jun", "23:12 ET"),
        ("2026-11-01T05:30:00Z", "01 Nov", "01:30 ET"),
        ("2026-11-01T06:30:00Z", "01 Nov", "01:30 ET"),
    ],
)
def test_times_are_new_yorks_with_utc_in_the_tooltip(text: str, date: str, time: str) -> None:
    tooltip = f'title="{text[:10]} {text[11:19]} UTC"'
    for shown, written in ((moment(text), f"{date} {time}"), (clock(text), time), (day(text), date)):
        assert f">{written}</time>" in shown
        assert tooltip in shown
        assert f'datetime="{text}"' in shown


def test_a_time_that_is_not_known() -> None:
    for shown in (moment(None), clock(""), day(None)):
        assert 'title="Not known yet."' in shown


def test_words() -> None:
    assert label("iv_30d") == "IV 30d"
    assert label("put_call_volume_ratio") == "Put call volume ratio"
    assert flag_word("volume_carried") == "old volume"
    assert flag_word("no_bid") == "no bid"
    assert flag_word("placeholder_iv") == "vendor IV is a fill-in"
    assert gigabytes(83_000_000_000) == "83.0 GB"
    assert reason("closed") == "The market is closed at this slot."
    assert reason("no_such_code") == "no_such_code"


@pytest.mark.parametrize(
    ("shown", "this_year", "earlier"),
    [
        (moment, "10 Mar 11:30 ET", "10 Mar 2022 10:30 ET"),
        (day, "10 Mar", "10 Mar 2022"),
        (clock, "11:30 ET", "10 Mar 2022 10:30 ET"),
    ],
)
def test_a_time_of_another_year_names_it(shown: Callable[[str], str], this_year: str, earlier: str) -> None:
    with time_machine.travel(datetime(2026, 6, 1, tzinfo=UTC)):
        assert f">{this_year}</time>" in shown("2026-03-10T15:30:00Z")
        assert f">{earlier}</time>" in shown("2022-03-10T15:30:00Z")
