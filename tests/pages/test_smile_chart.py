"""What the smile's chart is drawn from."""

from __future__ import annotations

import math
from typing import Any

import pytest

from optsite.pages.smile_chart import smile


def contract(strike: float, ours: float | None, theirs: float | None) -> dict[str, Any]:
    return {
        "strike": strike,
        "adjusted": False,
        "implied_volatility": ours,
        "vendor_implied_volatility": theirs,
        "flags": [],
    }


def chain(**other: Any) -> dict[str, Any]:
    flat = {"a": 0.01, "b": 0.0, "rho": 0.0, "m": 0.0, "sigma": 0.1}
    return {
        "forward": 100.0,
        "feed": "cboe",
        "as_of": "2026-01-01T00:00:00Z",
        "settlement_time": "2027-01-01T00:00:00Z",
        "analytics": {"smile": flat},
        "puts": [contract(80.0, None, 0.5), contract(90.0, 0.3, 0.31), contract(110.0, 0.9, 0.9)],
        "calls": [contract(90.0, 0.8, 0.8), contract(110.0, 0.2, 0.21), contract(120.0, None, 0.4)],
        **other,
    }


def test_the_fit_ends_at_the_outermost_of_our_points_and_each_strike_shows_its_out_of_the_money_side() -> None:
    shown = smile(chain())
    assert shown is not None
    assert shown["strikes"] == [80.0, 90.0, 110.0, 120.0]
    assert shown["ours"] == [None, 0.3, 0.2, None]
    assert shown["theirs"] == [0.5, 0.31, 0.21, 0.4]
    assert shown["fit"] == [None, pytest.approx(math.sqrt(0.01)), pytest.approx(math.sqrt(0.01)), None]


def test_a_chain_without_forward_has_no_smile_and_one_without_fit_no_line() -> None:
    assert smile(chain(forward=None)) is None
    shown = smile(chain(analytics=None))
    assert shown is not None
    assert shown["fit"] == [None] * 4
