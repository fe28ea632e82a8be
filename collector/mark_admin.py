"""Acknowledged and muted alerts in the admin; who did it is who is signed in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from collector.models import AlertMark, Mute


class MarkAdmin(ModelAdmin):  # type: ignore[misc]
    """What staff say of alerts, in the served market unless they choose another."""

    list_filter = ("market",)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return what an empty form begins with: the served market."""
        return {"market": settings.MARKET_FOLDER.market, **super().get_changeform_initial_data(request)}


class AlertMarkAdmin(MarkAdmin):
    """Alerts that somebody has taken note of. Taking the row away takes the note back."""

    fields = ("market", "alert_id")
    list_display = ("alert_id", "market", "acknowledged_by", "acknowledged_at")
    search_fields = ("alert_id", "acknowledged_by")

    def has_change_permission(self, request: HttpRequest, obj: AlertMark | None = None) -> bool:
        """Nobody changes a note: who took it stays."""
        return False

    def save_model(self, request: HttpRequest, obj: AlertMark, form: Any, change: bool) -> None:
        """Save it as the one who is signed in."""
        obj.acknowledged_by, obj.acknowledged_at = request.user.get_username(), datetime.now(UTC)
        super().save_model(request, obj, form, change)


class MuteAdmin(MarkAdmin):
    """What nobody is told of, and until when. Taking the row away ends it."""

    fields = ("market", "detector", "ticker", "alert_id", "until")
    list_display = ("what", "market", "until", "stands", "by")
    search_fields = ("detector", "ticker", "alert_id", "by")

    @admin.display(description="muted")
    def what(self, mute: Mute) -> str:
        """Return what is muted."""
        return str(mute).partition(" until ")[0]

    @admin.display(description="stands", boolean=True)
    def stands(self, mute: Mute) -> bool:
        """Return whether it still holds."""
        return mute.until > datetime.now(UTC)

    def save_model(self, request: HttpRequest, obj: Mute, form: Any, change: bool) -> None:
        """Save it as the one who is signed in."""
        obj.by = request.user.get_username()
        super().save_model(request, obj, form, change)
