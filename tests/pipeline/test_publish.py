"""Publish: the documents, then the outbox; after a crash in between each message is there once."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from django_q.models import OrmQ

from collector.models import Channel, OutboxMark, OutboxMessage
from collector.notifications.outbox import copy_events
from collector.pipeline import publish as publication
from collector.pipeline.publish import as_json, fill_outbox, is_behind, publish, published_revision
from collector.pipeline.recovery import catch_up
from exports.folders import MarketFolder
from exports.reader import ExportReader
from exports.verification import verify
from tests.pipeline.scripted_provider import at, scan
from tests.pipeline.test_join import busy
from tests.quotes import live_chain

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def folder(data_dir: Any) -> MarketFolder:
    made = MarketFolder(data_dir, "recorded")
    made.create()
    return made


def messages() -> list[tuple[str, str]]:
    return list(OutboxMessage.objects.values_list("kind", "market"))


def mark() -> int:
    return OutboxMark.objects.get(market="recorded").store_revision


def killed(*arguments: object) -> Any:
    raise Killed


def test_a_publication_shows_the_store_and_fills_the_outbox(folder: MarketFolder) -> None:
    scan(folder, {"ZZTA": [busy(stamp=at(24, 15))], "ZZTB": [live_chain("ZZTB")]})
    published = publish(folder)
    assert published.documents["scans"] == 1
    assert published.documents["alerts"] == 1
    assert (published.messages, published.problems) == (1, ())
    assert (messages(), mark(), published_revision(folder)) == ([("new", "recorded")], 1, 1)
    assert as_json(published)["generation"] == published.generation
    current = ExportReader(folder.export_dir).current()
    assert current is not None
    assert current.name == published.generation
    assert verify(folder, deep=True).findings == []


def test_an_alert_that_goes_on_is_no_message_and_its_end_is_one(folder: MarketFolder) -> None:
    for hour, volume in ((15, 40_000), (16, 40_000), (17, 10)):
        scan(folder, {"ZZTA": [busy(volume, at(24, hour))]})
    assert publish(folder).messages == 2
    assert messages() == [("new", "recorded"), ("ended", "recorded")]
    assert publish(folder).messages == 0
    assert len(messages()) == 2


def test_after_a_kill_before_the_publication_the_next_start_publishes_and_copies(folder: MarketFolder) -> None:
    scan(folder, {"ZZTA": [busy()]})
    assert is_behind(folder, 1)
    caught = catch_up(folder)
    assert caught is not None
    assert caught.messages == 1
    assert not is_behind(folder, 1)
    assert catch_up(folder) is None
    assert len(messages()) == 1


def test_after_a_kill_between_publication_and_outbox_each_message_is_there_once(
    folder: MarketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(folder, {"ZZTA": [busy()]})
    with monkeypatch.context() as patched:
        patched.setattr(publication, "fill_outbox", killed)
        with pytest.raises(Killed):
            publish(folder)
    assert (published_revision(folder), messages()) == (1, [])
    assert is_behind(folder, 1)
    assert catch_up(folder) is not None
    assert len(messages()) == 1


def test_after_a_kill_between_the_messages_and_the_mark_none_is_there_twice(
    folder: MarketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(folder, {"ZZTA": [busy()]})

    def copied_then_killed(market: str, events: Any) -> int:
        copy_events(market, events)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(publication, "copy_events", copied_then_killed)
        with pytest.raises(Killed):
            publish(folder)
    assert (len(messages()), mark()) == (1, 0)
    assert catch_up(folder) is not None
    assert (len(messages()), mark()) == (1, 1)


def test_a_receiver_that_never_answers_is_not_even_called_by_a_publication(folder: MarketFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as receiver:
        receiver.setblocking(False)
        url = f"http://127.0.0.1:{receiver.getsockname()[1]}/"
        Channel.objects.create(market="recorded", name="hook", kind="webhook", target_url=url, secret="x" * 16)
        scan(folder, {"ZZTA": [busy()]})
        assert publish(folder).messages == 2
        with pytest.raises(BlockingIOError):
            receiver.accept()
    assert list(OutboxMessage.objects.values_list("channel", "state")) == [("page", "shown"), ("hook", "waiting")]
    (task,) = OrmQ.objects.all()
    assert (task.key, task.func()) == ("optsite-recorded", "collector.notifications.delivery.deliver_due")
    assert task.task["args"] == ()


def test_what_is_muted_is_shown_and_no_channel_is_told(folder: MarketFolder) -> None:
    Channel.objects.create(market="recorded", name="hook", kind="webhook", target_url="http://x/", secret="x" * 16)
    scan(folder, {"ZZTA": [busy()]})
    assert fill_outbox(folder, muted=lambda event: event["alert"]["ticker"] == "ZZTA") == 1
    assert [message.channel for message in OutboxMessage.objects.all()] == ["page"]
    assert OrmQ.objects.count() == 0


def test_a_channel_made_after_a_scan_is_not_told_of_it_by_a_later_copy(folder: MarketFolder) -> None:
    scan(folder, {"ZZTA": [busy(stamp=at(24, 15))]})
    hook = {"name": "hook", "kind": "webhook", "target_url": "http://x/", "secret": "x" * 16, "wants_ended": True}
    Channel.objects.create(market="recorded", **hook)
    assert fill_outbox(folder) == 1
    OutboxMark.objects.update(store_revision=0)
    assert fill_outbox(folder) == 0
    scan(folder, {"ZZTA": [busy(10, at(24, 16))]})
    assert fill_outbox(folder) == 2
    assert OutboxMessage.objects.get(channel="hook").kind == "ended"


def test_a_store_that_was_begun_anew_fills_the_outbox_from_its_first_scan(folder: MarketFolder) -> None:
    for hour in (14, 15):
        scan(folder, {"ZZTA": [live_chain(stamp=at(24, hour))]})
    fill_outbox(folder)
    assert mark() == 2
    folder.store_path.unlink()
    scan(folder, {"ZZTA": [busy(stamp=at(24, 16))]})
    assert fill_outbox(folder) == 1
    assert (len(messages()), mark()) == (1, 1)


def test_without_a_store_there_is_nothing_to_copy(folder: MarketFolder) -> None:
    assert fill_outbox(folder) == 0
    assert catch_up(folder) is None
    assert published_revision(folder) == 0
    assert not folder.store_path.exists()


def test_exports_of_an_unmoved_store_carry_their_chains_on(folder: MarketFolder) -> None:
    scan(folder, {"ZZTA": [live_chain()]})
    first = publish(folder)
    second = publish(folder)
    reader = ExportReader(folder.export_dir)
    one, two = reader.at(first.generation), reader.at(second.generation)
    assert one is not None
    assert two is not None
    assert one.manifest.documents["chains"] == two.manifest.documents["chains"]
    assert one.manifest.documents["chains"].count == 1
    assert one.manifest.documents["scans"].path != two.manifest.documents["scans"].path
