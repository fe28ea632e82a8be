"""manage.py replay: what it prints, and its exit codes."""

from __future__ import annotations

import json

import duckdb
import pytest

from tests.management.conftest import Desk

# By these nearly every contract that traded raises an alert.
LEVELS = """
[detectors.unusual_activity]
min_volume = 1
min_premium = 1.0
rearm_premium = 1.0
day_one_volume_to_open_interest = 0.0001
min_volume_to_open_interest = 0.0001
rearm_volume_to_open_interest = 0.00005
max_relative_spread = 1.0
max_armed = 3
"""


def an_alert(desk: Desk) -> str:
    """Scan by low levels; return the id of an alert that this raised. The levels of now are those of the defaults."""
    desk.levels.write_text(LEVELS)
    assert desk.run("scan").code == 0
    desk.levels.write_text("")
    alerts = json.loads((desk.folder.export_dir / "alerts.json").read_bytes())["alerts"]
    assert alerts, "the demo's scan raised none"
    return str(alerts[0]["id"])


def test_an_alert_that_comes_out_the_same_is_exit_0(desk: Desk) -> None:
    alert_id = an_alert(desk)
    ran = desk.run("replay", alert_id)
    assert ran.code == 0, ran.told
    lines = ran.output.strip().splitlines()
    assert lines[0].startswith(f"Alert {alert_id}, ")
    assert ": identical" in lines[1]
    assert lines[-1] == "Identical to the last bit in 1 scan."
    ran = desk.run("replay", alert_id, "--json")
    told = json.loads(ran.output)
    assert (ran.code, told["alert_id"], told["identical"]) == (0, alert_id, True)
    assert [(scan["kinds"], scan["differences"], scan["identical"]) for scan in told["scans"]] == [(["new"], [], True)]


def test_a_changed_row_is_exit_1_and_named(desk: Desk) -> None:
    alert_id = an_alert(desk)
    with duckdb.connect(desk.folder.store_path) as store:
        store.execute("UPDATE contracts SET mid = mid * 1.01")
        store.execute("UPDATE chains SET underlying_price = underlying_price + 1")
    ran = desk.run("replay", alert_id)
    assert ran.code == 1
    assert "metrics.underlying_price: recorded " in ran.output
    assert ran.output.strip().splitlines()[-1] == "Identical in 0 of 1 scan."


def test_an_unknown_alert_is_one_line_and_exit_2(desk: Desk) -> None:
    ran = desk.run("replay", "nosuch")
    assert ran.code == 2
    (line,) = ran.told.strip().splitlines()
    assert "There is no alert 'nosuch' in the demo market's store" in line


def test_a_damaged_record_is_one_line_and_exit_1(desk: Desk) -> None:
    alert_id = an_alert(desk)
    with duckdb.connect(desk.folder.store_path) as store:
        store.execute("""UPDATE alert_events SET alert = '{"id": "x"}'""")
    ran = desk.run("replay", alert_id)
    assert ran.code == 1
    (line,) = ran.told.strip().splitlines()
    assert f"The record of alert '{alert_id}' in the demo market's store can't be used: field key is missing" in line


@pytest.mark.parametrize("arguments", [(), ("a", "b"), ("a", "--provider", "reuters")])
def test_bad_usage_is_exit_2(arguments: tuple[str, ...], desk: Desk) -> None:
    assert desk.run("replay", *arguments).code == 2


def test_the_market_that_is_asked_is_named(desk: Desk) -> None:
    ran = desk.run("replay", "nosuch", "--provider", "yahoo")
    assert ran.code == 2
    assert "in the live market's store" in ran.told
