from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from collector.providers.base import (
    BadAnswer,
    BarsOnly,
    EmptyAnswer,
    NoOptions,
    NotInDollars,
    NotRecorded,
)
from collector.providers.recorded import RecordedProvider
from tests.providers.recorded_files import (
    chart_body,
    contract,
    epoch,
    frame_row,
    options_body,
    write_body,
    write_frame,
)

FRIDAY = date(2026, 3, 27)
APRIL = date(2026, 4, 17)
NOON = datetime(2026, 3, 24, 16, tzinfo=UTC)
ONE = datetime(2026, 3, 24, 17, tzinfo=UTC)
TWO = datetime(2026, 3, 24, 18, tzinfo=UTC)
EARNINGS = "ticker,kind,date,time,confirmed,amount,known_at\n"


@pytest.fixture
def two_frames(tmp_path: Path) -> Path:
    """Return a folder with ZZTA at 12:00, ZZTA and ZZTB at 13:00."""
    write_frame(tmp_path, frame_row(spot_price="49.0"), name="2026-03-24T1200-0400.csv")
    write_frame(tmp_path, frame_row(), frame_row("ZZTB", expiration="2026-04-17"), name="2026-03-24T1300-0400.csv")
    return tmp_path


def test_it_says_what_it_is(two_frames: Path) -> None:
    provider = RecordedProvider(two_frames)
    assert (provider.name, provider.feed, provider.market) == ("recorded", "yahoo", "recorded")
    assert provider.delay.total_seconds() == 900
    assert not provider.pays_per_expiration
    assert provider.sessions().name == "XNYS"
    assert provider.calls_used() == 0


def test_without_a_moment_each_ticker_is_served_from_its_newest_recording(two_frames: Path) -> None:
    provider = RecordedProvider(two_frames)
    assert provider.tickers() == ("ZZTA", "ZZTB")
    assert provider.quote("ZZTA").price == 50.5
    assert provider.recorded_at("ZZTA") == ONE
    assert provider.expirations("ZZTB") == provider.recorded_expirations("ZZTB") == (APRIL,)


def test_as_of_takes_the_newest_at_or_before_it(two_frames: Path) -> None:
    assert RecordedProvider(two_frames, ONE).quote("ZZTA").price == 50.5
    earlier = RecordedProvider(two_frames, datetime(2026, 3, 24, 16, 59, 59, tzinfo=UTC))
    assert earlier.tickers() == ("ZZTA",)
    assert earlier.moments() == (NOON,)
    assert earlier.quote("ZZTA").price == 49.0
    with pytest.raises(NotRecorded, match="ZZTB is not recorded at or before 2026-03-24T16:59:59"):
        earlier.quote("ZZTB")


def test_as_of_without_a_zone_is_refused(two_frames: Path) -> None:
    with pytest.raises(ValueError, match="has no zone"):
        RecordedProvider(two_frames, datetime(2026, 3, 24, 13))  # noqa: DTZ001


def test_each_moment_holds_only_what_was_recorded_at_it(two_frames: Path) -> None:
    provider = RecordedProvider(two_frames)
    assert provider.moments() == (NOON, ONE)
    first, second = (provider.at(moment) for moment in provider.moments())
    assert (first.tickers(), second.tickers()) == (("ZZTA",), ("ZZTA", "ZZTB"))
    assert (first.quote("ZZTA").price, second.quote("ZZTA").price) == (49.0, 50.5)
    assert first.moments() == (NOON,)
    assert first.index is provider.index
    with pytest.raises(NotRecorded, match="ZZTB is not recorded at 2026-03-24T16:00"):
        first.chain("ZZTB", APRIL)
    with pytest.raises(ValueError, match="nothing is recorded at"):
        provider.at(TWO)


def test_a_frames_spot_is_live_at_the_recording_and_its_quotes_state_no_time(two_frames: Path) -> None:
    chain = RecordedProvider(two_frames).chain("ZZTA", FRIDAY)
    assert chain.stamp == ONE
    assert chain.quote_time is None
    assert chain.underlying is not None
    assert (chain.underlying.price, chain.underlying.time, chain.underlying.market_state) == (50.5, ONE, None)


