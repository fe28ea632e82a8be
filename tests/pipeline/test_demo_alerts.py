"""The demo through backfill and join: the volatility detectors find what is staged, and little where nothing is.

In short, 29 sessions of three tickers, which the detectors that need 60 of history can't judge; OPTSITE_SOAK=full asks
for 90 sessions of all.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from collector.detectors.registry import DETECTORS
from collector.providers.demo.corporate_actions import reports
from collector.providers.demo.surface import priced_move
from collector.providers.demo.surface_events import dear_expiration_at, dear_side_at
from collector.providers.demo.timeline import timeline
from collector.providers.demo.universe import NAMES, find
from collector.providers.demo.volatility_events import RAMP, extreme_at

pytestmark = pytest.mark.soak

# What needs no long history, and what does.
AT_ONCE = {"low_iv", "rich_premium", "earnings_crush", "term_kink"}
IN_TIME = {"skew_anomaly", "regime_shift"}
FIRST = timeline().ordinal_of(date(2025, 11, 12))
SOON, SOME = 29, ("DOVREK", "ESKALO", "GALTHO")
QUARTER_AND_MORE = 90


def began(folder: Path, soak_full: bool, staged: bool) -> list[list[Any]]:
    """Return detector, ticker, subject, session and score of the alerts that began in a process of its own."""
    sessions = QUARTER_AND_MORE if soak_full else SOON
    order = {
        "folder": str(folder),
        "staged": staged,
        "last": FIRST + sessions - 1,
        "sessions": sessions,
        "tickers": NAMES if soak_full else SOME,
    }
    asked = [sys.executable, "-m", "tests.pipeline.alerts_of_demo", json.dumps(order)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[list[Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def within(ticker: str, ordinal: int, extreme: str, before: int, after: int) -> bool:
    """Return whether an extreme is held in a session from ``before`` before one to ``after`` after it."""
    return any(extreme_at(find(ticker), one) == extreme for one in range(ordinal - before, ordinal + after + 1))


def is_staged(detector: str, ticker: str, subject: str, ordinal: int) -> bool:
    """Return whether what a detector found in a session is staged there."""
    if detector == "low_iv":
        return within(ticker, ordinal, "bottom", RAMP, RAMP)
    if detector == "rich_premium":
        return within(ticker, ordinal, "top", RAMP, RAMP)
    if detector == "regime_shift":
        return within(ticker, ordinal, "bottom", RAMP, 0)
    if detector == "skew_anomaly":
        return any(dear_side_at(find(ticker), one) is not None for one in range(ordinal, ordinal + 5))
    if detector == "earnings_crush":
        coming = next(int(report) for report in reports(find(ticker), ordinal + 100) if report >= ordinal)
        return priced_move(ticker, coming) > find(ticker).earnings_move
    dear = dear_expiration_at(find(ticker), ordinal)
    return dear is not None and subject == f"{dear.date.isoformat()}:{ticker}"


def test_each_detector_finds_its_staged_event(tmp_path: Path, soak_full: bool, tell: Callable[[str], None]) -> None:
    told = [one for one in began(tmp_path, soak_full, staged=True) if one[0] in AT_ONCE | IN_TIME]
    found = [one for one in told if is_staged(*one[:4])]
    for detector, ticker, subject, ordinal, score in found:
        tell(f"demo: {detector} finds {ticker} {subject} in {timeline().sessions[ordinal].date}, score {score}")
    assert {one[0] for one in found} == (AT_ONCE | IN_TIME if soak_full else AT_ONCE)
    # One dear expiration is one alert.
    kinks = Counter((one[1], one[2]) for one in found if one[0] == "term_kink")
    assert set(kinks.values()) == {1}


def test_without_staged_events_a_detector_is_wrong_at_most_once_a_ticker(
    tmp_path: Path, soak_full: bool, tell: Callable[[str], None]
) -> None:
    counted = Counter((one[0], one[1]) for one in began(tmp_path, soak_full, staged=False))
    for detector in DETECTORS:
        by_ticker = {ticker: count for (name, ticker), count in counted.items() if name == detector.name}
        tell(f"demo without events, false alerts of {detector.name}: {sum(by_ticker.values())} {by_ticker}")
    wrong = {key: count for key, count in counted.items() if key[0] in AT_ONCE | IN_TIME and count > 1}
    assert wrong == {}
