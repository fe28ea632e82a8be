"""Collecting: what comes of each ticker, when it stops, what it does not ask for twice."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from collector.pipeline.collect import Collection, Collector
from collector.pipeline.plan import ScanPlan
from collector.providers.base import (
    BadAnswer,
    BarsOnly,
    NoOptions,
    NotRecorded,
    ProviderError,
    RateLimited,
    TickerNotFound,
    TimedOut,
    Unreachable,
)
from collector.store.staging import Staging, last_session_rows
from exports.folders import MarketFolder
from tests.pipeline.scripted_provider import Answer, ScriptedProvider, at, session_bar
from tests.quotes import EXPIRATION, STAMP, chain, contract, dark_chain, live_chain, occ

JUNE = date(2026, 6, 19)
BARS = (session_bar(date(2026, 3, 20), 99.0), session_bar(date(2026, 3, 23), 100.0))


class Watcher:
    """Notes the steps that it is told of."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.count = 0

    def begin(self, phase: str, total: int) -> None:
        self.steps.append(f"{phase} {total}")

    def step(self, ticker: str) -> None:
        self.steps.append(ticker)

    def done(self) -> None:
        self.count += 1


def plan(tickers: Mapping[str, Answer], **changes: Any) -> ScanPlan:
    whole: dict[str, Any] = {
        "scan_id": "scan-1",
        "kind": "manual",
        "provider": "yahoo",
        "feed": "yahoo",
        "started_at": STAMP,
        "deadline": STAMP + timedelta(minutes=9),
        "tickers": tuple(tickers),
        "watchlist": tuple(tickers),
        "configuration": {},
        "config_hash": "0",
    }
    return ScanPlan(**(whole | changes))


@pytest.fixture
def folder(data_dir: Any) -> MarketFolder:
    made = MarketFolder(data_dir, "yahoo")
    made.create()
    return made


def collected(
    folder: MarketFolder,
    answers: Mapping[str, Answer],
    now: datetime = STAMP,
    watcher: Watcher | None = None,
    changes: Mapping[str, Any] | None = None,
    **more: Any,
) -> tuple[Collection, dict[str, dict[str, Any]], ScriptedProvider]:
    """Collect the answers; return how it went, the staged records by ticker, and the provider."""
    provider = ScriptedProvider(answers, **{"bars": BARS, **more})
    staging = Staging(folder, "scan-1")
    collection = Collector(
        folder, provider, plan(answers, **(changes or {})), staging, watcher or Watcher(), now=lambda: now
    ).collect()
    staging.close()
    return collection, {record["ticker"]: record for record in staging.records()}, provider


def test_a_ticker_that_comes_is_staged_whole(folder: MarketFolder) -> None:
    watcher = Watcher()
    collection, records, _ = collected(folder, {"ZZTA": [live_chain(), live_chain(expiration=JUNE)]}, watcher=watcher)
    record = records["ZZTA"]
    assert (collection.stopped, collection.skipped) == (None, {})
    assert (record["outcome"], record["expirations_listed"], record["market_date"]) == ("ok", 2, "2026-03-24")
    assert [(chain["expiration"], chain["grade"]) for chain in record["chains"]] == [
        ("2026-04-17", "A"),
        ("2026-06-19", "A"),
    ]
    assert record["bars"]["date"] == ["2026-03-20", "2026-03-23"]
    assert [path.name for path in Staging(folder, "scan-1").parquet_files()] == ["ZZTA.parquet"]
    assert (watcher.steps, watcher.count) == (["collect 1", "ZZTA"], 1)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NoOptions("none are listed"), "skipped"),
        (NotRecorded("not held"), "not_recorded"),
        (TickerNotFound("unknown"), "failed"),
        (TimedOut("late"), "failed"),
        (BadAnswer("HTML"), "failed"),
    ],
)
def test_a_providers_error_becomes_the_tickers_outcome(
    folder: MarketFolder, error: ProviderError, outcome: str
) -> None:
    collection, records, _ = collected(folder, {"ZZTA": error, "ZZTB": [live_chain("ZZTB")]})
    record = records["ZZTA"]
    assert (record["outcome"], record["reason"], record["detail"]) == (outcome, error.reason, str(error))
    assert record["chains"] == []
    assert records["ZZTB"]["outcome"] == "ok"
    assert collection.stopped is None


def test_a_recording_of_bars_alone_keeps_its_bars(folder: MarketFolder) -> None:
    _, records, _ = collected(folder, {"ZZTA": BarsOnly("bars alone")})
    assert (records["ZZTA"]["outcome"], records["ZZTA"]["reason"]) == ("skipped", "bars_only")
    assert records["ZZTA"]["bars"]["close"] == [99.0, 100.0]


