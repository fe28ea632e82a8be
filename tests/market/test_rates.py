"""Rates: quoted yields against published auctions, worked examples and QuantLib; the curve; the per-cent trap."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import assume, given
from hypothesis import strategies as st

from collector.analytics.implied_volatility import european
from collector.market.rates import (
    ASSUMED_RATE,
    RateBasis,
    RateCurve,
    RateError,
    TreasuryYield,
    assumed,
    constant,
    continuous,
    from_yields,
)

DAY = date(2026, 1, 26)
KNOWN = datetime(2026, 1, 26, 21, tzinfo=UTC)
BILL, NOTE = 91, 5 * 365
WHOLE_YEAR = ql.Actual365Fixed()
small_rates = st.floats(-0.19, 0.19)


def quoted(rate: float, days: int = BILL, basis: RateBasis = "discount", day: date = DAY) -> TreasuryYield:
    return TreasuryYield(day, days, rate, basis, "treasury", KNOWN)


def at(curve: RateCurve, *tenors: float) -> list[float]:
    return [float(rate) for rate in curve.rate(np.array(tenors))]


class TestQuotes:
    @pytest.mark.parametrize(
        ("discount", "days", "price"),
        [
            # An auction of the 13-week bill as the Treasury published it: 4.975 %, price 98.742431.
            (0.04975, 91, 98.742431),
            # By the Treasury's formula 100 (1 - d r / 360), by hand: 5.25 % for 91 days takes 1.327083 off.
            (0.0525, 91, 98.672917),
            # 4 % for 70 days takes .777778 off.
            (0.04, 70, 99.222222),
            (0.0, 91, 100.0),
        ],
    )
    def test_a_bills_discount_gives_its_price(self, discount: float, days: int, price: float) -> None:
        rate = continuous(quoted(discount, days))
        assert 100.0 * math.exp(-rate * days / 365.0) == pytest.approx(price, abs=5e-7)

    def test_a_bills_rate_is_above_its_discount(self) -> None:
        # The same auction: 5.108 % as simple interest on what was paid, which is 5.076 % continuous.
        rate = continuous(quoted(0.04975))
        assert math.expm1(rate * 91 / 365) * 365 / 91 == pytest.approx(0.05108, abs=5e-6)
        assert rate == pytest.approx(0.05076, abs=5e-6)

    @pytest.mark.parametrize(
        ("stated", "expected"),
        # 10 % twice a year is 9.758 % continuous (Hull, example 4.1); 5 % is 4.9385225 %.
        [(0.10, 0.09758), (0.05, 0.049385225)],
    )
    def test_a_notes_yield_is_compounded_twice_a_year(self, stated: float, expected: float) -> None:
        assert continuous(quoted(stated, NOTE, "bond_equivalent")) == pytest.approx(expected, abs=5e-6)

    @given(small_rates)
    def test_a_notes_yield_agrees_with_quantlib(self, stated: float) -> None:
        other = ql.InterestRate(stated, WHOLE_YEAR, ql.Compounded, ql.Semiannual)
        expected = other.equivalentRate(ql.Continuous, ql.Annual, 5.0).rate()
        assert continuous(quoted(stated, NOTE, "bond_equivalent")) == pytest.approx(expected, abs=1e-12)

    @given(small_rates, st.integers(1, 364))
    def test_a_bills_discount_agrees_with_quantlib(self, stated: float, days: int) -> None:
        price = 1.0 - stated * days / 360.0
        implied = ql.InterestRate.impliedRate(1.0 / price, WHOLE_YEAR, ql.Continuous, ql.Annual, days / 365.0).rate()
        assert continuous(quoted(stated, days)) == pytest.approx(implied, abs=1e-12)

    @given(small_rates)
    def test_a_continuous_rate_stays_what_it_is(self, stated: float) -> None:
        assert continuous(quoted(stated, basis="continuous")) == stated

    @given(small_rates, small_rates, st.sampled_from(["discount", "bond_equivalent"]))
    def test_a_higher_quote_is_a_higher_rate(self, one: float, other: float, basis: RateBasis) -> None:
        assume(abs(one - other) > 1e-9)
        low, high = sorted((one, other))
        assert continuous(quoted(low, basis=basis)) < continuous(quoted(high, basis=basis))


class TestPerCent:
    @pytest.mark.parametrize("rate", [4.5, 0.25, -0.618873, 0.2000001, math.nan, math.inf])
    @pytest.mark.parametrize("basis", ["discount", "bond_equivalent", "continuous"])
    def test_per_cent_read_as_a_decimal_is_refused(self, rate: float, basis: RateBasis) -> None:
        """HO-02 and HO-03."""
        with pytest.raises(RateError, match=r"treasury 91 days.*4\.5 per cent is 0\.045") as refused:
            from_yields([quoted(rate, basis=basis)])
        assert f"{rate:g}" in str(refused.value)
        with pytest.raises(RateError, match=f"rate {rate:g} \\(setting\\)"):
            constant(rate)

    @pytest.mark.parametrize("rate", [0.2, -0.2, 0.0])
    def test_the_bounds_themselves_are_rates(self, rate: float) -> None:
        assert at(constant(rate), 1.0) == [rate]

    def test_a_discount_that_leaves_no_price_is_refused(self) -> None:
        with pytest.raises(RateError, match="leaves no price"):
            from_yields([quoted(0.2, 1800)])

    @pytest.mark.parametrize(
        ("price", "spot", "strike", "tenor", "sign", "percent", "expected"),
        [
            (45.70, 107.96, 69.21, 0.909, 1.0, 0.25, 0.63401),
            (3.72, 127.14, 122.0, 0.065, -1.0, 0.25, 0.46977),
            (1.75, 88.21, 87.5, 0.008, -1.0, 0.25, 0.66571),
            (5.30, 107.96, 114.21, 0.085, 1.0, 0.25, 0.62273),
            (107.35, 3576.1, 3575.0, 0.139726, -1.0, -0.618873, 0.199417),
        ],
    )
    def test_a_quote_in_per_cent_turned_once_gives_the_right_volatility(
        self, price: float, spot: float, strike: float, tenor: float, sign: float, percent: float, expected: float
    ) -> None:
        """HO-02's four contracts, and HO-03's at a negative rate."""
        curve = from_yields([quoted(percent / 100.0, basis="continuous")])
        discount = np.exp(-curve.rate(np.array([tenor])) * tenor)
        found = european(
            np.array([price]), spot / discount, np.array([strike]), np.array([tenor]), discount, np.array([sign])
        )
        assert found.sigma[0] == pytest.approx(expected, abs=6e-6)


class TestCurve:
    CURVE = RateCurve("treasury", DAY, (0.25, 5.0), (0.04, 0.05))

    def test_rate_times_tenor_is_linear_between(self) -> None:
        # At a year: .01 and .25 at the ends, .75 / 4.75 of the way: .0478947.
        assert at(self.CURVE, 1.0) == [pytest.approx(0.01 + 0.24 * 0.75 / 4.75, rel=1e-12)]
        # At 2.625, the middle, .13 / 2.625.
        assert at(self.CURVE, 2.625) == [pytest.approx(0.13 / 2.625, rel=1e-12)]

    def test_it_is_flat_beyond_its_ends(self) -> None:
        assert at(self.CURVE, 1e-6, 0.25, 5.0, 30.0) == pytest.approx([0.04, 0.04, 0.05, 0.05], rel=1e-12)

    def test_an_unknown_tenor_has_no_rate(self) -> None:
        assert math.isnan(at(self.CURVE, math.nan)[0])

    @given(
        st.dictionaries(st.integers(1, 3650), small_rates, min_size=1, max_size=6),
        st.lists(st.floats(1e-4, 12.0), min_size=1, max_size=5),
    )
    def test_it_runs_through_its_points_and_never_leaves_the_line_between(
        self, points: dict[int, float], tenors: list[float]
    ) -> None:
        curve = from_yields([quoted(rate, days, "continuous") for days, rate in points.items()])
        assert at(curve, *(days / 365.0 for days in points)) == pytest.approx(list(points.values()), abs=1e-12)
        assert list(curve.tenors) == sorted(curve.tenors)
        accrued = dict(zip(curve.tenors, (t * r for t, r in zip(curve.tenors, curve.rates, strict=True)), strict=True))
        for tenor, rate in zip(tenors, at(curve, *tenors), strict=True):
            below = max((t for t in curve.tenors if t <= tenor), default=None)
            above = min((t for t in curve.tenors if t >= tenor), default=None)
            if below is None or above is None:
                assert rate == pytest.approx(curve.rates[0] if below is None else curve.rates[-1], abs=1e-12)
            else:
                low, high = sorted((accrued[below], accrued[above]))
                assert low - 1e-12 <= rate * tenor <= high + 1e-12

    def test_bill_and_note_make_one_of_their_day(self) -> None:
        curve = from_yields(
            [quoted(0.0425, NOTE, "bond_equivalent"), quoted(0.0525, BILL, "discount", date(2026, 1, 23))]
        )
        assert (curve.source, curve.date) == ("treasury", DAY)
        assert curve.tenors == (BILL / 365, 5.0)
        # -ln(1 - .0525 * 91 / 360) * 365 / 91 and 2 ln(1 + .02125), by a calculator.
        assert curve.rates == pytest.approx((0.0535855, 0.0420549), abs=5e-7)

    @pytest.mark.parametrize(
        "yields",
        [[], [quoted(0.05), quoted(0.06)], [quoted(0.05, 0)], [quoted(0.05, -91)]],
        ids=["none", "one maturity twice", "no days", "negative days"],
    )
    def test_what_makes_no_curve_is_refused(self, yields: list[TreasuryYield]) -> None:
        with pytest.raises(RateError, match="rates: "):
            from_yields(yields)

    def test_a_constant_is_the_same_for_all_tenors_and_has_no_day(self) -> None:
        curve = constant(0.03)
        assert at(curve, 0.001, 1.0, 10.0) == [0.03] * 3
        assert (curve.source, curve.date) == ("setting", None)

    def test_what_is_assumed_says_so(self) -> None:
        assert assumed().source == "assumed"
        assert at(assumed(), 1.0) == [ASSUMED_RATE]

    @pytest.mark.parametrize("curve", [CURVE, constant(0.03), assumed()], ids=["treasury", "setting", "assumed"])
    def test_it_comes_back_from_a_scans_row(self, curve: RateCurve) -> None:
        assert RateCurve.from_json(json.loads(json.dumps(curve.to_json()))) == curve
