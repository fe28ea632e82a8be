"""Acknowledging and muting in the admin: who is signed in is who did it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from collector.models import AlertMark, Mute

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("mia", password="x"))
    return client


def test_an_alert_is_acknowledged_by_who_is_signed_in(staff: Client) -> None:
    page = reverse("admin:collector_alertmark_add")
    assert staff.post(page, {"market": "demo", "alert_id": "abc"}).status_code == 302
    (mark,) = AlertMark.objects.all()
    assert (mark.alert_id, mark.acknowledged_by) == ("abc", "mia")
    assert datetime.now(UTC) - mark.acknowledged_at < timedelta(minutes=1)
    assert staff.post(page, {"market": "demo", "alert_id": "abc"}).status_code == 200, "a second note is refused"
    assert AlertMark.objects.count() == 1
    assert staff.get(reverse("admin:collector_alertmark_changelist")).status_code == 200
    assert staff.post(reverse("admin:collector_alertmark_change", args=[mark.pk]), {}).status_code == 403


def test_a_detector_of_a_ticker_is_muted_and_heard_again(staff: Client) -> None:
    page = reverse("admin:collector_mute_add")
    form = {
        "market": "demo",
        "detector": "rule:high-iv",
        "ticker": "brk.b",
        "until_0": "2099-01-01",
        "until_1": "12:00",
    }
    assert staff.post(page, form).status_code == 302
    (mute,) = Mute.objects.all()
    assert (mute.detector, mute.ticker, mute.by) == ("rule:high-iv", "BRK-B", "mia")
    assert str(mute) == "rule:high-iv BRK-B until 2099-01-01T12:00Z"
    listed = staff.get(reverse("admin:collector_mute_changelist")).content.decode()
    assert "rule:high-iv BRK-B" in listed
    refused = staff.post(page, {**form, "alert_id": "abc"})
    assert "leave detector and ticker empty" in refused.content.decode()
    staff.post(reverse("admin:collector_mute_delete", args=[mute.pk]), {"post": "yes"})
    assert not Mute.objects.exists()
