"""A ticker's dated facts: what is kept of a paying provider's, and what the user and the market's list add."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.market.events import Event
from collector.pipeline.collect import Collector
from collector.pipeline.corporate_events import corporate_events
from collector.providers.base import TimedOut
from collector.store.staging import Staging
from collector.user_events import to_json
from exports.folders import MarketFolder
from tests.pipeline.scripted_provider import ScriptedProvider, at
from tests.pipeline.test_collect import Watcher, plan
from tests.quotes import live_chain

KNOWN = datetime(2026, 3, 20, 12, tzinfo=UTC)
SPRING, SUMMER = date(2026, 3, 13), date(2026, 6, 12)


def fact(kind: Any, day: date, *, ticker: str | None = "ZZTA", known_at: datetime = KNOWN, **more: Any) -> Event:
    return Event(kind=kind, date=day, known_at=known_at, ticker=ticker, **more)


DIVIDEND = fact("dividend", SPRING, amount=0.5)
SPLIT = fact("split", date(2026, 2, 2), amount=4.0)
EARNINGS = fact("earnings", date(2026, 4, 28), time=datetime(2026, 4, 28, 20, 30, tzinfo=UTC), confirmed=True)


class Late(ScriptedProvider):
    """Fails to state events once the quotes are there."""

    def events(self, ticker: str) -> tuple[Event, ...]:
        if any(call.startswith("chain") for call in self.calls):
            raise TimedOut("late")
        return super().events(ticker)


@pytest.fixture
def folder(data_dir: Path) -> MarketFolder:
    made = MarketFolder(data_dir, "yahoo")
    made.create()
    return made


def told(folder: MarketFolder, *stated: Event, pays: bool = True, ticker: str = "ZZTA") -> set[Event]:
    found = corporate_events(folder, ScriptedProvider({}, events=stated, pays=pays), ticker)
    assert len(found) == len(set(found))
    return set(found)


def test_what_came_with_the_bars_of_a_close_scan_serves_the_scans_between(folder: MarketFolder) -> None:
    assert told(folder, DIVIDEND, SPLIT, EARNINGS) == {DIVIDEND, SPLIT, EARNINGS}
    # A scan that fetched no bars hears of the earnings alone.
    assert told(folder, EARNINGS) == {DIVIDEND, SPLIT, EARNINGS}
    assert told(folder) == {DIVIDEND, SPLIT}


def test_earnings_are_what_is_stated_now(folder: MarketFolder) -> None:
    told(folder, EARNINGS)
    moved = fact("earnings", date(2026, 4, 30))
    assert told(folder, moved) == {moved}


def test_what_was_stated_last_of_a_kind_and_date_counts(folder: MarketFolder) -> None:
    told(folder, DIVIDEND)
    corrected = fact("dividend", SPRING, amount=0.55, known_at=KNOWN + timedelta(days=1))
    special = fact("special_dividend", SPRING, amount=3.0)
    assert told(folder, corrected, special) == {corrected, special}
    assert told(folder, fact("dividend", SUMMER, amount=0.6)) == {
        corrected,
        special,
        fact("dividend", SUMMER, amount=0.6),
    }


def test_each_ticker_has_its_own(folder: MarketFolder) -> None:
    told(folder, DIVIDEND)
    assert told(folder, ticker="ZZTB") == set()


def test_of_a_provider_that_costs_nothing_nothing_is_kept(folder: MarketFolder) -> None:
    assert told(folder, DIVIDEND, pays=False) == {DIVIDEND}
    assert told(folder, pays=False) == set()
    assert not (folder.data_dir / "cache" / "events").exists()


@pytest.mark.parametrize("content", [b'[{"kind": "divi', b"7", b'{"a": 1}', b'[{"kind": "dividend"}]', b'[{"x": 1}]'])
def test_a_file_that_cannot_be_read_is_one_warning_and_is_made_anew(
    folder: MarketFolder, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    told(folder, DIVIDEND)
    (path,) = (folder.data_dir / "cache" / "events" / "live").iterdir()
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert told(folder, SPLIT) == {SPLIT}
    (line,) = caplog.messages
    assert str(path) in line
    assert told(folder) == {SPLIT}


def collected(
    folder: MarketFolder,
    *,
    stated: Sequence[Event] = (),
    by_user: Sequence[Event] = (),
    provider: type[ScriptedProvider] = ScriptedProvider,
    market: str = "live",
) -> dict[str, Any]:
    """Collect one live chain of ZZTA at 13:00 New York on 2026-03-24; return its record."""
    served = provider({"ZZTA": [live_chain()]}, events=stated, market=market)
    configuration = {"events": [to_json(event) for event in by_user]}
    staging = Staging(folder, "scan-1")
    Collector(
        folder, served, plan(served.answers, configuration=configuration), staging, Watcher(), now=lambda: at(24)
    ).collect()
    (record,) = staging.records()
    staging.close()
    return record


def dated(record: dict[str, Any], kind: str) -> list[str]:
    return [event["date"] for event in record["events"] if event["kind"] == kind]


# Scheduled meetings and releases of 2026 after 24 March, from the calendars of the Board of Governors and the Bureau.
FOMC = ["2026-04-29", "2026-06-17", "2026-07-29", "2026-09-16", "2026-10-28", "2026-12-09"]
CPI = ["2026-04-10", "2026-05-12", "2026-06-10", "2026-07-14", "2026-08-12", "2026-09-11"]
CPI += ["2026-10-14", "2026-11-10", "2026-12-10"]


@pytest.mark.parametrize("market", ["live", "recorded"])
def test_the_markets_own_dates_join_a_tickers(folder: MarketFolder, market: str) -> None:
    record = collected(folder, stated=[EARNINGS], market=market)
    assert [day for day in dated(record, "fomc") if day < "2027"] == FOMC
    assert dated(record, "cpi") == CPI
    assert dated(record, "earnings") == ["2026-04-28"]
    assert {event["ticker"] for event in record["events"] if event["kind"] in ("fomc", "cpi")} == {None}
    assert all(event["source"] for event in record["events"] if event["kind"] in ("fomc", "cpi"))


def test_the_demo_knows_its_own_alone(data_dir: Path) -> None:
    demo = MarketFolder(data_dir, "demo")
    demo.create()
    record = collected(demo, stated=[EARNINGS], by_user=[fact("cpi", SUMMER, ticker=None)], market="demo")
    assert [event["kind"] for event in record["events"]] == ["earnings"]


def test_a_users_event_goes_before_the_providers_of_its_kind_and_date_and_reaches_the_features(
    folder: MarketFolder,
) -> None:
    guess = fact("earnings", EARNINGS.date, confirmed=False)
    record = collected(folder, stated=[guess], by_user=[EARNINGS, fact("earnings", SUMMER, ticker="ZZTB")])
    assert [(event["date"], event["confirmed"]) for event in record["events"] if event["kind"] == "earnings"] == [
        ("2026-04-28", True)
    ]
    feature = record["feature"]
    assert (feature["next_earnings_date"], feature["next_earnings_confirmed"]) == ("2026-04-28", True)


def test_what_a_user_says_was_stated_later_is_not_known_yet(folder: MarketFolder) -> None:
    # The quotes are a quarter of an hour old: they stand for 16:45 UTC.
    late = fact("earnings", EARNINGS.date, known_at=at(24, 16, 46))
    record = collected(folder, by_user=[late, fact("cpi", SUMMER, ticker=None, known_at=at(24, 16, 45))])
    assert dated(record, "earnings") == []
    assert record["feature"]["reasons"]["next_earnings_date"] == "no_event"
    assert dated(record, "cpi") == sorted([*CPI, SUMMER.isoformat()])


def test_where_the_provider_does_not_answer_the_others_still_do(folder: MarketFolder) -> None:
    record = collected(folder, by_user=[EARNINGS], provider=Late)
    assert record["outcome"] == "ok"
    assert dated(record, "earnings") == ["2026-04-28"]
    assert dated(record, "cpi") == CPI
