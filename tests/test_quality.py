"""Grades: every cut-off at its edge, the reference price by hand, what the clock allows."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.market.calendar import QuoteMoment
from collector.quality import Evidence, Quotes, at_least, grade, is_usable, reference_price

STAMP = datetime(2026, 3, 24, 17, 0, tzinfo=UTC)
NAN = math.nan


def moment(age: timedelta = timedelta(minutes=15), *, in_session: bool = True) -> QuoteMoment:
    return QuoteMoment(STAMP, STAMP - age, STAMP - age, date(2026, 3, 24), date(2026, 3, 23), in_session)


def quotes(rows: list[tuple[float, str, float, float]], open_interest: float = 500.0, adjusted: bool = False) -> Quotes:
    """Return the columns of rows (strike, type, bid, ask); the mid as a two-sided quote has one."""
    strike, kind, bid, ask = (np.array(column) for column in zip(*rows, strict=True))
    two_sided = (bid > 0) & (ask >= bid)
    return Quotes(
        strike=strike.astype(float),
        is_call=kind == "call",
        bid=bid.astype(float),
        ask=ask.astype(float),
        mid=np.where(two_sided, (bid + ask) / 2, NAN),
        open_interest=np.full(len(rows), open_interest),
        adjusted=np.full(len(rows), adjusted),
        flagged=~two_sided,
    )


def ladder(two_sided: int, half_width: float = 0.5) -> Quotes:
    """Return 40 contracts near the money, the first ``two_sided`` with mids of 40 and spreads of 2 x half_width.

    Call and put at 100 cost the same: the forward is 100, the straddle 80, the deviation 1.25 x 80 / 100 = 1, so that
    all strikes from 100 to 195 are near the money (ln 1.95 = 0.67).
    """
    rows = [(100.0 + 5 * step, kind) for step in range(20) for kind in ("call", "put")]
    return quotes(
        [
            (strike, kind, *((40 - half_width, 40 + half_width) if number < two_sided else (0.0, 0.0)))
            for number, (strike, kind) in enumerate(rows)
        ]
    )


@pytest.mark.parametrize(
    ("two_sided", "share", "letter"),
    [
        (40, 1.0, "A"),
        (38, 0.95, "A"),
        (37, 0.925, "B"),
        (32, 0.80, "B"),
        (31, 0.775, "C"),
        (24, 0.60, "C"),
        (23, 0.575, "D"),
        (16, 0.40, "D"),
        (15, 0.375, "E"),
        (4, 0.10, "E"),
        (3, 0.075, "F"),
    ],
)
def test_the_two_sided_share_at_each_cut_off(two_sided: int, share: float, letter: str) -> None:
    graded = grade(ladder(two_sided), 100.0, moment())
    assert (graded.grade, graded.facts["two_sided_share"]) == (letter, share)
    assert graded.reasons == (() if letter == "A" else ("few_two_sided_quotes",))


@pytest.mark.parametrize(
    ("half_width", "spread", "letter"),
    [
        (1.0, 0.05, "A"),
        (1.01, 0.0505, "B"),
        (3.0, 0.15, "B"),
        (3.01, 0.1505, "C"),
        (5.0, 0.25, "C"),
        (5.01, 0.2505, "D"),
        (10.0, 0.5, "D"),
        (10.01, 0.5005, "E"),
        (20.0, 1.0, "E"),
        (20.01, 1.0005, "F"),
    ],
)
def test_the_median_spread_at_each_cut_off(half_width: float, spread: float, letter: str) -> None:
    graded = grade(ladder(40, half_width), 100.0, moment())
    assert graded.grade == letter
    assert graded.facts["median_relative_spread"] == pytest.approx(spread, rel=1e-12)
    assert graded.reasons == (() if letter == "A" else ("wide_spreads",))


def test_both_faults_are_named_and_the_worse_one_decides() -> None:
    graded = grade(ladder(32, 5.0), 100.0, moment())
    assert (graded.grade, graded.reasons) == ("C", ("few_two_sided_quotes", "wide_spreads"))


def test_the_reference_is_the_forward_by_parity_at_the_least_difference() -> None:
    rows = [
        (95.0, "call", 7.1, 7.3),
        (95.0, "put", 1.8, 2.0),
        (100.0, "call", 3.9, 4.1),
        (100.0, "put", 3.4, 3.6),
        (105.0, "call", 1.9, 2.1),
        (105.0, "put", 6.2, 6.4),
    ]
    # |C - P| is 5.3, 0.5, 4.3: F = 100 + 4.0 - 3.5, straddle 7.5, deviation 1.25 x 7.5 / 100.5.
    forward, source, deviation = reference_price(quotes(rows), 90.0)
    assert source == "parity"
    assert forward == pytest.approx(100.5)
    assert deviation == pytest.approx(0.0932836, abs=1e-7)
    facts = grade(quotes(rows), 90.0, moment()).facts
    # ln(95/100.5) = -0.0563, ln(105/100.5) = 0.0438: all six are near.
    assert (facts["near_the_money"], facts["two_sided"], facts["contracts"]) == (6, 6, 6)


def test_the_deviation_is_at_least_five_per_cent() -> None:
    rows = [(100.0, "call", 0.5, 0.7), (100.0, "put", 0.4, 0.6)]
    # 1.25 x 1.1 / 100.1 is 1.4 %.
    assert reference_price(quotes(rows), None) == (pytest.approx(100.1), "parity", 0.05)


def test_without_a_two_sided_strike_the_reference_is_the_spot() -> None:
    rows = [(100.0, "call", 3.9, 4.1), (100.0, "put", 0.0, 3.6), (105.0, "call", 1.9, 2.1), (94.0, "put", 1.0, 1.1)]
    assert reference_price(quotes(rows), 100.0) == (100.0, "spot", 0.05)
    # 94 lies ln(0.94) = -6.2 % away, 105 lies 4.9 %: three are near, two of them two-sided.
    facts = grade(quotes(rows), 100.0, moment()).facts
    assert (facts["near_the_money"], facts["two_sided"]) == (3, 2)


@pytest.mark.parametrize("spot", [None, 0.0, -3.0])
def test_neither_forward_nor_spot_is_no_reference(spot: float | None) -> None:
    rows = [(strike, kind, 0.0, 0.0) for strike in (18150.0, 18200.0) for kind in ("call", "put")]
    graded = grade(quotes(rows), spot, moment())
    assert (graded.grade, graded.reasons) == ("F", ("no_reference_price",))
    assert graded.facts["reference_price"] is None
    assert graded.facts["deviation"] is None
    assert graded.facts["near_the_money"] == 0


def test_a_forward_by_parity_stands_in_for_a_missing_spot() -> None:
    graded = grade(ladder(40), None, moment())
    assert (graded.grade, graded.facts["reference_source"], graded.facts["reference_price"]) == ("A", "parity", 100.0)


def test_one_put_alone_is_too_few_contracts() -> None:
    graded = grade(quotes([(35.0, "put", 0.0, 0.0)]), 41.0, moment())
    assert (graded.grade, graded.reasons[0]) == ("F", "too_few_contracts")


@pytest.mark.parametrize(("count", "reason"), [(3, ("too_few_contracts",)), (4, ())])
def test_four_contracts_can_be_graded(count: int, reason: tuple[str, ...]) -> None:
    rows = [(100.0, "call", 3.9, 4.1), (100.0, "put", 3.9, 4.1), (101.0, "call", 3.4, 3.5), (101.0, "put", 4.4, 4.5)]
    assert grade(quotes(rows[:count]), 100.0, moment()).reasons == reason


def test_no_contract_near_the_money_is_too_few() -> None:
    rows = [(strike, "call", 0.0, 0.1) for strike in (200.0, 210.0, 220.0, 230.0)]
    assert grade(quotes(rows), 100.0, moment()).reasons == ("too_few_contracts",)


def test_quotes_of_zero_near_the_money_are_no_two_sided_quotes() -> None:
    rows = [(strike, kind, 0.0, 0.0) for strike in (99.0, 101.0) for kind in ("call", "put")]
    graded = grade(quotes(rows, open_interest=0.0), 100.0, moment())
    assert (graded.grade, graded.reasons) == ("F", ("no_two_sided_quotes", "open_interest_unknown"))


def test_adjusted_contracts_count_for_nothing() -> None:
    graded = grade(quotes([(100.0, "call", 3.9, 4.1)] * 8, adjusted=True), 100.0, moment())
    assert (graded.grade, graded.reasons[0]) == ("F", "no_contracts")
    assert (graded.facts["adjusted"], graded.facts["contracts"]) == (8, 0)
    mixed = ladder(40)
    mixed = replace(mixed, adjusted=np.arange(40) >= 38)
    facts = grade(mixed, 100.0, moment()).facts
    assert (facts["contracts"], facts["near_the_money"], facts["adjusted"]) == (38, 38, 2)


@pytest.mark.parametrize(
    ("age", "in_session", "open_interest", "letter", "reasons"),
    [
        (timedelta(minutes=30), True, 500.0, "A", ()),
        (timedelta(minutes=30, seconds=1), True, 500.0, "C", ("stale_quotes",)),
        (timedelta(minutes=15), False, 500.0, "B", ("outside_session",)),
        (timedelta(hours=9), False, 500.0, "B", ("outside_session",)),
        (timedelta(minutes=15), True, 0.0, "C", ("open_interest_unknown",)),
        (timedelta(minutes=15), True, NAN, "C", ("open_interest_unknown",)),
        (timedelta(minutes=15), False, 0.0, "C", ("outside_session", "open_interest_unknown")),
    ],
)
def test_what_clock_and_open_interest_allow(
    age: timedelta, in_session: bool, open_interest: float, letter: str, reasons: tuple[str, ...]
) -> None:
    lively = replace(ladder(40), open_interest=np.full(40, open_interest))
    graded = grade(lively, 100.0, moment(age, in_session=in_session))
    assert (graded.grade, graded.reasons) == (letter, reasons)
    assert graded.facts["open_interest_known"] is (open_interest == 500.0)
    assert graded.facts["quote_age_seconds"] == age.total_seconds()


def test_a_cap_never_lifts_a_grade() -> None:
    assert grade(ladder(15), 100.0, moment(in_session=False)).grade == "E"


@pytest.mark.parametrize("spot", [None, 100.0])
def test_facts_are_json_without_nan(spot: float | None) -> None:
    for columns in (ladder(0), ladder(3), ladder(40), quotes([(100.0, "put", NAN, NAN)])):
        size = len(columns.strike)
        unknown = evidence(columns, overlap=None, forward=None, implied_volatility=np.full(size, NAN))
        for seen in (None, evidence(columns, at_fault=1), unknown):
            facts = grade(columns, spot, moment(), seen).facts
            assert json.loads(json.dumps(facts, allow_nan=False)) == facts


def evidence(columns: Quotes, at_fault: int = 0, overlap: float | None = 1.0, **more: Any) -> Evidence:
    """Return evidence of which the first ``at_fault`` rows are at fault, all volatilities .2, the vendor's .21."""
    size = len(columns.strike)
    plain: dict[str, Any] = {
        "forward": 100.0,
        "at_fault": np.arange(size) < at_fault,
        "band_overlap_share": overlap,
        "implied_volatility": np.full(size, 0.20),
        "vendor_implied_volatility": np.full(size, 0.21),
    }
    return Evidence(**(plain | more))


