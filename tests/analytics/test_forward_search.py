"""Forwards and rates from quotes priced by vollib and QuantLib."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from vollib.black import black

from collector.analytics.forward import Forwards
from collector.analytics.forward_search import forwards
from collector.analytics.quote_rows import ChainInput, QuoteRows
from collector.analytics.terms import Dividend
from collector.analytics.ticker_volatility import volatilities
from collector.market import rates
from tests.analytics import quantlib_options

Pricer = Callable[[float, float, float], float]


def quotes(chains: list[tuple[list[float], Pricer]], spread: float = 0.02, tick: float | None = None) -> QuoteRows:
    """Return quotes of calls and puts about prices of (strike, sign, half of the spread), one list a chain."""
    rows = []
    for number, (strikes, price) in enumerate(chains):
        for strike in strikes:
            for sign in (1.0, -1.0):
                worth = price(strike, sign, spread)
                bid, ask = max(worth - spread, 0.0), worth + spread
                if tick:
                    bid, ask = np.floor(bid / tick) * tick, np.ceil(ask / tick) * tick
                rows.append((number, sign, strike, bid, ask))
    columns = np.array(rows, dtype=np.float64).T.copy()
    return QuoteRows(columns[0].astype(np.intp), *columns[1:], np.ones(len(rows), dtype=bool))


def european(forward: float, tenor: float, rate: float, sigma: float = 0.2) -> Pricer:
    def price(strike: float, sign: float, _: float) -> float:
        skewed = sigma - 0.1 * np.log(strike / forward)
        return float(black("c" if sign > 0 else "p", forward, strike, tenor, rate, skewed))

    return price


def american(spot: float, rate: float, carry: float, tenor: float, sigma: float = 0.25) -> Pricer:
    def price(strike: float, sign: float, _: float) -> float:
        return quantlib_options.american(spot, strike, rate, carry, sigma, tenor, sign)

    return price


def found(
    rows: QuoteRows,
    tenors: list[float],
    *,
    early: bool = False,
    spot: float | None = None,
    curve: rates.RateCurve | None = None,
    dividends: tuple[Dividend, ...] | None = (),
) -> Forwards:
    chains = [ChainInput(tenor, early) for tenor in tenors]
    return forwards(rows, chains, spot=spot, curve=curve or rates.assumed(), dividends=dividends)


STRIKES = [float(strike) for strike in range(70, 131, 3)]


def test_parity_case() -> None:
    """Forward 5025, 30 days, 4.5 %, volatility .14: three strikes' quotes of an index."""
    prices = {4950: (122.44, 47.72), 5000: (93.03, 68.12), 5050: (68.52, 93.43)}
    rows = quotes(
        [([float(strike) for strike in prices], lambda strike, sign, _: prices[int(strike)][0 if sign > 0 else 1])]
    )
    result = found(rows, [0.0821918], curve=rates.constant(0.045), spot=5000.0)
    assert result.source == ("parity",)
    assert result.terms.forward[0] == pytest.approx(5025.0, abs=0.05)


def test_parity_neighbour_at_a_negative_rate() -> None:
    rows = quotes([(STRIKES, european(101.5, 0.25, -0.006))])
    result = found(rows, [0.25], curve=rates.constant(-0.006))
    assert result.terms.forward[0] == pytest.approx(101.5, rel=1e-5)
    assert result.terms.rate[0] == pytest.approx(-0.006, abs=5e-4)


@pytest.mark.parametrize("rate", [0.005, 0.025, 0.06])
def test_parity_shows_the_rate_where_nobody_states_it(rate: float) -> None:
    tenors = [0.25, 0.5, 1.0]
    rows = quotes([(STRIKES, european(100.0 * np.exp(rate * tenor), tenor, rate)) for tenor in tenors])
    result = found(rows, tenors)
    assert result.rate_source == ("parity",) * 3
    # A quarter before settlement what is assumed, 4 %, still weighs a little.
    np.testing.assert_allclose(result.terms.rate, rate, atol=2.5e-3)
    np.testing.assert_allclose(result.terms.rate[1:], rate, atol=5e-4)
    np.testing.assert_allclose(result.terms.forward, 100.0 * np.exp(rate * np.array(tenors)), rtol=3e-5)
    assert result.terms.spot[0] == pytest.approx(100.0, rel=1e-3)
    assert result.spot_source == "forwards"