def test_a_frame_without_spot_states_no_price(tmp_path: Path) -> None:
    write_frame(tmp_path, frame_row(spot_price=""))
    quote = RecordedProvider(tmp_path).quote("ZZTA")
    assert (quote.price, quote.time, quote.stamp) == (None, None, ONE)


def test_an_expiration_that_no_frame_row_holds_is_not_recorded(two_frames: Path) -> None:
    with pytest.raises(NotRecorded, match=r"2026-03-24T1300-0400\.csv: holds no contracts of ZZTA for 2026-04-17"):
        RecordedProvider(two_frames).chain("ZZTA", APRIL)


def test_a_broken_row_spoils_its_own_ticker_alone(tmp_path: Path) -> None:
    write_frame(tmp_path, frame_row("ZZTB"), frame_row(bid="1x"), frame_row())
    provider = RecordedProvider(tmp_path)
    with pytest.raises(BadAnswer, match=r"2026-03-24T1300-0400\.csv line 3: bid '1x' is not a number"):
        provider.chain("ZZTA", FRIDAY)
    assert len(provider.chain("ZZTB", FRIDAY).contracts) == 1


def test_a_body_lists_more_expirations_than_it_holds(tmp_path: Path) -> None:
    write_body(tmp_path, options_body())
    provider = RecordedProvider(tmp_path)
    assert provider.expirations("ZZTA") == (FRIDAY, APRIL)
    assert provider.recorded_expirations("ZZTA") == (FRIDAY,)
    assert provider.chain("ZZTA", FRIDAY).contracts[0].bid == 1.15
    with pytest.raises(NotRecorded, match=r"body\.json: holds no contracts of ZZTA for 2026-04-17"):
        provider.chain("ZZTA", APRIL)


def test_bodies_some_seconds_apart_are_one_sitting(tmp_path: Path) -> None:
    later = epoch("2026-03-24T13:00:40-04:00")
    write_body(tmp_path, options_body(), "a.json")
    write_body(tmp_path, options_body(held=(APRIL,), regularMarketTime=later, regularMarketPrice=50.6), "b.json")
    provider = RecordedProvider(tmp_path)
    assert provider.moments() == (datetime(2026, 3, 24, 17, 0, 40, tzinfo=UTC),)
    assert provider.recorded_expirations("ZZTA") == (FRIDAY, APRIL)
    assert provider.quote("ZZTA").price == 50.6
    assert provider.chain("ZZTA", FRIDAY).stamp == ONE


@pytest.mark.parametrize(
    ("held", "later"),
    [((FRIDAY,), "2026-03-24T13:05:00-04:00"), ((APRIL,), "2026-03-24T13:10:01-04:00")],
    ids=["the expiration comes again", "more than ten minutes later"],
)
def test_a_new_sitting_begins(tmp_path: Path, held: tuple[date, ...], later: str) -> None:
    write_body(tmp_path, options_body(), "a.json")
    write_body(tmp_path, options_body(held=held, regularMarketTime=epoch(later)), "b.json")
    provider = RecordedProvider(tmp_path)
    assert provider.moments() == (ONE, datetime.fromisoformat(later))
    assert provider.recorded_expirations("ZZTA") == held
    assert provider.at(ONE).recorded_expirations("ZZTA") == (FRIDAY,)


def test_a_ticker_without_listed_options_is_served_as_such(tmp_path: Path) -> None:
    write_body(tmp_path, options_body(listed=(), held=()))
    provider = RecordedProvider(tmp_path)
    assert provider.tickers() == ("ZZTA",)
    assert provider.recorded_expirations("ZZTA") == ()
    with pytest.raises(NoOptions):
        provider.expirations("ZZTA")
    with pytest.raises(NoOptions):
        provider.quote("ZZTA")


def test_an_expiration_without_contracts_is_an_empty_answer(tmp_path: Path) -> None:
    write_body(tmp_path, options_body(calls=()))
    with pytest.raises(EmptyAnswer, match=r"body\.json: lists 2026-03-27 of ZZTA without a contract"):
        RecordedProvider(tmp_path).chain("ZZTA", FRIDAY)


