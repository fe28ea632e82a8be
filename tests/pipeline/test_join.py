"""Join: all of a scan or nothing, once; with its alerts, coverage and status."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from collector.alerts.policy import AlertPolicy
from collector.configuration import Alerting
from collector.detectors.base import Evaluation, TickerView
from collector.detectors.registry import DETECTORS, DetectorSet
from collector.detectors.unusual_activity import UnusualActivity
from collector.market.calendar import exchange_sessions
from collector.pipeline import detect as detecting
from collector.pipeline import join as joining
from collector.pipeline.collect import Collector
from collector.pipeline.join import Joined, join
from collector.pipeline.plan import ScanPlan
from collector.providers.base import NoOptions, NotRecorded, ProviderError, RateLimited, TimedOut
from collector.store import history
from collector.store.database import open_store
from collector.store.staging import Staging
from exports.folders import MarketFolder
from tests.pipeline.scripted_provider import Answer, ScriptedProvider, at, session_bar
from tests.pipeline.test_collect import Watcher, plan
from tests.quotes import EXPIRATION, STAMP, chain, contract, dark_chain, live_chain, occ
from tests.store.rows import files

MAY, JUNE = date(2026, 5, 15), date(2026, 6, 19)
TABLES = ("revisions", "scans", "chains", "contracts", "features", "bars", "events", "alert_events")
BARS = (session_bar(date(2026, 3, 23), 100.0),)


@pytest.fixture
def folder(data_dir: Any) -> MarketFolder:
    made = MarketFolder(data_dir, "yahoo")
    made.create()
    return made


def stage(
    folder: MarketFolder, scan_id: str, answers: Mapping[str, Answer], *, ended: bool = True, **changes: Any
) -> Staging:
    """Collect a scan into its staging; without ``ended`` it was killed after its last ticker."""
    provider = ScriptedProvider(answers, bars=BARS)
    staging = Staging(folder, scan_id)
    made: ScanPlan = plan(answers, scan_id=scan_id, **changes)
    staging.write_plan(made.to_json())
    collection = Collector(folder, provider, made, staging, Watcher(), now=lambda: made.started_at).collect()
    if ended:
        outcome = {"stopped": collection.stopped, "skipped": collection.skipped, "calls": 3, "seconds": 0.5}
        staging.write_outcome({**outcome, "finished_at": at(24, 17, 1).isoformat()})
    return staging


def joined(folder: MarketFolder, scan_id: str, answers: Mapping[str, Answer], **more: Any) -> Joined:
    staging = stage(folder, scan_id, answers, **more)
    with open_store(folder, "test") as connection:
        return join(connection, folder, staging, exchange_sessions())


def counts(folder: MarketFolder) -> dict[str, int]:
    with open_store(folder, "test") as connection:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in TABLES}


def busy(volume: int = 40_000, stamp: datetime = STAMP, open_interest: int = 900) -> Any:
    """Return a live chain whose call at 100 traded ``volume`` against an open interest of 900, at a mid of 3."""
    call = contract(strike=100.0, contract_symbol=occ(), volume=volume, open_interest=open_interest)
    others = [one for one in live_chain().contracts if (one.option_type, one.strike) != ("call", 100.0)]
    return chain(call, *others, stamp=stamp)


def test_a_scan_is_joined_whole_and_its_rows_move_to_the_history(folder: MarketFolder) -> None:
    result = joined(
        folder, "scan-1", {"ZZTA": [live_chain(), live_chain(expiration=JUNE)], "ZZTB": [dark_chain("ZZTB")]}
    )
    assert (result.store_revision, result.fresh) == (1, True)
    assert counts(folder) == {
        "revisions": 1,
        "scans": 1,
        "chains": 3,
        "contracts": 30,
        "features": 2,
        "bars": 2,
        # FOMC statements and CPI releases from 2026-03-24 on, as they were listed then: 8 and 7, and 9.
        "events": 24,
        "alert_events": 0,
    }
    scan = result.scan
    assert (scan["status"], scan["reason"], scan["grades"]) == ("ok", None, {"A": 2, "F": 1})
    assert (scan["chains"], scan["contracts"], scan["provider_calls"]) == (3, 30, 3)
    assert scan["as_of"] == "2026-03-24T16:45:00+00:00"
    assert files(folder.parquet_dir) == [
        "provider=yahoo/date=2026-03-24/scan-1_ZZTA.parquet",
        "provider=yahoo/date=2026-03-24/scan-1_ZZTB.parquet",
    ]
    assert files(folder.staging_dir) == []


def test_a_scan_that_is_there_already_is_not_joined_twice(folder: MarketFolder) -> None:
    joined(folder, "scan-1", {"ZZTA": [busy()], "ZZTB": TimedOut("late")})
    before = counts(folder)
    again = joined(folder, "scan-1", {"ZZTA": [busy()], "ZZTB": TimedOut("late")})
    assert (again.fresh, again.store_revision, again.scan["status"]) == (False, 1, "partial")
    assert counts(folder) == before
    assert files(folder.staging_dir) == []


class Broken(UnusualActivity):
    """A detector that fails."""

    name = "broken"

    def evaluate(self, view: TickerView) -> Evaluation:
        raise RuntimeError(f"no judgement of {view.ticker}")


def test_a_detector_that_fails_is_told_in_the_scan_and_stops_nobody(
    folder: MarketFolder, caplog: pytest.LogCaptureFixture
) -> None:
    staging = stage(folder, "scan-1", {"ZZTA": [busy()]})
    judges = Alerting(DetectorSet((Broken(), *DETECTORS)), AlertPolicy())
    with open_store(folder, "test") as connection:
        scan = join(connection, folder, staging, exchange_sessions(), alerting=judges).scan
    assert scan["new_alerts"] == 1
    told = {row["detector"]: row for row in scan["detectors"]}
    assert told["broken"] == {
        "detector": "broken",
        "armed": 0,
        "quiet": 0,
        "not_evaluated": 1,
        "reasons": {"detector_failed": 1},
    }
    assert told["unusual_activity"]["armed"] == 1
    assert "Detector broken failed on ZZTA" in caplog.text
    assert "no judgement of ZZTA" in caplog.text


def test_an_error_rolls_all_back_and_leaves_the_staging(folder: MarketFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    joined(folder, "scan-1", {"ZZTA": [busy(stamp=at(24, 16))]})
    before = counts(folder)
    staging = stage(folder, "scan-2", {"ZZTA": [busy()]})
    staged = files(folder.staging_dir)

    def broken(*arguments: Any) -> None:
        raise RuntimeError("no events today")

    with monkeypatch.context() as patched, open_store(folder, "test") as connection:
        patched.setattr(detecting, "advance", broken)
        with pytest.raises(RuntimeError, match="no events today"):
            join(connection, folder, staging, exchange_sessions())
    assert counts(folder) == before
    assert files(folder.staging_dir) == staged
    with open_store(folder, "test") as connection:
        result = join(connection, folder, Staging(folder, "scan-2"), exchange_sessions())
    assert (result.store_revision, result.fresh) == (2, True)


@pytest.mark.parametrize("step", ["append_contracts", "append_bars", "append_revision"])
def test_an_error_at_any_step_leaves_no_row(folder: MarketFolder, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(joining.records, step, full)
        with pytest.raises(OSError, match="no space"):
            joined(folder, "scan-1", {"ZZTA": [busy()]})
    assert set(counts(folder).values()) == {0}
    assert joined(folder, "scan-1", {"ZZTA": [busy()]}).fresh


def alerts(folder: MarketFolder) -> list[tuple[str, str, str]]:
    with open_store(folder, "test") as connection:
        return connection.execute(
            "SELECT scan_id, kind, alert->>'subject' FROM alert_events ORDER BY store_revision, event_id"
        ).fetchall()


def test_an_alert_begins_once_goes_on_and_ends_by_its_level(folder: MarketFolder) -> None:
    first = joined(folder, "scan-1", {"ZZTA": [busy(stamp=at(24, 15))]})
    assert (first.scan["new_alerts"], first.scan["alerts"]) == (1, 1)
    second = joined(folder, "scan-2", {"ZZTA": [busy(stamp=at(24, 16))]})
    assert (second.scan["new_alerts"], second.scan["alerts"]) == (0, 1)
    third = joined(folder, "scan-3", {"ZZTA": [busy(stamp=at(24, 17), volume=10)]})
    assert (third.scan["new_alerts"], third.scan["alerts"]) == (0, 0)
    assert alerts(folder) == [("scan-1", "new", occ()), ("scan-2", "ongoing", occ()), ("scan-3", "ended", occ())]


def test_a_dark_chain_raises_none_ends_none_and_none_is_new_when_quotes_come_back(folder: MarketFolder) -> None:
    joined(folder, "scan-1", {"ZZTA": [busy(stamp=at(24, 15))]})
    dark = joined(folder, "scan-2", {"ZZTA": [dark_chain(stamp=at(24, 16))]})
    assert (dark.scan["new_alerts"], dark.scan["alerts"]) == (0, 1)
    back = joined(folder, "scan-3", {"ZZTA": [busy(stamp=at(24, 17))]})
    assert (back.scan["new_alerts"], back.scan["alerts"]) == (0, 1)
    assert [kind for _, kind, _ in alerts(folder)] == ["new", "ongoing"]


def test_the_morning_after_an_activity_alert_gets_its_verdict_once(folder: MarketFolder) -> None:
    joined(folder, "scan-1", {"ZZTA": [busy(stamp=at(24, 15))]})
    joined(folder, "scan-2", {"ZZTA": [busy(stamp=at(24, 16), volume=50_000)]})
    # Before the open the session is still that of the 24th, whatever the open interest.
    joined(folder, "scan-3", {"ZZTA": [dark_chain(stamp=at(25, 12, 30))]})
    assert [kind for _, kind, _ in alerts(folder)] == ["new", "ongoing"]
    later = joined(folder, "scan-4", {"ZZTA": [busy(stamp=at(25, 15), volume=0, open_interest=30_900)]})
    assert (later.scan["new_alerts"], later.scan["alerts"]) == (0, 0)
    joined(folder, "scan-5", {"ZZTA": [busy(stamp=at(25, 16), volume=0, open_interest=30_900)]})
    with open_store(folder, "test") as connection:
        rows = connection.execute(
            "SELECT scan_id, kind, alert->>'state', alert->>'$.verdict.verdict', alert->>'$.verdict.change' "
            "FROM alert_events WHERE kind <> 'ongoing' ORDER BY store_revision, kind"
        ).fetchall()
        news = history.alert_events_after(connection, 3)
        standing = history.standing_alerts(connection, "yahoo", ["ZZTA"], at(26, 15))
    assert rows == [
        ("scan-1", "new", "new", None, None),
        ("scan-4", "ended", "ended", "opened", "30000"),
        ("scan-4", "verdict", "ended", "opened", "30000"),
    ]
    assert sorted(event["kind"] for event in news) == ["ended", "verdict"]
    assert [alert["verdict"]["open_interest_before"] for alert in standing["ZZTA"]] == [900]


def test_a_feature_says_what_each_detector_saw(folder: MarketFolder) -> None:
    joined(folder, "scan-1", {"ZZTA": [busy()], "ZZTB": [live_chain("ZZTB")], "ZZTC": [dark_chain("ZZTC")]})
    with open_store(folder, "test") as connection:
        rows = connection.execute(
            "SELECT ticker, detectors[0]->>'detector', detectors[0]->>'status', detectors[0]->>'reason' "
            "FROM (SELECT ticker, from_json(detectors, '[\"JSON\"]') AS d, detectors FROM features) ORDER BY ticker"
        ).fetchall()
    assert rows == [
        ("ZZTA", "unusual_activity", "armed", None),
        ("ZZTB", "unusual_activity", "quiet", "low_volume"),
        ("ZZTC", "unusual_activity", "not_evaluated", "no_usable_chain"),
    ]


def test_coverage_names_what_the_last_scan_had_and_this_one_lacks(folder: MarketFolder) -> None:
    today = date(2026, 3, 24)
    first = joined(
        folder,
        "scan-1",
        {"ZZTA": [live_chain(expiration=day, stamp=at(24, 15)) for day in (today, EXPIRATION, MAY, JUNE)]},
    )
    assert first.scan["coverage"] == [
        {
            "ticker": "ZZTA",
            "chains": 4,
            "contracts": 40,
            "missing": [],
            "not_recorded": [],
            "contracts_before": None,
        }
    ]
    # The evening after: today's has died, May's is gone, June's came with two rows fewer, September's is not held.
    fewer = chain(*live_chain().contracts[:8], expiration=JUNE, stamp=at(24, 22))
    second = joined(
        folder,
        "scan-2",
        {"ZZTA": [live_chain(stamp=at(24, 22)), fewer, (date(2026, 9, 18), NotRecorded("not held"))]},
    )
    (row,) = second.scan["coverage"]
    assert (row["missing"], row["not_recorded"]) == (["2026-05-15"], ["2026-09-18"])
    assert (row["chains"], row["contracts"], row["contracts_before"]) == (2, 18, 20)
    with open_store(folder, "test") as connection:
        listed = connection.execute(
            "SELECT scan_id, listed, received FROM chains WHERE expiration = ? ORDER BY scan_id", [JUNE]
        ).fetchall()
    assert listed == [("scan-1", None, 10), ("scan-2", 10, 8)]


LATE = TimedOut("late")


@pytest.mark.parametrize(
    ("answers", "ended", "changes", "status", "reason"),
    [
        ({"ZZTA": [live_chain()]}, True, {}, "ok", None),
        ({"ZZTA": [dark_chain()]}, True, {}, "ok", None),
        ({"ZZTA": [live_chain()], "ZZTB": NoOptions("none")}, True, {}, "ok", None),
        ({"ZZTA": NoOptions("none")}, True, {}, "ok", None),
        ({"ZZTA": NotRecorded("no")}, True, {}, "ok", None),
        ({"ZZTA": [live_chain(), (JUNE, NotRecorded("no"))]}, True, {}, "ok", None),
        ({"ZZTA": [live_chain()], "ZZTB": LATE}, True, {}, "partial", "timed_out"),
        ({"ZZTA": [live_chain(), (JUNE, LATE)]}, True, {}, "partial", "timed_out"),
        ({"ZZTA": LATE}, True, {}, "failed", "timed_out"),
        ({"ZZTA": RateLimited("429"), "ZZTB": [live_chain("ZZTB")]}, True, {}, "failed", "rate_limited"),
        ({"ZZTA": [live_chain()], "ZZTB": RateLimited("429")}, True, {}, "partial", "rate_limited"),
        ({"ZZTA": [live_chain()]}, True, {"skipped": {"ZZTB": "budget"}}, "partial", "budget"),
        ({}, True, {"skipped": {"ZZTB": "closed"}}, "skipped", "closed"),
        ({"ZZTA": [live_chain()]}, True, {"calls": 0}, "skipped", "budget"),
        ({"ZZTA": [live_chain()]}, False, {}, "interrupted", "interrupted"),
        ({"ZZTA": [live_chain()]}, False, {"tickers": ("ZZTA", "ZZTB")}, "interrupted", "interrupted"),
    ],
)
def test_the_status_of_a_scan(
    folder: MarketFolder,
    answers: Mapping[str, Answer],
    ended: bool,
    changes: dict[str, Any],
    status: str,
    reason: str | None,
) -> None:
    tickers = changes.pop("tickers", None)
    staging = stage(folder, "scan-1", answers, ended=ended, **changes)
    if tickers:
        staging.write_plan({**(staging.plan() or {}), "tickers": tickers})
    with open_store(folder, "test") as connection:
        scan = join(connection, folder, staging, exchange_sessions()).scan
    assert (scan["status"], scan["reason"]) == (status, reason)
    assert set(scan["tickers"]["requested"]) == set(tickers or answers) | set(changes.get("skipped", {}))


def test_tickers_are_told_with_their_reasons(folder: MarketFolder) -> None:
    errors: dict[str, ProviderError] = {"ZZTB": LATE, "ZZTC": NoOptions("none"), "ZZTD": NotRecorded("no")}
    answers: dict[str, Answer] = {"ZZTA": [live_chain(), (JUNE, LATE)], **errors}
    scan = joined(folder, "scan-1", answers, skipped={"ZZTE": "budget"}).scan
    assert scan["tickers"] == {
        "requested": ["ZZTA", "ZZTB", "ZZTC", "ZZTD", "ZZTE"],
        "ok": ["ZZTA"],
        "failed": [
            {"ticker": "ZZTB", "reason": "timed_out", "detail": "late"},
            {"ticker": "ZZTA", "reason": "timed_out", "detail": "expiration 2026-06-19"},
        ],
        "skipped": [
            {"ticker": "ZZTC", "reason": "no_options", "detail": "none"},
            {"ticker": "ZZTE", "reason": "budget", "detail": None},
        ],
        "not_recorded": [{"ticker": "ZZTD", "reason": "not_recorded", "detail": "no"}],
    }


def test_the_row_keeps_what_the_scan_was_made_of(folder: MarketFolder) -> None:
    joined(folder, "scan-1", {"ZZTA": [live_chain()]}, configuration={"x": 1}, config_hash="abc")
    with open_store(folder, "test") as connection:
        row = connection.execute(
            "SELECT configuration->>'x', config_hash, code_version, libraries->>'duckdb', watchlist::VARCHAR, "
            "epoch(recorded_at), store_revision FROM scans"
        ).fetchall()[0]
        inserted = connection.execute("SELECT now() - inserted_at < INTERVAL 1 MINUTE FROM scans").fetchone()
    assert row[0:2] == ("1", "abc")
    assert row[2].startswith("0.1.0+")
    assert row[3:5] == (duckdb.__version__, '["ZZTA"]')
    assert row[5:] == (at(24).timestamp(), 1)
    assert inserted == (True,)


def test_a_late_join_sees_only_what_was_known_at_its_time(folder: MarketFolder) -> None:
    late = stage(
        folder, "scan-1", {"ZZTA": [live_chain(stamp=at(24, 15)), live_chain(expiration=MAY, stamp=at(24, 15))]}
    )
    joined(folder, "scan-2", {"ZZTA": [live_chain(stamp=at(24, 16)), live_chain(expiration=JUNE, stamp=at(24, 16))]})
    with open_store(folder, "test") as connection:
        result = join(connection, folder, late, exchange_sessions())
    assert result.store_revision == 2
    assert result.scan["coverage"][0]["contracts_before"] is None
    assert result.scan["coverage"][0]["missing"] == []


def test_settled_contracts_are_counted_as_left_out(folder: MarketFolder) -> None:
    evening = at(24, 21)
    answers: dict[str, Answer] = {
        "ZZTA": [live_chain(expiration=date(2026, 3, 24), stamp=evening), live_chain(stamp=evening)]
    }
    scan = joined(folder, "scan-1", answers).scan
    assert (scan["contracts"], scan["rejections"]) == (10, {"expired": 10})


def test_a_damaged_alert_record_keeps_no_scan_out_of_the_store(
    folder: MarketFolder, caplog: pytest.LogCaptureFixture
) -> None:
    joined(folder, "scan-1", {"ZZTA": [busy(stamp=at(24, 15))]})
    with open_store(folder, "test") as connection:
        connection.execute("""UPDATE alert_events SET alert = '{"id": "x", "state": "ongoing"}'""")
        ((alert_id,),) = connection.execute("SELECT alert_id FROM alert_events").fetchall()
    second = joined(folder, "scan-2", {"ZZTA": [busy(stamp=at(24, 16))]})
    assert second.fresh
    assert f"The record of alert {alert_id} is left out: field key is missing" in caplog.messages
    # What the scan found is told anew, and lives on from there.
    assert alerts(folder)[1] == ("scan-2", "new", occ())
    joined(folder, "scan-3", {"ZZTA": [busy(stamp=at(24, 17))]})
    assert [kind for _, kind, _ in alerts(folder)] == ["new", "new", "ongoing"]
