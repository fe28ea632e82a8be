"""Exposures against the closed form of two strikes and against gammas of another library; what they leave out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import QuantLib as ql

from collector.analytics.exposure import Holdings, chain_exposures, holdings, ticker_exposure
from collector.analytics.terms import Dividend, Terms

SPOT, RATE = 100.0, 0.04


def terms(*tenors: float, dividends: tuple[tuple[Dividend, ...], ...] | None = None) -> Terms:
    tenor = np.array(tenors)
    own = dividends or tuple(() for _ in tenors)
    present = np.array([sum(one.amount * math.exp(-RATE * one.time) for one in chain) for chain in own])
    return Terms(
        tenor=tenor,
        rate=np.full(len(tenors), RATE),
        forward=(SPOT - present) * np.exp(RATE * tenor),
        spot=np.full(len(tenors), SPOT),
        american=np.zeros(len(tenors), dtype=bool),
        dividends=own,
    )


def quantlib_gamma(spot: float, strike: float, sigma: float, tenor: float, present: float = 0.0) -> float:
    """Return gamma by QuantLib, dividends of that present value taken off the spot."""
    growth = math.exp(RATE * tenor)
    black = ql.BlackCalculator(
        ql.PlainVanillaPayoff(ql.Option.Call, strike),
        (spot - present) * growth,
        sigma * math.sqrt(tenor),
        math.exp(-RATE * tenor),
    )
    return float(black.gamma(spot - present))


def held(of: Terms, rows: list[tuple[int, float, float, float, float]], present: float = 0.0, **more: Any) -> Holdings:
    """Return holdings of rows (chain, sign, strike, sigma, open interest)."""
    chain, sign, strike, sigma, interest = (np.array(column) for column in zip(*rows, strict=True))
    gamma = np.array(
        [quantlib_gamma(SPOT, k, s, of.tenor[c], present) for c, k, s in zip(chain, strike, sigma, strict=True)]
    )
    columns = {
        "chain": chain.astype(np.intp),
        "sign": sign,
        "strike": strike,
        "sigma": sigma,
        "gamma": gamma,
        "vanna": np.full(len(rows), 0.01),
        "charm": np.full(len(rows), -0.002),
        "open_interest": interest,
        "multiplier": np.full(len(rows), 100.0),
    }
    return holdings(of, **(columns | more))


def test_the_closed_form_of_two_strikes() -> None:
    # Equal holdings at one volatility: the densities meet where d1 of both strikes are opposite.
    of = terms(0.25)
    found = ticker_exposure(of, held(of, [(0, -1, 90.0, 0.2, 10), (0, 1, 110.0, 0.2, 10)]), SPOT)
    assert found is not None
    assert found.flip == pytest.approx(math.sqrt(90 * 110) * math.exp(-(RATE + 0.02) * 0.25), rel=1e-6)


def test_unequal_holdings_move_it_by_the_log_of_their_ratio() -> None:
    # exp(-d1²/2) of the put times 2 = of the call: (d_put² - d_call²) / 2 = ln 2, linear in ln spot.
    of = terms(0.25)
    found = ticker_exposure(of, held(of, [(0, -1, 90.0, 0.2, 20), (0, 1, 110.0, 0.2, 10)]), SPOT)
    variance = 0.2**2 * 0.25
    middle = math.log(math.sqrt(90 * 110)) - (RATE + 0.02) * 0.25
    assert found is not None
    assert found.flip == pytest.approx(math.exp(middle + variance * math.log(2) / math.log(110 / 90)), rel=1e-6)


def test_gamma_exposure_is_dollars_for_one_per_cent() -> None:
    of = terms(0.25)
    rows = [(0, 1, 105.0, 0.25, 300), (0, -1, 95.0, 0.3, 200)]
    exposure, by_strike = chain_exposures(of, held(of, rows))[0]
    call = quantlib_gamma(SPOT, 105, 0.25, 0.25) * 300 * 100 * SPOT**2 * 0.01
    put = quantlib_gamma(SPOT, 95, 0.3, 0.25) * 200 * 100 * SPOT**2 * 0.01
    assert exposure.gamma == pytest.approx(call - put)
    assert list(by_strike.strikes) == [95.0, 105.0]
    assert list(by_strike.gamma) == pytest.approx([-put, call])
    assert exposure.vanna == pytest.approx((300 - 200) * 100 * 0.01 * SPOT)
    assert exposure.charm == pytest.approx((300 - 200) * 100 * -0.002 * SPOT)
    assert (exposure.call_wall, exposure.put_wall) == (105.0, 95.0)


def test_at_the_flip_the_revalued_gammas_cancel_over_all_expirations() -> None:
    of = terms(0.05, 0.3, dividends=((), (Dividend(0.1, 1.5),)))
    present = 1.5 * math.exp(-RATE * 0.1)
    rows = [(0, 1, 104.0, 0.22, 900), (0, -1, 97.0, 0.26, 700), (1, 1, 110.0, 0.24, 500), (1, -1, 92.0, 0.3, 1_900)]
    found = ticker_exposure(of, held(of, rows), SPOT)
    assert found is not None
    assert found.flip is not None
    each = [
        sign * interest * quantlib_gamma(found.flip, strike, sigma, of.tenor[chain], present if chain else 0.0)
        for chain, sign, strike, sigma, interest in rows
    ]
    assert sum(each) == pytest.approx(0.0, abs=1e-6 * sum(map(abs, each)))


def test_of_several_crossings_the_one_nearest_to_the_spot_counts() -> None:
    # Calls at 85 and 99, puts between and above: the sum changes sign below 92 and again near 103.
    of = terms(0.02)
    rows = [(0, 1, 85.0, 0.2, 500), (0, -1, 92.0, 0.2, 500), (0, 1, 99.0, 0.2, 500), (0, -1, 108.0, 0.2, 500)]
    found = ticker_exposure(of, held(of, rows), SPOT)
    assert found is not None
    assert found.flip is not None
    assert abs(math.log(found.flip / SPOT)) < 0.06


def test_calls_alone_cross_nowhere() -> None:
    of = terms(0.25)
    found = ticker_exposure(of, held(of, [(0, 1, 90.0, 0.2, 10), (0, 1, 110.0, 0.2, 10)]), SPOT)
    assert found is not None
    assert (found.flip, found.put_wall, found.call_wall) == (None, None, 110.0)


def test_rows_without_gamma_or_open_interest_are_left_out_and_their_neighbours_stay() -> None:
    of = terms(0.25)
    rows = [(0, 1, 100.0, 0.2, 10), (0, 1, 105.0, 0.2, 20), (0, 1, 110.0, 0.2, 30)]
    whole = held(of, rows)
    gamma = whole.gamma.copy()
    gamma[0] = np.nan
    left = held(of, rows, gamma=gamma, open_interest=np.array([10.0, 20.0, np.nan]))
    assert list(left.strike) == [105.0]
    nothing = held(of, rows, open_interest=np.array([0.0, np.nan, np.nan]))
    assert ticker_exposure(of, nothing, SPOT) is None
    assert chain_exposures(of, nothing) == {}


def test_a_chain_without_open_interest_has_no_exposure_and_the_next_one_has() -> None:
    of = terms(0.1, 0.2)
    found = chain_exposures(of, held(of, [(0, 1, 100.0, 0.2, 0), (1, 1, 100.0, 0.2, 5)]))
    assert list(found) == [1]
