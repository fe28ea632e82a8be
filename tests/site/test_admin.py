"""The admin: every list opens, the watchlist can be edited, what the program writes can't."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django_q.models import Schedule

from collector.models import Heartbeat, OutboxMessage, ScanJob, ScanSlot, WatchedTicker
from collector.schedules import sync_schedules
from exports.folders import MarketFolder

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
        "collector_channel",
        "collector_rule",
        "collector_alertmark",
        "collector_mute",
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


def test_the_sidebar_leads_to_what_alerts_are_made_and_told_by(staff: Client) -> None:
    page = staff.get("/staff/").content.decode()
    for model in ("rule", "channel", "outboxmessage", "alertmark", "mute"):
        address = f"{reverse(f'admin:collector_{model}_changelist')}?market__exact=demo"
        assert f'href="{address}"' in page
        assert staff.get(address).status_code == 200


def test_the_sidebar_leads_to_the_watchlist_of_the_served_market(staff: Client) -> None:
    for market in ("demo", "live"):
        WatchedTicker.objects.create(market=market, ticker=f"{market.upper()}X")
    overview = staff.get(reverse("overview")).content.decode()
    links = re.findall(r'href="([^"]*watchedticker[^"]*)"', overview)
    assert "/admin/collector/watchedticker/?market__exact=demo" in links
    listed = staff.get(links[0])
    assert [row.ticker for row in listed.context["cl"].result_list] == ["DEMOX"]
    form = staff.get(reverse("admin:collector_watchedticker_add")).context["adminform"].form
    assert form.get_initial_for_field(form.fields["market"], "market") == "demo"


def test_who_may_not_see_the_watchlist_is_not_led_to_it(client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("noah", is_staff=True))
    assert "watchedticker" not in client.get(reverse("overview")).content.decode()


def test_a_schedule_of_the_settings_is_looked_at_and_a_users_own_is_changed(
    staff: Client, market_folder: MarketFolder
) -> None:
    sync_schedules(market_folder)
    listed = staff.get(reverse("admin:django_q_schedule_changelist"))
    rows = {row.name: listed.context["cl"].model_admin.due(row) for row in listed.context["cl"].result_list}
    assert rows["optsite:demo:scan"] == "*/10 * * * *"
    assert rows["optsite:demo:heartbeat"] == "every 1 min"
    ours = Schedule.objects.get(name="optsite:demo:scan")
    own = Schedule.objects.create(name="mine", func="math.sqrt", args="4", schedule_type=Schedule.HOURLY)
    for row, code in ((ours, 403), (own, 200)):
        page = reverse("admin:django_q_schedule_change", args=[row.pk])
        assert staff.get(page).status_code == 200
        assert staff.post(page, {}).status_code == code
        assert staff.get(reverse("admin:django_q_schedule_delete", args=[row.pk])).status_code == code
