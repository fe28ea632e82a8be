from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from collector.market.calendar import exchange_sessions
from collector.providers.recorded.clock import body_stamp, name_stamp
from tests.providers.recorded_files import contract, epoch, options_body

FRIDAY_CLOSE = "2026-03-20T16:00:02-04:00"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def stamp(calls: tuple[dict[str, Any], ...] = (), **quote: Any) -> datetime | None:
    result = options_body(calls=calls, **quote)["optionChain"]["result"][0]
    return body_stamp(result, exchange_sessions())


@pytest.mark.clock
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2026-03-24T1300-0400.csv", "2026-03-24T13:00-04:00"),
        ("spy_2026-03-24T13:00:30-04:00_frames.csv", "2026-03-24T13:00:30-04:00"),
        ("2026-03-24T170000Z.csv", "2026-03-24T17:00Z"),
        ("2026-03-24 13.00-0400.csv", "2026-03-24T13:00-04:00"),
    ],
)
def test_a_files_name_holds_its_time_with_the_offset(name: str, expected: str) -> None:
    assert name_stamp(name) == utc(expected)


@pytest.mark.parametrize(
    "name",
    ["frames.csv", "2026-03-24.csv", "2026-03-24T1300.csv", "2026-02-30T1300-0400.csv", "2026-03-24T2500-0400.csv"],
)
def test_a_name_without_a_whole_time_holds_none(name: str) -> None:
    assert name_stamp(name) is None


def test_a_body_is_as_old_as_the_newest_time_it_states() -> None:
    assert stamp() == utc("2026-03-24T13:00-04:00")
    pre = epoch("2026-03-24T08:15:00-04:00")
    assert stamp(marketState="PRE", regularMarketTime=epoch(FRIDAY_CLOSE), preMarketTime=pre) == utc(
        "2026-03-24T08:15-04:00"
    )
    post = epoch("2026-03-24T18:30:00-04:00")
    assert stamp(marketState="POST", postMarketTime=post) == utc("2026-03-24T18:30-04:00")
    traded = contract(lastTradeDate=epoch("2026-03-24T13:02:00-04:00"))
    assert stamp(calls=(traded,)) == utc("2026-03-24T13:02-04:00")


@pytest.mark.clock
@pytest.mark.parametrize(
    ("state", "newest", "expected"),
    [
        ("PRE", FRIDAY_CLOSE, "2026-03-23T04:00-04:00"),
        ("PRE", "2026-03-06T16:00:02-05:00", "2026-03-09T04:00-04:00"),
        ("POST", "2026-03-20T15:59:58-04:00", "2026-03-20T16:00-04:00"),
        ("POST", FRIDAY_CLOSE, FRIDAY_CLOSE),
        ("CLOSED", FRIDAY_CLOSE, "2026-03-20T20:00-04:00"),
        ("POSTPOST", "2025-11-28T13:00:02-05:00", "2025-11-28T17:00-05:00"),
        ("PREPRE", "2026-03-20T19:58:00-04:00", "2026-03-20T20:00-04:00"),
        ("REGULAR", "2026-03-20T15:59:58-04:00", "2026-03-20T15:59:58-04:00"),
    ],
)
def test_the_market_state_moves_the_time_on(state: str, newest: str, expected: str) -> None:
    assert stamp(marketState=state, regularMarketTime=epoch(newest)) == utc(expected)


def test_the_market_state_of_another_zone_moves_nothing() -> None:
    moved = stamp(marketState="PRE", exchangeTimezoneName="Europe/Berlin", regularMarketTime=epoch(FRIDAY_CLOSE))
    assert moved == utc(FRIDAY_CLOSE)


@pytest.mark.parametrize("time", [None, 0, "yesterday", True, 1e300])
def test_a_body_that_states_no_time_has_none(time: Any) -> None:
    assert stamp(regularMarketTime=time) is None
