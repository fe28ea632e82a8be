"""Greeks of European options against QuantLib's calculator and bumps of its price; the reported cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given
from hypothesis import strategies as st

from collector.analytics import greeks
from collector.analytics.greeks import GREEK_NAMES, Greeks
from collector.analytics.terms import Dividend, Terms

pytestmark = pytest.mark.filterwarnings("error")

CALL, PUT = 1.0, -1.0
DAY = 1 / 365


def terms(
    spot: float, tenor: float, rate: float, carry_yield: float = 0.0, dividends: tuple[Dividend, ...] = ()
) -> Terms:
    escrowed = spot - sum(dividend.amount * np.exp(-rate * dividend.time) for dividend in dividends)
    return Terms(
        tenor=np.array([tenor]),
        rate=np.array([rate]),
        forward=np.array([escrowed * np.exp((rate - carry_yield) * tenor)]),
        spot=np.array([spot]),
        american=np.array([False]),
        dividends=(dividends,),
    )


def of(at: Terms, strike: float, sigma: float, sign: float) -> dict[str, float]:
    found = greeks.european(at, np.array([0]), np.array([sign]), np.array([strike]), np.array([sigma]))
    return {name: float(getattr(found, name)[0]) for name in GREEK_NAMES}


def quantlib(at: Terms, strike: float, sigma: float, sign: float, tenor: float | None = None) -> ql.BlackCalculator:
    """Return QuantLib's calculator, the forward as it is at the terms' own tenor whatever ``tenor`` is."""
    years, rate = (at.tenor[0] if tenor is None else tenor), at.rate[0]
    payoff = ql.PlainVanillaPayoff(ql.Option.Call if sign > 0 else ql.Option.Put, strike)
    return ql.BlackCalculator(payoff, float(at.forward[0]), sigma * years**0.5, float(np.exp(-rate * years)))


def bumped(at: Terms, strike: float, sigma: float, sign: float) -> dict[str, float]:
    """Return the Greeks by differences of QuantLib's price and delta, in the documents' units."""
    tenor, rate, spot = float(at.tenor[0]), float(at.rate[0]), float(at.spot[0])
    escrowed = float(at.escrowed_spot[0])

    def price(moved: float = 0.0, rates: float = 0.0, vol: float = 0.0, later: float = 0.0) -> float:
        # The forward follows the spot and the rate; theta's passing time leaves it where it is.
        held = sum(dividend.amount * np.exp(-(rate + rates) * dividend.time) for dividend in at.dividends[0])
        carry = float(at.forward[0]) / escrowed * np.exp(rates * tenor)
        years = tenor - later
        discount = float(np.exp(-(rate + rates) * years))
        side = ql.Option.Call if sign > 0 else ql.Option.Put
        return ql.blackFormula(side, strike, float((spot + moved - held) * carry), (sigma + vol) * years**0.5, discount)

    def delta(vol: float = 0.0, later: float = 0.0) -> float:
        calculator = quantlib(at, strike, sigma + vol, sign, tenor - later)
        return float(calculator.deltaForward() * at.forward[0] / escrowed)

    step, vol, late = 2e-3 * spot * sigma * tenor**0.5, 1e-4 * sigma, 1e-4 * tenor
    return {
        "delta": (price(step) - price(-step)) / (2 * step),
        "gamma": (price(step) - 2 * price() + price(-step)) / step**2,
        "theta": (price(later=late) - price(later=-late)) / (2 * late) / 365,
        "vega": (price(vol=vol) - price(vol=-vol)) / (2 * vol) / 100,
        "rho": (price(rates=1e-5) - price(rates=-1e-5)) / 2e-5 / 100,
        "vanna": (delta(vol) - delta(-vol)) / (2 * vol) / 100,
        "charm": (delta(later=late) - delta(later=-late)) / (2 * late) / 365,
    }


@pytest.mark.accuracy
def test_greeks_are_the_bumps_of_quantlibs_price(tell: Callable[[str], None]) -> None:
    """Errors in the size of each Greek at the money; a continuous yield, cash dividends, rates on both sides of 0."""
    random = np.random.default_rng(7)
    worst = dict.fromkeys(GREEK_NAMES, 0.0)
    size = 400
    for _ in range(size):
        spot, tenor = random.uniform(20, 400), float(np.exp(random.uniform(np.log(DAY), np.log(3.0))))
        sigma, sign = random.uniform(0.08, 1.2), random.choice([CALL, PUT])
        paid = (Dividend(0.3 * tenor, 0.01 * spot), Dividend(0.8 * tenor, 0.01 * spot)) if random.random() < 0.5 else ()
        at = terms(spot, tenor, random.uniform(-0.02, 0.08), random.uniform(0.0, 0.05), paid)
        strike = float(at.forward[0] * np.exp(random.uniform(-2.5, 2.5) * sigma * tenor**0.5))
        found, expected = of(at, strike, sigma, sign), bumped(at, strike, sigma, sign)
        total, vega = sigma * tenor**0.5, 0.4 * spot * tenor**0.5
        scale = {
            "delta": 1.0,
            "gamma": 0.4 / (spot * total),
            "theta": vega * sigma / (2 * tenor) / 365,
            "vega": vega / 100,
            "rho": spot * tenor / 100,
            "vanna": 0.4 / sigma / 100,
            "charm": 0.4 / tenor / 365,
        }
        for name in GREEK_NAMES:
            worst[name] = max(worst[name], abs(found[name] - expected[name]) / scale[name])
    told = ", ".join(f"{name} {error:.1e}" for name, error in worst.items())
    tell(f"European Greeks, {size} contracts, largest error in the size at the money: {told}")
    for name, error in worst.items():
        assert error <= 2e-5, name


def test_first_order_greeks_are_those_of_quantlibs_formulas() -> None:
    at = terms(250.0, 0.4, 0.035, 0.012)
    for strike in (180.0, 240.0, 250.0, 270.0, 330.0):
        for sign in (CALL, PUT):
            calculator = quantlib(at, strike, 0.31, sign)
            found = of(at, strike, 0.31, sign)
            assert found["delta"] == pytest.approx(calculator.delta(250.0), rel=1e-10)
            assert found["gamma"] == pytest.approx(calculator.gamma(250.0), rel=1e-10)
            assert found["vega"] == pytest.approx(calculator.vega(0.4) / 100, rel=1e-10)
            assert found["rho"] == pytest.approx(calculator.rho(0.4) / 100, rel=1e-10)


class TestReportedCases:
    @pytest.mark.parametrize("strike", [50.0, 48.0])
    def test_theta_holds_the_forward_fixed(self, strike: float) -> None:
        """HO-04: F 49, K 50, T .3846, r .05, sigma .2: no term of the rate but that of discounting. Neighbour: K 48."""
        at = terms(49.0 * float(np.exp(-0.05 * 0.3846)), 0.3846, 0.05)
        assert at.forward[0] == pytest.approx(49.0, rel=1e-15)
        for sign, expected in ((CALL, -0.0081624), (PUT, -0.0080280)):
            theta = of(at, strike, 0.2, sign)["theta"]
            if strike == 50.0:
                assert theta == pytest.approx(expected, abs=5.1e-8)
            h = 1e-5
            now, sooner = (quantlib(at, strike, 0.2, sign, years).value() for years in (0.3846 + h, 0.3846 - h))
            assert theta == pytest.approx(-(now - sooner) / (2 * h) / 365, rel=1e-7)

    @pytest.mark.parametrize("days", [1.0, 0.5, 1 / 48])
    @pytest.mark.parametrize(
        ("strike", "sign", "delta"), [(111.0, CALL, 1.0), (111.41, PUT, -1.0), (111.41, CALL, 0.0)]
    )
    def test_the_last_day_without_volatility(self, days: float, strike: float, sign: float, delta: float) -> None:
        """HO-05: S 111.205, K 111, sigma 1e-5, whatever the part of a day."""
        found = of(terms(111.205, days * DAY, 0.0), strike, 1e-5, sign)
        # At rates of 0 the strike is still discounted: rho is what a point on it is worth.
        rho = delta * strike * days * DAY / 100
        assert found == pytest.approx({**dict.fromkeys(GREEK_NAMES, 0.0), "delta": delta, "rho": rho}, rel=1e-12)

    def test_a_yield_is_in_gamma_and_theta(self) -> None:
        """HO-07: S 80, K 110, T 3, r .05, q .03, sigma .25; theta as of the forward held fixed, so in the spot's
        convention it differs by delta times what the spot's carry adds a year.
        """
        at = terms(80.0, 3.0, 0.05, 0.03)
        expected = {CALL: (0.321554, -2.171072), PUT: (-0.592377, 0.369387)}
        for sign, (delta, spot_theta) in expected.items():
            found = of(at, 110.0, 0.25, sign)
            assert found["delta"] == pytest.approx(delta, abs=5.1e-7)
            assert found["gamma"] == pytest.approx(0.009790757, abs=5.1e-10)
            assert found["vega"] == pytest.approx(0.4699564, abs=5.1e-8)
            in_spot = found["theta"] * 365 - (0.05 - 0.03) * 80.0 * found["delta"]
            assert in_spot == pytest.approx(spot_theta, abs=1e-6)

    @pytest.mark.parametrize(("strike", "rate", "carry_yield"), [(150.0, 0.06, 0.0), (40.0, 0.01, 0.07)])
    def test_a_positive_theta_is_right_of_options_deep_in_the_money(
        self, strike: float, rate: float, carry_yield: float
    ) -> None:
        """HO-07's neighbours: a put of a high strike, and a call of a high yield that falls in value if it waits."""
        at = terms(80.0, 3.0, rate, carry_yield)
        sign = PUT if strike > 80.0 else CALL
        found, calculator = of(at, strike, 0.12, sign), bumped(at, strike, 0.12, sign)
        assert found["theta"] > 0
        assert found["theta"] == pytest.approx(calculator["theta"], rel=1e-6)
        assert found["gamma"] == pytest.approx(quantlib(at, strike, 0.12, sign).gamma(80.0), rel=1e-10)