@pytest.mark.parametrize(
    ("at_fault", "share", "letter"),
    [
        (4, 0.10, "A"),
        (5, 0.125, "B"),
        (16, 0.40, "B"),
        (17, 0.425, "C"),
        (24, 0.60, "C"),
        (25, 0.625, "D"),
        (40, 1.0, "D"),
    ],
)
def test_the_share_of_rows_at_fault_at_each_cut_off(at_fault: int, share: float, letter: str) -> None:
    columns = ladder(40)
    graded = grade(columns, 100.0, moment(), evidence(columns, at_fault))
    assert (graded.grade, graded.facts["at_fault_share"], graded.facts["at_fault"]) == (letter, share, at_fault)
    assert graded.reasons == (() if letter == "A" else ("many_breaches",))


@pytest.mark.parametrize(
    ("overlap", "letter"),
    [(1.0, "A"), (0.90, "A"), (0.899, "B"), (0.60, "B"), (0.599, "C"), (0.30, "C"), (0.299, "D"), (0.0, "D")],
)
def test_the_overlap_of_call_and_put_at_each_cut_off(overlap: float, letter: str) -> None:
    columns = ladder(40)
    graded = grade(columns, 100.0, moment(), evidence(columns, overlap=overlap))
    assert (graded.grade, graded.facts["band_overlap_share"]) == (letter, overlap)
    assert graded.reasons == (() if letter == "A" else ("sides_disagree",))


