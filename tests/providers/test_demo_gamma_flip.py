"""The demo's true gamma flip against vollib's gamma of the quoted contracts, and where it is staged."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vollib.black.greeks.analytical import gamma

from collector.market.calendar import continuous_sessions
from collector.market.settlement import settlement
from collector.providers.base import TickerNotFound
from collector.providers.demo import DemoProvider
from collector.providers.demo.gamma_flip import LAST_HOUR, gamma_flip
from collector.providers.demo.timeline import timeline
from collector.providers.demo.truth import truth
from tests.providers.demo_moments import DAYS, chains, regular, session_on, within

SHARES = st.floats(0.0, 0.999)


def dealers_gamma(moment, ticker):
    """Return the function of the spot that the flip is a root of, from the quotes' open interest and the truths."""
    rows = []
    for chain in chains(moment, (ticker,)):
        closes = settlement(ticker, ticker, chain.expiration, continuous_sessions()).time
        for one in regular(chain):
            if one.open_interest and closes - moment > LAST_HOUR:
                true = truth(ticker, chain.expiration, one.strike, one.option_type, moment)
                due = sum(amount * math.exp(-true.rate * years) for years, amount in true.dividends)
                rows.append((one, true, due))

    def summed(spot: float) -> float:
        total = 0.0
        for one, true, due in rows:
            growth = true.forward / (true.spot - due)
            of_forward = gamma(
                one.option_type[0],
                growth * (spot - due),
                one.strike,
                true.tenor,
                true.rate,
                true.implied_volatility,
            )
            total += growth**2 * of_forward * one.open_interest * (1 if one.option_type == "call" else -1)
        return total

    return summed


def signs(function, low, high, count):
    return {bool(function(float(spot)) > 0) for spot in np.geomspace(low, high, count)}


@settings(max_examples=6, deadline=None)
@given(DAYS, SHARES, st.sampled_from(["ALDREN", "CINDRA", "GALTHO"]))
def test_gamma_of_the_quoted_contracts_changes_its_sign_there_and_nowhere_nearer(day, share, ticker):
    moment = within(session_on(day), share)
    flip, spot = gamma_flip(ticker, moment), DemoProvider(moment).quote(ticker).price
    function = dealers_gamma(moment, ticker)
    assert signs(function, flip * 0.99999, flip * 1.00001, 2) == {False, True}
    distance = abs(math.log(flip / spot)) - 1e-4
    if distance > 0:
        assert len(signs(function, spot * math.exp(-distance), spot * math.exp(distance), 12)) == 1


def test_cindra_flips_about_1_per_cent_under_its_price_on_any_date():
    from_place, from_spot = [], []
    for ordinal in range(800, 5400, 60):
        session = timeline().sessions[ordinal]
        moment = within(session, ordinal % 61 / 61)
        bars = DemoProvider(session.close).bars(
            "CINDRA", continuous_sessions().previous(session.date).date, session.date
        )
        place = 0.998 * math.sqrt(bars[0].open / bars[1].split_factor * bars[1].open)
        flip = gamma_flip("CINDRA", moment)
        assert flip is not None
        from_place.append(math.log(flip / place))
        from_spot.append(math.log(flip / DemoProvider(moment).quote("CINDRA").price))
    # What is staged of its skew moves it further down.
    assert np.median(from_place) == pytest.approx(-0.005, abs=0.005)
    # Open interest is slow to follow a price that has jumped.
    assert np.abs(from_place).max() < 0.08
    assert np.median(from_spot) == pytest.approx(-0.01, abs=0.006)
    assert np.abs(from_spot).max() < 0.12


@settings(max_examples=40, deadline=None)
@given(DAYS, SHARES)
def test_fenwir_flips_nowhere_within_25_per_cent(day, share):
    assert gamma_flip("FENWIR", within(session_on(day), share)) is None


@settings(max_examples=3, deadline=None)
@given(DAYS, SHARES)
def test_fenwirs_dealers_are_long_all_over(day, share):
    moment = within(session_on(day), share)
    spot = DemoProvider(moment).quote("FENWIR").price
    assert signs(dealers_gamma(moment, "FENWIR"), 0.75 * spot, 1.25 * spot, 25) == {True}


def test_it_stays_where_it_is_while_open_interest_does():
    session = session_on(datetime(2026, 2, 11, tzinfo=UTC).date())
    flips = [gamma_flip("CINDRA", session.open + timedelta(hours=hour)) for hour in (9, 11, 13, 15)]
    assert max(flips) / min(flips) < 1.01


def test_it_refuses_what_it_cannot_answer():
    noon = datetime(2026, 1, 27, 17, 0, tzinfo=UTC)
    with pytest.raises(TickerNotFound, match="no ticker 'AAPL'"):
        gamma_flip("AAPL", noon)
    with pytest.raises(ValueError, match="has no time zone"):
        gamma_flip("ALDREN", noon.replace(tzinfo=None))
