"""What the smile's chart is drawn from."""

from __future__ import annotations

import math
from typing import Any

import pytest

from optsite.pages.smile_chart import smile


def contract(strike: float, ours: float | None, theirs: float | None, **other: Any) -> dict[str, Any]:
    return {
        "strike": strike,
        "adjusted": False,
        "implied_volatility": ours,
        "vendor_implied_volatility": theirs,
        "flags": [],
        **other,
    }


def chain(**other: Any) -> dict[str, Any]:
    flat = {"a": 0.01, "b": 0.0, "rho": 0.0, "m": 0.0, "sigma": 0.1}
    return {
        "forward": 100.0,
        "atm_iv": 0.2,
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


def test_the_fit_is_raw_svi_over_the_tenor_and_ends_where_its_quotes_do() -> None:
    lean = {"a": 0.02, "b": 0.1, "rho": -0.5, "m": 0.05, "sigma": 0.1}
    puts = [contract(strike, 0.3, 0.3) for strike in (60.0, 61.0, 95.0)]
    shown = smile(
        chain(analytics={"smile": lean}, puts=puts, calls=[], settlement_time="2026-07-02T12:00:00Z", atm_iv=0.28)
    )
    assert shown is not None
    # Half a year: 2.5 deviations are 0.28 * 2.5 / sqrt(2) = 0.495, and ln(0.61) = -0.494, ln(0.60) = -0.511.
    k = math.log(0.95) - 0.05
    variance = 0.02 + 0.1 * (-0.5 * k + math.sqrt(k * k + 0.01))
    assert shown["fit"][0] is None
    assert shown["fit"][1] is not None
    assert shown["fit"][2] == pytest.approx(math.sqrt(variance / 0.5))


@pytest.mark.parametrize(("theirs", "flags"), [(0.0, []), (1e-5, []), (5.0, []), (None, []), (0.5, ["placeholder_iv"])])
def test_what_is_no_volatility_of_the_feeds_is_not_drawn(theirs: float | None, flags: list[str]) -> None:
    shown = smile(chain(puts=[contract(90.0, 0.3, theirs, flags=flags)], calls=[]))
    assert shown is not None
    assert (shown["theirs"], shown["feed"]) == ([None], None)


def test_strikes_of_one_side_show_that_and_adjusted_contracts_none() -> None:
    calls = [contract(80.0, 0.4, None), contract(85.0, 0.4, 0.4, adjusted=True)]
    shown = smile(chain(puts=[contract(120.0, 0.25, None)], calls=calls))
    assert shown is not None
    assert (shown["strikes"], shown["ours"]) == ([80.0, 120.0], [0.4, 0.25])
