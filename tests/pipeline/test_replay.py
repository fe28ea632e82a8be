"""An alert recomputed from the store: identical to the last bit, or each difference named."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import time_machine

from collector.models import WatchedTicker
from collector.pipeline import detect as detecting
from collector.pipeline import replay as replaying
from collector.pipeline.backfill import Silent, backfill
from collector.pipeline.detect import Known, detect
from collector.pipeline.publish import publish
from collector.pipeline.replay import DamagedAlert, Difference, UnknownAlert, compared, replay
from collector.providers.demo import DemoProvider
from collector.store.database import open_store
from exports.folders import MarketFolder

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 25, 12, tzinfo=UTC)
SESSIONS = 8


class FewTickers(DemoProvider):
    """The demo market cut down to the tickers in which something is traded in these sessions."""

    def tickers(self) -> tuple[str, ...]:
        return super().tickers()[:3]


@pytest.fixture(scope="module")
def seen() -> list[tuple[dict[str, Any], Any, Known]]:
    """Return what each scan of the backfill was judged by: its staged records, its rows, what was known."""
    return []


@pytest.fixture(scope="module")
def template(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any, seen: list[Any]
) -> Path:
    """Return a data folder with a few backfilled sessions of the demo, published."""
    data_dir = tmp_path_factory.mktemp("replay") / "data"
    data_dir.mkdir(mode=0o700)
    folder = MarketFolder(data_dir, "demo")
    folder.create()

    def noted(known: Known, plan: Any, found: Any, rows: Any, *more: Any) -> Any:
        seen.append((orjson.loads(orjson.dumps(list(found))), rows, known))
        return detect(known, plan, found, rows, *more)

    with pytest.MonkeyPatch.context() as patched, django_db_blocker.unblock():
        patched.setattr("collector.pipeline.join.detect", noted)
        backfill(folder, FewTickers, SESSIONS, NOW, Silent())
        # While the last session's chains are alive and new.
        with time_machine.travel(datetime(2026, 3, 24, 19, 59, 59, tzinfo=UTC), tick=False):
            publish(folder)
        WatchedTicker.objects.all().delete()
    return data_dir


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> MarketFolder:
    shutil.copytree(template, tmp_path / "data")
    return MarketFolder(tmp_path / "data", "demo")


def rows(folder: MarketFolder, query: str) -> list[Any]:
    with open_store(folder, "test") as connection:
        return connection.execute(query).fetchall()


def change(folder: MarketFolder, statement: str) -> None:
    with open_store(folder, "test") as connection:
        connection.execute(statement)


def alert_ids(folder: MarketFolder) -> list[str]:
    """Return the ids of all alerts, those with the most events first."""
    found = rows(
        folder,
        "SELECT alert_id FROM alert_events WHERE kind <> 'digest' GROUP BY alert_id ORDER BY count(*) DESC, alert_id",
    )
    return [alert_id for (alert_id,) in found]


def contract_alert(folder: MarketFolder) -> str:
    """Return the id of an alert on a contract, with the most events."""
    ((alert_id,),) = rows(
        folder,
        "SELECT alert_id FROM alert_events WHERE alert->>'detector' = 'unusual_activity' "
        "GROUP BY alert_id ORDER BY count(*) DESC, alert_id LIMIT 1",
    )
    return str(alert_id)


def test_every_alert_of_the_demo_is_identical_in_every_scan_of_it(folder: MarketFolder) -> None:
    ids = alert_ids(folder)
    kinds = {kind for (kind,) in rows(folder, "SELECT DISTINCT kind FROM alert_events")}
    assert {"new", "ended", "outcome"} <= kinds
    for alert_id in ids:
        found = replay(folder, alert_id, Silent())
        assert [
            (step.kinds, step.differences, step.notes, step.problem) for step in found.steps if step.differences
        ] == []
        assert found.identical
        scans = rows(folder, f"SELECT count(DISTINCT scan_id) FROM alert_events WHERE alert_id = '{alert_id}'")
        assert [(len(found.steps),)] == scans


def test_what_a_scan_saw_is_rebuilt_to_the_last_bit(
    folder: MarketFolder, seen: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records, contracts and past as the detectors were given them live, beside those of the replay."""
    told: list[Any] = []

    def noted(known: Known, plan: Any, found: Any, rows: Any, *more: Any) -> Any:
        told.append((plan.scan_id, orjson.loads(orjson.dumps(list(found))), rows, known))
        return detect(known, plan, found, rows, *more)

    monkeypatch.setattr(replaying, "detect", noted)
    replay(folder, contract_alert(folder), Silent())
    order = [scan for (scan,) in rows(folder, "SELECT scan_id FROM scans ORDER BY store_revision")]
    assert told
    for scan_id, (rebuilt,), of_ticker, known in told:
        records, live_rows, live_known = seen[order.index(scan_id)]
        ticker = rebuilt["ticker"]
        live = next(record for record in records if record["ticker"] == ticker)
        feature = {name: value for name, value in live["feature"].items() if name != "detectors"}
        ranked = {name for name in rebuilt["feature"] if name.startswith("iv_rank") or name == "iv_percentile"}
        for name in feature.keys() - ranked - {"reasons"}:
            assert compared(feature[name], rebuilt["feature"][name], path=name) == []
        by_place = sorted(live["chains"], key=lambda chain: (chain["expiration"], chain["root"]))
        assert compared(by_place, rebuilt["chains"]) == []
        assert compared(live["events"], rebuilt["events"]) == []
        assert of_ticker[ticker].equals(live_rows[ticker])
        assert (of_ticker[ticker].dtypes == live_rows[ticker].dtypes).all()
        usual, live_usual = known.usual[ticker], live_known.usual[ticker]
        assert usual.ticker == live_usual.ticker
        assert usual.contracts.sort_index().equals(live_usual.contracts.sort_index())
        assert known.past[ticker].sessions.dates == live_known.past[ticker].sessions.dates
        assert orjson.dumps(known.standing[ticker]) == orjson.dumps(live_known.standing[ticker])


