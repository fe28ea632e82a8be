"""Constant maturities and forward volatilities by hand; bad points left out, nothing extrapolated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.analytics.term_structure import (
    bracket,
    constant_maturity,
    forward_volatilities,
    interpolated,
    term_structure,
)


def days(*counts: float) -> np.ndarray:
    return np.array(counts) / 365.0


def test_thirty_days_between_two_expirations_by_hand() -> None:
    # 23 days at .20 and 37 at .25: variances .04·23 = .92 and .0625·37 = 2.3125; half way 1.61625 over 30 days.
    terms = term_structure(days(23, 37), np.array([0.20, 0.25]))
    value, reason = constant_maturity(terms, 30)
    assert value == pytest.approx(math.sqrt(1.61625 / 30))
    assert reason is None


def test_at_an_expiration_it_is_that_expirations() -> None:
    terms = term_structure(days(7, 30, 60), np.array([0.3, 0.22, 0.21]))
    assert constant_maturity(terms, 30)[0] == pytest.approx(0.22)
    assert bracket(terms, 30) == (1, 1)


@pytest.mark.parametrize("maturity", [7, 180])
def test_nothing_is_extrapolated(maturity: int) -> None:
    terms = term_structure(days(9, 100), np.array([0.3, 0.25]))
    assert constant_maturity(terms, maturity) == (None, "extrapolation")


def test_without_a_volatility_there_is_none() -> None:
    assert constant_maturity(term_structure(days(), np.array([])), 30) == (None, "no_implied_volatility")
    assert constant_maturity(term_structure(days(7, 60), np.array([np.nan] * 2)), 30) == (
        None,
        "no_implied_volatility",
    )


def test_the_order_of_the_chains_does_not_matter() -> None:
    terms = term_structure(days(37, 23), np.array([0.25, 0.20]))
    assert constant_maturity(terms, 30)[0] == pytest.approx(math.sqrt(1.61625 / 30))


def test_one_expiration_that_jumps_is_left_out_and_its_neighbours_stay() -> None:
    sound = term_structure(days(9, 23, 51, 79), np.array([0.24, 0.22, 0.21, 0.21]))
    jumped = term_structure(days(9, 23, 30, 51, 79), np.array([0.24, 0.22, 0.60, 0.21, 0.21]))
    assert list(jumped.used) == [True, True, False, True, True]
    assert constant_maturity(jumped, 30)[0] == pytest.approx(constant_maturity(sound, 30)[0])
    fell = term_structure(days(9, 23, 30, 51, 79), np.array([0.24, 0.22, 0.05, 0.21, 0.21]))
    assert list(fell.used) == [True, True, False, True, True]


def test_variance_of_an_event_is_a_step_and_no_fault() -> None:
    # Earnings between 9 and 16 days: the volatility jumps to .5 and decays, total variance rises all along.
    terms = term_structure(days(9, 16, 30, 51), np.array([0.25, 0.50, 0.42, 0.36]))
    assert terms.used.all()


def test_noise_within_a_per_cent_of_variance_is_no_fault() -> None:
    # Total variance falls by .8 %.
    near, far = 30 / 365, 31 / 365
    sigma = np.array([0.25, math.sqrt(0.25**2 * near * 0.992 / far)])
    assert term_structure(np.array([near, far]), sigma).used.all()
    sigma[1] = math.sqrt(0.25**2 * near * 0.985 / far)
    assert list(term_structure(np.array([near, far]), sigma).used) == [False, True]


def test_forward_volatilities_by_hand() -> None:
    # .04·30 = 1.2, .0625·60 = 3.75, .05·90 = 4.5 (in days): forwards sqrt(1.2/30), sqrt(2.55/30), sqrt(.75/30).
    terms = term_structure(days(30, 60, 90), np.array([0.2, 0.25, math.sqrt(0.05)]))
    assert forward_volatilities(terms) == pytest.approx([math.sqrt(v) for v in (0.04, 0.085, 0.025)])


def test_a_point_left_out_has_no_forward_volatility_and_the_next_one_spans_it() -> None:
    terms = term_structure(days(30, 45, 60), np.array([0.2, 0.9, 0.25]))
    forward = forward_volatilities(terms)
    assert np.isnan(forward[1])
    assert forward[2] == pytest.approx(math.sqrt(0.085))


def test_another_figure_is_interpolated_by_the_same_tenors() -> None:
    terms = term_structure(days(23, 37), np.array([0.20, 0.25]))
    around = bracket(terms, 30)
    assert around is not None
    assert interpolated(terms, np.array([0.30, 0.36]), around, 30) == pytest.approx(
        math.sqrt((0.09 * 23 + 0.1296 * 37) / 2 / 30)
    )
    assert interpolated(terms, np.array([0.30, np.nan]), around, 30) is None


@given(
    st.lists(st.floats(1.0, 700.0), min_size=2, max_size=12, unique=True),
    st.lists(st.floats(0.01, 3.0), min_size=12, max_size=12),
    st.sampled_from([7, 14, 30, 60, 90, 180]),
)
def test_a_maturity_lies_between_its_neighbours_and_used_variance_never_falls(
    tenors: list[float], sigmas: list[float], maturity: int
) -> None:
    terms = term_structure(days(*tenors), np.array(sigmas[: len(tenors)]))
    variance = terms.total_variance[terms.used]
    assert (np.diff(variance) >= -0.0100001 * variance[:-1]).all()
    value, reason = constant_maturity(terms, maturity)
    assert (value is None) == (reason is not None)
    if value is not None:
        first, second = bracket(terms, maturity)  # type: ignore[misc]
        low, high = sorted(terms.total_variance[[first, second]])
        assert low * (1 - 1e-9) <= value**2 * maturity / 365 <= high * (1 + 1e-9)


@pytest.mark.parametrize(
    ("sigmas", "used"),
    [
        # Total variances in days: 1.113, .075, 2.249: the second is too low; 1.113, 10.8, 2.249: it is too high.
        ((0.22, 0.05, 0.21), [True, False, True]),
        ((0.22, 0.60, 0.21), [True, False, True]),
        # 8.28, 1.44, 2.249: the first is too high.
        ((0.60, 0.219, 0.21), [False, True, True]),
    ],
)
def test_of_three_expirations_the_odd_one_is_left_out(sigmas: tuple[float, ...], used: list[bool]) -> None:
    assert list(term_structure(days(23, 30, 51), np.array(sigmas)).used) == used


def test_two_expirations_that_contradict_each_other_leave_one_and_nothing_between() -> None:
    terms = term_structure(days(23, 37), np.array([0.60, 0.25]))
    assert list(terms.used) == [False, True]
    assert constant_maturity(terms, 30) == (None, "extrapolation")


def test_two_roots_of_one_date_are_two_points() -> None:
    # AM and PM settlement, 6.5 hours apart: the same total variance but for the day's.
    terms = term_structure(days(23, 29.73, 30, 58), np.array([0.2, 0.2, 0.2, 0.2]))
    assert terms.used.all()
    assert constant_maturity(terms, 29.9)[0] == pytest.approx(0.2)
    same = term_structure(days(30, 30, 58), np.array([0.20, 0.21, 0.2]))
    assert constant_maturity(same, 30)[0] in (pytest.approx(0.20), pytest.approx(0.21))


def test_volatilities_of_zero_are_none() -> None:
    assert list(term_structure(days(7, 30, 60), np.array([0.0, 0.2, 0.2])).used) == [False, True, True]


@given(
    st.lists(st.floats(0.02, 2.0), min_size=4, max_size=10),
    st.integers(1, 8),
    st.one_of(st.floats(0.0001, 0.3), st.floats(4.0, 50.0)),
)
def test_one_bad_point_inside_moves_no_other(gains: list[float], place: int, factor: float) -> None:
    # Variance that gains something every month, one point of it far off either way.
    tenor = days(*(30.0 * (one + 1) for one in range(len(gains))))
    variance = np.cumsum(np.array(gains) / 40.0 + 0.01) / 10.0
    place = min(place, len(gains) - 2)
    wrong = variance.copy()
    wrong[place] = variance[0] * factor / 2 if factor < 1 else variance[-1] * factor
    terms = term_structure(tenor, np.sqrt(wrong / tenor))
    expected = [one != place for one in range(len(gains))]
    assert list(terms.used) == expected
