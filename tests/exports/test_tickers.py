from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.tickers import INDEX_ROOTS, TickerError, canonical, canonical_list


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("AAPL", "AAPL"),
        ("aapl", "AAPL"),
        ("  msft\n", "MSFT"),
        ("F", "F"),
        ("BRK-B", "BRK-B"),
        ("BRK.B", "BRK-B"),
        ("brk.b", "BRK-B"),
        ("BRK/B", "BRK-B"),
        ("BTC-USD", "BTC-USD"),
        ("SAP.DE", "SAP.DE"),
        ("SPX", "^SPX"),
        ("_SPX", "^SPX"),
        ("^SPX", "^SPX"),
        ("spx", "^SPX"),
        ("^spx", "^SPX"),
        ("NDX", "^NDX"),
        ("VIX", "^VIX"),
        ("_RUT", "^RUT"),
        ("XSP", "^XSP"),
        ("SPXW", "^SPX"),
        ("NDXP", "^NDX"),
        ("^IRX", "^IRX"),
        ("_DJX", "^DJX"),
    ],
)
def test_one_spelling_for_every_way_to_write_a_ticker(written: str, expected: str) -> None:
    assert canonical(written) == expected


def test_a_ticker_that_only_begins_like_an_index_is_itself() -> None:
    assert canonical("SPXL") == "SPXL"
    assert canonical("VIXY") == "VIXY"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "^",
        "_",
        "^^SPX",
        "SPX^",
        "^SPX.B",
        "A B",
        "AAPL,AMD",
        "1",
        "2026-03-24",
        "BRK..B",
        "BRK.",
        ".B",
        "-B",
        "../etc/passwd",
        "A/../B",
        "AAPL'; --",
        "AAPL%",
        "ES=F",
        "ABCDEFGHIJK",
        "A-BCDEF",
        "A-B-C",
        "ＡＡＰＬ",
        "straße",
        "AAPL\x00",
    ],
)
def test_what_is_no_ticker_is_refused_by_name(text: str) -> None:
    with pytest.raises(TickerError) as caught:
        canonical(text)
    message = str(caught.value)
    assert repr(text) in message
    assert "AAPL, BRK-B or ^SPX" in message
    assert "\n" not in message


def test_a_long_text_is_cut_in_the_message() -> None:
    with pytest.raises(TickerError) as caught:
        canonical("X" * 5000)
    assert len(str(caught.value)) < 150


def test_the_error_is_a_value_error() -> None:
    assert issubclass(TickerError, ValueError)


@given(st.from_regex(r"\A[\^_]?[A-Za-z][A-Za-z0-9]{0,9}\Z") | st.from_regex(r"\A[A-Za-z]{1,6}[-./][A-Za-z0-9]{1,4}\Z"))
def test_canonical_of_a_canonical_ticker_is_itself(text: str) -> None:
    once = canonical(text)
    assert canonical(once) == once
    assert once == once.upper()
    assert "/" not in once


@given(st.text(max_size=12))
def test_any_text_gives_a_ticker_or_the_error(text: str) -> None:
    try:
        ticker = canonical(text)
    except TickerError:
        return
    assert set(ticker) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789^-.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" , ,", ()),
        ("AAPL", ("AAPL",)),
        ("amd,AAPL", ("AMD", "AAPL")),
        ("AAPL AMD\n\tSPY", ("AAPL", "AMD", "SPY")),
        ("AAPL, AMD ,,SPY,", ("AAPL", "AMD", "SPY")),
        ("SPX,^SPX,AAPL,_SPX,aapl", ("^SPX", "AAPL")),
        ("BRK.B brk-b", ("BRK-B",)),
    ],
)
def test_a_list_keeps_its_order_and_drops_duplicates(text: str, expected: tuple[str, ...]) -> None:
    assert canonical_list(text) == expected


def test_a_list_names_the_one_that_is_no_ticker() -> None:
    with pytest.raises(TickerError, match="'A_B' is not a ticker"):
        canonical_list("AAPL,A_B,AMD")


def test_the_index_families_and_their_roots() -> None:
    assert INDEX_ROOTS == {
        "^SPX": ("SPX", "SPXW"),
        "^NDX": ("NDX", "NDXP"),
        "^VIX": ("VIX", "VIXW"),
        "^RUT": ("RUT", "RUTW"),
        "^XSP": ("XSP",),
    }


def test_tickers_need_nothing_of_the_market() -> None:
    program = (
        "import sys; import exports.tickers; "
        "heavy = {'pandas', 'duckdb', 'exchange_calendars', 'rest_framework', 'collector'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
