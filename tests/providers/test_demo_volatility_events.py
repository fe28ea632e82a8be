"""The demo's 30-day volatility against vollib, and the tops and bottoms staged in it, on any date."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vollib.black.implied_volatility import implied_volatility

from collector.market.calendar import continuous_sessions
from collector.providers.base import TickerNotFound
from collector.providers.demo import DemoProvider
from collector.providers.demo.month_volatility import month_volatility
from collector.providers.demo.timeline import timeline
from collector.providers.demo.truth import truth
from collector.providers.demo.universe import NAMES, UNIVERSE
from collector.providers.demo.volatility_events import extreme_at, with_events
from tests.providers.demo_moments import DAYS, MOMENTS, before_close, is_dark, session_on, within

MONTH = 30 / 365
# With a year and a half of the market behind them.
LATER_DAYS = st.dates(date(2010, 7, 1), date(2027, 12, 20))


def at_the_money(ticker, expiration, moment):
    """Years and volatility at the forward, inverted by vollib from the European price."""
    forward = truth(ticker, expiration, 100.0, "call", moment).forward
    true = truth(ticker, expiration, forward, "call", moment)
    return true.tenor, implied_volatility(true.european_price, forward, forward, true.rate, true.tenor, "c")


@settings(max_examples=60, deadline=None)
@given(MOMENTS, st.sampled_from(NAMES))
def test_thirty_days_lie_between_the_two_quoted_expirations_around(moment, ticker):
    provider = DemoProvider(moment)
    quoted = [one for one in provider.expirations(ticker) if not is_dark(provider.chain(ticker, one))]
    points = sorted(at_the_money(ticker, one, moment) for one in quoted)
    (near, low), (far, high) = next((one, other) for one, other in pairwise(points) if one[0] <= MONTH < other[0])
    share = (MONTH - near) / (far - near)
    by_hand = ((1 - share) * low**2 * near + share * high**2 * far) / MONTH
    assert month_volatility(ticker, moment) == pytest.approx(by_hand**0.5, abs=1e-7)


def rank(past, today):
    return 100 * (today - min(past)) / (max(past) - min(past))


@settings(max_examples=8, deadline=None)
@given(LATER_DAYS)
def test_any_90_sessions_hold_tops_and_bottoms_that_a_rank_shows(day):
    last = session_on(day)
    window = continuous_sessions().between(continuous_sessions().offset(last.date, -89).date, last.date)
    held = {"top": {}, "bottom": {}}
    for ticker in UNIVERSE:
        levels = [month_volatility(ticker.name, before_close(session)) for session in window]
        for place in range(40, 90):
            extreme = extreme_at(ticker, timeline().ordinal_of(window[place].date))
            if extreme is not None:
                held[extreme].setdefault(ticker.name, []).append(rank(levels[:place], levels[place]))
    for extreme, by_ticker in held.items():
        # Of the last 50 sessions, which have a past to stand out from.
        assert any(len(ranks) == 10 for ranks in by_ticker.values()), extreme
        for ranks in by_ticker.values():
            assert min(ranks) >= 90 if extreme == "top" else max(ranks) <= 16


@settings(max_examples=6, deadline=None)
@given(LATER_DAYS, st.sampled_from(UNIVERSE))
def test_a_year_of_history_shows_them_too(day, ticker):
    last = session_on(day)
    days = continuous_sessions().between(continuous_sessions().offset(last.date, -377).date, last.date)
    levels = [month_volatility(ticker.name, before_close(session)) for session in days]
    seen = set()
    for place in range(252, 378):
        extreme = extreme_at(ticker, timeline().ordinal_of(days[place].date))
        if extreme is not None:
            seen.add(extreme)
            now = rank(levels[place - 252 : place], levels[place])
            assert now >= 87 if extreme == "top" else now <= 10
    # Both within two quarters.
    assert seen == {"top", "bottom"}


@pytest.mark.parametrize("ticker", UNIVERSE, ids=lambda ticker: ticker.name)
def test_they_come_and_go_smoothly_and_are_of_a_size_that_is_seen(ticker):
    ordinals = np.arange(1000, 1252)
    staged = with_events(ticker, ordinals, np.zeros(len(ordinals)))
    assert np.abs(np.diff(staged)).max() < 0.15
    assert np.abs(np.diff(staged, 2)).max() < 0.05
    assert np.exp(staged.max() / 2) == pytest.approx(1.7, abs=0.05)
    assert np.exp(staged.min() / 2) == pytest.approx(0.58, abs=0.05)
    # Between two events there are sessions in which nothing is staged.
    assert np.count_nonzero(staged == 0.0) > 40


@settings(max_examples=30, deadline=None)
@given(MOMENTS, st.sampled_from(NAMES))
def test_total_variance_rises_with_tenor_whatever_is_staged(moment, ticker):
    points = [at_the_money(ticker, one, moment) for one in DemoProvider(moment).expirations(ticker)]
    totals = [sigma**2 * tenor for tenor, sigma in points]
    assert all(before < after for before, after in pairwise(totals))


@settings(max_examples=40, deadline=None)
@given(DAYS, st.sampled_from(NAMES))
def test_thirty_day_volatility_takes_no_jump_within_a_session(day, ticker):
    session = session_on(day)
    steps = [month_volatility(ticker, within(session, share / 8)) for share in range(8)]
    assert np.abs(np.diff(np.log(steps))).max() < 0.2


def test_it_refuses_what_it_cannot_answer():
    noon = datetime(2026, 1, 27, 17, 0, tzinfo=UTC)
    with pytest.raises(TickerNotFound, match="no ticker 'AAPL'"):
        month_volatility("AAPL", noon)
    with pytest.raises(ValueError, match="has no time zone"):
        month_volatility("ALDREN", noon.replace(tzinfo=None))
