"""Cboe's tables in a folder of recordings: whose numbers, of which moment, and what --as-of does to them."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from collector.normalise import NormalisedTicker, normalise
from collector.providers.base import NotRecorded, Quote
from collector.providers.recorded import RecordedProvider
from collector.providers.recorded.folder import UnreadableFolder
from tests.providers.cboe_files import row, strike_row, table_text, write_table
from tests.providers.recorded_files import chart_body, frame_row, options_body, write_body, write_frame

MADE = Path(__file__).parents[1] / "recorded" / "cboe"
FRIDAY = date(2026, 3, 27)
ONE = datetime(2026, 3, 24, 17, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
TWO_DATES = "Date: 3/4/2026, 1:00 PM EDT"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.clock
def test_a_table_is_served_at_its_headers_time(tmp_path: Path, machine_zone: str | None) -> None:
    write_table(tmp_path)
    provider = RecordedProvider(tmp_path)
    assert (provider.unreadable, provider.tickers(), provider.moments()) == ((), ("ZZTA",), (ONE,))
    assert provider.recorded_at("ZZTA") == ONE
    assert provider.quote("ZZTA") == Quote("ZZTA", ONE, 50.5, time=ONE)
    assert provider.expirations("ZZTA") == provider.recorded_expirations("ZZTA") == (FRIDAY,)
    chain = provider.chain("ZZTA", FRIDAY)
    assert (chain.stamp, chain.quote_time, chain.feed, len(chain.contracts)) == (ONE, None, "cboe", 2)
    assert chain.underlying == provider.quote("ZZTA")
    with pytest.raises(NotRecorded, match=r"zzta\.csv: holds no contracts of ZZTA for 2026-04-17"):
        provider.chain("ZZTA", date(2026, 4, 17))


@pytest.mark.clock
def test_quotes_are_a_quarter_of_an_hour_older_than_the_header(tmp_path: Path, machine_zone: str | None) -> None:
    write_table(tmp_path)
    (head,) = rows_of(RecordedProvider(tmp_path), "ZZTA").chains
    assert (head.moment.stamp, head.moment.quote_time, head.moment.as_of) == (ONE, ONE - QUARTER, ONE - QUARTER)
    assert head.underlying.time == ONE


def rows_of(provider: RecordedProvider, ticker: str) -> NormalisedTicker:
    quote = provider.quote(ticker)
    chains = [provider.chain(ticker, day) for day in provider.expirations(ticker)]
    return normalise(ticker, chains, quote, provider.sessions(), timedelta(hours=7))


@pytest.mark.parametrize(
    ("when", "as_of", "alive"),
    [
        ("Date: March 27, 2026 at 3:59 PM EDT", "2026-03-27T15:44-04:00", 2),
        ("Date: March 27, 2026 at 4:14 PM EDT", "2026-03-27T15:59-04:00", 2),
        ("Date: March 27, 2026 at 4:16 PM EDT", "2026-03-27T16:00-04:00", 0),
        ("Date: March 27, 2026 at 9:30 PM EDT", "2026-03-27T16:00-04:00", 0),
        ("Date: March 28, 2026 at 11:00 AM EDT", "2026-03-27T16:00-04:00", 0),
        ("Date: March 30, 2026 at 8:00 AM EDT", "2026-03-27T16:00-04:00", 0),
        ("Date: March 26, 2026 at 9:30 PM EDT", "2026-03-26T16:00-04:00", 2),
    ],
)
def test_fridays_expiration_dies_at_fridays_close(tmp_path: Path, when: str, as_of: str, alive: int) -> None:
    april = {"ticker": "ZZTA", "day": "Fri Apr 17 2026", "code": "260417"}
    write_table(tmp_path, row(), strike_row(50.0, **april), when=when)
    normalised = rows_of(RecordedProvider(tmp_path), "ZZTA")
    assert {head.moment.as_of for head in normalised.chains} == {at(as_of)}
    assert len(normalised.contracts) == 2 + alive
    assert normalised.rejections.get("expired", 0) == 2 - alive


def test_volume_of_a_table_is_of_its_session_and_its_volatilities_are_no_fill_ins(tmp_path: Path) -> None:
    write_table(tmp_path, row(call_net="0", call_volume="7", call_iv="0.25", put_iv="0"))
    frame = rows_of(RecordedProvider(tmp_path), "ZZTA").contracts
    assert list(frame["volume"]) == [7, 0]
    assert list(frame["volume_known"]) == [True, True]
    assert list(frame["flags"]) == [[], []]
    assert frame["vendor_implied_volatility"].isna().tolist() == [False, True]
    assert list(frame["vendor_delta"]) == [0.5512, -0.4488]


def test_a_broken_cell_is_counted_and_told(tmp_path: Path) -> None:
    write_table(tmp_path, row(), strike_row(55.0, call_bid="x", put_ask="y"), strike_row(60.0))
    provider = RecordedProvider(tmp_path)
    assert provider.unreadable == ("zzta.csv line 6: Calls Bid 'x' is not a number (and 1 more); 2 contracts left out",)
    normalised = rows_of(provider, "ZZTA")
    assert (len(normalised.contracts), normalised.rejections) == (4, {"bad_cell": 2})


def test_what_belongs_to_no_expiration_is_counted_once(tmp_path: Path) -> None:
    april = {"ticker": "ZZTA", "day": "Fri Apr 17 2026", "code": "260417"}
    write_table(tmp_path, row(day="soon"), row(), strike_row(50.0, **april))
    assert rows_of(RecordedProvider(tmp_path), "ZZTA").rejections == {"bad_cell": 2}


def test_a_row_whose_symbol_says_otherwise_or_comes_twice_is_left_out(tmp_path: Path) -> None:
    write_table(tmp_path, row(), row(), strike_row(55.0, call="ZZTA260327C00056000"))
    normalised = rows_of(RecordedProvider(tmp_path), "ZZTA")
    assert (len(normalised.contracts), normalised.rejections) == (3, {"duplicate": 2, "symbol_mismatch": 1})


def test_a_broken_table_stops_nobody_else(tmp_path: Path) -> None:
    write_table(tmp_path, strike_row(20.0, ticker="ZZTB"), name="zztb.csv")
    cut = write_table(tmp_path, row(), strike_row(55.0))
    cut.write_bytes(cut.read_bytes()[:-30])
    provider = RecordedProvider(tmp_path)
    assert provider.tickers() == ("ZZTB",)
    (line,) = provider.unreadable
    assert line.startswith("zzta.csv line 6: ")


class TestHeadersThatCannotBeRead:
    def test_they_ask_for_as_of(self, tmp_path: Path) -> None:
        write_table(tmp_path, when=TWO_DATES)
        with pytest.raises(UnreadableFolder) as fault:
            RecordedProvider(tmp_path)
        assert "zzta.csv line 3" in str(fault.value)
        assert "'3/4/2026' may be two dates; say when its quotes were made with --as-of" in str(fault.value)

    def test_as_of_is_their_quotes_own_time(self, tmp_path: Path) -> None:
        write_table(tmp_path, when=TWO_DATES)
        provider = RecordedProvider(tmp_path, at("2026-03-24T13:00-04:00"))
        assert (provider.unreadable, provider.moments()) == ((), (ONE,))
        chain = provider.chain("ZZTA", FRIDAY)
        assert (chain.stamp, chain.quote_time) == (ONE, ONE)
        assert provider.quote("ZZTA").time == ONE
        (head,) = rows_of(provider, "ZZTA").chains
        assert (head.moment.quote_time, head.moment.as_of) == (ONE, ONE)

    def test_as_of_of_another_date_than_the_one_that_can_be_read_does_not_help(self, tmp_path: Path) -> None:
        write_table(tmp_path, when="Date: March 24, 2026, 1:00 PM")
        assert RecordedProvider(tmp_path, at("2026-03-24T13:00-04:00")).moments() == (ONE,)
        with pytest.raises(UnreadableFolder, match="it names no zone"):
            RecordedProvider(tmp_path, at("2026-03-25T13:00-04:00"))


class TestAsOf:
    def test_it_replaces_the_header_of_its_date_and_takes_no_delay_off(self, tmp_path: Path) -> None:
        write_table(tmp_path, when="Date: March 24, 2026 at 4:35 PM EDT")
        provider = RecordedProvider(tmp_path, at("2026-03-24T13:44-04:00"))
        told = datetime(2026, 3, 24, 17, 44, tzinfo=UTC)
        assert provider.moments() == (told,)
        (head,) = rows_of(provider, "ZZTA").chains
        assert (head.moment.stamp, head.moment.quote_time, head.moment.as_of) == (told, told, told)
        assert head.underlying == Quote("ZZTA", told, 50.5, time=told)

    @pytest.mark.clock
    def test_the_date_is_new_yorks(self, tmp_path: Path, machine_zone: str | None) -> None:
        # 23:30 in New York; in UTC, Tokyo and on the header's own words it is the 25th.
        write_table(tmp_path, when="Date: 2026年3月25日 12:30 JST")
        assert RecordedProvider(tmp_path, at("2026-03-24T13:00-04:00")).moments() == (ONE,)
        # At 21:00 of the 24th it is the 25th in UTC.
        assert RecordedProvider(tmp_path, at("2026-03-25T01:00+00:00")).moments() == (at("2026-03-25T01:00+00:00"),)

    def test_tables_of_other_dates_keep_their_headers(self, tmp_path: Path) -> None:
        write_table(tmp_path, name="a.csv", when="Date: March 23, 2026 at 1:00 PM EDT")
        write_table(tmp_path, strike_row(20.0, ticker="ZZTB"), name="b.csv", when="Date: March 25, 2026 at 1:00 PM EDT")
        provider = RecordedProvider(tmp_path, at("2026-03-24T13:00-04:00"))
        assert provider.tickers() == ("ZZTA",)
        assert provider.chain("ZZTA", FRIDAY).quote_time is None
        assert provider.recorded_at("ZZTA") == datetime(2026, 3, 23, 17, tzinfo=UTC)
        with pytest.raises(NotRecorded, match="its first recording is of 2026-03-25T17:00:00"):
            provider.quote("ZZTB")

    def test_two_tickers_of_one_date_are_both_told(self, tmp_path: Path) -> None:
        write_table(tmp_path, name="a.csv", when="Date: March 24, 2026 at 4:31 PM EDT")
        write_table(tmp_path, strike_row(20.0, ticker="ZZTB"), name="b.csv", when="Date: March 24, 2026 at 4:30 PM EDT")
        provider = RecordedProvider(tmp_path, at("2026-03-24T16:00-04:00"))
        assert provider.tickers() == ("ZZTA", "ZZTB")
        assert provider.moments() == (at("2026-03-24T16:00-04:00"),)

    def test_several_tables_of_one_ticker_and_date_keep_their_headers_and_it_is_said(self, tmp_path: Path) -> None:
        for hour in (10, 11, 12):
            write_table(
                tmp_path,
                name=f"{hour}.csv",
                when=f"Date: March 24, 2026 at {hour}:00 AM EDT".replace("12:00 AM", "12:00 PM"),
            )
        provider = RecordedProvider(tmp_path, at("2026-03-24T11:30-04:00"))
        assert provider.recorded_at("ZZTA") == at("2026-03-24T11:00-04:00")
        assert provider.unreadable == (
            "10.csv, 11.csv, 12.csv: read by the header, since --as-of can't be the time of several tables of ZZTA",
        )

    def test_each_moment_up_to_it_is_a_scan(self, tmp_path: Path) -> None:
        for day in (23, 24, 25):
            write_table(tmp_path, name=f"{day}.csv", when=f"Date: March {day}, 2026 at 1:00 PM EDT")
        moments = tuple(ONE + timedelta(days=days) for days in (-1, 0, 1))
        provider = RecordedProvider(tmp_path)
        assert provider.moments() == moments
        assert provider.at(moments[0]).chain("ZZTA", FRIDAY).stamp == moments[0]
        bound = RecordedProvider(tmp_path, at("2026-03-24T12:00-04:00"))
        assert bound.moments() == (moments[0], at("2026-03-24T12:00-04:00"))
        assert bound.at(bound.moments()[1]).chain("ZZTA", FRIDAY).quote_time == at("2026-03-24T12:00-04:00")


def test_a_copy_of_a_table_is_left_out(tmp_path: Path) -> None:
    shutil.copy(write_table(tmp_path, name="a.csv"), tmp_path / "b.csv")
    assert RecordedProvider(tmp_path).unreadable == (
        "b.csv: left out for ZZTA, which a.csv holds at 2026-03-24T17:00:00+00:00 too",
    )


def test_tables_stand_beside_frames_bodies_charts_and_bars(tmp_path: Path) -> None:
    write_table(tmp_path, strike_row(20.0, ticker="ZZTC"), name="zztc.csv")
    write_frame(tmp_path, frame_row())
    write_body(tmp_path, options_body("ZZTD"))
    write_body(tmp_path, chart_body("ZZTC"), name="chart.json")
    provider = RecordedProvider(tmp_path)
    assert (provider.unreadable, provider.tickers()) == ((), ("ZZTA", "ZZTC", "ZZTD"))
    feeds = {one: provider.chain(one, provider.recorded_expirations(one)[0]).feed for one in provider.tickers()}
    assert feeds == {"ZZTA": None, "ZZTC": "cboe", "ZZTD": None}
    assert provider.feed == "yahoo"
    assert [bar.close for bar in provider.bars("ZZTC", date(2026, 3, 1), date(2026, 3, 31))] == [10.0, 11.0]


def test_a_table_without_a_suffix_is_known_by_its_columns(tmp_path: Path) -> None:
    write_table(tmp_path, name="quotedata")
    (tmp_path / "README").write_text("Tables of quotes, such as 'Expiration Date,Calls'.")
    assert RecordedProvider(tmp_path).tickers() == ("ZZTA",)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_a_table_in_another_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    write_table(tmp_path, strike_row(20.0, ticker="ZZTB"), name="zztb.csv")
    (tmp_path / "zzta.csv").write_bytes(table_text(when="Date: 10 août 2026 à 18:55 UTC-4").encode(encoding))
    (line,) = RecordedProvider(tmp_path).unreadable
    assert line.startswith("zzta.csv line ")
    assert "is not UTF-8 text" in line


@pytest.mark.clock
def test_made_tables_of_other_languages(machine_zone: str | None) -> None:
    quarter_to_eleven = datetime(2026, 1, 27, 15, 45, tzinfo=UTC)
    provider = RecordedProvider(MADE)
    assert (provider.tickers(), provider.moments()) == (("ZQXA", "^SPX"), (quarter_to_eleven,))
    (line,) = provider.unreadable
    assert "'1/2/2026' may be two dates" in line
    assert provider.quote("ZQXA").price == 100.12
    assert provider.quote("^SPX").price == 6001.25
    assert [len(provider.chain("ZQXA", day).contracts) for day in provider.expirations("ZQXA")] == [14, 16]
    first = provider.chain("ZQXA", date(2026, 2, 20)).contracts
    assert (first[0].vendor_implied_volatility, first[2].volume) == (None, 1037)
    heads = rows_of(provider, "^SPX").chains
    assert [(head.root, head.settlement.kind) for head in heads] == [("SPX", "AM"), ("SPXW", "PM")]
    adjusted = rows_of(provider, "ZQXA").contracts
    assert list(adjusted[adjusted["adjusted"]]["root"]) == ["ZQXA1", "ZQXA1"]
    told = RecordedProvider(MADE, at("2026-01-02T10:30-05:00"))
    assert (told.unreadable, told.tickers()) == ((), ("ZQXB",))
    assert rows_of(told, "ZQXB").chains[0].moment.quote_time == at("2026-01-02T10:30-05:00")
