"""The rows of Cboe's tables: what each cell becomes, and what is told of the broken ones."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from collector.providers.base import BadAnswer, ContractQuote
from collector.providers.recorded.cboe_table import CboeTable, is_cboe_table, read_cboe_table
from collector.providers.recorded.grouped_numbers import ungrouped
from tests.providers.cboe_files import COLUMNS, row, strike_row, table_text, write_table

FRIDAY = date(2026, 3, 27)


def read(folder: Path, *rows: str, **more: str) -> CboeTable:
    return read_cboe_table(write_table(folder, *rows, **more))


def test_a_row_is_a_call_and_a_put(tmp_path: Path) -> None:
    table = read(tmp_path)
    assert table.ticker == "ZZTA"
    assert table.contracts == {
        FRIDAY: [
            ContractQuote(
                option_type="call",
                strike=50.0,
                contract_symbol="ZZTA260327C00050000",
                bid=1.15,
                ask=1.25,
                last_price=1.2,
                change=0.1,
                volume=7,
                open_interest=12,
                vendor_implied_volatility=0.3104,
                vendor_delta=0.5512,
            ),
            ContractQuote(
                option_type="put",
                strike=50.0,
                contract_symbol="ZZTA260327P00050000",
                bid=0.65,
                ask=0.75,
                last_price=0.7,
                change=0.0,
                volume=0,
                open_interest=34,
                vendor_implied_volatility=None,
                vendor_delta=-0.4488,
            ),
        ]
    }
    assert (table.faults, table.left_out.total()) == ([], 0)


def test_a_stated_0_stays_0_but_for_an_unsolved_volatility(tmp_path: Path) -> None:
    cells = dict.fromkeys(
        ("call_bid", "call_ask", "call_last", "call_volume", "call_open", "call_iv", "call_delta"), "0"
    )
    call = read(tmp_path, row(**cells)).contracts[FRIDAY][0]
    assert (call.bid, call.ask, call.last_price, call.volume, call.open_interest, call.vendor_delta) == (
        0,
        0,
        0,
        0,
        0,
        0,
    )
    assert call.vendor_implied_volatility is None


def test_an_empty_cell_is_not_stated(tmp_path: Path) -> None:
    call = read(tmp_path, row(call_bid="", call_volume="", call_iv="", call_net="")).contracts[FRIDAY][0]
    assert (call.bid, call.volume, call.vendor_implied_volatility, call.change) == (None, None, None, None)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234", 1234),
        ("1,234,567", 1234567),
        ("130\u202f859\u202f611", 130859611),
        ("4\u00a0045", 4045),
        ("4 045", 4045),
        ("4'045", 4045),
        ("4045", 4045),
    ],
)
def test_thousands_may_be_set_apart(tmp_path: Path, text: str, number: int) -> None:
    table = read(tmp_path, row(call_volume=text, call_open=text, call_last=f"{text}.5"))
    call = table.contracts[FRIDAY][0]
    assert (call.volume, call.open_interest, call.last_price) == (number, number, number + 0.5)


def test_a_unicode_minus_is_a_minus(tmp_path: Path) -> None:
    put = read(tmp_path, row(put_delta="\u22120.4488", put_net="\u22121\u202f204.5")).contracts[FRIDAY][1]
    assert (put.vendor_delta, put.change) == (-0.4488, -1204.5)


@pytest.mark.parametrize("text", ["0,05", "0,055", "12,34", "1,2345", "1,234 567", "1 2", "1,,234"])
def test_what_may_be_another_number_stays_as_it_is(text: str) -> None:
    assert ungrouped(text) == text


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"call_bid": "1.1x"}, "zzta.csv line 6: Calls Bid '1.1x' is not a number"),
        ({"put_volume": "7.5"}, "zzta.csv line 6: Puts Volume '7.5' is not a count of 0 or more"),
        ({"put_open": "-1"}, "zzta.csv line 6: Puts Open Interest '-1' is not a count of 0 or more"),
        ({"call_iv": "inf"}, "zzta.csv line 6: Calls IV 'inf' is not a finite number"),
        ({"call_ask": "0,05"}, "zzta.csv line 6: Calls Ask '0,05' is not a number"),
        ({"call": ""}, "zzta.csv line 6: Calls is empty where an option symbol was expected"),
    ],
)
def test_a_broken_cell_leaves_its_contract_out_and_its_neighbours_stay(
    tmp_path: Path, cells: dict[str, str], told: str
) -> None:
    table = read(tmp_path, row(), strike_row(55.0, **cells), strike_row(60.0))
    assert table.faults == [told]
    assert table.left_out == {FRIDAY: 1}
    assert sum(map(len, table.contracts.values())) == 5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("Mar", "Mrz"), "line 6: Expiration Date 'Fri Mrz 27 2026' is not a date such as Fri Jan 10 2025"),
        (("Mar 27", "Feb 30"), "line 6: Expiration Date 'Fri Feb 30 2026' is not a date"),
        ((",55.00,", ",,"), "line 6: Strike is empty where a number was expected"),
    ],
)
def test_a_row_without_strike_or_expiration_leaves_out_both_its_contracts(
    tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    broken = strike_row(55.0).replace(*change)
    table = read(tmp_path, row(), broken, strike_row(60.0))
    assert told in table.faults[0]
    assert table.left_out == {FRIDAY: 2}
    assert len(table.contracts[FRIDAY]) == 4


def test_a_side_that_is_not_listed_is_no_fault(tmp_path: Path) -> None:
    blank = {
        f"put{name}": ""
        for name in ("", "_last", "_net", "_bid", "_ask", "_volume", "_iv", "_delta", "_gamma", "_open")
    }
    table = read(tmp_path, row(**blank))
    assert (len(table.contracts[FRIDAY]), table.faults) == (1, [])


def test_a_table_that_writes_decimals_with_a_comma_is_refused(tmp_path: Path) -> None:
    rows = [strike_row(strike, call_iv="0,31", put_iv="0,32", call_bid="1,05") for strike in (45.0, 50.0, 55.0)]
    with pytest.raises(BadAnswer, match=r"zzta.csv line 5: Calls IV '0,31' .*; 6 of 6 contracts cannot be read"):
        read(tmp_path, *rows)


def test_a_table_that_is_cut_short_is_named_by_its_line(tmp_path: Path) -> None:
    file = write_table(tmp_path, row(), strike_row(55.0))
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(
        BadAnswer, match=r"zzta.csv line 6: \d+ cells where the columns are 22; the file may be cut short"
    ):
        read_cboe_table(file)


def test_a_spreadsheets_empty_cells_change_nothing(tmp_path: Path) -> None:
    plain = read(tmp_path, row(), strike_row(55.0))
    file = tmp_path / "saved.csv"
    file.write_text("".join(f"{line},,\n" for line in table_text(row(), strike_row(55.0)).split("\r\n")))
    assert read_cboe_table(file).contracts == plain.contracts


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (COLUMNS.replace("Bid", "Offer", 1), "line 4: a table of Cboe needs the column calls.bid"),
        (COLUMNS.replace("Strike,", ""), "line 4: a table of Cboe needs the column strike"),
        (COLUMNS.replace("Net", "Bid", 1), "line 4: two columns of the calls are named 'Bid'"),
    ],
)
def test_columns_that_are_not_the_tables_are_named(tmp_path: Path, columns: str, told: str) -> None:
    with pytest.raises(BadAnswer) as fault:
        read(tmp_path, columns=columns)
    assert told in str(fault.value)


def test_columns_that_are_not_there_are_not_stated(tmp_path: Path) -> None:
    kept = [name for name in COLUMNS.split(",") if name not in ("Gamma", "Delta", "Net")]
    cells = [cell for cell, name in zip(row().split(","), COLUMNS.split(","), strict=True) if name in kept]
    call = read(tmp_path, ",".join(cells), columns=",".join(kept)).contracts[FRIDAY][0]
    assert (call.bid, call.vendor_delta, call.change, call.open_interest) == (1.15, None, None, 12)


@pytest.mark.parametrize(
    ("root", "ticker"),
    [
        ("SPX", "^SPX"),
        ("SPXW", "^SPX"),
        ("XSP", "^XSP"),
        ("NDXP", "^NDX"),
        ("VIXW", "^VIX"),
        ("BRKB", "BRK-B"),
        ("NVDA", "NVDA"),
    ],
)
def test_the_ticker_is_the_symbols(tmp_path: Path, root: str, ticker: str) -> None:
    assert read(tmp_path, strike_row(50.0, ticker=root)).ticker == ticker


def test_roots_beside_the_tickers_own_change_nothing(tmp_path: Path) -> None:
    adjusted = strike_row(50.0, ticker="ZZTA1")
    table = read(tmp_path, adjusted, strike_row(50.0), strike_row(55.0))
    assert table.ticker == "ZZTA"
    assert {contract.contract_symbol for contract in table.contracts[FRIDAY]} >= {"ZZTA1260327C00050000"}
    assert read(tmp_path, adjusted, name="alone.csv").ticker == "ZZTA"


def test_without_a_symbol_there_is_no_ticker(tmp_path: Path) -> None:
    with pytest.raises(BadAnswer, match="line 5: no option symbol tells the ticker"):
        read(tmp_path, row(call="Zzta Mar 50 C", put="Zzta Mar 50 P"))


def test_a_table_without_a_row_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "empty.csv"
    file.write_text("\n".join(table_text().split("\r\n")[:4]))
    with pytest.raises(BadAnswer, match=r"empty.csv: a table without a row"):
        read_cboe_table(file)


@pytest.mark.parametrize(
    "day", ["Fri Mar 27 2026", "Mar 27 2026", "Fri, Mar 27, 2026", "2026-03-27", "FRI MAR 27 2026"]
)
def test_expirations_are_read_in_each_of_their_forms(tmp_path: Path, day: str) -> None:
    assert list(read(tmp_path, row(day=day)).contracts) == [FRIDAY]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (table_text(), True),
        (table_text().lstrip(), True),
        (COLUMNS, True),
        ("ticker,type,strike,bid,expiration\nZZTA,call,1,1,2026-03-27\n", False),
        ("\n" * 20 + COLUMNS, False),
        ("", False),
    ],
)
def test_a_table_is_known_by_its_columns(text: str, expected: bool) -> None:
    assert is_cboe_table(text.encode()) is expected
