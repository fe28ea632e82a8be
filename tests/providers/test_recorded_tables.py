from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from collector.providers.base import BadAnswer, Bar, Event
from collector.providers.recorded.cells import read_table
from collector.providers.recorded.tables import read_bars, read_events

BARS = "ticker,date,open,high,low,close,volume"
EVENTS = "ticker,kind,date,time,confirmed,amount,known_at"
KNOWN = "2026-03-24T13:00-04:00"


def bars(folder: Path, *lines: str, header: str = BARS) -> dict[str, list[Bar]]:
    file = folder / "bars.csv"
    file.write_text("\n".join((header, *lines)) + "\n")
    return read_bars(read_table(file))


def events(folder: Path, *lines: str) -> tuple[Event, ...]:
    file = folder / "events.csv"
    file.write_text("\n".join((EVENTS, *lines)) + "\n")
    return read_events(read_table(file))


def test_bars_are_read_by_ticker(tmp_path: Path) -> None:
    read = bars(tmp_path, "zzta,2026-03-24,1,2,0.5,1.5,100", "ZZTB,2026-03-24,,,,3,", "ZZTA,2026-03-25,1,2,1,2,0")
    assert read == {
        "ZZTA": [
            Bar(date(2026, 3, 24), 1.0, 2.0, 0.5, 1.5, 100),
            Bar(date(2026, 3, 25), 1.0, 2.0, 1.0, 2.0, 0),
        ],
        "ZZTB": [Bar(date(2026, 3, 24), None, None, None, 3.0, None)],
    }


def test_a_bar_may_state_its_split(tmp_path: Path) -> None:
    read = bars(tmp_path, "ZZTA,2026-03-24,3,10", "ZZTA,2026-03-25,3,", header="ticker,date,close,split_factor")
    assert [bar.split_factor for bar in read["ZZTA"]] == [10.0, 1.0]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("ZZTA,2026-03-24,1,2,0.5,-1,100", "close '-1' is not a price of 0 or more"),
        ("ZZTA,24/03/2026,1,2,0.5,1,100", "date '24/03/2026' is not a date"),
        (",2026-03-24,1,2,0.5,1,100", "ticker None is not a ticker"),
        ("ZZTA,2026-03-24,1,2,0.5,1", "6 cells where the header has 7"),
    ],
)
def test_a_broken_bar_names_its_line(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(BadAnswer, match=r"^bars\.csv line 2: ") as raised:
        bars(tmp_path, line)
    assert complaint in str(raised.value)


@pytest.mark.clock
def test_an_event_of_a_ticker_and_one_of_the_whole_market(tmp_path: Path) -> None:
    known = datetime(2026, 3, 24, 17, tzinfo=UTC)
    assert events(tmp_path, f"zzta,earnings,2026-04-22,16:05,yes,,{KNOWN}", f",cpi,2026-04-10,,,,{KNOWN}") == (
        Event(
            "earnings", date(2026, 4, 22), known, "ZZTA", time=datetime(2026, 4, 22, 20, 5, tzinfo=UTC), confirmed=True
        ),
        Event("cpi", date(2026, 4, 10), known),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9:30", "2026-01-05T14:30Z"),
        ("09:30:15", "2026-01-05T14:30:15Z"),
        ("2026-01-05T08:00-08:00", "2026-01-05T16:00Z"),
    ],
)
def test_a_bare_time_of_day_is_new_yorks(tmp_path: Path, text: str, expected: str) -> None:
    (event,) = events(tmp_path, f"ZZTA,earnings,2026-01-05,{text},,,{KNOWN}")
    assert event.time == datetime.fromisoformat(expected)


def test_dividends_and_splits_state_their_amount(tmp_path: Path) -> None:
    read = events(tmp_path, f"ZZTA,Special Dividend,2026-04-01,,no,1.5,{KNOWN}", f"ZZTA,split,2026-04-02,,,0.1,{KNOWN}")
    assert [(event.kind, event.amount, event.confirmed) for event in read] == [
        ("special_dividend", 1.5, False),
        ("split", 0.1, None),
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (f"ZZTA,merger,2026-04-22,,,,{KNOWN}", "kind 'merger' is not one of earnings, dividend"),
        ("ZZTA,earnings,2026-04-22,,,,", "known_at None is not the time it became known"),
        ("ZZTA,earnings,2026-04-22,,,,2026-03-24 13:00", "is not a time with its zone"),
        (f"ZZTA,split,2026-04-22,,,,{KNOWN}", "amount None is not a number above 0, which a split needs"),
        (f"ZZTA,dividend,2026-04-22,,,-1,{KNOWN}", "amount '-1' is not a number above 0"),
        (f"ZZTA,earnings,2026-04-22,25:00,,,{KNOWN}", "time '25:00' is not a time of day"),
        (f"ZZTA,earnings,2026-04-22,amc,,,{KNOWN}", "time 'amc' is not a time such as"),
    ],
)
def test_a_broken_event_names_its_line(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(BadAnswer, match=r"^events\.csv line 2: ") as raised:
        events(tmp_path, line)
    assert complaint in str(raised.value)
