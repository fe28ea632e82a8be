"""The rows of the collecting side in the admin: the watchlist can be edited, what scans wrote can be looked at."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django_q.admin import FailAdmin, QueueAdmin, ScheduleAdmin, TaskAdmin
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin

from collector.models import Heartbeat, OutboxMessage, ScanJob, ScanSlot, WatchedTicker
from exports.tickers import TickerError, canonical


class WatchedTickerForm(forms.ModelForm):  # type: ignore[type-arg]
    """A ticker as it was typed becomes the canonical one."""

    class Meta:
        """Every field that a person may set."""

        model = WatchedTicker
        fields = ("market", "ticker", "state", "reason")

    def clean_ticker(self) -> str:
        """Return the canonical ticker; the form's error says what a ticker looks like."""
        try:
            return canonical(self.cleaned_data["ticker"])
        except TickerError as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(WatchedTicker)
class WatchedTickerAdmin(ModelAdmin):  # type: ignore[misc]
    """The watchlist, which is the truth once it has been filled."""

    form = WatchedTickerForm
    list_display = ("ticker", "market", "state", "reason", "last_served_at", "added_at")
    list_filter = ("market", "state")
    list_editable = ("state",)
    search_fields = ("ticker",)


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """Rows that only the program writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds a row."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes a row."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes a row."""
        return False


@admin.register(ScanJob)
class ScanJobAdmin(ReadOnlyAdmin):
    """Scans that wait, run, or ran."""

    list_display = (
        "scan_id",
        "market",
        "kind",
        "state",
        "status",
        "requested_at",
        "started_at",
        "finished_at",
        "detail",
    )
    list_filter = ("market", "kind", "state")
    search_fields = ("scan_id",)
    date_hierarchy = "requested_at"


@admin.register(ScanSlot)
class ScanSlotAdmin(ReadOnlyAdmin):
    """Scheduled moments and who filled them."""

    list_display = ("slot", "market", "kind", "status", "scan_id", "fence", "lease_until")
    list_filter = ("market", "kind", "status")


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """The cluster's last sign of life."""

    list_display = ("host", "market", "at")


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    """Alert events and where they were told."""

    list_display = ("happened_at", "market", "kind", "summary", "channel", "delivered_at")
    list_filter = ("market", "channel", "kind")
    search_fields = ("alert_id", "summary")


def _register_in_this_look(model: type[Model], original: type[Any]) -> None:
    """Register a model of django-q again, in the look of the other pages."""
    admin.site.unregister(model)
    admin.site.register(model, type(original.__name__, (original, ModelAdmin), {}))


for _model, _original in ((Schedule, ScheduleAdmin), (Success, TaskAdmin), (Failure, FailAdmin), (OrmQ, QueueAdmin)):
    _register_in_this_look(_model, _original)