def test_a_row_that_was_changed_is_named(folder: MarketFolder) -> None:
    alert_id = contract_alert(folder)
    ((scan_id, symbol, volume),) = rows(
        folder,
        f"SELECT scan_id, alert->>'subject', CAST(alert->>'$.metrics.volume' AS INTEGER) FROM alert_events "
        f"WHERE alert_id = '{alert_id}' AND kind = 'new'",
    )
    where = f"scan_id = '{scan_id}' AND contract_symbol = '{symbol}'"
    change(folder, f"UPDATE contracts SET volume = volume + 1 WHERE {where}")
    found = replay(folder, alert_id, Silent())
    assert not found.identical
    first = found.steps[0]
    assert first.scan_id == scan_id
    assert Difference("metrics.volume", volume, volume + 1) in first.differences
    assert all(one.path.split(".")[0] in ALLOWED for one in first.differences)


# What follows from a contract's volume.
ALLOWED = {"metrics", "trigger", "summary", "reason", "score", "score_parts"}


def test_an_alert_that_would_not_have_been_raised_is_told(folder: MarketFolder) -> None:
    alert_id = contract_alert(folder)
    ((scan_id, symbol),) = rows(
        folder,
        f"SELECT scan_id, alert->>'subject' FROM alert_events WHERE alert_id = '{alert_id}' AND kind = 'new'",
    )
    change(folder, f"UPDATE contracts SET volume = 1 WHERE scan_id = '{scan_id}' AND contract_symbol = '{symbol}'")
    first = replay(folder, alert_id, Silent()).steps[0]
    assert first.differences == (Difference("new", "this event", "(absent)"),)


def test_what_was_joined_later_is_not_looked_at(folder: MarketFolder) -> None:
    """A scan that is joined late brings rows of the past: an alert of before did not know them."""
    alert_id = contract_alert(folder)
    change(
        folder,
        """
        INSERT INTO scans SELECT * REPLACE ('late' AS scan_id, 1000 AS store_revision) FROM scans LIMIT 1;
        INSERT INTO contracts SELECT * REPLACE ('late' AS scan_id, volume * 9 AS volume) FROM contracts;
        INSERT INTO features SELECT * REPLACE ('late' AS scan_id, iv_30d * 2 AS iv_30d) FROM features;
        """,
    )
    assert replay(folder, alert_id, Silent()).identical


