from __future__ import annotations

import json
import math
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.market.calendar import expiration_of_epoch
from collector.market.contract import (
    ContractError,
    OccSymbol,
    build_occ,
    default_root,
    is_adjusted,
    parse_occ,
    roots,
)

# Terms as the exchanges list them, symbols in the form that the OCC's symbology describes.
SYMBOLS = [
    ("AAPL260116C00150000", OccSymbol("AAPL", date(2026, 1, 16), "call", 150.0)),
    ("F260220P00012500", OccSymbol("F", date(2026, 2, 20), "put", 12.5)),
    ("BRKB270115P00480000", OccSymbol("BRKB", date(2027, 1, 15), "put", 480.0)),
    ("SPXW260331C06500000", OccSymbol("SPXW", date(2026, 3, 31), "call", 6500.0)),
    ("SPX281215P12000000", OccSymbol("SPX", date(2028, 12, 15), "put", 12000.0)),
    ("AMD1260116C00150000", OccSymbol("AMD1", date(2026, 1, 16), "call", 150.0)),
    ("SDS1240119P00008000", OccSymbol("SDS1", date(2024, 1, 19), "put", 8.0)),
    ("USO1200717C00002500", OccSymbol("USO1", date(2020, 7, 17), "call", 2.5)),
    ("TSLA220617C00066670", OccSymbol("TSLA", date(2022, 6, 17), "call", 66.67)),
    ("GOOGL280229C00000001", OccSymbol("GOOGL", date(2028, 2, 29), "call", 0.001)),
    ("XYZABC991231P99999999", OccSymbol("XYZABC", date(2099, 12, 31), "put", 99999.999)),
    ("2AAPL260116C00150000", OccSymbol("2AAPL", date(2026, 1, 16), "call", 150.0)),
]


@pytest.mark.parametrize(("symbol", "terms"), SYMBOLS)
def test_symbols_are_read_from_the_right(symbol: str, terms: OccSymbol) -> None:
    assert parse_occ(symbol) == terms


@pytest.mark.parametrize(("symbol", "terms"), SYMBOLS)
def test_symbols_are_built(symbol: str, terms: OccSymbol) -> None:
    assert build_occ(terms.root, terms.expiration, terms.option_type, terms.strike) == symbol


@pytest.mark.parametrize(
    "written",
    ["AAPL  260116C00150000", "aapl260116c00150000", "  AAPL260116C00150000\n", "AAPL 260116C00150000"],
)
def test_padded_and_lower_case_symbols_are_read(written: str) -> None:
    assert parse_occ(written) == OccSymbol("AAPL", date(2026, 1, 16), "call", 150.0)


@pytest.mark.parametrize(
    ("symbol", "part"),
    [
        ("", "eight digits of strike"),
        ("AAPL", "eight digits of strike"),
        ("AAPL260116X00150000", "C or P"),
        ("AAPL260116C0015000", "eight digits of strike"),
        ("AAPL260116C00150.00", "eight digits of strike"),
        ("260116C00150000", "eight digits of strike"),
        ("260116260116C00150000", "the root '260116'"),
        ("ABCDEFG260116C00150000", "the root 'ABCDEFG'"),
        ("BRK.B260116C00150000", "eight digits of strike"),
        ("AAPL260230C00150000", "260230 is no date"),
        ("AAPL261301C00150000", "261301 is no date"),
        ("AAPL260116C00000000", "the strike is 0"),
        ("AAPL２60116C00150000", "eight digits of strike"),
    ],
)
def test_what_is_no_symbol_is_refused_by_name(symbol: str, part: str) -> None:
    with pytest.raises(ContractError) as caught:
        parse_occ(symbol)
    message = str(caught.value)
    assert repr(symbol) in message
    assert part in message
    assert "\n" not in message


def test_a_long_text_is_cut_in_the_message() -> None:
    with pytest.raises(ContractError) as caught:
        parse_occ("A" * 5000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("root", "expiration", "option_type", "strike", "part"),
    [
        ("", date(2026, 1, 16), "call", 150.0, "root ''"),
        ("brkb", date(2026, 1, 16), "call", 150.0, "root 'brkb'"),
        ("BRK-B", date(2026, 1, 16), "call", 150.0, "root 'BRK-B'"),
        ("ABCDEFG", date(2026, 1, 16), "call", 150.0, "root 'ABCDEFG'"),
        ("AAPL", date(1999, 1, 15), "call", 150.0, "expiration 1999-01-15"),
        ("AAPL", date(2100, 1, 15), "call", 150.0, "expiration 2100-01-15"),
        ("AAPL", date(2026, 1, 16), "C", 150.0, "option_type 'C'"),
        ("AAPL", date(2026, 1, 16), "call", 0.0, "strike 0.0"),
        ("AAPL", date(2026, 1, 16), "call", 1e-9, "strike 1e-09"),
        ("AAPL", date(2026, 1, 16), "call", -5.0, "strike -5.0"),
        ("AAPL", date(2026, 1, 16), "call", 100000.0, "strike 100000.0"),
        ("AAPL", date(2026, 1, 16), "call", 12.3456, "strike 12.3456"),
        ("AAPL", date(2026, 1, 16), "call", math.nan, "strike nan"),
        ("AAPL", date(2026, 1, 16), "call", math.inf, "strike inf"),
    ],
)
def test_terms_without_room_in_a_symbol_are_refused(
    root: str, expiration: date, option_type: str, strike: float, part: str
) -> None:
    with pytest.raises(ContractError) as caught:
        build_occ(root, expiration, option_type, strike)  # type: ignore[arg-type]
    assert part in str(caught.value)
    assert "must" in str(caught.value)


