"""Recorded yfinance frames of a session: quotes fifteen minutes old beside a spot of now."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from collector.analytics.ticker_volatility import TickerVolatility, ticker_volatility
from collector.market import rates
from tests.analytics.recorded_tickers import NEW_YORK, RecordedTicker, frames

pytestmark = pytest.mark.recordings

DARK = ("2026-03-25T0830-0400", "2026-03-30T0936-0400", "2026-03-30T0957-0400")


@cache
def computed(path: Path) -> tuple[tuple[RecordedTicker, TickerVolatility], ...]:
    return tuple(
        (one, ticker_volatility(one.rows, one.chains, spot=one.spot, curve=rates.assumed(), dividends=None))
        for one in frames(path)
    )


def live(folder: Path) -> list[Path]:
    found = [path for path in sorted((folder / "yfinance").glob("*.csv")) if path.stem not in DARK]
    assert len(found) >= 15
    return found


def shares(path: Path) -> dict[str, float]:
    """Return shares over the pairs near the money of the expirations after the recording's day."""
    marked = dict.fromkeys(("both_implied", "overlap", "strict_overlap"), 0.0)
    pairs = 0
    for recorded, found in computed(path):
        today = recorded.as_of.astimezone(NEW_YORK).date()
        for (expiration, _), facts in zip(recorded.expirations, found.facts, strict=True):
            if expiration > today and facts.pairs:
                pairs += facts.pairs
                for name in marked:
                    marked[name] += getattr(facts, name) * facts.pairs
    assert pairs > 100
    return {name: count / pairs for name, count in marked.items()}


def test_bands_of_call_and_put_meet(shared_data: Path) -> None:
    found = {path.stem: shares(path) for path in live(shared_data)}
    for stem, told in found.items():
        print(stem, {name: round(share, 3) for name, share in told.items()})
    assert all(told["both_implied"] >= 0.95 for told in found.values())
    assert all(told["overlap"] >= 0.90 for told in found.values())
    assert found["2026-03-24T1700-0400"]["strict_overlap"] >= 0.95


def test_no_forward_comes_from_the_spot_of_now(shared_data: Path) -> None:
    apart = []
    for path in live(shared_data):
        for recorded, found in computed(path):
            assert found.spot_source == "forwards"
            assert "carry" not in found.forward_source
            assert recorded.spot
            apart.append(1e4 * abs(np.log(found.terms.spot[0] / recorded.spot)))
    print(f"spot of the quotes against that of now: {min(apart):.0f} to {max(apart):.0f} basis points")
    assert max(apart) > 100
    recorded, found = computed(live(shared_data)[0])[0]
    moved = ticker_volatility(recorded.rows, recorded.chains, spot=1.0, curve=rates.assumed(), dividends=None)
    np.testing.assert_array_equal(moved.terms.forward, found.terms.forward)
    np.testing.assert_array_equal(moved.implied_volatility, found.implied_volatility)


def test_dividends_are_seen_until_they_are_paid(shared_data: Path) -> None:
    """SPY went ex on 20 March 2026."""
    seen = {}
    for path in live(shared_data):
        for recorded, found in computed(path):
            first = found.terms.dividends[int(np.argmax(found.terms.tenor))][:1]
            seen[recorded.as_of, recorded.ticker] = first[0].time * 365 if first else None
    for (as_of, ticker), days in seen.items():
        if ticker == "SPY" and as_of.date() < date(2026, 3, 20):
            opens = (date(2026, 3, 20) - as_of.date()).days
            assert days is not None
            assert abs(days - opens) <= 3, (as_of, days)
        if ticker in ("NVDA", "TSLA") or (ticker == "SPY" and as_of.date() >= date(2026, 3, 20)):
            assert days is None, (as_of, ticker)


def test_before_the_open_nothing_is_implied(shared_data: Path) -> None:
    for stem in DARK:
        for recorded, found in computed(shared_data / "yfinance" / f"{stem}.csv"):
            quoted = recorded.rows.two_sided
            assert quoted.sum() <= 10
            assert np.isnan(found.implied_volatility[~quoted]).all()
            if not quoted.any():
                assert set(found.forward_source) == {"carry"}
                assert found.spot_source == "stated"


def test_half_the_quotes_gone_moves_the_rest_little(shared_data: Path) -> None:
    """Every other contract loses its quote: forwards stay within 5 basis points."""
    recorded, found = computed(shared_data / "yfinance" / "2026-03-24T1300-0400.csv")[2]
    strikes, place = np.unique(recorded.rows.strike, return_inverse=True)
    gone = place % 2 == 1
    bare = replace(
        recorded.rows, bid=np.where(gone, 0.0, recorded.rows.bid), ask=np.where(gone, 0.0, recorded.rows.ask)
    )
    left = ticker_volatility(bare, recorded.chains, spot=None, curve=rates.assumed(), dividends=None)
    moved = np.abs(left.terms.forward / found.terms.forward - 1.0)
    print(f"{recorded.ticker}: forwards move by {moved.max():.6f} with half of {len(strikes)} strikes")
    assert moved.max() <= 0.0005
