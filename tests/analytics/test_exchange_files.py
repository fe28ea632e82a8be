"""Implied volatilities and deltas against those that Cboe's own tables state, with neither rate nor dividend given."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from collector.analytics.iv_status import IvStatus
from collector.analytics.ticker_volatility import TickerVolatility, ticker_volatility
from collector.market import rates
from tests.analytics.recorded_tickers import NEW_YORK, Floats, RecordedTicker, cboe

pytestmark = pytest.mark.recordings

# The clock of the quotes themselves. QQQ's header is not New York's; after the close the quotes are those of 16:00.
CLOCKS = {
    "spx-2022-07-12": datetime(2022, 7, 12, 11, 40, tzinfo=NEW_YORK),
    "spy-2023-09-14": datetime(2023, 9, 14, 16, tzinfo=NEW_YORK),
    "xsp-2023-09-14": datetime(2023, 9, 14, 16, tzinfo=NEW_YORK),
    "qqq-2023-06-12": datetime(2023, 6, 12, 13, 44, tzinfo=NEW_YORK),
    "nvda-2025-01-06": datetime(2025, 1, 6, 16, tzinfo=NEW_YORK),
    "tsla-2023-11-10-french": datetime(2023, 11, 10, 16, tzinfo=NEW_YORK),
}
DAY = 1 / 365
TWO_TICKS = 0.02


@dataclass(frozen=True)
class Comparison:
    """A file's contracts that the exchange solved between 2 and 98 of delta: its figures less ours."""

    recorded: RecordedTicker
    computed: TickerVolatility
    population: np.ndarray
    out_of_the_money: np.ndarray
    iv_error: Floats
    delta_error: Floats

    def told(self, name: str, rows: np.ndarray, error: Floats) -> tuple[float, float]:
        """Print and return median and 95th percentile of the absolute error."""
        size = np.abs(error[rows & np.isfinite(error)])
        median, most = float(np.median(size)), float(np.quantile(size, 0.95))
        print(f"{name}: n {rows.sum()}, median {median:.6f}, p95 {most:.6f}")
        return median, most


@cache
def compare(folder: Path, name: str) -> Comparison:
    recorded = cboe(folder / "cboe" / f"{name}.csv", CLOCKS[name])
    rows = recorded.rows
    computed = ticker_volatility(rows, recorded.chains, spot=recorded.spot, curve=rates.assumed(), dividends=None)
    delta = np.abs(recorded.file_delta)
    population = (rows.bid > 0) & (rows.ask >= rows.bid) & (recorded.file_iv > 0) & (delta > 0.02) & (delta < 0.98)
    return Comparison(
        recorded,
        computed,
        population,
        rows.sign * (rows.strike - computed.terms.forward[rows.chain]) >= 0,
        computed.implied_volatility - recorded.file_iv,
        computed.greeks.delta - recorded.file_delta,
    )


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("spx-2022-07-12", 0.995),
        ("spy-2023-09-14", 0.99),
        ("xsp-2023-09-14", 0.99),
        ("qqq-2023-06-12", 0.99),
        ("nvda-2025-01-06", 0.99),
        ("tsla-2023-11-10-french", 0.99),
    ],
)
def test_coverage(shared_data: Path, name: str, least: float) -> None:
    found = compare(shared_data, name)
    solved = np.isfinite(found.computed.implied_volatility)
    n, of = int((solved & found.population).sum()), int(found.population.sum())
    missing = found.computed.implied_volatility_status[found.population & ~solved]
    print(f"{name}: {n} of {of}; the rest: {dict(Counter(IvStatus(int(one)).reason for one in missing))}")
    assert n >= least * of
    assert None not in {IvStatus(int(one)).reason for one in missing}


def test_spx(shared_data: Path) -> None:
    found = compare(shared_data, "spx-2022-07-12")
    assert set(found.computed.forward_source) == set(found.computed.rate_source) == {"parity"}
    median, most = found.told("SPX IV", found.population, found.iv_error)
    assert median <= 0.00018
    assert most <= 0.0020
    median, most = found.told("SPX IV, out of the money", found.population & found.out_of_the_money, found.iv_error)
    assert median <= 0.00016
    assert most <= 0.0008
    median, most = found.told("SPX delta", found.population, found.delta_error)
    assert median <= 0.0017
    assert most <= 0.0032


