"""The API over a recorded table of Cboe's: our volatilities beside the exchange's, features, schema."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client, override_settings

from exports.documents import FEATURES
from exports.folders import MarketFolder
from exports.reader import ExportReader
from exports.reasons import FIELD_REASONS
from tests.api.test_schema import mismatches

pytestmark = [pytest.mark.recordings, pytest.mark.django_db]

TABLE = "spx-2022-07-12.csv"
OF_VOLATILITY = {
    "iv_30d",
    "iv_rank",
    "iv_percentile",
    "volatility_risk_premium",
    "skew_25d",
    "term_slope",
    "expected_move_30d",
    "implied_earnings_move",
    "gamma_exposure",
    "max_pain",
}


@pytest.fixture
def recorded(data_dir: Path, shared_data: Path, tmp_path: Path) -> Iterator[MarketFolder]:
    folder, table = MarketFolder(data_dir, "recorded"), tmp_path / "table"
    table.mkdir()
    shutil.copy(shared_data / "cboe" / TABLE, table)
    with override_settings(MARKET_FOLDER=folder):
        call_command("scan", "--provider", "recorded", "--recordings", str(table), stdout=io.StringIO())
        yield folder


def stated(shared_data: Path, expiration: str, symbols: set[str]) -> dict[str, tuple[float, float]]:
    """Return the exchange's own volatility and delta by symbol, as its table has them."""
    with (shared_data / "cboe" / TABLE).open(encoding="utf-8-sig", newline="") as opened:
        lines = list(csv.reader(opened))
    header = next(line for line in lines if line[:1] == ["Expiration Date"])
    named = [place for place, name in enumerate(header) if name.strip() in ("Calls", "Puts")]
    volatilities = [place for place, name in enumerate(header) if name.strip() == "IV"]
    deltas = [place for place, name in enumerate(header) if name.strip() == "Delta"]
    found = {}
    for line in lines:
        if len(line) != len(header) or line is header:
            continue
        for symbol, volatility, delta in zip(named, volatilities, deltas, strict=True):
            if line[symbol] in symbols:
                found[line[symbol]] = (float(line[volatility]), float(line[delta]))
    return found


def test_a_snapshot_shows_our_volatility_beside_the_exchanges(
    recorded: MarketFolder, shared_data: Path, api: Client
) -> None:
    expiration = "2022-08-19"
    answer = api.get(f"/api/v1/options/SPX/snapshot/?expiration={expiration}&root=SPXW")
    assert answer.status_code == 200
    chain = answer.json()
    assert (chain["ticker"], chain["root"], chain["feed"]) == ("^SPX", "SPXW", "cboe")
    contracts = {one["contract_symbol"]: one for one in chain["calls"] + chain["puts"]}
    theirs = stated(shared_data, expiration, set(contracts))
    assert len(theirs) == len(contracts) > 400
    for symbol, (volatility, _) in theirs.items():
        one = contracts[symbol]
        # The table's 0 says that it has none.
        assert (one["vendor_implied_volatility"] or 0.0) == pytest.approx(volatility)
        if one["implied_volatility"] is None:
            assert one["reasons"]["implied_volatility"] in FIELD_REASONS
    differences = [
        abs(contracts[symbol]["implied_volatility"] - volatility)
        for symbol, (volatility, delta) in theirs.items()
        if 0.02 < abs(delta) < 0.98 and volatility > 0
    ]
    assert len(differences) > 200
    # The accuracy of the whole table is tested elsewhere: here both stand side by side, and are of one thing.
    assert np.median(differences) <= 0.0005
    assert chain["quality"]["facts"]["vendor_difference"] == pytest.approx(0.0, abs=0.001)


def test_the_list_of_features_is_that_of_its_index(recorded: MarketFolder, api: Client) -> None:
    (feature,) = api.get("/api/v1/features/").json()["results"]
    assert list(feature) == [field.name for field in FEATURES.fields]
    assert set(FEATURES.index) >= OF_VOLATILITY
    current = ExportReader(recorded.export_dir).current()
    assert current is not None
    document = current.document("features")
    assert document is not None
    for name in OF_VOLATILITY:
        (kept,) = document.index.column(name)
        expected = np.nan if feature[name] is None else feature[name]
        assert kept == pytest.approx(expected, nan_ok=True), name
    assert 0.15 < feature["iv_30d"] < 0.35
    assert feature["skew_25d"] > 0


def test_the_schema_says_what_is_answered(recorded: MarketFolder, api: Client) -> None:
    schema = api.get("/api/v1/schema/?format=json").json()
    for path, component in (
        ("/api/v1/options/SPX/snapshot/?expiration=2022-08-19", "Snapshot"),
        ("/api/v1/features/SPX/latest/", "Feature"),
    ):
        body: dict[str, Any] = api.get(path).json()
        assert mismatches(schema, schema["components"]["schemas"][component], body) == [], path
