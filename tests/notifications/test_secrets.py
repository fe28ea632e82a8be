"""A canary in addresses and secrets: after a scan and its delivery by a real cluster it is in the channels alone."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from exports.folders import MarketFolder
from tests.notifications.receiver import Answer, receiver
from tests.pipeline.commands import CommandServer, start
from tests.pipeline.remains import rows
from tests.pipeline.stage import BEFORE, KILLED, LEVELS
from tests.site.processes import wait_for

pytestmark = pytest.mark.soak

CANARY = "canary7f3e9b"
MAKE = """
import json
from collector.models import Channel
for row in json.loads({rows!r}):
    Channel.objects.create(market="demo", **row)
"""
# Two events are enough, and take less time.
FEW = """
from collector.models import OutboxMessage
waiting = OutboxMessage.objects.filter(state="waiting")
few = list(waiting.values_list("event_id", flat=True).distinct().order_by("event_id")[:2])
waiting.exclude(event_id__in=few).delete()
"""
TEST = """
from collector.models import Channel
from collector.notifications.delivery import send_test
from collector.notifications.delivery_error import DeliveryError
for channel in Channel.objects.all():
    try:
        send_test(channel)
    except DeliveryError as error:
        print(channel, repr(channel), error)
"""
READ = """
from django.test import Client
client = Client(headers={"host": "localhost"})
for path in ("", "alerts/", "alerts/latest/", "chains/", "scans/", "scans/latest/", "features/", "status/", "meta/"):
    answer = client.get("/api/v1/" + path, {"limit": 500} if path in ("alerts/", "scans/") else {})
    assert answer.status_code == 200, (path, answer.status_code, answer.content)
    print(answer.content.decode(), dict(answer.headers))
print(client.get("/api/v1/schema/").content.decode())
"""


def channels(good: str, bad: str) -> list[dict[str, Any]]:
    """One of each kind that works, that is refused, that is in trouble, and that is not there."""
    hooks = {
        "good hook": f"http://{good}/{CANARY}?key={CANARY}",
        "refused hook": f"http://{bad}/{CANARY}",
        "hook to nobody": f"http://127.0.0.1:1/{CANARY}",
        "no such host": f"http://{CANARY}.invalid/{CANARY}",
        "hook without sense": f"http://[{CANARY}/",
    }
    services = {
        "good chat": f"json://mia:{CANARY}@{good}/{CANARY}?+X-Key={CANARY}",
        "refused chat": f"json://mia:{CANARY}@{bad}/{CANARY}",
        "chat to nobody": f"json://mia:{CANARY}@127.0.0.1:1/{CANARY}",
        "chat without sense": f"{CANARY}://{CANARY}",
    }
    shared = {"tickers": ["CINDRA"], "secret": f"{CANARY}-and-more"}
    return [
        {"name": name, "kind": kind, "target_url": url, **shared}
        for kind, group in (("webhook", hooks), ("apprise", services))
        for name, url in group.items()
    ]


def outcomes(folder: MarketFolder) -> dict[str, set[str]]:
    """Return by channel what came of the messages that were tried; a round tries a dead channel once."""
    found: dict[str, set[str]] = {}
    for channel, state, error in rows(
        folder, "SELECT channel, state, last_error FROM collector_outboxmessage WHERE state <> 'shown' AND attempts > 0"
    ):
        found.setdefault(channel, set()).add(f"{state} {error}".strip())
    return found


def tables_with(folder: MarketFolder, word: str) -> list[str]:
    """Return the tables of Django's database that hold a word."""
    with closing(sqlite3.connect(folder.data_dir / "db.sqlite3")) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [
            name
            for name in names
            if any(word in str(value) for row in connection.execute(f'SELECT * FROM "{name}"') for value in row)
        ]


def files_with(folder: MarketFolder, word: str) -> list[str]:
    """Return the files of the data folder, but for Django's database, that hold a word."""
    paths = [path for path in folder.data_dir.rglob("*") if path.is_file() and not path.name.startswith("db.sqlite3")]
    assert len(paths) > 10
    return [str(path) for path in paths if word.encode() in path.read_bytes()]


def end(cluster: subprocess.Popen[str]) -> str:
    """End a cluster with all that it started, and return what it said."""
    cluster.kill()
    return "".join(cluster.communicate(timeout=30))


def test_a_secret_is_in_no_log_task_message_document_or_answer(tmp_path: Path) -> None:
    data_dir, levels = tmp_path / "data", tmp_path / "levels.toml"
    data_dir.mkdir(mode=0o700)
    levels.write_text(LEVELS + "[alerts]\nstorm = 10000\n")
    folder = MarketFolder(data_dir, "demo")
    settings = {"OPTSITE_CONFIG": str(levels), "OPTSITE_WATCHLIST": "CINDRA", "OPTSITE_SCAN_CRON": "0 0 1 1 *"}
    with receiver() as good, receiver() as bad, CommandServer(data_dir, **settings) as server:
        bad.usual = Answer(403)
        made = channels(good.address, bad.address)
        told = [
            server.run(arguments, **order)
            for arguments, order in (
                (["scan"], {"at": BEFORE}),
                (["shell", "-c", MAKE.format(rows=json.dumps(made))], {"at": BEFORE}),
                (["scan"], {"at": KILLED}),
                (["shell", "-c", FEW], {}),
                (["shell", "-c", TEST], {}),
            )
        ]
        assert [ran.code for ran in told] == [0] * 5, "\n".join(ran.told for ran in told)
        cluster = start(data_dir, "qcluster", **settings)
        try:
            wait_for(lambda: len(outcomes(folder)) == len(made), 90, "each channel was tried")
            wait_for(lambda: rows(folder, "SELECT 1 FROM django_q_task WHERE func LIKE '%deliver_due'"), 90, "a task")
        finally:
            output = end(cluster)
        read = server.run(["shell", "-c", READ])
        assert read.code == 0, read.told
    assert {name: " / ".join(sorted(found)) for name, found in outcomes(folder).items()} == {
        "good hook": "delivered",
        "refused hook": "dead answered 403",
        "hook to nobody": "waiting could not be reached (ConnectionRefusedError)",
        "no such host": "waiting has a host name that was not found",
        "hook without sense": "dead This is not an address. Enter one such as https://example.com/hooks/options.",
        "good chat": "delivered",
        "refused chat": "dead answered 403",
        "chat to nobody": "waiting did not take the message",
        "chat without sense": "dead has an address that Apprise cannot read: enter it anew",
    }
    assert tables_with(folder, CANARY) == ["collector_channel"]
    assert files_with(folder, CANARY) == []
    for text in (output, read.told, *(ran.told for ran in told)):
        assert CANARY not in text
    # The search finds what is there: the tasks, the log's lines on the failures, the answers.
    assert "django_q_task" in tables_with(folder, "deliver_due")
    assert "django_q_schedule" in tables_with(folder, "deliver_due")
    assert any("option_chain_dashboard.log" in path for path in files_with(folder, "channel refused hook"))
    assert "CINDRA" in read.told
    # What was sent held it: the good receivers were asked at the secret address.
    assert all(CANARY in got.path for got in good.received)
    assert len(good.received) >= 4
