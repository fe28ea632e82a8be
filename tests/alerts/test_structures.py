"""What structures cost and come to at expiration: worked by hand, and held to their definition at any price."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.structures import Contract, Leg, Payoff, Structure, bought, payoff_at_expiration, sold
from collector.alerts.terminal_price import terminal_price

NAN = float("nan")


def contract(
    option_type: str, strike: float, bid: float = 1.0, ask: float = 1.1, multiplier: float = 100.0
) -> Contract:
    symbol = f"{option_type}{strike:g}"
    kind = "call" if option_type == "call" else "put"
    return Contract(symbol, kind, strike, multiplier, bid, ask, (bid + ask) / 2, 0.2, 0.5, 0.03, -0.02, 0.1)  # type: ignore[arg-type]


def payoff(*legs: Leg) -> Payoff:
    structure = Structure("test", legs)
    return payoff_at_expiration(structure, structure.net_crossing)


def test_a_bull_call_spread_by_hand() -> None:
    """Bought at 4.10, sold at 1.50: 260 paid. At 110 and above 1,000 - 260; half way of it at 102.60."""
    spread = Structure("test", (bought(contract("call", 100, 4.0, 4.1)), sold(contract("call", 110, 1.5, 1.6))))
    assert spread.net_crossing == 260.0
    # 4.05 less 1.55.
    assert spread.net_mid == 250.0
    assert spread.crossing_cost == 10.0
    found = payoff_at_expiration(spread, spread.net_crossing)
    assert (found.max_profit, found.max_loss) == (740.0, 260.0)
    assert found.break_evens == (pytest.approx(102.6),)
    assert found.profitable == ((pytest.approx(102.6), inf),)


def test_an_iron_condor_by_hand() -> None:
    """Sold at 1.40 and 1.30, wings at 0.60 and 0.50: 160 received, 340 of the 500 at risk."""
    found = payoff(
        bought(contract("put", 90, 0.5, 0.6)),
        sold(contract("put", 95, 1.4, 1.5)),
        sold(contract("call", 105, 1.3, 1.4)),
        bought(contract("call", 110, 0.4, 0.5)),
    )
    assert (found.max_profit, found.max_loss) == (160.0, 340.0)
    assert found.break_evens == pytest.approx((93.4, 106.6))
    assert found.profitable == ((pytest.approx(93.4), pytest.approx(106.6)),)


def test_a_long_straddle_has_no_bound_above_and_one_below() -> None:
    """Paid 3.10 + 2.90: what is lost is that; profit below 94 ends at the price of 0, above 106 nowhere."""
    found = payoff(bought(contract("call", 100, 3.0, 3.1)), bought(contract("put", 100, 2.8, 2.9)))
    assert (found.max_profit, found.max_loss) == (inf, 600.0)
    assert found.break_evens == pytest.approx((94.0, 106.0))
    assert found.profitable == ((0.0, pytest.approx(94.0)), (pytest.approx(106.0), inf))


def test_a_butterfly_by_hand() -> None:
    """Wings at 6.20 and 1.10, twice 3.00 for the body: 130 paid for 500 at the body."""
    found = payoff(
        bought(contract("call", 95, 6.0, 6.2)),
        sold(contract("call", 100, 3.0, 3.2), 2),
        bought(contract("call", 105, 1.0, 1.1)),
    )
    assert (found.max_profit, found.max_loss) == (pytest.approx(370.0), pytest.approx(130.0))
    assert found.break_evens == pytest.approx((96.3, 103.7))


def test_what_is_sold_naked_loses_without_bound() -> None:
    assert payoff(sold(contract("call", 100))).max_loss == inf
    assert payoff(sold(contract("put", 100, 2.0, 2.2))).max_loss == 9_800.0


def test_a_level_stretch_at_zero_breaks_even_at_both_its_ends() -> None:
    """A put spread sold and a call spread bought for nothing: nothing between 95 and 105."""
    found = payoff(
        sold(contract("put", 95, 1.5, 1.5)),
        bought(contract("put", 90, 0.5, 0.5)),
        bought(contract("call", 105, 1.4, 1.4)),
        sold(contract("call", 110, 0.4, 0.4)),
    )
    assert found.break_evens == (95.0, 105.0)
    assert found.profitable == ((105.0, inf),)
    assert (found.max_profit, found.max_loss) == (500.0, 500.0)


def test_greeks_are_summed_with_sign_quantity_and_multiplier() -> None:
    spread = Structure("test", (bought(contract("call", 100)), sold(contract("call", 105), 2)))
    assert spread.greek("delta") == pytest.approx(-50.0)
    assert spread.greek("vega") == pytest.approx(-10.0)
    blind = Contract("x", "call", 100.0, 100.0, 1.0, 1.1, 1.05, NAN, NAN, NAN, NAN, NAN)
    assert Structure("test", (bought(blind),)).greek("delta") is None


PRICES = st.floats(0.01, 40.0).map(lambda value: round(value, 2))
LEGS = st.builds(
    lambda option_type, strike, bid, width, quantity, multiplier: Leg(
        contract(option_type, strike, bid, round(bid + width, 2), multiplier), quantity
    ),
    st.sampled_from(["call", "put"]),
    st.floats(50.0, 150.0).map(lambda value: round(value * 2) / 2),
    PRICES,
    st.floats(0.0, 2.0).map(lambda value: round(value, 2)),
    st.sampled_from([-2, -1, 1, 2]),
    st.just(100.0),
)


def profit(legs: list[Leg], price: float) -> float:
    """Dollars at expiration, leg by leg."""
    total = 0.0
    for leg in legs:
        one = leg.contract
        paid = one.ask if leg.quantity > 0 else one.bid
        worth = max(price - one.strike, 0.0) if one.option_type == "call" else max(one.strike - price, 0.0)
        total += leg.quantity * one.multiplier * (worth - paid)
    return total


@given(st.lists(LEGS, min_size=1, max_size=4))
def test_profit_keeps_within_its_bounds_and_its_sign_between_the_break_evens(legs: list[Leg]) -> None:
    found = payoff(*legs)
    strikes = [leg.contract.strike for leg in legs]
    samples = [0.0, *strikes, *found.break_evens, *np.linspace(0.5, 400.0, 120).tolist()]
    values = [profit(legs, price) for price in samples]
    assert min(values) >= -found.max_loss - 1e-6
    assert max(values) <= found.max_profit + 1e-6
    # The bounds are met: at 0 or at a strike, where there is one.
    if np.isfinite(found.max_loss):
        assert min(values) == pytest.approx(-found.max_loss, abs=1e-5)
    if np.isfinite(found.max_profit):
        assert max(values) == pytest.approx(found.max_profit, abs=1e-5)
    for price in found.break_evens:
        assert profit(legs, price) == pytest.approx(0.0, abs=1e-4)
    for price, value in zip(samples, values, strict=True):
        inside = any(low <= price < high for low, high in found.profitable)
        if abs(value) > 1e-3:
            assert inside == (value > 0) or any(abs(price - zero) < 1e-6 for zero in found.break_evens)


@given(st.lists(LEGS, min_size=1, max_size=4), st.floats(0.0, 500.0))
def test_a_higher_price_is_never_profitable_where_a_lower_one_is_not(legs: list[Leg], more: float) -> None:
    structure = Structure("test", tuple(legs))
    cheap = payoff_at_expiration(structure, structure.net_crossing)
    dear = payoff_at_expiration(structure, structure.net_crossing + more)
    distribution = terminal_price(100.0, 0.3, 0.1, None)
    assert distribution.within(dear.profitable) <= distribution.within(cheap.profitable) + 1e-12
    for low, high in dear.profitable:
        assert any(start <= low + 1e-6 and high <= end + 1e-6 for start, end in cheap.profitable)
