"""DemoProvider: the protocol, sameness across processes and zones, refusals, cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import time_machine

from collector.market.calendar import continuous_sessions
from collector.providers.base import EmptyAnswer, Provider, TickerNotFound
from collector.providers.demo import DemoProvider
from tests.providers.demo_moments import before_close, chains, is_dark, session_on, within

NOON = datetime(2026, 1, 27, 17, 0, tzinfo=UTC)
DIGEST = """
import hashlib, sys
from datetime import UTC, date, datetime
from collector.providers.demo import DemoProvider

digest = hashlib.sha256()
for text in sys.argv[1:]:
    provider = DemoProvider(datetime.fromisoformat(text))
    for ticker in provider.tickers():
        digest.update(repr(provider.quote(ticker)).encode())
        digest.update(repr(provider.events(ticker)).encode())
        digest.update(repr(provider.bars(ticker, date(2025, 6, 2), date(2026, 3, 2))).encode())
        for expiration in reversed(provider.expirations(ticker)):
            digest.update(repr(provider.chain(ticker, expiration)).encode())
print(digest.hexdigest())
"""


def digest(*moments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", DIGEST, *moments],
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_it_is_a_provider():
    provider: Provider = DemoProvider()
    assert (provider.name, provider.feed, provider.market) == ("demo", "demo", "demo")
    assert provider.delay == timedelta(0)
    assert provider.pays_per_expiration is False
    assert provider.terms
    assert provider.sessions().name == continuous_sessions().name
    assert len(provider.tickers()) == 8
    assert all(len(ticker) == 6 and ticker.isupper() for ticker in provider.tickers())


def test_answers_are_the_same_in_any_process_zone_and_order():
    moments = ["2026-01-27T17:00:00+00:00", "2026-02-13T20:59:00+00:00"]
    first = digest(*moments, TZ="UTC", PYTHONHASHSEED="1")
    assert digest(*moments, TZ="Asia/Tokyo", PYTHONHASHSEED="2") == first
    assert digest("2026-01-27T12:00:00-05:00", moments[1], TZ="America/Los_Angeles", PYTHONHASHSEED="3") == first
    assert digest("2026-01-27T17:00:01+00:00", moments[1]) != first


def test_answers_do_not_depend_on_what_was_asked_before():
    session = session_on(date(2026, 2, 20))
    alone = chains(within(session, 0.4), ("GALTHO",))
    for share in (0.9, 0.1):
        chains(within(session, share), ("GALTHO", "DOVREK"))
    assert chains(within(session, 0.4), ("GALTHO",)) == alone


def test_threads_get_the_same_answers():
    moment = within(session_on(date(2021, 8, 4)), 0.3)
    with ThreadPoolExecutor(8) as pool:
        many = list(pool.map(lambda _: chains(moment, ("BRAMLO",)), range(8)))
    assert all(answer == many[0] for answer in many)


def test_without_a_moment_it_follows_the_clock():
    with time_machine.travel(NOON, tick=False):
        provider = DemoProvider()
        assert provider.quote("ESKALO") == DemoProvider(NOON).quote("ESKALO")
    with time_machine.travel(NOON + timedelta(minutes=10), tick=False):
        moved = provider.quote("ESKALO")
        assert moved.time == moved.stamp == NOON + timedelta(minutes=10)
        assert moved == DemoProvider(NOON + timedelta(minutes=10)).quote("ESKALO")


def test_times_are_utc_and_the_quotes_own():
    provider = DemoProvider(NOON.astimezone(timezone(timedelta(hours=9))))
    quote = provider.quote("HEXUMA")
    assert quote.stamp.tzinfo is UTC
    assert (quote.stamp, quote.time, quote.market_state, quote.currency) == (NOON, NOON, "regular", "USD")
    chain = provider.chain("HEXUMA", provider.expirations("HEXUMA")[0])
    assert (chain.stamp, chain.quote_time, chain.underlying) == (NOON, NOON, quote)
    assert all(one.last_trade_time is None or one.last_trade_time.tzinfo is UTC for one in chain.contracts)


def test_a_scan_of_all_is_four_to_five_thousand_contracts():
    for day in (date(2010, 3, 3), date(2017, 11, 8), date(2026, 1, 27), date(2027, 6, 1)):
        everything = chains(before_close(session_on(day)))
        assert 3_700 <= sum(len(chain.contracts) for chain in everything) <= 5_300
        assert sum(map(is_dark, everything)) == 1


def test_it_refuses_what_it_has_not():
    provider = DemoProvider(NOON)
    for ask in (provider.quote, provider.expirations, provider.events):
        with pytest.raises(TickerNotFound, match="the demo market has no ticker 'SPY': it has ALDREN"):
            ask("SPY")
    with pytest.raises(TickerNotFound):
        provider.chain("SPY", date(2026, 3, 20))
    with pytest.raises(TickerNotFound):
        provider.bars("SPY", date(2026, 1, 2), date(2026, 1, 5))
    with pytest.raises(EmptyAnswer, match="ALDREN lists no expiration 2026-03-21"):
        provider.chain("ALDREN", date(2026, 3, 21))
    with pytest.raises(ValueError, match="has no time zone: give an aware datetime"):
        DemoProvider(NOON.replace(tzinfo=None))
    for outside in (datetime(2006, 6, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)):
        with pytest.raises(ValueError, match=r"outside the demo market: give one from 20\d\d-\d\d-\d\d to 20"):
            DemoProvider(outside)


def test_a_scan_of_all_costs_little_of_a_backfill():
    """Backfilling 90 sessions has 60 s for everything: what the market itself costs is CPU time, best of five."""
    sessions = continuous_sessions().between(date(2026, 1, 5), date(2026, 1, 12))
    chains(before_close(continuous_sessions().previous(sessions[0].date)))
    costs = []
    for session in sessions[:5]:
        started = time.process_time()
        chains(before_close(session))
        costs.append(time.process_time() - started)
    assert min(costs) < 0.3
