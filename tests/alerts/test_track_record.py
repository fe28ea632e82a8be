"""A detector's record: Wilson's interval against published figures, base rates counted by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from collector.alerts.track_record import Judged, Sessions, base_rate, track_record, unproven, wilson
from collector.detectors.past import PastSessions

FIRST = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (3, 2), (-1, 2)])
def test_no_share_has_no_interval(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"{hits} hits of {n}"):
        wilson(hits, n)


def sessions(prices: list[float], gap_after: int | None = None, **figures: list[float]) -> Sessions:
    """Return one session a day; after ``gap_after`` of them one is missing."""
    places = [place + (gap_after is not None and place >= gap_after) for place in range(len(prices))]
    dates = tuple(FIRST + timedelta(days=place) for place in places)
    arrays: dict[str, Any] = {name: np.array(values) for name, values in figures.items()}
    past = PastSessions(dates, {"price": np.array(prices), **arrays})
    return Sessions(past, np.array(places, dtype=np.int64), np.array(prices))


def judged(day: int, favour: float = 1.0, *, hit: bool = True, gain: float = 0.01, **changes: Any) -> Judged:
    whole: dict[str, Any] = {"ticker": "QLMT", "claim": "spot_follows", "metric": "price", **changes}
    return Judged(session=FIRST + timedelta(days=day), favour=favour, hit=hit, gain=gain, **whole)


# Next session up, up, down, up, down, down; the last has none.
PRICES = [100.0, 101.0, 102.0, 99.0, 100.0, 98.0, 97.0]


def test_the_base_rate_counts_every_session_between_the_first_and_the_last_alert() -> None:
    pasts = {"QLMT": sessions(PRICES)}
    assert base_rate([judged(0), judged(5)], pasts, 1) == (pytest.approx(3 / 6), 6)
    assert base_rate([judged(1), judged(3)], pasts, 1) == (pytest.approx(2 / 3), 3)


def test_each_claim_counts_as_often_as_it_was_made() -> None:
    # Of sessions 0 to 2 two rise and one falls: (2/3 + 2/3 + 1/3) / 3.
    made = [judged(0), judged(1), judged(2, -1.0)]
    assert base_rate(made, {"QLMT": sessions(PRICES)}, 1) == (pytest.approx(5 / 9), 3)


def test_a_session_that_is_missing_makes_no_pair() -> None:
    # Session 2 has no next one; its pair with the session after that is two sessions apart.
    pasts = {"QLMT": sessions(PRICES, gap_after=3)}
    assert base_rate([judged(0), judged(6)], pasts, 1) == (pytest.approx(3 / 5), 5)


def test_only_tickers_with_alerts_count() -> None:
    pasts = {"QLMT": sessions(PRICES), "OTHR": sessions([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])}
    assert base_rate([judged(0), judged(5)], pasts, 1) == (pytest.approx(3 / 6), 6)
    both = [judged(0), judged(5), judged(3, ticker="OTHR")]
    assert base_rate(both, pasts, 1) == (pytest.approx(9 / 12), 12)


@pytest.mark.parametrize(
    ("claim", "metric", "favour", "figures", "share"),
    [
        ("iv_falls", "iv_30d", -1.0, {"iv_30d": [0.2, 0.3, 0.1, 0.2]}, 1 / 3),
        ("iv_rises", "atm_iv", 1.0, {"iv_30d": [0.2, 0.3, 0.1, 0.2]}, 2 / 3),
        # Room of a tenth: 0.200 to 0.215, 0.215 to 0.180, 0.180 to 0.190.
        ("iv_stays", "iv_30d", 1.0, {"iv_30d": [0.200, 0.215, 0.180, 0.190]}, 2 / 3),
        ("realised_rises", "realised_volatility_20d", 1.0, {"realised_volatility_20d": [0.1, 0.2, 0.3, 0.2]}, 2 / 3),
        ("metric_reverts", "skew_25d", -1.0, {"skew_25d": [0.1, float("nan"), 0.3, 0.2]}, 1.0),
        # A day at 0.19105 is one per cent; the moves are ln(1.005), ln(1.03) and ln(0.995).
        ("move_within_implied", "implied_move", 1.0, {"iv_30d": [0.19105] * 4}, 2 / 3),
    ],
)
def test_the_base_rate_of_each_claim(
    claim: Any, metric: str, favour: float, figures: dict[str, list[float]], share: float
) -> None:
    pasts = {"QLMT": sessions([100.0, 100.5, 103.515, 102.997], **figures)}
    made = [judged(day, favour, claim=claim, metric=metric) for day in (0, 3)]
    assert base_rate(made, pasts, 1)[0] == pytest.approx(share)


def test_a_record_says_what_it_counts() -> None:
    made = [judged(day, gain=gain, hit=gain > 0) for day, gain in ((0, 0.04), (1, -0.02), (2, 0.01))]
    record = track_record("test_detector", "1", 1, made, {"QLMT": sessions(PRICES)})
    assert (record.n, record.hits, record.hit_rate, record.median) == (3, 2, pytest.approx(2 / 3), 0.01)
    # The share 2/3 of 3: by hand (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n).
    assert (record.low, record.high) == (pytest.approx(0.2077, abs=1e-4), pytest.approx(0.9385, abs=1e-4))
    assert (record.base_rate, record.base_n, record.text) == (pytest.approx(2 / 3), 3, "unproven: n = 3")


def test_twenty_outcomes_are_told_with_their_interval_and_the_base_rate() -> None:
    made = [judged(0, hit=place < 13) for place in range(20)]
    record = track_record("test_detector", "1", 1, made, {"QLMT": sessions(PRICES)})
    assert record.text == "13 of 20 came true (65%, 95 % interval 43% to 82%); base rate 100%"
    nineteen = track_record("test_detector", "1", 1, made[:19], {})
    assert (nineteen.text, nineteen.base_rate, nineteen.base_n) == ("unproven: n = 19", None, 0)


def test_without_outcomes_it_is_unproven() -> None:
    record = unproven("test_detector")
    assert (record.horizon, record.n, record.hit_rate, record.low, record.text) == (
        "5",
        0,
        None,
        None,
        "unproven: n = 0",
    )
