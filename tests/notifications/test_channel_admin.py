"""Channels in the admin: what is wrong is said by field, secrets go in and never come out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from collector.models import Channel, OutboxMessage
from collector.notifications import channel_form
from collector.notifications.outbox import copy_to_channels
from tests.notifications.events import SECRET, event
from tests.notifications.receiver import Answer, Receiver
from tests.notifications.rows import channel

pytestmark = pytest.mark.django_db
ADD = "admin:collector_channel_add"
TOKEN = "token-of-the-receiver"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("mia", password="x"))
    return client


def entered(**changes: Any) -> dict[str, Any]:
    return {
        "market": "demo",
        "name": "hook",
        "enabled": "on",
        "kind": "webhook",
        "target_url": f"https://example.com/{TOKEN}",
        "secret": SECRET,
        "tickers": "",
        "detectors": "",
        "minimum_score": "0",
        "wants_new": "on",
        "quiet_from": "",
        "quiet_until": "",
        "quiet_zone": "America/New_York",
    } | changes


def problems(staff: Client, **changes: Any) -> dict[str, list[str]]:
    """Return the errors of the form by field; nothing was stored."""
    answer = staff.post(reverse(ADD), entered(**changes))
    assert answer.status_code == 200
    assert Channel.objects.count() == 0
    errors: dict[str, list[str]] = answer.context["adminform"].form.errors
    return errors


def test_a_channel_is_made(staff: Client) -> None:
    lists = {"tickers": "brk.b, AAPL,aapl", "detectors": " unusual_activity "}
    hours = {"quiet_from": "22:00", "quiet_until": "07:00", "quiet_zone": "Asia/Tokyo"}
    assert staff.post(reverse(ADD), entered(**lists, **hours, minimum_score="40")).status_code == 302
    made = Channel.objects.get()
    assert (made.tickers, made.detectors, made.minimum_score) == (["BRK-B", "AAPL"], ["unusual_activity"], 40)
    assert (made.target_url, made.secret) == (f"https://example.com/{TOKEN}", SECRET)
    assert (made.wants_new, made.wants_ended, made.wants_digest, made.wants_verdict) == (True, False, False, False)


@pytest.mark.parametrize(
    ("field", "changes", "remedy"),
    [
        ("target_url", {"target_url": ""}, "Enter where"),
        ("target_url", {"target_url": "ftp://example.com/x"}, "https://"),
        ("target_url", {"target_url": "discord://1/token"}, "choose the kind Apprise"),
        ("target_url", {"target_url": "https://"}, "https://example.com"),
        ("target_url", {"target_url": "https://[::1/x"}, "https://example.com"),
        ("target_url", {"target_url": "https://example.com:99999/x"}, "https://example.com"),
        ("target_url", {"target_url": "https://mia:pass@example.com/x"}, "Leave user and password out"),
        ("target_url", {"target_url": "https://example.com/a b"}, "without spaces"),
        ("target_url", {"target_url": "https://exämple.com/"}, "punycode"),
        ("target_url", {"kind": "apprise", "target_url": "nothing-like://it"}, "discord://ID/TOKEN"),
        ("secret", {"secret": ""}, "secrets.token_hex"),
        ("secret", {"secret": "too short"}, "at least 16"),
        ("quiet_zone", {"quiet_zone": "Mars/Olympus"}, "Europe/Berlin"),
        ("quiet_zone", {"quiet_zone": "../../etc/passwd"}, "Europe/Berlin"),
        ("quiet_until", {"quiet_from": "22:00"}, "both times"),
        ("quiet_from", {"quiet_until": "07:00"}, "both times"),
        ("quiet_until", {"quiet_from": "07:00", "quiet_until": "07:00"}, "disable it"),
        ("tickers", {"tickers": "AAPL, $$$"}, "is not a ticker"),
        ("minimum_score", {"minimum_score": "101"}, "less than or equal to 100"),
        ("minimum_score", {"minimum_score": "-1"}, "greater than or equal to 0"),
        ("name", {"name": "page"}, "another name"),
        ("wants_new", {"wants_new": ""}, "at least one"),
    ],
)
def test_what_is_wrong_is_said_by_field_with_a_remedy(
    staff: Client, field: str, changes: dict[str, Any], remedy: str
) -> None:
    errors = problems(staff, **changes)
    assert list(errors) == [field]
    assert remedy in str(errors[field])


def test_a_detector_that_is_not_published_is_refused(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_form, "published_detectors", lambda market: ["low_iv", "unusual_activity"])
    errors = problems(staff, detectors="low_iv, unusual_activty")
    assert "no detector unusual_activty. There are: low_iv, unusual_activity" in str(errors["detectors"])


def test_a_name_is_used_once_a_market(staff: Client) -> None:
    channel("hook")
    answer = staff.post(reverse(ADD), entered())
    assert "already exists" in str(answer.context["adminform"].form.errors)
    assert staff.post(reverse(ADD), entered(market="live")).status_code == 302


def test_secrets_go_in_and_never_come_out(staff: Client) -> None:
    staff.post(reverse(ADD), entered())
    made = Channel.objects.get()
    change = reverse("admin:collector_channel_change", args=[made.pk])
    refused = staff.post(reverse(ADD), entered(name="", target_url=f"https://other/{TOKEN}"))
    pages = [staff.get(change), staff.get(reverse("admin:collector_channel_changelist")), refused]
    for page in pages:
        assert page.status_code == 200
        assert TOKEN not in page.content.decode()
        assert SECRET not in page.content.decode()
    assert "https://…" in pages[1].content.decode()
    kept = {name: value for name, value in entered(minimum_score="30").items() if name not in ("market", "name")}
    assert staff.post(change, kept | {"target_url": "", "secret": ""}).status_code == 302
    made.refresh_from_db()
    assert (made.target_url, made.secret, made.minimum_score) == (f"https://example.com/{TOKEN}", SECRET, 30)
    staff.post(change, kept | {"secret": "another secret of 16 and more"})
    made.refresh_from_db()
    assert made.secret == "another secret of 16 and more"
    history = " ".join(f"{entry.object_repr} {entry.change_message}" for entry in LogEntry.objects.all())
    assert TOKEN not in history
    assert "secret of" not in history


def test_market_and_name_stay(staff: Client) -> None:
    made = channel()
    change = reverse("admin:collector_channel_change", args=[made.pk])
    assert staff.post(change, entered(name="other", market="live")).status_code == 302
    made.refresh_from_db()
    assert (made.name, made.market) == ("hook", "demo")


def test_an_address_for_apprise_keeps_no_webhook_secret(staff: Client) -> None:
    staff.post(reverse(ADD), entered(kind="apprise", target_url="discord://1234567890/a-token"))
    assert Channel.objects.get().secret == ""


def run_action(staff: Client, model: str, action: str, *rows: Any) -> list[str]:
    page = reverse(f"admin:collector_{model}_changelist")
    answer = staff.post(page, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)
    assert answer.status_code == 200
    return [str(message) for message in answer.context["messages"]]


def test_a_test_message_is_sent_and_its_result_shown(staff: Client, inbox: Receiver) -> None:
    good = channel("good", target_url=f"{inbox.url}/{TOKEN}")
    chat = channel("chat", kind="apprise", target_url=f"json://{inbox.address}/{TOKEN}", secret="")
    nobody = channel("nobody", target_url=f"http://127.0.0.1:1/{TOKEN}")
    said = run_action(staff, "channel", "send_test", good, chat, nobody)
    assert said == [
        "chat: the test arrived.",
        "good: the test arrived.",
        "nobody: the test did not arrive: could not be reached (ConnectionRefusedError).",
    ]
    assert len(inbox.received) == 2
    inbox.usual = Answer(403)
    assert run_action(staff, "channel", "send_test", good) == ["good: the test did not arrive: answered 403."]


def test_dead_letters_are_redelivered_by_who_may(staff: Client) -> None:
    channel()
    copy_to_channels("demo", [event(1), event(2)])
    dead, delivered = OutboxMessage.objects.order_by("event_id")
    OutboxMessage.objects.filter(pk=dead.pk).update(state="dead", attempts=10, last_error="answered 500")
    OutboxMessage.objects.filter(pk=delivered.pk).update(state="delivered")
    said = run_action(staff, "outboxmessage", "redeliver", dead, delivered)
    assert said == ["1 of 2 will be sent again; the others need not be."]
    assert sorted(OutboxMessage.objects.values_list("state", "attempts")) == [("delivered", 0), ("waiting", 0)]
    assert OrmQ.objects.count() == 1


def test_who_may_only_look_is_offered_no_action(client: Client) -> None:
    made = channel()
    looking = get_user_model().objects.create_user("noah", is_staff=True)
    looking.user_permissions.set(Permission.objects.filter(codename__in=("view_channel", "view_outboxmessage")))
    client.force_login(looking)
    for model in ("channel", "outboxmessage"):
        page = client.get(reverse(f"admin:collector_{model}_changelist")).content.decode()
        assert not re.search(r'value="(send_test|redeliver)"', page)
    answer = client.post(
        reverse("admin:collector_channel_changelist"), {"action": "send_test", "_selected_action": [made.pk]}
    )
    assert "test" not in str(list(answer.wsgi_request._messages))  # type: ignore[attr-defined]
