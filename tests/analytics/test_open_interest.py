"""Volume and open interest of chains and tickers: sums by hand, and what makes each of them unknown."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from collector.analytics.open_interest import chain_totals, ticker_totals
from exports.documents import CHAIN_TOTALS

NAN = float("nan")
NEAR, FAR = date(2026, 2, 20), date(2026, 3, 20)
Row = tuple[str, float, bool, float]


def frame(
    rows: list[Row],
    *,
    expiration: date = NEAR,
    root: str = "QLMT",
    adjusted: bool = False,
) -> pd.DataFrame:
    """Rows are option type, volume, whether it is of this session, open interest."""
    return pd.DataFrame(
        {
            "option_type": [row[0] for row in rows],
            "volume": np.array([row[1] for row in rows], dtype=np.float64),
            "volume_known": np.array([row[2] for row in rows], dtype=bool),
            "open_interest": np.array([row[3] for row in rows], dtype=np.float64),
            "adjusted": np.full(len(rows), adjusted),
            "root": [root] * len(rows),
            "expiration": [expiration] * len(rows),
        }
    )


def test_sums_by_hand() -> None:
    totals, reasons = chain_totals(
        frame(
            [
                ("call", 10.0, True, 100.0),
                ("call", 30.0, True, 0.0),
                ("put", 50.0, True, 40.0),
                ("put", 0.0, True, 10.0),
            ]
        )
    )
    assert totals == {
        "call_volume": 40,
        "put_volume": 50,
        "volume": 90,
        "call_open_interest": 100,
        "put_open_interest": 50,
        "open_interest": 150,
        "put_call_volume_ratio": 1.25,
        "put_call_open_interest_ratio": 0.5,
    }
    assert reasons == {}
    assert list(totals) == [field.name for field in CHAIN_TOTALS]


def test_carried_volume_is_in_no_sum() -> None:
    totals, reasons = chain_totals(
        frame([("call", 10.0, True, 5.0), ("call", 9_000.0, False, 5.0), ("put", 700.0, False, 5.0)])
    )
    assert (totals["call_volume"], totals["put_volume"], totals["volume"]) == (10, None, 10)
    assert totals["put_call_volume_ratio"] is None
    assert reasons == {"put_volume": "volume_unknown", "put_call_volume_ratio": "volume_unknown"}


def test_volume_that_is_not_stated_is_unknown_and_not_zero() -> None:
    totals, reasons = chain_totals(frame([("call", NAN, True, 5.0), ("put", NAN, True, 5.0)]))
    assert totals["volume"] is None
    assert reasons["volume"] == "volume_unknown"


def test_no_trade_at_all_is_zero_and_has_no_ratio() -> None:
    totals, reasons = chain_totals(frame([("call", 0.0, True, 5.0), ("put", 0.0, True, 5.0)]))
    assert (totals["call_volume"], totals["put_volume"], totals["volume"]) == (0, 0, 0)
    assert totals["put_call_volume_ratio"] is None
    assert reasons == {"put_call_volume_ratio": "zero_denominator"}


def test_open_interest_of_zero_everywhere_is_unknown() -> None:
    totals, reasons = chain_totals(frame([("call", 1.0, True, 0.0), ("put", 1.0, True, 0.0)]))
    names = ("call_open_interest", "put_open_interest", "open_interest", "put_call_open_interest_ratio")
    assert [totals[name] for name in names] == [None] * 4
    assert reasons == dict.fromkeys(names, "open_interest_unknown")


def test_a_side_of_zeros_beside_a_side_that_is_stated_is_zero() -> None:
    totals, reasons = chain_totals(frame([("call", 1.0, True, 0.0), ("put", 1.0, True, 8.0)]))
    assert (totals["call_open_interest"], totals["put_open_interest"]) == (0, 8)
    assert reasons == {"put_call_open_interest_ratio": "zero_denominator"}


def test_a_side_that_is_not_stated() -> None:
    totals, reasons = chain_totals(frame([("call", 1.0, True, NAN), ("put", 1.0, True, 8.0)]))
    assert (totals["call_open_interest"], totals["open_interest"]) == (None, 8)
    assert reasons["put_call_open_interest_ratio"] == "open_interest_unknown"


def test_adjusted_contracts_are_left_out() -> None:
    rows: list[Row] = [("call", 10.0, True, 100.0), ("put", 20.0, True, 50.0)]
    both = pd.concat([frame(rows), frame([("call", 900.0, True, 900.0)], root="QLMT1", adjusted=True)])
    assert chain_totals(both) == chain_totals(frame(rows))
    totals, reasons = chain_totals(frame(rows, adjusted=True))
    assert set(totals.values()) == {None}
    assert set(reasons) == set(totals)


def test_an_adjusted_contract_does_not_make_the_open_interest_of_its_chain_known() -> None:
    zeros = frame([("call", 1.0, True, 0.0), ("put", 1.0, True, 0.0)])
    totals, _ = chain_totals(pd.concat([zeros, frame([("call", 1.0, True, 900.0)], adjusted=True)]))
    assert totals["open_interest"] is None


def test_an_empty_chain() -> None:
    for totals, reasons in (chain_totals(frame([])), ticker_totals(frame([]))):
        assert set(totals.values()) == {None}
        assert set(reasons) == {field.name for field in CHAIN_TOTALS}


def test_a_ticker_sums_its_chains_and_leaves_the_unknown_one_out() -> None:
    known = frame([("call", 10.0, True, 100.0), ("put", 20.0, True, 50.0)])
    dark = frame([("call", 1.0, True, 0.0), ("put", 2.0, True, 0.0)], expiration=FAR)
    totals, reasons = ticker_totals(pd.concat([known, dark]))
    assert (totals["volume"], totals["open_interest"], totals["put_call_open_interest_ratio"]) == (33, 150, 0.5)
    assert reasons == {}
    assert ticker_totals(dark)[0]["open_interest"] is None


def test_two_roots_of_one_date_are_two_chains() -> None:
    morning = frame([("call", 1.0, True, 0.0), ("put", 1.0, True, 7.0)], root="SPX")
    evening = frame([("call", 1.0, True, 0.0), ("put", 1.0, True, 0.0)], root="SPXW")
    totals, _ = ticker_totals(pd.concat([evening, morning]))
    assert (totals["call_open_interest"], totals["open_interest"]) == (0, 7)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["call", "put"]),
            st.one_of(st.integers(0, 10**7).map(float), st.just(NAN)),
            st.booleans(),
            st.one_of(st.integers(0, 10**7).map(float), st.just(NAN)),
        ),
        max_size=30,
    )
)
def test_every_figure_is_known_or_has_a_reason_and_sides_add_up(rows: list[Row]) -> None:
    totals, reasons = chain_totals(frame(rows))
    assert set(reasons) == {name for name, value in totals.items() if value is None}
    for name in ("volume", "open_interest"):
        sides: list[Any] = [totals[f"{side}_{name}"] for side in ("call", "put")]
        stated = [side for side in sides if side is not None]
        assert totals[name] == (sum(stated) if stated else None)
        assert all(isinstance(side, int) for side in stated)


def test_a_chain_of_two_hundred_contracts_takes_less_than_a_third_of_a_millisecond() -> None:
    rng = np.random.default_rng(1)
    rows: list[Row] = [
        ("call" if i < 100 else "put", float(rng.integers(0, 900)), True, float(rng.integers(0, 900)))
        for i in range(200)
    ]
    chain = frame(rows)

    def once() -> float:
        start = time.perf_counter()
        chain_totals(chain)
        return time.perf_counter() - start

    assert min(once() for _ in range(200)) < 0.0003