def test_another_currency_is_refused_in_bodies_and_frames(tmp_path: Path) -> None:
    write_body(tmp_path, options_body("ZZTB", currency="EUR"))
    write_frame(
        tmp_path,
        "ZZTC,call,50,1,1.1,2026-03-27,EUR",
        header="ticker,type,strike,bid,ask,expiration,currency",
    )
    provider = RecordedProvider(tmp_path)
    for ticker in ("ZZTB", "ZZTC"):
        with pytest.raises(NotInDollars, match="EUR"):
            provider.quote(ticker)
        with pytest.raises(NotInDollars, match="EUR"):
            provider.chain(ticker, FRIDAY)


def test_what_a_body_cannot_say_names_the_file(tmp_path: Path) -> None:
    told = options_body(calls=(contract(),))
    told["optionChain"]["result"][0]["options"][0]["calls"] = [7]
    write_body(tmp_path, told)
    with pytest.raises(BadAnswer, match=r"^body\.json: "):
        RecordedProvider(tmp_path).chain("ZZTA", FRIDAY)


def test_a_ticker_of_no_file_is_not_recorded(two_frames: Path) -> None:
    provider = RecordedProvider(two_frames)
    with pytest.raises(NotRecorded, match="hold nothing of ZZTX"):
        provider.quote("ZZTX")
    with pytest.raises(NotRecorded, match="hold nothing of ZZTX"):
        provider.bars("ZZTX", date(2026, 1, 1), APRIL)
    with pytest.raises(NotRecorded, match="hold nothing of ZZTX"):
        provider.events("ZZTX")


def test_a_chart_alone_is_bars(tmp_path: Path) -> None:
    write_body(tmp_path, chart_body(), "chart.json")
    write_body(tmp_path, options_body(), "options.json")
    provider = RecordedProvider(tmp_path)
    assert provider.tickers() == ("ZZTA",)
    assert provider.bar_tickers() == ("ZZTB",)
    for ask in (provider.quote, provider.expirations, provider.recorded_expirations):
        with pytest.raises(BarsOnly, match="hold bars of ZZTB, and no options"):
            ask("ZZTB")
    bars = provider.bars("ZZTB", date(2026, 3, 1), date(2026, 3, 31))
    assert [(bar.date, bar.close) for bar in bars] == [(date(2026, 3, 19), 10.0), (date(2026, 3, 20), 11.0)]
    assert provider.bars("ZZTB", date(2026, 3, 20), date(2026, 3, 20)) == bars[1:]


def test_no_bar_of_a_session_that_was_open_at_the_recording_is_served(tmp_path: Path) -> None:
    (tmp_path / "bars.csv").write_text(
        "ticker,date,close\nZZTA,2026-03-23,49\nZZTA,2026-03-24,50\nZZTA,2026-03-25,51\nZZTA,2026-03-22,1\n"
    )
    write_frame(tmp_path, frame_row(), name="2026-03-24T1559-0400.csv")
    write_frame(tmp_path, frame_row(), name="2026-03-24T1600-0400.csv")
    provider = RecordedProvider(tmp_path)
    before, after = (provider.at(moment) for moment in provider.moments())
    span = (date(2026, 3, 1), date(2026, 3, 31))
    assert [bar.date.day for bar in before.bars("ZZTA", *span)] == [23]
    assert [bar.date.day for bar in after.bars("ZZTA", *span)] == [23, 24]


def test_a_bar_table_goes_before_a_chart(tmp_path: Path) -> None:
    write_body(tmp_path, chart_body(), "chart.json")
    (tmp_path / "bars.csv").write_text("ticker,date,close,split_factor\nZZTB,2026-03-20,5.5,2\nZZTB,2003-03-20,1,\n")
    bars = RecordedProvider(tmp_path).bars("ZZTB", date(2000, 1, 1), date(2026, 3, 31))
    assert [(bar.date.day, bar.close, bar.split_factor) for bar in bars] == [(19, 10.0, 1.0), (20, 5.5, 2.0)]


