"""The demo's true values against vollib's Black-76, put-call parity and no-arbitrage; quotes against the truth."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vollib.black import black
from vollib.black.implied_volatility import implied_volatility

from collector.market.calendar import continuous_sessions
from collector.market.settlement import settlement
from collector.providers.base import EmptyAnswer, OptionType, TickerNotFound
from collector.providers.demo import DemoProvider
from collector.providers.demo.draws import Purpose, four_uniforms, hashed, normal, uniform
from collector.providers.demo.truth import Truth, truth
from collector.providers.demo.universe import NAMES
from tests.providers.demo_moments import MOMENTS, chains, is_dark, regular

NOON = datetime(2026, 1, 27, 17, 0, tzinfo=UTC)


def vollib_price(true: Truth, strike: float, option_type: OptionType) -> float:
    return float(black(option_type[0], true.forward, strike, true.tenor, true.rate, true.implied_volatility))


@settings(max_examples=60, deadline=None)
@given(MOMENTS, st.sampled_from(NAMES), st.integers(0, 20), st.floats(0.6, 1.6))
def test_european_price_is_black_76_of_the_true_forward_rate_and_volatility(moment, ticker, place, moneyness):
    provider = DemoProvider(moment)
    expirations = provider.expirations(ticker)
    expiration = expirations[place % len(expirations)]
    strike = round(moneyness * provider.quote(ticker).price, 1)
    for option_type in ("call", "put"):
        true = truth(ticker, expiration, strike, option_type, moment)
        assert true.european_price == pytest.approx(vollib_price(true, strike, option_type), abs=1e-8)
        sign = 1 if option_type == "call" else -1
        assert true.price >= max(true.european_price, sign * (true.spot - strike)) - 1e-9


@settings(max_examples=60, deadline=None)
@given(MOMENTS, st.sampled_from(NAMES), st.floats(0.6, 1.6))
def test_forward_tenor_and_parity(moment, ticker, moneyness):
    provider = DemoProvider(moment)
    spot = provider.quote(ticker).price
    for expiration in provider.expirations(ticker):
        strike = moneyness * spot
        call, put = (truth(ticker, expiration, strike, side, moment) for side in ("call", "put"))
        settles = settlement(ticker, ticker, expiration, continuous_sessions()).time
        assert call.tenor == pytest.approx((settles - moment).total_seconds() / (365 * 86400), abs=1e-12)
        assert call.spot == pytest.approx(spot, abs=0.0051)
        paid = sum(amount * math.exp(-call.rate * time) for time, amount in call.dividends)
        assert all(0 <= time <= call.tenor for time, _ in call.dividends)
        assert call.forward == pytest.approx((call.spot - paid) * math.exp(call.rate * call.tenor), rel=1e-12)
        discounted = math.exp(-call.rate * call.tenor) * (call.forward - strike)
        assert call.european_price - put.european_price == pytest.approx(discounted, abs=1e-9)
        assert call.implied_volatility == put.implied_volatility


@settings(max_examples=15, deadline=None)
@given(MOMENTS)
def test_surface_is_plausible_and_free_of_arbitrage(moment):
    for ticker in NAMES:
        total_before = np.zeros(9)
        for expiration in DemoProvider(moment).expirations(ticker):
            at_the_money = truth(ticker, expiration, 1e9, "put", moment)
            steps = np.linspace(-1.0, 1.0, 9) * 0.4
            strikes = at_the_money.forward * np.exp(steps)
            true = [truth(ticker, expiration, float(strike), "call", moment) for strike in strikes]
            sigma = np.array([one.implied_volatility for one in true])
            assert 0.05 < sigma[4] < 4.0
            total = sigma**2 * at_the_money.tenor
            assert np.all(total >= total_before)
            total_before = total
            prices = np.array([one.european_price for one in true])
            slopes = np.diff(prices) / np.diff(strikes)
            assert np.all(slopes <= 1e-12)
            assert np.all(np.diff(slopes) >= -1e-9)


@settings(max_examples=10, deadline=None)
@given(MOMENTS, st.sampled_from(NAMES))
def test_quotes_lie_on_either_side_of_the_truth_on_ticks(moment, ticker):
    lit = [chain for chain in chains(moment, (ticker,)) if not is_dark(chain)]
    assert len(lit) >= 7
    for chain in lit:
        for contract in regular(chain):
            true = truth(ticker, chain.expiration, contract.strike, contract.option_type, moment)
            assert contract.bid <= true.price <= contract.ask
            assert abs((contract.bid + contract.ask) / 2 - true.price) <= (contract.ask - contract.bid) / 2 + 1e-12
            for price in (contract.bid, contract.ask):
                cents = round(price * 100)
                assert price == cents / 100
                assert price < 3 or cents % 5 == 0
            assert contract.bid_size == 0 if contract.bid == 0 else contract.bid_size >= 1
            assert contract.in_the_money == (
                (true.spot - contract.strike) * (1 if contract.option_type == "call" else -1) > 0
            )


def test_some_contracts_are_worth_no_bid():
    unbid = [
        contract for chain in chains(NOON) if not is_dark(chain) for contract in chain.contracts if not contract.bid
    ]
    assert len(unbid) > 20
    assert all(contract.ask > 0 for contract in unbid)


def test_spreads_tell_liquid_tickers_from_others():
    def median_spread(ticker: str) -> float:
        return float(
            np.median(
                [
                    2 * (contract.ask - contract.bid) / (contract.ask + contract.bid)
                    for chain in chains(NOON, (ticker,))
                    for contract in regular(chain)
                    if contract.bid > 1
                ]
            )
        )

    assert median_spread("CINDRA") < 0.02 < median_spread("DOVREK") < 0.12


def test_vendor_volatility_is_the_truth_with_noise_or_a_fill_in():
    ratios, fill_ins = [], 0
    for chain in chains(NOON):
        if is_dark(chain):
            assert {contract.vendor_implied_volatility for contract in chain.contracts} <= {1e-5, None}
            continue
        for contract in regular(chain):
            true = truth(chain.ticker, chain.expiration, contract.strike, contract.option_type, NOON)
            if contract.vendor_implied_volatility in (1e-5, 0.0625, 0.125, 0.25, 0.5):
                fill_ins += 1
            else:
                ratios.append(contract.vendor_implied_volatility / true.implied_volatility)
    assert 10 < fill_ins < 0.1 * len(ratios)
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.001)
    assert 0.005 < np.std(ratios) < 0.015


def test_implied_volatility_of_the_unrounded_price_is_the_true_one():
    provider = DemoProvider(NOON)
    for ticker in provider.tickers():
        spot = provider.quote(ticker).price
        for expiration in provider.expirations(ticker)[2:]:
            true = truth(ticker, expiration, spot, "call", NOON)
            back = implied_volatility(true.european_price, true.forward, spot, true.rate, true.tenor, "c")
            assert back == pytest.approx(true.implied_volatility, abs=1e-6)


def test_truth_refuses_what_it_cannot_answer():
    expiration = DemoProvider(NOON).expirations("ALDREN")[0]
    with pytest.raises(TickerNotFound, match=r"no ticker 'AAPL': it has ALDREN, .*HEXUMA"):
        truth("AAPL", expiration, 100.0, "call", NOON)
    with pytest.raises(EmptyAnswer, match="ALDREN lists no expiration 2026-01-28"):
        truth("ALDREN", date(2026, 1, 28), 100.0, "call", NOON)
    with pytest.raises(ValueError, match=r"strike -1.0 must be above 0"):
        truth("ALDREN", expiration, -1.0, "call", NOON)
    with pytest.raises(ValueError, match="has no time zone"):
        truth("ALDREN", expiration, 100.0, "call", NOON.replace(tzinfo=None))


def test_draws_are_uniform_independent_and_the_same_one_by_one():
    keys = np.arange(20_000)
    values = uniform(Purpose.PRICE, 3, keys)
    assert values.mean() == pytest.approx(0.5, abs=0.01)
    assert values.var() == pytest.approx(1 / 12, abs=0.002)
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.03
    assert abs(np.corrcoef(values, uniform(Purpose.BRIDGE, 3, keys))[0, 1]) < 0.03
    assert normal(Purpose.PRICE, 3, keys).std() == pytest.approx(1.0, abs=0.02)
    parts = np.array(four_uniforms(Purpose.QUOTE, keys))
    assert np.abs(np.corrcoef(parts) - np.eye(4)).max() < 0.03
    assert hashed(Purpose.PRICE, 3, 17)[0] == hashed(Purpose.PRICE, 3, keys)[17]
    assert hashed(Purpose.PRICE, 3, np.array([17]))[0] == hashed(Purpose.PRICE, np.array([3]), 17)[0]