def test_days_before_settlement_the_curve_gives_the_rate() -> None:
    tenor = 2 / 365
    result = found(quotes([(STRIKES, european(100.0, tenor, 0.01))], spread=0.05), [tenor], curve=rates.constant(0.03))
    assert result.rate_source == ("setting",)
    assert result.terms.rate[0] == pytest.approx(0.03, abs=1e-3)
    assert result.terms.forward[0] == pytest.approx(100.0, rel=1e-5)


@pytest.mark.parametrize(("rate", "carry", "tenor"), [(0.045, 0.0, 1.0), (0.045, 0.02, 0.5), (0.03, 0.06, 1.0)])
def test_american_forward_at_a_known_rate(rate: float, carry: float, tenor: float) -> None:
    """Parity alone would miss it by 46 basis points at 4.5 %, one year and no yield."""
    strikes = [float(strike) for strike in range(60, 141, 4)]
    rows = quotes([(strikes, american(100.0, rate, carry, tenor))], spread=0.001)
    expected = 100.0 * np.exp((rate - carry) * tenor)
    result = found(rows, [tenor], early=True, curve=rates.constant(rate), spot=100.0)
    assert (result.source, result.spot_source) == (("equal_iv",), "stated")
    assert result.terms.forward[0] == pytest.approx(expected, rel=1e-4)
    # One long chain alone shows no spot; chains that settle soon do.
    longer = quotes([(strikes, american(100.0, rate, carry, near)) for near in (0.02, 0.1, tenor)], spread=0.001)
    result = found(longer, [0.02, 0.1, tenor], early=True, curve=rates.constant(rate))
    assert (result.source, result.spot_source) == (("equal_iv",) * 3, "forwards")
    assert result.terms.spot[0] == pytest.approx(100.0, rel=3e-4)
    assert result.terms.forward[2] == pytest.approx(expected, rel=1e-4)


DEAR = [float(strike) for strike in range(48, 141, 4)]


@pytest.mark.parametrize("borrow", [0.1, 0.3, 0.6])
def test_a_share_that_is_dear_to_borrow_has_the_forwards_of_its_quotes(borrow: float) -> None:
    """Nothing is known of its dividends, and none is read into the fall of its forwards."""
    tenors = [0.025, 0.085, 0.24, 0.49]
    rows = quotes([(DEAR, american(100.0, 0.04, borrow, tenor, 0.5)) for tenor in tenors], spread=0.01)
    result = found(rows, tenors, early=True, curve=rates.constant(0.04), spot=100.0, dividends=None)
    assert (result.source, result.spot_source) == (("equal_iv",) * 4, "forwards")
    assert result.dividend_source is None
    np.testing.assert_allclose(result.terms.forward, 100.0 * np.exp((0.04 - borrow) * np.array(tenors)), rtol=1e-3)


@pytest.mark.parametrize("borrow", [0.02, 0.05, 0.3, 0.6])
def test_a_long_expiration_alone_has_the_stated_spot(borrow: float) -> None:
    """Its yield is not read as a lower spot, which would leave early exercise and the forward wrong by 2 to 7 %."""
    rows = quotes([(DEAR, american(100.0, 0.04, borrow, 0.6, 0.5))], spread=0.01)
    result = found(rows, [0.6], early=True, curve=rates.constant(0.04), spot=100.0, dividends=None)
    assert (result.source, result.spot_source) == (("equal_iv",), "stated")
    assert result.terms.spot[0] == pytest.approx(100.0, rel=5e-4)
    assert result.terms.forward[0] == pytest.approx(100.0 * np.exp((0.04 - borrow) * 0.6), rel=1e-3)


