"""What a close of Yahoo's Treasury indices says: per cent, of which paper, of which day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from collector.market.rates import TreasuryYield
from collector.providers.treasury_indices import newest_yield

KNOWN = datetime(2026, 1, 27, 21, 20, tzinfo=UTC)
DAY = date(2026, 1, 27)


@pytest.mark.parametrize(
    ("symbol", "percent", "days", "rate", "basis"),
    [
        ("^IRX", 5.25, 91, 0.0525, "discount"),
        ("^FVX", 4.25, 1825, 0.0425, "bond_equivalent"),
        # Below one per cent and below nothing they are per cent too: no size tells the unit.
        ("^IRX", 0.25, 91, 0.0025, "discount"),
        ("^IRX", -0.105, 91, -0.00105, "discount"),
        ("^IRX", 0.0, 91, 0.0, "discount"),
    ],
)
def test_per_cent_becomes_a_decimal_whatever_its_size(
    symbol: str, percent: float, days: int, rate: float, basis: str
) -> None:
    """HO-02, HO-11."""
    found = newest_yield(symbol, [(DAY, percent)], DAY, KNOWN)
    assert found == TreasuryYield(DAY, days, pytest.approx(rate, rel=1e-12), basis, "treasury", KNOWN)  # type: ignore[arg-type]


def test_the_newest_close_that_is_not_after_the_day_counts() -> None:
    closes = [
        (DAY + timedelta(days=1), 9.0),
        (DAY - timedelta(days=4), 5.1),
        (DAY - timedelta(days=1), 5.2),
        (DAY, None),
    ]
    found = newest_yield("^IRX", closes, DAY, KNOWN)
    assert found is not None
    assert (found.date, found.rate) == (DAY - timedelta(days=1), pytest.approx(0.052))


@pytest.mark.parametrize(("age", "found"), [(10, True), (11, False)])
def test_an_old_close_says_nothing(age: int, found: bool) -> None:
    closes: list[tuple[date, float | None]] = [(DAY - timedelta(days=age), 5.2)]
    assert (newest_yield("^IRX", closes, DAY, KNOWN) is not None) is found


def test_no_close_is_no_yield() -> None:
    assert newest_yield("^IRX", [], DAY, KNOWN) is None
    assert newest_yield("^IRX", [(DAY, None)], DAY, KNOWN) is None
