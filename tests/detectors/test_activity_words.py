"""The words of an activity alert: the numbers in them, and the same words for the same finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from collector.detectors.base import Finding, UsualVolume
from collector.detectors.unusual_activity import UnusualActivity
from tests.detectors.views import Row, chain, view

BUSY = Row(volume=3_000.0)
FAR = date(2026, 4, 17)


def activity(
    row: Row = BUSY,
    usual: float | None = None,
    dte: int = 30,
    by_time: int = 0,
    beside: Sequence[Row] = (),
    **seen: Any,
) -> Finding:
    past = {} if usual is None else {row.symbol: (usual, 20, by_time)}
    rows = [Row(strike=95.0), row, *beside]
    return UnusualActivity().evaluate(replace(view(rows, [chain(dte=dte)], past), **seen)).findings[0]


def test_unusual_activity_on_day_one() -> None:
    found = activity()
    assert found.summary == "QLMT 2026-03-20 100 call: 3,000 traded, 3.0x open interest, $600K premium"
    assert found.reason == (
        "3,000 contracts of the QLMT 2026-03-20 100 call traded in the session of 2026-02-18 with 30 days left, "
        "3.0 times the open interest of 1,000; with 0 sessions of its own history nothing tells what is usual. At a "
        "mid of 2.00 that is $600K of premium, with a spread of 5.0 % of the mid. Read as bullish, naively: who "
        "started the trades is not known."
    )


def test_unusual_activity_with_history() -> None:
    found = activity(replace(BUSY, option_type="put", strike=97.5), usual=240.0, dte=1)
    assert found.summary == (
        "QLMT 2026-03-20 97.5 put: 3,000 traded, 3.0x open interest, 12.5x its usual volume of a whole session, "
        "$600K premium"
    )
    assert found.reason == (
        "3,000 contracts of the QLMT 2026-03-20 97.5 put traded in the session of 2026-02-18 with 1 day left, "
        "3.0 times the open interest of 1,000 and 12.5 times the usual 240 of its last 20 sessions, whole ones. At a "
        "mid of 2.00 that is $600K of premium, with a spread of 5.0 % of the mid. Read as bearish, naively: who "
        "started the trades is not known."
    )


def test_unusual_activity_of_a_leg_by_this_time_of_the_session() -> None:
    other = replace(BUSY, expiration=FAR)
    found = activity(
        usual=240.0,
        by_time=20,
        beside=[other, *(Row(strike=60.0 + i, expiration=FAR) for i in range(5))],
        chains=(chain(), chain(expiration=FAR)),
        features={"volume": 15_000},
        usual_volume=UsualVolume(10_240.0, 20, 20),
    )
    assert found.summary == (
        "QLMT 2026-03-20 100 call: 3,000 traded, 3.0x open interest, 12.5x its usual volume by now, likely a leg of a "
        "roll, $600K premium"
    )
    assert found.reason == (
        "3,000 contracts of the QLMT 2026-03-20 100 call traded in the session of 2026-02-18 with 30 days left, "
        "3.0 times the open interest of 1,000 and 12.5 times the usual 240 of its last 20 sessions by this time, while "
        "the rest of QLMT trades 1.20 times its own. At a mid of 2.00 that is $600K of premium, with a spread of 5.0 % "
        "of the mid. QLMT260417C00100000 traded as much: likely the legs of one roll, which says nothing of a "
        "direction."
    )


@pytest.mark.parametrize(
    ("volume", "words"), [(1_044.0, "1.04x"), (1_990.0, "1.99x"), (99_940.0, "99.9x"), (4_000_400.0, "4,000x")]
)
def test_ratios_keep_the_digits_that_tell(volume: float, words: str) -> None:
    assert f"{words} open interest" in activity(replace(BUSY, volume=volume)).summary


def test_no_open_interest_is_said_and_not_divided_by() -> None:
    found = activity(replace(BUSY, open_interest=0.0))
    assert "against no open interest" in found.reason
    assert "3,000x" not in found.summary