def test_of_two_charts_the_one_made_before_the_recording_is_taken(tmp_path: Path) -> None:
    write_frame(tmp_path, frame_row())
    write_body(tmp_path, chart_body("ZZTA"), "old.json")
    days = ("2026-03-18", "2026-03-19", "2026-03-20")
    late = epoch("2026-03-26T16:00:01-04:00")
    write_body(tmp_path, chart_body("ZZTA", days, regularMarketTime=late), "new.json")
    bars = RecordedProvider(tmp_path).bars("ZZTA", date(2026, 3, 1), date(2026, 3, 31))
    assert [bar.close for bar in bars] == [10.0, 11.0]


def test_events_are_those_known_at_the_recording(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(
        EARNINGS
        + "ZZTA,earnings,2026-04-22,16:05,yes,,2026-03-24T13:00-04:00\n"
        + "ZZTA,dividend,2026-05-01,,,0.25,2026-03-24T13:00:01-04:00\n"
        + "ZZTB,split,2026-05-04,,,10,2026-01-02T09:00Z\n"
        + ",fomc,2026-04-29,2026-04-29T14:00-04:00,true,,2025-06-01T00:00Z\n"
    )
    write_frame(tmp_path, frame_row())
    events = RecordedProvider(tmp_path).events("ZZTA")
    assert [(event.kind, event.ticker, event.confirmed) for event in events] == [
        ("earnings", "ZZTA", True),
        ("fomc", None, True),
    ]
    assert events[0].time == datetime(2026, 4, 22, 20, 5, tzinfo=UTC)


def test_a_later_as_of_reveals_nothing_that_the_recording_did_not_know(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(EARNINGS + "ZZTA,cpi,2026-04-10,08:30,,,2026-03-25T09:00-04:00\n")
    (tmp_path / "bars.csv").write_text("ticker,date,close\nZZTA,2026-03-24,50\n")
    write_frame(tmp_path, frame_row())
    provider = RecordedProvider(tmp_path, datetime(2026, 3, 30, tzinfo=UTC))
    assert provider.events("ZZTA") == ()
    assert provider.bars("ZZTA", date(2026, 3, 1), date(2026, 3, 31)) == ()


def test_a_bodys_earnings_are_known_at_its_time(tmp_path: Path) -> None:
    coming = epoch("2026-04-22T16:05:00-04:00")
    write_body(tmp_path, options_body(earningsTimestamp=coming, isEarningsDateEstimate=True))
    (event,) = RecordedProvider(tmp_path).events("ZZTA")
    assert (event.kind, event.date, event.known_at, event.confirmed) == ("earnings", date(2026, 4, 22), ONE, False)


def test_a_charts_split_is_known_only_from_its_time_on(tmp_path: Path) -> None:
    body = chart_body("ZZTA")
    split_day = epoch("2026-03-20T09:30:00-04:00")
    body["chart"]["result"][0]["events"] = {"splits": {"1": {"date": split_day, "numerator": 4, "denominator": 1}}}
    write_body(tmp_path, body, "chart.json")
    write_frame(tmp_path, frame_row(), name="2026-03-20T1500-0400.csv")
    write_frame(tmp_path, frame_row(), name="2026-03-20T1700-0400.csv")
    provider = RecordedProvider(tmp_path)
    before, after = (provider.at(moment) for moment in provider.moments())
    assert before.events("ZZTA") == ()
    assert [(event.kind, event.amount) for event in after.events("ZZTA")] == [("split", 4.0)]


@pytest.mark.clock
def test_the_machines_own_zone_plays_no_part(tmp_path: Path) -> None:
    write_frame(tmp_path, frame_row())
    write_body(tmp_path, options_body("ZZTB"))
    write_body(tmp_path, chart_body("ZZTC"), "chart.json")
    (tmp_path / "events.csv").write_text(EARNINGS + ",cpi,2026-04-10,08:30,,,2026-03-24T13:00-04:00\n")
    provider = RecordedProvider(tmp_path)
    assert provider.moments() == (ONE,)
    assert provider.expirations("ZZTA") == (FRIDAY,)
    assert provider.expirations("ZZTB") == (FRIDAY, APRIL)
    assert [bar.date.day for bar in provider.bars("ZZTC", date(2026, 3, 1), date(2026, 3, 31))] == [19, 20]
    assert provider.events("ZZTA")[0].time == datetime(2026, 4, 10, 12, 30, tzinfo=UTC)