def test_an_expiration_that_fails_is_told_and_the_others_kept(
    folder: MarketFolder, caplog: pytest.LogCaptureFixture
) -> None:
    answer: Answer = [live_chain(), (JUNE, TimedOut("late")), (date(2026, 9, 18), NotRecorded("not held"))]
    with caplog.at_level(logging.WARNING):
        _, records, _ = collected(folder, {"ZZTA": answer})
    record = records["ZZTA"]
    assert record["outcome"] == "ok"
    assert record["failed_expirations"] == {"2026-06-19": "timed_out"}
    assert record["not_recorded"] == ["2026-09-18"]
    assert (len(record["chains"]), record["expirations_listed"]) == (1, 3)
    assert "ZZTA 2026-06-19" in caplog.text


def test_a_ticker_whose_every_expiration_fails_has_failed(folder: MarketFolder) -> None:
    _, records, _ = collected(folder, {"ZZTA": [(EXPIRATION, BadAnswer("HTML")), (JUNE, TimedOut("late"))]})
    assert (records["ZZTA"]["outcome"], records["ZZTA"]["reason"]) == ("failed", "timed_out")


def test_chains_without_contracts_are_an_empty_answer(folder: MarketFolder) -> None:
    _, records, _ = collected(folder, {"ZZTA": [chain()]})
    assert (records["ZZTA"]["outcome"], records["ZZTA"]["reason"]) == ("failed", "empty_answer")
    assert Staging(folder, "scan-1").parquet_files() == []


def test_a_rate_limit_ends_the_scan_at_once(folder: MarketFolder) -> None:
    answers: dict[str, Answer] = {"ZZTA": [live_chain()], "ZZTB": RateLimited("429"), "ZZTC": [live_chain("ZZTC")]}
    collection, records, provider = collected(folder, answers)
    assert (collection.stopped, collection.skipped) == ("rate_limited", {"ZZTC": "rate_limited"})
    assert records["ZZTB"]["outcome"] == "failed"
    assert not any("ZZTC" in call for call in provider.calls)


def test_chains_in_hand_outlive_a_rate_limit(folder: MarketFolder) -> None:
    answers: dict[str, Answer] = {"ZZTA": [live_chain(), (JUNE, RateLimited("429"))], "ZZTB": [live_chain("ZZTB")]}
    collection, records, _ = collected(folder, answers)
    assert (collection.stopped, collection.skipped) == ("rate_limited", {"ZZTB": "rate_limited"})
    assert (records["ZZTA"]["outcome"], records["ZZTA"]["failed_expirations"]) == ("ok", {"2026-06-19": "rate_limited"})
    assert len(records["ZZTA"]["chains"]) == 1


@pytest.mark.parametrize(("error", "stopped"), [(RateLimited("429"), "rate_limited"), (TimedOut("late"), None)])
def test_rates_that_are_refused_leave_the_ticker_and_a_rate_limit_ends_the_scan(
    folder: MarketFolder, error: ProviderError, stopped: str | None
) -> None:
    answers: dict[str, Answer] = {"ZZTA": [live_chain()], "ZZTB": [live_chain("ZZTB")]}
    collection, records, _ = collected(folder, answers, rates=error)
    assert collection.stopped == stopped
    assert records["ZZTA"]["outcome"] == "ok"
    assert records["ZZTA"]["rate_curve"]["source"] == "assumed"
    assert set(records) == ({"ZZTA"} if stopped else {"ZZTA", "ZZTB"})


def test_three_unreachable_in_a_row_end_the_scan(folder: MarketFolder) -> None:
    gone = Unreachable("no route")
    answers: dict[str, Answer] = dict.fromkeys(("ZZTA", "ZZTB", "ZZTC", "ZZTD"), gone)
    collection, records, _ = collected(folder, answers)
    assert (collection.stopped, collection.skipped) == ("unreachable", {"ZZTD": "unreachable"})
    assert set(records) == {"ZZTA", "ZZTB", "ZZTC"}


def test_an_answer_in_between_forgives_the_unreachable(folder: MarketFolder) -> None:
    gone = Unreachable("no route")
    answers: dict[str, Answer] = {
        "ZZTA": gone,
        "ZZTB": gone,
        "ZZTC": [live_chain("ZZTC")],
        "ZZTD": gone,
        "ZZTE": NoOptions("none"),
        "ZZTF": gone,
    }
    collection, records, _ = collected(folder, answers)
    assert (collection.stopped, len(records)) == (None, 6)


def test_what_is_staged_already_is_not_asked_for_again(folder: MarketFolder) -> None:
    answers: dict[str, Answer] = {"ZZTA": [live_chain()], "ZZTB": [live_chain("ZZTB")]}
    collected(folder, {"ZZTA": answers["ZZTA"]})
    _, records, provider = collected(folder, answers)
    assert set(records) == {"ZZTA", "ZZTB"}
    assert not any("ZZTA" in call for call in provider.calls)


def test_past_the_deadline_nobody_is_tried(folder: MarketFolder) -> None:
    late = STAMP + timedelta(minutes=9)
    collection, records, provider = collected(folder, {"ZZTA": [live_chain()]}, now=late)
    assert (collection.skipped, records, provider.calls) == ({"ZZTA": "deadline"}, {}, [])
    collection, records, _ = collected(folder, {"ZZTA": [live_chain()]}, now=late - timedelta(seconds=1))
    assert (collection.skipped, set(records)) == ({}, {"ZZTA"})