def test_cash_dividends_make_delta_that_of_the_spot() -> None:
    """Of 100, 4 are worth dividends: a dollar more of spot is a dollar more of the other 96.

    A higher rate makes them worth less, by .1 * 2 + .35 * 2 for 1, and the 96 that much more.
    """
    paid = (Dividend(0.1, 2.0), Dividend(0.35, 2.0))
    with_cash, without = terms(100.0, 0.5, 0.0, 0.0, paid), terms(96.0, 0.5, 0.0)
    for sign in (CALL, PUT):
        expected = of(without, 95.0, 0.3, sign)
        expected["rho"] += expected["delta"] * 0.9 / 100
        assert of(with_cash, 95.0, 0.3, sign) == pytest.approx(expected, rel=1e-12)


def test_a_missing_volatility_or_forward_leaves_no_greek_and_its_neighbour_all() -> None:
    both = Terms(
        tenor=np.array([0.25, 0.25]),
        rate=np.array([0.04, 0.04]),
        forward=np.array([101.0, np.nan]),
        spot=np.array([100.0, 100.0]),
        american=np.array([False, False]),
        dividends=((), ()),
    )
    sigma = np.array([np.nan, 0.2, 0.2])
    found = greeks.european(both, np.array([0, 0, 1]), np.array([CALL, CALL, CALL]), np.full(3, 100.0), sigma)
    for name in GREEK_NAMES:
        assert list(np.isfinite(getattr(found, name))) == [False, True, False], name