# What remains. SPY: expirations a fortnight around an ex-date, and beyond 1.5 years, where the exchange discounts by
# less than the quotes' own slope. XSP: its file sets the index of 16:00 against quotes of 16:15, so its forwards lie
# 3 to 5 basis points below parity's. NVDA: its strikes of a nickel's tick. TSLA: see below.
@pytest.mark.parametrize(
    ("name", "days", "median", "most"),
    [
        ("spy-2023-09-14", 11, 0.0003, 0.0019),
        ("qqq-2023-06-12", 0, 0.00025, 0.0009),
        ("xsp-2023-09-14", 2.5, 0.0005, 0.0021),
        ("nvda-2025-01-06", 0, 0.0013, 0.0036),
    ],
)
def test_out_of_the_money(shared_data: Path, name: str, days: float, median: float, most: float) -> None:
    found = compare(shared_data, name)
    rows = found.recorded.rows
    worth = (rows.bid + rows.ask) / 2 >= TWO_TICKS
    beyond = found.recorded.tenor > days * DAY
    reached = found.told(name, found.population & found.out_of_the_money & worth & beyond, found.iv_error)
    assert reached[0] <= median
    assert reached[1] <= most


def test_tsla(shared_data: Path) -> None:
    """The file takes 24 November 2023, a half day, for a whole one: three hours of fourteen days are .45 % of IV."""
    found = compare(shared_data, "tsla-2023-11-10-french")
    rows = found.recorded.rows
    worth = found.population & found.out_of_the_money & ((rows.bid + rows.ask) / 2 >= TWO_TICKS)
    found.told("TSLA", worth, found.iv_error)
    half_day = np.array([expiration.day == 24 for expiration, _ in found.recorded.expirations])[rows.chain]
    tenor = found.recorded.tenor
    stretched = found.computed.implied_volatility * np.sqrt(np.where(half_day, tenor / (tenor + DAY / 8), 1.0))
    median, most = found.told("TSLA, 24 November to 16:00", worth, stretched - found.recorded.file_iv)
    assert median <= 0.0014
    assert most <= 0.0040


def test_dividends_are_found_where_the_quotes_show_them(shared_data: Path) -> None:
    """SPY went ex 1.583 on 15 September 2023, QQQ .504 on 20 June 2023; NVDA and TSLA had nothing of note ahead."""
    spy = compare(shared_data, "spy-2023-09-14").computed
    qqq = compare(shared_data, "qqq-2023-06-12").computed
    assert (spy.dividend_source, qqq.dividend_source) == ("implied", "implied")
    longest = [one.terms.dividends[int(np.argmax(one.terms.tenor))] for one in (spy, qqq)]
    print("implied dividends (days, dollars):", [[(one.time / DAY, one.amount) for one in row] for row in longest])
    assert longest[0][0].time / DAY == pytest.approx(17.5 / 24, abs=0.01)
    assert longest[1][0].time / DAY == pytest.approx(7 + 19.77 / 24, abs=0.01)
    assert longest[0][0].amount == pytest.approx(1.583, abs=0.4)
    assert longest[1][0].amount == pytest.approx(0.504, abs=0.15)
    for name in ("nvda-2025-01-06", "tsla-2023-11-10-french"):
        assert compare(shared_data, name).computed.dividend_source is None


def test_xsp_forwards_agree(shared_data: Path) -> None:
    found = compare(shared_data, "xsp-2023-09-14").computed
    shares = [facts.inside_band for facts in found.facts]
    print(f"XSP: share of single forwards inside each other's band, lowest {min(shares):.4f}, of {len(shares)} chains")
    assert all(facts.strikes_used >= 5 for facts in found.facts)
    assert min(shares) >= 0.95
    order = np.argsort(found.terms.tenor)
    tenor, log_forward = found.terms.tenor[order], np.log(found.terms.forward[order])
    left = []
    for place in range(1, len(order) - 1):
        between = np.interp(tenor[place], tenor[[place - 1, place + 1]], log_forward[[place - 1, place + 1]])
        left.append(abs(log_forward[place] - between))
    print(f"XSP: ln F against its neighbours in tenor: median {np.median(left):.6f}, highest {max(left):.6f}")
    assert np.median(left) <= 0.0002


def test_spot_is_that_of_the_quotes(shared_data: Path) -> None:
    """NVDA's header shows 150.28 of after hours; the quotes are of the close, at about 149.5."""
    found = compare(shared_data, "nvda-2025-01-06").computed
    assert found.spot_source == "forwards"
    assert found.terms.spot[0] == pytest.approx(149.5, abs=0.1)
