"""From quotes to volatilities, Greeks and reasons of every contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from collector.analytics.greeks import GREEK_NAMES
from collector.analytics.iv_status import IvStatus
from collector.analytics.quote_rows import ChainInput, QuoteRows
from collector.analytics.terms import Dividend
from collector.analytics.ticker_volatility import TickerVolatility, ticker_volatility
from collector.market import rates
from tests.analytics.test_forward_search import STRIKES, american, european, quotes

IV_NAMES = ("bid_iv", "implied_volatility", "ask_iv")
TENOR = 0.25


def computed(rows: QuoteRows, *chains: ChainInput, spot: float | None = None, rate: float = 0.04) -> TickerVolatility:
    return ticker_volatility(
        rows, chains or [ChainInput(TENOR, False)], spot=spot, curve=rates.constant(rate), dividends=()
    )


def one_chain(spread: float = 0.02) -> QuoteRows:
    """Return an index's quotes: forward 100, volatility .2 - .1 ln(K/F)."""
    return quotes([(STRIKES, european(100.0, TENOR, 0.04))], spread=spread)


def true_sigma(rows: QuoteRows) -> np.ndarray:
    return np.asarray(0.2 - 0.1 * np.log(rows.strike / 100.0))


def reason(found: TickerVolatility, name: str, row: int) -> str | None:
    return IvStatus(int(getattr(found, f"{name}_status")[row])).reason


def row_of(rows: QuoteRows, strike: float, sign: float) -> int:
    return int(np.flatnonzero((rows.strike == strike) & (rows.sign == sign))[0])


def only(strike: float, sign: float, bid: float, ask: float) -> QuoteRows:
    """Return one contract alone: its forward is the stated spot's."""
    columns = np.array([[sign], [strike], [bid], [ask]])
    return QuoteRows(np.zeros(1, dtype=np.intp), *columns, np.ones(1, dtype=bool))


def test_both_sides_carry_the_volatility_of_the_one_out_of_the_money() -> None:
    rows = one_chain()
    found = computed(rows)
    # The farthest have no bid.
    paired = {strike for strike in STRIKES if (rows.bid[rows.strike == strike] > 0).all()}
    assert len(paired) >= 17
    both = np.isin(rows.strike, list(paired))
    in_the_money = rows.sign * (100.0 - rows.strike) > 0
    np.testing.assert_allclose(found.implied_volatility[both], true_sigma(rows)[both], atol=2e-5)
    clear = rows.strike != 100.0
    np.testing.assert_array_equal(found.from_other_side[clear], (in_the_money & both)[clear])
    for strike in paired:
        assert len(set(found.implied_volatility[rows.strike == strike])) == 1


def test_bands_hold_the_true_volatility_on_each_side() -> None:
    rows = one_chain(spread=0.05)
    found = computed(rows)
    assert (found.bid_iv < true_sigma(rows)).sum() == np.isfinite(found.bid_iv).sum()
    assert (found.ask_iv > true_sigma(rows)).sum() == np.isfinite(found.ask_iv).sum()
    near = np.abs(np.log(rows.strike / 100.0)) < 0.1
    assert np.isfinite(found.bid_iv[near]).all()
    assert np.isfinite(found.ask_iv[near]).all()


def test_an_american_ticker_against_quantlib() -> None:
    tenors = [0.02, 0.1, 0.5]
    strikes = [float(strike) for strike in range(76, 125, 4)]
    rows = quotes([(strikes, american(100.0, 0.05, 0.01, tenor)) for tenor in tenors], spread=0.005)
    found = ticker_volatility(
        rows,
        [ChainInput(tenor, True) for tenor in tenors],
        spot=None,
        curve=rates.constant(0.05),
        dividends=(),
    )
    assert found.forward_source == ("equal_iv",) * 3
    # A cent of spread leaves the volatility of a contract of little vega open.
    vega = found.greeks.vega
    clear = np.isfinite(found.implied_volatility) & (vega > 0.02)
    assert clear.sum() >= 45
    np.testing.assert_allclose(found.implied_volatility[clear], 0.25, atol=5e-4)
    below = np.isfinite(found.bid_iv) & clear
    above = np.isfinite(found.ask_iv) & clear
    assert (found.bid_iv[below] < 0.25 + 1e-4).all()
    assert (found.ask_iv[above] > 0.25 - 1e-4).all()


