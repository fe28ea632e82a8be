"""How numbers read in the sentences of alerts."""

from __future__ import annotations

import pytest

from collector.detectors.words import days, money, percent, sessions, times


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (0, "$0"),
        (999.4, "$999"),
        (999.5, "$1K"),
        (125_400, "$125K"),
        (999_499, "$999K"),
        (999_500, "$1.0M"),
        (4_249_000, "$4.2M"),
        (999_949_999, "$999.9M"),
        (999_950_000, "$1.0B"),
        (1_310_000_000, "$1.3B"),
    ],
)
def test_money_in_short(dollars: float, text: str) -> None:
    assert money(dollars) == text


@pytest.mark.parametrize(("ratio", "text"), [(1.044, "1.04"), (1.999, "2.00"), (12.34, "12.3"), (4_000.4, "4,000")])
def test_ratios_in_the_digits_that_tell(ratio: float, text: str) -> None:
    assert times(ratio) == text


def test_nouns_and_per_cent() -> None:
    assert (days(1), days(30), sessions(1), sessions(59)) == ("1 day", "30 days", "1 session", "59 sessions")
    assert (percent(0.2534), percent(-0.01, 0)) == ("25.3 %", "-1 %")