def test_pruned_contracts_come_from_the_parquet_to_the_last_bit(folder: MarketFolder) -> None:
    change(folder, "DELETE FROM contracts")
    for alert_id in alert_ids(folder)[:3]:
        found = replay(folder, alert_id, Silent())
        assert [step.differences for step in found.steps if step.differences] == []
        assert found.identical
        assert all("contracts from the Parquet history" in step.notes for step in found.steps)


def test_without_the_parquet_the_archive_stands_in_to_its_rounding(folder: MarketFolder) -> None:
    """The last session is the one that was published."""
    ((scan_id,),) = rows(folder, "SELECT scan_id FROM scans ORDER BY store_revision DESC LIMIT 1")
    found = rows(
        folder,
        f"SELECT alert_id FROM alert_events WHERE scan_id = '{scan_id}' AND kind = 'new' "
        "AND alert->>'detector' = 'unusual_activity' ORDER BY alert_id",
    )
    assert found, "the last session raised none"
    change(folder, f"DELETE FROM contracts WHERE scan_id = '{scan_id}'")
    for file in folder.parquet_dir.rglob(f"{scan_id}_*.parquet"):
        file.unlink()
    told = replay(folder, found[0][0], Silent())
    assert [one for step in told.steps for one in step.differences] == []
    assert told.identical
    (step,) = told.steps
    assert step.rounded
    assert any("archive of published documents" in note for note in step.notes)


def test_contracts_that_nothing_holds_can_not_be_replayed(folder: MarketFolder) -> None:
    alert_id = contract_alert(folder)
    change(folder, "DELETE FROM contracts")
    shutil.rmtree(folder.parquet_dir)
    shutil.rmtree(folder.export_dir)
    found = replay(folder, alert_id, Silent())
    assert not found.identical
    assert "neither in the store nor in the Parquet history nor in the archive" in str(found.steps[0].problem)