def test_greek_names_are_the_fields() -> None:
    assert tuple(field.name for field in fields(Greeks)) == GREEK_NAMES


@given(
    st.floats(20.0, 500.0),
    st.floats(-4.0, 4.0),
    st.floats(DAY / 4, 4.0),
    st.floats(-0.05, 0.1),
    st.floats(0.0, 0.1),
    st.floats(0.02, 2.0),
    st.floats(0.01, 100.0),
)
def test_bounds_parity_and_scale(
    spot: float, distance: float, tenor: float, rate: float, carry_yield: float, sigma: float, scale: float
) -> None:
    at = terms(spot, tenor, rate, carry_yield)
    strike = float(at.forward[0] * np.exp(distance * sigma * tenor**0.5))
    call, put = of(at, strike, sigma, CALL), of(at, strike, sigma, PUT)
    largest = float(np.exp(-carry_yield * tenor))
    assert 0 <= call["delta"] <= largest
    assert -largest <= put["delta"] <= 0
    assert call["gamma"] >= 0
    assert call["vega"] >= 0
    assert call["delta"] - put["delta"] == pytest.approx(largest, rel=1e-12)
    for name in ("gamma", "vega", "vanna"):
        assert call[name] == pytest.approx(put[name], rel=1e-12), name
    # C - P = S e^(-q tenor) - K e^(-r tenor): of the rate, and of time with the forward held fixed.
    discount = float(np.exp(-rate * tenor))
    assert call["rho"] - put["rho"] == pytest.approx(strike * tenor * discount / 100, rel=1e-9)
    held = rate * discount * (float(at.forward[0]) - strike) / 365
    assert call["theta"] - put["theta"] == pytest.approx(held, abs=1e-12 * (spot + strike))
    larger = of(terms(scale * spot, tenor, rate, carry_yield), scale * strike, sigma, CALL)
    for name, power in (("delta", 0), ("gamma", -1), ("vega", 1), ("vanna", 0), ("theta", 1), ("charm", 0), ("rho", 1)):
        allowed = 1e-9 * scale**power * max(1.0, abs(call[name]))
        assert larger[name] == pytest.approx(scale**power * call[name], rel=1e-8, abs=allowed), name
