"""Earnings, dividends and splits of the demo as they were known at a moment."""

from __future__ import annotations

import math
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.market.calendar import continuous_sessions
from collector.market.dividends import in_years, schedule
from collector.providers.demo import DemoProvider
from collector.providers.demo.corporate_actions import earnings_phase
from collector.providers.demo.market_events import price_jumps
from collector.providers.demo.surface import priced_move
from collector.providers.demo.timeline import timeline
from collector.providers.demo.truth import truth
from collector.providers.demo.universe import NAMES, UNIVERSE, find
from tests.providers.demo_moments import DAYS, MOMENTS, session_on

# Two tickers of which every other report is overpriced.
OVERPRICED = ("CINDRA", "GALTHO")


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
        fallen = (before - after) ** 0.5
        if ticker in OVERPRICED and fallen > 1.01 * find(ticker).earnings_move:
            assert fallen > 1.9 * past_move(ticker, reported.date)
        else:
            assert fallen == pytest.approx(find(ticker).earnings_move, rel=0.005)


def past_move(ticker, day):
    """Root mean square of the close-to-close moves over the eight reports before a date, from bars."""
    sessions = continuous_sessions()
    moment = sessions.session(day).open
    stated = [event for event in DemoProvider(moment).events(ticker) if event.kind == "earnings" and event.date < day]
    moves = []
    for event in [one for one in stated if one.confirmed][-8:]:
        first = sessions.following(event.date).date
        before, after = DemoProvider(sessions.following(first).close).bars(ticker, event.date, first)
        moves.append(np.log(after.close * after.split_factor / before.close))
    return float(np.sqrt(np.mean(np.square(moves))))


def test_every_other_report_of_two_tickers_is_priced_at_more_than_the_past_ones_brought():
    for ticker in OVERPRICED:
        phase = earnings_phase(find(ticker))
        moves = [priced_move(ticker, ordinal) for ordinal in range(phase + 63 * 40, phase + 63 * 48, 63)]
        dear = [move > find(ticker).earnings_move for move in moves]
        assert dear in ([True, False] * 4, [False, True] * 4)
        for place in np.flatnonzero(dear).tolist():
            day = timeline().sessions[phase + 63 * (40 + place)].date
            assert moves[place] == pytest.approx(2.5 * past_move(ticker, day), rel=0.05)


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
        # Two years back and a year and a half ahead.
        assert 14 <= len(dividends) <= 16
        opens = {event.date: continuous_sessions().session(event.date).open for event in dividends}
        coming = [event for event in dividends if opens[event.date] > moment]
        assert rate == round(4 * coming[0].amount, 2)
        # In the shares of now the amount doubles in eight quarters, as the price does.
        for event, following in pairwise(coming):
            assert following.amount / event.amount == pytest.approx(2 ** (1 / 8), rel=0.03)
            assert 85 <= (following.date - event.date).days <= 99
        # A year's dividends over a price that lies within a half octave of its centre.
        assert 0.7 * ticker.price * ticker.dividend_yield < rate < 1.6 * ticker.price * ticker.dividend_yield


@settings(max_examples=40, deadline=None)
@given(MOMENTS, st.sampled_from(NAMES))
def test_what_pricing_knows_of_dividends_an_observer_knows(moment, ticker):
    """The schedule that a scan makes of events and quote gives the dates and amounts that prices are made with."""
    provider, sessions = DemoProvider(moment), continuous_sessions()
    last = provider.expirations(ticker)[-1]
    rate = provider.quote(ticker).dividend_rate
    expected = schedule(provider.events(ticker), ticker, moment, last + timedelta(days=1), sessions, rate)
    assert all(one.source == "declared" for one in expected)
    known = in_years(expected, moment, sessions)
    for expiration in provider.expirations(ticker):
        true = truth(ticker, expiration, 100.0, "put", moment)
        due = [(one.time, one.amount) for one in known if one.time <= true.tenor]
        assert [amount for _, amount in due] == [amount for _, amount in true.dividends]
        assert [time for time, _ in due] == pytest.approx([time for time, _ in true.dividends], abs=1e-9)


def prepaid(ticker, expiration, moment):
    """The forward, discounted: the rate is another in each session."""
    true = truth(ticker, expiration, 100.0, "put", moment)
    return true.forward * math.exp(-true.rate * true.tenor)


@settings(max_examples=15, deadline=None)
@given(DAYS, st.sampled_from([ticker.name for ticker in UNIVERSE if ticker.dividend_yield]))
def test_the_price_falls_by_the_dividend_and_forwards_stay(day, ticker):
    moment = session_on(day).open + timedelta(days=120)
    paid = [
        event
        for event in DemoProvider(moment).events(ticker)
        if event.kind == "dividend"
        and continuous_sessions().session(event.date).open <= moment
        # Where its price jumps as well, the dividend does not show.
        and not price_jumps(find(ticker), np.array([timeline().ordinal_of(event.date)])).any()
    ][-1]
    ex = continuous_sessions().session(paid.date).open
    before = ex - timedelta(microseconds=1)
    last, first = (DemoProvider(at).quote(ticker).price for at in (before, ex))
    assert last - first == pytest.approx(paid.amount, abs=0.011)
    for expiration in set(DemoProvider(before).expirations(ticker)) & set(DemoProvider(ex).expirations(ticker)):
        assert prepaid(ticker, expiration, ex) == pytest.approx(prepaid(ticker, expiration, before), rel=2e-5)


def test_a_split_divides_what_is_declared_and_leaves_forwards_where_they_were():
    split = session_on(date(2026, 2, 13))
    before = split.open - timedelta(microseconds=1)
    declared = [
        {event.date: event.amount for event in DemoProvider(at).events("ALDREN") if event.kind == "dividend"}
        for at in (before, split.open)
    ]
    coming = [day for day in declared[0] if day > split.date and day in declared[1]]
    assert len(coming) >= 5
    assert all(declared[0][day] == 2 * declared[1][day] for day in coming)
    restated = [event for event in DemoProvider(split.open).events("ALDREN") if event.date in coming]
    assert all(event.known_at == split.open for event in restated if event.kind == "dividend")
    for expiration in DemoProvider(split.open).expirations("ALDREN"):
        new, old = (prepaid("ALDREN", expiration, at) for at in (split.open, before))
        assert old == pytest.approx(2 * new, rel=2e-5)


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
