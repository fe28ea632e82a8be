"""The demo's staged jumps and lopsided sessions, seen in its bars and its volumes on any date."""

from __future__ import annotations

import math
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.providers.demo import DemoProvider
from collector.providers.demo.gamma_flip import gamma_flip
from collector.providers.demo.market_events import heavy_side, price_jumps
from collector.providers.demo.month_volatility import month_volatility
from collector.providers.demo.timeline import timeline
from collector.providers.demo.universe import NAMES, UNIVERSE, find
from tests.providers.demo_moments import before_close, chains, is_dark, regular, session_on, traded_in, within

LATER_DAYS = st.dates(date(2010, 7, 1), date(2027, 6, 20))
TWO_QUARTERS = 126


def jump_after(ticker: str, day: date) -> tuple[int, float]:
    """The first session from a day on in which the ticker's price jumps, and by how much."""
    ordinals = timeline().ordinal_of(session_on(day).date) + np.arange(TWO_QUARTERS)
    jumps = price_jumps(find(ticker), ordinals)
    place = int(np.flatnonzero(jumps)[0])
    return int(ordinals[place]), float(jumps[place])


def lopsided_after(ticker: str, day: date) -> tuple[int, str]:
    """The first of the next two sessions in which a side is heavy, and which."""
    first = timeline().ordinal_of(session_on(day).date)
    sides = [heavy_side(find(ticker), ordinal) for ordinal in range(first, first + 2 * TWO_QUARTERS)]
    pairs = enumerate(pairwise(sides), start=first)
    return next((ordinal, one) for ordinal, (one, other) in pairs if one is not None and other is not None)


def expected(ticker: str, ordinal: int) -> float:
    """One standard deviation of the session, by the 30-day volatility before it began."""
    return month_volatility(ticker, before_close(timeline().sessions[ordinal - 1])) / math.sqrt(252)


@settings(max_examples=8, deadline=None)
@given(LATER_DAYS, st.sampled_from(NAMES))
def test_a_jump_takes_the_price_far_beyond_what_its_options_expected(day, ticker):
    ordinal, jump = jump_after(ticker, day)
    before, session = timeline().sessions[ordinal - 1], timeline().sessions[ordinal]
    last, first = DemoProvider(session.close).bars(ticker, before.date, session.date)
    move = math.log(first.open * first.split_factor / last.close)
    assert math.copysign(1.0, move) == math.copysign(1.0, jump)
    # So many deviations of its returns, which are nine tenths of what is implied.
    deviations = 7 if ticker == "CINDRA" else 5
    assert abs(move) / expected(ticker, ordinal) == pytest.approx(0.9 * deviations, rel=0.2)


@pytest.mark.parametrize("ticker", UNIVERSE, ids=lambda ticker: ticker.name)
def test_any_two_quarters_hold_one_jump_and_two_lopsided_sessions_of_each_ticker(ticker):
    for first in range(1000, 1000 + 4 * TWO_QUARTERS, 37):
        ordinals = np.arange(first, first + TWO_QUARTERS)
        assert np.count_nonzero(price_jumps(ticker, ordinals)) == 1
        assert sum(heavy_side(ticker, int(ordinal)) is not None for ordinal in ordinals) == 2


def test_jumps_go_both_ways_and_both_sides_are_heavy_by_turns():
    for ticker in UNIVERSE:
        ordinals = np.arange(1000, 1000 + 4 * TWO_QUARTERS)
        signs = set(np.sign(price_jumps(ticker, ordinals))) - {0.0}
        assert signs == ({-1.0} if ticker.name == "CINDRA" else {-1.0, 1.0})
        assert {heavy_side(ticker, int(ordinal)) for ordinal in ordinals} == {None, "puts", "calls"}


def test_cindra_falls_through_its_flip_four_times_of_five():
    ordinals = 800 + np.flatnonzero(price_jumps(find("CINDRA"), np.arange(800, 5400)))
    crossed = 0
    for ordinal in ordinals:
        moments = [before_close(timeline().sessions[ordinal - 1]), within(timeline().sessions[ordinal], 0.5)]
        above = [
            math.log(DemoProvider(moment).quote("CINDRA").price / gamma_flip("CINDRA", moment)) for moment in moments
        ]
        assert above[1] < above[0]
        crossed += above[0] > 0 and above[1] / expected("CINDRA", int(ordinal)) < -0.5
    # The flip is slow to follow a price that rose or fell before.
    assert crossed / len(ordinals) > 0.8


def put_call(ticker: str, ordinal: int) -> float:
    """Puts traded over calls in the session."""
    session = timeline().sessions[ordinal]
    volumes = {"put": 0, "call": 0}
    for chain in chains(before_close(session), (ticker,)):
        if not is_dark(chain):
            for contract in regular(chain):
                if traded_in(contract, session):
                    volumes[contract.option_type] += contract.volume
    return volumes["put"] / volumes["call"]


@settings(max_examples=5, deadline=None)
@given(LATER_DAYS, st.sampled_from(NAMES))
def test_the_heavy_side_trades_several_times_as_much_as_before(day, ticker):
    ordinal, side = lopsided_after(ticker, day)
    usual = float(np.median([put_call(ticker, ordinal - back) for back in (2, 3, 4)]))
    ratios = [put_call(ticker, ordinal) / usual, put_call(ticker, ordinal + 1) / usual]
    # A staged trade of the other side may hide one of the two.
    assert max(ratios) > 2.5 if side == "puts" else min(ratios) < 1 / 2.5


def test_what_is_staged_is_known_beforehand_and_on_any_date():
    found = [jump_after(name, date(2026, 1, 27)) for name in NAMES]
    assert found == [jump_after(name, date(2026, 1, 27)) for name in NAMES]
    sessions = [timeline().sessions[ordinal].date for ordinal, _ in found]
    assert all(date(2026, 1, 27) <= day < date(2026, 1, 27) + timedelta(days=190) for day in sessions)
