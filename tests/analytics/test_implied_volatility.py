"""Implied volatilities of European prices against vollib on a hard grid, their bounds, and the reported cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from vollib.black.implied_volatility import implied_volatility_of_undiscounted_option_price as vollib_volatility
from vollib.black_scholes_merton import black_scholes_merton

from collector.analytics import black76
from collector.analytics import implied_volatility as inversion
from collector.analytics.iv_status import Implied, IvStatus

pytestmark = pytest.mark.filterwarnings("error")

CALL, PUT = 1.0, -1.0
EPSILON = np.finfo(np.float64).eps
TENOR = 0.25


def implied(price: float, forward: float, strike: float, tenor: float, discount: float, sign: float) -> Implied:
    columns = (np.array([figure]) for figure in (price, forward, strike, tenor, discount, sign))
    return inversion.european(*columns)


def on_the_spot(
    sign: float, price: float, spot: float, strike: float, tenor: float, rate: float, carry_yield: float = 0.0
) -> tuple[float, IvStatus]:
    forward, discount = spot * np.exp((rate - carry_yield) * tenor), np.exp(-rate * tenor)
    found = implied(price, float(forward), strike, tenor, float(discount), sign)
    return float(found.sigma[0]), IvStatus(found.status[0])


def side_of(sign: float) -> str:
    return "c" if sign > 0 else "p"


@dataclass(frozen=True)
class Grid:
    """Prices (undiscounted) of strikes around a forward, of one side.

    ``lost`` is what the rounding of a price to a double moves its volatility by.
    """

    forward: np.ndarray
    strike: np.ndarray
    sigma: np.ndarray
    price: np.ndarray
    sign: np.ndarray

    @property
    def lost(self) -> np.ndarray:
        total = self.sigma * np.sqrt(TENOR)
        d1 = np.log(self.forward / self.strike) / total + total / 2
        vega = self.forward * np.sqrt(TENOR / 2 / np.pi) * np.exp(-d1 * d1 / 2)
        return EPSILON * self.price / np.maximum(vega, 1e-300)

    def ours(self, discount: float) -> Implied:
        same = np.ones(len(self.price))
        price = self.price * discount
        return inversion.european(price, self.forward, self.strike, TENOR * same, discount * same, self.sign)

    def vollib(self) -> np.ndarray:
        rows = zip(self.price, self.forward, self.strike, self.sign, strict=True)
        return np.array([vollib_volatility(price, f, k, TENOR, side_of(sign)) for price, f, k, sign in rows])


def grid(furthest: float, sign: float) -> Grid:
    """Return strikes to ``furthest`` deviations from the forward, total deviations of .001 to 4."""
    across, along = np.meshgrid(np.linspace(-furthest, furthest, 61), np.exp(np.linspace(np.log(1e-3), np.log(4), 40)))
    deviations, total = across.ravel(), along.ravel()
    strike = np.full(len(total), 100.0)
    forward, sigma = strike * np.exp(deviations * total), total / np.sqrt(TENOR)
    sides = np.full(len(total), sign)
    # vollib's own price of the out-of-the-money side is exact to the last digits; parity makes the other of it.
    away = np.where(forward >= strike, PUT, CALL)
    rows = zip(away, forward, strike, sigma, strict=True)
    price = np.array([black_scholes_merton(side_of(a), f, k, TENOR, 0.0, s, 0.0) for a, f, k, s in rows])
    price = np.where(away == sides, price, price + sides * (forward - strike))
    return Grid(forward, strike, sigma, price, sides)


@pytest.mark.accuracy
@pytest.mark.parametrize("discount", [1.0, 0.97])
@pytest.mark.parametrize("sign", [CALL, PUT])
def test_volatilities_are_those_of_vollib_on_a_hard_grid(
    sign: float, discount: float, tell: Callable[[str], None]
) -> None:
    """An in-the-money price holds its time value as a difference, so its last digits are lost, for vollib as for us.

    Vega is vanishing where rounding the price moves the volatility by more than 1e-10.
    """
    hard = grid(3.0, sign)
    found, expected = hard.ours(discount), hard.vollib()
    judged = hard.lost <= 1e-10
    error = np.abs(found.sigma - expected)
    out = sign * (hard.forward - hard.strike) <= 0
    true = np.abs(found.sigma / hard.sigma - 1)
    tell(
        f"European IV, {side_of(sign)}, discount {discount}: {judged.sum()} of {len(judged)} judged;"
        f" against vollib out of the money {error[judged & out].max():.1e}, in {error[judged & ~out].max():.1e};"
        f" of the true volatility {true[judged & out].max():.1e} and {true[judged & ~out].max():.1e}"
    )
    assert judged.mean() >= 0.99
    assert (found.status[judged] == IvStatus.SOLVED).all()
    assert error[judged].max() <= 1e-8
    assert error[judged & out].max() <= 1e-11


@pytest.mark.accuracy
@pytest.mark.parametrize("sign", [CALL, PUT])
def test_beyond_the_grid_a_volatility_is_right_to_its_digits_or_null(sign: float, tell: Callable[[str], None]) -> None:
    far = grid(9.0, sign)
    found = far.ours(1.0)
    solved = found.status == IvStatus.SOLVED
    out = sign * (far.forward - far.strike) <= 0
    error = np.abs(found.sigma[solved] - far.sigma[solved])
    told = {IvStatus(code).name: int((found.status == code).sum()) for code in np.unique(found.status)}
    worst = np.nanmax(error / far.sigma[solved])
    tell(f"European IV, {side_of(sign)}, to 9 deviations: {told}; worst {worst:.1e} of the volatility")
    assert np.isnan(found.sigma[~solved]).all()
    # Nothing is lost out of the money but where the price is all but its upper bound.
    assert solved[out & (far.price < 0.999 * np.minimum(far.forward, far.strike))].all()
    assert (error <= 1e-9 * far.sigma[solved] + 20 * far.lost[solved]).all()
    # What is called solved in the money has at least six digits.
    assert (error <= 1e-6 * far.sigma[solved]).all()
    assert set(found.status[~solved]) <= {IvStatus.UNDETERMINED, IvStatus.BELOW_BOUND, IvStatus.ABOVE_BOUND}


class TestStatus:
    FORWARD, STRIKE, DISCOUNT = 110.0, 100.0, 0.98

    def status(self, price: float, sign: float = CALL, forward: float = FORWARD, tenor: float = TENOR) -> IvStatus:
        found = implied(price, forward, self.STRIKE, tenor, self.DISCOUNT, sign)
        assert np.isnan(found.sigma[0]) == (found.status[0] != IvStatus.SOLVED)
        return IvStatus(found.status[0])

    @pytest.mark.parametrize("price", [np.nan, 0.0, -0.01])
    def test_no_price(self, price: float) -> None:
        assert self.status(price) == IvStatus.NO_PRICE
        assert self.status(price, PUT) == IvStatus.NO_PRICE

    @pytest.mark.parametrize("forward", [np.nan, 0.0, -1.0])
    def test_no_forward(self, forward: float) -> None:
        assert self.status(11.0, forward=forward) == IvStatus.NO_FORWARD

    def test_the_lower_bound(self) -> None:
        # Exercise at settlement is worth .98 * 10 now.
        assert self.status(9.8 - 1e-9) == IvStatus.BELOW_BOUND
        assert self.status(9.8) == IvStatus.UNDETERMINED
        assert self.status(9.8 + 1e-12) == IvStatus.UNDETERMINED
        assert self.status(9.8 + 1e-6) == IvStatus.SOLVED

    def test_the_upper_bound(self) -> None:
        assert self.status(0.98 * 110) == IvStatus.ABOVE_BOUND
        assert self.status(0.98 * 110 + 1) == IvStatus.ABOVE_BOUND
        assert self.status(0.98 * 110 - 0.01) == IvStatus.SOLVED
        assert self.status(0.98 * 100, PUT) == IvStatus.ABOVE_BOUND
        assert self.status(0.98 * 100 - 0.01, PUT) == IvStatus.SOLVED

    def test_the_smallest_price_out_of_the_money_has_a_volatility(self) -> None:
        assert self.status(1e-300, PUT) == IvStatus.SOLVED

    @pytest.mark.parametrize("tenor", [0.0, -0.01, np.nan])
    def test_no_time_is_left(self, tenor: float) -> None:
        assert self.status(11.0, tenor=tenor) == IvStatus.UNDETERMINED

    def test_one_bad_row_leaves_its_neighbours(self) -> None:
        price = np.array([11.0, np.nan, 3.0, 500.0, 12.0])
        same = np.ones(5)
        found = inversion.european(price, 110 * same, 100 * same, TENOR * same, 0.98 * same, same)
        kept = [IvStatus.SOLVED, IvStatus.NO_PRICE, IvStatus.BELOW_BOUND, IvStatus.ABOVE_BOUND, IvStatus.SOLVED]
        assert list(found.status) == kept
        alone = implied(12.0, 110.0, 100.0, TENOR, 0.98, CALL)
        assert found.sigma[4] == alone.sigma[0]

    def test_no_rows_no_volatilities(self) -> None:
        none = np.zeros(0)
        found = inversion.european(none, none, none, none, none, none)
        assert (len(found.sigma), len(found.status)) == (0, 0)


class TestReportedCases:
    def test_a_price_above_what_the_spot_pays_and_below_the_bound(self) -> None:
        """HO-01; its neighbours: a put under what the spot pays and over its bound, and a call with a yield."""
        assert on_the_spot(CALL, 1529.75, 4127.83, 2600.0, 133 / 252, 0.01)[1] == IvStatus.BELOW_BOUND
        # 5000 e^(-.04) - 4127.83 = 676.12, and 5000 - 4127.83 = 872.17.
        sigma, status = on_the_spot(PUT, 700.0, 4127.83, 5000.0, 1.0, 0.04)
        assert status == IvStatus.SOLVED
        assert black_scholes_merton("p", 4127.83, 5000.0, 1.0, 0.04, sigma, 0.0) == pytest.approx(700.0, abs=1e-9)
        # 4127.83 e^(-.05) - 2600 e^(-.01) = 1352.4: under the spot's 1527.83, and still a price.
        assert on_the_spot(CALL, 1529.75, 4127.83, 2600.0, 1.0, 0.01, 0.05)[1] == IvStatus.SOLVED

    @pytest.mark.parametrize(
        ("sign", "price", "spot", "strike", "tenor", "expected", "at_25"),
        [
            (CALL, 45.70, 107.96, 69.21, 0.909, 0.63401, None),
            (PUT, 3.72, 127.14, 122.0, 0.065, 0.46977, 0.53202),
            (PUT, 1.75, 88.21, 87.5, 0.008, 0.66571, 0.69100),
            (CALL, 5.30, 107.96, 114.21, 0.085, 0.62273, 0.55289),
        ],
    )
    def test_a_rate_in_per_cent(
        self, sign: float, price: float, spot: float, strike: float, tenor: float, expected: float, at_25: float | None
    ) -> None:
        """HO-02: a rate of .25 per cent, and what it gives when taken for .25."""
        assert on_the_spot(sign, price, spot, strike, tenor, 0.0025)[0] == pytest.approx(expected, abs=5.1e-6)
        sigma, status = on_the_spot(sign, price, spot, strike, tenor, 0.25)
        if at_25 is None:
            assert status == IvStatus.BELOW_BOUND
        else:
            assert sigma == pytest.approx(at_25, abs=5.1e-6)

    def test_a_rate_below_0(self) -> None:
        """HO-03; its neighbour is the call of that strike, by parity of the same volatility."""
        put = (107.35, 3576.1, 3575.0, 0.139726)
        assert on_the_spot(PUT, *put, -0.00618873)[0] == pytest.approx(0.199417, abs=5.1e-7)
        assert on_the_spot(PUT, *put, -0.618873)[1] == IvStatus.BELOW_BOUND
        call = 107.35 + 3576.1 - 3575.0 * float(np.exp(0.00618873 * 0.139726))
        assert on_the_spot(CALL, call, *put[1:], -0.00618873)[0] == pytest.approx(0.199417, abs=5.1e-7)

    @pytest.mark.parametrize(
        ("strike", "call", "put"), [(4950.0, 122.44, 47.72), (5000.0, 93.03, 68.12), (5050.0, 68.52, 93.43)]
    )
    def test_a_spot_without_its_forward_splits_call_and_put(self, strike: float, call: float, put: float) -> None:
        """The forward of parity gives both sides .14; the spot of 5000 carried at the rate alone does not."""
        tenor, discount = 30 / 365, float(np.exp(-0.045 * 30 / 365))
        forward = strike + (call - put) / discount
        assert forward == pytest.approx(5025.0, abs=0.02)
        both = [implied(price, forward, strike, tenor, discount, side) for price, side in ((call, CALL), (put, PUT))]
        assert [found.sigma[0] for found in both] == pytest.approx([0.14, 0.14], abs=5e-4)
        if strike == 5000.0:
            split = [
                on_the_spot(sign, price, 5000.0, strike, tenor, 0.045)[0] for price, sign in ((call, 1), (put, -1))
            ]
            assert split == pytest.approx([0.1463, 0.1349], abs=5e-4)


strikes, totals = st.floats(20.0, 500.0), st.floats(0.001, 4.0)
distances, sides = st.floats(-3.0, 3.0), st.sampled_from([CALL, PUT])
anything = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.floats(0.01, 300.0))


@given(strikes, distances, totals, st.floats(1e-3, 3.0), st.floats(0.8, 1.05), sides)
def test_round_trip(strike: float, distance: float, total: float, tenor: float, discount: float, sign: float) -> None:
    forward, sigma = strike * float(np.exp(distance * total)), total / tenor**0.5
    columns = [np.array([figure]) for figure in (forward, strike, tenor, sigma, discount, sign)]
    price = black76.price(*columns)
    found = inversion.european(price, *(columns[place] for place in (0, 1, 2, 4, 5)))
    intrinsic = discount * max(sign * (forward - strike), 0.0)
    assume(price[0] - intrinsic > 1e-9 * price[0])
    assert found.status[0] == IvStatus.SOLVED
    columns[3] = found.sigma
    assert black76.price(*columns)[0] == pytest.approx(price[0], rel=1e-11)


@given(strikes, distances, totals, sides, st.floats(0.01, 100.0))
def test_scale_invariance(strike: float, distance: float, total: float, sign: float, scale: float) -> None:
    forward, sigma = strike * float(np.exp(distance * total)), total / TENOR**0.5
    price = float(black76.price(*(np.array([each]) for each in (forward, strike, TENOR, sigma, 1.0, sign)))[0])
    one = implied(price, forward, strike, TENOR, 1.0, sign)
    many = implied(scale * price, scale * forward, scale * strike, TENOR, 1.0, sign)
    time_value = price - max(sign * (forward - strike), 0.0)
    assume(time_value > 1e-9 * price)
    assert many.sigma[0] == pytest.approx(one.sigma[0], rel=1e-5 if time_value < 1e-3 * price else 1e-10)


@given(strikes, strikes, st.floats(0.001, 0.98), st.floats(0.001, 0.98), sides)
def test_a_dearer_option_implies_more_volatility(
    forward: float, strike: float, one: float, other: float, sign: float
) -> None:
    assume(abs(one - other) > 1e-6)
    intrinsic, bound = max(sign * (forward - strike), 0.0), forward if sign > 0 else strike
    cheap, dear = (intrinsic + share * (bound - intrinsic) for share in sorted((one, other)))
    sigmas = [implied(price, forward, strike, TENOR, 1.0, sign) for price in (cheap, dear)]
    assert [found.status[0] for found in sigmas] == [IvStatus.SOLVED, IvStatus.SOLVED]
    assert sigmas[0].sigma[0] < sigmas[1].sigma[0]


@given(anything, anything, strikes, anything, st.floats(0.5, 1.1), sides)
@example(1.5e308, 0.0, 20.0, 0.0, 0.5, 1.0)
@example(1.5e308, 100.0, 20.0, 0.5, 0.5, 1.0)
@example(1.5e308, 100.0, 20.0, 0.5, 0.5, -1.0)
def test_no_figure_without_the_status_of_one(
    price: float, forward: float, strike: float, tenor: float, discount: float, sign: float
) -> None:
    found = implied(price, forward, strike, tenor, discount, sign)
    assert (found.status[0] == IvStatus.SOLVED) == bool(np.isfinite(found.sigma[0]) and found.sigma[0] > 0)
    if np.isnan(price):
        assert found.status[0] == IvStatus.NO_PRICE
