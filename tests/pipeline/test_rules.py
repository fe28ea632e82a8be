"""Rules in a scan: planned with it, judged in its join, told in its documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import pytest

from collector.alerts.policy import AlertPolicy
from collector.configuration import Alerting
from collector.detectors.base import Claim, ConfigError, Evaluation, TickerView
from collector.detectors.registry import DetectorSet
from collector.models import Rule
from collector.pipeline.backfill import Silent
from collector.pipeline.join import join
from collector.pipeline.plan import Scan, plan_scan
from collector.pipeline.publish import publish
from collector.pipeline.run import collect
from collector.rules.names import NAMES, chain_record
from collector.store.database import open_store
from collector.store.staging import Staging
from exports.folders import MarketFolder
from exports.reader import ExportReader
from tests.pipeline.scripted_provider import ScriptedProvider, at, scan, session_bar
from tests.quotes import live_chain

pytestmark = pytest.mark.django_db

BARS = [session_bar(date(2026, 3, day), 100.0 + day % 3) for day in range(2, 24) if date(2026, 3, day).weekday() < 5]


def documents(folder: MarketFolder, name: str) -> list[dict[str, Any]]:
    publish(folder)
    generation = ExportReader(folder.export_dir).current()
    assert generation is not None
    document = generation.document(name)
    assert document is not None
    return [document.record(position) for position in range(document.count)]


@pytest.fixture
def recorded_folder(data_dir: Path) -> MarketFolder:
    folder = MarketFolder(data_dir, "recorded")
    folder.create()
    return folder


@pytest.fixture
def config(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text("[[rules]]\nname = 'Priced'\ncondition = 'price >= 100'\ntickers = ['ZZTA']\n")
    settings.OPTSITE = settings.OPTSITE.model_copy(update={"config": path})
    return path


def made_in_admin(**values: Any) -> Rule:
    return Rule.objects.create(market="recorded", **{"name": "Chains", "condition": "chain.dte > 0", **values})


def test_rules_of_file_and_admin_raise_alerts(recorded_folder: MarketFolder, config: Path) -> None:
    made_in_admin(direction="bullish")
    Rule.objects.create(market="live", name="Elsewhere", condition="price > 0")
    scan(recorded_folder, {"ZZTA": [live_chain()], "ZZTB": [live_chain("ZZTB")]})
    alerts = {(one["ticker"], one["detector"]): one for one in documents(recorded_folder, "alerts")}
    assert set(alerts) == {("ZZTA", "rule:priced"), ("ZZTA", "rule:chains"), ("ZZTB", "rule:chains")}
    priced = alerts["ZZTA", "rule:priced"]
    assert priced["trigger"] == {"metric": "price", "value": 100.0, "threshold": 100.0, "comparison": ">="}
    assert priced["key"] == "recorded|ZZTA|rule:priced||neutral"
    assert alerts["ZZTB", "rule:chains"]["direction"] == "bullish"
    assert alerts["ZZTB", "rule:chains"]["subject"].endswith(":ZZTB")
    detectors = {one["name"] for one in documents(recorded_folder, "meta") if one["kind"] == "detector"}
    assert {"rule:priced", "rule:chains"} <= detectors
    assert "rule:elsewhere" not in detectors
    features = {one["ticker"]: one for one in documents(recorded_folder, "features")}
    seen = {one["detector"]: one["status"] for one in features["ZZTB"]["detectors"]}
    assert seen["rule:chains"] == "armed"
    assert "rule:priced" not in seen
    (told,) = documents(recorded_folder, "scans")
    assert {one["detector"]: one["armed"] for one in told["detectors"]}["rule:chains"] == 2


def test_an_alert_of_a_rule_lives_over_scans_and_ends(recorded_folder: MarketFolder, config: Path) -> None:
    for hour, price in ((15, 100.0), (16, 101.0), (17, 99.0)):
        scan(recorded_folder, {"ZZTA": [live_chain(stamp=at(24, hour))]}, price=price)
    with open_store(recorded_folder, "test") as connection:
        rows = connection.execute("SELECT kind FROM alert_events ORDER BY happened_at").fetchall()
    assert [kind for (kind,) in rows] == ["new", "ongoing", "ended"]


def test_a_scan_is_judged_by_the_rules_that_its_plan_holds(recorded_folder: MarketFolder) -> None:
    row = made_in_admin()
    provider = ScriptedProvider({"ZZTA": [live_chain()]}, market="recorded")
    plan = plan_scan(recorded_folder, provider, Scan(tickers=("ZZTA",)), None)
    staging = Staging(recorded_folder, plan.scan_id)
    staging.write_plan(plan.to_json())
    collect(recorded_folder, provider, plan, staging, Silent())
    row.delete()
    made_in_admin(name="Later", condition="price > 0")
    with open_store(recorded_folder, "test") as connection:
        join(connection, recorded_folder, staging, provider.sessions())
    assert [one["detector"] for one in documents(recorded_folder, "alerts")] == ["rule:chains"]
    later = plan_scan(recorded_folder, provider, Scan(tickers=("ZZTA",)), None)
    assert later.config_hash != plan.config_hash
    assert [rule["name"] for rule in later.configuration["rules"]] == ["Later"]


@dataclass(frozen=True, slots=True)
class Spy:
    """A detector that finds nothing and keeps what it was shown."""

    config: Any = None
    shown: list[TickerView] = field(default_factory=list)

    name: ClassVar[str] = "spy"
    claim: ClassVar[Claim] = "spot_follows"
    hypothesis: ClassVar[str] = "None."
    formula: ClassVar[str] = "None."
    day_one: ClassVar[str] = "None."
    minimum_grade: ClassVar[str] = "C"

    def configuration(self) -> dict[str, Any]:
        return {}

    def evaluate(self, view: TickerView) -> Evaluation:
        self.shown.append(view)
        return Evaluation(self.name, "quiet")


def test_every_name_reads_in_a_scan_what_the_documents_hold(recorded_folder: MarketFolder) -> None:
    provider = ScriptedProvider({"ZZTA": [live_chain()]}, market="recorded", bars=BARS)
    plan = plan_scan(recorded_folder, provider, Scan(tickers=("ZZTA",)), None)
    staging = Staging(recorded_folder, plan.scan_id)
    staging.write_plan(plan.to_json())
    collect(recorded_folder, provider, plan, staging, Silent())
    spy = Spy()
    with open_store(recorded_folder, "test") as connection:
        join(
            connection,
            recorded_folder,
            staging,
            provider.sessions(),
            alerting=Alerting(DetectorSet((spy,)), AlertPolicy()),
        )
    (view,) = spy.shown
    (figures,), (published,) = documents(recorded_folder, "features"), documents(recorded_folder, "chains")
    seen = {**view.features, "ticker": view.ticker}, chain_record(view.chains[0].row)
    known = 0
    for name, named in NAMES.items():
        here, there = named.read(seen[named.of_chain]), named.read((figures, published)[named.of_chain])
        if isinstance(there, float):
            assert here == pytest.approx(there, rel=1e-5), name
        else:
            assert here == there, name
        known += there is not None
    assert known > 80, "most of them hold something"


def test_a_rule_that_is_off_changes_nothing(recorded_folder: MarketFolder) -> None:
    provider = ScriptedProvider({"ZZTA": [live_chain()]}, market="recorded")
    before = plan_scan(recorded_folder, provider, Scan(tickers=("ZZTA",)), None).config_hash
    made_in_admin(enabled=False)
    assert plan_scan(recorded_folder, provider, Scan(tickers=("ZZTA",)), None).config_hash == before


def test_a_name_of_both_stops_the_scan(recorded_folder: MarketFolder, config: Path) -> None:
    made_in_admin(name="priced")
    with pytest.raises(ConfigError, match="'Priced' is the name of a rule in the admin too"):
        scan(recorded_folder, {"ZZTA": [live_chain()]})
