"""Alert records out of the store: whole, or refused by the field that an alert's life would fail by."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from collector.store.alert_records import AlertRecordFault, alert_record, usable_record
from tests.store.rows import alert_row

METRICS = {
    "contract_symbol": "ZZTA260619C00100000",
    "root": "ZZTA",
    "expiration": "2026-06-19",
    "settlement_time": "2026-06-19T20:00:00Z",
}


def a_record(**changes: Any) -> dict[str, Any]:
    record = alert_row("a", "new", datetime(2026, 3, 24, 17, tzinfo=UTC), 1)["alert"]
    return {**record, "detector": "unusual_activity", "metrics": METRICS, **changes}


def test_a_whole_record_is_read_as_it_is() -> None:
    whole = a_record(verdict={"verdict": "opened"}, of_another_version=1)
    assert alert_record(json.dumps(whole), "a") == whole


def test_one_from_before_verdicts_has_none() -> None:
    assert alert_record(json.dumps(a_record()), "a")["verdict"] is None


@pytest.mark.parametrize("name", ["id", "key", "ticker", "detector", "subject", "state", "last_seen", "metrics"])
@pytest.mark.parametrize("gone", [True, False], ids=["missing", "null"])
def test_what_lacks_a_field_is_refused_by_its_name(name: str, gone: bool) -> None:
    record = a_record(**{name: None})
    if gone:
        del record[name]
    with pytest.raises(AlertRecordFault, match=f"field {name} is {'missing' if gone else 'null'}"):
        alert_record(json.dumps(record), "a")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"id": "b"}, "id is 'b'"),
        ({"state": "asleep"}, "state is 'asleep'"),
        ({"session": "2026-13-45"}, "session is no date"),
        ({"last_seen": "2026-03-24T99:00:00Z"}, "last_seen is no date"),
        ({"trigger": {}}, "trigger.metric is no text"),
        ({"metrics": []}, "metrics is no object"),
        ({"metrics": {**METRICS, "settlement_time": "soon"}}, "metrics.settlement_time is no time"),
        ({"metrics": {**METRICS, "ended_at": "2026-03-24T17:00:00"}}, "metrics.ended_at is no time"),
        ({"metrics": {**METRICS, "expiration": "June"}}, "metrics.expiration is no date"),
        ({"metrics": {**METRICS, "root": None}}, "metrics.root is no text"),
    ],
)
def test_what_can_not_be_is_refused_by_its_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(AlertRecordFault, match=named) as refused:
        alert_record(json.dumps(a_record(**changes)), "a")
    assert "\n" not in str(refused.value)


def test_no_json_is_refused_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    assert usable_record("{", "a") is None
    assert "alert a is left out: it is no JSON" in caplog.text
