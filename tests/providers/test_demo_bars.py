"""The demo's bars against its own quotes through the day, its splits, and what prices of such volatility do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.market.calendar import continuous_sessions
from collector.providers.demo import DemoProvider
from collector.providers.demo.universe import NAMES, UNIVERSE
from tests.providers.demo_moments import DAYS, MOMENTS, before_close, session_on, within


@settings(max_examples=30, deadline=None)
@given(DAYS, st.sampled_from(NAMES), st.lists(st.floats(0.0, 0.9999), min_size=5, max_size=40))
def test_bar_agrees_with_the_quotes_of_its_session(day, ticker, shares):
    session = session_on(day)
    (bar,) = DemoProvider(session.close).bars(ticker, session.date, session.date)
    prices = [DemoProvider(within(session, share)).quote(ticker).price for share in shares]
    assert all(bar.low <= price <= bar.high for price in prices)
    assert DemoProvider(session.open).quote(ticker).price == bar.open
    assert DemoProvider(before_close(session)).quote(ticker).price == bar.close
    assert DemoProvider(session.close - timedelta(microseconds=1)).quote(ticker).price == bar.close
    assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
    assert bar.volume > 0


def test_high_and_low_are_reached():
    session = session_on(date(2026, 1, 27))
    for ticker in NAMES:
        (bar,) = DemoProvider(session.close).bars(ticker, session.date, session.date)
        prices = [DemoProvider(within(session, step / 2000)).quote(ticker).price for step in range(2000)]
        assert max(prices) == pytest.approx(bar.high, rel=1e-3)
        assert min(prices) == pytest.approx(bar.low, rel=1e-3)


@settings(max_examples=25, deadline=None)
@given(MOMENTS, st.sampled_from(NAMES))
def test_bars_are_of_closed_sessions_only_without_a_gap(moment, ticker):
    start, end = moment.date() - timedelta(days=200), moment.date() + timedelta(days=20)
    bars = DemoProvider(moment).bars(ticker, start, end)
    closed = [session.date for session in continuous_sessions().between(start, end) if session.close <= moment]
    assert [bar.date for bar in bars] == closed
    assert DemoProvider(moment).bars(ticker, end, start) == ()


def test_bars_do_not_depend_on_the_window_asked_for():
    provider = DemoProvider(datetime(2026, 1, 27, 17, tzinfo=UTC))
    long = provider.bars("FENWIR", date(2024, 1, 1), date(2026, 1, 27))
    for first in (date(2025, 3, 3), date(2025, 9, 30), date(2026, 1, 20)):
        short = provider.bars("FENWIR", first, date(2026, 1, 27))
        assert short == long[-len(short) :]


@settings(max_examples=25, deadline=None)
@given(DAYS)
def test_one_ticker_splits_in_any_90_sessions(day):
    session = session_on(day)
    start = continuous_sessions().offset(session.date, -89).date
    provider = DemoProvider(session.close)
    splits = [
        (ticker, bar)
        for ticker in NAMES
        for bar in provider.bars(ticker, start, session.date)
        if bar.split_factor != 1.0
    ]
    assert 1 <= len(splits) <= 2
    for ticker, bar in splits:
        (before,) = provider.bars(ticker, *[continuous_sessions().previous(bar.date).date] * 2)
        assert bar.split_factor == 2.0
        # Two for one, and at most an earnings gap beside it.
        assert bar.open * bar.split_factor == pytest.approx(before.close, rel=0.4)
        assert bar.open < 0.75 * before.close


@pytest.mark.parametrize("ticker", UNIVERSE, ids=lambda ticker: ticker.name)
def test_prices_move_as_their_volatility_says_and_stay_in_range(ticker):
    bars = DemoProvider(datetime(2026, 1, 27, 17, tzinfo=UTC)).bars(ticker.name, date(2009, 1, 2), date(2026, 1, 26))
    closes = np.array([bar.close for bar in bars])
    factors = np.array([bar.split_factor for bar in bars])
    returns = np.log(closes[1:] * factors[1:] / closes[:-1])
    annual = np.median(np.abs(returns)) / 0.6745 * np.sqrt(252)
    assert 0.6 * ticker.volatility < annual < 1.3 * ticker.volatility
    assert ticker.price / 8 < closes.min() < closes.max() < ticker.price * 8
    assert abs(np.corrcoef(returns[:-1], returns[1:])[0, 1]) < 0.06
