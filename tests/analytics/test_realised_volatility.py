"""Realised volatility: hand-worked examples, a geometric Brownian motion of known sigma, splits, gaps."""

from __future__ import annotations

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.analytics.realised_volatility import (
    log_returns,
    realised_volatility,
    rolling_realised_volatility,
    split_divisors,
)

# Returns ln 1.1, ln 0.9, ln 1.1 = .09531018, -.10536052, .09531018: mean .02841995, squared deviations
# .00447430 + .01789721 + .00447430 = .02684581, over 2 = .01342291, root .11585728, times sqrt 252 = 1.83917.
HAND_CLOSES = [100.0, 110.0, 99.0, 108.9]
HAND_VOLATILITY = 1.83917


def no_splits(closes: list[float]) -> list[float]:
    return [1.0] * len(closes)


def test_hand_worked_example() -> None:
    volatility, reason = realised_volatility(HAND_CLOSES, no_splits(HAND_CLOSES), window=3)
    assert volatility == pytest.approx(HAND_VOLATILITY, abs=5e-5)
    assert reason is None


def test_only_the_last_closes_count() -> None:
    closes = [1.0, 900.0, 3.0, *HAND_CLOSES]
    assert realised_volatility(closes, no_splits(closes), window=3)[0] == pytest.approx(HAND_VOLATILITY, abs=5e-5)


@given(st.lists(st.floats(1.0, 1000.0), min_size=4, max_size=30))
def test_equals_the_sample_deviation_of_the_standard_library(closes: list[float]) -> None:
    returns = [math.log(after / before) for before, after in itertools.pairwise(closes)]
    expected = statistics.stdev(returns) * math.sqrt(252)
    volatility, _ = realised_volatility(closes, no_splits(closes), window=len(closes) - 1)
    assert volatility == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("sigma", [0.1, 0.35, 1.2])
def test_recovers_the_sigma_of_a_geometric_brownian_motion(sigma: float) -> None:
    days, drift = 20_000, 0.07
    rng = np.random.default_rng(20260127)
    steps = (drift - sigma**2 / 2) / 252 + sigma / math.sqrt(252) * rng.standard_normal(days)
    closes = 50.0 * np.exp(np.concatenate([[0.0], np.cumsum(steps)]))
    volatility, _ = realised_volatility(closes, np.ones_like(closes), window=days)
    # The standard error of a sample deviation is sigma / sqrt(2 n): four of them.
    assert volatility == pytest.approx(sigma, abs=4 * sigma / math.sqrt(2 * days))


def test_a_split_moves_nothing() -> None:
    whole = [100.0, 110.0, 99.0, 108.9, 104.0]
    printed = [100.0, 110.0, 9.9, 10.89, 10.4]
    split = realised_volatility(printed, [1.0, 1.0, 10.0, 1.0, 1.0], window=4)
    assert split[0] == pytest.approx(realised_volatility(whole, no_splits(whole), window=4)[0], rel=1e-12)


def test_a_reverse_split_and_a_second_split() -> None:
    whole = [100.0, 110.0, 99.0, 108.9, 104.0]
    printed = [100.0, 55.0, 49.5, 544.5, 520.0]
    factors = [1.0, 2.0, 1.0, 0.1, 1.0]
    assert log_returns(printed, factors) == pytest.approx(log_returns(whole, no_splits(whole)), abs=1e-12)


def test_split_divisors_make_earlier_closes_comparable_with_the_newest() -> None:
    assert split_divisors([1.0, 2.0, 1.0, 10.0, 1.0]).tolist() == [20.0, 10.0, 10.0, 1.0, 1.0]
    assert split_divisors([4.0]).tolist() == [1.0]
    assert split_divisors([]).tolist() == []


def test_closes_that_never_move_have_no_volatility() -> None:
    assert realised_volatility([7.0] * 21, [1.0] * 21) == (0.0, None)


def test_one_close_too_few() -> None:
    closes = [100.0 + i % 3 for i in range(21)]
    assert realised_volatility(closes, no_splits(closes))[1] is None
    assert realised_volatility(closes[1:], no_splits(closes)[1:]) == (None, "short_history")
    assert realised_volatility([], []) == (None, "short_history")


@pytest.mark.parametrize("missing", [math.nan, 0.0, -3.0])
@pytest.mark.parametrize("place", [0, 7, 20])
def test_a_missing_close_inside_the_window(missing: float, place: int) -> None:
    closes = [100.0 + i % 3 for i in range(21)]
    closes[place] = missing
    assert realised_volatility(closes, no_splits(closes)) == (None, "short_history")


def test_a_missing_close_before_the_window_does_no_harm() -> None:
    closes = [math.nan] + [100.0 + i % 3 for i in range(21)]
    expected = realised_volatility(closes[1:], no_splits(closes[1:]))
    assert expected[0] is not None
    assert realised_volatility(closes, no_splits(closes)) == expected


def test_rolling_gives_each_session_its_own_figure() -> None:
    closes = [50.0, *HAND_CLOSES, math.nan, *HAND_CLOSES]
    rolled = rolling_realised_volatility(closes, no_splits(closes), window=3)
    assert np.flatnonzero(np.isfinite(rolled)).tolist() == [3, 4, 9]
    assert rolled[[4, 9]] == pytest.approx([HAND_VOLATILITY] * 2, abs=5e-5)
    first = statistics.stdev([math.log(2.0), math.log(1.1), math.log(0.9)]) * math.sqrt(252)
    assert rolled[3] == pytest.approx(first, rel=1e-12)


def test_rolling_over_too_few_closes_is_nowhere_known() -> None:
    assert np.isnan(rolling_realised_volatility([1.0, 2.0], [1.0, 1.0], window=3)).tolist() == [True, True]


def test_arguments_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="one length"):
        log_returns([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="above 0"):
        log_returns([1.0, 2.0], [1.0, 0.0])
    with pytest.raises(ValueError, match="at least 2"):
        realised_volatility([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], window=1)
