"""Exercise boundaries of American puts against their closed limits and their own conditions."""

from __future__ import annotations

import numpy as np
import pytest

from collector.analytics import american, exercise_boundary
from collector.analytics.exercise_boundary import boundaries, interpolation, past_quadrature
from collector.analytics.first_boundary import first_boundary
from collector.analytics.terms import Terms


def now(rate: float, carry_yield: float, sigma: float, tenor: float) -> float:
    """Return the boundary of one put of strike 1 at its whole tenor."""
    found = boundaries(*(np.array([figure]) for figure in (rate, carry_yield, sigma, tenor)))
    return float(np.exp(found.log_start[0] - np.sqrt(found.height[0, 0])))


def perpetual(rate: float, carry_yield: float, sigma: float) -> float:
    """Return the boundary of a put that never expires.

    Source: R. McDonald, "Derivatives Markets", the chapter on barrier and perpetual options (Merton 1973).
    """
    drift = rate - carry_yield - sigma**2 / 2
    power = (-drift - np.sqrt(drift**2 + 2 * sigma**2 * rate)) / sigma**2
    return float(power / (power - 1.0))


@pytest.mark.parametrize(
    ("rate", "carry_yield", "sigma"), [(0.05, 0.0, 0.3), (0.08, 0.03, 0.4), (0.06, 0.06, 0.5), (0.1, 0.02, 0.2)]
)
def test_far_from_expiry_it_is_that_of_the_perpetual_put(rate: float, carry_yield: float, sigma: float) -> None:
    limit = perpetual(rate, carry_yield, sigma)
    assert now(rate, carry_yield, sigma, 50.0) == pytest.approx(limit, rel=2e-2)
    assert limit < now(rate, carry_yield, sigma, 10.0) < now(rate, carry_yield, sigma, 1.0)


@pytest.mark.parametrize(
    ("rate", "carry_yield", "expected"), [(0.05, 0.0, 1.0), (0.05, 0.03, 1.0), (0.03, 0.06, 0.5), (0.02, -0.01, 1.0)]
)
def test_at_expiry_it_is_the_strike_or_where_interest_is_the_yield(
    rate: float, carry_yield: float, expected: float
) -> None:
    found = boundaries(*(np.array([figure]) for figure in (rate, carry_yield, 0.2, 1.0)))
    assert np.exp(found.log_start[0]) == pytest.approx(expected, rel=1e-12)
    assert found.height[0, -1] == 0
    assert now(rate, carry_yield, 0.2, 1e-6) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("form", ["pasting", "matching"])
def test_a_put_on_the_boundary_is_worth_its_exercise_and_moves_with_it(form: str) -> None:
    """Value matching and smooth pasting, the two conditions, of which each form of the equation uses one."""
    rate, carry_yield, tenor = 0.06, 0.02, 1.3
    sigma = 0.35 if form == "pasting" else 0.15
    assert (abs(rate - carry_yield) > sigma**2) == (form == "matching")
    strike = 100.0
    spot = strike * now(rate, carry_yield, sigma, tenor) * (1 + 1e-9)
    for moved, expected in ((0.0, strike - spot), (0.01, strike - spot - 0.01)):
        at = np.array([spot + moved])
        terms = Terms(
            np.array([tenor]),
            np.array([rate]),
            at * np.exp((rate - carry_yield) * tenor),
            at,
            np.array([True]),
            ((),),
        )
        worth = american.price(terms, np.array([0]), np.array([-1.0]), np.array([strike]), np.array([sigma]))
        assert worth[0] == pytest.approx(expected, abs=2e-4)


def test_both_forms_of_the_equation_find_the_same_boundary_where_they_take_turns() -> None:
    rate, carry_yield, tenor = 0.05, 0.01, 0.8
    turn = np.sqrt(rate - carry_yield)
    below, above = (now(rate, carry_yield, turn * (1 + side * 1e-9), tenor) for side in (-1, 1))
    assert below == pytest.approx(above, rel=2e-5)


@pytest.mark.parametrize(
    ("rate", "carry_yield", "exercised", "double"),
    [
        (0.05, 0.0, True, False),
        (0.0, 0.0, False, False),
        (0.0, 0.03, False, False),
        (0.0, -0.02, True, False),
        (-0.01, 0.02, False, False),
        (-0.02, -0.01, False, False),
        (-0.01, -0.02, False, True),
    ],
)
def test_whether_a_put_is_ever_exercised_early(rate: float, carry_yield: float, exercised: bool, double: bool) -> None:
    """A rate of 0 or less pays nothing for the strike; only shares that cost more than that to hold make it pay."""
    found = boundaries(*(np.array([figure]) for figure in (rate, carry_yield, 0.3, 0.5)))
    assert (found.exercised[0], found.double[0]) == (exercised, double)
    assert np.isfinite(found.height).all()


def test_boundaries_do_not_depend_on_which_others_are_solved_with_them() -> None:
    random = np.random.default_rng(4)
    size = 3 * exercise_boundary.BLOCK
    rows = (
        random.uniform(0.0, 0.08, size),
        random.uniform(-0.02, 0.08, size),
        random.uniform(0.05, 1.5, size),
        np.exp(random.uniform(np.log(1 / 365), np.log(3.0), size)),
    )
    together = boundaries(*rows)
    some = np.arange(0, size, 97)
    alone = boundaries(*(row[some] for row in rows))
    assert alone.height == pytest.approx(together.height[some], rel=1e-9, abs=1e-12)


def test_the_first_estimate_is_near() -> None:
    random = np.random.default_rng(9)
    size = 400
    rate, carry_yield = random.uniform(0.01, 0.08, size), random.uniform(0.0, 0.06, size)
    sigma, tenor = random.uniform(0.1, 1.0, size), random.uniform(0.02, 2.5, size)
    solved = boundaries(rate, carry_yield, sigma, tenor)
    expected = solved.log_start - np.sqrt(solved.height[:, 0])
    first = first_boundary(rate, carry_yield, sigma, tenor[None, :], solved.log_start)[0]
    assert np.percentile(np.abs(first - expected), 95) <= 0.02


def test_the_quadrature_sums_what_is_smooth_in_both_roots() -> None:
    """Of the integrals over u from 0 to 1 of sqrt(u) and sqrt(1 - u): 2/3 both, by few points."""
    share, weights = past_quadrature(6)
    for figures in (share, np.sqrt(1.0 - share**2)):
        assert (weights * share) @ figures == pytest.approx(2.0 / 3.0, rel=5e-8)


def test_interpolation_takes_its_nodes_to_themselves_and_a_polynomial_to_itself() -> None:
    nodes = (1.0 + np.cos(np.pi * np.arange(exercise_boundary.NODES + 1) / exercise_boundary.NODES)) / 2.0
    assert interpolation(nodes) == pytest.approx(np.eye(len(nodes)), abs=1e-12)
    at = np.array([0.03, 0.4, 0.77])
    assert interpolation(at) @ nodes**5 == pytest.approx(at**5, abs=1e-12)