def test_a_strike_with_the_noise_of_binary_fractions_is_built() -> None:
    assert build_occ("AAPL", date(2026, 1, 16), "call", 0.1 + 0.2) == "AAPL260116C00000300"
    assert build_occ("AAPL", date(2026, 1, 16), "call", 64.99999999999999) == "AAPL260116C00065000"


@given(
    root=st.from_regex(r"\A[0-9]?[A-Z]{1,4}[0-9]?\Z"),
    expiration=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    option_type=st.sampled_from(("call", "put")),
    thousandths=st.integers(1, 99_999_999),
)
def test_terms_survive_the_way_there_and_back(root: str, expiration: date, option_type: str, thousandths: int) -> None:
    terms = OccSymbol(root, expiration, option_type, thousandths / 1000)  # type: ignore[arg-type]
    symbol = build_occ(terms.root, terms.expiration, terms.option_type, terms.strike)
    assert parse_occ(symbol) == terms
    padded = f"{root:<6}{symbol[len(root) :]}"
    assert len(padded) == 21
    assert parse_occ(padded.lower()) == terms


@pytest.mark.parametrize(
    ("ticker", "expected"),
    [
        ("AAPL", ("AAPL",)),
        ("BRK-B", ("BRKB",)),
        ("^SPX", ("SPX", "SPXW")),
        ("^NDX", ("NDX", "NDXP")),
        ("^VIX", ("VIX", "VIXW")),
        ("^RUT", ("RUT", "RUTW")),
        ("^XSP", ("XSP",)),
        ("^DJX", ("DJX",)),
    ],
)
def test_roots_of_a_ticker(ticker: str, expected: tuple[str, ...]) -> None:
    assert roots(ticker) == expected


@pytest.mark.parametrize(
    ("ticker", "expected"),
    [
        ("AAPL", "AAPL"),
        ("BRK-B", "BRKB"),
        ("^SPX", "SPXW"),
        ("^NDX", "NDXP"),
        ("^RUT", "RUTW"),
        ("^XSP", "XSP"),
        ("^VIX", "VIX"),
    ],
)
def test_root_of_a_frame_without_symbols(ticker: str, expected: str) -> None:
    assert default_root(ticker) == expected


@pytest.mark.parametrize(
    ("ticker", "root", "contract_size"),
    [
        ("AAPL", "AAPL", 100),
        ("AAPL", "AAPL", None),
        ("BRK-B", "BRKB", 100),
        ("^SPX", "SPX", 100),
        ("^SPX", "SPXW", None),
        ("^XSP", "XSP", 100),
    ],
)
def test_standard_contracts(ticker: str, root: str, contract_size: int | None) -> None:
    assert not is_adjusted(ticker, root, contract_size)


@pytest.mark.parametrize(
    ("ticker", "root", "contract_size"),
    [
        ("AMD", "AMD1", 100),
        ("SDS", "SDS1", None),
        ("USO", "USO1", 100),
        ("AMD1", "AMD1", 100),
        ("AAPL", "AAPL7", 10),
        ("AAPL", "AAPL", 10),
        ("AAPL", "AAPL", 150),
        ("AAPL", "AAPL", 0),
        ("META", "FB", 100),
        ("AAPL", "2AAPL", 100),
        ("BRK-B", "BRK", 100),
        ("^SPX", "XSP", 100),
        ("^XSP", "SPX", 100),
        ("SPXL", "SPX", 100),
        ("AAPL", "", None),
    ],
)
def test_adjusted_contracts(ticker: str, root: str, contract_size: int | None) -> None:
    assert is_adjusted(ticker, root, contract_size)


@pytest.mark.clock
@pytest.mark.recordings
def test_recorded_symbols_state_the_terms_beside_them(shared_data: Path) -> None:
    seen = 0
    for path in sorted((shared_data / "yahoo").glob("options-*.json")):
        for result in json.loads(path.read_text())["optionChain"]["result"]:
            for chain in result["options"]:
                for option_type, side in (("call", "calls"), ("put", "puts")):
                    for row in chain[side]:
                        terms = parse_occ(row["contractSymbol"])
                        assert terms.expiration == expiration_of_epoch(row["expiration"])
                        assert terms.expiration == expiration_of_epoch(chain["expirationDate"])
                        assert (terms.option_type, terms.strike) == (option_type, row["strike"])
                        assert (
                            build_occ(terms.root, terms.expiration, terms.option_type, terms.strike)
                            == (row["contractSymbol"])
                        )
                        assert not is_adjusted(result["underlyingSymbol"], terms.root, 100)
                        seen += 1
    assert seen > 500
