"""Earnings, dividends and splits of the demo as they were known at a moment."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.market.calendar import continuous_sessions
from collector.providers.demo import DemoProvider
from collector.providers.demo.truth import truth
from collector.providers.demo.universe import NAMES, UNIVERSE, find
from tests.providers.demo_moments import DAYS, MOMENTS, session_on


@settings(max_examples=60, deadline=None)
@given(MOMENTS, st.sampled_from(NAMES))
def test_no_event_is_known_before_it_was_stated(moment, ticker):
    events = DemoProvider(moment).events(ticker)
    assert events == tuple(sorted(events, key=lambda event: (event.date, event.kind)))
    assert all(event.known_at <= moment for event in events)
    assert all(event.ticker == ticker for event in events)
    assert all(event.known_at.date() <= event.date for event in events)
    assert all(continuous_sessions().session(event.date) for event in events)


@settings(max_examples=60, deadline=None)
@given(MOMENTS, st.sampled_from(NAMES))
def test_the_next_earnings_are_estimated_then_confirmed(moment, ticker):
    earnings = [event for event in DemoProvider(moment).events(ticker) if event.kind == "earnings"]
    past = [event for event in earnings if event.time is not None and event.time <= moment]
    (coming,) = [event for event in earnings if event not in past]
    assert len(past) >= 8
    assert all(event.confirmed for event in past)
    gaps = [len(continuous_sessions().between(a.date, b.date)) - 1 for a, b in pairwise(past)]
    assert set(gaps) == {63}
    ahead = len(continuous_sessions().between(past[-1].date, coming.date)) - 1
    if coming.confirmed:
        assert ahead == 63
        assert coming.time == continuous_sessions().session(coming.date).close
    else:
        assert 60 <= ahead <= 66
        assert coming.time is None
        assert len(continuous_sessions().between(moment.date(), coming.date)) > 10


@settings(max_examples=20, deadline=None)
@given(DAYS, st.sampled_from(NAMES))
def test_price_gaps_and_implied_volatility_falls_when_earnings_are_out(day, ticker):
    moment = session_on(day).open + timedelta(days=200)
    events = DemoProvider(moment).events(ticker)
    reported = [event for event in events if event.kind == "earnings" and event.time and event.time <= moment][-1]
    just_before = reported.time - timedelta(microseconds=1)
    following = continuous_sessions().following(reported.date)
    (bar,) = DemoProvider(following.close).bars(ticker, following.date, following.date)
    assert DemoProvider(reported.time).quote(ticker).price == bar.open
    listed = set(DemoProvider(just_before).expirations(ticker)) & set(DemoProvider(reported.time).expirations(ticker))
    assert len(listed) >= 6
    for expiration in listed:
        before, after = (
            total_variance_at_the_money(ticker, expiration, moment) for moment in (just_before, reported.time)
        )
        assert before - after == pytest.approx(find(ticker).earnings_move ** 2, rel=0.01)


def total_variance_at_the_money(ticker, expiration, moment):
    forward = truth(ticker, expiration, 100.0, "call", moment).forward
    true = truth(ticker, expiration, forward, "call", moment)
    return true.implied_volatility**2 * true.tenor


def test_gaps_after_earnings_are_as_wide_as_the_market_prices_them():
    for ticker in UNIVERSE:
        gaps = []
        for year in range(2011, 2027, 2):
            provider = DemoProvider(session_on(date(year, 1, 4)).open)
            for event in provider.events(ticker.name):
                if event.kind == "earnings" and event.confirmed and event.time is not None:
                    before = DemoProvider(event.time - timedelta(microseconds=1)).quote(ticker.name).price
                    gaps.append(abs(DemoProvider(event.time).quote(ticker.name).price / before - 1))
        assert len(gaps) > 60
        assert sum(gaps) / len(gaps) == pytest.approx(0.8 * ticker.earnings_move, rel=0.35)


@settings(max_examples=20, deadline=None)
@given(MOMENTS)
def test_payers_state_a_dividend_every_quarter_and_others_none(moment):
    for ticker in UNIVERSE:
        provider = DemoProvider(moment)
        dividends = [event for event in provider.events(ticker.name) if event.kind == "dividend"]
        rate = provider.quote(ticker.name).dividend_rate
        if ticker.dividend_yield == 0:
            assert dividends == []
            assert rate == 0.0
            continue
        # Two years back and a year and a half ahead, unless the market begins or ends in between.
        assert 12 <= len(dividends) <= 16
        assert {round(4 * event.amount, 2) for event in dividends} == {rate}
        assert rate == pytest.approx(ticker.dividend_yield * ticker.price, abs=0.03)


@settings(max_examples=30, deadline=None)
@given(MOMENTS)
def test_splits_are_announced_and_kept_with_the_bars_factor(moment):
    recent = 0
    for ticker in NAMES:
        provider = DemoProvider(moment)
        for event in provider.events(ticker):
            if event.kind != "split":
                continue
            assert event.amount == 2.0
            notice = continuous_sessions().between(event.known_at.date(), event.date)
            assert len(notice) - 1 >= 10
            bars = provider.bars(ticker, event.date, event.date)
            recent += (moment.date() - event.date) < timedelta(days=140)
            assert all(bar.split_factor == 2.0 for bar in bars)
    assert recent >= 1