def test_without_a_stated_spot_a_long_expiration_says_that_its_own_is_the_forwards() -> None:
    rows = quotes([(DEAR, american(100.0, 0.04, 0.0, 0.6, 0.5))], spread=0.01)
    result = found(rows, [0.6], early=True, curve=rates.constant(0.04))
    assert (result.source, result.spot_source) == (("equal_iv",), "forwards")
    assert result.terms.forward[0] == pytest.approx(100.0 * np.exp(0.04 * 0.6), rel=3e-4)
    # Neighbours: a spot of another size, before a split, is no spot of these quotes.
    assert found(rows, [0.6], early=True, curve=rates.constant(0.04), spot=1000.0).spot_source == "forwards"


@pytest.mark.parametrize("early", [False, True])
def test_a_carried_forward_that_the_chains_own_quotes_contradict_is_none(early: bool) -> None:
    """Quoted about 150 where the others carry 100 to: the chain says another forward, so it has none."""
    tenors = [0.02, 0.05, 0.1, 1.5]
    spots = [100.0, 100.0, 100.0, 150.0]
    strikes = [float(strike) for strike in range(60, 221, 8)]

    def price_of(spot: float, tenor: float) -> Pricer:
        return american(spot, 0.04, 0.0, tenor) if early else european(spot * np.exp(0.04 * tenor), tenor, 0.04)

    rows = quotes([(strikes, price_of(*own)) for own in zip(spots, tenors, strict=True)], spread=0.02)
    result = found(rows, tenors, early=early, curve=rates.constant(0.04), spot=100.0)
    assert result.source[-1] is None
    assert np.isnan(result.terms.forward[-1])
    assert None not in result.source[:3]
    # A neighbour: without two sides nothing contradicts it.
    silent = replace(rows, bid=np.where((rows.chain == 3) & (rows.sign > 0), 0.0, rows.bid))
    assert found(silent, tenors, early=early, curve=rates.constant(0.04), spot=100.0).source[-1] == "carry"


def test_american_quotes_show_the_rate_too() -> None:
    """Nobody states 6 %, and 4 % is assumed: the slope over the lower strikes tells most of the difference."""
    tenors = [0.05, 0.3, 0.7, 1.0]
    strikes = [float(strike) for strike in range(60, 141, 4)]
    rows = quotes([(strikes, american(100.0, 0.06, 0.0, tenor)) for tenor in tenors], spread=0.01)
    result = found(rows, tenors, early=True)
    assert result.rate_source[2:] == ("equal_iv", "equal_iv")
    assert (np.abs(result.terms.rate[2:] - 0.06) < 0.006).all()
    np.testing.assert_allclose(result.terms.forward, 100.0 * np.exp(0.06 * np.array(tenors)), rtol=2e-3)


def test_the_stated_spot_is_not_looked_at() -> None:
    rows = quotes([(STRIKES, european(100.0, tenor, 0.04)) for tenor in (0.1, 0.3)])
    near, far = (found(rows, [0.1, 0.3], spot=spot).terms for spot in (100.0, 250.0))
    np.testing.assert_array_equal(near.forward, far.forward)
    np.testing.assert_array_equal(near.spot, far.spot)


def test_a_chain_without_pairs_is_read_off_its_neighbours() -> None:
    tenors = [0.1, 0.2, 0.3]
    rows = quotes([(STRIKES, european(100.0 * np.exp(0.03 * tenor), tenor, 0.05)) for tenor in tenors])
    only_calls = replace(rows, bid=np.where((rows.chain == 1) & (rows.sign < 0), 0.0, rows.bid))
    result = found(only_calls, tenors)
    assert result.source == ("parity", "neighbours", "parity")
    assert result.terms.forward[1] == pytest.approx(100.0 * np.exp(0.03 * 0.2), rel=3e-4)


def test_a_forward_out_of_line_is_rejected() -> None:
    """One expiration's quotes are of a moment at which the index stood 3 % higher."""
    tenors = [0.1, 0.15, 0.2, 0.25, 0.3]
    levels = [100.0, 100.0, 103.0, 100.0, 100.0]
    rows = quotes(
        [
            (STRIKES, european(level * np.exp(0.03 * tenor), tenor, 0.05))
            for level, tenor in zip(levels, tenors, strict=True)
        ]
    )
    result = found(rows, tenors)
    assert result.source == ("parity", "parity", "neighbours", "parity", "parity")
    np.testing.assert_allclose(result.terms.forward, 100.0 * np.exp(0.03 * np.array(tenors)), rtol=5e-4)


