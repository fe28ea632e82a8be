"""What the alerts say of real recordings: a golden list of one without history, and nothing before the open."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from collector.store.database import open_store
from exports.folders import MarketFolder
from tests.pipeline.test_recordings import document, folder, scan

__all__ = ["folder"]

pytestmark = [pytest.mark.recordings, pytest.mark.django_db]

NVDA = "nvda-2025-01-06.csv"
GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "alerts-nvda-2025-01-06.json"


def test_without_history_unusual_activity_speaks_of_nvda(
    folder: MarketFolder, shared_data: Path, tmp_path: Path
) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    shutil.copy(shared_data / "cboe" / NVDA, recordings)
    scan(recordings)
    alerts = document(folder, "alerts")
    told = [
        {
            "detector": alert["detector"],
            "subject": alert["subject"],
            "direction": alert["direction"],
            "trigger": alert["trigger"]["metric"],
            "mode": alert["metrics"]["mode"],
            "pattern": alert["metrics"]["pattern"],
            "score": alert["score"],
        }
        for alert in sorted(alerts, key=lambda alert: (-alert["score"], alert["subject"]))
    ]
    assert told == json.loads(GOLDEN.read_text())
    for alert in alerts:
        assert alert["summary"].startswith("NVDA 20")
        assert f"{alert['metrics']['volume']:,} contracts" in alert["reason"]
        assert "0 sessions of its own history" in alert["reason"]
        assert alert["verdict"] is None


def test_before_the_open_there_is_no_alert_at_all(folder: MarketFolder, shared_data: Path) -> None:
    scan(shared_data / "yahoo")
    with open_store(folder, "test") as connection:
        assert connection.execute("SELECT count(*) FROM alert_events").fetchall() == [(0,)]
