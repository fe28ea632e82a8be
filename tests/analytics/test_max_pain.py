"""Max pain against the worked example and a count over all strikes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.analytics.max_pain import max_pain

STRIKES = [90.0, 100.0, 110.0]


def chain(calls: list[float], puts: list[float], strikes: list[float] = STRIKES) -> tuple[np.ndarray, ...]:
    return (
        np.array(strikes * 2),
        np.array([True] * len(strikes) + [False] * len(strikes)),
        np.array(calls + puts, dtype=float),
    )


def test_the_worked_example() -> None:
    # Pain in shares: 90 → 1000, 100 → 300, 110 → 700. The usual two bugs both give 110.
    assert max_pain(*chain([10, 50, 500], [300, 60, 20]), spot=95.0) == 100.0


def test_its_neighbour_with_the_sides_swapped() -> None:
    # Calls 300, 60, 20 and puts 10, 50, 500: pain 90 → 50·10 + 500·20, 100 → 300·10 + 500·10, 110 → 300·20 + 60·10.
    assert max_pain(*chain([300, 60, 20], [10, 50, 500]), spot=95.0) == 110.0


def test_unknown_open_interest_counts_for_nothing() -> None:
    assert max_pain(*chain([10, 50, 500], [300, 60, np.nan]), spot=95.0) == 100.0
    assert max_pain(*chain([np.nan] * 3, [np.nan] * 3), spot=95.0) is None
    assert max_pain(*chain([0, 0, 0], [0, 0, 0]), spot=95.0) is None


def test_a_strike_of_one_side_alone_still_counts() -> None:
    # Puts at 120 alone: they pull the least pain up to where most of them are worthless.
    strike = np.array([90.0, 100.0, 110.0, 120.0])
    is_call = np.array([True, True, True, False])
    assert max_pain(strike, is_call, np.array([10.0, 0.0, 0.0, 1000.0]), spot=100.0) == 120.0


@pytest.mark.parametrize(("spot", "expected"), [(99.0, 100.0), (94.0, 90.0), (108.0, 110.0), (None, 90.0)])
def test_equals_go_to_the_strike_nearest_to_the_spot(spot: float | None, expected: float) -> None:
    # Between a put at 90 and a call at 110 nothing is paid: all three strikes are equal.
    assert max_pain(*chain([0, 0, 7], [7, 0, 0]), spot=spot) == expected


@given(
    st.lists(st.integers(0, 5_000), min_size=12, max_size=12),
    st.lists(st.integers(1, 400), min_size=6, max_size=6, unique=True),
)
def test_no_listed_strike_pays_less(held: list[int], strikes: list[int]) -> None:
    strike, is_call, interest = chain(held[:6], held[6:], [float(one) for one in strikes])
    found = max_pain(strike, is_call, interest, spot=None)
    if not any(held):
        assert found is None
        return

    def pain(settled: float) -> float:
        return sum(
            count * max(settled - one if call else one - settled, 0.0)
            for one, call, count in zip(strike, is_call, interest, strict=True)
        )

    assert pain(found) == pytest.approx(min(pain(one) for one in strike))
