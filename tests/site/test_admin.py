"""The admin: every list opens, the watchlist can be edited, what the program writes can't."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from collector.models import Heartbeat, OutboxMessage, ScanJob, ScanSlot, WatchedTicker

NOON = datetime(2026, 1, 27, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("mia", password="x"))
    return client


@pytest.fixture
def rows() -> dict[str, int]:
    """One row of each model that the program writes, by its name in the admin's addresses."""
    return {
        "scanjob": ScanJob.objects.create(market="demo", scan_id="s", kind="manual", requested_at=NOON).pk,
        "scanslot": ScanSlot.objects.create(market="demo", kind="scheduled", slot=NOON).pk,
        "heartbeat": Heartbeat.objects.create(market="demo", host="h", at=NOON).pk,
        "outboxmessage": OutboxMessage.objects.create(
            market="demo", event_id="e", channel="page", alert_id="a", kind="new", summary="s", happened_at=NOON
        ).pk,
    }


@pytest.mark.parametrize(
    "name",
    [
        "collector_watchedticker",
        "collector_scanjob",
        "collector_scanslot",
        "collector_heartbeat",
        "collector_outboxmessage",
        "django_q_schedule",
        "django_q_success",
        "django_q_failure",
        "django_q_ormq",
        "auth_user",
        "auth_group",
        "authtoken_tokenproxy",
    ],
)
def test_every_list_opens(name: str, staff: Client, rows: dict[str, int]) -> None:
    assert staff.get(reverse(f"admin:{name}_changelist")).status_code == 200


def test_a_ticker_is_added_as_the_canonical_one(staff: Client) -> None:
    page = reverse("admin:collector_watchedticker_add")
    staff.post(page, {"market": "live", "ticker": "brk.b", "state": "active", "reason": ""})
    assert [row.ticker for row in WatchedTicker.objects.all()] == ["BRK-B"]
    refused = staff.post(page, {"market": "live", "ticker": "$$$", "state": "active", "reason": ""})
    assert refused.status_code == 200
    assert "is not a ticker" in refused.content.decode()
    assert WatchedTicker.objects.count() == 1


@pytest.mark.parametrize("name", ["scanjob", "scanslot", "heartbeat", "outboxmessage"])
def test_what_the_program_writes_can_be_looked_at_and_not_changed(
    name: str, staff: Client, rows: dict[str, int]
) -> None:
    assert staff.get(reverse(f"admin:collector_{name}_change", args=[rows[name]])).status_code == 200
    assert staff.post(reverse(f"admin:collector_{name}_change", args=[rows[name]]), {}).status_code == 403
    assert staff.get(reverse(f"admin:collector_{name}_add")).status_code == 403
    assert staff.post(reverse(f"admin:collector_{name}_delete", args=[rows[name]]), {"post": "yes"}).status_code == 403
