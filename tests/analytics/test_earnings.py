"""The implied move of a release, put into a term structure by hand and taken out again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from vollib.black.implied_volatility import implied_volatility

from collector.analytics.earnings import implied_earnings_move
from collector.analytics.term_structure import term_structure

ORDINARY, MOVE = 0.25, 0.06


def terms(*days: float, release: float = 10.0, bump: float = MOVE) -> object:
    tenor = np.array(days) / 365
    variance = ORDINARY**2 * tenor + np.where(np.array(days) > release, bump**2, 0.0)
    return term_structure(tenor, np.sqrt(variance / tenor))


@pytest.mark.parametrize("days", [(3, 9, 16, 30), (16, 30, 60), (9, 12, 40)])
def test_what_was_put_in_comes_out(days: tuple[float, ...]) -> None:
    found = implied_earnings_move(terms(*days), 10.0 / 365)  # type: ignore[arg-type]
    assert found.move == pytest.approx(MOVE, rel=1e-9)
    assert found.place == next(place for place, day in enumerate(days) if day > 10)


def test_an_expiration_on_the_day_before_the_release_is_not_after_it() -> None:
    found = implied_earnings_move(terms(9.99, 17, 31), 10.0 / 365)  # type: ignore[arg-type]
    assert found.place == 1


def test_without_two_expirations_after_it_nothing_is_told() -> None:
    assert implied_earnings_move(terms(3, 9, 16), 10.0 / 365).reason == "no_expiration_after"  # type: ignore[arg-type]
    assert implied_earnings_move(terms(3, 9), 10.0 / 365).place is None  # type: ignore[arg-type]


def test_no_variance_beyond_ordinary_days_is_told() -> None:
    flat = implied_earnings_move(terms(3, 9, 16, 30, bump=0.0), 10.0 / 365)  # type: ignore[arg-type]
    assert flat.move is None or flat.move < 1e-6
    tenor = np.array([9, 16, 30]) / 365
    rising = term_structure(tenor, np.array([0.20, 0.20, 0.30]))
    assert implied_earnings_move(rising, 10.0 / 365).reason == "no_event_variance"


def test_variance_that_does_not_rise_after_the_release_tells_no_ordinary_day() -> None:
    tenor = np.array([16, 30]) / 365
    sigma = np.array([0.45, 0.45 * math.sqrt(16 / 30 * 0.995)])
    found = implied_earnings_move(term_structure(tenor, sigma), 12 / 365)
    assert (found.move, found.reason, found.place) == (None, "variance_falls", 0)


def test_an_expiration_that_is_left_out_takes_no_part() -> None:
    tenor = np.array([9, 16, 23, 30]) / 365
    variance = ORDINARY**2 * tenor + np.where(tenor > 10 / 365, MOVE**2, 0.0)
    sigma = np.sqrt(variance / tenor)
    sigma[1] = 2.0
    found = implied_earnings_move(term_structure(tenor, sigma), 10.0 / 365)
    assert found.place == 2
    assert found.move == pytest.approx(MOVE, rel=1e-9)


def test_a_simulated_release_is_found_in_the_prices_of_straddles() -> None:
    """Volatilities inverted by vollib out of simulated payoffs: a jump of 7 % at day 10, .3 a year otherwise."""
    random = np.random.default_rng(11)
    normal, jump = random.standard_normal(400_000), random.standard_normal(400_000)
    sigmas = []
    for day in (8, 15, 29):
        deviation = math.sqrt(0.3**2 * day / 365 + (0.07**2 if day > 10 else 0.0))
        log = 0.3 * math.sqrt(day / 365) * normal + (0.07 * jump if day > 10 else 0.0) - deviation**2 / 2
        price = float(np.maximum(np.exp(log) - 1.0, 0.0).mean())
        sigmas.append(implied_volatility(100 * price, 100, 100, 0.0, day / 365, "c"))
    terms = term_structure(np.array([8, 15, 29]) / 365, np.array(sigmas))
    found = implied_earnings_move(terms, 10 / 365)
    assert found.move == pytest.approx(0.07, abs=0.002)


def test_the_worked_example() -> None:
    # Total variances in (volatility points)² days: 16 days at 45 → 32400, 30 days at 36 → 38880: 462.857 a day after
    # the release; 16 ordinary days hold 7405.7, the release 24994.3: sqrt(24994.3 / 365) = 8.275 %.
    found = implied_earnings_move(term_structure(np.array([16, 30]) / 365, np.array([0.45, 0.36])), 12 / 365)
    assert found.move == pytest.approx(math.sqrt(24994.2857 / 365) / 100, rel=1e-6)
