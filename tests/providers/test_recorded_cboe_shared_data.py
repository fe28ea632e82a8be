"""Every table of OPTSITE_SHARED_DATA/cboe, against what csv and the description of the files say."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from collector.normalise import NormalisedTicker, normalise
from collector.providers.recorded import RecordedProvider

pytestmark = pytest.mark.recordings

# Contracts, and the moment of the header, as the description of the files states them.
TABLES = {
    "NVDA": ("nvda-2025-01-06.csv", 1_086, datetime(2025, 1, 7, 2, 30, tzinfo=UTC)),
    "QQQ": ("qqq-2023-06-12.csv", 7_246, datetime(2023, 6, 12, 20, 35, tzinfo=UTC)),
    "SPY": ("spy-2023-09-14.csv", 7_292, datetime(2023, 9, 14, 20, 31, tzinfo=UTC)),
    "TSLA": ("tsla-2023-11-10-french.csv", 680, datetime(2023, 11, 10, 23, 55, tzinfo=UTC)),
    "^SPX": ("spx-2022-07-12.csv", 19_378, datetime(2022, 7, 12, 15, 55, tzinfo=UTC)),
    "^XSP": ("xsp-2023-09-14.csv", 10_882, datetime(2023, 9, 14, 20, 30, tzinfo=UTC)),
}
# The moment that the quotes stand for: a quarter of an hour before a header in the session, else the close.
AS_OF = {
    "NVDA": datetime(2025, 1, 6, 21, tzinfo=UTC),
    "QQQ": datetime(2023, 6, 12, 20, tzinfo=UTC),
    "SPY": datetime(2023, 9, 14, 20, tzinfo=UTC),
    "TSLA": datetime(2023, 11, 10, 21, tzinfo=UTC),
    "^SPX": datetime(2022, 7, 12, 15, 40, tzinfo=UTC),
    "^XSP": datetime(2023, 9, 14, 20, tzinfo=UTC),
}
LAST = {"NVDA": 150.2802, "QQQ": 358.27, "SPY": 450.81, "TSLA": 213.88, "^SPX": 3856.28, "^XSP": 450.51}
CLOCK_OF_QQQ = datetime.fromisoformat("2023-06-12T13:44-04:00")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@pytest.fixture(scope="module")
def tables(shared_data: Path) -> RecordedProvider:
    return RecordedProvider(shared_data / "cboe")


def lines_of(shared_data: Path, ticker: str) -> list[list[str]]:
    """Return the rows of a table below its columns, by csv alone."""
    with (shared_data / "cboe" / TABLES[ticker][0]).open(newline="", encoding="utf-8") as opened:
        lines = [cells for cells in csv.reader(opened) if cells]
    return lines[next(place for place, cells in enumerate(lines) if cells[0] == "Expiration Date") + 1 :]


def day_of(text: str) -> date:
    _, month, day, year = text.split()
    return date(int(year), MONTHS.index(month) + 1, int(day))


def normalised(provider: RecordedProvider, ticker: str) -> NormalisedTicker:
    chains = [provider.chain(ticker, day) for day in provider.expirations(ticker)]
    return normalise(ticker, chains, provider.quote(ticker), provider.sessions(), timedelta(0))


@pytest.mark.clock
def test_all_are_read_in_one_go_with_their_moments(shared_data: Path, machine_zone: str | None) -> None:
    provider = RecordedProvider(shared_data / "cboe")
    assert provider.unreadable == ()
    assert provider.tickers() == tuple(sorted(TABLES))
    assert provider.moments() == tuple(sorted(moment for _, _, moment in TABLES.values()))
    for ticker, (_, _, moment) in TABLES.items():
        assert provider.recorded_at(ticker) == moment
        quote = provider.quote(ticker)
        assert (quote.price, quote.time) == (LAST[ticker], moment)


@pytest.mark.parametrize("ticker", sorted(TABLES))
def test_every_contract_and_number_is_as_stated(shared_data: Path, tables: RecordedProvider, ticker: str) -> None:
    stated = {}
    for cells in lines_of(shared_data, ticker):
        for start in (1, 12):
            symbol, *numbers = cells[start : start + 10]
            last, net, bid, ask, volume, iv, delta, _, interest = map(float, numbers)
            told = (day_of(cells[0]), float(cells[11]), bid, ask, last, net, volume, interest, iv or None, delta)
            stated[symbol] = told
    assert len(stated) == TABLES[ticker][1]
    read = {
        one.contract_symbol: (
            chain.expiration,
            one.strike,
            one.bid,
            one.ask,
            one.last_price,
            one.change,
            one.volume,
            one.open_interest,
            one.vendor_implied_volatility,
            one.vendor_delta,
        )
        for chain in (tables.chain(ticker, day) for day in tables.expirations(ticker))
        for one in chain.contracts
    }
    assert read == stated


@pytest.mark.parametrize("ticker", sorted(TABLES))
def test_quotes_stand_for_their_session_and_what_died_in_it_is_left_out(
    shared_data: Path, tables: RecordedProvider, ticker: str
) -> None:
    rows = normalised(tables, ticker)
    as_of = AS_OF[ticker]
    assert {head.moment.as_of for head in rows.chains} == {as_of}
    today = [cells for cells in lines_of(shared_data, ticker) if day_of(cells[0]) == as_of.date()]
    dead = 2 * len(today) if as_of.hour >= 20 else 0
    assert rows.rejections == ({"expired": dead} if dead else {})
    assert len(rows.contracts) == TABLES[ticker][1] - dead


def test_of_the_friday_table_today_is_dead_and_of_the_session_alive(tables: RecordedProvider) -> None:
    assert normalised(tables, "TSLA").rejections == {"expired": 230}
    assert normalised(tables, "^SPX").chains[0].expiration == date(2022, 7, 12)


def test_as_of_is_the_clock_of_the_table_whose_header_is_not_new_yorks(shared_data: Path) -> None:
    provider = RecordedProvider(shared_data / "cboe", CLOCK_OF_QQQ)
    assert provider.tickers() == ("QQQ", "^SPX")
    assert provider.recorded_at("^SPX") == TABLES["^SPX"][2]
    rows = normalised(provider, "QQQ")
    assert {head.moment.as_of for head in rows.chains} == {CLOCK_OF_QQQ.astimezone(UTC)}
    assert (len(rows.contracts), rows.rejections) == (7_246, {})


def test_spx_and_spxw_of_one_date_are_two_chains(tables: RecordedProvider) -> None:
    both = {
        (head.root, head.settlement.kind)
        for head in normalised(tables, "^SPX").chains
        if head.expiration == date(2022, 7, 15)
    }
    assert both == {("SPX", "AM"), ("SPXW", "PM")}