def test_evidence_never_lifts_what_the_quotes_earn() -> None:
    columns = ladder(15)
    assert grade(columns, 100.0, moment(), evidence(columns)).grade == "E"
    wide = ladder(40, 5.0)
    assert grade(wide, 100.0, moment(), evidence(wide, 5)).reasons == ("wide_spreads", "many_breaches")


def test_without_strikes_to_tell_by_the_overlap_says_nothing() -> None:
    columns = ladder(40)
    graded = grade(columns, 100.0, moment(), evidence(columns, overlap=None))
    assert (graded.grade, graded.facts["band_overlap_share"]) == ("A", None)


def test_rows_at_fault_count_near_the_money_and_two_sided_alone() -> None:
    columns = ladder(38)
    # The two rows that are not two-sided, and two far from the money.
    far = replace(columns, strike=np.where(np.arange(40) < 2, 10_000.0, columns.strike))
    at_fault = (np.arange(40) < 2) | (np.arange(40) >= 38)
    graded = grade(far, 100.0, moment(), replace(evidence(far), at_fault=at_fault))
    assert (graded.facts["at_fault"], graded.facts["at_fault_share"]) == (0, 0.0)


def test_the_forward_of_the_volatilities_is_the_reference() -> None:
    columns = ladder(40)
    graded = grade(columns, 90.0, moment(), evidence(columns, forward=260.0))
    # ln(100/260) = -.956 and ln(95.65/260) = -1: all 40 are near; at 280 those at 100 (ln = -1.03) are not.
    assert (graded.facts["reference_price"], graded.facts["reference_source"]) == (260.0, "forward")
    assert graded.facts["near_the_money"] == 40
    assert grade(columns, 90.0, moment(), evidence(columns, forward=280.0)).facts["near_the_money"] == 38
    assert grade(columns, 90.0, moment(), evidence(columns, forward=None)).facts["reference_source"] == "parity"


