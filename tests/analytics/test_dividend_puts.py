"""Puts that wait for ex-dates, and what a yield beside cash dividends does, against QuantLib's finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import norm

from collector.analytics import american, black76
from collector.analytics.iv_status import IvStatus
from collector.analytics.terms import Dividend, Terms
from tests.analytics import quantlib_options as quantlib

SPOT = 100.0
CALL, PUT = 1.0, -1.0
STEPS = (400, 400)
Paid = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Row:
    tenor: float
    rate: float
    carry_yield: float
    paid: Paid
    strike: float
    sigma: float
    sign: float

    @property
    def escrowed(self) -> float:
        return SPOT - sum(amount * float(np.exp(-self.rate * time)) for time, amount in self.paid)

    @property
    def forward(self) -> float:
        return self.escrowed * float(np.exp((self.rate - self.carry_yield) * self.tenor))

    def early(self) -> float:
        """Return what early exercise adds by QuantLib's grid: what it gets wrong is in the European price too."""
        own = (SPOT, self.strike, self.rate, self.sigma, self.tenor, self.sign, self.paid)
        american_price, european_price = (
            quantlib.with_dividends(*own, exercise=style, steps=STEPS, carry_yield=self.carry_yield)
            for style in ("american", "european")
        )
        return american_price - european_price


def together(rows: Sequence[Row]) -> Terms:
    return Terms(
        tenor=np.array([row.tenor for row in rows]),
        rate=np.array([row.rate for row in rows]),
        forward=np.array([row.forward for row in rows]),
        spot=np.full(len(rows), SPOT),
        american=np.ones(len(rows), dtype=bool),
        dividends=tuple(tuple(Dividend(*one) for one in row.paid) for row in rows),
    )


def column(rows: Sequence[Row], name: str) -> np.ndarray:
    return np.array([getattr(row, name) for row in rows])


def prices(rows: Sequence[Row]) -> np.ndarray:
    own = (column(rows, name) for name in ("sign", "strike", "sigma"))
    return american.price(together(rows), np.arange(len(rows)), *own)


