"""QuantLib's prices of single options, for tests: the oracle that shares nothing with the product.

A tenor of any length is put on QuantLib's calendar of whole days by stretching time: rates and variance are scaled so
that ten years hold it.
"""

from __future__ import annotations

from collections.abc import Sequence

import QuantLib as ql

TODAY = ql.Date(1, 1, 2020)
DAYS = 3650
_COUNT = ql.Actual365Fixed()


def _process(spot: float, rate: float, carry_yield: float, sigma: float, tenor: float) -> ql.BlackScholesMertonProcess:
    ql.Settings.instance().evaluationDate = TODAY
    stretch = tenor * 365 / DAYS
    return ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(spot)),
        ql.YieldTermStructureHandle(ql.FlatForward(TODAY, carry_yield * stretch, _COUNT)),
        ql.YieldTermStructureHandle(ql.FlatForward(TODAY, rate * stretch, _COUNT)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(TODAY, ql.NullCalendar(), sigma * stretch**0.5, _COUNT)),
    )


def _payoff(strike: float, sign: float) -> ql.PlainVanillaPayoff:
    return ql.PlainVanillaPayoff(ql.Option.Call if sign > 0 else ql.Option.Put, strike)


def american_option(
    spot: float, strike: float, rate: float, carry_yield: float, sigma: float, tenor: float, sign: float
) -> tuple[ql.VanillaOption, ql.BlackScholesMertonProcess]:
    """Return an option that is priced by QdFp, the high-precision scheme, and the process of its spot."""
    option = ql.VanillaOption(_payoff(strike, sign), ql.AmericanExercise(TODAY, TODAY + DAYS))
    process = _process(spot, rate, carry_yield, sigma, tenor)
    option.setPricingEngine(ql.QdFpAmericanEngine(process, ql.QdFpAmericanEngine.highPrecisionScheme()))
    return option, process


def american(
    spot: float, strike: float, rate: float, carry_yield: float, sigma: float, tenor: float, sign: float
) -> float:
    """Return the price by QdFp, the high-precision scheme."""
    option, _ = american_option(spot, strike, rate, carry_yield, sigma, tenor, sign)
    return float(option.NPV())


def option_with_dividends(
    spot: float,
    strike: float,
    rate: float,
    sigma: float,
    tenor: float,
    sign: float,
    dividends: Sequence[tuple[float, float]],
    *,
    exercise: str = "american",
    steps: tuple[int, int] = (1000, 800),
    carry_yield: float = 0.0,
) -> ql.VanillaOption:
    """Return an option priced by finite differences with cash dividends (years, dollars), the spot escrowed.

    The years should be whole days of the stretched calendar: see on_the_calendar. ``steps`` are those of time and
    spot: what a coarse grid gets wrong is nearly all in the European price too, and drops out of their difference.
    """
    ends = TODAY + DAYS
    style = ql.AmericanExercise(TODAY, ends) if exercise == "american" else ql.EuropeanExercise(ends)
    option = ql.VanillaOption(_payoff(strike, sign), style)
    dates = [TODAY + max(1, round(time / tenor * DAYS)) for time, _ in dividends]
    option.setPricingEngine(
        ql.FdBlackScholesVanillaEngine(
            _process(spot, rate, carry_yield, sigma, tenor),
            ql.DividendVector(dates, [amount for _, amount in dividends]),
            *steps,
            0,
            ql.FdmSchemeDesc.Douglas(),
            False,
            -1e9,
            ql.FdBlackScholesVanillaEngine.Escrowed,
        )
    )
    return option


def with_dividends(
    spot: float,
    strike: float,
    rate: float,
    sigma: float,
    tenor: float,
    sign: float,
    dividends: Sequence[tuple[float, float]],
    *,
    exercise: str = "american",
    steps: tuple[int, int] = (1000, 800),
    carry_yield: float = 0.0,
) -> float:
    """Return the price of that option."""
    row = (spot, strike, rate, sigma, tenor, sign, dividends)
    return float(option_with_dividends(*row, exercise=exercise, steps=steps, carry_yield=carry_yield).NPV())


def on_the_calendar(time: float, tenor: float) -> float:
    """Return the moment nearest to ``time`` that QuantLib's stretched calendar has."""
    return max(1, round(time / tenor * DAYS)) / DAYS * tenor
