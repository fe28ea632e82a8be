"""Rates from the real yfinance: what is asked, what per cent becomes, what a failure costs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import time_machine

from collector.market.rates import TreasuryYield
from collector.providers.base import Bar, RateLimited, TickerNotFound
from collector.providers.call_budget import BudgetSpent, CallBudget
from tests.providers.conftest import Make
from tests.providers.made_bodies import made_chart
from tests.providers.yahoo_server import CHART, CRUMB, TickerBodies, YahooServer

pytestmark = [
    pytest.mark.usefixtures("fresh_yfinance"),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning:yfinance"),
]

FRIDAY, MONDAY, TUESDAY = date(2026, 1, 23), date(2026, 1, 26), date(2026, 1, 27)
# After Monday's close.
EVENING = datetime(2026, 1, 26, 21, 20, tzinfo=UTC)
FRESH = ["/", CRUMB]
BILL, NOTE = f"{CHART}^IRX", f"{CHART}^FVX"


def closes(symbol: str, by_day: dict[date, float]) -> TickerBodies:
    bars = [Bar(day, close, close, close, close, None) for day, close in by_day.items()]
    return TickerBodies(chart=made_chart(symbol, bars, {}))


@pytest.fixture
def market(server: YahooServer) -> YahooServer:
    """The server with charts of bill and note, which reach to Tuesday's session."""
    server.bodies["^IRX"] = closes("^IRX", {FRIDAY: 3.58, MONDAY: 3.585, TUESDAY: 9.0})
    server.bodies["^FVX"] = closes("^FVX", {FRIDAY: 3.83, MONDAY: 3.822, TUESDAY: 9.0})
    return server


def test_bill_and_note_of_the_day_by_one_request_each(market: YahooServer, make: Make) -> None:
    """HO-02, HO-11: 3.585 per cent is 0.03585."""
    provider = make()
    with time_machine.travel(EVENING, tick=False):
        found = provider.rates(MONDAY)
    assert found == (
        TreasuryYield(MONDAY, 91, pytest.approx(0.03585), "discount", "treasury", EVENING),  # type: ignore[arg-type]
        TreasuryYield(MONDAY, 1825, pytest.approx(0.03822), "bond_equivalent", "treasury", EVENING),  # type: ignore[arg-type]
    )
    assert market.paths() == [*FRESH, BILL, NOTE]
    assert provider.calls_used() == len(market.requests)


def test_a_day_without_a_close_takes_the_one_before(market: YahooServer, make: Make) -> None:
    assert {one.date for one in make().rates(date(2026, 1, 25))} == {FRIDAY}


def test_an_index_that_fails_is_left_out(market: YahooServer, make: Make) -> None:
    market.fail("break", path=BILL)
    assert [one.days for one in make().rates(MONDAY)] == [1825]


def test_where_all_fail_the_failure_is_told(server: YahooServer, make: Make) -> None:
    with pytest.raises(TickerNotFound, match=r"\^IRX"):
        make().rates(MONDAY)
    assert server.paths() == [*FRESH, BILL, NOTE]


def test_what_ends_a_scan_ends_it_at_once(market: YahooServer, make: Make) -> None:
    market.fail("throttle", path=NOTE)
    with pytest.raises(RateLimited):
        make().rates(MONDAY)
    market.requests.clear()
    market.fail("throttle", path=BILL)
    with pytest.raises(RateLimited):
        make().rates(MONDAY)
    assert NOTE not in market.paths()


def test_they_are_paid_from_the_budget(market: YahooServer, make: Make, tmp_path: Path) -> None:
    budget = CallBudget(tmp_path / "calls.json", 3, 2000)
    with pytest.raises(BudgetSpent):
        make(budget).rates(MONDAY)
    assert market.paths() == [*FRESH, BILL]


def test_old_closes_are_no_rates_of_today(market: YahooServer, make: Make) -> None:
    assert make().rates(date(2026, 3, 2)) == ()
