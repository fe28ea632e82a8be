"""Spreads, depth and concentration of a chain written out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from collector.analytics.liquidity import Book, liquidity

NAN = np.nan


def book() -> Book:
    """Strikes 95, 100, 105, calls then puts; all near the money but the calls at 95."""
    return Book(
        strike=np.array([95.0, 100.0, 105.0] * 2),
        is_call=np.array([True] * 3 + [False] * 3),
        near=np.array([False, True, True, True, True, True]),
        bid=np.array([6.0, 2.9, 0.9, 0.9, 2.8, 5.8]),
        ask=np.array([6.4, 3.1, 1.1, 1.1, 3.2, 6.2]),
        mid=np.array([6.2, 3.0, 1.0, 1.0, 3.0, 6.0]),
        bid_size=np.array([5.0, 10.0, 20.0, 20.0, 10.0, 5.0]),
        ask_size=np.array([5.0, 12.0, 30.0, 10.0, 10.0, 5.0]),
        bid_iv=np.array([NAN, 0.19, 0.18, 0.20, 0.18, 0.17]),
        ask_iv=np.array([0.3, 0.21, 0.21, 0.24, 0.22, 0.23]),
        volume=np.array([0.0, 60.0, 20.0, 10.0, 10.0, NAN]),
        open_interest=np.array([100.0, 200.0, 50.0, 400.0, 200.0, 50.0]),
        multiplier=np.full(6, 100.0),
    )


def test_the_figures_by_hand() -> None:
    found = {name: value for name, (value, _) in liquidity(book(), 100.4).items()}
    # Spreads at 100: .2 / 3 and .4 / 3.
    assert found["at_the_money_spread"] == pytest.approx(0.1)
    # .02, .03, .04, .04, .06
    assert found["spread_in_volatility"] == pytest.approx(0.04)
    # The smaller side in dollars: 2900, 1800, 1100, 2800, 2900.
    assert found["quoted_dollars"] == pytest.approx(2800.0)
    assert (found["most_traded_strike"], found["volume_concentration"]) == (100.0, pytest.approx(0.7))
    assert (found["most_held_strike"], found["open_interest_concentration"]) == (95.0, pytest.approx(0.5))


def test_what_is_not_known_says_why() -> None:
    unknown = np.full(6, NAN)
    dark = replace(book(), mid=unknown, bid_iv=unknown, ask_iv=unknown, bid_size=unknown, volume=unknown)
    dark = replace(dark, open_interest=np.zeros(6))
    assert {name: reason for name, (value, reason) in liquidity(dark, 100.0).items() if value is None} == {
        "at_the_money_spread": "no_two_sided_quote",
        "spread_in_volatility": "no_two_sided_quote",
        "quoted_dollars": "not_stated",
        "volume_concentration": "volume_unknown",
        "open_interest_concentration": "open_interest_unknown",
        "most_traded_strike": "volume_unknown",
        "most_held_strike": "open_interest_unknown",
    }
    assert liquidity(book(), None)["at_the_money_spread"] == (None, "no_forward")


def test_one_side_without_a_quote_leaves_the_spread_at_the_money_out() -> None:
    mids = book().mid.copy()
    mids[4] = NAN
    assert liquidity(replace(book(), mid=mids), 100.4)["at_the_money_spread"] == (None, "no_two_sided_quote")
