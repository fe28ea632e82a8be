"""The words of an alert: the numbers in them, and the same words for the same finding."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collector.alerts import explain
from collector.detectors.base import Finding
from collector.detectors.registry import DETECTORS
from collector.detectors.unusual_activity import UnusualActivity
from tests.alerts.findings import finding
from tests.detectors.views import Row, chain, view

BUSY = Row(volume=3_000.0)


def activity(row: Row = BUSY, usual: float | None = None, dte: int = 30) -> Finding:
    past = {} if usual is None else {row.symbol: (usual, 20)}
    return UnusualActivity().evaluate(view([Row(strike=95.0), row], [chain(dte=dte)], past)).findings[0]


def test_unusual_activity_on_day_one() -> None:
    found = activity()
    assert explain.summary(found) == "QLMT 2026-03-20 100 call: 3,000 traded, 3.0x open interest, $600K premium"
    assert explain.reason(found) == (
        "3,000 contracts of the QLMT 2026-03-20 100 call traded in the session of 2026-02-18 with 30 days left, "
        "3.0 times the open interest of 1,000; with 0 sessions of its own history nothing tells what is usual. At a "
        "mid of 2.00 that is $600K of premium, with a spread of 5.0 % of the mid. Read as bullish, naively: who "
        "started the trades is not known."
    )


def test_unusual_activity_with_history() -> None:
    found = activity(replace(BUSY, option_type="put", strike=97.5), usual=240.0, dte=1)
    assert explain.summary(found) == (
        "QLMT 2026-03-20 97.5 put: 3,000 traded, 3.0x open interest, 12.5x its usual volume, $600K premium"
    )
    assert explain.reason(found) == (
        "3,000 contracts of the QLMT 2026-03-20 97.5 put traded in the session of 2026-02-18 with 1 day left, "
        "3.0 times the open interest of 1,000 and 12.5 times the usual 240 of its last 20 sessions. At a mid of 2.00 "
        "that is $600K of premium, with a spread of 5.0 % of the mid. Read as bearish, naively: who started the "
        "trades is not known."
    )


@pytest.mark.parametrize(
    ("volume", "words"), [(1_044.0, "1.04x"), (1_990.0, "1.99x"), (99_940.0, "99.9x"), (4_000_400.0, "4,000x")]
)
def test_ratios_keep_the_digits_that_tell(volume: float, words: str) -> None:
    assert f"{words} open interest" in explain.summary(activity(replace(BUSY, volume=volume)))


def test_no_open_interest_is_said_and_not_divided_by() -> None:
    found = activity(replace(BUSY, open_interest=0.0))
    assert "against no open interest" in explain.reason(found)
    assert "3,000x" not in explain.summary(found)


def test_a_detector_without_words_of_its_own_states_its_comparison() -> None:
    assert explain.summary(finding(subject="")) == "QLMT test_detector: ratio 3 >= 2"
    assert explain.reason(finding(subject="X")) == "QLMT X test_detector: ratio 3 >= 2."
    assert explain.summary(finding(value=1.5, armed=False, subject="")) == "QLMT test_detector: ratio 1.5 (arms at 2)"


def test_every_detector_has_words_of_its_own() -> None:
    assert set(explain.WORDS) == {detector.name for detector in DETECTORS}


def test_an_ending_says_why() -> None:
    assert explain.ending("It rose.", "rearm").startswith("It rose. It ended when the figures fell")
    assert explain.ending("It rose.", "expired") == "It rose. It ended when the contract settled."


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
    assert explain.money(dollars) == text