def test_without_quotes_the_spot_is_carried() -> None:
    nothing = QuoteRows(
        np.zeros(2, dtype=np.intp), *np.array([[1.0, -1], [100, 100], [0, 0], [0, 0]]), np.ones(2, bool)
    )
    paid = (Dividend(0.2, 1.5),)
    result = found(nothing, [0.5], early=True, spot=100.0, curve=rates.constant(0.05), dividends=paid)
    assert (result.source, result.spot_source, result.rate_source) == (("carry",), "stated", ("setting",))
    # (100 - 1.5 e^(-.05 .2)) e^(.05 .5)
    assert result.terms.forward[0] == pytest.approx(101.008842, abs=1e-5)


@pytest.mark.parametrize("spot", [None, 0.0, float("nan"), -5.0])
def test_with_neither_quotes_nor_spot_there_is_no_forward(spot: float | None) -> None:
    """A holiday's chain whose feed says spot 0: its lowest strike is not at the money."""
    nothing = QuoteRows(
        np.zeros(2, dtype=np.intp), *np.array([[1.0, -1], [18150, 18150], [0, 0], [0, 0]]), np.ones(2, bool)
    )
    result = found(nothing, [0.5], spot=spot)
    assert result.source == (None,)
    assert result.spot_source is None
    assert np.isnan(result.terms.forward[0])


def test_spot_0_with_quotes_leaves_the_forward_to_parity() -> None:
    result = found(quotes([(STRIKES, european(100.0, 0.2, 0.04))]), [0.2], spot=0.0)
    assert (result.source, result.spot_source) == (("parity",), "forwards")
    assert result.terms.forward[0] == pytest.approx(100.0, rel=1e-5)


def crossed(rows: QuoteRows, row: int) -> QuoteRows:
    bid, ask = rows.bid.copy(), rows.ask.copy()
    bid[row], ask[row] = ask[row] + 1.0, bid[row]
    return replace(rows, bid=bid, ask=ask)


def out_of_line(rows: QuoteRows, row: int) -> QuoteRows:
    bid, ask = rows.bid.copy(), rows.ask.copy()
    bid[row], ask[row] = bid[row] + 7.0, ask[row] + 7.0
    return replace(rows, bid=bid, ask=ask)


def unquoted(rows: QuoteRows, row: int) -> QuoteRows:
    bid, ask = rows.bid.copy(), rows.ask.copy()
    bid[row] = ask[row] = 0.0
    return replace(rows, bid=bid, ask=ask)


@pytest.mark.parametrize("spoil", [crossed, out_of_line, unquoted])
@pytest.mark.parametrize("row", [20, 21])
def test_one_bad_row_moves_the_forward_little(spoil: Callable[[QuoteRows, int], QuoteRows], row: int) -> None:
    rows = quotes([(STRIKES, european(100.0, 0.2, 0.04))], spread=0.05)
    assert rows.strike[row] == 100.0
    assert found(spoil(rows, row), [0.2]).terms.forward[0] == pytest.approx(100.0, rel=3e-5)


def test_a_majority_of_wide_quotes_does_not_outvote_the_tight_ones() -> None:
    """The side in the money quoted 40 dollars wide and off, as a market maker's robot leaves it; a few tight."""
    rows = quotes([(STRIKES, european(100.0, 0.8, 0.05))], spread=0.1)
    wide = (rows.sign * (100.0 - rows.strike) > 0) & (np.abs(rows.strike - 100.0) > 6)
    off = np.where(wide, 6.0, 0.0)
    spoiled = replace(
        rows,
        bid=np.where(wide, np.maximum(rows.bid + off - 20.0, 0.01), rows.bid),
        ask=np.where(wide, rows.ask + off + 20.0, rows.ask),
    )
    assert found(spoiled, [0.8]).terms.forward[0] == pytest.approx(100.0, rel=2e-4)


