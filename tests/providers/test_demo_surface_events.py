"""What is staged in the demo's surface, read off its true values: a skew that turns, an expiration off the curve."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.providers.demo.expirations import listed_expirations
from collector.providers.demo.surface_events import dear_expiration_at, dear_side_at
from collector.providers.demo.timeline import timeline
from collector.providers.demo.truth import truth
from collector.providers.demo.universe import UNIVERSE
from tests.providers.demo_moments import before_close

FIRST = timeline().ordinal_of(date(2010, 7, 1))
ORDINALS = st.integers(FIRST, timeline().ordinal_of(date(2027, 6, 30)))
HALF_YEAR = 126


def at_the_money(ticker, expiration, ordinal):
    """Total variance at the forward, and tenor, just before the close of a session."""
    moment = before_close(timeline().sessions[ordinal])
    forward = truth(ticker.name, expiration.date, 100.0, "call", moment).forward
    true = truth(ticker.name, expiration.date, forward, "call", moment)
    return true.implied_volatility**2 * true.tenor, true.tenor


def tilt(ticker, ordinal):
    """Volatility half a standard deviation below the forward less that above, over that at it, of about 30 days."""
    today = timeline().sessions[ordinal]
    expiration = min(listed_expirations(ticker, ordinal), key=lambda one: abs((one.date - today.date).days - 30))
    variance, _ = at_the_money(ticker, expiration, ordinal)
    moment = before_close(today)
    forward = truth(ticker.name, expiration.date, 100.0, "call", moment).forward
    low, middle, high = (
        truth(ticker.name, expiration.date, forward * np.exp(away * variance**0.5), "call", moment).implied_volatility
        for away in (-0.5, 0.0, 0.5)
    )
    return (low - high) / middle


@settings(max_examples=10, deadline=None)
@given(ORDINALS)
def test_any_half_year_holds_one_of_each_of_every_ticker(start):
    for ticker in UNIVERSE:
        window = range(start, start + HALF_YEAR)
        sides = [dear_side_at(ticker, ordinal) for ordinal in window]
        expirations = [dear_expiration_at(ticker, ordinal) for ordinal in window]
        assert sum(side is not None for side in sides) == 10
        assert sum(one is not None for one in expirations) == 5
        assert len(set(sides) - {None}) == 1


def first_of(function, ticker, start):
    """Return the first session from ``start`` on in which something is staged, after one in which nothing is."""
    return next(
        ordinal
        for ordinal in range(start + 1, start + 1 + HALF_YEAR + 20)
        if function(ticker, ordinal) is not None and function(ticker, ordinal - 1) is None
    )


@settings(max_examples=15, deadline=None)
@given(ORDINALS, st.sampled_from(UNIVERSE))
def test_one_side_of_the_smile_is_far_dearer_than_just_before(start, ticker):
    first = first_of(dear_side_at, ticker, start)
    before, during = tilt(ticker, first - 6), tilt(ticker, first + 4)
    side = 1.0 if dear_side_at(ticker, first) == "puts" else -1.0
    assert side * (during - before) > 0.08


@settings(max_examples=15, deadline=None)
@given(ORDINALS, st.sampled_from(UNIVERSE))
def test_the_dear_expiration_stands_out_of_the_curve_and_total_variance_still_rises(start, ticker):
    first = first_of(dear_expiration_at, ticker, start)
    dear = dear_expiration_at(ticker, first)
    for ordinal in (first, first + 4):
        assert dear_expiration_at(ticker, ordinal) == dear
        listed = listed_expirations(ticker, ordinal)
        place = listed.index(dear)
        points = [at_the_money(ticker, one, ordinal) for one in listed[place - 2 : place + 2]]
        forward = [(high - low) / (later - sooner) for (low, sooner), (high, later) in pairwise(points)]
        assert min(forward) > 0
        assert forward[1] > 1.2 * max(forward[0], forward[2])
        assert forward[1] > 1.3**2 * (forward[0] * forward[2]) ** 0.5


@pytest.mark.parametrize("ticker", UNIVERSE, ids=lambda ticker: ticker.name)
def test_it_is_gone_the_session_after(ticker):
    first = first_of(dear_expiration_at, ticker, FIRST)
    dear = dear_expiration_at(ticker, first)
    with_it, _ = at_the_money(ticker, dear, first + 4)
    without, _ = at_the_money(ticker, dear, first + 5)
    assert without < 0.9 * with_it
