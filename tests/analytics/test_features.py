"""The figures of a ticker: returns and volatility by hand over named sessions, and a reason for every null."""

from __future__ import annotations

import itertools
import math
import statistics
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from collector.analytics.features import COMPUTED_HERE, features
from collector.providers.base import Bar, Event
from exports.documents import FEATURE_FIELDS
from exports.reasons import FIELD_REASONS

HOLIDAYS = {date(2026, 1, 1), date(2026, 1, 19), date(2026, 2, 16)}
TODAY = date(2026, 2, 18)
NOON = datetime(2026, 2, 18, 17, 0, tzinfo=UTC)
CLOSE = datetime(2026, 2, 18, 21, 0, tzinfo=UTC)
ADDED_BY_THE_SCAN = {
    "ticker",
    "provider",
    "feed",
    "as_of",
    "quote_time",
    "market_date",
    "scan_id",
    "grade",
    "detectors",
    "reasons",
}


def sessions_before(day: date, count: int) -> list[date]:
    days: list[date] = []
    while len(days) < count:
        day -= timedelta(days=1)
        if day.weekday() < 5 and day not in HOLIDAYS:
            days.append(day)
    return days[::-1]


def bars_of(closes: list[float | None], last: date = TODAY, factors: dict[date, float] | None = None) -> list[Bar]:
    """Bars of the sessions strictly before ``last``, the newest close last."""
    days = sessions_before(last, len(closes))
    return [
        Bar(day, close, close, close, close, 1_000 + i, (factors or {}).get(day, 1.0))
        for i, (day, close) in enumerate(zip(days, closes, strict=True))
    ]


def wavy(count: int) -> list[float]:
    return [100.0 + 3 * math.sin(i) + i / 10 for i in range(count)]


def contracts(rows: int = 2) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "option_type": ["call", "put"][:rows],
            "volume": np.array([10.0, 20.0])[:rows],
            "volume_known": np.array([True, True])[:rows],
            "open_interest": np.array([100.0, 50.0])[:rows],
            "adjusted": np.array([False, False])[:rows],
            "root": ["QLMT", "QLMT"][:rows],
            "expiration": [date(2026, 3, 20)] * rows,
        }
    )


def of(**changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "ticker": "QLMT",
        "price": 110.0,
        "contracts": contracts(),
        "bars": bars_of(wavy(30)),
        "market_date": TODAY,
        "expirations_used": 1,
        "expirations_listed": 9,
        "events": (),
        "as_of": NOON,
    }
    return features(**(arguments | changes))


def test_every_figure_is_there_and_every_null_has_a_listed_reason() -> None:
    for figures in (of(), of(price=None, contracts=contracts(0), bars=[], expirations_listed=None)):
        reasons = figures["reasons"]
        assert set(figures) - {"reasons"} == {field.name for field in FEATURE_FIELDS} - ADDED_BY_THE_SCAN
        assert set(figures) - {"reasons"} == set(COMPUTED_HERE)
        assert set(reasons) == {name for name, value in figures.items() if value is None}
        assert set(reasons.values()) <= set(FIELD_REASONS)


def test_figures_of_volatility_say_that_no_chain_is_usable() -> None:
    figures = of()
    for name in ("iv_30d", "skew_25d", "term_slope", "expected_move_30d", "gamma_exposure", "max_pain", "iv_grade"):
        assert (figures[name], figures["reasons"][name]) == (None, "no_usable_chain")
    for name in ("iv_rank", "iv_percentile"):
        assert (figures[name], figures["reasons"][name]) == (None, "short_history")


def test_returns_are_against_the_closes_of_the_sessions_before() -> None:
    closes: list[float | None] = [80.0, *[90.0] * 14, 88.0, *[90.0] * 3, 100.0]
    figures = of(bars=bars_of(closes))
    assert figures["return_1d"] == pytest.approx(0.10)
    assert figures["return_5d"] == pytest.approx(110 / 88 - 1)
    assert figures["return_20d"] == pytest.approx(110 / 80 - 1)


def test_the_session_before_a_holiday_monday_is_friday() -> None:
    tuesday = date(2026, 2, 17)
    bars = bars_of([90.0, 100.0], last=tuesday)
    assert bars[-1].date == date(2026, 2, 13)
    figures = of(bars=bars, market_date=tuesday, as_of=NOON - timedelta(days=1))
    assert figures["return_1d"] == pytest.approx(0.10)


def test_todays_bar_is_no_base_of_todays_return() -> None:
    bars = [*bars_of([90.0, 100.0]), Bar(TODAY, 109.0, 109.0, 109.0, 109.0, 5)]
    assert of(bars=bars, as_of=CLOSE)["return_1d"] == pytest.approx(0.10)


def test_bars_after_the_market_date_are_not_looked_at() -> None:
    bars = bars_of(wavy(30))
    tomorrow = Bar(date(2026, 2, 19), 1.0, 1.0, 1.0, 1.0, 1, 50.0)
    assert of(bars=[*bars, tomorrow]) == of(bars=bars)


def test_a_split_among_the_bars_is_undone() -> None:
    days = sessions_before(TODAY, 6)
    bars = bars_of([1000.0, 1000.0, 100.0, 100.0, 100.0, 100.0], factors={days[2]: 10.0})
    figures = of(bars=bars)
    assert figures["return_1d"] == pytest.approx(0.10)
    assert figures["return_5d"] == pytest.approx(0.10)


def test_a_split_on_the_running_day_is_known_from_its_event_alone() -> None:
    split = Event("split", TODAY, known_at=NOON, ticker="QLMT", amount=10.0)
    bars = bars_of([1000.0] * 25)
    assert of(bars=bars, events=(split,))["return_1d"] == pytest.approx(0.10)
    other = replace(split, ticker="ZZYX")
    assert of(bars=bars, events=(other,))["return_1d"] == pytest.approx(-0.89)