def test_a_known_dividend_is_put_back_into_the_spot() -> None:
    spot, rate, day = 100.0, 0.04, quantlib_options.on_the_calendar
    tenors = [0.03, 0.1, 0.2]
    strikes = [float(strike) for strike in range(84, 117, 4)]

    def price_of(tenor: float) -> Pricer:
        paid = [(day(0.06, tenor), 1.5)] if tenor > 0.06 else []

        def price(strike: float, sign: float, _: float) -> float:
            return quantlib_options.with_dividends(spot, strike, rate, 0.25, tenor, sign, paid)

        return price

    rows = quotes([(strikes, price_of(tenor)) for tenor in tenors], spread=0.01)
    result = found(rows, tenors, early=True, curve=rates.constant(rate), dividends=(Dividend(0.06, 1.5),))
    after = [(spot - 1.5 * np.exp(-rate * 0.06) * (tenor > 0.06)) * np.exp(rate * tenor) for tenor in tenors]
    np.testing.assert_allclose(result.terms.forward, after, rtol=2e-4)
    assert result.terms.spot[0] == pytest.approx(spot, rel=2e-4)
    assert [len(one) for one in result.terms.dividends] == [0, 1, 1]
    assert result.dividend_source == "stated"


@pytest.mark.parametrize(("tenor", "paid"), [(0.085, 2.0), (0.085, 5.0), (0.24, 5.0), (0.24, 10.0)])
def test_around_a_large_dividend_call_and_put_agree(tenor: float, paid: float) -> None:
    """Most of what its calls are worth is exercise before the ex-date, known only when the forward is."""
    time, rate = quantlib_options.on_the_calendar(0.046, tenor), 0.04

    def price(strike: float, sign: float, _: float) -> float:
        return quantlib_options.with_dividends(100.0, strike, rate, 0.3, tenor, sign, [(time, paid)])

    rows = quotes([([float(strike) for strike in range(70, 131, 5)], price)], spread=0.01)
    known = (Dividend(time, paid),)
    result = found(rows, [tenor], early=True, curve=rates.constant(rate), spot=100.0, dividends=known)
    expected = (100.0 - paid * np.exp(-rate * time)) * np.exp(rate * tenor)
    assert result.source == ("equal_iv",)
    assert result.terms.forward[0] == pytest.approx(expected, rel=2e-4)
    computed = volatilities(rows, result)
    assert computed.facts[0].overlap == 1.0
    near = np.abs(np.log(rows.strike / expected)) < 0.3 * np.sqrt(tenor)
    np.testing.assert_allclose(computed.implied_volatility[near], 0.3, atol=2e-3)


def test_a_dividend_that_nobody_states_is_seen_in_the_step() -> None:
    spot, rate = 100.0, 0.04
    tenors = [0.01, 0.03, 0.05, 0.0692, 0.09, 0.11]
    strikes = [float(strike) for strike in np.arange(88.0, 112.1, 2.0)]

    def price_of(tenor: float) -> Pricer:
        paid = [(quantlib_options.on_the_calendar(0.06, tenor), 1.0)] if tenor > 0.06 else []

        def price(strike: float, sign: float, _: float) -> float:
            return quantlib_options.with_dividends(spot, strike, rate, 0.25, tenor, sign, paid)

        return price

    rows = quotes([(strikes, price_of(tenor)) for tenor in tenors], spread=0.01)
    result = found(rows, tenors, early=True, dividends=None)
    assert result.dividend_source == "implied"
    first = result.terms.dividends[-1][0]
    assert 0.05 < first.time < 0.0692
    assert first.amount == pytest.approx(1.0, abs=0.1)
    assert found(rows, tenors, early=True, dividends=()).dividend_source == "stated"


def test_continuous_carry_is_not_taken_for_dividends() -> None:
    tenors = [0.01, 0.03, 0.05, 0.07, 0.09, 0.11]
    rows = quotes([(STRIKES, american(100.0, 0.04, 0.05, tenor)) for tenor in tenors], spread=0.01)
    result = found(rows, tenors, early=True, dividends=None)
    assert result.dividend_source is None
    np.testing.assert_allclose(result.terms.forward, 100.0 * np.exp(-0.01 * np.array(tenors)), rtol=2e-4)