def test_price_under_the_discounted_bound() -> None:
    """C 1529.75 of strike 2600 with spot 4127.83, 133 days of 252, 1 %: the bound is 1541.516; S - K lies below."""
    rows = only(2600.0, 1.0, 1529.70, 1529.80)
    found = computed(rows, ChainInput(133 / 252, False), spot=4127.83, rate=0.01)
    assert found.forward_source == ("carry",)
    assert found.terms.forward[0] == pytest.approx(4149.673, abs=0.001)
    assert np.isnan(found.implied_volatility[0])
    assert reason(found, "implied_volatility", 0) == "below_bound"
    assert all(np.isnan(getattr(found.greeks, name)[0]) for name in GREEK_NAMES)


def test_price_under_the_bound_of_a_put() -> None:
    """P 9.00 of strike 110, spot 100, half a year, 2 %: K e^(-rT) - S is 8.9055; at 9.00 there is one, at 8.90 none."""
    chain = ChainInput(0.5, False)
    assert reason(computed(only(110.0, -1.0, 8.89, 8.91), chain, spot=100.0, rate=0.02), "implied_volatility", 0) == (
        "below_bound"
    )
    assert np.isfinite(computed(only(110.0, -1.0, 8.99, 9.01), chain, spot=100.0, rate=0.02).implied_volatility[0])


@pytest.mark.parametrize(
    ("sign", "price", "spot", "strike", "tenor", "sigma"),
    [
        (1.0, 45.70, 107.96, 69.21, 0.909, 0.63401),
        (-1.0, 3.72, 127.14, 122.0, 0.065, 0.46977),
        (-1.0, 1.75, 88.21, 87.5, 0.008, 0.66571),
        (1.0, 5.30, 107.96, 114.21, 0.085, 0.62273),
    ],
)
def test_rate_of_a_quarter_of_a_per_cent(
    sign: float, price: float, spot: float, strike: float, tenor: float, sigma: float
) -> None:
    found = computed(only(strike, sign, price, price), ChainInput(tenor, False), spot=spot, rate=0.0025)
    assert found.implied_volatility[0] == pytest.approx(sigma, abs=1e-5)


def test_the_same_at_a_negative_rate() -> None:
    found = computed(only(3575.0, -1.0, 107.35, 107.35), ChainInput(0.139726, False), spot=3576.1, rate=-0.00618873)
    assert found.implied_volatility[0] == pytest.approx(0.199417, abs=1e-6)


def test_a_quote_of_0_is_none() -> None:
    """A strike with bid and ask 0, as feeds serve them outside hours: no figure, and its neighbours keep theirs."""
    rows = one_chain()
    row = row_of(rows, 106.0, 1.0)
    bid, ask = rows.bid.copy(), rows.ask.copy()
    bid[row] = ask[row] = 0.0
    found, whole = computed(replace(rows, bid=bid, ask=ask)), computed(rows)
    for name, code in zip(IV_NAMES, ("no_bid_quote", "no_two_sided_quote", "no_ask_quote"), strict=True):
        assert np.isnan(getattr(found, name)[row])
        assert reason(found, name, row) == code
    others = np.arange(len(rows.strike)) != row
    np.testing.assert_allclose(
        found.implied_volatility[others], whole.implied_volatility[others], atol=5e-5, equal_nan=True
    )


def test_an_ask_without_a_bid_has_its_own_band_end() -> None:
    rows = one_chain()
    row = row_of(rows, 106.0, 1.0)
    bid = rows.bid.copy()
    bid[row] = 0.0
    found = computed(replace(rows, bid=bid))
    assert reason(found, "bid_iv", row) == "no_bid_quote"
    assert reason(found, "implied_volatility", row) == "no_two_sided_quote"
    assert found.ask_iv[row] > true_sigma(rows)[row]


