"""Every recording of OPTSITE_SHARED_DATA, against counts that csv and json give without the code under test."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.providers.base import BarsOnly, NoOptions, NotRecorded
from collector.providers.recorded import RecordedProvider

pytestmark = pytest.mark.recordings

SPAN = (date(2005, 1, 1), date(2026, 12, 31))
LISTED_BODIES = ("AAPL", "ABBV", "AMZN", "EBAY", "EPAC", "GOOG", "PYPL", "QQQ", "SPOT")


@pytest.fixture(scope="module")
def yahoo(shared_data: Path) -> RecordedProvider:
    return RecordedProvider(shared_data / "yahoo")


@pytest.fixture(scope="module")
def frames(shared_data: Path) -> RecordedProvider:
    return RecordedProvider(shared_data / "yfinance")


def frame_files(shared_data: Path) -> list[tuple[datetime, list[dict[str, str]]]]:
    """Return the moment and the rows of each frame file, in time order; the names are of 16 digits and an offset."""
    files = []
    for file in (shared_data / "yfinance").iterdir():
        moment = datetime.strptime(file.stem, "%Y-%m-%dT%H%M%z").astimezone(UTC)
        with file.open(newline="") as opened:
            files.append((moment, list(csv.DictReader(opened))))
    return sorted(files, key=lambda pair: pair[0])


def options_result(shared_data: Path, ticker: str) -> dict[str, Any]:
    body = json.loads((shared_data / "yahoo" / f"options-{ticker}.json").read_text())
    result: dict[str, Any] = body["optionChain"]["result"][0]
    return result


def utc_day(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


def stated(text: str | None) -> float | None:
    return float(text) if text else None


def test_there_are_twenty_one_moments_in_time_order(shared_data: Path, frames: RecordedProvider) -> None:
    assert frames.unreadable == ()
    moments = frames.moments()
    assert moments == tuple(moment for moment, _ in frame_files(shared_data))
    assert len(moments) == 21
    assert moments[0] == datetime(2026, 3, 17, 16, 2, tzinfo=UTC)


def test_each_moment_holds_the_tickers_of_its_file_and_nvda_from_the_23rd(
    shared_data: Path, frames: RecordedProvider
) -> None:
    for moment, rows in frame_files(shared_data):
        bound = frames.at(moment)
        assert set(bound.tickers()) == {row["ticker"] for row in rows}
        assert ("NVDA" in bound.tickers()) == (moment >= datetime(2026, 3, 23, tzinfo=UTC))


def test_every_row_of_every_frame_is_read_into_its_chain(shared_data: Path, frames: RecordedProvider) -> None:
    for moment, rows in frame_files(shared_data):
        bound = frames.at(moment)
        read = Counter(
            (ticker, expiration.isoformat(), contract.option_type)
            for ticker in bound.tickers()
            for expiration in bound.expirations(ticker)
            for contract in bound.chain(ticker, expiration).contracts
        )
        assert read == Counter((row["ticker"], row["expiration"], row["type"]) for row in rows)


def test_every_number_of_every_frame_is_as_stated(shared_data: Path, frames: RecordedProvider) -> None:
    for moment, rows in frame_files(shared_data):
        bound = frames.at(moment)
        read = {
            (ticker, expiration.isoformat(), contract.option_type, contract.strike): (
                contract.bid,
                contract.ask,
                contract.last_price,
                contract.change,
                contract.volume,
                contract.open_interest,
                contract.vendor_implied_volatility,
            )
            for ticker in bound.tickers()
            for expiration in bound.expirations(ticker)
            for contract in bound.chain(ticker, expiration).contracts
        }
        columns = ("bid", "ask", "lastPrice", "change", "volume", "openInterest", "impliedVolatility")
        assert read == {
            (row["ticker"], row["expiration"], row["type"], float(row["strike"])): tuple(
                stated(row.get(column)) for column in columns
            )
            for row in rows
        }
        for row in rows:
            assert bound.quote(row["ticker"]).price == float(row["spot_price"])


def test_one_file_alone_states_symbols_and_last_trades(shared_data: Path, frames: RecordedProvider) -> None:
    first, second = frames.moments()[:2]
    for moment, states in ((first, True), (second, False)):
        bound = frames.at(moment)
        for expiration in bound.expirations("SPY"):
            for contract in bound.chain("SPY", expiration).contracts:
                assert (contract.contract_symbol is not None) == states
                assert (contract.last_trade_time is not None) == states
                assert (contract.contract_size == 100) == states


def test_nvda_is_not_recorded_before_its_first_file(shared_data: Path) -> None:
    provider = RecordedProvider(shared_data / "yfinance", datetime(2026, 3, 20, tzinfo=UTC))
    assert provider.tickers() == ("QQQ", "SPY", "TSLA")
    assert len(provider.moments()) == 3
    assert provider.recorded_at("SPY") == datetime(2026, 3, 19, 16, 55, tzinfo=UTC)
    with pytest.raises(NotRecorded, match="its first recording is of 2026-03-23T16:25:00"):
        provider.quote("NVDA")


def test_every_body_is_read(shared_data: Path, yahoo: RecordedProvider) -> None:
    assert yahoo.unreadable == ()
    assert yahoo.tickers() == tuple(sorted((*LISTED_BODIES, "ADH", "BTC-USD")))
    assert yahoo.bar_tickers() == ("NVDA", "TSLA")
    for ticker in LISTED_BODIES:
        result = options_result(shared_data, ticker)
        (held,) = result["options"]
        assert yahoo.expirations(ticker) == tuple(map(utc_day, result["expirationDates"]))
        assert yahoo.recorded_expirations(ticker) == (utc_day(held["expirationDate"]),)
        chain = yahoo.chain(ticker, utc_day(held["expirationDate"]))
        assert [(one.contract_symbol, one.bid, one.open_interest) for one in chain.contracts] == [
            (row["contractSymbol"], row.get("bid"), row.get("openInterest")) for row in held["calls"] + held["puts"]
        ]
        quote = yahoo.quote(ticker)
        assert (quote.price, quote.market_state) == (result["quote"]["regularMarketPrice"], "pre")
        assert quote.time == datetime.fromtimestamp(result["quote"]["regularMarketTime"], UTC)
        for expiration in yahoo.expirations(ticker)[1:]:
            with pytest.raises(NotRecorded):
                yahoo.chain(ticker, expiration)


def test_epac_has_one_put(yahoo: RecordedProvider) -> None:
    (expiration,) = yahoo.recorded_expirations("EPAC")
    (contract,) = yahoo.chain("EPAC", expiration).contracts
    assert contract.option_type == "put"


def test_bodies_were_made_before_the_open_of_2025_02_24(shared_data: Path, yahoo: RecordedProvider) -> None:
    for ticker in LISTED_BODIES:
        made = yahoo.recorded_at(ticker)
        assert datetime(2025, 2, 24, 9, tzinfo=UTC) <= made <= datetime(2025, 2, 24, 9, 25, tzinfo=UTC)
        pre_market = options_result(shared_data, ticker)["quote"].get("preMarketTime")
        if pre_market is not None:
            assert made == datetime.fromtimestamp(pre_market, UTC)


@pytest.mark.parametrize("ticker", ["ADH", "BTC-USD"])
def test_what_lists_no_options_says_so(yahoo: RecordedProvider, ticker: str) -> None:
    with pytest.raises(NoOptions):
        yahoo.expirations(ticker)


@pytest.mark.clock
@pytest.mark.parametrize("ticker", ["NVDA", "TSLA"])
def test_charts_are_bars_alone(shared_data: Path, machine_zone: str | None, ticker: str) -> None:
    yahoo = RecordedProvider(shared_data / "yahoo")
    with pytest.raises(BarsOnly):
        yahoo.quote(ticker)
    result = json.loads((shared_data / "yahoo" / f"chart-{ticker}.json").read_text())["chart"]["result"][0]
    bars = yahoo.bars(ticker, *SPAN)
    assert [bar.date for bar in bars] == [utc_day(seconds) for seconds in result["timestamp"]]
    closes = result["indicators"]["quote"][0]["close"]
    assert bars[-1].close == pytest.approx(closes[-1], abs=1e-5)
