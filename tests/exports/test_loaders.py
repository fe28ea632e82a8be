from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from exports import (
    JSONExporter,
    get_export_dir,
    load_alerts_from_json,
    load_chains_from_json,
    load_features_from_json,
    load_scans_from_json,
)
from exports.documents import DOCUMENTS
from exports.folders import MarketFolder
from tests.exports.synthetic import MarkedSnapshot, exporter, make_record

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def records(name: str, *changes: dict[str, Any]) -> list[dict[str, Any]]:
    return [make_record(DOCUMENTS[name], **change) for change in changes]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MarketFolder:
    """Return a live market's folder, which the environment names."""
    monkeypatch.setenv("OPTSITE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("OPTSITE_PROVIDER", "yahoo")
    return MarketFolder(tmp_path / "data", "yahoo")


@pytest.fixture
def published(folder: MarketFolder) -> MarketFolder:
    snapshot = MarkedSnapshot(1)
    snapshot.given = {
        "alerts": records(
            "alerts",
            {"id": "a1", "ticker": "QQZX", "score": 91.5},
            {"id": "a2", "ticker": "BRK-B", "score": 60.0},
            {"id": "a3", "ticker": "QQZX", "score": 59.9},
        ),
        "chains": records(
            "chains",
            {"ticker": "BRK-B", "expiration": "2026-02-20", "root": "BRKB"},
            {"ticker": "QQZX", "expiration": "2026-02-20", "root": "QQZX"},
            {"ticker": "QQZX", "expiration": "2026-03-20", "root": "QQZX"},
        ),
        "scans": records("scans", {"id": "s2"}, {"id": "s1"}),
        "features": records("features", {"ticker": "BRK-B", "price": 480.0}, {"ticker": "QQZX", "price": None}),
    }
    assert exporter(folder, snapshot).export_all()["errors"] == []
    return folder


@pytest.mark.parametrize(
    ("provider", "expected"),
    [("yahoo", "exports"), ("cboe", "exports"), ("demo", "demo/exports"), ("recorded", "recorded/exports")],
)
def test_export_dir_is_the_markets(tmp_path: Path, monkeypatch, provider: str, expected: str) -> None:
    monkeypatch.setenv("OPTSITE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("OPTSITE_PROVIDER", provider)
    assert get_export_dir() == tmp_path / expected


def test_export_dir_without_settings_is_yahoos_in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPTSITE_DATA_DIR", raising=False)
    monkeypatch.delenv("OPTSITE_PROVIDER", raising=False)
    assert get_export_dir() == REPOSITORY / "data" / "exports"


def test_unknown_provider_is_refused_by_the_variables_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPTSITE_PROVIDER", "yahooo")
    with pytest.raises(ValueError, match=r"OPTSITE_PROVIDER='yahooo': use one of cboe, demo, recorded, yahoo"):
        get_export_dir()


def test_alerts_of_a_least_score_newest_first(published: MarketFolder) -> None:
    assert [alert["id"] for alert in load_alerts_from_json()] == ["a1", "a2", "a3"]
    assert [alert["id"] for alert in load_alerts_from_json(min_score=60)] == ["a1", "a2"]
    assert [alert["id"] for alert in load_alerts_from_json(min_score=0, limit=1)] == ["a1"]


@pytest.mark.parametrize("ticker", ["QQZX", "qqzx", " QQZX "])
def test_chains_of_a_ticker(published: MarketFolder, ticker: str) -> None:
    assert [chain["expiration"] for chain in load_chains_from_json(ticker)] == ["2026-02-20", "2026-03-20"]
    assert len(load_chains_from_json(ticker, limit=1)) == 1


def test_chains_of_every_ticker(published: MarketFolder) -> None:
    assert len(load_chains_from_json()) == 3
    assert len(load_chains_from_json(limit=2)) == 2


def test_ticker_in_a_vendors_spelling_is_found(published: MarketFolder) -> None:
    assert len(load_chains_from_json("BRK.B")) == 1
    features = load_features_from_json("brk/b")
    assert features is not None
    assert features["price"] == 480.0


def test_scans(published: MarketFolder) -> None:
    assert [scan["id"] for scan in load_scans_from_json()] == ["s2", "s1"]
    assert load_scans_from_json(limit=0) == []


def test_features_without_a_ticker_are_the_document_whole(published: MarketFolder) -> None:
    whole = load_features_from_json()
    assert whole is not None
    assert whole["export_timestamp"] == "2026-01-27T12:00:00Z"
    assert whole["feature_count"] == 2
    assert whole["errors"] == []
    assert [features["ticker"] for features in whole["features"]] == ["BRK-B", "QQZX"]


@pytest.mark.parametrize("ticker", ["ZZZZ", "not a ticker!", ""])
def test_unknown_ticker_has_no_chains_and_no_features(published: MarketFolder, ticker: str) -> None:
    assert load_chains_from_json(ticker) == []
    assert load_features_from_json(ticker) is None


def test_limit_below_zero_is_refused(published: MarketFolder) -> None:
    with pytest.raises(ValueError, match="limit=-1: use 0 or more"):
        load_scans_from_json(limit=-1)


def test_nothing_published_is_empty(folder: MarketFolder) -> None:
    assert load_alerts_from_json() == []
    assert load_chains_from_json("QQZX") == []
    assert load_scans_from_json() == []
    assert load_features_from_json("QQZX") is None
    assert load_features_from_json() is None


def test_new_generation_is_seen(published: MarketFolder) -> None:
    assert len(load_scans_from_json()) == 2
    exporter(published, MarkedSnapshot(2)).export_all()
    assert len(load_scans_from_json()) == 8


def test_loaders_work_where_django_is_not_configured(published: MarketFolder) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    told = subprocess.run(
        [sys.executable, "-c", "from exports import load_alerts_from_json as load; print(len(load(min_score=60)))"],
        env=environment | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "2\n"


# What follows are the examples and the one-liners of the description that the project grew from, its import path
# adapted: people's scripts hold them.

EXPORT_EXAMPLE = """
export_result = exporter.export_all()

if export_result['success']:
    print(f"Exported successfully")
else:
    print(f"Export had errors: {export_result['errors']}")
"""

READ_EXAMPLE = """
alerts = load_alerts_from_json(min_score=60, limit=50)

for alert in alerts:
    print(f"{alert['ticker']}: {alert['score']:.1f}")
"""

ONE_LINERS = {
    "ls -lh data/exports/": "alerts.json",
    "ls -lh data/exports/archive/": "alerts_20260127T120000Z-000001.json",
    """python3 -c "import json; print(json.load(open('data/exports/alerts.json'))['export_timestamp'])" """: (
        "2026-01-27T12:00:00Z\n"
    ),
    """python3 -c "import json; d=json.load(open('data/exports/alerts.json')); """
    """print(f\\"Alerts: {len(d.get('alerts', []))}\\")" """: "Alerts: 3\n",
}


def test_export_example_runs(folder: MarketFolder, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.MARKET_FOLDER = folder
    settings.EXPORT_SOURCE = "tests.exports.synthetic.FolderSource"
    names = {"exporter": JSONExporter()}
    for method in ("export_alerts", "export_chains", "export_scans", "export_features"):
        assert getattr(names["exporter"], method)()["success"] is True
    exec(EXPORT_EXAMPLE, names)
    assert capsys.readouterr().out.endswith("Exported successfully\n")


def test_reading_example_runs(published: MarketFolder, capsys: pytest.CaptureFixture[str]) -> None:
    exec(READ_EXAMPLE, {"load_alerts_from_json": load_alerts_from_json})
    assert capsys.readouterr().out == "QQZX: 91.5\nBRK-B: 60.0\n"


@pytest.mark.parametrize("line", ONE_LINERS, ids=["ls", "ls-archive", "timestamp", "count"])
def test_validation_one_liner_runs(published: MarketFolder, line: str) -> None:
    told = subprocess.run(line, shell=True, cwd=published.data_dir.parent, capture_output=True, text=True, check=True)
    assert ONE_LINERS[line] in told.stdout


def test_log_lines_match_the_greps(published: MarketFolder, tmp_path: Path) -> None:
    log = tmp_path / "option_chain_dashboard.log"
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root, level = logging.getLogger("exports"), logging.getLogger("exports").level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        load_alerts_from_json()
        load_features_from_json("QQZX")
        exporter(published, MarkedSnapshot(3)).export_all()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()
    reads = subprocess.run(
        f'grep "load_.*_from_json\\|Retrieved.*from JSON" {log}', shell=True, capture_output=True, text=True, check=True
    )
    assert "load_alerts_from_json: 3 alerts" in reads.stdout
    assert "load_features_from_json: 1 features" in reads.stdout
    exports = subprocess.run(f'grep "Exporting\\|export\\|JSON" {log}', shell=True, capture_output=True, check=True)
    assert b"JSON export 20260127T120000Z-000002 published" in exports.stdout
