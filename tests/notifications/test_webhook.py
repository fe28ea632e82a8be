"""The signed webhook, against a receiver on loopback."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from collector.notifications.delivery_error import DeliveryError
from collector.notifications.letter import Letter, letter
from collector.notifications.webhook import post, retry_after, signature
from tests.notifications.events import SECRET, alert
from tests.notifications.receiver import Answer, Receiver, receiver
from tests.site.processes import ROOT

README = ROOT / "README.md"
DOCUMENT = {
    "version": 1,
    "event_id": "e1",
    "alert_id": "a1",
    "kind": "new",
    "market": "live",
    "at": "2026-02-18T17:00:00Z",
    "alert": alert(summary="Überraschung", score=72.4),
}


@pytest.fixture
def news() -> Letter:
    return letter("hook", DOCUMENT)


def failure(url: str, news: Letter, **limits: float) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        post(url, SECRET, news, **limits)
    return caught.value


def test_the_signature_is_what_openssl_makes() -> None:
    """printf '1771434000.{}' | openssl dgst -sha256 -hmac Jefe"""
    assert (
        signature("Jefe", 1771434000, b"{}")
        == "sha256=f3e0bb9eef255086b0c35522864ad11e8ac741fb4c205b17aaa87337a3358a9c"
    )


def test_the_receiver_can_tell_who_sent_it_when_and_what(inbox: Receiver, news: Letter) -> None:
    before = time.time()
    post(f"{inbox.url}/hooks/a?b=c", SECRET, news)
    (got,) = inbox.received
    assert got.path == "/hooks/a?b=c"
    assert json.loads(got.body) == DOCUMENT
    assert got.headers["Content-Type"] == "application/json"
    stamp = got.headers["X-Optsite-Timestamp"]
    assert int(before) <= int(stamp) <= time.time()
    expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + got.body, hashlib.sha256).hexdigest()
    assert got.headers["X-Optsite-Signature"] == f"sha256={expected}"
    assert SECRET not in str(got.headers)


def test_the_readme_tells_a_receiver_how_to_check_it(inbox: Receiver, news: Letter) -> None:
    (code,) = re.findall(r"```python\n(.*?def is_genuine.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    told: dict[str, Any] = {}
    exec(code, told)
    post(inbox.url, SECRET, news)
    (got,) = inbox.received
    headers = dict(got.headers)
    assert told["is_genuine"](SECRET, headers, got.body)
    assert not told["is_genuine"]("another secret", headers, got.body)
    assert not told["is_genuine"](SECRET, headers, got.body + b" ")
    assert not told["is_genuine"](SECRET, headers | {"X-Optsite-Timestamp": "1771434000"}, got.body)
    with time_machine.travel(time.time() + 301, tick=False):
        assert not told["is_genuine"](SECRET, headers, got.body)


def test_two_attempts_have_one_key_and_one_body_and_a_time_of_their_own(inbox: Receiver, news: Letter) -> None:
    for moment in (1_771_434_000, 1_771_434_900):
        with time_machine.travel(moment, tick=False):
            post(inbox.url, SECRET, letter("hook", DOCUMENT))
    first, second = inbox.received
    assert inbox.keys() == [news.key] * 2
    assert first.body == second.body
    assert [one.headers["X-Optsite-Timestamp"] for one in inbox.received] == ["1771434000", "1771434900"]
    assert first.headers["X-Optsite-Signature"] != second.headers["X-Optsite-Signature"]


def test_another_event_channel_or_market_has_another_key(news: Letter) -> None:
    others = {
        letter("hook", {**DOCUMENT, "event_id": "e2"}).key,
        letter("hook2", DOCUMENT).key,
        letter("hook", {**DOCUMENT, "market": "demo"}).key,
    }
    assert len(others | {news.key}) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_a_refusal_is_permanent(inbox: Receiver, news: Letter, status: int) -> None:
    inbox.usual = Answer(status)
    error = failure(inbox.url, news)
    assert (error.permanent, str(error)) == (True, f"answered {status}")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_trouble_is_transient(inbox: Receiver, news: Letter, status: int) -> None:
    inbox.usual = Answer(status)
    error = failure(inbox.url, news)
    assert (error.permanent, error.retry_after, str(error)) == (False, None, f"answered {status}")


def test_what_a_receiver_asks_to_wait_is_heard(inbox: Receiver, news: Letter) -> None:
    inbox.answers = [Answer(429, {"Retry-After": "120"}), Answer(503, {"Retry-After": "Wed, 18 Feb 2026 17:10:00 GMT"})]
    assert failure(inbox.url, news).retry_after == 120
    with time_machine.travel(datetime(2026, 2, 18, 17, 0, tzinfo=UTC), tick=False):
        assert failure(inbox.url, news).retry_after == 600


@pytest.mark.parametrize("value", [None, "", "soon", "-5", "²", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"])
def test_a_wait_that_cannot_be_read_is_none(value: str | None) -> None:
    assert retry_after(value) is None


def test_a_redirect_is_followed_nowhere(inbox: Receiver, news: Letter) -> None:
    with receiver() as other:
        for status in (301, 302, 307, 308):
            inbox.answers = [Answer(status, {"Location": f"{other.url}/elsewhere"})]
            error = failure(inbox.url, news)
            assert error.permanent
            assert "redirect" in str(error)
        assert other.received == []
    assert len(inbox.received) == 4


def test_a_receiver_that_does_not_answer_is_waited_for_no_longer_than_allowed(inbox: Receiver, news: Letter) -> None:
    inbox.usual = Answer(wait=30)
    begun = time.monotonic()
    error = failure(inbox.url, news, wait=0.3)
    assert (error.permanent, str(error)) == (False, "did not answer in time")
    assert time.monotonic() - begun < 3


def test_a_receiver_that_answers_a_byte_at_a_time_is_hung_up_on(inbox: Receiver, news: Letter) -> None:
    inbox.usual = Answer(drip=0.1)
    begun = time.monotonic()
    error = failure(inbox.url, news, wait=5, whole=0.8)
    assert (error.permanent, str(error)) == (False, "did not answer in time")
    assert 0.7 < time.monotonic() - begun < 4


def test_nobody_there_is_transient(news: Letter) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = failure(f"http://127.0.0.1:{port}/token-in-the-path", news)
    assert (error.permanent, str(error)) == (False, "could not be reached (ConnectionRefusedError)")


def test_who_does_not_speak_http_is_transient(news: Letter) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        error = failure(f"https://127.0.0.1:{server.getsockname()[1]}/", news, wait=0.5)
    assert not error.permanent


def test_an_address_that_is_none_is_permanent(news: Letter) -> None:
    assert failure("ftp://127.0.0.1/x", news).permanent
