from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from exports.documents import DOCUMENTS
from exports.folders import MarketFolder
from exports.manifest import ManifestError, load_manifest, next_generation, parse_timestamp, timestamp
from tests.exports.synthetic import NOW, MarkedSnapshot, exporter


def test_first_generation_is_named_by_its_moment_and_one() -> None:
    assert next_generation(None, datetime(2026, 1, 27, 12, tzinfo=UTC)) == "20260127T120000Z-000001"


def test_generation_counts_on_from_the_one_before() -> None:
    later = datetime(2026, 1, 27, 12, 5, 3, tzinfo=UTC)
    assert next_generation("20260127T120000Z-000041", later) == "20260127T120503Z-000042"


def test_generation_never_goes_back_in_time_when_the_clock_does() -> None:
    earlier = datetime(2026, 1, 27, 11, tzinfo=UTC)
    assert next_generation("20260127T120000Z-000041", earlier) == "20260127T120000Z-000042"


def test_generation_of_a_moment_in_another_zone_is_in_utc() -> None:
    tokyo = datetime.fromisoformat("2026-01-27T21:00:00+09:00")
    assert next_generation(None, tokyo) == "20260127T120000Z-000001"


def test_counter_grows_past_six_digits() -> None:
    assert next_generation("20260127T120000Z-999999", NOW) == "20260127T120000Z-1000000"


@pytest.mark.clock
def test_timestamps_do_not_depend_on_the_machine_zone() -> None:
    assert timestamp(NOW) == "2026-01-27T12:00:00Z"
    assert parse_timestamp("2026-01-27T12:00:00Z") == NOW


def test_manifest_says_what_the_design_lists_within_4_kb(market_folder: MarketFolder) -> None:
    snapshot = MarkedSnapshot(5)
    snapshot.revisions = dict.fromkeys(DOCUMENTS, "r" * 200)
    exporter(market_folder, snapshot).export_all()
    content = (market_folder.export_dir / "manifest.json").read_bytes()
    assert len(content) < 4096
    told = json.loads(content)
    assert told["generation"] == "20260127T120000Z-000001"
    assert told["export_timestamp"] == "2026-01-27T12:00:00Z"
    assert told["next_scan_expected_at"] == timestamp(NOW + timedelta(minutes=10))
    assert told["next_export_expected_at"] == timestamp(NOW + timedelta(minutes=5))
    assert (told["provider"], told["schema_version"], told["store_revision"]) == ("demo", 1, 5)
    assert set(told["documents"]) == {"alerts", "chains", "scans", "features", "history", "meta"}
    for entry in told["documents"].values():
        assert set(entry) == {"path", "size", "sha256", "count", "revision", "store_revision", "index"}
        assert set(entry["index"]) == {"path", "size", "sha256", "version"}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda told: told.pop("generation"), "generation"),
        (lambda told: told.update(generation="latest"), "20260127T120000Z-000042"),
        (lambda told: told.update(export_timestamp=None), "not a manifest"),
        (lambda told: told.update(next_scan_expected_at="soon"), "soon"),
        (lambda told: told["documents"]["alerts"].pop("sha256"), "sha256"),
        (lambda told: told["documents"]["alerts"].update(path="../../etc/passwd"), "leaves the export folder"),
        (lambda told: told["documents"]["alerts"]["index"].update(path="/etc/passwd"), "leaves the export folder"),
        (lambda told: told.update(documents=[]), "not a manifest"),
    ],
)
def test_manifest_that_is_none_is_refused_with_its_fault(market_folder: MarketFolder, spoil, said: str) -> None:
    exporter(market_folder, MarkedSnapshot(1)).export_all()
    told = json.loads((market_folder.export_dir / "manifest.json").read_bytes())
    spoil(told)
    with pytest.raises(ManifestError, match=said):
        load_manifest(json.dumps(told).encode())


def test_manifest_cut_short_is_refused(market_folder: MarketFolder) -> None:
    exporter(market_folder, MarkedSnapshot(1)).export_all()
    content = (market_folder.export_dir / "manifest.json").read_bytes()
    with pytest.raises(ManifestError, match=r"manifest\.json: not a manifest"):
        load_manifest(content[: len(content) // 2])