@pytest.mark.parametrize(
    ("calls", "fetch_bars", "served"),
    # Cookie and crumb are two calls, a ticker of at most two expirations two, and one more for its bars; a scan that
    # fetches bars asks for the rates too, in two calls.
    [
        (3, False, 0),
        (4, False, 1),
        (7, False, 2),
        (8, False, 3),
        (6, True, 0),
        (7, True, 1),
        (12, True, 2),
        (13, True, 3),
    ],
)
def test_tickers_beyond_the_calls_are_skipped_for_the_budget(
    folder: MarketFolder, calls: int, fetch_bars: bool, served: int
) -> None:
    answers: dict[str, Answer] = {name: [live_chain(name)] for name in ("ZZTA", "ZZTB", "ZZTC")}
    collection, records, _ = collected(
        folder,
        answers,
        changes={"calls": calls, "max_expirations": 2, "fetch_bars": fetch_bars},
        pays=True,
    )
    assert len(records) == served
    assert set(collection.skipped.values()) <= {"budget"}
    assert set(collection.skipped) | set(records) == set(answers)


def test_a_paying_provider_is_asked_for_the_chosen_expirations_alone(folder: MarketFolder) -> None:
    listed = [live_chain(expiration=day) for day in (EXPIRATION, date(2026, 4, 24), date(2026, 5, 15), JUNE)]
    _, records, provider = collected(folder, {"ZZTA": listed}, changes={"max_expirations": 3}, pays=True)
    assert [call for call in provider.calls if call.startswith("chain")] == [
        "chain ZZTA 2026-04-17",
        "chain ZZTA 2026-04-24",
        "chain ZZTA 2026-05-15",
    ]
    assert records["ZZTA"]["expirations_listed"] == 4


def test_bars_that_a_paying_provider_gave_serve_the_scans_between(folder: MarketFolder) -> None:
    collected(folder, {"ZZTA": [live_chain()]}, pays=True)
    Staging(folder, "scan-1").drop()
    _, records, provider = collected(folder, {"ZZTA": [live_chain()]}, changes={"fetch_bars": False}, pays=True)
    assert "bars ZZTA" not in provider.calls
    assert records["ZZTA"]["bars"]["close"] == [99.0, 100.0]


def test_a_scheduled_scan_of_a_live_feed_stops_where_two_tickers_show_no_quotes(folder: MarketFolder) -> None:
    names = ("ZZTA", "ZZTB", "ZZTC")
    collection, records, _ = collected(
        folder, {name: [dark_chain(name)] for name in names}, changes={"kind": "scheduled"}
    )
    assert (collection.stopped, collection.skipped) == ("no_quotes_yet", {"ZZTC": "no_quotes_yet"})
    assert set(records) == {"ZZTA", "ZZTB"}


@pytest.mark.parametrize("kind", ["manual", "close", "request"])
def test_other_scans_go_on_without_quotes(folder: MarketFolder, kind: str) -> None:
    answers: dict[str, Answer] = {name: [dark_chain(name)] for name in ("ZZTA", "ZZTB", "ZZTC")}
    collection, records, _ = collected(folder, answers, changes={"kind": kind})
    assert (collection.stopped, len(records)) == (None, 3)


def test_one_of_the_first_two_with_quotes_lets_a_scheduled_scan_go_on(folder: MarketFolder) -> None:
    answers: dict[str, Answer] = {
        "ZZTA": [dark_chain()],
        "ZZTB": [live_chain("ZZTB")],
        "ZZTC": [dark_chain("ZZTC")],
    }
    collection, records, _ = collected(folder, answers, changes={"kind": "scheduled"})
    assert (collection.stopped, len(records)) == (None, 3)


def test_the_scan_of_an_earlier_session_tells_carried_volume(folder: MarketFolder) -> None:
    blind: dict[str, Any] = {"last_trade_time": None, "change": None}
    before = chain(contract(**blind), contract("put", **blind), stamp=at(23))
    collected(folder, {"ZZTA": [before]})
    Staging(folder, "scan-1").move_to_history(folder, "yahoo", {"ZZTA": "2026-03-23"})
    assert last_session_rows(folder, "yahoo", "ZZTA", date(2026, 3, 24)) is not None
    after = chain(contract(**blind), contract("put", **blind, volume=41))
    collected(folder, {"ZZTA": [after]})
    (path,) = Staging(folder, "scan-1").parquet_files()
    assert dict(known_volume(path)) == {occ(): False, occ(option_type="put"): True}


def known_volume(path: Any) -> list[tuple[str, bool]]:
    with duckdb.connect(":memory:") as connection:
        found: list[tuple[str, bool]] = connection.execute(
            "SELECT contract_symbol, volume_known FROM read_parquet(?)", [str(path)]
        ).fetchall()
    return found
