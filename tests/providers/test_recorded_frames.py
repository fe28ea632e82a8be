from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from collector.providers.base import BadAnswer, ContractQuote
from collector.providers.recorded.cells import read_table
from collector.providers.recorded.frames import TickerFrame, frame_tickers, is_frame, missing_columns, read_frames
from tests.providers.recorded_files import FRAME_NAME, frame_row, write_frame

FRIDAY = date(2026, 3, 27)
FULL_HEADER = (
    "contractSymbol,lastTradeDate,strike,lastPrice,bid,ask,change,percentChange,volume,openInterest,"
    "impliedVolatility,inTheMoney,contractSize,currency,type,expiration,ticker,spot_price"
)
FULL_ROW = (
    "ZZTA260327P00050000,2026-03-24 16:38:31+00:00,50.0,1.2,1.15,1.25,-0.3,-20.0,7.0,12.0,"
    "0.31,True,REGULAR,USD,put,2026-03-27,ZZTA,50.5"
)


def read(folder: Path, *rows: str, header: str | None = None) -> dict[str, TickerFrame]:
    file = write_frame(folder, *rows, header=header) if header else write_frame(folder, *rows)
    return read_frames(read_table(file))


def only_contract(folder: Path, *rows: str, header: str | None = None) -> ContractQuote:
    (contract,) = read(folder, *rows, header=header)["ZZTA"].contracts[FRIDAY]
    return contract


def test_a_full_frame_is_read_column_by_column(tmp_path: Path) -> None:
    assert only_contract(tmp_path, FULL_ROW, header=FULL_HEADER) == ContractQuote(
        option_type="put",
        strike=50.0,
        contract_symbol="ZZTA260327P00050000",
        bid=1.15,
        ask=1.25,
        last_price=1.2,
        last_trade_time=datetime(2026, 3, 24, 16, 38, 31, tzinfo=UTC),
        change=-0.3,
        volume=7,
        open_interest=12,
        vendor_implied_volatility=0.31,
        in_the_money=True,
        contract_size=100,
        currency="USD",
    )


def test_a_column_that_is_not_there_is_none(tmp_path: Path) -> None:
    contract = only_contract(tmp_path, "ZZTA,call,50,1.15,2026-03-27", header="ticker,type,strike,bid,expiration")
    assert contract == ContractQuote("call", 50.0, bid=1.15)


@pytest.mark.parametrize("missing", ["", " ", "nan", "NaN", "None", "<NA>"])
def test_an_empty_cell_is_none(tmp_path: Path, missing: str) -> None:
    contract = only_contract(tmp_path, frame_row(bid=missing, volume=missing))
    assert (contract.bid, contract.volume) == (None, None)


def test_a_stated_zero_stays_zero(tmp_path: Path) -> None:
    contract = only_contract(tmp_path, frame_row(bid="0.0", ask="0", volume="0.0", openInterest="0"))
    assert (contract.bid, contract.ask, contract.volume, contract.open_interest) == (0.0, 0.0, 0, 0)


def test_headers_are_compared_without_case_and_underscores_and_row_numbers_are_passed_over(tmp_path: Path) -> None:
    header = ",Ticker,TYPE,strike,last_price,open_interest,Expiration"
    contract = only_contract(tmp_path, "0,zzta,Calls,50,1.2,12,2026-03-27 00:00:00", header=header)
    assert (contract.option_type, contract.last_price, contract.open_interest) == ("call", 1.2, 12)


def test_a_byte_order_mark_and_windows_lines_do_not_matter(tmp_path: Path) -> None:
    file = tmp_path / FRAME_NAME
    file.write_bytes(b"\xef\xbb\xbf" + f"{FULL_HEADER}\r\n{FULL_ROW}\r\n\r\n".encode())
    assert len(read_frames(read_table(file))["ZZTA"].contracts[FRIDAY]) == 1


