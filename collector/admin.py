"""The rows of the collecting side in the admin: the watchlist can be edited, what scans wrote can be looked at."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django_q.admin import FailAdmin, QueueAdmin, ScheduleAdmin, TaskAdmin
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin

from collector.mark_admin import AlertMarkAdmin, MuteAdmin
from collector.models import (
    AlertMark,
    Channel,
    Heartbeat,
    Mute,
    OutboxMessage,
    Rule,
    ScanJob,
    ScanSlot,
    WatchedTicker,
)
from collector.notifications.channel_form import ChannelForm
from collector.notifications.delivery import redeliver, send_test
from collector.notifications.delivery_error import DeliveryError
from collector.rule_admin import RuleAdmin
from collector.schedules import NAME_PREFIX
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

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return what an empty form begins with: the served market."""
        return {"market": settings.MARKET_FOLDER.market, **super().get_changeform_initial_data(request)}


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


@admin.register(Channel)
class ChannelAdmin(ModelAdmin):  # type: ignore[misc]
    """Where alerts are told. Addresses and secrets are entered and never shown."""

    form = ChannelForm
    list_display = ("name", "market", "kind", "target", "minimum_score", "enabled")
    list_filter = ("market", "kind", "enabled")
    search_fields = ("name",)
    actions = ("send_test",)

    @admin.display(description="target")
    def target(self, channel: Channel) -> str:
        """Return what may be shown of the address."""
        return channel.masked_url

    def get_readonly_fields(self, request: HttpRequest, obj: Channel | None = None) -> tuple[str, ...]:
        """Return what stays once it is stored: messages know their channel by market and name."""
        return ("market", "name") if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return what an empty form begins with: the served market."""
        return {"market": settings.MARKET_FOLDER.market, **super().get_changeform_initial_data(request)}

    @method_decorator(sensitive_post_parameters("target_url", "secret"))
    def changeform_view(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        """Return the form; an error report of it holds no secret."""
        answer: HttpResponse = super().changeform_view(request, *arguments, **named)
        return answer

    @admin.action(description="Send a test message", permissions=["change"])
    def send_test(self, request: HttpRequest, chosen: QuerySet[Channel]) -> None:
        """Send a test message over each chosen channel, and say what came of it."""
        for channel in chosen:
            try:
                send_test(channel)
            except DeliveryError as error:
                self.message_user(request, f"{channel.name}: the test did not arrive: {error}.", messages.ERROR)
            else:
                self.message_user(request, f"{channel.name}: the test arrived.", messages.SUCCESS)


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    """Alert events, where they are told, and what came of it."""

    list_display = (
        "happened_at",
        "market",
        "kind",
        "summary",
        "channel",
        "state",
        "attempts",
        "next_attempt_at",
        "last_error",
        "delivered_at",
    )
    list_filter = ("state", "market", "channel", "kind")
    search_fields = ("alert_id", "summary")
    actions = ("redeliver",)

    def has_redeliver_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may send messages again."""
        return request.user.has_perm("collector.change_outboxmessage")

    @admin.action(description="Redeliver dead letters, and what is put off, now", permissions=["redeliver"])
    def redeliver(self, request: HttpRequest, chosen: QuerySet[OutboxMessage]) -> None:
        """Let the chosen messages be sent again, where they did not arrive."""
        count = redeliver(chosen)
        self.message_user(request, f"{count} of {len(chosen)} will be sent again; the others need not be.")


admin.site.register(Rule, RuleAdmin)
admin.site.register(AlertMark, AlertMarkAdmin)
admin.site.register(Mute, MuteAdmin)
admin.site.unregister(Schedule)


@admin.register(Schedule)
class SiteScheduleAdmin(ScheduleAdmin, ModelAdmin):  # type: ignore[misc]
    """Scheduled tasks. Those that the settings make can be looked at: a change would not outlive the next start."""

    list_display = ("name", "due", "next_run", "last_run", "get_success")
    list_display_links = ("name",)
    list_filter = ("cluster",)

    @admin.display(description="due (New York)", ordering="cron")
    def due(self, schedule: Schedule) -> str:
        """Return the cron line, or the minutes between two runs."""
        return schedule.cron or (f"every {schedule.minutes} min" if schedule.minutes else schedule.schedule_type)

    @admin.display(description="last run")
    def last_run(self, schedule: Schedule) -> str | None:
        """Return a link to the newest task, as django-q makes it."""
        link: str | None = self.get_last_run(schedule)
        return link

    def has_change_permission(self, request: HttpRequest, obj: Schedule | None = None) -> bool:
        """Return whether the schedule is a user's own."""
        return not _of_the_settings(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Schedule | None = None) -> bool:
        """Return whether the schedule is a user's own."""
        return not _of_the_settings(obj) and bool(super().has_delete_permission(request, obj))


def _of_the_settings(schedule: Schedule | None) -> bool:
    return schedule is not None and (schedule.name or "").startswith(NAME_PREFIX)


def _register_in_this_look(model: type[Model], original: type[Any]) -> None:
    """Register a model of django-q again, in the look of the other pages."""
    admin.site.unregister(model)
    admin.site.register(model, type(original.__name__, (original, ModelAdmin), {}))


for _model, _original in ((Success, TaskAdmin), (Failure, FailAdmin), (OrmQ, QueueAdmin)):
    _register_in_this_look(_model, _original)
