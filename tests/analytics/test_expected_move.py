"""Expected moves by hand, each under its own name."""

from __future__ import annotations

import math

import numpy as np
import pytest
import QuantLib as ql

from collector.analytics.expected_move import expected_move, straddle_move

STRIKES = np.array([95.0, 100.0, 105.0, 95.0, 100.0, 105.0])
CALLS = np.array([True, True, True, False, False, False])
MIDS = np.array([6.1, 3.0, 1.1, 1.0, 2.9, 6.0])


def test_a_deviation_by_hand() -> None:
    # 200 dollars at .32 for 18.25 of 365 days: 200 · .32 · sqrt(.05).
    assert expected_move(200.0, 0.32, 0.05) == (pytest.approx(14.310835), None)


def test_what_is_missing_is_told() -> None:
    assert expected_move(None, 0.3, 0.1) == (None, "no_spot")
    assert expected_move(100.0, None, 0.1) == (None, "no_implied_volatility")
    assert straddle_move(STRIKES, CALLS, MIDS, None) == (None, "no_forward")


def test_the_straddle_nearest_to_the_forward() -> None:
    assert straddle_move(STRIKES, CALLS, MIDS, 99.0) == (pytest.approx(0.85 * 5.9), None)
    # By ratio, not by distance: 97.45 is nearer to 95 in dollars and to 100 by ln.
    assert math.log(100 / 97.47) < math.log(97.47 / 95)
    assert straddle_move(STRIKES, CALLS, MIDS, 97.47) == (pytest.approx(0.85 * 5.9), None)


def test_a_straddle_that_is_not_at_the_money_says_nothing() -> None:
    mids = MIDS.copy()
    mids[4] = np.nan
    assert straddle_move(STRIKES, CALLS, mids, 99.0) == (None, "no_two_sided_quote")
    assert straddle_move(STRIKES, CALLS, np.full(6, np.nan), 99.0) == (None, "no_two_sided_quote")


@pytest.mark.parametrize(("sigma", "tenor"), [(0.2, 0.1), (0.6, 0.02), (0.35, 0.5)])
def test_the_two_moves_of_a_chain_by_another_library(sigma: float, tenor: float) -> None:
    # A straddle at the forward is worth 2 N(d/2) - 1 of it twice over: sqrt(2 / pi) deviations for small ones.
    deviation = sigma * math.sqrt(tenor)
    mids = np.array(
        [
            ql.blackFormula(ql.Option.Call if call else ql.Option.Put, float(strike), 100.0, deviation)
            for strike, call in zip(STRIKES, CALLS, strict=True)
        ]
    )
    straddle, _ = straddle_move(STRIKES, CALLS, mids, 100.0)
    move, _ = expected_move(100.0, sigma, tenor)
    assert move == pytest.approx(100 * deviation)
    assert straddle is not None
    assert straddle / move == pytest.approx(0.85 * math.sqrt(2 / math.pi), rel=0.01)
