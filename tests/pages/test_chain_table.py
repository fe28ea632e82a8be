from __future__ import annotations

from optsite.pages.chain_table import strike_rows, volume_by_strike
from tests.api.sample_market import chain, contract


def test_calls_and_puts_meet_at_their_strike() -> None:
    record = chain("ZORA", "2026-02-20", strikes=3)
    record["calls"] = record["calls"][1:]
    rows = strike_rows(record)
    assert [row["strike"] for row in rows] == [97.5, 100.0, 102.5]
    assert [row["call"] is None for row in rows] == [True, False, False]
    assert all(row["put"]["strike"] == row["strike"] for row in rows)


def test_the_spot_divides_in_from_out_of_the_money() -> None:
    rows = strike_rows(chain("ZORA", "2026-02-20", strikes=3, underlying_price=99.0))
    assert [row["call_in_the_money"] for row in rows] == [True, False, False]
    assert [row["put_in_the_money"] for row in rows] == [False, True, True]
    assert [row["at_the_money"] for row in rows] == [False, True, False]


def test_without_a_spot_no_row_is_in_the_money() -> None:
    rows = strike_rows(chain("ZORA", "2026-02-20", strikes=3, underlying_price=None))
    assert not any(row["call_in_the_money"] or row["put_in_the_money"] or row["at_the_money"] for row in rows)


def test_a_chain_without_contracts_has_no_rows() -> None:
    assert strike_rows(chain("ZORA", "2026-02-20", calls=[], puts=[])) == []


def test_carried_volume_is_not_drawn() -> None:
    calls = [
        contract("ZORA", "2026-02-20", "call", 100.0, volume=7),
        contract("ZORA", "2026-02-20", "call", 105.0, volume=9, flags=["volume_carried"]),
    ]
    drawn = volume_by_strike(chain("ZORA", "2026-02-20", calls=calls, puts=[]))
    assert drawn == {"strikes": [100.0, 105.0], "calls": [7, None], "puts": [None, None], "spot": 101.37}
