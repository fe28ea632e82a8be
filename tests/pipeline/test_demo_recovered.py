"""The demo's true forwards and volatilities, recovered from its quotes by what a scan computes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import numpy as np
import pytest

from collector.market.rates import from_yields
from collector.pipeline.analyse import Analysis, Fetched, analyse, normalise_fetched
from collector.providers.demo import DemoProvider
from collector.providers.demo.truth import Truth, truth
from collector.providers.demo.universe import NAMES

pytestmark = pytest.mark.accuracy

MOMENT = datetime(2026, 2, 11, 17, 0, tzinfo=UTC)


def analysed(ticker: str, *, ticks: bool) -> Analysis:
    provider = DemoProvider(MOMENT, ticks=ticks)
    expirations = provider.expirations(ticker)
    fetched = Fetched(ticker, provider.quote(ticker), expirations)
    fetched.chains = [provider.chain(ticker, expiration) for expiration in expirations]
    normalised = normalise_fetched(fetched, provider, None)
    curve = from_yields(provider.rates(date(2026, 2, 11)))
    return analyse(normalised, provider.events(ticker), curve, provider.sessions())


def truths(found: Analysis) -> list[tuple[int, int, Truth]]:
    """The row, the chain's place among those alive, and the truth of each standard contract of a week and more."""
    assert found.found is not None
    frame, rows = found.normalised.contracts, []
    for place, number in enumerate(found.found.chains):
        head = found.normalised.chains[number]
        for row in range(head.start, head.stop):
            one = frame.iloc[row]
            if not one["adjusted"]:
                true = truth(found.normalised.ticker, head.expiration, one["strike"], one["option_type"], MOMENT)
                if true.tenor * 365 >= 6:
                    rows.append((row, place, true))
    return rows


@pytest.fixture(scope="module")
def exact() -> dict[str, Analysis]:
    return {ticker: analysed(ticker, ticks=False) for ticker in NAMES}


def test_without_ticks_forwards_and_volatilities_are_the_true_ones(
    exact: dict[str, Analysis], tell: Callable[[str], None]
) -> None:
    """Every contract within two deviations has a volatility, that of its strike's out-of-the-money side."""
    forwards: list[float] = []
    volatilities: list[float] = []
    for found in exact.values():
        assert found.found is not None
        computed = found.found.computed
        for row, place, true in truths(found):
            forwards.append(1e4 * abs(computed.terms.forward[place] / true.forward - 1))
            standard = abs(np.log(found.normalised.contracts["strike"].iloc[row] / true.forward)) / (
                true.implied_volatility * true.tenor**0.5
            )
            if standard <= 2:
                volatilities.append(abs(computed.implied_volatility[row] - true.implied_volatility))
    tell(f"demo without ticks: forwards within {max(forwards):.2f} bp, median {np.median(forwards):.3f}")
    told = np.quantile(volatilities, [0.5, 0.95, 1.0])
    tell(f"demo without ticks: IV of {len(volatilities)} within {told[2]:.1e}, median {told[0]:.1e}, p95 {told[1]:.1e}")
    assert max(forwards) <= 0.5
    assert told[1] <= 5e-5
    assert told[2] <= 1e-4


def test_with_ticks_the_truth_lies_between_the_volatilities_of_bid_and_ask(tell: Callable[[str], None]) -> None:
    inside = []
    for ticker in NAMES:
        found = analysed(ticker, ticks=True)
        assert found.found is not None
        computed = found.found.computed
        for row, _, true in truths(found):
            bid, ask = computed.bid_iv[row], computed.ask_iv[row]
            if np.isfinite(bid) and np.isfinite(ask):
                inside.append(bid - 1e-4 <= true.implied_volatility <= ask + 1e-4)
    tell(f"demo with ticks: the truth within bid and ask of {np.mean(inside):.4f} of {len(inside)}")
    assert len(inside) > 2000
    assert np.mean(inside) >= 0.99
