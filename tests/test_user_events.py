"""Events from the TOML file: what may be written, and that what can't be is refused by its table and key."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from collector.configuration import effective, events
from collector.detectors.base import ConfigError
from collector.market.events import Event
from collector.user_events import ALWAYS_KNOWN, from_json

RELEASE = """
[[events]]
kind = "earnings"
ticker = "brk.b"
date = 2026-10-29
time = 16:30:00
known_at = 2026-10-01T09:00:00-04:00
confirmed = true
source = "the company"
"""
CPI = '[[events]]\nkind = "cpi"\ndate = "2027-01-12"\ntime = "08:30"\nsource = "Bureau of Labor Statistics"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def stated(folder: Path, **keys: str) -> tuple[Event, ...]:
    """Read one event: a dividend but for the keys given as TOML; "" leaves a key out."""
    table = {"kind": '"dividend"', "ticker": '"ZZTA"', "date": "2026-10-29", "amount": "0.26", "source": '"me"'} | keys
    lines = [f"{key} = {value}" for key, value in table.items() if value]
    return events(written(folder, "\n".join(["[[events]]", *lines])))


@pytest.mark.clock
def test_an_event_of_a_company_and_one_of_the_market(tmp_path: Path) -> None:
    assert events(written(tmp_path, RELEASE + CPI)) == (
        Event(
            kind="earnings",
            date=date(2026, 10, 29),
            known_at=datetime(2026, 10, 1, 13, tzinfo=UTC),
            ticker="BRK-B",
            time=datetime(2026, 10, 29, 20, 30, tzinfo=UTC),
            confirmed=True,
            source="the company",
        ),
        Event(
            kind="cpi",
            date=date(2027, 1, 12),
            known_at=ALWAYS_KNOWN,
            time=datetime(2027, 1, 12, 13, 30, tzinfo=UTC),
            source="Bureau of Labor Statistics",
        ),
    )


@pytest.mark.clock
@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("16:05:30", "2026-10-29T20:05:30Z"),
        ('"16:05"', "2026-10-29T20:05Z"),
        ("2026-10-30T05:05:00+09:00", "2026-10-29T20:05Z"),
        ('"2026-10-29T20:05:00Z"', "2026-10-29T20:05Z"),
    ],
)
def test_a_time_is_new_yorks_or_has_its_zone(tmp_path: Path, time: str, expected: str) -> None:
    (event,) = stated(tmp_path, time=time)
    assert event.time == datetime.fromisoformat(expected)


def test_dividends_and_splits_state_their_amount(tmp_path: Path) -> None:
    (event,) = stated(tmp_path, kind='"split"', amount="10")
    assert (event.kind, event.amount, event.ticker, event.time) == ("split", 10.0, "ZZTA", None)


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"kind": '"merger"'}, "events[1].kind: 'merger' is not one of earnings, dividend"),
        ({"kind": ""}, "events[1].kind: nothing is not one of"),
        ({"date": ""}, "events[1].date: nothing is not a date"),
        ({"date": '"29/10/2026"'}, "events[1].date: '29/10/2026' is not a date such as 2026-10-29"),
        ({"date": "2026-10-29T09:30:00"}, "events[1].date: 2026-10-29T09:30:00 is not a date"),
        ({"date": "1026-10-29"}, "events[1].date: 1026-10-29 is not a date"),
        ({"ticker": ""}, "events[1].ticker: nothing is not a ticker"),
        ({"ticker": '"A A"'}, "events[1].ticker: 'A A' is not a ticker"),
        ({"kind": '"cpi"', "amount": ""}, "events[1].ticker: a cpi is of the whole market"),
        ({"time": "2026-10-29T16:05:00"}, "events[1].time: 2026-10-29T16:05:00 is not a moment with its zone"),
        ({"time": "2026-10-30T00:05:00-04:00"}, "is on another date in New York than 2026-10-29"),
        ({"time": '"16:05-04:00"'}, "events[1].time: 16:05:00-04:00 has a zone without a date"),
        ({"time": '"after the close"'}, "events[1].time: 'after the close' is not a moment with its zone"),
        ({"time": "1630"}, "events[1].time: 1630 is not a moment with its zone"),
        ({"known_at": "2026-10-01"}, "events[1].known_at: 2026-10-01 is not a moment with its zone"),
        ({"known_at": "0001-01-01T00:00:00+10:00"}, "events[1].known_at: 0001-01-01T00:00:00+10:00 is not a moment"),
        ({"amount": ""}, "events[1].amount: nothing is not a number above 0 (1e+15 at most), which a dividend needs"),
        ({"amount": "-0.26"}, "events[1].amount: -0.26 is not a number above 0"),
        ({"amount": "nan"}, "events[1].amount: nan is not a number above 0"),
        ({"amount": "9" * 400}, "events[1].amount: 9999999999999999999999999999999999999999… is not a number above 0"),
        ({"amount": "1000000000000001"}, "events[1].amount: 1000000000000001 is not a number above 0 (1e+15 at most)"),
        ({"amount": "inf"}, "events[1].amount: inf is not a number above 0"),
        ({"amount": "0x" + "f" * 5000}, "events[1].amount: a number of thousands of digits is not a number above 0"),
        ({"amount": "true"}, "events[1].amount: True is not a number above 0"),
        ({"kind": '"earnings"'}, "events[1].amount: an earnings has none"),
        ({"confirmed": '"yes"'}, "events[1].confirmed: 'yes' is not true or false"),
        ({"source": ""}, "events[1].source: nothing is not a text"),
        ({"source": '" "'}, "events[1].source: ' ' is not a text"),
        ({"note": '"x"'}, "events[1].note: no such key; there are kind, date"),
    ],
)
def test_what_can_be_no_event_is_refused_by_its_key(tmp_path: Path, keys: dict[str, str], complaint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        stated(tmp_path, **keys)
    assert complaint in str(refused.value)
    assert str(refused.value).startswith(f"{tmp_path / 'mine.toml'}: events[1].")
    assert "\n" not in str(refused.value)


def test_the_same_event_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"events\[3\]: states the cpi of 2027-01-12 that events\[2\] states"):
        events(written(tmp_path, RELEASE + CPI + CPI))


@pytest.mark.parametrize("text", ["events = 3\n", 'events = ["cpi"]\n', "[events]\nkind = 3\n"])
def test_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"mine\.toml: events: each is a table \[\[events\]\]"):
        events(written(tmp_path, text))


def test_a_broken_file_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        events(written(tmp_path, "[[events]\n"))
    assert str(refused.value).count("mine.toml") == 1


def test_no_file_states_none() -> None:
    assert events(None) == ()


def test_they_shape_the_numbers_and_come_back_from_a_plan_as_they_were(tmp_path: Path) -> None:
    config = written(tmp_path, RELEASE + CPI)
    whole = effective(config, "demo", {})
    assert effective(None, "demo", {})["events"] == []
    assert tuple(from_json(one) for one in json.loads(json.dumps(whole["events"]))) == events(config)


def test_the_readmes_example_can_be_read(tmp_path: Path) -> None:
    readme = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
    (event,) = events(written(tmp_path, readme.split("```toml\n")[1].split("```")[0]))
    assert (event.kind, event.ticker, event.time) == ("earnings", "AAPL", datetime(2026, 10, 29, 20, 30, tzinfo=UTC))
