"""Calendar spreads when their near contract expires, revalued by QuantLib's Black formula at any price."""

from __future__ import annotations

from math import exp, inf, sqrt

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import assume, given
from hypothesis import strategies as st

from collector.alerts.calendar_spread import Interval, calendar_payoff, worth_of_far
from collector.alerts.structures import Contract

NEAR_TENOR, FAR_TENOR = 0.1, 0.2
FLAT = Interval(NEAR_TENOR, FAR_TENOR, growth=1.0, discount=1.0, american=True)


def contract(option_type: str, strike: float = 100.0, sigma: float = 0.2) -> Contract:
    kind = "call" if option_type == "call" else "put"
    return Contract("x", kind, strike, 100.0, 1.0, 1.1, 1.05, sigma, 0.5, 0.03, -0.02, 0.1)  # type: ignore[arg-type]


def quantlib(far: Contract, interval: Interval, price: float) -> float:
    """What the far contract is worth a share at the near expiration."""
    kind = ql.Option.Call if far.option_type == "call" else ql.Option.Put
    deviation = far.implied_volatility * sqrt(interval.far_tenor - interval.near_tenor)
    payoff = ql.PlainVanillaPayoff(kind, far.strike)
    value = float(ql.BlackCalculator(payoff, price * interval.growth, deviation, interval.discount).value())
    exercise = max(price - far.strike, 0.0) if far.option_type == "call" else max(far.strike - price, 0.0)
    return max(value, exercise) if interval.american else value


def profit(near: Contract, far: Contract, net: float, interval: Interval, price: float) -> float:
    exercise = max(price - near.strike, 0.0) if near.option_type == "call" else max(near.strike - price, 0.0)
    return near.multiplier * (quantlib(far, interval, price) - exercise) - net


def test_at_the_strike_it_brings_what_is_left_of_the_far_contract() -> None:
    """Black at the money without interest: F (2 N(s / 2) - 1) with s = 0.2 sqrt(0.1) = 0.063246: 2.5228 a share."""
    found = calendar_payoff(contract("call"), contract("call"), 110.0, FLAT)
    assert found.max_profit == pytest.approx(252.28 - 110.0, abs=0.01)
    assert found.max_loss == 110.0
    assert len(found.break_evens) == 2
    assert found.break_evens[0] < 100.0 < found.break_evens[1]
    assert found.profitable == (found.break_evens,)


TERMS = st.builds(
    lambda near, more, rate, carry, american: Interval(
        near, near + more, growth=exp((rate - carry) * more), discount=exp(-rate * more), american=american
    ),
    st.floats(0.01, 0.5),
    st.floats(0.02, 0.5),
    st.floats(-0.01, 0.06),
    st.floats(0.0, 0.06),
    st.booleans(),
)


@given(st.sampled_from(["call", "put"]), st.floats(0.08, 0.9), st.floats(0.05, 0.9), TERMS)
def test_profit_keeps_within_its_bounds_and_is_0_at_the_break_evens(
    option_type: str, sigma: float, share: float, interval: Interval
) -> None:
    near, far = contract(option_type), contract(option_type, sigma=sigma)
    net = round(100.0 * share * quantlib(far, interval, 100.0), 2)
    assume(net > 1.0)
    found = calendar_payoff(near, far, net, interval)
    prices = np.geomspace(1.0, 2_000.0, 400)
    values = np.array([profit(near, far, net, interval, float(price)) for price in prices])
    assert values.max() <= found.max_profit + 0.01
    assert found.max_profit == pytest.approx(profit(near, far, net, interval, 100.0), abs=0.01)
    assert values.min() >= -found.max_loss - 0.01
    for price in found.break_evens:
        assert profit(near, far, net, interval, price) == pytest.approx(0.0, abs=1e-4)
    for price, value in zip(prices.tolist(), values.tolist(), strict=True):
        if abs(value) > 0.01:
            assert any(low <= price <= high for low, high in found.profitable) == (value > 0)


def test_a_european_put_may_lose_the_interest_on_its_strike_too() -> None:
    """At the price of 0 the far put is worth 100 x 0.98, the near one's exercise 100: 200 dollars beyond the price."""
    interval = Interval(NEAR_TENOR, FAR_TENOR, growth=1 / 0.98, discount=0.98, american=False)
    assert calendar_payoff(contract("put"), contract("put"), 110.0, interval).max_loss == pytest.approx(310.0)
    american = Interval(NEAR_TENOR, FAR_TENOR, growth=1 / 0.98, discount=0.98, american=True)
    assert calendar_payoff(contract("put"), contract("put"), 110.0, american).max_loss == 110.0


def test_the_loss_of_a_european_call_has_no_bound() -> None:
    interval = Interval(NEAR_TENOR, FAR_TENOR, growth=0.99, discount=0.995, american=False)
    assert calendar_payoff(contract("call"), contract("call"), 110.0, interval).max_loss == inf


def test_the_far_contract_s_own_volatility_is_held() -> None:
    far = contract("put", 95.0, sigma=0.31)
    interval = Interval(0.05, 0.3, growth=1.004, discount=0.99, american=False)
    found = worth_of_far(far, interval, np.array([60.0, 95.0, 120.0]))
    assert found.tolist() == pytest.approx([quantlib(far, interval, price) for price in (60.0, 95.0, 120.0)])


def test_a_negative_yield_is_taken_as_none() -> None:
    """A forward 1 % too high would make the far call gain on the near one without end."""
    far, plain = contract("call"), Interval(NEAR_TENOR, FAR_TENOR, growth=1 / 0.995, discount=0.995, american=True)
    dear = Interval(NEAR_TENOR, FAR_TENOR, growth=1.01 / 0.995, discount=0.995, american=True)
    assert calendar_payoff(contract("call"), far, 110.0, dear) == calendar_payoff(contract("call"), far, 110.0, plain)