def test_a_crossed_quote_has_no_figure_and_its_other_side_keeps_its_own() -> None:
    rows = one_chain()
    row, other = row_of(rows, 106.0, 1.0), row_of(rows, 106.0, -1.0)
    bid, ask = rows.bid.copy(), rows.ask.copy()
    bid[row], ask[row] = ask[row], bid[row]
    found = computed(replace(rows, bid=bid, ask=ask))
    for name in IV_NAMES:
        assert np.isnan(getattr(found, name)[row])
        assert reason(found, name, row) == "no_two_sided_quote"
    # The put in the money speaks for itself where its call does not.
    assert not found.from_other_side[other]
    assert found.implied_volatility[other] == pytest.approx(true_sigma(rows)[other], abs=1e-3)


def test_quarantined_rows_get_nothing_and_give_nothing() -> None:
    rows = one_chain()
    adjusted = np.zeros(len(rows.strike), dtype=bool)
    adjusted[::5] = True
    odd = replace(
        rows, usable=~adjusted, bid=np.where(adjusted, 50.0, rows.bid), ask=np.where(adjusted, 51.0, rows.ask)
    )
    found = computed(odd)
    assert found.terms.forward[0] == pytest.approx(100.0, rel=1e-5)
    for name in IV_NAMES:
        assert np.isnan(getattr(found, name)[adjusted]).all()
        assert {reason(found, name, row) for row in np.flatnonzero(adjusted)} == {"quarantined"}
    assert not found.from_other_side[adjusted].any()


def test_without_forward_every_price_says_so() -> None:
    found = computed(only(100.0, 1.0, 2.0, 2.1), ChainInput(0.5, True))
    assert [reason(found, name, 0) for name in IV_NAMES] == ["no_forward"] * 3


def test_facts_tell_how_far_the_quotes_agree() -> None:
    strikes = [float(strike) for strike in range(80, 121)]
    rows = quotes([(strikes, european(100.0, TENOR, 0.04))], spread=0.05)
    good = computed(rows).facts[0]
    assert good.strikes_used >= 10
    assert good.pairs >= 5
    assert good.forward_low < 100.0 < good.forward_high
    assert (good.inside_band, good.both_implied, good.overlap, good.strict_overlap) == (1.0, 1.0, 1.0, 1.0)
    # The calls of every other strike are of a moment when the index stood 1 % higher.
    late = (rows.sign > 0) & (rows.strike % 2 == 0)
    bad = computed(replace(rows, bid=rows.bid + late * 0.6, ask=rows.ask + late * 0.6)).facts[0]
    assert bad.strict_overlap < 0.8
    assert bad.inside_band < 0.8


def test_bands_meet_within_5_basis_points_of_the_forward() -> None:
    """A cent of spread; every other call 3 basis points late: strictly they do not meet their puts, nearly they do."""
    rows = one_chain(spread=0.005)
    late = (rows.sign > 0) & (np.round(rows.strike / 3) % 2 == 0)
    shift = np.where(late, 0.03, 0.0)
    facts = computed(replace(rows, bid=rows.bid + shift, ask=rows.ask + shift)).facts[0]
    assert facts.strict_overlap < 1.0
    assert facts.overlap == 1.0


def test_dividends_are_those_before_settlement() -> None:
    rows = quotes([(STRIKES, american(100.0, 0.04, 0.0, tenor)) for tenor in (0.1, 0.4)])
    paid = (Dividend(0.2, 0.5), Dividend(0.45, 0.5))
    found = ticker_volatility(
        rows, [ChainInput(0.1, True), ChainInput(0.4, True)], spot=None, curve=rates.constant(0.04), dividends=paid
    )
    assert found.terms.dividends == ((), paid[:1])


def test_no_rows_and_no_chains() -> None:
    empty = np.zeros(0)
    rows = QuoteRows(np.zeros(0, dtype=np.intp), empty, empty, empty, empty, np.zeros(0, dtype=bool))
    assert computed(rows, ChainInput(0.1, True)).forward_source == (None,)
    found = ticker_volatility(rows, [], spot=100.0, curve=rates.assumed(), dividends=None)
    assert found.forward_source == ()
    assert found.facts == ()


PRICES = st.one_of(
    st.just(0.0), st.just(float("nan")), st.floats(-1.0, 60.0, allow_nan=False), st.floats(0.0, 1e6, allow_nan=False)
)


