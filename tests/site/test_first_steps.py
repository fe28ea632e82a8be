"""What a start decides: whose market, which scans are owed, who may sign in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.db.models import F

from collector.live import compose_live
from collector.models import Heartbeat, ScanJob
from exports.folders import MarketFolder
from optsite.first_steps import (
    NoMarket,
    child_environment,
    choose_market,
    first_scans,
    first_words,
    make_staff_user,
    note_start,
)
from optsite.management.commands.up import missing_heartbeat

NOW = datetime(2026, 1, 27, 15, tzinfo=UTC)


def never_asked() -> bool:
    raise AssertionError("Yahoo is not asked where a market was named")


def test_yahoo_where_it_can_be_reached(data_dir: Path) -> None:
    choice = choose_market(data_dir, None, None, lambda: True)
    assert (choice.folder.provider, choice.remark) == ("yahoo", "")


def test_the_demo_where_yahoo_was_never_reached(data_dir: Path) -> None:
    choice = choose_market(data_dir, None, None, lambda: False)
    assert choice.folder.provider == "demo"
    assert choice.remark.startswith("Yahoo can't be reached")
    assert "\n" not in choice.remark


def test_a_folder_that_held_a_live_scan_stays_live(data_dir: Path) -> None:
    history = MarketFolder(data_dir, "yahoo").parquet_dir / "provider=yahoo" / "date=2026-01-26"
    history.mkdir(parents=True)
    (history / "scan.parquet").write_bytes(b"PAR1")
    choice = choose_market(data_dir, None, None, lambda: False)
    assert choice.folder.provider == "yahoo"
    assert choice.remark


def test_a_demo_history_is_no_live_scan(data_dir: Path) -> None:
    history = MarketFolder(data_dir, "demo").parquet_dir / "provider=demo"
    history.mkdir(parents=True)
    (history / "scan.parquet").write_bytes(b"PAR1")
    assert choose_market(data_dir, None, None, lambda: False).folder.provider == "demo"


def test_a_named_provider_wins(data_dir: Path, tmp_path: Path) -> None:
    assert choose_market(data_dir, "yahoo", None, never_asked).folder.market == "live"
    assert choose_market(data_dir, "demo", None, never_asked).folder.market == "demo"
    recorded = choose_market(data_dir, "recorded", tmp_path, never_asked)
    assert (recorded.folder.market, recorded.recordings) == ("recorded", tmp_path)


def test_recordings_need_their_folder(data_dir: Path) -> None:
    with pytest.raises(NoMarket, match="--recordings DIR or OPTSITE_RECORDINGS"):
        choose_market(data_dir, "recorded", None, never_asked)


def test_children_are_told_the_choice(data_dir: Path, tmp_path: Path) -> None:
    told = child_environment(choose_market(data_dir, "recorded", tmp_path, never_asked))
    assert told["OPTSITE_DATA_DIR"] == str(data_dir)
    assert told["OPTSITE_PROVIDER"] == "recorded"
    assert told["OPTSITE_RECORDINGS"] == str(tmp_path)


@pytest.mark.django_db
def test_the_first_start_scans_and_the_demos_fills_its_past(data_dir: Path, tmp_path: Path) -> None:
    assert first_scans(MarketFolder(data_dir, "demo"), None) == [["scan", "--backfill", "90"], ["scan"]]
    assert first_scans(MarketFolder(data_dir, "yahoo"), None) == [["scan"]]
    assert first_scans(MarketFolder(data_dir, "recorded"), tmp_path) == [["scan", "--recordings", str(tmp_path)]]


@pytest.mark.django_db
def test_a_later_start_scans_unless_the_last_scan_is_fresh_and_fills_what_the_demo_lacks(
    market_folder: MarketFolder,
) -> None:
    past = ["scan", "--backfill", "90"]
    (market_folder.export_dir / "manifest.json").write_text("{}")
    assert first_scans(market_folder, None, NOW) == [past, ["scan"]]
    job = ScanJob.objects.create(
        market="demo",
        scan_id="one",
        kind="manual",
        state=ScanJob.State.DONE,
        requested_at=NOW,
        finished_at=NOW - timedelta(minutes=9),
    )
    assert first_scans(market_folder, None, NOW) == [past]
    assert first_scans(market_folder, None, NOW, backfill=0) == []
    ScanJob.objects.filter(pk=job.pk).update(finished_at=NOW - timedelta(minutes=11))
    assert first_scans(market_folder, None, NOW, backfill=6) == [["scan", "--backfill", "6"], ["scan"]]


def test_the_first_start_says_what_it_waits_for(data_dir: Path) -> None:
    words = first_words(MarketFolder(data_dir, "demo"), 90)
    assert words == "filling 90 sessions of the demo's past, about a second each; the next start is quick"
    assert "first time" in first_words(MarketFolder(data_dir, "yahoo"), 90)
    assert "first time" in first_words(MarketFolder(data_dir, "demo"), 0)


@pytest.mark.django_db(transaction=True)
def test_a_cluster_that_is_about_to_start_has_a_heartbeat_and_is_missed_as_any_other(
    market_folder: MarketFolder,
) -> None:
    note_start(market_folder)
    shown = compose_live(market_folder)["health"]["heartbeat_at"]
    assert datetime.now(UTC) - datetime.fromisoformat(shown) < timedelta(seconds=10)
    assert missing_heartbeat("demo", 151) is None
    Heartbeat.objects.update(at=F("at") - timedelta(seconds=151))
    assert missing_heartbeat("demo", 149) is None, "it has had no time yet"
    assert missing_heartbeat("demo", 151) == "gave no heartbeat for 151 s"


@pytest.mark.django_db
def test_the_staff_user_is_made_once_and_may_sign_in() -> None:
    password = make_staff_user()
    assert password is not None
    assert len(password) >= 20
    user = authenticate(username="admin", password=password)
    assert user is not None
    assert user.is_staff
    assert user.is_superuser
    assert make_staff_user() is None
