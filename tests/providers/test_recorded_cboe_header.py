"""The lines above a table's columns: however they are quoted, the name, the last and the time are found."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from collector.providers.base import BadAnswer
from collector.providers.recorded.cboe_header import CboeHeader
from collector.providers.recorded.cboe_table import read_cboe_table
from tests.providers.cboe_files import COLUMNS, row, table_text, write_table

ONE = datetime(2026, 3, 24, 17, tzinfo=UTC)


def header(folder: Path, *lines: str) -> CboeHeader:
    file = folder / "zzta.csv"
    file.write_text("\n".join([*lines, COLUMNS, row()]), encoding="utf-8")
    return read_cboe_table(file).header


@pytest.mark.parametrize(
    "lines",
    [
        [
            "",
            "Zzta Inc,Last: 50.5,Change:  0.42",
            '"Date: March 24, 2026 at 1:00 PM EDT",Bid: 50.4,Ask: 50.6,Volume: 0',
        ],
        ["Zzta Inc,Last: 50.5,Change:  0.42,,,", "Date: March 24, 2026, 1:00 PM EDT,Bid: 50.4,Ask: 50.6,Size: 1*1"],
        ['"Zzta, Inc. (Holding)",Last: 50.5,Change:  0.42', '"Date: 24 March 2026, 1:00 PM EDT",Bid: 50.4'],
        ["Zzta Inc,Last:50.5", "", "Date: 24 mars 2026 à 13:00 UTC\u22124,Bid: 50.4,,,,"],
        ["Zzta Inc,Last: 50.5,Change: -0.42", "Date: 24 March 2026, 1:00 PM EDT"],
    ],
    ids=["english", "unquoted", "name-with-comma", "french", "date-alone"],
)
def test_name_last_and_time_in_each_shape(tmp_path: Path, lines: list[str]) -> None:
    found = header(tmp_path, *lines)
    assert (found.last, found.time.moment, found.day()) == (50.5, ONE, date(2026, 3, 24))


@pytest.mark.parametrize("last", ["3,856.28", '"3,856.28"', "3\u202f856.28", "3856.28"])
def test_a_last_may_have_its_thousands_set_apart(tmp_path: Path, last: str) -> None:
    stated = last.replace('"', "")
    text = f'"Last: {stated}"' if last.startswith('"') else f"Last: {last}"
    assert read_cboe_table(write_table(tmp_path, last=text)).header.last == 3856.28


@pytest.mark.parametrize("last", ["Last: 0", "Last: ", "Price 50"])
def test_a_last_that_is_not_stated_is_none(tmp_path: Path, last: str) -> None:
    assert read_cboe_table(write_table(tmp_path, last=last)).header.last is None


def test_a_last_that_is_no_number_is_named_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadAnswer, match=r"zzta.csv line 2: Last '50,5x' is not a number"):
        read_cboe_table(write_table(tmp_path, last='"Last: 50,5x"'))


def test_the_date_of_a_table_is_new_yorks(tmp_path: Path) -> None:
    tokyo = read_cboe_table(write_table(tmp_path, when="Date: 2026年3月25日 2:00 JST"))
    assert (tokyo.header.time.moment, tokyo.header.day()) == (ONE, date(2026, 3, 24))


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("Date: 3/4/2026, 1:00 PM EDT", "zzta.csv line 3: the table's time '3/4/2026, 1:00 PM EDT' cannot be read: "),
        ("Date: March 24, 2026", "zzta.csv line 3: the table's time 'March 24, 2026' cannot be read: it names no zone"),
        ("Saved: March 24", "zzta.csv: the table states no time"),
    ],
)
def test_a_time_that_cannot_be_read_asks_for_as_of(tmp_path: Path, when: str, told: str) -> None:
    found = read_cboe_table(write_table(tmp_path, when=when)).header
    assert found.time.moment is None
    fault = str(found.fault())
    assert fault.startswith(told)
    assert "say when its quotes were made with --as-of, such as --as-of 2023-06-12T13:44-04:00" in fault
    assert "\n" not in fault


def test_a_long_text_is_shown_in_part(tmp_path: Path) -> None:
    fault = read_cboe_table(write_table(tmp_path, when="Date: " + "x" * 500)).header.fault()
    assert len(str(fault)) < 300


def test_a_table_may_begin_with_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "bare.csv"
    file.write_text("\n".join(table_text().split("\r\n")[3:]))
    found = read_cboe_table(file).header
    assert (found.written, found.last, found.time.moment) == ("", None, None)
