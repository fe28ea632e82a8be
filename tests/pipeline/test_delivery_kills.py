"""Killed anywhere between the join and the delivery: each event arrives at a real receiver, under one key.

What is killed is a process of its own (see command_child.py), and so is what follows it; the receiver outlives them.
"""

from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from exports.folders import MarketFolder
from tests.notifications.events import SECRET
from tests.notifications.receiver import Receiver, receiver
from tests.pipeline import remains
from tests.pipeline.commands import CommandServer, Ran
from tests.pipeline.stage import BEFORE, KILLED, LEVELS, SOON, set_back

pytestmark = pytest.mark.soak

PUBLISH = "collector.pipeline.publish"
# Each alert is told by itself, however many there are.
NO_STORM = "[alerts]\nstorm = 10000\n"
TICKERS = ("CINDRA", "DOVREK")
CHANNELS = ("one", "two")
MAKE = """
from collector.models import Channel
for name in {names!r}:
    Channel.objects.create(market="demo", name=name, kind="webhook", target_url="{url}/" + name, secret="{secret}")
"""
DELIVER = "from collector.notifications.delivery import deliver_due; print(deliver_due())"
CHANNELS_MADE = "2026-03-10T20:00:00+00:00"
# When the lease of a killed sender is over.
LATER = "2026-03-11T18:05:00+00:00"

IN_THE_SCAN = {
    "between join and publish": {"call": "exports.exporter.JSONExporter.publish"},
    "between publish and copy": {"call": f"{PUBLISH}.copy_events"},
    "between the pages' copy and the channels'": {"call": f"{PUBLISH}.copy_to_channels"},
    "between copy and mark": {"call": f"{PUBLISH}.copy_to_channels", "when": "after"},
    "between copy and delivery": {"call": f"{PUBLISH}.request_delivery"},
}
IN_THE_DELIVERY = {
    "claimed and not sent": {"call": "collector.notifications.webhook.post", "number": 3},
    "sent and not noted": {"call": "collector.notifications.webhook.post", "number": 5, "when": "after"},
}


@dataclass(frozen=True, slots=True)
class Stage:
    """A data folder that can be set back to after its first scan."""

    server: CommandServer
    folder: MarketFolder
    template: Path
    scratch: Path
    first_scan: str

    def scan(self, at: str, **order: Any) -> Ran:
        """Run a scan."""
        return self.server.run(["scan"], at=at, **order)

    def deliver(self, at: str, **order: Any) -> Ran:
        """Run what the cluster's task runs."""
        return self.server.run(["shell", "-c", DELIVER], at=at, **order)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("delivery")
    levels, data_dir = home / "levels.toml", home / "data"
    levels.write_text(LEVELS + NO_STORM)
    data_dir.mkdir(mode=0o700)
    folder = MarketFolder(data_dir, "demo")
    with CommandServer(data_dir, OPTSITE_CONFIG=str(levels), OPTSITE_WATCHLIST=",".join(TICKERS)) as server:
        first = server.run(["scan"], at=BEFORE)
        assert first.code == 0, first.told
        shutil.copytree(data_dir, home / "template")
        ((scan_id,),) = remains.rows(folder, "SELECT scan_id FROM collector_scanjob")
        yield Stage(server, folder, home / "template", home / "scratch", scan_id)


@pytest.fixture
def inbox(stage: Stage) -> Iterator[Receiver]:
    """A receiver with two channels that lead to it, made after the first scan and before what will be killed."""
    with receiver() as made:
        set_back(stage.folder, stage.template)
        code = MAKE.format(names=CHANNELS, url=made.url, secret=SECRET)
        ran = stage.server.run(["shell", "-c", code], at=CHANNELS_MADE)
        assert ran.code == 0, ran.told
        yield made


def deliver_all(stage: Stage, at: str = LATER) -> None:
    ran = stage.deliver(at)
    assert ran.code == 0, ran.told
    assert "nothing was due" in stage.deliver(at).told


def each_event_has_arrived(stage: Stage, inbox: Receiver) -> Counter[tuple[str, str]]:
    """Assert that each channel got each new alert, under one key each; return how often, by channel and event."""
    with remains.store_of(stage.folder, stage.scratch) as store:
        assert store is not None
        query = "SELECT event_id FROM alert_events WHERE kind = 'new' AND scan_id <> ?"
        told = {event for (event,) in store.execute(query, [stage.first_scan]).fetchall()}
    assert len(told) > 10
    arrived = Counter((got.path.strip("/"), json.loads(got.body)["event_id"]) for got in inbox.received)
    assert arrived.keys() == {(name, event) for name in CHANNELS for event in told}
    pairs = {(got.path, json.loads(got.body)["event_id"], got.headers["Idempotency-Key"]) for got in inbox.received}
    assert len(pairs) == len(arrived), "an event came with two keys"
    assert len(set(inbox.keys())) == len(arrived), "two events came with one key"
    states = remains.rows(stage.folder, "SELECT DISTINCT state FROM collector_outboxmessage WHERE channel <> 'page'")
    assert states == [("delivered",)]
    return arrived


def test_undisturbed_each_event_arrives_once(stage: Stage, inbox: Receiver) -> None:
    assert stage.scan(at=KILLED).code == 0
    deliver_all(stage, SOON)
    assert set(each_event_has_arrived(stage, inbox).values()) == {1}


@pytest.mark.parametrize("moment", IN_THE_SCAN)
def test_a_scan_killed(moment: str, stage: Stage, inbox: Receiver) -> None:
    killed = stage.scan(at=KILLED, kill=IN_THE_SCAN[moment])
    assert killed.code == -signal.SIGKILL, f"{moment} was not reached: {killed.told}"
    assert inbox.received == []
    assert stage.scan(at=SOON).code == 0
    deliver_all(stage)
    assert set(each_event_has_arrived(stage, inbox).values()) == {1}


@pytest.mark.parametrize("moment", IN_THE_DELIVERY)
def test_a_delivery_killed(moment: str, stage: Stage, inbox: Receiver) -> None:
    assert stage.scan(at=KILLED).code == 0
    killed = stage.deliver(SOON, kill=IN_THE_DELIVERY[moment])
    assert killed.code == -signal.SIGKILL, killed.told
    before = len(inbox.received)
    deliver_all(stage)
    arrived = each_event_has_arrived(stage, inbox)
    # The one that was under way when its sender was killed comes again, if it had come.
    assert before == (5 if moment == "sent and not noted" else 2)
    assert sorted(arrived.values())[-1] == (2 if moment == "sent and not noted" else 1)
    assert sum(arrived.values()) == len(arrived) + (moment == "sent and not noted")