def test_a_split_in_bar_and_event_counts_once() -> None:
    yesterday = sessions_before(TODAY, 1)[0]
    split = Event("split", yesterday, known_at=NOON, ticker="QLMT", amount=10.0)
    bars = bars_of([1000.0] * 5 + [100.0], factors={yesterday: 10.0})
    assert of(bars=bars, events=(split,))["return_5d"] == pytest.approx(0.10)


def test_a_missing_session_gives_no_return_across_it() -> None:
    bars = bars_of(wavy(30))
    del bars[-3]
    figures = of(bars=bars)
    assert figures["return_1d"] is not None
    assert figures["reasons"]["return_5d"] == "short_history"
    assert figures["reasons"]["realised_volatility_20d"] == "short_history"


def test_old_bars_give_no_figure_of_today() -> None:
    figures = of(bars=bars_of(wavy(30), last=date(2026, 2, 6)))
    for name in ("return_1d", "realised_volatility_20d", "underlying_volume"):
        assert figures["reasons"][name] == "short_history"


def test_no_bars() -> None:
    figures = of(bars=[])
    for name in ("return_1d", "return_20d", "realised_volatility_20d", "underlying_volume"):
        assert figures["reasons"][name] == "no_history"


@pytest.mark.parametrize("price", [None, math.nan, 0.0, -1.0])
def test_no_spot(price: float | None) -> None:
    figures = of(price=price)
    assert figures["price"] is None
    assert {figures["reasons"][name] for name in ("price", "return_1d", "return_20d")} == {"no_spot"}
    assert figures["realised_volatility_20d"] is not None


def test_realised_volatility_of_the_last_twenty_returns() -> None:
    closes = wavy(30)
    last = closes[-21:]
    returns = [math.log(after / before) for before, after in itertools.pairwise(last)]
    assert of(bars=bars_of(list(closes)))["realised_volatility_20d"] == pytest.approx(
        statistics.stdev(returns) * math.sqrt(252), rel=1e-9
    )


def test_realised_volatility_takes_todays_close_only_after_the_close() -> None:
    closes = wavy(30)
    bars = bars_of(list(closes))
    today = Bar(TODAY, 120.0, 120.0, 120.0, 120.0, 77)
    before = of(bars=bars)
    assert of(bars=[*bars, today])["realised_volatility_20d"] == before["realised_volatility_20d"]
    after = of(bars=[*bars, today], as_of=CLOSE)
    last = [*closes[-20:], 120.0]
    returns = [math.log(b / a) for a, b in itertools.pairwise(last)]
    assert after["realised_volatility_20d"] == pytest.approx(statistics.stdev(returns) * math.sqrt(252), rel=1e-9)
    assert (before["underlying_volume"], after["underlying_volume"]) == (1029, 77)


def test_volume_of_the_underlying_that_the_feed_does_not_state() -> None:
    bars = bars_of(wavy(30))
    bars[-1] = replace(bars[-1], volume=None)
    assert of(bars=bars)["reasons"]["underlying_volume"] == "not_stated"


def test_option_figures_are_those_of_the_contracts() -> None:
    figures = of()
    assert (figures["volume"], figures["open_interest"]) == (30, 150)
    assert (figures["put_call_volume_ratio"], figures["put_call_open_interest_ratio"]) == (2.0, 0.5)
    assert (figures["expirations_used"], figures["expirations_listed"]) == (1, 9)


def test_without_a_usable_chain_the_option_figures_say_so() -> None:
    figures = of(contracts=contracts(0), expirations_used=0)
    for name in ("volume", "open_interest", "put_call_volume_ratio", "put_call_open_interest_ratio"):
        assert (figures[name], figures["reasons"][name]) == (None, "no_usable_chain")


def earnings(day: date, *, confirmed: bool | None = None, at: datetime | None = None, known: int = 0) -> Event:
    return Event("earnings", day, known_at=NOON + timedelta(minutes=known), ticker="QLMT", time=at, confirmed=confirmed)


def test_next_earnings_is_the_nearest_that_is_not_past() -> None:
    events = [
        earnings(date(2026, 5, 7)),
        earnings(date(2026, 2, 25), confirmed=True),
        earnings(date(2025, 11, 5), confirmed=True),
    ]
    figures = of(events=events)
    assert figures["next_earnings_date"] == date(2026, 2, 25)
    assert figures["next_earnings_confirmed"] is True


def test_earnings_of_today_count_until_their_stated_time() -> None:
    assert of(events=[earnings(TODAY)])["next_earnings_date"] == TODAY
    assert of(events=[earnings(TODAY, at=NOON + timedelta(hours=5))])["next_earnings_date"] == TODAY
    assert of(events=[earnings(TODAY, at=NOON - timedelta(hours=5))])["reasons"]["next_earnings_date"] == "no_event"


def test_the_newest_statement_about_one_date_counts() -> None:
    day = date(2026, 2, 25)
    events = [earnings(day, confirmed=True, known=5), earnings(day, confirmed=False, known=1)]
    assert of(events=events)["next_earnings_confirmed"] is True


def test_earnings_of_others_and_other_events_are_none_of_ours() -> None:
    day = date(2026, 2, 25)
    events = [replace(earnings(day), ticker="ZZYX"), replace(earnings(day), kind="dividend"), earnings(day, known=1)]
    assert of(events=events[:2])["reasons"]["next_earnings_date"] == "no_event"
    figures = of(events=events)
    assert figures["next_earnings_date"] == day
    assert figures["reasons"]["next_earnings_confirmed"] == "not_stated"
