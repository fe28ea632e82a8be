"""Acknowledging and muting in the admin: who is signed in is who did it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from collector.models import AlertMark, Mute
from exports.folders import MarketFolder
from tests.api.sample_market import market_documents, publish_market

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


UNTIL = {"until_0": "2099-01-01", "until_1": "12:00"}


@pytest.fixture
def published(market_folder: MarketFolder, settings: Any) -> Path:
    """The demo market with alerts alert00000 to alert00119 of its one detector, unusual_activity."""
    settings.MARKET_FOLDER = market_folder
    publish_market(market_folder.export_dir, market_documents())
    return market_folder.export_dir


def errors_of(staff: Client, model: str, **fields: str) -> str:
    """Return the errors of the form that adds a row, as text; '' where it was saved."""
    answer = staff.post(reverse(f"admin:collector_{model}_add"), {"market": "demo", **fields})
    return "" if answer.status_code == 302 else str(answer.context["adminform"].form.errors)


def test_an_alert_that_is_not_published_is_not_acknowledged(staff: Client, published: Path) -> None:
    told = errors_of(staff, "alertmark", alert_id="alert00120")
    assert "The market demo has no published alert alert00120. Copy the id" in told
    assert errors_of(staff, "alertmark", alert_id="alert00119") == ""
    assert [mark.alert_id for mark in AlertMark.objects.all()] == ["alert00119"]
    assert errors_of(staff, "alertmark", market="live", alert_id="alert00120") == "", "live has published nothing"
    assert "not one of the available choices" in errors_of(staff, "alertmark", market="moon", alert_id="alert00119")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"detector": "unusual_activty"}, "There is no detector unusual_activty. There are: unusual_activity."),
        # A name of the meta document that is no detector's.
        ({"detector": "short_history", "ticker": "AAPL"}, "There is no detector short_history."),
        ({"alert_id": "alert00120"}, "The market demo has no published alert alert00120."),
        ({}, "Name a detector, a ticker or an alert"),
        ({"detector": " ", "ticker": " "}, "Name a detector, a ticker or an alert"),
    ],
)
def test_a_mute_of_what_there_is_not_or_of_everything_is_refused(
    staff: Client, published: Path, fields: dict[str, str], told: str
) -> None:
    assert told in errors_of(staff, "mute", **UNTIL, **fields).replace("&#x27;", "'")
    assert not Mute.objects.exists()


@pytest.mark.parametrize("fields", [{"detector": "unusual_activity"}, {"ticker": "AAPL"}, {"alert_id": "alert00000"}])
def test_a_mute_of_what_is_published_is_saved(staff: Client, published: Path, fields: dict[str, str]) -> None:
    assert errors_of(staff, "mute", **UNTIL, **fields) == ""
    assert Mute.objects.count() == 1


def test_a_mute_whose_alert_is_published_no_more_can_be_made_shorter(staff: Client, published: Path) -> None:
    mute = Mute.objects.create(market="demo", alert_id="older", until=datetime(2099, 1, 1, tzinfo=UTC), by="mia")
    page = reverse("admin:collector_mute_change", args=[mute.pk])
    form = {"market": "demo", "alert_id": "older", "until_0": "2098-01-01", "until_1": "12:00"}
    assert staff.post(page, form).status_code == 302
    mute.refresh_from_db()
    assert mute.until.year == 2098
    assert staff.post(page, {**form, "alert_id": "another"}).status_code == 200