def europeans(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
    """Return prices and vegas of the European options."""
    terms, strike, sigma = together(rows), column(rows, "strike"), column(rows, "sigma")
    price = black76.price(terms.forward, strike, terms.tenor, sigma, terms.discount, column(rows, "sign"))
    total = sigma * np.sqrt(terms.tenor)
    d1 = np.log(terms.forward / strike) / total + total / 2
    return price, terms.discount * terms.forward * norm.pdf(d1) * np.sqrt(terms.tenor)


def ex_dates(first: float, gap: float, tenor: float) -> tuple[float, ...]:
    times = {quantlib.on_the_calendar(time, tenor) for time in np.arange(first, 0.998 * tenor, gap)}
    return tuple(sorted(times)) or (quantlib.on_the_calendar(tenor / 2, tenor),)


def small_dividends(count: int) -> list[Row]:
    """Return puts of shares and funds that pay .2 to 4 % a year, quarterly or monthly: the waits are days to months."""
    random = np.random.default_rng(77)
    rows = []
    for _ in range(count):
        tenor, rate = (
            float(np.exp(random.uniform(np.log(7 / 365), np.log(2.0)))),
            float(random.choice([0.02, 0.04, 0.055])),
        )
        gap = float(random.choice([0.25, 0.25, 0.25, 1 / 12]))
        amount = SPOT * gap * float(random.choice([0.002, 0.004, 0.008, 0.012, 0.02, 0.04]))
        paid = [(time, amount) for time in ex_dates(float(random.uniform(0.002, gap)), gap, tenor)[:12]]
        sigma = float(random.uniform(0.1, 0.6))
        bare = Row(tenor, rate, 0.0, paid, SPOT, sigma, PUT)
        strike = bare.forward * float(np.exp(random.uniform(-1.6, 0.8) * sigma * np.sqrt(tenor)))
        rows.append(Row(tenor, rate, 0.0, paid, strike, sigma, PUT))
    return rows


@pytest.mark.accuracy
def test_puts_with_small_dividends_are_those_of_finite_differences(tell: Callable[[str], None]) -> None:
    rows = small_dividends(180)
    european, vega = europeans(rows)
    price = european + np.array([row.early() for row in rows])
    strike, forward = column(rows, "strike"), column(rows, "forward")
    judged = vega > 0.05 * 0.4 * SPOT * np.sqrt(column(rows, "tenor"))
    found = american.implied_volatility(together(rows), np.arange(len(rows)), column(rows, "sign"), strike, price)
    error = np.abs(found.sigma - column(rows, "sigma"))
    for name, side, allowed in (("out of", strike <= forward, 2e-4), ("in", strike > forward, 1e-3)):
        own = judged & side & (found.status == IvStatus.SOLVED)
        told = np.percentile(error[own], [50, 95, 100])
        tell(
            f"Puts with small dividends, {name} the money: {own.sum()} of {(judged & side).sum()}, "
            f"IV p50 {told[0]:.1e}, p95 {told[1]:.1e}, max {told[2]:.1e}"
        )
        assert told[1] <= allowed
        if name == "out of":
            assert own.sum() == (judged & side).sum()
            assert told[2] <= 1e-3


@pytest.mark.accuracy
@pytest.mark.parametrize("sign", [CALL, PUT])
def test_a_yield_beside_cash_dividends(sign: float, tell: Callable[[str], None]) -> None:
    """What the forward shows beyond the dividends, either way; above .01 the interplay is only nearly right."""
    random = np.random.default_rng(5)
    rows = []
    for number in range(60):
        tenor, rate = (
            float(np.exp(random.uniform(np.log(7 / 365), np.log(1.5)))),
            float(random.choice([0.01, 0.03, 0.05])),
        )
        amount, sigma = SPOT * float(random.choice([0.001, 0.003, 0.01])), float(random.uniform(0.15, 0.6))
        paid = [(time, amount) for time in ex_dates(float(random.uniform(0.002, 0.25)), 0.25, tenor)]
        bare = Row(tenor, rate, (-0.03, -0.01, -0.003, 0.003, 0.01, 0.02)[number % 6], paid, SPOT, sigma, sign)
        strike = bare.forward * float(np.exp(sign * random.uniform(0.0, 1.5) * sigma * np.sqrt(tenor)))
        rows.append(Row(tenor, rate, bare.carry_yield, paid, strike, sigma, sign))
    european, vega = europeans(rows)
    error = np.abs(prices(rows) - european - [row.early() for row in rows]) / vega
    carry_yield = column(rows, "carry_yield")
    for name, some, allowed in (
        ("of at most .01", np.abs(carry_yield) <= 0.011, 3e-4),
        ("of .02 and -.03", np.abs(carry_yield) > 0.011, 1e-3),
    ):
        told = np.percentile(error[some], [50, 95, 100])
        side = "calls" if sign > 0 else "puts"
        tell(f"Yields {name}, {some.sum()} {side}: IV p50 {told[0]:.1e}, p95 {told[1]:.1e}, max {told[2]:.1e}")
        assert told[1] <= allowed


def test_calls_with_dividends_and_a_high_yield_have_no_volatility_but_puts_do() -> None:
    """A share that costs 30 % a year to borrow: what both kinds of early exercise are worth together is not known."""
    paid = [(quantlib.on_the_calendar(0.2, 0.5), 0.5)]
    call, put = (Row(0.5, 0.04, 0.3, paid, strike, 0.4, sign) for strike, sign in ((90.0, CALL), (80.0, PUT)))
    european, _ = europeans([put])
    quoted = np.array([SPOT - 90.0 + 2.0, european[0]])
    found = american.implied_volatility(
        together([call, put]), np.arange(2), np.array([CALL, PUT]), np.array([90.0, 80.0]), quoted
    )
    assert found.status.tolist() == [IvStatus.UNDETERMINED, IvStatus.SOLVED]
    assert np.isnan(found.sigma[0])
    expected = put.early()
    assert prices([put])[0] - europeans([put])[0][0] == pytest.approx(expected, abs=1e-4)
    assert np.isnan(prices([call])[0])


def test_a_yield_alone_may_be_a_calls_premium() -> None:
    """A dividend of a cent beside a yield of 4 %, against continuous carry without it, by QdFp."""
    paid = [(quantlib.on_the_calendar(0.1, 0.4), 0.01)]
    row = Row(0.4, 0.01, 0.04, paid, 95.0, 0.3, CALL)
    expected = quantlib.american(row.escrowed, 95.0, 0.01, 0.04, 0.3, 0.4, CALL)
    assert expected - europeans([row])[0][0] > 0.1
    assert prices([row])[0] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("rate", [0.0, -0.01])
def test_puts_are_not_exercised_without_interest(rate: float) -> None:
    row = Row(0.5, rate, 0.0, [(0.2, 1.0)], 110.0, 0.3, PUT)
    assert prices([row])[0] == europeans([row])[0][0]


def test_a_wait_longer_than_the_time_before_the_ex_date_leaves_only_what_follows_it() -> None:
    """A dividend of 3 is the interest, at .02, on 105 for a year and a half: before the ex-date nothing is exercised,
    and a put on the evening before is worth the one after it, whose share carries no dividend.
    """
    tenor, time = 0.5, quantlib.on_the_calendar(0.002, 0.5)
    row = Row(tenor, 0.02, 0.0, [(time, 3.0)], 105.0, 0.25, PUT)
    after = quantlib.american(row.escrowed, 105.0, 0.02, 0.0, 0.25, tenor, PUT)
    assert prices([row])[0] == pytest.approx(after, abs=2e-4 * 28)
    assert prices([row])[0] == pytest.approx(europeans([row])[0][0] + row.early(), abs=2e-4 * 28)


def test_dividends_of_next_to_nothing_are_none() -> None:
    paid = [(0.1, 1e-9), (0.35, 1e-9), (0.6, 1e-9)]
    for strike in (80.0, 95.0, 110.0):
        with_them = prices([Row(0.8, 0.045, 0.0, paid, strike, 0.25, PUT)])[0]
        assert with_them == pytest.approx(quantlib.american(SPOT, strike, 0.045, 0.0, 0.25, 0.8, PUT), abs=5e-4)


@pytest.mark.parametrize("amount", [30.0, 80.0])
def test_dividends_as_large_as_the_strike(amount: float) -> None:
    """A put of 20 before a dividend of 30 or 80 is exercised after it, if ever."""
    row = Row(0.5, 0.04, 0.0, [(quantlib.on_the_calendar(0.25, 0.5), amount)], 20.0, 0.4, PUT)
    assert prices([row])[0] == pytest.approx(europeans([row])[0][0] + row.early(), abs=2e-2)


def test_a_puts_price_moves_smoothly_through_the_ex_date() -> None:
    """As the evening before an ex-date comes, nothing of the put is lost: its price is that of after the ex-date."""
    times = np.array([2.0, 1.0, 0.5, 0.1, 0.01]) / 365
    rows = [Row(0.25 + time, 0.045, 0.0, [(time, 0.6)], 98.0, 0.3, PUT) for time in times]
    after = quantlib.american(SPOT - 0.6, 98.0, 0.045, 0.0, 0.3, 0.25, PUT)
    assert np.all(np.diff(np.abs(prices(rows) - after)) < 1e-6)
    assert prices(rows)[-1] == pytest.approx(after, abs=2e-3)
