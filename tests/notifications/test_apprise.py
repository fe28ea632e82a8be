"""Apprise, in its own process, against a receiver on loopback."""

from __future__ import annotations

import json
import socket
import time
from http import HTTPStatus

import pytest

from collector.notifications import apprise_child
from collector.notifications.apprise_sender import is_readable, send
from collector.notifications.delivery_error import DeliveryError
from collector.notifications.letter import letter
from tests.notifications.events import alert
from tests.notifications.receiver import Answer, Receiver, receiver

DOCUMENT = {"event_id": "e1", "alert_id": "a1", "kind": "new", "market": "demo", "at": "2026-02-18T17:01:00Z"}
NEWS = letter("chat", {**DOCUMENT, "alert": alert(summary="NVDA über <b>150</b> {{ x }}")})


def failure(url: str, seconds: float = 20) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(url, NEWS, seconds)
    return caught.value


def test_a_message_arrives_with_title_and_text(inbox: Receiver) -> None:
    send(f"json://{inbox.address}/hooks/a", NEWS)
    (got,) = inbox.received
    told = json.loads(got.body)
    assert got.path == "/hooks/a"
    assert told["title"] == "[demo] AAPL unusual activity: new alert, score 50"
    assert told["message"] == "NVDA über <b>150</b> {{ x }}\n\nThe reason of alert 1.\n\nAlert a1"


@pytest.mark.parametrize(("status", "permanent"), [(403, True), (404, True), (429, False), (500, False), (503, False)])
def test_the_status_decides_whether_it_is_tried_again(inbox: Receiver, status: int, permanent: bool) -> None:
    inbox.usual = Answer(status)
    error = failure(f"json://{inbox.address}/")
    assert (error.permanent, str(error)) == (permanent, f"answered {status}")
    # Trying again is ours alone.
    assert len(inbox.received) == 1


def test_nobody_there_is_transient() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = failure(f"json://127.0.0.1:{port}/")
    assert (error.permanent, str(error)) == (False, "did not take the message")


def test_a_service_that_never_answers_is_ended(inbox: Receiver) -> None:
    inbox.usual = Answer(drip=0.1)
    begun = time.monotonic()
    error = failure(f"json://{inbox.address}/", seconds=2)
    assert (error.permanent, str(error)) == (False, "did not answer in time")
    assert time.monotonic() - begun < 6


def test_a_redirect_is_followed_nowhere_even_where_the_address_asks_for_it(inbox: Receiver) -> None:
    with receiver() as other:
        inbox.usual = Answer(307, {"Location": f"{other.url}/elsewhere"})
        assert failure(f"json://{inbox.address}/?redirect=yes").permanent
        assert other.received == []


def test_addresses_that_apprise_reads_and_others() -> None:
    assert is_readable("discord://1234567890/a-token")
    assert is_readable("mailto://mia:password@example.com")
    assert not is_readable("nothing-like://it")
    assert not is_readable("discord://")


def test_an_address_that_can_no_longer_be_read_is_permanent() -> None:
    assert failure("nothing-like://it").permanent


@pytest.mark.parametrize("length", [10, 1_999, 2_000, 2_001, 5_000])
def test_discord_gets_all_of_a_long_text(inbox: Receiver, monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    """Discord answers 400 to a content of more than 2,000 characters, and a message was silently lost."""
    discord = type(apprise_child.service("discord://1234567890/a-token"))
    monkeypatch.setattr(discord, "notify_url", f"{inbox.url}/api/webhooks")
    monkeypatch.setattr(discord, "request_rate_per_sec", 0)
    text = "".join(f"{number:05d}" for number in range(length))[:length]
    assert apprise_child.send("discord://1234567890/a-token", "A title", text)["sent"]
    contents = [json.loads(got.body)["content"] for got in inbox.received]
    pieces = [content.partition("\r\n")[2] for content in contents]
    assert max(map(len, contents)) <= 2_000
    assert "".join(pieces) == text


def test_a_refused_piece_is_a_failure_with_its_status(inbox: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    discord = type(apprise_child.service("discord://1234567890/a-token"))
    monkeypatch.setattr(discord, "notify_url", f"{inbox.url}/api/webhooks")
    monkeypatch.setattr(discord, "request_rate_per_sec", 0)
    inbox.answers = [Answer(), Answer(HTTPStatus.BAD_REQUEST)]
    told = apprise_child.send("discord://1234567890/a-token", "A title", "x" * 3_000)
    assert told == {"sent": False, "status": 400, "readable": True}