@settings(max_examples=60, deadline=None)
@given(
    bid=hnp.arrays(np.float64, 24, elements=PRICES),
    ask=hnp.arrays(np.float64, 24, elements=PRICES),
    usable=hnp.arrays(np.bool_, 24),
    early=st.booleans(),
    spot=st.one_of(st.none(), st.floats(-10.0, 1e5, allow_nan=False)),
)
def test_any_quotes_give_figures_or_reasons(
    bid: np.ndarray, ask: np.ndarray, usable: np.ndarray, early: bool, spot: float | None
) -> None:
    strike = np.tile(np.array([80.0, 90.0, 95.0, 100.0, 105.0, 120.0]), 4)
    sign = np.repeat(np.array([1.0, -1.0, 1.0, -1.0]), 6)
    chain = np.repeat(np.array([0, 1]), 12)
    rows = QuoteRows(chain, sign, strike, bid, ask, usable)
    found = ticker_volatility(
        rows, [ChainInput(0.02, early), ChainInput(0.7, early)], spot=spot, curve=rates.assumed(), dividends=None
    )
    for name in IV_NAMES:
        values, statuses = getattr(found, name), getattr(found, f"{name}_status")
        np.testing.assert_array_equal(np.isfinite(values), statuses == IvStatus.SOLVED)
        assert (values[np.isfinite(values)] > 0).all()
    solved = np.isfinite(found.implied_volatility)
    assert not np.isinf(found.greeks.delta).any()
    assert (np.abs(found.greeks.delta[solved & np.isfinite(found.greeks.delta)]) <= 1.0 + 1e-9).all()
    assert np.isnan(found.greeks.delta[~solved]).all()


@pytest.mark.parametrize("factor", [0.1, 7.0])
def test_scale_changes_no_volatility(factor: float) -> None:
    rows = one_chain(spread=0.05)
    scaled = replace(rows, strike=rows.strike * factor, bid=rows.bid * factor, ask=rows.ask * factor)
    here, there = computed(rows), computed(scaled)
    np.testing.assert_allclose(there.terms.forward, here.terms.forward * factor, rtol=1e-4)
    np.testing.assert_allclose(there.implied_volatility, here.implied_volatility, atol=5e-4, equal_nan=True)


def locked(rows: QuoteRows) -> QuoteRows:
    """Return all quotes of 3.00 to 3.00, of whatever strike."""
    return replace(rows, bid=np.full(len(rows.bid), 3.0), ask=np.full(len(rows.ask), 3.0))


def tight(rows: QuoteRows) -> QuoteRows:
    """Return quotes as narrow as a search's own error."""
    mid = (rows.bid + rows.ask) / 2
    return replace(rows, bid=mid * (1 - 1e-6), ask=mid * (1 + 1e-6))


def as_they_are(rows: QuoteRows) -> QuoteRows:
    return rows


@pytest.mark.parametrize("quoted", [as_they_are, locked, tight])
@pytest.mark.parametrize(("rate", "sigma"), [(0.04, 0.01), (0.04, 0.3), (0.19, 0.3)])
def test_a_bids_volatility_is_never_above_the_mids_nor_this_above_the_asks(
    quoted: Callable[[QuoteRows], QuoteRows], rate: float, sigma: float
) -> None:
    """A dearer contract has more volatility; worthless puts and locked quotes are told to the search's error only."""
    strikes = [float(strike) for strike in range(80, 121, 5)]
    rows = quoted(quotes([(strikes, american(100.0, rate, 0.0, 24 / 365, sigma))], spread=0.01))
    found = computed(rows, ChainInput(24 / 365, True), spot=100.0, rate=rate)
    own = ~found.from_other_side
    with np.errstate(invalid="ignore"):
        assert not (found.bid_iv > found.ask_iv).any()
        assert not (found.bid_iv > found.implied_volatility)[own].any()
        assert not (found.implied_volatility > found.ask_iv)[own].any()
    assert np.isfinite(found.bid_iv).any()
    for name in IV_NAMES:
        for row in np.flatnonzero(np.isnan(getattr(found, name))):
            assert reason(found, name, int(row)) is not None