def test_the_ticker_is_canonical(tmp_path: Path) -> None:
    file = write_frame(tmp_path, frame_row("zzt.b"), frame_row("ZZT-B"), frame_row("SPX"))
    assert frame_tickers(read_table(file)) == ("ZZT-B", "^SPX")
    frames = read_frames(read_table(file))
    assert [len(frames[ticker].contracts[FRIDAY]) for ticker in ("ZZT-B", "^SPX")] == [2, 1]


@pytest.mark.parametrize("strike", ["", "0", "-5"])
def test_a_row_without_a_usable_strike_is_passed_on_for_its_neighbours_sake(tmp_path: Path, strike: str) -> None:
    frame = read(tmp_path, frame_row(), frame_row(strike=strike))["ZZTA"]
    assert frame.fault is None
    assert [one.strike > 0 for one in frame.contracts[FRIDAY]] == [True, False]


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ({"type": "straddle"}, "type 'straddle' is not call or put"),
        ({"type": ""}, "type None is not call or put"),
        ({"strike": "fifty"}, "strike 'fifty' is not a number"),
        ({"ask": "1.2.3"}, "ask '1.2.3' is not a number"),
        ({"ask": "inf"}, "ask 'inf' is not a finite number"),
        ({"ask": "1_0"}, "ask '1_0' is not a finite number"),
        ({"volume": "1.5"}, "volume '1.5' is not a count of 0 or more"),
        ({"openInterest": "-3"}, "openInterest '-3' is not a count of 0 or more"),
        ({"openInterest": "1e14"}, "openInterest '1e14' is not a count of at most 1,000,000,000,000"),
        ({"volume": "1e300"}, "volume '1e300' is not a number that a market states"),
        ({"bid": "-1e300"}, "bid '-1e300' is not a number that a market states"),
        ({"expiration": "27.03.2026"}, "expiration '27.03.2026' is not a date such as 2026-03-27"),
        ({"expiration": ""}, "expiration None is not a date such as 2026-03-27"),
        ({"spot_price": "=A1"}, "spot_price '=A1' is not a number"),
    ],
)
def test_a_broken_cell_is_named_by_file_line_and_column(tmp_path: Path, cells: dict[str, str], complaint: str) -> None:
    frames = read(tmp_path, frame_row(), frame_row(**cells), frame_row("ZZTB"))
    assert str(frames["ZZTA"].fault) == f"{FRAME_NAME} line 3: {complaint}"
    assert frames["ZZTB"].fault is None


@pytest.mark.parametrize(
    ("column", "cell", "complaint"),
    [
        ("lastTradeDate", "2026-03-24 16:38:31", "lastTradeDate '2026-03-24 16:38:31' is not a time with its zone"),
        ("lastTradeDate", "yesterday", "lastTradeDate 'yesterday' is not a time such as"),
        ("lastTradeDate", "0001-01-01T00:00+14:00", "is not a time within the years 1 to 9999"),
        ("inTheMoney", "maybe", "inTheMoney 'maybe' is not true or false"),
        ("contractSize", "LARGE", "contractSize 'LARGE' is not a number"),
    ],
)
def test_cells_of_the_wider_frames_are_checked_too(tmp_path: Path, column: str, cell: str, complaint: str) -> None:
    cells = dict(zip(FULL_HEADER.split(","), FULL_ROW.split(","), strict=True)) | {column: cell}
    fault = read(tmp_path, ",".join(cells.values()), header=FULL_HEADER)["ZZTA"].fault
    assert complaint in str(fault)


def test_a_row_that_names_no_ticker_spoils_the_file(tmp_path: Path) -> None:
    file = write_frame(tmp_path, frame_row(), frame_row("not a ticker"))
    with pytest.raises(BadAnswer, match=rf"{FRAME_NAME} line 3: ticker 'not a ticker' is not a ticker"):
        frame_tickers(read_table(file))


def test_what_a_frame_is() -> None:
    assert is_frame({"strike", "bid"})
    assert not is_frame({"strike", "expiration"})
    assert not is_frame({"ticker", "date", "close"})
    assert missing_columns({"strike", "bid", "type"}) == ("ticker", "expiration")