@pytest.mark.parametrize("vendor", [0.2, 0.21, 5.0, 1e-5])
def test_what_the_vendor_says_is_a_fact_and_lowers_nothing(vendor: float) -> None:
    columns = ladder(40)
    graded = grade(columns, 100.0, moment(), evidence(columns, vendor_implied_volatility=np.full(40, vendor)))
    assert (graded.grade, graded.reasons) == ("A", ())
    assert graded.facts["vendor_difference"] == pytest.approx(abs(vendor - 0.20))
    assert graded.facts["vendor_compared"] == 40


def test_the_vendors_difference_is_the_median_where_both_have_a_volatility() -> None:
    columns = ladder(40)
    ours, theirs = np.full(40, 0.20), np.full(40, NAN)
    theirs[:5] = (0.21, 0.22, 0.17, 0.20, 0.90)
    ours[3] = NAN
    graded = grade(
        columns, 100.0, moment(), evidence(columns, implied_volatility=ours, vendor_implied_volatility=theirs)
    )
    # .01, .02, .03, -, .70
    assert graded.facts["vendor_difference"] == pytest.approx(0.025)
    assert graded.facts["vendor_compared"] == 4
    nothing = grade(columns, 100.0, moment(), evidence(columns, vendor_implied_volatility=np.full(40, NAN)))
    assert (nothing.facts["vendor_difference"], nothing.facts["vendor_compared"]) == (None, 0)


def test_without_evidence_its_facts_are_null() -> None:
    facts = grade(ladder(40), 100.0, moment()).facts
    names = ("at_fault", "at_fault_share", "band_overlap_share", "vendor_difference", "vendor_compared")
    assert [facts[name] for name in names] == [None] * 5


@given(
    two_sided=st.integers(0, 40),
    half_width=st.floats(0.01, 30.0),
    at_fault=st.integers(0, 40),
    overlap=st.one_of(st.none(), st.floats(0.0, 1.0)),
)
def test_more_faults_never_grade_better(
    two_sided: int, half_width: float, at_fault: int, overlap: float | None
) -> None:
    columns = ladder(two_sided, half_width)
    by_quotes = grade(columns, 100.0, moment()).grade
    found = grade(columns, 100.0, moment(), evidence(columns, at_fault, overlap)).grade
    worse = grade(
        columns, 100.0, moment(), evidence(columns, min(at_fault + 5, 40), (1.0 if overlap is None else overlap) / 2)
    ).grade
    assert by_quotes <= found <= worse


def test_a_to_d_are_usable() -> None:
    assert [is_usable(letter) for letter in "ABCDEF"] == [True] * 4 + [False] * 2
    assert (at_least("B", "C"), at_least("C", "C"), at_least("D", "C")) == (True, True, False)