def test_other_versions_are_told_and_change_nothing_by_themselves(
    folder: MarketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert_id = contract_alert(folder)
    ((then,),) = rows(folder, "SELECT DISTINCT code_version FROM scans")
    monkeypatch.setattr(replaying, "code_version", lambda: "9.9.9+0")
    monkeypatch.setattr(detecting, "code_version", lambda: "9.9.9+0")
    change(
        folder,
        """UPDATE scans SET libraries = json_merge_patch(libraries, '{"numpy": "1.0"}')""",
    )
    found = replay(folder, alert_id, Silent())
    assert found.identical
    for step in found.steps:
        assert f"code: {then} then, 9.9.9+0 now" in step.notes
        assert any(note.startswith("numpy: 1.0 then, ") for note in step.notes)


def test_levels_of_then_decide_not_those_of_now(folder: MarketFolder) -> None:
    alert_id = contract_alert(folder)
    change(
        folder,
        """UPDATE scans SET configuration = json_merge_patch(configuration,
            '{"detectors": {"unusual_activity": {"min_volume": 100000000, "rearm_volume_to_open_interest": 0}}}')""",
    )
    first = replay(folder, alert_id, Silent()).steps[0]
    assert Difference("new", "this event", "(absent)") in first.differences


def test_levels_that_this_version_does_not_know_are_told(folder: MarketFolder) -> None:
    alert_id = contract_alert(folder)
    change(
        folder,
        """UPDATE scans SET configuration = json_merge_patch(configuration,
            '{"detectors": {"unusual_activity": {"min_moons": 3}}}')""",
    )
    notes = replay(folder, alert_id, Silent()).steps[0].notes
    (note,) = [note for note in notes if "levels" in note]
    assert note.startswith("this version can't use the levels of then; the defaults stand in: detectors: ")
    assert "unusual_activity.min_moons: no such level" in note
    assert "\n" not in note


def test_levels_that_were_added_since_are_no_levels_that_can_not_be_used(folder: MarketFolder) -> None:
    alert_id = contract_alert(folder)
    change(
        folder,
        """UPDATE scans SET configuration = json_merge_patch(configuration, '{"detectors": {"unusual_activity":
            {"max_armed": null}}, "alerts": {"verdict": null, "weights": {"size": null}}}')""",
    )
    ((levels,),) = rows(folder, "SELECT DISTINCT configuration->>'$.detectors.unusual_activity.max_armed' FROM scans")
    assert levels is None
    for step in replay(folder, alert_id, Silent()).steps:
        assert [note for note in step.notes if "levels" in note or "settings" in note] == []


@pytest.mark.parametrize("configuration", ['{"detectors": [], "rules": {"a": 1}}', "[]", "null"])
def test_a_configuration_of_another_shape_is_told(folder: MarketFolder, configuration: str) -> None:
    alert_id = contract_alert(folder)
    change(folder, f"UPDATE scans SET configuration = '{configuration}', libraries = '[]'")
    notes = replay(folder, alert_id, Silent()).steps[0].notes
    assert any("the defaults stand in: " in note for note in notes)


def test_fields_that_an_older_version_did_not_record_are_told_once(folder: MarketFolder) -> None:
    alert_id = contract_alert(folder)
    change(
        folder,
        """UPDATE alert_events SET alert = json_merge_patch(alert,
            '{"verdict": null, "outcomes": null, "claim": null, "track_record": null}') WHERE kind = 'new'""",
    )
    found = replay(folder, alert_id, Silent())
    first = found.steps[0]
    # What is taken out by hand is a difference where it held something.
    assert [one.path for one in first.differences if one.recorded != "(absent)"] == []
    (note,) = [note for note in first.notes if note.startswith("recorded by an older version")]
    assert note.startswith("recorded by an older version without: claim, outcomes, ")
    assert note.endswith("verdict")
    assert {one.path for one in first.differences} <= {"track_record"}


def test_a_damaged_record_of_one_scan_is_the_problem_of_that_scan(folder: MarketFolder) -> None:
    ((alert_id, scan_id),) = rows(
        folder,
        "SELECT alert_id, arg_max(scan_id, store_revision) FROM alert_events WHERE kind <> 'digest' "
        "GROUP BY alert_id HAVING count(DISTINCT scan_id) > 1 ORDER BY alert_id LIMIT 1",
    )
    change(folder, f"UPDATE alert_events SET alert = 'null' WHERE alert_id = '{alert_id}' AND scan_id = '{scan_id}'")
    found = replay(folder, alert_id, Silent())
    assert found.alert["id"] == alert_id
    assert [step.problem for step in found.steps if step.scan_id == scan_id] == [
        "its record of the alert can't be used: it is no JSON object"
    ]
    assert found.steps[0].problem is None


@pytest.mark.parametrize("damaged", ['{"id": "x"}', "null"])
def test_an_alert_of_which_no_record_can_be_used_is_told(folder: MarketFolder, damaged: str) -> None:
    alert_id = contract_alert(folder)
    change(folder, f"UPDATE alert_events SET alert = '{damaged}' WHERE alert_id = '{alert_id}'")
    with pytest.raises(DamagedAlert, match=f"The record of alert '{alert_id}' in the demo market's store can't be"):
        replay(folder, alert_id, Silent())


def damaged_history(folder: MarketFolder, scan_id: str) -> int:
    """Write junk into a scan's files of the history; return how many there are."""
    files = list(folder.parquet_dir.rglob(f"{scan_id}_*.parquet"))
    for file in files:
        file.chmod(0o600)
        file.write_bytes(b"junk" * 100)
    return len(files)


def last_alert(folder: MarketFolder) -> tuple[str, str]:
    """Return an alert that the last scan, which was published, raised; and the scan."""
    found = rows(
        folder,
        "SELECT alert_id, scan_id FROM alert_events WHERE kind = 'new' AND alert->>'detector' = 'unusual_activity' "
        "ORDER BY store_revision DESC, alert_id LIMIT 1",
    )
    ((alert_id, scan_id),) = found
    return str(alert_id), str(scan_id)


def test_in_place_of_a_damaged_parquet_the_archive_serves_and_it_is_told(folder: MarketFolder) -> None:
    alert_id, scan_id = last_alert(folder)
    change(folder, f"DELETE FROM contracts WHERE scan_id = '{scan_id}'")
    assert damaged_history(folder, scan_id)
    (step,) = replay(folder, alert_id, Silent()).steps
    assert (step.identical, step.rounded) == (True, True)
    assert any(f"{scan_id}_" in note and "of the Parquet history can't be read" in note for note in step.notes)


def test_a_damaged_parquet_without_an_archive_is_the_problem_in_one_line(folder: MarketFolder) -> None:
    alert_id, scan_id = last_alert(folder)
    change(folder, "DELETE FROM contracts")
    assert damaged_history(folder, scan_id)
    shutil.rmtree(folder.export_dir)
    (step,) = replay(folder, alert_id, Silent()).steps
    assert "of the Parquet history can't be read" in str(step.problem)
    assert "neither the store nor the archive" in str(step.problem)
    assert "\n" not in str(step.problem)


def test_damaged_files_of_earlier_scans_are_left_out_and_told(folder: MarketFolder) -> None:
    alert_id, scan_id = last_alert(folder)
    ((before,),) = rows(folder, f"SELECT arg_max(scan_id, store_revision) FROM scans WHERE scan_id <> '{scan_id}'")
    change(folder, "DELETE FROM contracts")
    assert damaged_history(folder, before)
    (step,) = replay(folder, alert_id, Silent()).steps
    assert step.problem is None
    assert "earlier files of the Parquet history that can't be read, which usual volumes lack: 1" in step.notes


def test_events_that_were_not_kept_are_told(folder: MarketFolder) -> None:
    alert_id = contract_alert(folder)
    change(folder, "UPDATE features SET events_digest = NULL")
    notes = replay(folder, alert_id, Silent()).steps[0].notes
    assert any("which dated events it knew was not kept" in note for note in notes)


@pytest.mark.parametrize("store", [True, False], ids=["in the store", "without a store"])
def test_an_unknown_id_is_told(folder: MarketFolder, store: bool, tmp_path: Path) -> None:
    where = folder if store else MarketFolder(tmp_path / "empty", "demo")
    with pytest.raises(UnknownAlert, match="There is no alert 'nosuch' in the demo market's store"):
        replay(where, "nosuch", Silent())
    assert not (tmp_path / "empty").exists()


@pytest.mark.parametrize(
    ("recorded", "replayed", "differences"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 0.1}, {"a": 0.1 + 2**-56}, [("a", 0.1, 0.1 + 2**-56)]),
        ({"a": 1}, {"a": 1.0}, [("a", 1, 1.0)]),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": None}, {}, [("a", None, "(absent)")]),
        ({}, {"a": 2}, [("a", "(absent)", 2)]),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, [("a.b[1]", 2, 3)]),
        ({"a": [1]}, {"a": [1, 2]}, [("a", [1], [1, 2])]),
    ],
)
def test_what_differs_is_named_by_its_path(recorded: Any, replayed: Any, differences: list[Any]) -> None:
    assert compared(recorded, replayed) == [Difference(*one) for one in differences]


def test_rounding_passes_decimal_numbers_only() -> None:
    assert compared({"a": 0.123456}, {"a": 0.1234561}, 1e-5) == []
    assert len(compared({"a": 0.123456}, {"a": 0.12346}, 1e-5)) == 1
    assert len(compared({"a": 100000}, {"a": 100001}, 1e-4)) == 1


def test_a_date_of_the_store_is_a_session(folder: MarketFolder) -> None:
    """The stage of these tests: as many sessions as were asked for, the last one before NOW."""
    days = [day for (day,) in rows(folder, "SELECT DISTINCT market_date FROM features ORDER BY 1")]
    assert (len(days), days[-1]) == (SESSIONS, date(2026, 3, 24))
